-- Requests: one row for each command, button or form. Each change of state names the state it leaves and the owner, so
-- that a process which lost a request to another replica changes nothing.

-- name: advance
-- Move one request to its next state. An answered request keeps neither its response_url nor a customer's address.
UPDATE requests SET
    state = CAST(:to AS TEXT),
    failure = coalesce(CAST(:failure AS TEXT), failure),
    conversation_id = coalesce(conversation_id, CAST(:conversation_id AS TEXT)),
    session_id = coalesce(CAST(:session_id AS TEXT), session_id),
    session_at = CASE WHEN CAST(:session_id AS TEXT) IS NULL THEN session_at
        ELSE coalesce((SELECT created_at FROM sessions WHERE id = CAST(:session_id AS TEXT)), :now) END,
    reply_url = CASE WHEN CAST(:to AS TEXT) = 'answered' THEN NULL ELSE reply_url END,
    argument = CASE WHEN CAST(:to AS TEXT) = 'answered'
        AND (kind = 'link' OR kind = 'propose' OR kind = 'send' OR kind = 'start')
        THEN NULL ELSE argument END
WHERE id = :id AND state = :from AND owner = :owner;

-- name: people_without_host
-- Who had no Genesys user within the last :seconds, and when they tried last. The failure is JSON that begins with its
-- code.
SELECT coalesce(target, requester) AS user_id, MAX(accepted_at) AS last_at FROM requests
WHERE state = 'answered' AND accepted_at > :now - CAST(:seconds AS DOUBLE PRECISION)
    AND coalesce(enterprise_id, team_id) = :team_id AND failure LIKE '{"code": "host_not_found"%'
GROUP BY coalesce(target, requester) ORDER BY last_at DESC LIMIT :most;

-- name: request_of_key
SELECT id FROM requests WHERE key = :key;

-- name: find_request
-- One request with its session. A session belongs to a request when the id, the team, the requester and the agent are
-- equal, so that an id alone opens nobody else's session.
SELECT r.*, :now - r.accepted_at AS age,
    s.status AS session_status, s.host_id AS session_host, s.name AS session_name,
    s.application_id AS session_application, s.ends_at AS session_ends_at,
    s.join_url AS session_join_url, s.join_code AS session_join_code, s.is_call AS session_is_call,
    s.ended_at IS NOT NULL OR s.ends_at <= :now AS session_over
FROM requests r
LEFT JOIN sessions s ON s.id = r.session_id AND s.team_id = coalesce(r.enterprise_id, r.team_id)
    AND s.requester = r.requester AND s.agent = coalesce(r.target, r.requester)
WHERE r.id = :id;
