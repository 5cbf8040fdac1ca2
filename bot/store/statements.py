"""The statements, once for both databases. Values are `:named`; `:now` is the database's own clock where it has one.

Fencing: every transition names the state it leaves and the owner it belongs to.
"""

SAME = """SELECT r.id FROM requests r LEFT JOIN sessions s ON s.id = r.session_id
    WHERE r.same = :same AND r.accepted_at > :now - 1800 AND (r.state IN ('accepted', 'creating')
    OR (r.session_at > :now - :join_seconds AND s.ended_at IS NULL AND s.ends_at > :now))
    ORDER BY r.accepted_at DESC LIMIT 1"""

_LINKED = "SELECT host_id FROM links WHERE user_id = {user} AND team_id IN ({team}, '') ORDER BY team_id DESC LIMIT 1"
LINKED = _LINKED.format(user=":user_id", team=":team_id")

ACCEPT = f"""INSERT INTO requests (id, key, owner, state, kind, team_id, enterprise_id, channel_id, requester, target,
    name, conversation_id, argument, application_id, timeout_seconds, reply_url, replaces, same, same_as, accepted_at)
    SELECT :id, :key, CAST(:owner AS BIGINT), CASE WHEN found.same_as IS NULL THEN :state ELSE 'accepted' END, :kind,
    :team_id, :enterprise_id, :channel_id, :requester, :target, :name, :conversation_id, :argument, :application_id,
    CAST(:timeout_seconds AS BIGINT), :reply_url, CAST(:replaces AS BOOLEAN), :same, found.same_as, :now
    FROM (SELECT ({SAME}) AS same_as) AS found WHERE true ON CONFLICT DO NOTHING
    RETURNING same_as, state, ({_LINKED.format(user=":link_user", team=":link_team")}) AS linked"""  # noqa: S608
"""One statement, so that there is one round trip; the link is read with it."""


def advance(which: str) -> str:
    """What moves requests on to their next state."""
    return f"""UPDATE requests SET state = CAST(:to AS TEXT),
    failure = coalesce(CAST(:failure AS TEXT), failure),
    session_id = coalesce(CAST(:session_id AS TEXT), session_id),
    session_at = CASE WHEN CAST(:session_id AS TEXT) IS NULL THEN session_at
        ELSE coalesce((SELECT created_at FROM sessions WHERE id = CAST(:session_id AS TEXT)), :now) END,
    reply_url = CASE WHEN CAST(:to AS TEXT) = 'answered' THEN NULL ELSE reply_url END,
    argument = CASE WHEN CAST(:to AS TEXT) = 'answered' AND kind IN ('link', 'propose', 'send') THEN NULL
        ELSE argument END
    WHERE {which} AND state = :from AND owner = :owner"""  # noqa: S608 - of this house


ADVANCE = advance("id = :id")


def session_from(source: str) -> str:
    """What writes a session down; `source` has the request it was made for. Whose it is: desk.remembered.team_of."""
    return f"""INSERT INTO sessions (id, request_id, team_id, requester, agent, host_id, name, application_id, status,
    created_at, ends_at, join_url, join_code)
    SELECT :session_id, id, coalesce(enterprise_id, team_id), requester, coalesce(target, requester), :host_id, :name,
    :application_id, :status, :now, CAST(:ends_at AS DOUBLE PRECISION), :join_url, :join_code FROM {source}
    ON CONFLICT (id) DO NOTHING"""  # noqa: S608 - of this house


SESSION = session_from("requests WHERE id = :id")

FIND = """SELECT r.*, :now - r.accepted_at AS age, s.status AS session_status, s.host_id AS session_host,
    s.name AS session_name, s.application_id AS session_application, s.ends_at AS session_ends_at,
    s.join_url AS session_join_url, s.join_code AS session_join_code,
    s.ended_at IS NOT NULL OR s.ends_at <= :now AS session_over
    FROM requests r LEFT JOIN sessions s ON s.id = r.session_id WHERE r.id = :id"""

SWEEP = (
    "UPDATE sessions SET join_url = NULL, join_code = NULL WHERE join_url IS NOT NULL AND ends_at < :now",
    "DELETE FROM requests WHERE state = 'answered' AND accepted_at < :now - :kept_seconds",
    "DELETE FROM sessions WHERE ends_at < :now - :kept_seconds",
    "DELETE FROM found_hosts WHERE good_until < :now",
    "DELETE FROM connects WHERE good_until < :now",
    "DELETE FROM connections WHERE used_at < :now - :kept_seconds",
)

FOUND = """SELECT host_id, rule, good_until - :now AS seconds FROM found_hosts
    WHERE team_id = :team_id AND user_id = :user_id AND good_until > :now"""
KEEP_FOUND = """INSERT INTO found_hosts (team_id, user_id, host_id, rule, good_until)
    VALUES (:team_id, :user_id, :host_id, :rule, :now + :seconds)
    ON CONFLICT (team_id, user_id) DO UPDATE SET host_id = excluded.host_id, rule = excluded.rule,
    good_until = excluded.good_until"""
LINKS = "SELECT team_id, user_id, host_id FROM links ORDER BY user_id, team_id"
LINK = """INSERT INTO links (team_id, user_id, host_id, linked_at) VALUES (:team_id, :user_id, :host_id, :now)
    ON CONFLICT (team_id, user_id) DO UPDATE SET host_id = excluded.host_id, linked_at = excluded.linked_at"""
UNLINK = "DELETE FROM links WHERE team_id = :team_id AND user_id = :user_id RETURNING user_id"
DROP_FOUND = "DELETE FROM found_hosts WHERE team_id = :team_id AND user_id = :user_id"
