"""A sweep deletes old rows in small writes, and leaves no wiped value in any file."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from itertools import pairwise
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from bot.core.models import RequestKind, RequestState
from bot.core.timing import StorageTiming
from bot.storage import mapping
from bot.storage.postgres.store import PostgresStore
from bot.storage.sqlite import file
from tests.support import storage as storage_support
from tests.support.storage import Database, execute, files, request, run_sql, session
from tests.support.table_rows import HOSTS, REQUESTS, SESSIONS, numbers

database = storage_support.database
OLD = 5_000


async def fill_with_old(database: Database) -> None:
    series = f"SELECT generate_series(1, {OLD}) AS i" if database.url else numbers(OLD)
    for statement in (REQUESTS, SESSIONS, HOSTS):
        await execute(database, statement.format(series=series).replace("1900000000", "1700000000"))


async def count(database: Database, store: Any) -> list[int]:
    tables = ("requests", "sessions", "found_hosts")
    return [(await run_sql(store, f"SELECT count(*) AS n FROM {table}"))[0]["n"] for table in tables]


async def test_sweep_changes_few_rows_at_a_time(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    store = await database.open()
    await fill_with_old(database)
    changed: list[int] = []
    whole = type(store)._change

    async def counted(self: Any, name: str, values: Any) -> int:
        changed.append(await whole(self, name, values))
        return changed[-1]

    monkeypatch.setattr(type(store), "_change", counted)
    await store.sweep()
    assert await count(database, store) == [0, 0, 0]
    assert max(changed) == mapping.MAX_SWEPT_ROWS == 500
    assert sum(changed) >= 3 * OLD


async def test_accept_gets_in_between_the_writes_of_a_sweep(database: Database) -> None:
    store = await database.open()
    await fill_with_old(database)
    sweeping = asyncio.create_task(store.sweep())
    left = []
    while not sweeping.done():
        began = time.monotonic()
        assert (await store.accept(request())).is_new
        assert time.monotonic() - began < 1.0
        left.append((await count(database, store))[1])
        await asyncio.sleep(0.005)
    await sweeping
    assert [many for many in left if 0 < many < OLD], "no accept came while some rows were swept and some were not"


async def test_no_statement_of_a_sweep_takes_more_than_a_batch(database: Database) -> None:
    """The database counts the rows of each write."""
    store = await database.open()
    await fill_with_old(database)
    if isinstance(store, PostgresStore):
        connection = await asyncpg.connect(database.url)
        await connection.execute(
            """CREATE FUNCTION few() RETURNS trigger AS $$ BEGIN
            IF (SELECT count(*) FROM gone) > 500 THEN RAISE EXCEPTION 'too many rows at once'; END IF;
            RETURN NULL; END $$ LANGUAGE plpgsql"""
        )
        for table in ("requests", "sessions", "found_hosts"):
            await connection.execute(
                f"""CREATE TRIGGER few_{table} AFTER DELETE ON {table} REFERENCING OLD TABLE AS gone
                FOR EACH STATEMENT EXECUTE FUNCTION few()"""
            )
        await connection.close()
        await store.sweep()
    else:
        seen: list[int] = []

        def work(connection: Any) -> None:
            before = connection.total_changes
            connection.set_trace_callback(
                lambda statement: seen.append(connection.total_changes - before) if statement == "COMMIT" else None
            )

        await store._writer.write(work)
        await store.sweep()
        steps = [after - before for before, after in pairwise(seen)]
        assert max(steps) <= 500, steps
        assert len(steps) > 3 * OLD / 500
    assert await count(database, store) == [0, 0, 0]


@pytest.fixture
async def sqlite_database(tmp_path: Path) -> AsyncIterator[Database]:
    async with AsyncExitStack() as stack:
        yield Database(stack, tmp_path / "bot.db")


def in_files(database: Database, secret: str) -> list[str]:
    return [path.name for path in files(database.path.parent) if secret.encode() in path.read_bytes()]


async def test_wiped_values_are_in_no_file_after_a_sweep(sqlite_database: Database) -> None:
    store = await sqlite_database.open()
    made = request()
    asked = [request(kind=RequestKind.SEND, argument=f"s-1 carla@example.com {number}") for number in range(20)]
    for one in (*asked, made):
        await store.accept(one)
    await store.find(made.id)  # opens the reader's connection, too
    await store.advance(made.id, RequestState.ACCEPTED, RequestState.CREATED, session=session())
    await store.sessions.end_session("s-1", None)
    await store.advance(made.id, RequestState.CREATED, RequestState.ANSWERED)
    for one in asked:
        await store.advance(one.id, RequestState.ACCEPTED, RequestState.CREATED)
        await store.advance(one.id, RequestState.CREATED, RequestState.ANSWERED)
    assert in_files(sqlite_database, "carla@example.com")  # until then it stands in the log
    await store.sweep()
    for secret in ("carla@example.com", "secret-join", "secret-reply"):
        assert in_files(sqlite_database, secret) == []
    assert sqlite_database.path.with_name("bot.db-wal").stat().st_size == 0


async def test_log_is_emptied_as_soon_as_nobody_reads(sqlite_database: Database) -> None:
    sqlite_database.timing = StorageTiming(sweep_pause_seconds=0.1)
    store = await sqlite_database.open()
    await store.accept(request())
    reader = file.connect(sqlite_database.path, 10.0)
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM requests").fetchall()
    asyncio.get_running_loop().call_later(0.3, reader.close)
    await store.accept(request())
    await store.sweep()
    assert sqlite_database.path.with_name("bot.db-wal").stat().st_size == 0


def test_every_connection_overwrites_what_it_deletes(tmp_path: Path) -> None:
    connection = file.connect(tmp_path / "bot.db", 10.0)
    assert connection.execute("PRAGMA secure_delete").fetchone()[0] == 1
    connection.close()
