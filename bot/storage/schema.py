"""The tables, in the order they came to be: one schema for both databases. Times are seconds since 1970.

A version is a list of statements that lead to it from the one before; a version that was released is never changed.
"""

import re

FOR_REPLICAS = (
    "UPDATE requests SET same = id WHERE same_as IS NULL AND state IN ('accepted', 'creating')",
    """CREATE UNIQUE INDEX requests_wish ON requests (same)
        WHERE same_as IS NULL AND state IN ('accepted', 'creating')""",
)
"""For Postgres alone, since several processes write to it. The same wish at the same moment on two replicas: one of
them comes second, and takes what the first makes."""

VERSIONS: tuple[tuple[str, ...], ...] = (
    (
        """CREATE TABLE requests (
            id TEXT PRIMARY KEY,
            key TEXT NOT NULL UNIQUE,
            owner BIGINT NOT NULL,
            state TEXT NOT NULL,
            kind TEXT NOT NULL,
            team_id TEXT NOT NULL,
            enterprise_id TEXT,
            channel_id TEXT NOT NULL,
            requester TEXT NOT NULL,
            target TEXT,
            name TEXT,
            reply_url TEXT,
            replaces BOOLEAN NOT NULL,
            same TEXT NOT NULL,
            same_as TEXT,
            accepted_at DOUBLE PRECISION NOT NULL,
            session_at DOUBLE PRECISION,
            session_id TEXT,
            failure TEXT
        )""",
        "CREATE INDEX requests_unfinished ON requests (owner, accepted_at) WHERE state <> 'answered'",
        "CREATE INDEX requests_answered ON requests (accepted_at) WHERE state = 'answered'",
        "CREATE INDEX requests_same ON requests (same, accepted_at)",
        """CREATE TABLE sessions (
            id TEXT PRIMARY KEY,
            request_id TEXT NOT NULL,
            team_id TEXT NOT NULL,
            requester TEXT NOT NULL,
            agent TEXT NOT NULL,
            host_id TEXT NOT NULL,
            name TEXT NOT NULL,
            application_id TEXT NOT NULL,
            status TEXT NOT NULL,
            created_at DOUBLE PRECISION NOT NULL,
            ends_at DOUBLE PRECISION NOT NULL,
            ended_at DOUBLE PRECISION,
            join_url TEXT
        )""",
        "CREATE INDEX sessions_with_url ON sessions (ends_at) WHERE join_url IS NOT NULL",
        "CREATE INDEX sessions_over ON sessions (ends_at)",
        """CREATE TABLE found_hosts (
            team_id TEXT NOT NULL,
            user_id TEXT NOT NULL,
            host_id TEXT NOT NULL,
            rule TEXT NOT NULL,
            good_until DOUBLE PRECISION NOT NULL,
            PRIMARY KEY (team_id, user_id)
        )""",
        "CREATE INDEX found_hosts_old ON found_hosts (good_until)",
        """CREATE TABLE links (
            team_id TEXT NOT NULL,
            user_id TEXT NOT NULL,
            host_id TEXT NOT NULL,
            linked_at DOUBLE PRECISION NOT NULL,
            PRIMARY KEY (team_id, user_id)
        )""",
    ),
    (
        # A conversation that was asked for by its id; a code that a service gives beside a link or instead of one. It
        # is sealed like the join URL and wiped with it: a session that has a code alone has "" for its URL until then.
        "ALTER TABLE requests ADD COLUMN conversation_id TEXT",
        "ALTER TABLE sessions ADD COLUMN join_code TEXT",
    ),
    (
        # What commands and forms take beside a name; where a session was told, so that it can be told that it is over.
        "ALTER TABLE requests ADD COLUMN argument TEXT",
        "ALTER TABLE requests ADD COLUMN application_id TEXT",
        "ALTER TABLE requests ADD COLUMN timeout_seconds BIGINT",
        "ALTER TABLE sessions ADD COLUMN ended_by TEXT",
        "CREATE INDEX sessions_hosted ON sessions (team_id, agent, created_at)",
        "CREATE INDEX sessions_given ON sessions (team_id, requester, created_at) WHERE requester <> agent",
        """CREATE TABLE posts (
            session_id TEXT NOT NULL,
            channel_id TEXT NOT NULL,
            ts TEXT NOT NULL,
            kind TEXT NOT NULL,
            request_id TEXT,
            due_at DOUBLE PRECISION NOT NULL,
            PRIMARY KEY (session_id, channel_id, ts)
        )""",
        "CREATE INDEX posts_due ON posts (due_at)",
    ),
    (
        # Who is just signing in to Genesys, one link each, of whose state there is a hash alone; and who has signed in.
        # The verifier and the refresh token are sealed.
        """CREATE TABLE connects (
            team_id TEXT NOT NULL,
            user_id TEXT NOT NULL,
            state_hash TEXT NOT NULL UNIQUE,
            from_team TEXT NOT NULL,
            enterprise_id TEXT,
            verifier TEXT NOT NULL,
            good_until DOUBLE PRECISION NOT NULL,
            PRIMARY KEY (team_id, user_id)
        )""",
        "CREATE INDEX connects_old ON connects (good_until)",
        """CREATE TABLE connections (
            team_id TEXT NOT NULL,
            user_id TEXT NOT NULL,
            host_id TEXT NOT NULL,
            refresh_token TEXT NOT NULL,
            connected_at DOUBLE PRECISION NOT NULL,
            used_at DOUBLE PRECISION NOT NULL,
            PRIMARY KEY (team_id, user_id)
        )""",
        "CREATE INDEX connections_unused ON connections (used_at)",
    ),
    FOR_REPLICAS,
)
"""Beside them each database has `facts (name, value)`: the schema's version, the last owner's number, the key check."""

NEWEST = len(VERSIONS)
TABLES = tuple(re.findall(r"CREATE TABLE (\w+)", "\n".join(statement for version in VERSIONS for statement in version)))
"""All of them but `facts`."""
