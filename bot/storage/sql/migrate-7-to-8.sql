-- From version 7 to version 8: whether a session's conversation is a call. Sessions that came before do not say. Postgres
-- replicas of version 7 that still run go on.
ALTER TABLE sessions ADD COLUMN is_call BOOLEAN;
UPDATE facts SET value = '8' WHERE name = 'version';
