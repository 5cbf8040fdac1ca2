-- Requests in Postgres: one statement for each round trip, and several replicas that write at once.

-- name: accept
-- Store a request, unless its key is known, and return what became of it. `same_as` is the request whose session it gets:
-- one for the same session that is not finished, or whose session was created in the last :join_seconds and is still open.
-- `linked` is the host that an administrator linked the agent to, `other_open` the id and end of the newest session that
-- the agent of a start has open already (0: the customer is in it, so the end is not known), the number of these
-- sessions, and its name.
-- An agent with two ids (:link_other) may have links and sessions under either. An agent with several teams may have a link
-- for each of them. :link_teams is NULL with one id and one team, else a JSON array of the teams. Two different links are
-- `linked` ''.
INSERT INTO requests (id, key, owner, state, kind, team_id, enterprise_id, channel_id, requester, target, name,
    conversation_id, argument, application_id, timeout_seconds, reply_url, replaces, view_id, trace_context, same,
    same_as, accepted_at, workspace)
SELECT :id, :key, CAST(:owner AS BIGINT), CASE WHEN duplicate.same_as IS NULL THEN :state ELSE 'accepted' END, :kind,
    :team_id, :enterprise_id, :channel_id, :requester, :target, :name, :conversation_id, :argument, :application_id,
    CAST(:timeout_seconds AS BIGINT), :reply_url, CAST(:replaces AS BOOLEAN), :view_id, :trace_context, :same,
    duplicate.same_as, :now, :workspace
FROM (SELECT (
    SELECT r.id FROM requests r
    LEFT JOIN sessions s ON s.id = r.session_id AND s.team_id = coalesce(r.enterprise_id, r.team_id)
        AND s.requester = r.requester AND s.agent = coalesce(r.target, r.requester)
    WHERE r.same = :same AND r.accepted_at > :now - 1800 AND (r.state = 'accepted' OR r.state = 'creating'
        OR (r.session_at > :now - :join_seconds AND s.ended_at IS NULL AND s.ends_at > :now))
    ORDER BY r.accepted_at DESC LIMIT 1) AS same_as) AS duplicate
ON CONFLICT DO NOTHING
RETURNING same_as, state,
    CASE WHEN CAST(:link_teams AS TEXT) IS NULL THEN
        coalesce((SELECT host_id FROM links WHERE team_id = :link_team AND user_id = :link_user),
            (SELECT host_id FROM links WHERE team_id = :every_team AND user_id = :link_user))
    ELSE coalesce((SELECT CASE WHEN min(host_id) < max(host_id) THEN '' ELSE min(host_id) END FROM links
            WHERE team_id IN (SELECT json_array_elements_text(CAST(:link_teams AS JSON)))
                AND user_id IN (:link_user, :link_other)),
        (SELECT CASE WHEN min(host_id) < max(host_id) THEN '' ELSE min(host_id) END FROM links
            WHERE team_id = :every_team AND user_id IN (:link_user, :link_other))) END AS linked,
    CASE WHEN kind = 'start' AND CAST(:link_other AS TEXT) IS NULL THEN (
        SELECT s.id || ' ' || CASE s.live_state WHEN 'joined' THEN 0 ELSE s.ends_at END || ' ' || (
            SELECT count(*) FROM sessions o WHERE o.team_id = s.team_id AND o.agent = s.agent
                AND o.created_at > :now - 86400 AND o.ended_at IS NULL AND o.ends_at > :now) || ' ' || s.name
        FROM sessions s
        WHERE s.team_id = coalesce(requests.enterprise_id, requests.team_id)
            AND s.agent = coalesce(requests.target, requests.requester)
            AND s.created_at > :now - 86400 AND s.ended_at IS NULL AND s.ends_at > :now
        ORDER BY s.created_at DESC LIMIT 1)
    WHEN kind = 'start' THEN (
        SELECT s.id || ' ' || CASE s.live_state WHEN 'joined' THEN 0 ELSE s.ends_at END || ' ' || (
            SELECT count(*) FROM sessions o WHERE o.team_id = s.team_id AND o.agent IN (:link_user, :link_other)
                AND o.created_at > :now - 86400 AND o.ended_at IS NULL AND o.ends_at > :now) || ' ' || s.name
        FROM sessions s
        WHERE s.team_id = coalesce(requests.enterprise_id, requests.team_id)
            AND s.agent IN (:link_user, :link_other)
            AND s.created_at > :now - 86400 AND s.ended_at IS NULL AND s.ends_at > :now
        ORDER BY s.created_at DESC LIMIT 1) END AS other_open;

