-- Which replicas run. Each holds a session-level advisory lock: class 6516578 (0x636F62, "cob"), number = its owner number.
-- Postgres releases the lock when the connection ends, so a crash needs no timer.

-- name: enable_keepalive
-- Have the server probe this connection: after 5 s of silence, then every 3 s, and close it after three probes without an
-- answer. tcp_user_timeout does the same for a connection with unacknowledged data, where TCP alone waits 15 minutes.
-- A lost host's open transaction keeps others from its rows for at most 5 s.
-- These are no start-up parameters, because a proxy may refuse those.
SELECT
    set_config('tcp_keepalives_idle', '5', false),
    set_config('tcp_keepalives_interval', '3', false),
    set_config('tcp_keepalives_count', '3', false),
    set_config('tcp_user_timeout', '12000', false),
    set_config('idle_in_transaction_session_timeout', '5000', false);

-- name: lock_replica
-- Take this replica's lock; false while an earlier connection of the same replica still holds it.
SELECT pg_try_advisory_lock(6516578, CAST(:owner AS INT));

-- name: announce_key
-- Say which key this replica encrypts with: a shared lock of class 6516579 whose number stands for the key. Several
-- replicas hold the same one. It ends with the connection, as the replica's lock does.
SELECT pg_advisory_lock_shared(6516579, CAST(:key_number AS INT));

-- name: withdraw_key
-- Give the lock of the last key back, once the one of the new key is held.
SELECT pg_advisory_unlock_shared(6516579, CAST(:key_number AS INT));

-- name: lock_leader
-- Lead the replicas in what only one may do: class 6516580. The lock ends with the connection, as the replica's lock does.
SELECT pg_try_advisory_lock(6516580, 1);

-- name: count_other_keys
-- How many replicas run that do not say that they encrypt with this key. One of a version before this lock says nothing.
SELECT count(*) AS replicas FROM pg_locks l
WHERE l.locktype = 'advisory' AND l.classid = 6516578 AND l.objid <> 0 AND l.granted
    AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND NOT EXISTS (SELECT 1 FROM pg_locks k
        WHERE k.pid = l.pid AND k.locktype = 'advisory' AND k.classid = 6516579 AND k.granted
            AND CAST(k.objid AS BIGINT) = CAST(:key_number AS INT) AND k.database = l.database);

-- name: lock_preparation
-- Until the transaction ends, no other process creates or migrates tables. Owner numbers start at 1.
SELECT pg_advisory_xact_lock(6516578, 0);

-- name: limit_migration
-- Let this transaction wait for a lock for :milliseconds only.
SELECT set_config('lock_timeout', :milliseconds, true);

-- name: register_server
-- Write down which server holds the locks (its start time) and since when. 0 when there was no server before, since then
-- no replica has to move.
INSERT INTO facts (name, value)
VALUES ('node', CAST(extract(epoch FROM pg_postmaster_start_time()) AS TEXT) || ' 0')
ON CONFLICT (name) DO UPDATE
    SET value = split_part(excluded.value, ' ', 1) || ' ' || CAST(extract(epoch FROM statement_timestamp()) AS TEXT)
    WHERE split_part(facts.value, ' ', 1) <> split_part(excluded.value, ' ', 1);

-- name: is_read_only
SELECT pg_is_in_recovery() OR CAST(current_setting('transaction_read_only') AS BOOLEAN);

-- name: backend_pid
SELECT pg_backend_pid();

-- name: limit_lock
-- Let this transaction be idle for longer than others: Genesys is asked while it holds a row.
SELECT set_config('idle_in_transaction_session_timeout', :milliseconds, true);
