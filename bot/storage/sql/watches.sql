-- Watched sessions: when to ask Genesys again, and where to tell the requester.

-- name: add_watch
-- A session is watched once, so a duplicate of its request changes nothing. If the service gives a known id to a newer
-- session, that one is watched instead.
INSERT INTO watches (session_id, request_id, host_id, conversation_id, reply_url, reply_uses, reply_until, looks, next_at,
    watched_at, workspace)
SELECT s.id, s.request_id, s.host_id, r.conversation_id, :reply_url, :reply_uses, :now + CAST(:reply_seconds AS DOUBLE PRECISION), 0,
    :now + CAST(:seconds AS DOUBLE PRECISION), :now, s.workspace
FROM sessions s LEFT JOIN requests r ON r.id = s.request_id
WHERE s.id = :session_id AND s.ended_at IS NULL
ON CONFLICT (session_id) DO UPDATE SET request_id = excluded.request_id, host_id = excluded.host_id,
    conversation_id = excluded.conversation_id, reply_url = excluded.reply_url, reply_uses = excluded.reply_uses,
    reply_until = excluded.reply_until, looks = 0, next_at = excluded.next_at, watched_at = excluded.watched_at
WHERE watches.request_id <> excluded.request_id
RETURNING session_id;

-- name: take_watches
-- No other replica takes them within the next :lease seconds. Sessions that a hint is about come first (next_at is 0), then
-- those that were seldom looked at.
UPDATE watches SET next_at = :now + CAST(:lease AS DOUBLE PRECISION)
WHERE next_at <= :now AND session_id IN
    (SELECT session_id FROM watches WHERE next_at <= :now AND workspace = :workspace
        ORDER BY CASE WHEN next_at = 0 THEN 0 ELSE 1 END, looks, next_at
        LIMIT :most /*postgres FOR UPDATE SKIP LOCKED*/)
RETURNING session_id, host_id, conversation_id, looks;

-- name: pause_watch
-- If a hint came while Genesys was asked, `next_at` is in the past, and stays there.
UPDATE watches SET looks = looks + CAST(:looked AS BIGINT),
    next_at = CASE WHEN next_at <= :now THEN next_at ELSE :now + CAST(:seconds AS DOUBLE PRECISION) END,
    reply_url = CASE WHEN reply_until > :now THEN reply_url END
WHERE session_id = :session_id RETURNING session_id;

-- name: hasten_watches
-- Those of one conversation, before all others; without a conversation, all of them in their usual order.
UPDATE watches SET next_at = CASE WHEN CAST(:conversation_id AS TEXT) IS NULL THEN :now ELSE 0 END
WHERE workspace = :workspace
    AND (conversation_id = CAST(:conversation_id AS TEXT) OR (CAST(:conversation_id AS TEXT) IS NULL AND next_at > :now))
RETURNING session_id;

-- name: watched_sessions
SELECT session_id, host_id, conversation_id, looks FROM watches WHERE workspace = :workspace
ORDER BY watched_at DESC LIMIT :most;

-- name: take_reply
-- Use the response_url once: the caller posts to it, whatever comes of that.
UPDATE watches SET reply_uses = reply_uses - 1
WHERE session_id = :session_id AND reply_uses > 0 AND reply_until > :now AND reply_url IS NOT NULL
RETURNING reply_url;

-- name: drop_watch
DELETE FROM watches WHERE session_id = :session_id
RETURNING CASE WHEN reply_uses > 0 AND reply_until > :now THEN reply_url END AS reply_url;
