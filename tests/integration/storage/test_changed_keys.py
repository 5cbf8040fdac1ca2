"""The encryption keys change while a store is open: what is stored stays readable, and replicas know of the new key."""

import asyncio
from typing import Any

import pytest
from cryptography.fernet import Fernet

from bot.core.errors import StorageUnavailableError
from bot.core.timing import StorageTiming
from bot.storage.encryption import Encryptor
from bot.storage.errors import StorageSetupError
from bot.storage.repositories.secrets import SecretCounts
from tests.support import storage as storage_support
from tests.support.storage import Database, die, run_sql
from tests.support.stored_secrets import fill, texts

database = storage_support.database
OLD, NEW, OTHER = (Fernet.generate_key().decode() for _ in range(3))


async def readable(store: Any, made: list[Any]) -> bool:
    """Return whether the store reads the secrets of all these requests."""
    kept = [await store.find(asked.id) for asked in made]
    return all(each.request.argument == asked.argument for each, asked in zip(kept, made, strict=True))


async def test_new_key_encrypts_and_the_old_one_still_decrypts(database: Database) -> None:
    database.timing = StorageTiming(accept_timeout_seconds=0.5)
    store = await database.open(keys=[OLD])
    made = await fill(store)
    await store.use_keys([OLD, NEW])
    assert await store.secrets.count() == SecretCounts(newest=16)
    await store.use_keys([NEW, OLD])
    made += await fill(store, 1)
    assert await store.secrets.count() == SecretCounts(newest=8, older=10)
    assert await readable(store, made)
    await store.secrets.rotate()
    await store.use_keys([NEW])
    assert all(Encryptor([NEW]).is_current(text) for text in await texts(database))
    assert await readable(store, made)
    await die(store)
    assert await readable(await database.open(keys=[NEW]), made)  # its check of the key was written, too


async def test_key_that_is_still_needed_is_not_dropped(database: Database) -> None:
    database.timing = StorageTiming(accept_timeout_seconds=0.5)
    store = await database.open(keys=[OLD])
    made = await fill(store)
    await store.use_keys([NEW, OLD])
    with pytest.raises(StorageSetupError) as refused:
        await store.use_keys([NEW])
    assert refused.value.code == "database_key_needed"
    assert await readable(store, made)


async def test_keys_of_another_database_are_refused(database: Database) -> None:
    store = await database.open(keys=[OLD])
    made = await fill(store)
    with pytest.raises(StorageSetupError) as refused:
        await store.use_keys([OTHER])
    assert refused.value.code == "database_key_mismatch"
    assert await readable(store, made)
    assert await store.secrets.count() == SecretCounts(newest=16)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_keys_stay_as_they_are_if_the_database_does_not_take_new_ones(database: Database) -> None:
    store = await database.open(keys=[OLD])
    made = await fill(store)
    await run_sql(store, "CREATE TRIGGER full BEFORE UPDATE ON facts BEGIN SELECT raise(ABORT, 'disk full'); END")
    with pytest.raises(StorageUnavailableError):
        await store.use_keys([NEW, OLD])
    made += await fill(store, 1)
    assert all(Encryptor([OLD]).is_current(text) for text in await texts(database))
    await run_sql(store, "DROP TRIGGER full")
    await store.use_keys([NEW, OLD])
    assert await readable(store, made)


@pytest.mark.parametrize("database", ["postgres"], indirect=True)
async def test_replicas_see_that_another_one_changed_its_key(database: Database) -> None:
    database.timing = StorageTiming(accept_timeout_seconds=0.5, lock_check_seconds=0.5)
    first, second = await database.open(keys=[OLD, NEW]), await database.open(keys=[OLD, NEW])
    assert await second.replicas_with_other_key() == 0
    await first.use_keys([NEW, OLD])
    await _others(second, 1)
    await second.use_keys([NEW, OLD])
    await _others(second, 0)
    assert await first.replicas_with_other_key() == 0


async def _others(store: Any, count: int) -> None:
    """Wait until so many replicas encrypt with another key than this store: the lock is taken by another task."""
    async with asyncio.timeout(15):
        while await store.replicas_with_other_key() != count:  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("database", ["postgres"], indirect=True)
async def test_changed_key_is_announced_again_after_a_lost_lock(database: Database) -> None:
    database.timing = StorageTiming(accept_timeout_seconds=0.5, lock_check_seconds=0.5)
    first, second = await database.open(keys=[OLD, NEW]), await database.open(keys=[NEW, OLD])
    await first.use_keys([NEW, OLD])
    await _others(second, 0)
    first._replica_lock._connection.terminate()
    await asyncio.sleep(0)
    await _others(second, 0)
    async with asyncio.timeout(15):
        while not first._replica_lock.is_held:  # noqa: ASYNC110 - another task takes it
            await asyncio.sleep(0.05)
    assert await second.replicas_with_other_key() == 0


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_address_of_a_file_cannot_change(database: Database) -> None:
    store = await database.open()
    with pytest.raises(StorageSetupError) as refused:
        await store.use_address("sqlite:///another.db")
    assert refused.value.code == "database_address_changed"
