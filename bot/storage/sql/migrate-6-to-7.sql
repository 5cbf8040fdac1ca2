-- From version 6 to version 7: the table of notices, and the modal that shows the answer to a request; requests that came
-- before have none. Postgres replicas of version 6 that still run go on.
ALTER TABLE requests ADD COLUMN view_id TEXT;
CREATE TABLE notices (
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    team_id TEXT NOT NULL,
    version BIGINT NOT NULL,
    shown BIGINT NOT NULL,
    takes BIGINT NOT NULL,
    next_at DOUBLE PRECISION NOT NULL,
    opened_at DOUBLE PRECISION NOT NULL,
    changed_at DOUBLE PRECISION NOT NULL,
    over_at DOUBLE PRECISION,
    data TEXT NOT NULL,
    messages TEXT NOT NULL,
    PRIMARY KEY (kind, key)
);
CREATE INDEX notices_changed ON notices (changed_at);
CREATE INDEX notices_pending ON notices (changed_at) WHERE over_at IS NULL OR shown < version;
UPDATE facts SET value = '7' WHERE name = 'version';
