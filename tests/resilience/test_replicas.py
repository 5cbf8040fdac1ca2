"""Several replicas on one Postgres: exactly one other replica takes over the requests of a dead one."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest

from bot.core.errors import StorageUnavailableError
from bot.core.models import RequestState
from tests.support.app import ANA, BEN, START_SECONDS, is_failure, is_note, link, open_servers
from tests.support.bot_processes import Bots, outcomes
from tests.support.postgres import LOCK_CLASS, address, new_database
from tests.support.replicas import until
from tests.support.storage import Database, request, taken_over


@pytest.fixture
async def url() -> AsyncIterator[str]:
    async with new_database() as fresh:
        yield fresh


@pytest.fixture
async def database(url: str, tmp_path: Path) -> AsyncIterator[Database]:
    from contextlib import AsyncExitStack

    async with AsyncExitStack() as stack:
        yield Database(stack, tmp_path / "unused", url)


@pytest.fixture
async def bots(url: str, tmp_path: Path) -> AsyncIterator[Bots]:
    async with open_servers(http=False) as servers:
        opened = Bots(servers, url, tmp_path)
        yield opened
        await opened.close()


@pytest.mark.parametrize(("dies", "failed"), [("after:accepted:Deal", False), ("after:creating:Deal", True)])
async def test_dead_replicas_request_ends_within_five_seconds(bots: Bots, dies: str, failed: bool) -> None:
    slack = bots.servers.slack
    dead = await bots.start(dies)
    typed = asyncio.create_task(slack.command(ANA, "Deal"))
    await dead.wait()
    await bots.start()
    await bots.start()
    async with asyncio.timeout(5):
        await outcomes(bots, ANA, 1)
    await typed
    seen = [message for message in slack.seen_by(ANA) if message.via != "slackbot"]
    assert [is_failure(message) for message in seen] == [failed]


async def test_two_replicas_share_the_work_with_one_answer_each(bots: Bots) -> None:
    slack, genesys = bots.servers.slack, bots.servers.genesys
    for _ in range(2):
        await bots.start()
    await until(lambda: len(slack.sockets._ready()) == 2, START_SECONDS)
    slack.ack_seconds = 15.0  # a busy machine does not make Slack's own error one of the answers
    for first in range(0, 20, 5):  # ten at once: on a busy machine forty outlast the replicas' own time-outs
        numbers = range(first, first + 5)
        await asyncio.gather(*(slack.command(who, f"Deal {number}") for number in numbers for who in (ANA, BEN)))
    await outcomes(bots, ANA, 20)
    await outcomes(bots, BEN, 20)
    assert len(genesys.creates) == 40
    links = [link(message) for who in (ANA, BEN) for message in slack.seen_by(who) if not is_note(message)]
    assert len(set(links)) == 40


async def test_an_orphan_goes_to_exactly_one_of_many_that_reach_for_it(database: Database) -> None:
    dead = await database.open()
    asked = [request() for _ in range(20)]
    for one in asked:
        await dead.accept(one)
    living = [await database.open() for _ in range(4)]
    assert await asyncio.gather(*(store.orphans() for store in living)) == [[]] * 4
    await dead._replica_lock.close()
    taken = [kept.request.id for found in await taken_over(*living) for kept in found]
    assert sorted(taken) == sorted(one.id for one in asked)


async def test_one_who_lost_the_lock_starts_no_create_and_gets_it_back(database: Database, url: str) -> None:
    store = await database.open()
    asked = request()
    await store.accept(asked)
    admin = await asyncpg.connect(url)
    await admin.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND classid = $1", LOCK_CLASS
    )
    await until(lambda: not store._replica_lock.is_held)
    with pytest.raises(StorageUnavailableError):
        await store.advance(asked.id, RequestState.ACCEPTED, RequestState.CREATING)
    async with asyncio.timeout(10):
        while not store._replica_lock.is_held:  # noqa: ASYNC110 - waits for another task's connection
            await asyncio.sleep(0.1)
    assert await store.advance(asked.id, RequestState.ACCEPTED, RequestState.CREATING)
    await admin.close()


async def test_replica_thought_dead_cannot_move_what_others_took(database: Database) -> None:
    slow, other = await database.open(), await database.open()
    asked = request()
    await slow.accept(asked)
    slow._replica_lock._connection.terminate()
    ((taken,),) = await taken_over(other)
    assert taken.request.id == asked.id
    slow._replica_lock.is_held = True  # as if it had not noticed
    assert not await slow.advance(asked.id, RequestState.ACCEPTED, RequestState.CREATING)


async def test_several_replicas_may_start_at_once_on_an_empty_database(database: Database) -> None:
    stores: list[Any] = await asyncio.gather(*(database.open() for _ in range(6)))
    assert len({store._replica_lock.owner for store in stores}) == 6


async def test_equal_requests_on_two_replicas_are_one_session(database: Database) -> None:
    from dataclasses import replace

    from bot.core.models import new_request_id

    stores = [await database.open() for _ in range(2)]
    first = request()
    pairs = [replace(first, id=new_request_id(), key=f"command:{number}") for number in range(2)]
    accepted = await asyncio.gather(*(store.accept(one) for store, one in zip(stores, pairs, strict=True)))
    assert sorted(one.duplicate_of is None for one in accepted) == [False, True]


async def test_lost_postgres_is_told_and_work_goes_on_afterwards(bots: Bots, url: str) -> None:
    slack = bots.servers.slack
    slack.ack_seconds = 10.0  # the machine may be busy
    await bots.start()
    await slack.command(ANA, "Before")
    await outcomes(bots, ANA, 1)
    name = urlsplit(url).path.lstrip("/")
    admin = await asyncpg.connect(address())
    await admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
    await admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name)
    delivery = await slack.command(ANA, "Meanwhile")
    assert delivery.acked
    assert "I’m not sure that I saved your request" in (await outcomes(bots, ANA, 2))[1]
    await admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
    await admin.close()
    async with asyncio.timeout(40):
        while is_failure(slack.seen_by(ANA)[-1]):
            await asyncio.sleep(0.5)
            count = len(slack.seen_by(ANA))
            await slack.command(ANA, f"After {count}")
            await outcomes(bots, ANA, count + 1)
    assert link(slack.seen_by(ANA)[-1])
    before, *after = [create.body["sessionName"].split()[0] for create in bots.servers.genesys.creates]
    assert (before, set(after)) == ("Before", {"After"})
