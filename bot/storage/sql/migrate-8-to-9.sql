-- From version 8 to version 9: the trace that a request belongs to; requests that came before have none. Postgres replicas
-- of version 8 that still run go on: their requests have no trace.
ALTER TABLE requests ADD COLUMN trace_context TEXT;
UPDATE facts SET value = '9' WHERE name = 'version';
