-- Encrypt with the newest key what an older key encrypted. A page holds the next :most rows behind the row :after.
-- An update changes a row only while it holds the text that was read, so it undoes no write of a running bot.

-- name: page_of_requests
SELECT id, reply_url, argument FROM requests
WHERE (reply_url IS NOT NULL OR argument IS NOT NULL) AND id > :after ORDER BY id LIMIT :most;

-- name: page_of_sessions
SELECT id, join_url, join_code FROM sessions
WHERE (join_url IS NOT NULL OR join_code IS NOT NULL) AND id > :after ORDER BY id LIMIT :most;

-- name: page_of_watches
SELECT session_id AS id, reply_url FROM watches
WHERE reply_url IS NOT NULL AND session_id > :after ORDER BY id LIMIT :most;

-- name: page_of_connects
SELECT team_id || ' ' || user_id AS id, team_id, user_id, verifier FROM connects
WHERE team_id || ' ' || user_id > :after ORDER BY id LIMIT :most;

-- name: page_of_connections
SELECT team_id || ' ' || user_id AS id, team_id, user_id, refresh_token FROM connections
WHERE team_id || ' ' || user_id > :after ORDER BY id LIMIT :most;

-- name: rotate_requests
UPDATE requests SET reply_url = :reply_url, argument = :argument
WHERE id IN (SELECT id FROM requests WHERE id = :id /*postgres FOR UPDATE SKIP LOCKED*/)
    AND coalesce(reply_url, '') = coalesce(CAST(:was_reply_url AS TEXT), '')
    AND coalesce(argument, '') = coalesce(CAST(:was_argument AS TEXT), '')
RETURNING id;

-- name: rotate_sessions
UPDATE sessions SET join_url = :join_url, join_code = :join_code
WHERE id IN (SELECT id FROM sessions WHERE id = :id /*postgres FOR UPDATE SKIP LOCKED*/)
    AND coalesce(join_url, '') = coalesce(CAST(:was_join_url AS TEXT), '')
    AND coalesce(join_code, '') = coalesce(CAST(:was_join_code AS TEXT), '')
RETURNING id;

-- name: rotate_watches
UPDATE watches SET reply_url = :reply_url
WHERE session_id IN (SELECT session_id FROM watches WHERE session_id = :id /*postgres FOR UPDATE SKIP LOCKED*/)
    AND coalesce(reply_url, '') = coalesce(CAST(:was_reply_url AS TEXT), '')
RETURNING session_id;

-- name: rotate_connects
UPDATE connects SET verifier = :verifier
WHERE (team_id, user_id) IN (SELECT team_id, user_id FROM connects
        WHERE team_id = :team_id AND user_id = :user_id /*postgres FOR UPDATE SKIP LOCKED*/)
    AND verifier = CAST(:was_verifier AS TEXT)
RETURNING user_id;

-- name: rotate_connections
-- In Postgres a bot that renews this sign-in holds the row, and this leaves it out.
UPDATE connections SET refresh_token = :refresh_token
WHERE (team_id, user_id) IN (SELECT team_id, user_id FROM connections
        WHERE team_id = :team_id AND user_id = :user_id /*postgres FOR UPDATE SKIP LOCKED*/)
    AND refresh_token = CAST(:was_refresh_token AS TEXT)
RETURNING user_id;
