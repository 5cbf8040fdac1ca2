-- Each statement runs until it changes fewer than :most rows, so that no write takes long. In Postgres it leaves out the
-- rows that another replica is changing. :kept_seconds is the retention. They are about the rows of all workspaces, also of
-- those that no process runs any more. :is_single says that the process serves only one workspace, which has no name.

-- name: limit_session_ends
-- No session lasts longer than a day. A row that says so would keep its link forever.
UPDATE sessions SET ends_at = created_at + 86400
WHERE id IN (SELECT id FROM sessions WHERE ends_at > :now + 172800
    LIMIT :most /*postgres FOR UPDATE SKIP LOCKED*/);

-- name: wipe_ended_sessions
UPDATE sessions SET join_url = NULL, join_code = NULL
WHERE id IN (SELECT id FROM sessions WHERE join_url IS NOT NULL AND ends_at < :now
    LIMIT :most /*postgres FOR UPDATE SKIP LOCKED*/);

-- name: delete_answered_requests
DELETE FROM requests
WHERE id IN (SELECT id FROM requests WHERE state = 'answered' AND accepted_at < :now - :kept_seconds
    LIMIT :most /*postgres FOR UPDATE SKIP LOCKED*/);

-- name: delete_abandoned_requests
-- Those that no process has taken over, because none runs their workspace any more. A process that serves only one
-- workspace leaves its own: it takes them over.
DELETE FROM requests
WHERE id IN (SELECT id FROM requests
    WHERE state <> 'answered' AND (workspace <> '' OR NOT CAST(:is_single AS BOOLEAN))
        AND accepted_at < :now - :kept_seconds
    LIMIT :most /*postgres FOR UPDATE SKIP LOCKED*/);

-- name: delete_inquiries
-- Requests that only asked for information stay for an hour, so that a second delivery meets their key: Slack delivers up
-- to three more times within six minutes (https://docs.slack.dev/apis/events-api/#retries). The lower bound of a day and
-- an hour keeps this from reading the whole index each time.
DELETE FROM requests
WHERE id IN (SELECT id FROM requests
    WHERE state = 'answered' AND accepted_at < :now - 3600 AND accepted_at > :now - 90000
        AND kind IN ('help', 'whoami', 'last', 'status', 'list', 'apps', 'why', 'propose', 'recheck')
    LIMIT :most /*postgres FOR UPDATE SKIP LOCKED*/);

-- name: delete_ended_sessions
DELETE FROM sessions
WHERE id IN (SELECT id FROM sessions WHERE ends_at < :now - :kept_seconds
    LIMIT :most /*postgres FOR UPDATE SKIP LOCKED*/);

-- name: delete_abandoned_posts
-- Those whose messages no process has updated, because none runs their workspace any more. A process that serves only
-- one workspace leaves its own: it updates them.
DELETE FROM posts
WHERE (session_id, channel_id, ts) IN (SELECT session_id, channel_id, ts FROM posts
    WHERE (workspace <> '' OR NOT CAST(:is_single AS BOOLEAN)) AND due_at < :now - :kept_seconds
    LIMIT :most /*postgres FOR UPDATE SKIP LOCKED*/);

-- name: wipe_old_replies
UPDATE watches SET reply_url = NULL
WHERE session_id IN (SELECT session_id FROM watches WHERE reply_url IS NOT NULL AND reply_until < :now
    LIMIT :most /*postgres FOR UPDATE SKIP LOCKED*/);

-- name: delete_watches
DELETE FROM watches
WHERE session_id IN (SELECT session_id FROM watches WHERE watched_at < :now - 86400
    LIMIT :most /*postgres FOR UPDATE SKIP LOCKED*/);

-- name: delete_found_hosts
DELETE FROM found_hosts
WHERE (team_id, user_id) IN (SELECT team_id, user_id FROM found_hosts WHERE good_until < :now
    LIMIT :most /*postgres FOR UPDATE SKIP LOCKED*/);

-- name: delete_sign_ins
DELETE FROM connects
WHERE (team_id, user_id) IN (SELECT team_id, user_id FROM connects WHERE good_until < :now
    LIMIT :most /*postgres FOR UPDATE SKIP LOCKED*/);

-- name: delete_unused_accounts
-- used_at is the time of the last renewal. After it, the account can be used for as long as its access token lasts: two days
-- at most (accessTokenValiditySeconds of an OAuth client, https://developer.genesys.cloud/platform/api/).
DELETE FROM connections
WHERE (team_id, user_id) IN (SELECT team_id, user_id FROM connections WHERE used_at < :now - :kept_seconds - 172800
    LIMIT :most /*postgres FOR UPDATE SKIP LOCKED*/);

-- name: delete_notices
DELETE FROM notices
WHERE (kind, key) IN (SELECT kind, key FROM notices WHERE changed_at < :now - :kept_seconds
    LIMIT :most /*postgres FOR UPDATE SKIP LOCKED*/);
