-- What `run`, `hosts` and `check` ask a file.

-- name: table_names
SELECT name FROM sqlite_master WHERE type = 'table';

-- name: interrupt_accepted_requests
-- In a restored backup: a request that was accepted may have been carried out since. As `creating` it is not carried out
-- again, and its requester is told so.
UPDATE requests SET state = 'creating' WHERE state = 'accepted';
