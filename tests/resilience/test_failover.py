"""Postgres moves to another server while connections to the old one stay open: each request has one outcome."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest

from bot.core.errors import MaybeAcceptedError, StorageUnavailableError
from bot.core.models import RequestState
from bot.core.timing import StorageTiming
from bot.storage.postgres.replica_lock import ReplicaLock
from tests.support.app import ANA, open_servers
from tests.support.database_faults import agree, said, work
from tests.support.network_line import new_wire
from tests.support.postgres import LOCK_CLASS, new_cluster, new_database
from tests.support.replicas import replica, told, until
from tests.support.storage import Database, die, request, taken_over

LOCKS = "SELECT objid FROM pg_locks WHERE locktype = 'advisory' AND classid = $1"


async def locks(url: str) -> set[int]:
    """Return the owner numbers of the replicas that hold a lock on this server."""
    connection = await asyncpg.connect(url)
    found = await connection.fetch(LOCKS, LOCK_CLASS)
    await connection.close()
    return {row["objid"] for row in found}


async def test_live_work_keeps_its_outcome_when_postgres_moves() -> None:
    async with open_servers() as servers, new_cluster() as cluster, new_wire(cluster.url()) as wire:
        async with replica(servers, wire.url):
            await servers.slack.command(ANA, "Before")
            await until(lambda: servers.genesys.sessions)
            servers.genesys.latency_seconds = 7.0
            delivery = await servers.slack.command(ANA, "Deal")
            await until(lambda: len(servers.genesys.creates) == 2)
            await cluster.fail_over()
            wire.move(cluster.url(standby=True))
            async with replica(servers, cluster.url(standby=True)):  # knows nothing of the old server's locks
                await until(lambda: told(servers, delivery), 25)
                await asyncio.sleep(2.5)  # long enough for a second look at what the dead have left
        assert told(servers, delivery) == [
            servers.genesys.sessions[servers.genesys.creates[-1].session_id or ""].join_url
        ]
        assert len(servers.genesys.creates) == 2


async def test_the_lock_follows_to_the_server_that_takes_writes(tmp_path: Path) -> None:
    async with (
        new_cluster() as cluster,
        new_wire(cluster.url()) as wire,
        AsyncExitStack() as stack,
    ):
        agree(await said(cluster.url(standby=True)), "database_standby", "Give DATABASE_URL the primary's address")
        ports = [urlsplit(cluster.url(standby=standby)).query.rpartition("=")[2] for standby in (True, False)]
        work(await said(f"postgresql://postgres@127.0.0.1:{ports[0]},127.0.0.1:{ports[1]}/postgres"))
        store = await Database(stack, tmp_path, wire.url).open()
        replica_lock, asked = store._replica_lock, request()
        await store.accept(asked)
        await cluster.take_writes(False)
        await until(lambda: not replica_lock.is_held, 6)
        with pytest.raises(MaybeAcceptedError):
            await store.accept(request())
        await cluster.fail_over()
        assert not replica_lock.is_held
        wire.move(cluster.url(standby=True))
        await until(lambda: replica_lock.is_held, 10)
        assert await locks(cluster.url(standby=True)) == {replica_lock.owner}
        assert await locks(cluster.url()) == set()
        assert await store.advance(asked.id, RequestState.ACCEPTED, RequestState.CREATING)
        assert (await store.accept(request())).is_new


async def test_a_refused_write_has_the_lock_looked_after_at_once(tmp_path: Path) -> None:
    async with new_cluster() as cluster, AsyncExitStack() as stack:
        store = await Database(stack, tmp_path, cluster.url()).open()
        await cluster.take_writes(False)
        with pytest.raises(MaybeAcceptedError):
            await store.accept(request())
        await until(lambda: not store._replica_lock.is_held, 1.0)  # by itself it asks every two seconds
        await cluster.take_writes(True)
        await until(lambda: store._replica_lock.is_held, 6)


async def test_recovery_waits_after_a_move_and_fences_the_late(tmp_path: Path) -> None:
    """The locks on the old server are gone. Its replicas may be dead or alive."""
    async with new_database() as url, AsyncExitStack() as stack:
        late = await Database(stack, tmp_path, url).open()
        asked = request()
        await late.accept(asked)
        await late._replica_lock.close()
        admin = await stack.enter_async_context(_admin(url))
        await admin.execute("UPDATE facts SET value = '1.0 0' WHERE name = 'node'")
        heir = await Database(stack, tmp_path, url).open()
        await asyncio.sleep(0.3)
        assert await heir.orphans() == []
        before = "UPDATE facts SET value = split_part(value, ' ', 1) || ' ' || (split_part(value, ' ', 2)::float8 - $1)"
        await admin.execute(f"{before} WHERE name = 'node'", StorageTiming().server_move_seconds - 2)
        assert await heir.orphans() == []
        await admin.execute(f"{before} WHERE name = 'node'", 2.5)
        assert [kept.request.id for kept in await heir.orphans()] == [asked.id]
        late._replica_lock.is_held = True  # it reaches the new server only now
        assert not await late.advance(asked.id, RequestState.ACCEPTED, RequestState.CREATING)


async def test_an_unregistered_server_has_nothing_taken_over(tmp_path: Path) -> None:
    """A pooled connection may lead to the new server before the lock does."""
    async with new_database() as url, AsyncExitStack() as stack:
        dead, heir = [await Database(stack, tmp_path, url).open() for _ in range(2)]
        await dead.accept(request())
        await dead._replica_lock.close()
        admin = await stack.enter_async_context(_admin(url))
        await admin.execute("UPDATE facts SET value = '1.0 0' WHERE name = 'node'")
        await asyncio.sleep(0.3)
        assert await heir.orphans() == []


async def test_replica_that_lost_its_lock_takes_nothing_at_first(tmp_path: Path) -> None:
    """A proxy ends all connections. One replica is back before the other one, which lives, too."""
    async with new_database() as url, AsyncExitStack() as stack:
        database, asked = Database(stack, tmp_path, url), request()
        database.timing = StorageTiming(lock_check_seconds=5.0)
        slow = await database.open()
        database.timing = StorageTiming(lock_check_seconds=0.2, server_move_seconds=6.0)
        quick = await database.open()
        await slow.accept(asked)
        admin = await stack.enter_async_context(_admin(url))
        ended = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND classid = $1"
        assert len(await admin.fetch(ended, LOCK_CLASS)) == 2
        await until(lambda: not quick._replica_lock.is_held)
        await until(lambda: quick._replica_lock.is_held)
        assert await locks(url) == {quick._replica_lock.owner}
        assert await quick.orphans() == []
        await until(lambda: slow._replica_lock.is_held)
        assert await slow.advance(asked.id, RequestState.ACCEPTED, RequestState.CREATING)
        await die(slow)
        assert await quick.orphans() == []
        assert [kept.request.id for kept in (await taken_over(quick))[0]] == [asked.id]


async def test_crash_of_a_backend_takes_no_request_from_the_living(tmp_path: Path) -> None:
    """Postgres ends all connections and locks, but says that it started when it did before."""
    async with new_cluster() as cluster, AsyncExitStack() as stack:
        database, asked = Database(stack, tmp_path, cluster.url()), request()
        database.timing = StorageTiming(lock_check_seconds=0.5)
        quick = await database.open()
        database.timing = StorageTiming(lock_check_seconds=5.0)
        slow = await database.open()
        await slow.accept(asked)
        admin = await asyncpg.connect(cluster.url())
        os.kill(await admin.fetchval("SELECT pg_backend_pid()"), signal.SIGKILL)  # as the kernel without memory does
        await until(lambda: not quick._replica_lock.is_held and not slow._replica_lock.is_held)
        async with asyncio.timeout(20):
            while not slow._replica_lock.is_held:
                with suppress(StorageUnavailableError):
                    assert await quick.orphans() == []
                await asyncio.sleep(0.02)
        assert await slow.advance(asked.id, RequestState.ACCEPTED, RequestState.CREATING)


@asynccontextmanager
async def _admin(url: str) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(url)
    yield connection
    await connection.close()


async def test_lock_of_another_connection_is_not_held_here(tmp_path: Path) -> None:
    """The server has not yet noticed that this replica's last connection ended."""
    async with new_database() as url, AsyncExitStack() as stack:
        await Database(stack, tmp_path, url).open()
        other = await stack.enter_async_context(_admin(url))
        assert await other.fetchval("SELECT pg_try_advisory_lock($1, 7)", LOCK_CLASS)
        replica_lock = ReplicaLock(url, 7, StorageTiming())
        stack.push_async_callback(replica_lock.close)
        with pytest.raises(TimeoutError):
            await replica_lock.open()
        assert not replica_lock.is_held
        assert await other.fetchval("SELECT pg_advisory_unlock($1, 7)", LOCK_CLASS)
        await replica_lock.open()
        assert replica_lock.is_held
