"""A machine that loses its power or network: other replicas take over its requests within thirty seconds.

The loss takes about 15 seconds to notice, so one test checks everything.
"""

import asyncio
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from bot.core.errors import MaybeAcceptedError, StorageUnavailableError
from bot.core.models import Request, RequestId, RequestState
from bot.storage.mapping import transition
from bot.storage.postgres.store import _fetch
from tests.support.app import ANA, open_servers
from tests.support.bot_processes import Bots
from tests.support.network_line import CAN_LOSE, Wire, new_wire
from tests.support.postgres import new_database
from tests.support.replicas import replica, told, until
from tests.support.storage import Database, request

pytestmark = pytest.mark.skipif(not CAN_LOSE, reason="a line can be lost on Linux only")
LIMIT_SECONDS = 30.0


class Lost:
    """A replica with a separate wire and one accepted request."""

    def __init__(self, store: Any, wire: Wire) -> None:
        self.store, self.wire, self.asked = store, wire, request()
        self.busy: asyncio.Task[None] | None = None

    async def with_an_answer_under_way(self) -> None:
        """Run a statement on the lock's connection whose answer comes after the loss.

        The server's TCP then sends this answer again and again, and sends no keepalive.
        """
        self.store._replica_lock._maintaining.cancel()
        self.busy = asyncio.create_task(self.store._replica_lock._connection.execute("SELECT pg_sleep(1)"))

    async def in_the_middle_of_a_transaction(self) -> None:
        """Lock the request's row in a transaction that is not committed before the loss."""
        changed = asyncio.Event()

        async def move() -> None:
            values = transition(self.asked.id, RequestState.ACCEPTED, RequestState.CREATING, None, None)
            async with self.store._transaction() as connection:
                await _fetch(connection, "advance", values | {"owner": self.store._replica_lock.owner})
                changed.set()
                await asyncio.sleep(LIMIT_SECONDS / 2)

        self.busy = asyncio.create_task(move())
        await changed.wait()


async def seconds_until_taken(store: Any, asked: Sequence[Request]) -> dict[RequestId, float]:
    """Return for each request how long it took until this store took it over. Each is taken over once."""
    began, taken = time.monotonic(), {}
    async with asyncio.timeout(2 * LIMIT_SECONDS):
        while len(taken) < len(asked):
            for kept in await store.orphans():
                assert kept.request.id not in taken
                taken[kept.request.id] = time.monotonic() - began
            await asyncio.sleep(0.2)
    return taken


async def noticed_and_harmless(lost: Lost) -> None:
    """Check that the cut-off replica accepts and starts nothing within seconds, and refuses commands at once."""
    await until(lambda: not lost.store._replica_lock.is_held, 10)
    began = time.monotonic()
    with pytest.raises(MaybeAcceptedError):
        await lost.store.accept(request())
    with pytest.raises(StorageUnavailableError):
        await lost.store.advance(lost.asked.id, RequestState.ACCEPTED, RequestState.CREATING)
    assert time.monotonic() - began < 1


async def back_in_business(lost: Lost) -> None:
    """Check that the replica works again, but not on requests that others have taken over."""
    lost.wire.heal()
    await until(lambda: lost.store._replica_lock.is_held, LIMIT_SECONDS)
    assert not await lost.store.advance(lost.asked.id, RequestState.ACCEPTED, RequestState.CREATING)
    assert (await lost.store.accept(request())).is_new


async def lost_replicas_leave_their_requests_in_time(folder: Path) -> None:
    async with new_database() as url, AsyncExitStack() as stack:
        survivor = await Database(stack, folder, url).open()
        lost = []
        for _ in range(3):
            wire = await stack.enter_async_context(new_wire(url))
            lost.append(Lost(await Database(stack, folder, wire.url).open(), wire))
            await lost[-1].store.accept(lost[-1].asked)
        idle, sending, changing = lost
        await sending.with_an_answer_under_way()
        await changing.in_the_middle_of_a_transaction()
        for one in lost:
            one.wire.lose()
        taken, _ = await asyncio.gather(
            seconds_until_taken(survivor, [one.asked for one in lost]), noticed_and_harmless(idle)
        )
        print("taken over after", {name: round(seconds, 1) for name, seconds in taken.items()})  # noqa: T201 - with -s
        assert max(taken.values()) < LIMIT_SECONDS
        await back_in_business(idle)
        for one in lost:
            one.wire.heal()
        await asyncio.gather(*(one.busy for one in lost if one.busy), return_exceptions=True)


async def a_lost_bots_create_is_told_by_another_in_time(folder: Path) -> None:
    async with open_servers() as servers, new_database() as url, new_wire(url) as wire:
        bots = Bots(servers, wire.url, folder)
        process = await bots.start()
        await servers.slack.command(ANA, "Before")
        await until(lambda: servers.genesys.sessions)
        servers.genesys.latency_seconds = 60
        delivery = await servers.slack.command(ANA, "Deal")
        await until(lambda: len(servers.genesys.creates) == 2)
        async with replica(servers, url):
            wire.lose()
            process.kill()
            await until(lambda: told(servers, delivery), LIMIT_SECONDS)
            (interrupted,) = told(servers, delivery)
            assert "I was restarted meanwhile" in interrupted
        await bots.close()


async def test_lost_hosts_requests_are_taken_over_in_thirty_seconds(tmp_path: Path) -> None:
    await asyncio.gather(
        lost_replicas_leave_their_requests_in_time(tmp_path), a_lost_bots_create_is_told_by_another_in_time(tmp_path)
    )
