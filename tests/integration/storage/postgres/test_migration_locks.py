"""A migration while other replicas run: it does not keep them waiting, and it comes through in the end."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import asyncpg
import pytest

from bot.core.models import LinkedAccount
from bot.core.timing import StorageTiming
from bot.storage.errors import StorageSetupError
from bot.storage.open import open_store
from bot.storage.schema import TABLES, VERSION
from tests.support.postgres import new_database
from tests.support.storage import ANA, HOST, TEAM, read_facts, request

TIMING = StorageTiming(migration_lock_seconds=0.1, migration_pause_seconds=0.05)
HELD_SECONDS = 1.5


@pytest.fixture
async def older() -> AsyncIterator[str]:
    """A database of the schema before workspaces, with a row in the table that a sign-in locks."""
    async with new_database() as url:
        async with open_store(url) as store:
            await store.connections.connect(LinkedAccount((TEAM, ANA), HOST, "token"))
        connection = await asyncpg.connect(url)
        for table in TABLES:
            await connection.execute(f"ALTER TABLE {table} DROP COLUMN workspace")
        await connection.execute("UPDATE facts SET value = '10' WHERE name = 'version'")
        await connection.close()
        yield url


async def migrated(url: str, timing: StorageTiming = TIMING) -> None:
    async with open_store(url, timing=timing) as store:
        assert (await store.accept(request())).is_new


async def test_replicas_do_not_wait_for_a_migration_that_waits(older: str) -> None:
    holder, replica = await asyncpg.connect(older), await asyncpg.connect(older)
    await holder.execute("BEGIN")
    await holder.execute("SELECT 1 FROM connections FOR UPDATE")  # while Genesys is asked, for up to 15 s
    migration = asyncio.create_task(migrated(older))
    loop, slowest = asyncio.get_running_loop(), 0.0
    ends_at = loop.time() + HELD_SECONDS
    while (began := loop.time()) < ends_at:
        await replica.execute("SELECT count(*) FROM sessions s JOIN requests r ON r.id = s.request_id")
        slowest = max(slowest, loop.time() - began)
        await asyncio.sleep(0.01)
    assert slowest < HELD_SECONDS / 2
    assert not migration.done()
    await holder.execute("COMMIT")
    await migration
    assert (await read_facts(older))["version"] == str(VERSION)
    await holder.close()
    await replica.close()


async def test_migration_that_never_gets_a_table_is_refused(older: str) -> None:
    holder = await asyncpg.connect(older)
    await holder.execute("BEGIN")
    await holder.execute("SELECT 1 FROM connections FOR UPDATE")
    with pytest.raises(StorageSetupError, match="55P03"):  # lock_not_available
        await migrated(older, replace(TIMING, migration_seconds=0.5))
    await holder.close()
    assert (await read_facts(older))["version"] == "10"
