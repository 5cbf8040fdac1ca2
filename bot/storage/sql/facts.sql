-- At start: what the database knows about itself, and the first key.

-- name: facts
SELECT name, value FROM facts;

-- name: set_fact
INSERT INTO facts (name, value) VALUES (:name, :value) ON CONFLICT (name) DO UPDATE SET value = excluded.value;

-- name: has_encrypted_secrets
-- Whether a secret is encrypted already. Then somebody has put the plain key check back, and nothing may be encrypted:
-- plain text in these columns is not ours.
SELECT EXISTS (SELECT 1 FROM requests WHERE reply_url LIKE 'sealed:%' OR argument LIKE 'sealed:%')
    OR EXISTS (SELECT 1 FROM sessions WHERE join_url LIKE 'sealed:%' OR join_code LIKE 'sealed:%')
    OR EXISTS (SELECT 1 FROM watches WHERE reply_url LIKE 'sealed:%')
    OR EXISTS (SELECT 1 FROM connects WHERE verifier LIKE 'sealed:%')
    OR EXISTS (SELECT 1 FROM connections WHERE refresh_token LIKE 'sealed:%') AS found;

-- name: secrets_of_requests
SELECT id, reply_url, argument FROM requests
WHERE reply_url IS NOT NULL OR argument IS NOT NULL /*postgres FOR UPDATE*/;

-- name: encrypt_requests
UPDATE requests SET reply_url = :reply_url, argument = :argument WHERE id = :id;

-- name: secrets_of_sessions
SELECT id, join_url, join_code FROM sessions
WHERE join_url IS NOT NULL OR join_code IS NOT NULL /*postgres FOR UPDATE*/;

-- name: encrypt_sessions
UPDATE sessions SET join_url = :join_url, join_code = :join_code WHERE id = :id;

-- name: secrets_of_watches
SELECT session_id AS id, reply_url FROM watches WHERE reply_url IS NOT NULL /*postgres FOR UPDATE*/;

-- name: encrypt_watches
UPDATE watches SET reply_url = :reply_url WHERE session_id = :id;

-- name: secrets_of_connects
SELECT team_id, user_id, verifier FROM connects /*postgres FOR UPDATE*/;

-- name: encrypt_connects
UPDATE connects SET verifier = :verifier WHERE team_id = :team_id AND user_id = :user_id;

-- name: secrets_of_connections
SELECT team_id, user_id, refresh_token FROM connections /*postgres FOR UPDATE*/;

-- name: encrypt_connections
UPDATE connections SET refresh_token = :refresh_token WHERE team_id = :team_id AND user_id = :user_id;
