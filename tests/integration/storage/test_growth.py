"""A command costs the same however many rows there are: no statement scans a table."""

import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from bot.storage.postgres.statements import STATEMENTS as POSTGRES_STATEMENTS
from bot.storage.sqlite import file
from tests.support.postgres import new_database
from tests.support.storage import Database
from tests.support.table_rows import FILL, numbers

ROWS = 20_000
VALUES: dict[str, Any] = {
    "now": 1.8e9, "kept_seconds": 1e9, "join_seconds": 10.0, "seconds": 1.0, "owner": 7, "replaces": False,
    "accepted_at": 1.0, "ends_at": 2e9, "timeout_seconds": 1800, "most": 20, "skipped": 20,
    "unclaimed_seconds": 10.0, "move_seconds": 30.0, "opened_at": 1.0, "over_at": 1.0, "is_call": True,
    "joined_at": 1.0, "ended_at": 1.0, "looked": 1, "lease": 1.0, "reply_seconds": 1.0, "reply_uses": 1,
    "version": 1, "shown": 1, "takes": 1, "claimed": ["x"], "ids": ["x", "y"], "tables": ["requests"],
    "key_number": 1, "is_exact": True, "is_single": False, "link_teams": '["x", "y"]',
}  # fmt: skip
TABLES = ("requests", "sessions", "found_hosts", "links", "posts", "notices")
FEW = ("requests_unfinished", "notices_pending")
"""Indexes of the few rows that wait for something."""
WHOLE_TABLES = re.compile(
    r"host_links|(secrets_of|encrypt)_\w+|has_encrypted_secrets|table_names|"
    r"\w+_(of|with)_person|(forget|anonymize|page_of)_\w+|interrupt_accepted_requests"
)
"""Statements that are meant to read a whole table: the list of links, those that run once at start, and those of the
commands `export`, `forget` and `db`."""


async def test_no_statement_of_sqlite_looks_through_a_table(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        await Database(stack, tmp_path / "bot.db").open()
    connection = file.connect(tmp_path / "bot.db", 10.0)
    for statement in FILL:
        connection.execute(statement.format(series=numbers(ROWS)))
    connection.execute("ANALYZE")
    for name, statement in file.STATEMENTS.items():
        if WHOLE_TABLES.fullmatch(name):
            continue
        names = set(re.findall(r":([a-z_]+)", statement))
        values = {one: VALUES.get(one, "x") for one in names}
        plan = [row["detail"] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}", values)]
        scans = [step for step in plan if step.startswith("SCAN") and not any(each in step for each in FEW)]
        assert not [step for step in scans if any(table in step for table in (*TABLES, " r", " s", " n"))], (name, plan)
    connection.close()


@pytest.fixture
async def url() -> AsyncIterator[str]:
    async with new_database() as fresh:
        yield fresh


async def test_no_statement_of_postgres_looks_through_a_table(url: str, tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        await Database(stack, tmp_path / "unused", url).open()
    connection = await asyncpg.connect(url)
    for statement in FILL:
        await connection.execute(statement.format(series=f"SELECT generate_series(1, {ROWS}) AS i"))
    await connection.execute("ANALYZE")
    for name, statement in POSTGRES_STATEMENTS.items():
        if WHOLE_TABLES.fullmatch(name):
            continue
        values = [VALUES.get(one, "x") for one in statement.names]
        rows = await connection.fetch(f"EXPLAIN {statement.text}", *values)
        plan = "\n".join(row[0] for row in rows)
        assert not re.search(rf"Seq Scan on ({'|'.join(TABLES)})\b", plan), (name, plan)
    await connection.close()
