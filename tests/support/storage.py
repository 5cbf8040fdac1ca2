"""Make requests and sessions for the tests of the stores, open a store on either database, and read its rows."""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from bot.core.models import ChannelId, HostId, Request, RequestKind, Session, SessionId, TeamId, UserId, new_request_id
from bot.core.ports import NULL_METRICS
from bot.core.timing import StorageTiming
from bot.storage.encryption import Encryptor
from bot.storage.postgres.open import open_postgres
from bot.storage.postgres.statements import number_parameters
from bot.storage.sqlite.store import SQLiteStore
from tests.support.postgres import new_database

START = datetime.now(UTC)
_began = [START]  # when the test did: in a long run this file was read minutes before
ANA = UserId("U0ANA")
TEAM = TeamId("T0TEAM")
HOST = HostId("11111111-1111-4111-8111-111111111111")


def request(**changes: Any) -> Request:
    key = f"command:{new_request_id()}"
    made = Request(
        id=new_request_id(),
        key=key,
        kind=RequestKind.START,
        team_id=TEAM,
        enterprise_id=None,
        channel_id=ChannelId("C0CARE"),
        requester=ANA,
        accepted_at=datetime.now(UTC),
        name=key,
        reply_url="https://hooks.example/secret-reply",
    )
    return replace(made, **changes)


def session(session_id: str = "s-1", minutes: float = 30) -> Session:
    return Session(
        id=SessionId(session_id),
        status="active",
        host_id=HOST,
        name="Checkout",
        application_id="web",
        ends_at=_began[0] + timedelta(minutes=minutes),
        join_url="https://join.example/secret-join",
    )


def files(folder: Path) -> list[Path]:
    return list(folder.iterdir())


class Database:
    """Opens stores on one database, and lets time pass for all its rows.

    `timing` is for stores that are opened later.
    """

    def __init__(self, stack: AsyncExitStack, path: Path, url: str = "") -> None:
        self.stack = stack
        self.path = path
        self.url = url
        self.now = time.time()
        self.timing = StorageTiming()

    async def open(self, **how: Any) -> Any:
        encryptor, days = Encryptor(how.get("keys", ())), how.get("days", 30)
        if self.url:
            return await self.stack.enter_async_context(
                open_postgres(self.url, encryptor, days, NULL_METRICS, self.timing)
            )
        store = SQLiteStore(
            str(self.path),
            encryptor=encryptor,
            retention_days=days,
            exclusive=how.get("exclusive", True),
            clock=lambda: self.now,
            timing=self.timing,
        )
        self.stack.push_async_callback(store.close)
        return store

    async def age(self, seconds: float) -> None:
        """Make all rows of the database older by `seconds`, because nobody can set Postgres's clock."""
        self.now += seconds
        if self.url:
            connection = await asyncpg.connect(self.url)
            for table, columns in AGING.items():
                aged = ", ".join(f"{column} = {column} - {seconds}" for column in columns)
                await connection.execute(f"UPDATE {table} SET {aged}")
            await connection.close()


async def run_sql(store: Any, text: str, **values: Any) -> list[Any]:
    """Run an SQL statement that the bot does not contain, and return its rows as dictionaries."""
    if isinstance(store, SQLiteStore):
        return await store._writer.write(lambda connection: [dict(row) for row in connection.execute(text, values)])
    statement = number_parameters(text)
    async with store._connection() as connection:
        return [dict(row) for row in await connection.fetch(statement.text, *statement.arguments(values))]


async def insert_rows(store: Any, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows that have the same columns."""
    columns = list(rows[0])
    text = f"INSERT INTO {table} ({', '.join(columns)}) VALUES (:{', :'.join(columns)})"
    if isinstance(store, SQLiteStore):
        await store._writer.write(lambda connection: connection.executemany(text, rows))
        return
    statement = number_parameters(text)
    async with store._connection() as connection:
        await connection.executemany(statement.text, [statement.arguments(row) for row in rows])


AGING = {
    "requests": ("accepted_at", "session_at"),
    "sessions": ("created_at", "ends_at", "ended_at", "joined_at"),
    "found_hosts": ("good_until",),
    "posts": ("due_at",),
    "watches": ("reply_until", "next_at", "watched_at"),
    "connects": ("good_until",),
    "connections": ("connected_at", "used_at"),
    "notices": ("next_at", "changed_at"),
}


async def die(store: Any) -> None:
    """End a store as a killed process does: without a word to the database."""
    if isinstance(store, SQLiteStore):
        await store.close()
    else:
        await store._replica_lock.close()


async def taken_over(*stores: Any) -> list[list[Any]]:
    """Return the orphaned requests that each store takes over, all at once.

    Wait until the database has noticed the dead replica.
    """
    async with asyncio.timeout(20):
        while not any(taken := await asyncio.gather(*(store.orphans() for store in stores))):  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0.05)
    return taken


@pytest.fixture(params=["sqlite", "postgres"])
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    _began[0] = datetime.now(UTC)
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(new_database()) if request.param == "postgres" else ""
        yield Database(stack, tmp_path / "bot.db", url)


async def execute(database: Database, statement: str) -> None:
    """Run a statement on a connection that is not the store's."""
    if database.url:
        connection = await asyncpg.connect(database.url)
        await connection.execute(statement)
        await connection.close()
    else:
        file = sqlite3.connect(database.path, isolation_level=None)
        file.execute(statement)
        file.close()


async def read_facts(url: str) -> dict[str, str]:
    """Return what a database knows about itself, also while bots use it."""
    if url.startswith("sqlite"):
        file = sqlite3.connect(url.removeprefix("sqlite:///"))
        rows = file.execute("SELECT name, value FROM facts").fetchall()
        file.close()
    else:
        connection = await asyncpg.connect(url)
        rows = await connection.fetch("SELECT name, value FROM facts")
        await connection.close()
    return dict(map(tuple, rows))


async def stored(database: Database) -> str:
    """Return everything that the database stores, as a thief of the database can read it."""
    if not database.url:
        return b"".join(path.read_bytes() for path in files(database.path.parent)).decode(errors="replace")
    connection = await asyncpg.connect(database.url)
    tables = ("requests", "sessions", "facts")
    rows = [str(row) for table in tables for row in await connection.fetch(f"SELECT * FROM {table}")]
    await connection.close()
    return "\n".join(rows)


async def column(database: Database, name: str) -> set[str | None]:
    """Return the stored values of one column of all sessions."""
    statement = f"SELECT {name} FROM sessions"
    if database.url:
        connection = await asyncpg.connect(database.url)
        found = {row[0] for row in await connection.fetch(statement)}
        await connection.close()
        return found
    file = sqlite3.connect(database.path)
    found = {row[0] for row in file.execute(statement)}
    file.close()
    return found
