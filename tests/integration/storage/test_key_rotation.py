"""Everything that is stored encrypted gets the newest key, on both databases. A stopped rotation can be repeated."""

import asyncio
from dataclasses import replace
from typing import Any

import asyncpg
import pytest
from cryptography.fernet import Fernet

from bot.core.errors import StorageUnavailableError
from bot.core.models import LinkedAccount
from bot.core.timing import StorageTiming
from bot.storage.encryption import Encryptor
from bot.storage.repositories.secrets import PAGE, SecretCounts
from tests.support import storage as storage_support
from tests.support.storage import ANA, HOST, TEAM, Database, die, session
from tests.support.stored_secrets import BEN, fill, texts

database = storage_support.database
OLD, NEW, LOST = (Fernet.generate_key().decode() for _ in range(3))


async def test_everything_is_encrypted_with_the_newest_key(database: Database) -> None:
    store = await database.open(keys=[OLD])
    made = await fill(store)
    await die(store)
    rotating = await database.open(keys=[NEW, OLD])
    assert await rotating.secrets.count() == SecretCounts(older=16)
    rotation = await rotating.secrets.rotate()
    assert (rotation.changed, rotation.left) == (16, SecretCounts(newest=16))
    assert all(Encryptor([NEW]).is_current(text) for text in await texts(database))
    await die(rotating)
    after = await database.open(keys=[NEW])  # the old key is away
    for number, asked in enumerate(made):
        kept = await after.find(asked.id)
        assert (kept.request.argument, kept.request.reply_url) == (asked.argument, asked.reply_url)
        assert kept.session == replace(session(f"s-{number}"), join_code="code")
    assert (await after.connections.connection((TEAM, BEN))).refresh_token == f"refresh {BEN}"
    assert (await after.connections.take(f"hash {ANA}")).verifier == "verifier"


async def test_second_rotation_changes_nothing(database: Database) -> None:
    store = await database.open(keys=[OLD])
    await fill(store)
    await die(store)
    store = await database.open(keys=[NEW, OLD])
    await store.secrets.rotate()
    before = await texts(database)
    assert (await store.secrets.rotate()).changed == 0
    assert await texts(database) == before


