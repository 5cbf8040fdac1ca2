-- What is stored about one person in one workspace (see schema.sql): to export it, and to forget it. :user_id is a Slack
-- id, :team_id a Slack workspace or an Enterprise Grid, NULL for all. :mention is the id as JSON holds it, between percent
-- signs.
-- "Finished" is a session that is over and whose messages in Slack say so. Messages older than a day are given up.

-- name: requests_of_person
SELECT * FROM requests
WHERE workspace = :workspace AND (requester = :user_id OR target = :user_id)
    AND (CAST(:team_id AS TEXT) IS NULL OR team_id = :team_id OR enterprise_id = :team_id)
ORDER BY accepted_at;

-- name: sessions_of_person
-- Those that the person asked for, that were for them, or that they ended.
SELECT s.*, origin.channel_id, ending.requester AS ender FROM sessions s
LEFT JOIN requests origin ON origin.id = s.request_id
LEFT JOIN requests ending ON ending.id = s.ended_by
WHERE s.workspace = :workspace
    AND (s.requester = :user_id OR s.agent = :user_id OR ending.requester = :user_id)
    AND (CAST(:team_id AS TEXT) IS NULL OR s.team_id = :team_id OR origin.team_id = :team_id)
ORDER BY s.created_at;

-- name: posts_of_person
SELECT * FROM posts WHERE session_id IN (SELECT s.id FROM sessions s
    LEFT JOIN requests origin ON origin.id = s.request_id
    WHERE s.workspace = :workspace AND (s.requester = :user_id OR s.agent = :user_id)
        AND (CAST(:team_id AS TEXT) IS NULL OR s.team_id = :team_id OR origin.team_id = :team_id))
ORDER BY session_id, channel_id, ts;

-- name: watches_of_person
SELECT * FROM watches WHERE session_id IN (SELECT s.id FROM sessions s
    LEFT JOIN requests origin ON origin.id = s.request_id
    WHERE s.workspace = :workspace AND (s.requester = :user_id OR s.agent = :user_id)
        AND (CAST(:team_id AS TEXT) IS NULL OR s.team_id = :team_id OR origin.team_id = :team_id))
ORDER BY session_id;

-- name: found_hosts_of_person
SELECT * FROM found_hosts
WHERE workspace = :workspace AND user_id = :user_id
    AND (CAST(:team_id AS TEXT) IS NULL OR team_id = :team_id);

-- name: links_of_person
-- A link for every workspace has no team, so it is one of each team's.
SELECT * FROM links
WHERE workspace = :workspace AND user_id = :user_id
    AND (CAST(:team_id AS TEXT) IS NULL OR team_id = :every_team OR team_id = :team_id);

-- name: connects_of_person
SELECT * FROM connects
WHERE workspace = :workspace AND user_id = :user_id
    AND (CAST(:team_id AS TEXT) IS NULL OR team_id = :team_id);

-- name: connections_of_person
SELECT * FROM connections
WHERE workspace = :workspace AND user_id = :user_id
    AND (CAST(:team_id AS TEXT) IS NULL OR team_id = :team_id);

-- name: failures_with_person
-- Requests of others whose failure names the person.
SELECT id, kind, accepted_at, failure FROM requests
WHERE workspace = :workspace AND state = 'answered' AND failure LIKE :mention
    AND (CAST(:team_id AS TEXT) IS NULL OR team_id = :team_id OR enterprise_id = :team_id)
ORDER BY accepted_at;

-- name: notices_with_person
-- Those of every team: a notice may be about people of several teams, and has the id of one of them.
SELECT kind, key, team_id, version, takes, opened_at, changed_at, over_at, data, messages FROM notices
WHERE workspace = :workspace AND (data LIKE :mention OR messages LIKE :mention)
ORDER BY kind, key;

-- name: forget_found_hosts
DELETE FROM found_hosts
WHERE workspace = :workspace AND user_id = :user_id
    AND (CAST(:team_id AS TEXT) IS NULL OR team_id = :team_id)
RETURNING user_id;

-- name: forget_links
DELETE FROM links
WHERE workspace = :workspace AND user_id = :user_id
    AND (CAST(:team_id AS TEXT) IS NULL OR team_id = :every_team OR team_id = :team_id)
RETURNING user_id;

-- name: forget_connects
DELETE FROM connects
WHERE workspace = :workspace AND user_id = :user_id
    AND (CAST(:team_id AS TEXT) IS NULL OR team_id = :team_id)
RETURNING user_id;

-- name: forget_connections
DELETE FROM connections
WHERE workspace = :workspace AND user_id = :user_id
    AND (CAST(:team_id AS TEXT) IS NULL OR team_id = :team_id)
RETURNING user_id;

-- name: forget_posts
-- Messages that were given up, because nobody updated them within a day after the end of their session.
DELETE FROM posts WHERE (session_id, channel_id, ts) IN (SELECT p.session_id, p.channel_id, p.ts FROM posts p
    JOIN sessions s ON s.id = p.session_id
    LEFT JOIN requests origin ON origin.id = s.request_id
    WHERE s.workspace = :workspace AND (s.requester = :user_id OR s.agent = :user_id) AND s.ends_at < :now - 86400
        AND (CAST(:team_id AS TEXT) IS NULL OR s.team_id = :team_id OR origin.team_id = :team_id)
    LIMIT :most)
