-- Genesys accounts of people who signed in (connections), and sign-ins that have begun (connects).

-- name: begin_sign_in
INSERT INTO connects (team_id, user_id, state_hash, from_team, enterprise_id, verifier, good_until, workspace)
VALUES (:team_id, :user_id, :state_hash, :from_team, :enterprise_id, :verifier, :now + :seconds, :workspace)
ON CONFLICT (team_id, user_id) DO UPDATE
    SET state_hash = excluded.state_hash, from_team = excluded.from_team, enterprise_id = excluded.enterprise_id,
        verifier = excluded.verifier, good_until = excluded.good_until;

-- name: take_sign_in
-- One statement: of two callers with the same state, one gets the row.
DELETE FROM connects WHERE state_hash = :state_hash AND good_until > :now
RETURNING team_id, user_id, from_team, enterprise_id, verifier;

-- name: connect_account
INSERT INTO connections (team_id, user_id, host_id, refresh_token, connected_at, used_at, workspace)
VALUES (:team_id, :user_id, :host_id, :refresh_token, :now, :now, :workspace)
ON CONFLICT (team_id, user_id) DO UPDATE
    SET host_id = excluded.host_id, refresh_token = excluded.refresh_token,
        connected_at = excluded.connected_at, used_at = excluded.used_at;

-- name: find_account
SELECT team_id, user_id, host_id, refresh_token FROM connections WHERE team_id = :team_id AND user_id = :user_id;

-- name: lock_account
-- The same, for a transaction that renews the token. Its columns have names: in a transaction, Postgres refuses a prepared
-- SELECT * once, after a newer program has added a column.
SELECT team_id, user_id, host_id, refresh_token FROM connections
WHERE team_id = :team_id AND user_id = :user_id /*postgres FOR UPDATE*/;

-- name: disconnect_account
DELETE FROM connections WHERE team_id = :team_id AND user_id = :user_id
RETURNING team_id, user_id, host_id, refresh_token;

-- name: renew_account
-- Only when the token is still the one that was renewed.
UPDATE connections SET refresh_token = :refresh_token, used_at = :now
WHERE team_id = :team_id AND user_id = :user_id AND refresh_token = :was RETURNING user_id;

-- name: drop_account
DELETE FROM connections
WHERE team_id = :team_id AND user_id = :user_id AND refresh_token = :was RETURNING user_id;
