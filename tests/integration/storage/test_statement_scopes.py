"""Every statement of both databases is about one workspace, or is known to be about the whole database.

Each statement runs twice with the same parameters: on the rows of one workspace alone, and beside rows of two other
workspaces that have the same ids, keys and people. Both runs have to return and to change the same.
"""

import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from bot.storage.encryption import SECRET_COLUMNS
from bot.storage.schema import TABLES
from bot.storage.scope import IDENTIFIERS, Scope
from bot.storage.statements import SWEEP, DatabaseKind, load_statements
from tests.support import storage as storage_support
from tests.support.storage import Database, insert_rows, run_sql

database = storage_support.database
WHOLE = frozenset(
    (
        *SWEEP,
        *(f"{what}_{table}" for what in ("secrets_of", "encrypt", "page_of", "rotate") for table in SECRET_COLUMNS),
        *("facts", "set_fact", "has_encrypted_secrets"),  # at start
        *("table_names", "server_state", "table_rights", "interrupt_accepted_requests"),  # of `check` and `db restore`
        *("enable_keepalive", "lock_replica", "announce_key", "withdraw_key", "lock_leader", "count_other_keys"),
        *("lock_preparation", "register_server", "is_read_only", "backend_pid"),  # of the replicas
        *("limit_lock", "limit_migration"),  # of transactions
        "answer_many",  # takes stored ids, which name their workspace
    )
)
"""The statements that are about all workspaces. Whatever is added here must hand out nothing to a workspace."""
WORKSPACES = ("", "eu", "us")
Rows = Mapping[str, Sequence[Mapping[str, Any]]]
ID, USER, OWNER = "x1", "U1", 999
FAILURE = json.dumps({"code": "host_not_found", "person": USER})
VALUES: Mapping[str, Any] = {
    **dict.fromkeys(IDENTIFIERS, ID),
    **{"enterprise_id": None, "same_as": None, "ids": [ID], "user_id": USER, "mention": f'%"{USER}"%'},
    **{"owner": OWNER, "state": "accepted", "from": "accepted", "to": "created", "kind": "start", "channel_id": "C1"},
    **{"requester": USER, "target": None, "link_user": USER, "link_other": None, "link_teams": None},
    **{"agent": USER, "other_agent": None},
    **{"name": "n", "argument": "a", "conversation_id": "c1", "application_id": "", "timeout_seconds": None},
    **{"reply_url": "u", "replaces": False, "view_id": None, "trace_context": None, "failure": FAILURE, "was": "t"},
    **{"join_seconds": 10.0, "seconds": 900.0, "reply_seconds": 600.0, "lease": 60.0, "move_seconds": 0.0},
    **{"unclaimed_seconds": 0.0, "claimed": [], "most": 10, "skipped": 0, "looked": 1, "reply_uses": 2, "ts": "1.1"},
    **{"host_id": "h1", "rule": "r", "is_exact": False, "status": "active", "join_url": "j"},
    **{"join_code": None, "is_call": None, "taken": "{}", "live_state": "over", "ending": None, "joined_at": None},
    **{"ended_at": None, "verifier": "v", "refresh_token": "t2", "over_at": None, "data": "{}"},
    **{"messages": "[]", "version": 2, "takes": 0, "shown": 2},
}
SPECIAL: Mapping[str, Mapping[str, Any]] = {
    "accept": {"id": "x2", "key": "x2"},
    "add_notice": {"kind": "fault", "key": "x2"},
    "add_post": {"ts": "2.2", "kind": "shared"},
    "anonymize_failure": {"was": FAILURE, "failure": "{}"},
    "claim_orphans": {"owner": OWNER + 1},
    **{
        name: {"kind": "fault"}
        for name in (
            *("find_notice", "change_notice", "take_notice", "store_notice_messages"),
            *("forget_notice", "anonymize_notice"),
        )
    },
}
"""Parameters that differ for one statement."""
ANY_TEAM = "CAST(:team_id AS TEXT) IS NULL"
"""Where a statement may be asked about all teams of a workspace, the test asks about all of them."""
ANSWERED, ENDED = "UPDATE requests SET state = 'answered'", "UPDATE sessions SET ended_at = created_at + 1"
PREPARATIONS: Mapping[str, Sequence[str]] = {
    "people_without_host": [ANSWERED],
    "start_outcomes": [ANSWERED],
    "last_session_for_another": ["UPDATE sessions SET agent = 'U2'"],
    "make_posts_due": ["UPDATE posts SET due_at = due_at + 100"],
    "name_ending": ["UPDATE requests SET kind = 'end'"],
    "keep_joined": ["UPDATE sessions SET live_state = 'joined'"],
    "add_watch": ["UPDATE watches SET request_id = 'earlier'"],
    "failures_with_person": [ANSWERED],
    "anonymize_failure": [ANSWERED],
    "forget_posts": ["UPDATE sessions SET ends_at = ends_at - 100000"],
    "forget_sessions": ["DELETE FROM posts", ANSWERED, ENDED],
    "forget_requests": ["DELETE FROM sessions", ANSWERED, "UPDATE requests SET accepted_at = accepted_at - 7200"],
    "anonymize_requests": ["DELETE FROM sessions", ANSWERED],
}
"""What has to happen to the rows of all workspaces, so that the statement finds some."""


