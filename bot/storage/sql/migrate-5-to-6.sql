-- From version 5 to version 6: the same tables and indexes.
-- Version 6 marks the first schema that is made from one file. Postgres replicas of version 5 that still run go on.
UPDATE facts SET value = '6' WHERE name = 'version';