async def test_stopped_rotation_is_finished_by_the_next(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    store = await database.open(keys=[OLD])
    made = await fill(store)
    await die(store)
    store = await database.open(keys=[NEW, OLD])
    fetch, calls = store.fetch, 0

    async def failing(name: str, values: Any) -> Any:
        nonlocal calls
        calls += name.startswith("rotate_")
        if calls > 4:
            raise StorageUnavailableError
        return await fetch(name, values)

    monkeypatch.setattr(store, "fetch", failing)
    with pytest.raises(StorageUnavailableError):
        await store.secrets.rotate()
    monkeypatch.setattr(store, "fetch", fetch)
    counts = await store.secrets.count()
    assert counts.newest
    assert counts.older
    for asked in made:  # all of it can be read in between
        assert (await store.find(asked.id)).request.argument == asked.argument
    assert (await store.secrets.rotate()).left == SecretCounts(newest=16)


async def test_secret_that_no_key_decrypts_stays_as_it_is(database: Database) -> None:
    store = await database.open(keys=[OLD])
    await fill(store, 1)
    await store.connections.connect(
        LinkedAccount((TEAM, ANA), HOST, Encryptor([LOST]).encrypt("x") or "")  # a text that is encrypted twice
    )
    await die(store)
    lost = Encryptor([LOST]).encrypt("refresh")
    await storage_support.execute(database, f"UPDATE connections SET refresh_token = '{lost}' WHERE user_id = 'U0ANA'")
    store = await database.open(keys=[NEW, OLD])
    rotation = await store.secrets.rotate()
    assert (rotation.left.older, rotation.left.unreadable) == (0, 1)
    assert lost in await texts(database)


async def test_more_rows_than_a_page_are_rotated(database: Database) -> None:
    store = await database.open(keys=[OLD])
    encrypt = Encryptor([OLD]).encrypt
    insert = """INSERT INTO requests (id, key, owner, state, kind, team_id, channel_id, requester, replaces, same,
        accepted_at, argument) VALUES (:id, :id, 1, 'answered', 'list', 'T', 'C', 'U0ANA', false, :id, 1, :argument)
        RETURNING id"""
    count = 2 * PAGE + 7
    for number in range(count):
        await storage_support.run_sql(store, insert, id=f"r{number}", argument=encrypt("1"))
    await die(store)
    store = await database.open(keys=[NEW, OLD])
    rotation = await store.secrets.rotate()
    assert (rotation.changed, rotation.left) == (count, SecretCounts(newest=count))


async def test_rotation_undoes_no_write_of_a_running_bot(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """A request is answered, a session ended and a sign-in renewed, each between the rotation's read and its write."""
    store = await database.open(keys=[OLD])
    (asked,) = await fill(store, 1)
    await die(store)
    store = await database.open(keys=[NEW, OLD])
    renewed = Encryptor([NEW]).encrypt("renewed")
    writes = {
        "rotate_requests": "UPDATE requests SET state = 'answered', reply_url = NULL, argument = NULL",
        "rotate_sessions": "UPDATE sessions SET join_url = NULL, join_code = NULL",
        "rotate_connections": f"UPDATE connections SET refresh_token = '{renewed}'",
    }
    fetch = store.fetch

    async def late(name: str, values: Any) -> Any:
        if write := writes.pop(name, None):
            await storage_support.execute(database, write)
        return await fetch(name, values)

    monkeypatch.setattr(store, "fetch", late)
    rotation = await store.secrets.rotate()
    assert rotation.left.older == 0
    kept = await store.find(asked.id)
    assert (kept.request.reply_url, kept.request.argument, kept.session) == (None, None, None)
    for person in (ANA, BEN):
        assert (await store.connections.connection((TEAM, person))).refresh_token == "renewed"


@pytest.mark.parametrize("database", ["postgres"], indirect=True)  # with SQLite, no bot runs beside a rotation
async def test_sign_in_that_is_being_renewed_is_left_out_and_done_later(database: Database) -> None:
    """The renewing replica holds the row. Its write succeeds, and the rotation comes back to the row."""
    store = await database.open(keys=[OLD])
    await fill(store, 1)
    database.timing = StorageTiming(statement_timeout_seconds=0.3)
    other = await database.open(keys=[NEW, OLD])
    async with other.connections.holding((TEAM, ANA)) as account:
        rotating = asyncio.create_task(other.secrets.rotate())
        async with asyncio.timeout(10):
            while (await other.secrets.count()).older > 1:  # noqa: ASYNC110 - nothing tells of it
                await asyncio.sleep(0.05)
        await asyncio.sleep(0.6)  # longer than a statement may wait
        assert await account.renew("renewed")
    rotation = await rotating
    assert rotation.left.older == 0
    assert (await other.connections.connection((TEAM, ANA))).refresh_token == "renewed"


async def test_replicas_with_another_newest_key_are_counted(database: Database) -> None:
    first = await database.open(keys=[OLD])
    if not database.url:
        assert await first.replicas_with_other_key() == 0
        return
    assert await first.replicas_with_other_key() == 0
    second = await database.open(keys=[NEW, OLD])
    assert (await first.replicas_with_other_key(), await second.replicas_with_other_key()) == (1, 1)
    await die(first)
    async with asyncio.timeout(10):
        while await second.replicas_with_other_key():  # noqa: ASYNC110 - the server notices
            await asyncio.sleep(0.05)
    await database.open(keys=[NEW, OLD])
    assert await second.replicas_with_other_key() == 0
    older = await asyncpg.connect(database.url)  # a version that says nothing about its key
    await older.execute("SELECT pg_advisory_lock(6516578, 999)")
    assert await second.replicas_with_other_key() == 1
    await older.close()
