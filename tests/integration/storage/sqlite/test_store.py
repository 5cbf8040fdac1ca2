"""The SQLite store's own rules: one file, one process, readable by its user only."""

import asyncio
import sqlite3
import stat
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from bot.core.errors import StorageUnavailableError
from bot.core.models import RequestState
from bot.core.timing import StorageTiming
from bot.storage.errors import StorageSetupError
from bot.storage.sqlite import file
from bot.storage.sqlite.store import SQLiteStore
from tests.support.storage import Database, files, request, session


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    async with AsyncExitStack() as stack:
        yield Database(stack, tmp_path / "bot.db")


async def test_a_second_run_on_one_file_is_refused_with_a_sentence(database: Database) -> None:
    await database.open()
    with pytest.raises(StorageSetupError, match="Another bot runs on the database"):
        await database.open()
    await database.open(exclusive=False)


async def test_a_file_that_is_no_database_or_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "no.db").write_text("this is no database, and long enough to be told from one" * 20)
    for path in (tmp_path / "no.db", tmp_path / "missing" / "bot.db"):
        with pytest.raises(StorageSetupError, match=r"no\.db|bot\.db"):
            SQLiteStore(str(path))


async def test_only_we_can_read_the_file(database: Database, tmp_path: Path) -> None:
    store = await database.open()
    await store.accept(request())
    for path in files(tmp_path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path


async def test_old_rows_go_and_unfinished_ones_stay(database: Database, tmp_path: Path) -> None:
    store = await database.open(days=30)
    answered, unfinished = request(), request()
    for asked in (answered, unfinished):
        await store.accept(asked)
    await store.advance(answered.id, RequestState.ACCEPTED, RequestState.CREATING)
    await store.advance(answered.id, RequestState.CREATING, RequestState.CREATED, session=session())
    await store.advance(answered.id, RequestState.CREATED, RequestState.ANSWERED)
    await database.age(31 * 86_400)
    await store.sweep()
    assert await store.find(answered.id) is None
    assert await store.find(unfinished.id) is not None
    with sqlite3.connect(tmp_path / "bot.db") as connection:
        assert connection.execute("SELECT count(*) FROM sessions").fetchone() == (0,)
    connection.close()


async def test_unwritable_audit_file_is_told_and_work_goes_on(database: Database, tmp_path: Path) -> None:
    store = await database.open()
    await store.accept(request())
    blocker = sqlite3.connect(tmp_path / "bot.db", isolation_level=None)
    blocker.execute("ALTER TABLE requests RENAME TO gone")
    with pytest.raises(StorageUnavailableError):
        await store.accept(request())
    blocker.execute("ALTER TABLE gone RENAME TO requests")
    blocker.close()
    assert (await store.accept(request())).is_new


async def test_session_and_answer_are_written_with_the_next_accept(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    commits: list[str] = []
    connect = file.connect

    def traced(path: Path, busy_seconds: float) -> sqlite3.Connection:
        connection = connect(path, busy_seconds)
        connection.set_trace_callback(lambda statement: commits.append(statement) if statement == "COMMIT" else None)
        return connection

    monkeypatch.setattr(file, "connect", traced)
    database.timing = StorageTiming(write_delay_seconds=60.0)
    store = await database.open()
    made, told = request(), request()
    for asked in (made, told):
        await store.accept(asked)
        await store.advance(asked.id, RequestState.ACCEPTED, RequestState.CREATING)
    telling = asyncio.create_task(
        store.advance(told.id, RequestState.CREATING, RequestState.CREATED, session=session("told"))
    )
    await asyncio.sleep(0)
    await store.accept(request())
    assert await telling
    commits.clear()
    created = store.advance(made.id, RequestState.CREATING, RequestState.CREATED, session=session("made"))
    answered = store.advance(told.id, RequestState.CREATED, RequestState.ANSWERED)
    moving = [asyncio.create_task(created), asyncio.create_task(answered)]
    done, _ = await asyncio.wait(moving, timeout=0.1)
    assert not done
    await store.accept(request())
    assert (await asyncio.gather(*moving), len(commits)) == ([True, True], 1)
