-- From version 10 to version 11: the workspace that each row belongs to. Rows that came before belong to the only one
-- there was, ''. Postgres replicas of version 10 that still run go on.
ALTER TABLE requests ADD COLUMN workspace TEXT NOT NULL DEFAULT '';
ALTER TABLE sessions ADD COLUMN workspace TEXT NOT NULL DEFAULT '';
ALTER TABLE posts ADD COLUMN workspace TEXT NOT NULL DEFAULT '';
ALTER TABLE watches ADD COLUMN workspace TEXT NOT NULL DEFAULT '';
ALTER TABLE found_hosts ADD COLUMN workspace TEXT NOT NULL DEFAULT '';
ALTER TABLE links ADD COLUMN workspace TEXT NOT NULL DEFAULT '';
ALTER TABLE connects ADD COLUMN workspace TEXT NOT NULL DEFAULT '';
ALTER TABLE connections ADD COLUMN workspace TEXT NOT NULL DEFAULT '';
ALTER TABLE notices ADD COLUMN workspace TEXT NOT NULL DEFAULT '';
UPDATE facts SET value = '11' WHERE name = 'version';
