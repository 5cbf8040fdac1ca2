"""A replica that is cut off from Postgres while it runs: every request has one outcome, and none has two."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import asyncpg
import pytest

from bot.core.errors import MaybeAcceptedError, StorageUnavailableError
from bot.core.models import RequestId, RequestState, new_request_id
from bot.core.timing import StorageTiming
from bot.sandbox.slack.server import Delivery
from tests.support.app import ANA, BEN, NO_KEY, Servers, open_servers
from tests.support.network_line import Wire, new_wire
from tests.support.postgres import LOCK_CLASS, new_database
from tests.support.replicas import SECONDS, is_refused, replica, told, until
from tests.support.storage import Database, request


@pytest.fixture
async def url() -> AsyncIterator[str]:
    async with new_database() as fresh:
        yield fresh


@pytest.fixture
async def wire(url: str) -> AsyncIterator[Wire]:
    async with new_wire(url) as opened:
        yield opened


@pytest.fixture
async def servers() -> AsyncIterator[Servers]:
    async with open_servers() as opened:
        yield opened


@pytest.fixture
async def database(wire: Wire, tmp_path: Path) -> AsyncIterator[Database]:
    """Yield a database whose stores connect through the wire."""
    async with AsyncExitStack() as stack:
        yield Database(stack, tmp_path / "unused", wire.url)


async def warm(servers: Servers, *people: str) -> None:
    """Let these people use the bot, so that later commands need no look-up."""
    for who in people:
        await servers.slack.command(who, "Before")
    await until(lambda: len(servers.genesys.sessions) == len(people))


async def test_request_taken_over_is_told_by_the_other_replica_alone(servers: Servers, wire: Wire, url: str) -> None:
    """The server releases the first replica's lock. The first replica only gets no answers."""
    genesys = servers.genesys
    async with replica(servers, wire.url):
        await warm(servers, ANA, BEN)
        genesys.latency_seconds = 5.0
        creating = await servers.slack.command(ANA, "Is being made")
        await until(lambda: genesys.creates[-1].body["sessionName"] == "Is being made")
        genesys.latency_seconds = 0.0
        await genesys.inject_fault("429", on="create", times=1, retry_after=20)  # longer than this test
        waiting = await servers.slack.command(BEN, "Waits its turn")
        await until(lambda: genesys.calls[-1].status == 429)
        await asyncio.sleep(1.0)  # the first one has stored that it waits
        wire.forget()
        async with replica(servers, url):
            await until(lambda: told(servers, waiting) and told(servers, creating))
            await asyncio.sleep(5.2)  # the first has its answers from Genesys, and would have lost its patience
            wire.heal()
            await asyncio.sleep(1.0)
    (interrupted,), (made,) = told(servers, creating), told(servers, waiting)
    assert "I was restarted meanwhile" in interrupted
    assert made in {session.join_url for session in genesys.sessions.values()}
    asked = [one.body["sessionName"] for one in genesys.creates[2:]]
    assert asked == ["Is being made", "Waits its turn", "Waits its turn"]


async def test_session_with_an_unconfirmed_commit_is_told_later(servers: Servers, wire: Wire) -> None:
    async with replica(servers, wire.url, **NO_KEY):  # so that the link can be seen on the wire
        await warm(servers, ANA)
        servers.genesys.latency_seconds = 0.3
        delivery = await servers.slack.command(ANA, "Deal")
        await until(lambda: len(servers.genesys.creates) == 2)
        wire.after(b"/join/", wire.freeze)  # the one statement that writes it down
        await asyncio.sleep(2.5)
        assert told(servers, delivery) == []
        wire.heal()
        await until(lambda: told(servers, delivery))
        await asyncio.sleep(0.5)
    (made,) = told(servers, delivery)
    assert made == servers.genesys.sessions[servers.genesys.creates[-1].session_id or ""].join_url


async def test_create_due_while_the_database_is_away_goes_out_later(servers: Servers, wire: Wire) -> None:
    genesys = servers.genesys
    async with replica(servers, wire.url):
        await warm(servers, ANA)
        await genesys.inject_fault("429", on="create", times=1, retry_after=3)  # a busy machine cuts a second late
        delivery = await servers.slack.command(ANA, "Deal")
        await until(lambda: genesys.calls[-1].status == 429)
        await asyncio.sleep(0.5)  # by then the request is stored as accepted again
        wire.cut()
        await asyncio.sleep(3)
        assert [one.created_session for one in genesys.creates] == [True, False]
        wire.heal()
        await until(lambda: told(servers, delivery))
    assert told(servers, delivery) == [list(genesys.sessions.values())[-1].join_url]
    assert [one.created_session for one in genesys.creates] == [True, False, True]


UNCLAIMED_AFTER_SECONDS = StorageTiming().unclaimed_after_seconds


