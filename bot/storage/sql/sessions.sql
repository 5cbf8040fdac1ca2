-- Sessions, and the messages in Slack that show them. A session is over when it was ended or its time is up.

-- name: find_session
-- One session, with who ended it, and the channel and conversation of the request that created it.
SELECT s.*, NOT (s.ended_at IS NULL AND s.ends_at > :now) AS is_over, :now AS read_at,
    ending.requester AS ender, origin.channel_id AS channel_id, origin.conversation_id AS conversation_id
FROM sessions s
LEFT JOIN requests ending ON ending.id = s.ended_by
LEFT JOIN requests origin ON origin.id = s.request_id
WHERE s.id = :id;

-- name: last_hosted_session
SELECT s.*, NOT (s.ended_at IS NULL AND s.ends_at > :now) AS is_over, :now AS read_at,
    ending.requester AS ender, origin.channel_id AS channel_id, origin.conversation_id AS conversation_id
FROM sessions s
LEFT JOIN requests ending ON ending.id = s.ended_by
LEFT JOIN requests origin ON origin.id = s.request_id
WHERE s.team_id = :team_id AND s.agent = :user_id
ORDER BY s.created_at DESC LIMIT 1;

-- name: last_session_for_another
-- The newest session that this person requested for somebody else.
SELECT s.*, NOT (s.ended_at IS NULL AND s.ends_at > :now) AS is_over, :now AS read_at,
    ending.requester AS ender, origin.channel_id AS channel_id, origin.conversation_id AS conversation_id
FROM sessions s
LEFT JOIN requests ending ON ending.id = s.ended_by
LEFT JOIN requests origin ON origin.id = s.request_id
WHERE s.team_id = :team_id AND s.requester = :user_id AND s.requester <> s.agent
ORDER BY s.created_at DESC LIMIT 1;

-- name: open_sessions_of_user
SELECT s.*, NOT (s.ended_at IS NULL AND s.ends_at > :now) AS is_over, :now AS read_at,
    origin.conversation_id AS conversation_id
FROM sessions s LEFT JOIN requests origin ON origin.id = s.request_id
WHERE s.ended_at IS NULL AND s.ends_at > :now
    AND s.team_id = :team_id AND (s.agent = :user_id OR s.requester = :user_id)
ORDER BY s.created_at DESC LIMIT :most;

-- name: live_sessions
-- A page of the open sessions of a workspace, by agent, and the number of all of them. One person may have two ids.
SELECT s.*, NOT (s.ended_at IS NULL AND s.ends_at > :now) AS is_over, :now AS read_at,
    origin.conversation_id AS conversation_id, count(*) OVER () AS total
FROM sessions s LEFT JOIN requests origin ON origin.id = s.request_id
WHERE s.ended_at IS NULL AND s.ends_at > :now AND s.team_id = :team_id
    AND (CAST(:agent AS TEXT) IS NULL OR s.agent = CAST(:agent AS TEXT) OR s.agent = CAST(:other_agent AS TEXT))
ORDER BY s.agent, s.created_at DESC LIMIT :most OFFSET :skipped;

-- name: open_sessions_in_conversations
-- The newest open sessions of an agent whose conversation is known.
SELECT s.*, NOT (s.ended_at IS NULL AND s.ends_at > :now) AS is_over, :now AS read_at, r.conversation_id
FROM sessions s JOIN requests r ON r.id = s.request_id
WHERE s.ended_at IS NULL AND s.ends_at > :now AND s.team_id = :team_id AND s.agent = :user_id
    AND r.conversation_id IS NOT NULL
ORDER BY s.created_at DESC LIMIT :most;

-- name: sessions_meant_by
-- The sessions that a request without an id can mean: those that were open when it came in and still are, and the one
-- that this request ended, in case it is processed a second time after a crash.
SELECT s.*, NOT (s.ended_at IS NULL AND s.ends_at > :now) AS is_over, :now AS read_at,
    origin.conversation_id AS conversation_id
