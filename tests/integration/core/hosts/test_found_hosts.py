"""Hosts that a rule found: they are cached for an hour in total, and a host that was forgotten is not used again."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from bot.core.hosts.resolver import EmailRule, HostResolver
from bot.core.models import DirectoryUser
from bot.core.timing import CoreTiming
from bot.storage.sqlite.store import SQLiteStore
from tests.support.clock import Clock
from tests.support.hosts import Directory, person, user, uuid_of
from tests.support.storage import Database, die

ANA = ("T0ONE", "U1")


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    async with AsyncExitStack() as stack:
        yield Database(stack, tmp_path / "bot.db")


class Slow(Directory):
    """A directory that answers when the test allows it."""

    def __init__(self) -> None:
        super().__init__()
        self.questions: asyncio.Queue[asyncio.Future[Sequence[DirectoryUser]]] = asyncio.Queue()

    async def by_email(self, email: str) -> Sequence[DirectoryUser]:
        answer: asyncio.Future[Sequence[DirectoryUser]] = asyncio.get_running_loop().create_future()
        self.questions.put_nowait(answer)
        return await answer


async def test_stored_host_is_kept_for_the_rest_of_its_hour(database: Database) -> None:
    clock, directory = Clock(now=0.0), Directory(user(1, "p1@T0ONE.example"))
    before = await database.open()
    await HostResolver([EmailRule(directory)], before).find(person())
    await die(before)
    await database.age(CoreTiming().host_cache_seconds - 600)
    hosts = HostResolver([EmailRule(directory)], await database.open(), clock=clock)
    asked, restarted_at = [], database.now
    for clock.now in (0, 599, 601):
        database.now = restarted_at + clock.now  # the book's time goes on, too
        await hosts.find(person())
        asked.append(len(directory.asked))
    assert asked == [1, 1, 2]


async def test_look_up_of_a_forgotten_person_is_not_stored(database: Database) -> None:
    store, directory = await database.open(), Slow()
    hosts = HostResolver([EmailRule(directory)], store)
    before = asyncio.create_task(hosts.find(person()))
    first = await directory.questions.get()
    await hosts.forget(person())
    first.set_result([user(1, "p1@T0ONE.example")])
    assert (await before).id == uuid_of(1)
    assert await store.found(*ANA) is None
    after = asyncio.create_task(hosts.find(person()))
    (await directory.questions.get()).set_result([user(2, "p1@T0ONE.example")])
    assert (await after).id == uuid_of(2)
    assert (await store.found(*ANA))[0].id == uuid_of(2)


async def test_host_forgotten_during_its_write_is_dropped_again(tmp_path: Path) -> None:
    class Book(SQLiteStore):
        """A store whose writes can overtake each other, as writes over a pool's connections can."""

        def __init__(self) -> None:
            super().__init__(str(tmp_path / "book.db"))
            self.kept: dict[Any, Any] = {}
            self.writes, self.goes_on = asyncio.Event(), asyncio.Event()

        async def keep_found(self, team_id: Any, user_id: Any, host: Any, seconds: float) -> None:
            self.writes.set()
            await self.goes_on.wait()
            self.kept[team_id, user_id] = host

        async def drop_found(self, *key: Any) -> None:
            self.kept.pop(key, None)

    book = Book()
    hosts = HostResolver([EmailRule(Directory(user(1, "p1@T0ONE.example")))], book)
    finding = asyncio.create_task(hosts.find(person()))
    await book.writes.wait()
    await hosts.forget(person())
    book.goes_on.set()
    await finding
    assert book.kept == {}
    await book.close()
