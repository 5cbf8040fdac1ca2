-- Which host a person is: links that an administrator wrote, and a cache of what rules found.

-- name: linked_host
-- One row: the host that an administrator linked a person to, in this Slack workspace, else in every Slack workspace, else
-- NULL. :is_exact leaves out the link for every Slack workspace.
SELECT coalesce((SELECT host_id FROM links WHERE team_id = :team_id AND user_id = :user_id),
    CASE WHEN CAST(:is_exact AS BOOLEAN) THEN NULL
        ELSE (SELECT host_id FROM links WHERE team_id = :every_team AND user_id = :user_id) END) AS host_id;

-- name: host_links
SELECT team_id, user_id, host_id FROM links WHERE workspace = :workspace ORDER BY user_id, team_id;

-- name: link_host
INSERT INTO links (team_id, user_id, host_id, linked_at, workspace)
VALUES (:team_id, :user_id, :host_id, :now, :workspace)
ON CONFLICT (team_id, user_id) DO UPDATE SET host_id = excluded.host_id, linked_at = excluded.linked_at;

-- name: unlink_host
DELETE FROM links WHERE team_id = :team_id AND user_id = :user_id RETURNING user_id;

-- name: found_host
SELECT host_id, rule, good_until - :now AS seconds FROM found_hosts
WHERE team_id = :team_id AND user_id = :user_id AND good_until > :now;

-- name: keep_found_host
INSERT INTO found_hosts (team_id, user_id, host_id, rule, good_until, workspace)
VALUES (:team_id, :user_id, :host_id, :rule, :now + :seconds, :workspace)
ON CONFLICT (team_id, user_id) DO UPDATE
    SET host_id = excluded.host_id, rule = excluded.rule, good_until = excluded.good_until;

-- name: drop_found_host
DELETE FROM found_hosts WHERE team_id = :team_id AND user_id = :user_id;