def rows_of(name: str, now: float, later: float) -> list[tuple[str, dict[str, Any]]]:
    """Return the rows of a workspace, with their tables.

    Those of two workspaces differ in the names and hosts that a statement returns, and not in what it looks for.
    `later`: by how many seconds its request is older and its session ends later than those of another one; then the
    request is a duplicate, too.
    """
    scope, label = Scope(name), f"of {name}"
    own, ours = scope.to_stored(ID), {"workspace": name}
    person = {"team_id": own, "user_id": USER} | ours
    about = {"host_id": "h1", "reply_url": "u"}
    return [
        (
            "requests",
            {"id": own, "key": own, "owner": OWNER, "state": "accepted", "kind": "start", "team_id": own, "same": own}
            | {"channel_id": "C1", "requester": USER, "name": label, "reply_url": "u", "replaces": False}
            | {"accepted_at": now - 10 - later, "session_at": now - 5, "session_id": own, "failure": FAILURE}
            | {"conversation_id": "c1", "argument": "a", "same_as": own if later else None}
            | ours,
        ),
        (
            "sessions",
            {"id": own, "request_id": own, "team_id": own, "requester": USER, "agent": USER, "host_id": "h1"}
            | {"name": label, "application_id": "", "status": "active", "join_url": "j"}
            | {"created_at": now - 20, "ends_at": now + 600 + later}
            | ours,
        ),
        (
            "posts",
            {"session_id": own, "channel_id": "C1", "ts": "1.1", "kind": "shared", "request_id": own}
            | {"due_at": now - 1}
            | ours,
        ),
        (
            "watches",
            {"session_id": own, "request_id": own, "conversation_id": "c1", "reply_uses": 2, "looks": 0}
            | {"reply_until": now + 600, "next_at": now - 1, "watched_at": now - 5}
            | about
            | ours,
        ),
        ("found_hosts", {"host_id": "h1", "rule": label, "good_until": now + 600} | person),
        ("links", {"host_id": f"h1 {label}", "linked_at": now} | person),
        ("links", {"host_id": f"h2 {label}", "linked_at": now} | person | {"team_id": scope.to_stored("")}),
        (
            "connects",
            {"state_hash": own, "from_team": own, "verifier": "v", "good_until": now + 600} | person,
        ),
        ("connections", {"host_id": "h1", "refresh_token": "t", "connected_at": now, "used_at": now - 5} | person),
        (
            "notices",
            {"kind": "fault", "key": own, "team_id": own, "version": 2, "shown": 1, "takes": 0, "next_at": 0.0}
            | {"opened_at": now, "changed_at": now, "data": json.dumps({"people": [USER]}), "messages": "[]"}
            | ours,
        ),
    ]