-- name: advance_with_session
-- Store a session and move its request on, in one round trip. The request becomes `failed` when the session's id is known
-- for another team, host, requester or agent. A session that the service gives once more to the same people is renewed;
-- but a duplicate, which created nothing, leaves it as it is, so that an ended session stays ended.
WITH request AS (SELECT * FROM requests WHERE id = :id AND state = :from AND owner = :owner FOR UPDATE),
stored AS (
    INSERT INTO sessions (id, request_id, team_id, requester, agent, host_id, name, application_id, status, created_at,
        ends_at, join_url, join_code, is_call, workspace)
    SELECT :session_id, id, coalesce(enterprise_id, team_id), requester, coalesce(target, requester), :host_id, :name,
        :application_id, :status, :now,
        coalesce(:now + CAST(:seconds AS DOUBLE PRECISION), CAST(:ends_at AS DOUBLE PRECISION)), :join_url, :join_code,
        CAST(:is_call AS BOOLEAN), workspace
    FROM request
    ON CONFLICT (id) DO UPDATE SET
        (request_id, name, application_id, status, created_at, ends_at, ended_at, ended_by, join_url, join_code,
            is_call, live_state, joined_at, ending) = (
            SELECT
                CASE WHEN keep THEN sessions.request_id ELSE excluded.request_id END,
                CASE WHEN keep THEN sessions.name ELSE excluded.name END,
                CASE WHEN keep THEN sessions.application_id ELSE excluded.application_id END,
                CASE WHEN keep THEN sessions.status ELSE excluded.status END,
                CASE WHEN keep THEN sessions.created_at ELSE excluded.created_at END,
                CASE WHEN keep THEN sessions.ends_at ELSE excluded.ends_at END,
                CASE WHEN keep THEN sessions.ended_at ELSE excluded.ended_at END,
                CASE WHEN keep THEN sessions.ended_by ELSE excluded.ended_by END,
                CASE WHEN keep THEN sessions.join_url ELSE excluded.join_url END,
                CASE WHEN keep THEN sessions.join_code ELSE excluded.join_code END,
                CASE WHEN keep THEN sessions.is_call ELSE excluded.is_call END,
                CASE WHEN keep THEN sessions.live_state END,
                CASE WHEN keep THEN sessions.joined_at END,
                CASE WHEN keep THEN sessions.ending END
            FROM (SELECT :from = 'accepted' AND EXISTS (SELECT 1 FROM requests
                WHERE id = :id AND same_as IS NOT NULL) AS keep) AS duplicate)
    WHERE sessions.team_id = excluded.team_id AND sessions.host_id = excluded.host_id
        AND sessions.requester = excluded.requester AND sessions.agent = excluded.agent
    RETURNING created_at)
UPDATE requests SET
    state = CASE WHEN EXISTS (SELECT 1 FROM stored) THEN CAST(:to AS TEXT) ELSE 'failed' END,
    failure = CASE WHEN EXISTS (SELECT 1 FROM stored) THEN failure ELSE CAST(:taken AS TEXT) END,
    conversation_id = coalesce(conversation_id, CAST(:conversation_id AS TEXT)),
    session_id = CASE WHEN EXISTS (SELECT 1 FROM stored) THEN CAST(:session_id AS TEXT) END,
    session_at = (SELECT created_at FROM stored)
WHERE id = :id AND state = :from AND owner = :owner
RETURNING id, state;

-- name: answer_many
-- Move several requests to `answered`; as `advance` does for one.
UPDATE requests SET
    state = 'answered',
    reply_url = NULL,
    argument = CASE WHEN kind = 'link' OR kind = 'propose' OR kind = 'send' OR kind = 'start'
        THEN NULL ELSE argument END
WHERE id = ANY (CAST(:ids AS TEXT[])) AND state = :from AND owner = :owner
RETURNING id;

-- name: claim_orphans
-- Take over unfinished requests whose owner does not hold its advisory lock (see replicas.sql). After a change of server
-- this takes nothing for :move_seconds, in which every replica takes its lock on the new server.
UPDATE requests SET owner = :owner
WHERE owner <> :owner AND id IN (
    SELECT r.id FROM requests r
    WHERE r.state <> 'answered' AND r.owner <> :owner AND r.workspace = :workspace
        AND EXISTS (SELECT 1 FROM facts WHERE name = 'node'
            AND split_part(value, ' ', 1) = CAST(extract(epoch FROM pg_postmaster_start_time()) AS TEXT)
            AND CAST(split_part(value, ' ', 2) AS DOUBLE PRECISION) < :now - CAST(:move_seconds AS DOUBLE PRECISION))
        AND NOT EXISTS (SELECT 1 FROM pg_locks l
            WHERE l.locktype = 'advisory' AND l.classid = 6516578 AND l.objid = r.owner
                AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()))
    ORDER BY r.accepted_at LIMIT 500 FOR UPDATE SKIP LOCKED)
RETURNING id;

-- name: find_unclaimed
-- Requests that this replica owns and does not work on: their `accept` was committed, but its answer was lost.
SELECT id FROM requests
WHERE state <> 'answered' AND owner = :owner AND workspace = :workspace
    AND accepted_at < :now - CAST(:unclaimed_seconds AS DOUBLE PRECISION)
    AND id <> ALL (CAST(:claimed AS TEXT[]))
ORDER BY accepted_at LIMIT 500;

-- name: start_outcomes
-- How the starts of the last :seconds ended, by the error's code. The failure is JSON that begins with its code.
SELECT coalesce(split_part(failure, '"', 4), '') AS code,
    count(DISTINCT session_id) AS sessions, count(*) - count(session_id) AS without_session
FROM requests
WHERE state = 'answered' AND accepted_at > :now - CAST(:seconds AS DOUBLE PRECISION)
    AND (kind = 'start' OR kind = 'step') AND coalesce(enterprise_id, team_id) = :team_id
GROUP BY code ORDER BY code;
