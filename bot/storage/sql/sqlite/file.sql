-- What `run`, `hosts` and `check` ask a file.

-- name: table_names
SELECT name FROM sqlite_master WHERE type = 'table';
