-- From version 9 to version 10: what Genesys says about a session, and the table of watched sessions. Sessions that came
-- before are not watched. Postgres replicas of version 9 that still run go on.
ALTER TABLE sessions ADD COLUMN live_state TEXT;
ALTER TABLE sessions ADD COLUMN joined_at DOUBLE PRECISION;
ALTER TABLE sessions ADD COLUMN ending TEXT;
CREATE TABLE watches (
    session_id TEXT PRIMARY KEY,
    request_id TEXT NOT NULL,
    host_id TEXT NOT NULL,
    conversation_id TEXT,
    reply_url TEXT,
    reply_uses BIGINT NOT NULL,
    reply_until DOUBLE PRECISION NOT NULL,
    looks BIGINT NOT NULL,
    next_at DOUBLE PRECISION NOT NULL,
    watched_at DOUBLE PRECISION NOT NULL
);
CREATE INDEX watches_due ON watches (next_at);
UPDATE facts SET value = '10' WHERE name = 'version';
