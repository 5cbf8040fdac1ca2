"""Fill the tables of either database with any number of old rows.

Each statement has a place for a query of numbers: `{series}`. SQLite takes `numbers`, PostgreSQL generate_series.
"""


def numbers(count: int) -> str:
    """Return a query for the numbers 1 to `count`, in SQLite's words."""
    return f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count}) SELECT i FROM n"


REQUESTS = """INSERT INTO requests (id, key, owner, state, kind, team_id, channel_id, requester, replaces, same,
    accepted_at, session_id) SELECT 'r' || i, 'k' || i, i % 50, 'answered', 'start', 'T', 'C', 'U' || i, false,
    's' || i, 1700000000 + i, 'x' || i FROM ({series}) AS n"""
SESSIONS = """INSERT INTO sessions (id, request_id, team_id, requester, agent, host_id, name, application_id, status,
    created_at, ends_at) SELECT 'x' || i, 'r' || i, 'T', 'U' || (i % 7), 'U' || (i % 500), 'h', 'n', 'web', 'active',
    1700000000 + i, 1700001800 + i FROM ({series}) AS n"""
HOSTS = """INSERT INTO found_hosts (team_id, user_id, host_id, rule, good_until)
    SELECT 'T', 'U' || i, 'h', 'r', 1900000000 + i FROM ({series}) AS n"""
LINKED = "INSERT INTO links (team_id, user_id, host_id, linked_at) SELECT 'T', 'U' || i, 'h', 1 FROM ({series}) AS n"
POSTED = """INSERT INTO posts (session_id, channel_id, ts, kind, request_id, due_at)
    SELECT 'x' || i, 'C', i || '.1', 'shared', 'r' || i, 1900000000 + i FROM ({series}) AS n"""
NOTICES = """INSERT INTO notices (kind, key, team_id, version, shown, takes, next_at, opened_at, changed_at, over_at,
    data, messages) SELECT 'ended', 'x' || i, 'T', 1, 1, 1, 1, 1, 1700000000 + i, 1, '', '' FROM ({series}) AS n"""
FILL = (REQUESTS, SESSIONS, HOSTS, LINKED, POSTED, NOTICES)
"""One statement for each of the tables that grow."""