async def fill(store: Any, names: Sequence[str], now: float, preparations: Sequence[str]) -> None:
    """Replace all rows by those of these workspaces, in this order."""
    rows = [row for name in names for row in rows_of(name, now, 0.0 if name == names[-1] else 200.0)]
    for table in TABLES:
        await run_sql(store, f"DELETE FROM {table}")
        await insert_rows(store, table, [row for of, row in rows if of == table])
    for statement in preparations:
        await run_sql(store, statement)


def plain(rows: Sequence[Any], now: float) -> list[str]:
    """Return rows as texts, in an order that depends on their values alone.

    A time becomes the hundreds of seconds since `now`, and a length of time becomes hundreds of seconds, so that the
    moments between two runs do not show.
    """

    def rounded(value: Any) -> Any:
        if not isinstance(value, float):
            return value
        return round((value - now if value > now / 2 else value) / 100)

    return sorted(repr(sorted((name, rounded(value)) for name, value in dict(row).items())) for row in rows)


async def all_rows(store: Any) -> Rows:
    """Return all rows by table."""
    return {table: [dict(row) for row in await run_sql(store, f"SELECT * FROM {table}")] for table in TABLES}


def rows_in(rows: Rows, name: str, *, is_own: bool) -> dict[str, list[str]]:
    """Return the rows of a workspace with their times, or those of all others, by table."""
    return {
        table: sorted(repr(sorted(row.items())) for row in those if (row["workspace"] == name) is is_own)
        for table, those in rows.items()
    }


async def outcome(store: Any, name: str, statement: str, others: Sequence[str], now: float) -> tuple[Any, Any, bool]:
    """Run a statement as a workspace, beside the rows of others.

    Return its rows, the workspace's own rows after it, and whether it found or changed anything. Fail if
    it changed rows of others.
    """
    await fill(store, (*others, name), now, PREPARATIONS.get(statement, ()))
    before = await all_rows(store)
    values = {**VALUES, "ends_at": now + 600, "opened_at": now, **SPECIAL.get(statement, {})}
    if ANY_TEAM in load_statements("postgres" if store.shared else "sqlite")[statement]:
        values["team_id"] = None
    returned = await store.in_workspace(name).fetch(statement, values)
    after = await all_rows(store)
    foreign = rows_in(after, name, is_own=False)
    assert foreign == rows_in(before, name, is_own=False), f"{statement} changed rows of another workspace"
    changed = rows_in(after, name, is_own=True) != rows_in(before, name, is_own=True)
    own = {table: plain([row for row in rows if row["workspace"] == name], now) for table, rows in after.items()}
    return plain(returned, now), own, bool(returned) or changed


@pytest.mark.parametrize("name", WORKSPACES[:2], ids=["without_a_name", "eu"])
async def test_every_statement_is_about_one_workspace(
    database: Database, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    store = await database.open()
    kind: DatabaseKind = "postgres" if database.url else "sqlite"
    others, found_nothing = [other for other in WORKSPACES if other != name], []
    for statement in sorted(load_statements(kind).keys() - WHOLE):
        now = time.time() if store.shared else database.now
        alone = await outcome(store, name, statement, (), now)
        assert await outcome(store, name, statement, others, now) == alone, statement
        assert caplog.records == [], f"{statement} returned a row of another workspace, which was left out"
        found_nothing += [] if alone[2] else [statement]
    assert found_nothing == [], "These show nothing here: see PREPARATIONS"


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_statements_about_the_whole_database_know_no_workspace(kind: DatabaseKind) -> None:
    for statement in WHOLE & load_statements(kind).keys():
        assert ":workspace" not in load_statements(kind)[statement], statement


def test_list_of_statements_about_the_whole_database_is_up_to_date() -> None:
    assert load_statements("sqlite").keys() | load_statements("postgres").keys() >= WHOLE
