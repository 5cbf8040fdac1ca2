"""`check` and the database: it reports the state of the database, and changes not a byte."""

import hashlib
import sqlite3
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import asyncpg
from cryptography.fernet import Fernet

from bot.check import database
from bot.check.results import CheckResult, Status
from bot.config.settings import DatabaseSettings
from bot.core.models import HostId, TeamId, UserId
from bot.storage.inspect import inspect_storage
from bot.storage.open import open_store
from bot.storage.schema import VERSION
from tests.support.postgres import new_database

KEY, OTHER = Fernet.generate_key().decode(), Fernet.generate_key().decode()
HOST = HostId("99999999-9999-4999-8999-999999999999")


async def look(url: str, *keys: str) -> dict[str, CheckResult]:
    return {
        each.name: each
        for each in await database.check_database(DatabaseSettings(retention_days=30, url=url, keys=keys))
    }


def contents(directory: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(directory.iterdir())}


def set_fact(path: Path, name: str, value: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE facts SET value = ? WHERE name = ?", (value, name))


@asynccontextmanager
async def made(path: Path, *keys: str) -> Any:
    async with open_store(f"sqlite:///{path}", keys=keys) as store:
        yield store


async def test_a_file_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    found = await look(f"sqlite:///{tmp_path}/bot.db")
    assert "nothing is there yet" in found["database"].message
    assert found["encryption"].status is Status.WARNING
    assert contents(tmp_path) == {}
    assert (await look(f"sqlite:///{tmp_path}/nowhere/bot.db"))["database"].status is Status.FAILED


async def test_memory_is_a_warning() -> None:
    assert (await look("memory:"))["database"].status is Status.WARNING


async def test_file_is_inspected_unchanged_while_a_bot_runs_or_not(tmp_path: Path) -> None:
    path = tmp_path / "bot.db"
    async with made(path, KEY) as store:
        await store.link([(None, UserId("U0ANA"), HOST)])
        await store.find("none")  # its reader is open, too
        before = contents(tmp_path)
        running = await look(f"sqlite:///{path}", KEY)
        async with inspect_storage(f"sqlite:///{path}", (KEY,)) as seen:
            assert await seen.linked(TeamId("T0"), UserId("U0ANA")) == HOST
        after = contents(tmp_path)
        for each in (before, after):
            each.pop("bot.db-shm")  # where SQLite's readers note that they are there
        assert after == before
    before = contents(tmp_path)
    assert await look(f"sqlite:///{path}", KEY) == running
    assert contents(tmp_path) == before
    assert running["database"].status is Status.OK
    assert str(VERSION) in running["database"].message
    assert "encrypted at rest" in running["encryption"].message


async def test_the_version_and_the_key_decide_as_they_would_for_a_run(tmp_path: Path) -> None:
    path = tmp_path / "bot.db"
    async with made(path, KEY):
        pass
    for keys in ((OTHER,), ()):
        refused = (await look(f"sqlite:///{path}", *keys))["database"]
        assert refused.status is Status.FAILED
        assert "STORE_ENCRYPTION_KEY" in refused.message
    assert (await look(f"sqlite:///{path}", OTHER, KEY))["database"].status is Status.OK
    set_fact(path, "version", str(VERSION + 1))
    usable = (await look(f"sqlite:///{path}", KEY))["database"]
    assert (usable.status, f"schema {VERSION + 1}, of a newer program" in usable.message) == (Status.OK, True)
    set_fact(path, "usable_from", str(VERSION + 1))
    newer = (await look(f"sqlite:///{path}", KEY))["database"]
    assert (newer.status, newer.fix) == (Status.FAILED, "Install the newer program.")
    set_fact(path, "version", "0")  # its tables are there all the same, and `run` could not make them
    assert (await look(f"sqlite:///{path}", KEY))["database"].code == "database_schema_conflict"


async def test_key_that_is_new_to_the_database_is_a_warning(tmp_path: Path) -> None:
    path = tmp_path / "bot.db"
    async with made(path):
        pass
    assert (await look(f"sqlite:///{path}", KEY))["encryption"].status is Status.WARNING


async def test_file_without_a_database_is_wrong(tmp_path: Path) -> None:
    path = tmp_path / "bot.db"
    path.write_text("not a database, but long enough to be looked at " * 50)
    assert (await look(f"sqlite:///{path}"))["database"].status is Status.FAILED


async def test_postgres_is_looked_at_and_not_migrated() -> None:
    async with new_database() as url:
        assert "nothing is there yet" in (await look(url))["database"].message
        connection = await asyncpg.connect(url)
        tables = "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'"
        assert await connection.fetchval(tables) == 0
        async with open_store(url, keys=(KEY,)) as store:
            await store.link([(None, UserId("U0ANA"), HOST)])
        facts = await connection.fetch("SELECT * FROM facts ORDER BY name")
        found = await look(url, KEY)
        assert found["database"].status is Status.OK
        assert found["database"].message.startswith("Postgres ")
        assert found["encryption"].status is Status.OK
        async with inspect_storage(url, (KEY,)) as seen:
            assert await seen.linked(TeamId("T0"), UserId("U0ANA")) == HOST
        assert "STORE_ENCRYPTION_KEY" in (await look(url, OTHER))["database"].message
        assert await connection.fetch("SELECT * FROM facts ORDER BY name") == facts
        await connection.close()


async def test_missing_postgres_is_told_without_its_address() -> None:
    found = (await look("postgresql://bot:hush-hush@127.0.0.1:9/bot"))["database"]
    assert found.status is Status.FAILED
    assert "hush" not in str(found)
    assert "127.0.0.1" not in str(found)
