-- Notices: messages to several people about one matter, which are edited as the matter goes on. Two writers change a
-- row: who knows something new (`version` fences it), and the replica that sends the messages (`takes` fences it).

-- name: find_notice
-- One row in any case: the clock's time, and the notice if there is one.
SELECT n.*, t.read_at FROM (SELECT CAST(:now AS DOUBLE PRECISION) AS read_at) t
LEFT JOIN notices n ON n.kind = :kind AND n.key = :key;

-- name: pending_notices
-- Faults come first: they are few, and many open requests for access must not hide them. Of the faults, and of the others,
-- those come first whose messages do not show the newest version. After a day nobody tries to send a message any more.
SELECT n.*, :now AS read_at FROM notices n
WHERE n.workspace = :workspace AND (n.over_at IS NULL OR n.shown < n.version)
    AND (n.over_at IS NULL OR n.changed_at > :now - 86400)
ORDER BY CASE WHEN n.kind = 'fault' THEN 0 ELSE 1 END, CASE WHEN n.shown < n.version THEN 0 ELSE 1 END, n.changed_at
LIMIT :most;

-- name: add_notice
INSERT INTO notices (kind, key, team_id, version, shown, takes, next_at, opened_at, changed_at, over_at, data, messages,
    workspace)
VALUES (:kind, :key, :team_id, 1, 0, 0, 0, :opened_at, :now, :over_at, :data, '[]', :workspace)
ON CONFLICT (kind, key) DO NOTHING RETURNING key;

-- name: change_notice
UPDATE notices SET version = version + 1, team_id = :team_id, opened_at = :opened_at, changed_at = :now,
    over_at = :over_at, data = :data
WHERE kind = :kind AND key = :key AND version = :version RETURNING key;

-- name: take_notice
-- No other replica sends its messages within the next :seconds.
UPDATE notices SET takes = takes + 1, next_at = :now + :seconds
WHERE kind = :kind AND key = :key AND next_at <= :now AND shown < version
RETURNING *, :now AS read_at;

-- name: store_notice_messages
UPDATE notices SET messages = :messages, next_at = :now + :seconds, shown = :shown
WHERE kind = :kind AND key = :key AND takes = :takes RETURNING key;