async def claimed(database: Database, store: object) -> list[RequestId]:
    """Return the requests that the store takes over, once it holds its lock and earlier calls have timed out."""
    await until(lambda: store._replica_lock.is_held)  # type: ignore[attr-defined]
    await database.age(UNCLAIMED_AFTER_SECONDS + 1)
    return [kept.request.id for kept in await store.orphans()]  # type: ignore[attr-defined]


async def test_request_with_an_unconfirmed_commit_is_worked_once(database: Database, wire: Wire) -> None:
    store, asked = await database.open(), request()
    wire.after(asked.id.encode(), wire.freeze)
    with pytest.raises(MaybeAcceptedError):
        await store.accept(asked)
    wire.heal()
    assert await claimed(database, store) == [asked.id]
    assert await claimed(database, store) == []
    assert not (await store.accept(asked)).is_new
    assert await store.advance(asked.id, RequestState.ACCEPTED, RequestState.CREATING)


async def test_delivery_another_replica_had_is_not_worked_twice(
    database: Database, wire: Wire, url: str, tmp_path: Path
) -> None:
    cut_off, asked = await database.open(), request()
    first = await Database(database.stack, tmp_path / "unused", url).open()
    again = replace(asked, id=new_request_id())
    assert (await first.accept(asked)).is_new
    wire.cut()
    await until(lambda: not cut_off._replica_lock.is_held)
    with pytest.raises(MaybeAcceptedError):
        await cut_off.accept(again)
    wire.heal()
    await until(lambda: cut_off._replica_lock.is_held)
    assert not (await cut_off.accept(again)).is_new
    assert await claimed(database, cut_off) == await claimed(database, first) == []


async def test_one_that_was_not_committed_is_worked_by_nobody(database: Database, wire: Wire) -> None:
    store, asked = await database.open(), request()
    wire.after(b"INSERT INTO requests", wire.freeze)
    with pytest.raises(MaybeAcceptedError):
        await store.accept(asked)
    wire.heal()
    assert await claimed(database, store) == []
    assert await store.find(asked.id) is None


async def test_request_taken_over_unheard_is_worked(database: Database, wire: Wire, url: str) -> None:
    dead, asked = await database.open(), request()
    await dead.accept(asked)
    heir = await database.open()
    await dead._replica_lock.close()
    await asyncio.sleep(0.2)
    wire.after(b"COMMIT", wire.freeze)
    with pytest.raises(StorageUnavailableError):
        await heir.orphans()
    wire.heal()
    assert await claimed(database, heir) == [asked.id]


@pytest.mark.parametrize("how", ["the network", "the server's parting word"])
async def test_database_outage_is_in_the_log_once_each_way(
    database: Database, wire: Wire, url: str, caplog: pytest.LogCaptureFixture, how: str
) -> None:
    def said() -> list[str]:
        return [record.message for record in caplog.records if record.name == "bot.storage.postgres.replica_lock"]

    caplog.set_level(logging.INFO, "bot.storage.postgres.replica_lock")
    store = await database.open()
    if how == "the network":
        wire.cut()
        await until(lambda: said() and not store._replica_lock.is_held)
        wire.heal()
    else:
        server = await asyncpg.connect(url)
        ended = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND classid = $1"
        assert await server.fetch(ended, LOCK_CLASS)
        await server.close()
    await until(lambda: "the database is available again" in said())
    assert said() == ["the database is unavailable", "the database is available again"]


async def test_claimed_request_stays_claimed_however_long_it_takes(database: Database) -> None:
    store, asked = await database.open(), request()
    await store.accept(asked)
    assert await claimed(database, store) == []


async def test_cut_off_replica_refuses_under_load_and_comes_back(servers: Servers, wire: Wire, url: str) -> None:
    slack, genesys = servers.slack, servers.genesys

    async def typed(name: str) -> list[Delivery]:
        deliveries = [slack.command(who, f"{name} {number}") for number in range(5) for who in (ANA, BEN)]
        return await asyncio.gather(*deliveries)

    async with replica(servers, wire.url), replica(servers, url):
        await warm(servers, ANA, BEN)
        genesys.latency_seconds = 0.5
        deliveries = await typed("Being made")
        await until(lambda: len(genesys.creates) == 12)
        wire.cut()
        meanwhile = await typed("Meanwhile")
        assert 1 <= sum(map(is_refused, meanwhile)) <= len(meanwhile) / 2
        await asyncio.sleep(0.5)
        wire.heal()
        genesys.latency_seconds = 0.0
        async with asyncio.timeout(SECONDS):
            while any(map(is_refused, after := await typed("After"))):
                deliveries += after
                await asyncio.sleep(0.2)
        deliveries += meanwhile + after
        await until(lambda: all(told(servers, one) or is_refused(one) for one in deliveries))
        await asyncio.sleep(0.3)
    assert all(one.acked for one in deliveries)
    assert {len(set(told(servers, one))) for one in deliveries if not is_refused(one)} == {1}
    assert len(genesys.creates) - 2 <= sum(not is_refused(one) for one in deliveries)