FROM sessions s LEFT JOIN requests origin ON origin.id = s.request_id
WHERE s.team_id = :team_id AND (s.agent = :user_id OR s.requester = :user_id)
    AND s.created_at > :now - 86400
    AND (s.ended_by = :request_id OR (s.ended_at IS NULL AND s.ends_at > :now
        AND s.created_at <= (SELECT accepted_at FROM requests WHERE id = :request_id)))
ORDER BY s.created_at DESC LIMIT :most;

-- name: name_ending
-- A request that named no session holds from now on which one it ends.
UPDATE requests SET argument = :argument WHERE id = :id AND kind = 'end' AND state = 'accepted' RETURNING id;

-- name: end_session
UPDATE sessions SET ended_at = :now, ended_by = :by, join_url = NULL, join_code = NULL
WHERE id = :id AND ended_at IS NULL AND ends_at > :now RETURNING id;

-- name: record_joined
-- Only the first replica that sees the customer gets a row, and none if the service has given the id to a newer session
-- since (`request_id`). A session in a conversation then goes on after its offer.
UPDATE sessions SET live_state = 'joined', joined_at = CAST(:joined_at AS DOUBLE PRECISION),
    ends_at = CASE WHEN ends_at < :now + CAST(:seconds AS DOUBLE PRECISION)
        THEN :now + CAST(:seconds AS DOUBLE PRECISION) ELSE ends_at END
WHERE id = :id AND request_id = :request_id AND ended_at IS NULL AND live_state IS NULL RETURNING id;

-- name: keep_joined
UPDATE sessions SET ends_at = :now + CAST(:seconds AS DOUBLE PRECISION)
WHERE id = :id AND ended_at IS NULL AND live_state = 'joined'
    AND ends_at < :now + CAST(:seconds AS DOUBLE PRECISION) RETURNING id;

-- name: record_over
-- Only the first replica that sees the end gets a row, and none if a person ended the session from Slack. The time of the
-- end is Genesys's, unless that is not known or not possible.
UPDATE sessions SET live_state = :live_state, ending = :ending,
    joined_at = coalesce(CAST(:joined_at AS DOUBLE PRECISION), joined_at),
    ended_at = CASE
        WHEN CAST(:ended_at AS DOUBLE PRECISION) > created_at AND CAST(:ended_at AS DOUBLE PRECISION) <= :now
            THEN CAST(:ended_at AS DOUBLE PRECISION)
        WHEN ends_at < :now THEN ends_at
        ELSE :now END,
    join_url = NULL, join_code = NULL
WHERE id = :id AND request_id = :request_id AND ended_at IS NULL RETURNING id;

-- name: add_post
-- Remember a message. One that is about to be posted (`ts` is '') is due after a minute, when the post was lost.
INSERT INTO posts (session_id, channel_id, ts, kind, request_id, due_at, workspace)
SELECT id, :channel_id, :ts, :kind, :request_id,
    CASE WHEN CAST(:ts AS TEXT) = '' THEN :now + 60 ELSE coalesce(ended_at, ends_at) END, workspace
FROM sessions WHERE id = :session_id
ON CONFLICT (session_id, channel_id, ts) DO NOTHING RETURNING session_id;

-- name: posts_of_session
SELECT * FROM posts WHERE session_id = :session_id;

-- name: make_posts_due
UPDATE posts SET due_at = :now WHERE session_id = :session_id AND due_at > :now;

-- name: take_due_posts
-- No other replica takes them within the next minute.
UPDATE posts SET due_at = :now + 60
WHERE due_at <= :now AND (session_id, channel_id, ts) IN
    (SELECT session_id, channel_id, ts FROM posts
        WHERE due_at <= :now AND workspace = :workspace ORDER BY due_at LIMIT :most)
RETURNING session_id, channel_id, ts, kind, request_id;

-- name: postpone_post
-- The message of a session that goes on is due again when the session ends.
UPDATE posts SET due_at = coalesce((SELECT coalesce(s.ended_at, s.ends_at) FROM sessions s WHERE s.id = posts.session_id),
    due_at)
WHERE session_id = :session_id AND channel_id = :channel_id AND ts = :ts;

-- name: drop_post
DELETE FROM posts WHERE session_id = :session_id AND channel_id = :channel_id AND ts = :ts;