RETURNING session_id;

-- name: forget_watches
DELETE FROM watches WHERE session_id IN (SELECT s.id FROM sessions s
    LEFT JOIN requests origin ON origin.id = s.request_id
    WHERE s.workspace = :workspace AND (s.requester = :user_id OR s.agent = :user_id)
        AND (CAST(:team_id AS TEXT) IS NULL OR s.team_id = :team_id OR origin.team_id = :team_id)
    LIMIT :most)
RETURNING session_id;

-- name: forget_sessions
-- Finished sessions that no unfinished request tells of.
DELETE FROM sessions WHERE id IN (SELECT s.id FROM sessions s
    LEFT JOIN requests origin ON origin.id = s.request_id
    WHERE s.workspace = :workspace AND (s.requester = :user_id OR s.agent = :user_id)
        AND (s.ended_at IS NOT NULL OR s.ends_at <= :now)
        AND (CAST(:team_id AS TEXT) IS NULL OR s.team_id = :team_id OR origin.team_id = :team_id)
        AND NOT EXISTS (SELECT 1 FROM posts p WHERE p.session_id = s.id)
        AND NOT EXISTS (SELECT 1 FROM requests r WHERE r.session_id = s.id AND r.state <> 'answered')
    LIMIT :most)
RETURNING id;

-- name: forget_requests
-- Answered requests, but not those of the last hour, and not those whose session is still stored.
DELETE FROM requests WHERE id IN (SELECT r.id FROM requests r
    WHERE r.workspace = :workspace AND (r.requester = :user_id OR r.target = :user_id)
        AND (CAST(:team_id AS TEXT) IS NULL OR r.team_id = :team_id OR r.enterprise_id = :team_id)
        AND r.state = 'answered' AND r.accepted_at < :now - 3600
        AND NOT EXISTS (SELECT 1 FROM sessions s WHERE s.id = r.session_id)
    LIMIT :most)
RETURNING id;

-- name: anonymize_requests
-- Answered requests of the last hour keep their key, so that a second delivery by Slack is not a new request. As `help`
-- they are deleted by the sweep when the hour is over.
UPDATE requests SET kind = 'help', requester = 'forgotten', target = NULL, name = NULL, channel_id = '',
    reply_url = NULL, same = id, same_as = NULL, session_id = NULL, session_at = NULL, failure = NULL,
    conversation_id = NULL, argument = NULL, view_id = NULL, trace_context = NULL
WHERE id IN (SELECT r.id FROM requests r
    WHERE r.workspace = :workspace AND (r.requester = :user_id OR r.target = :user_id)
        AND (CAST(:team_id AS TEXT) IS NULL OR r.team_id = :team_id OR r.enterprise_id = :team_id)
        AND r.state = 'answered' AND r.accepted_at >= :now - 3600
        AND NOT EXISTS (SELECT 1 FROM sessions s WHERE s.id = r.session_id)
    LIMIT :most)
RETURNING id;

-- name: anonymize_failure
UPDATE requests SET failure = :failure WHERE id = :id AND failure = CAST(:was AS TEXT) RETURNING id;

-- name: forget_notice
DELETE FROM notices WHERE kind = :kind AND key = :key AND version = :version AND takes = :takes RETURNING key;

-- name: anonymize_notice
-- A replica that has read this notice and not written it yet cannot write the person back.
UPDATE notices SET data = :data, messages = :messages, takes = takes + 1, version = version + 1,
    shown = CASE WHEN shown = version THEN shown + 1 ELSE shown END
WHERE kind = :kind AND key = :key AND version = :version AND takes = :takes RETURNING key;

-- name: left_of_person
-- What is still stored about the person in sessions and requests, and when the last open session ends.
SELECT
    (SELECT count(*) FROM sessions s LEFT JOIN requests origin ON origin.id = s.request_id
        WHERE s.workspace = :workspace AND (s.requester = :user_id OR s.agent = :user_id)
            AND (CAST(:team_id AS TEXT) IS NULL OR s.team_id = :team_id OR origin.team_id = :team_id)) AS sessions,
    (SELECT max(CASE WHEN s.ended_at IS NULL THEN s.ends_at ELSE s.ended_at END) FROM sessions s
        LEFT JOIN requests origin ON origin.id = s.request_id
        WHERE s.workspace = :workspace AND (s.requester = :user_id OR s.agent = :user_id)
            AND (CAST(:team_id AS TEXT) IS NULL OR s.team_id = :team_id OR origin.team_id = :team_id)) AS open_until,
    (SELECT count(*) FROM requests r
        WHERE r.workspace = :workspace AND (r.requester = :user_id OR r.target = :user_id) AND r.state <> 'answered'
            AND (CAST(:team_id AS TEXT) IS NULL OR r.team_id = :team_id OR r.enterprise_id = :team_id)) AS requests;
