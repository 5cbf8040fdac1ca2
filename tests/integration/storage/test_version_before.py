"""Open a database of version 5: it is migrated, and its requests are resumed. An older one is refused."""

import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, nullcontext
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from bot.check import database as check_database
from bot.check.results import CheckResult, Status
from bot.config.settings import DatabaseSettings
from bot.core.errors import (
    HostNotFoundError,
    InterruptedRequestError,
    LoginRefusedError,
    PersonNotAllowedError,
    SeveralConversationsError,
    SharingError,
    SlackUnavailableError,
)
from bot.core.models import MembershipStatus, RequestState, Session, UserId
from bot.core.ports import RequestRepository, StoredRequest
from bot.core.requests.recovery import known_failure
from bot.storage.open import open_store
from bot.storage.schema import OLDEST_VERSION, VERSION
from bot.storage.sqlite.store import SQLiteStore
from tests.support.app import ROOT
from tests.support.database_faults import agree, said
from tests.support.postgres import new_database
from tests.support.storage import request, run_sql

ROWS = (Path(ROOT) / "tests" / "support" / "data" / "version-5.sql").read_text(encoding="utf-8")
FOR_REPLICAS = (
    "UPDATE requests SET same = id WHERE same_as IS NULL AND state IN ('accepted', 'creating')",
    """CREATE UNIQUE INDEX requests_wish ON requests (same)
        WHERE same_as IS NULL AND state IN ('accepted', 'creating')""",
)
"""What version 5 did in Postgres alone."""
FAILURES = {
    "f-oauth": LoginRefusedError(oauth_error="invalid_scope", reference="ref-1"),
    "f-host": HostNotFoundError,
    "f-slack": SlackUnavailableError("ratelimited"),
    "f-member": PersonNotAllowedError("not_a_member", UserId("U0ANA"), MembershipStatus.GUEST, is_target=False),
    "f-interrupted": InterruptedRequestError("interrupted", maybe_created=True),
    "f-posted": SharingError("message_not_posted", slack_error="fatal_error"),
    "f-several": SeveralConversationsError,
    "f-signin": LoginRefusedError(code="connect_failed", oauth_error="invalid_grant"),
}


@asynccontextmanager
async def sqlite_file(folder: Path) -> AsyncIterator[str]:
    path = folder / "old.db"
    with sqlite3.connect(path) as connection:
        connection.executescript(ROWS.replace(":now", str(time.time() - 60)))
    connection.close()
    yield f"sqlite:///{path}"


@asynccontextmanager
async def postgres(folder: Path) -> AsyncIterator[str]:
    async with new_database() as url:
        connection = await asyncpg.connect(url)
        await connection.execute(ROWS.replace(":now", str(time.time() - 60)))
        for statement in FOR_REPLICAS:
            await connection.execute(statement)
        await connection.close()
        yield url


async def resumed(store: RequestRepository) -> dict[str, StoredRequest]:
    return {kept.request.id: kept for kept in await store.orphans()}


both = pytest.mark.parametrize("database", [sqlite_file, postgres], ids=["sqlite", "postgres"])


async def look(url: str) -> CheckResult:
    (found,) = [
        each
        for each in await check_database.check_database(DatabaseSettings(retention_days=30, url=url, keys=()))
        if each.name == "database"
    ]
    return found


async def run_on(url: str, statement: str) -> None:
    """Run it on a database that no store has open."""
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as file, file:
            file.execute(statement)
    else:
        connection = await asyncpg.connect(url)
        await connection.execute(statement)
        await connection.close()


async def layout(store: Any) -> list[str]:
    """Describe all columns and indexes, in an order that does not depend on how they came to be."""
    if isinstance(store, SQLiteStore):
        columns = """SELECT m.name, p.name AS part, p.type, p."notnull", p.dflt_value, p.pk
            FROM sqlite_master m, pragma_table_info(m.name) p WHERE m.type = 'table'"""
        indexes = "SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'index'"
    else:
        columns = """SELECT table_name, column_name, data_type, is_nullable, column_default
            FROM information_schema.columns WHERE table_schema = 'public'"""
        indexes = "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'"
    rows = [*await run_sql(store, columns), *await run_sql(store, indexes)]
    return sorted(" ".join(str(row).split()) for row in rows)


@both
async def test_migrated_database_equals_a_new_one(database, tmp_path: Path) -> None:
    new = new_database() if database is postgres else nullcontext(f"sqlite:///{tmp_path}/new.db")
    async with database(tmp_path) as old_url, new as new_url, open_store(old_url) as old, open_store(new_url) as fresh:
        assert await layout(old) == await layout(fresh)
        version = "SELECT value FROM facts WHERE name = 'version'"
        for store in (old, fresh):
            assert await run_sql(store, version) == [{"value": str(VERSION)}]


@both
async def test_check_announces_the_migration(database, tmp_path: Path) -> None:
    async with database(tmp_path) as url:
        before = await look(url)
        assert before.status is Status.WARNING
        assert f"its schema, {OLDEST_VERSION}, is older" in before.message
        assert "The next `run` brings it up to date" in before.fix
        async with open_store(url):
            pass
        after = await look(url)
        assert (after.status, f"schema {VERSION}," in after.message) == (Status.OK, True)


@both
@pytest.mark.parametrize("version", range(1, OLDEST_VERSION))
async def test_database_that_was_never_released_is_refused(database, version: int, tmp_path: Path) -> None:
    async with database(tmp_path) as url:
        await run_on(url, f"UPDATE facts SET value = '{version}' WHERE name = 'version'")
        for _ in range(2):  # the first refusal changes nothing
            agree(await said(url), "database_older_version", f"of version {version}", "Give the bot a new database")


@both
async def test_requests_of_the_version_before_are_resumed(database, tmp_path: Path) -> None:
    async with database(tmp_path) as url, open_store(url) as store:
        kept = await resumed(store)
        assert set(kept) == {"accepted", "creating", "created", *FAILURES}
        assert kept["accepted"].state is RequestState.ACCEPTED
        assert known_failure(kept["accepted"]) is None  # it is worked
        assert (kept["accepted"].request.view_id, kept["accepted"].request.trace_context) == (None, None)
        interrupted = known_failure(kept["creating"])
        assert interrupted.code == "interrupted"
        assert interrupted.maybe_created
        assert known_failure(kept["created"]) is None
        session = kept["created"].session
        assert isinstance(session, Session)
        assert session.join_url == "https://join.example.test/old"
        for name, expected in FAILURES.items():
            failure = known_failure(kept[name])
            assert type(failure) is (expected if isinstance(expected, type) else type(expected)), name
            if not isinstance(expected, type):
                assert vars(failure) == vars(expected), name
        assert await store.advance("f-oauth", RequestState.FAILED, RequestState.ANSWERED)


async def test_running_replica_goes_on_when_a_newer_one_adds_a_column() -> None:
    """Postgres has prepared the replica's statements for the columns that it knew."""
    async with new_database() as url, open_store(url) as store:
        before, after = request(), request()
        assert (await store.accept(before)).is_new
        assert await store.find(before.id)
        await run_on(url, "ALTER TABLE requests ADD COLUMN newer TEXT")
        assert (await store.accept(after)).is_new
        for asked in (before, after):
            kept = await store.find(asked.id)
            assert (kept.request.key, kept.state) == (asked.key, RequestState.ACCEPTED)
            assert await store.advance(asked.id, RequestState.ACCEPTED, RequestState.FAILED)
        await store.orphans()
