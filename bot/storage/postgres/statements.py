"""What Postgres is asked beside statements.py: what only several replicas need, and what saves round trips."""

import re
from functools import cache

from bot.storage import statements
from bot.storage.postgres.replica_lock import LOCK_CLASS, SETTLED

NOW = "CAST(extract(epoch FROM statement_timestamp()) AS DOUBLE PRECISION)"  # stable, so that indexes can be used

ORPHANS = f"""UPDATE requests SET owner = :owner WHERE id IN (
    SELECT r.id FROM requests r WHERE r.state <> 'answered' AND r.owner <> :owner AND {SETTLED} AND NOT EXISTS (
        SELECT 1 FROM pg_locks l WHERE l.locktype = 'advisory' AND l.classid = {LOCK_CLASS}
        AND l.objid = r.owner AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()))
    ORDER BY r.accepted_at LIMIT 500 FOR UPDATE SKIP LOCKED) AND owner <> :owner RETURNING id"""  # noqa: S608 - the class is a constant

_WISH = f"""SELECT :id, :key, CAST(:owner AS BIGINT), CASE WHEN found.same_as IS NULL THEN :state ELSE 'accepted' END,
    :kind, :team_id, :enterprise_id, :channel_id, :requester, :target, :name, :conversation_id, :argument,
    :application_id, CAST(:timeout_seconds AS BIGINT), :reply_url, CAST(:replaces AS BOOLEAN), :same, found.same_as,
    :now FROM (SELECT ({statements.SAME}) AS same_as) AS found WHERE true"""  # noqa: S608 - of this house
ACCEPT = f"{statements.request_from(_WISH)} RETURNING same_as, state, ({statements.LINKED_AGENT}) AS linked"
"""One statement, so that there is one round trip; the link is read with it."""

ADVANCE = f"{statements.ADVANCE} RETURNING id"
ADVANCE_MANY = f"{statements.advance('id = ANY (CAST(:ids AS TEXT[]))')} RETURNING id"

ADVANCE_WITH_SESSION = f"""WITH
    asked AS (SELECT * FROM requests WHERE id = :id AND state = :from AND owner = :owner FOR UPDATE),
    kept AS ({statements.session_from("asked")})
    UPDATE requests SET state = CASE WHEN EXISTS (SELECT 1 FROM kept) THEN CAST(:to AS TEXT) ELSE 'failed' END,
    failure = CASE WHEN EXISTS (SELECT 1 FROM kept) THEN failure ELSE CAST(:taken AS TEXT) END,
    session_id = CASE WHEN EXISTS (SELECT 1 FROM kept) THEN CAST(:session_id AS TEXT) END,
    session_at = (SELECT created_at FROM kept)
    WHERE id = :id AND state = :from AND owner = :owner RETURNING id, state"""  # noqa: S608 - of this house
"""A session and its request's state in one round trip; `failed` when the session's id is known as somebody else's."""

SWEEP = statements.sweep(" FOR UPDATE SKIP LOCKED")
"""What another replica is just sweeping is left to it."""

KNOWN = "SELECT 1 FROM requests WHERE key = :key"

UNCLAIMED = """SELECT id FROM requests WHERE state <> 'answered' AND owner = :owner
    AND accepted_at < :now - :stray_seconds AND id <> ALL (CAST(:handed AS TEXT[])) ORDER BY accepted_at LIMIT 500"""


@cache
def dollars(statement: str) -> tuple[str, tuple[str, ...]]:
    """`:named` values as asyncpg takes them, `$1` and on, and their names in that order."""
    statement = re.sub(r"(?<!:):now\b", NOW, statement)
    names = tuple(dict.fromkeys(re.findall(r"(?<!:):([a-z_]+)", statement)))
    for number, name in enumerate(names, 1):
        statement = re.sub(rf"(?<!:):{name}\b", f"${number}", statement)
    return statement, names
