"""The statements, once for both databases. Values are `:named`; `:now` is the database's own clock where it has one.

Fencing: every transition names the state it leaves and the owner it belongs to. Words are compared by OR, not by IN,
for which SQLite sets up a table at each use.
"""

from bot.core.results import INQUIRIES

_ITS_SESSION = """sessions s ON s.id = r.session_id AND s.team_id = coalesce(r.enterprise_id, r.team_id)
    AND s.requester = r.requester AND s.agent = coalesce(r.target, r.requester)"""
"""The session of a request `r`: by its id and whose it is, so that an id alone opens nobody else's. A request has no
host; `session_from` never changes the host of a row, and gives no request a row of another host."""

SAME = f"""SELECT r.id FROM requests r LEFT JOIN {_ITS_SESSION}
    WHERE r.same = :same AND r.accepted_at > :now - 1800 AND (r.state = 'accepted' OR r.state = 'creating'
    OR (r.session_at > :now - :join_seconds AND s.ended_at IS NULL AND s.ends_at > :now))
    ORDER BY r.accepted_at DESC LIMIT 1"""  # noqa: S608 - of this house


def linked(team: str, user: str) -> str:
    """One row: the host that an administrator linked a person to, in their workspace or in all of them, or NULL."""
    return f"""SELECT coalesce((SELECT host_id FROM links WHERE team_id = {team} AND user_id = {user}),
        (SELECT host_id FROM links WHERE team_id = '' AND user_id = {user})) AS host_id"""  # noqa: S608 - of this house


LINKED = linked(":team_id", ":user_id")
LINKED_AGENT = linked(":link_team", ":link_user")


def request_from(source: str) -> str:
    """What writes a request down, unless its key is there; `source` is VALUES or a SELECT, in this order."""
    return f"""INSERT INTO requests (id, key, owner, state, kind, team_id, enterprise_id, channel_id, requester, target,
    name, conversation_id, argument, application_id, timeout_seconds, reply_url, replaces, same, same_as, accepted_at)
    {source} ON CONFLICT DO NOTHING"""


def advance(which: str) -> str:
    """What moves requests on to their next state."""
    return f"""UPDATE requests SET state = CAST(:to AS TEXT),
    failure = coalesce(CAST(:failure AS TEXT), failure),
    session_id = coalesce(CAST(:session_id AS TEXT), session_id),
    session_at = CASE WHEN CAST(:session_id AS TEXT) IS NULL THEN session_at
        ELSE coalesce((SELECT created_at FROM sessions WHERE id = CAST(:session_id AS TEXT)), :now) END,
    reply_url = CASE WHEN CAST(:to AS TEXT) = 'answered' THEN NULL ELSE reply_url END,
    argument = CASE WHEN CAST(:to AS TEXT) = 'answered' AND (kind = 'link' OR kind = 'propose' OR kind = 'send')
        THEN NULL ELSE argument END
    WHERE {which} AND state = :from AND owner = :owner"""  # noqa: S608 - of this house


ADVANCE = advance("id = :id")


_SHARES = ":from = 'accepted' AND EXISTS (SELECT 1 FROM requests WHERE id = :id AND same_as IS NOT NULL)"
"""A duplicate wish, which created nothing: it takes the session that the other request made as that is remembered, so
that one that has ended stays ended."""
_RENEWED = ", ".join(
    f"{column} = CASE WHEN {_SHARES} THEN sessions.{column} ELSE excluded.{column} END"
    for column in (
        *("request_id", "name", "application_id", "status", "created_at", "ends_at", "ended_at", "ended_by"),
        *("join_url", "join_code"),
    )
)
"""A session whose id the service gives once more to the same people."""


def session_from(source: str) -> str:
    """Write a session down; return no row when its id is known for another team, host, requester or agent.

    `source` has the request it was made for. Whose it is: desk.remembered.team_of. It ends so many `:seconds` from now
    by the database's clock; a session that came from the database already ends at `:ends_at`.
    """
    return f"""INSERT INTO sessions (id, request_id, team_id, requester, agent, host_id, name, application_id, status,
    created_at, ends_at, join_url, join_code)
    SELECT :session_id, id, coalesce(enterprise_id, team_id), requester, coalesce(target, requester), :host_id, :name,
    :application_id, :status, :now, coalesce(:now + CAST(:seconds AS DOUBLE PRECISION),
    CAST(:ends_at AS DOUBLE PRECISION)), :join_url, :join_code FROM {source}
    ON CONFLICT (id) DO UPDATE SET {_RENEWED} WHERE sessions.team_id = excluded.team_id
    AND sessions.host_id = excluded.host_id AND sessions.requester = excluded.requester
    AND sessions.agent = excluded.agent RETURNING created_at"""  # noqa: S608 - of this house


SESSION = session_from("requests WHERE id = :id AND state = :from AND owner = :owner")

FIND = f"""SELECT r.*, :now - r.accepted_at AS age, s.status AS session_status, s.host_id AS session_host,
    s.name AS session_name, s.application_id AS session_application, s.ends_at AS session_ends_at,
    s.join_url AS session_join_url, s.join_code AS session_join_code,
    s.ended_at IS NOT NULL OR s.ends_at <= :now AS session_over
    FROM requests r LEFT JOIN {_ITS_SESSION} WHERE r.id = :id"""  # noqa: S608 - of this house

INQUIRY_SECONDS = 3600
"""How long the row of an inquiry stays, so that its key is known when Slack delivers it again: three times within about
six minutes (https://docs.slack.dev/apis/events-api/#retries)."""
_INQUIRIES = ", ".join(f"'{kind}'" for kind in INQUIRIES)


def sweep(lock: str = "") -> tuple[str, ...]:
    """What is done again and again until it finds less than `:most` rows, so that no write takes long.

    The first one mends what a version before this one kept: no session is open for more than a day.
    """
    old = "< :now - :kept_seconds"
    inquiries = f"""state = 'answered' AND accepted_at < :now - {INQUIRY_SECONDS}
        AND accepted_at > :now - {INQUIRY_SECONDS + 86_400} AND kind IN ({_INQUIRIES})"""
    every = (
        ("UPDATE sessions SET ends_at = created_at + 86400", "sessions", "id", "ends_at > :now + 172800"),
        (
            *("UPDATE sessions SET join_url = NULL, join_code = NULL", "sessions", "id"),
            "join_url IS NOT NULL AND ends_at < :now",
        ),
        ("DELETE FROM requests", "requests", "id", f"state = 'answered' AND accepted_at {old}"),
        ("DELETE FROM requests", "requests", "id", inquiries),
        ("DELETE FROM sessions", "sessions", "id", f"ends_at {old}"),
        ("DELETE FROM found_hosts", "found_hosts", "team_id, user_id", "good_until < :now"),
        ("DELETE FROM connects", "connects", "team_id, user_id", "good_until < :now"),
        ("DELETE FROM connections", "connections", "team_id, user_id", f"used_at {old}"),
    )
    return tuple(
        f"{what} WHERE ({key}) IN (SELECT {key} FROM {table} WHERE {which} LIMIT :most{lock})"  # noqa: S608 - of this house
        for what, table, key, which in every
    )


SWEEP = sweep()

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
