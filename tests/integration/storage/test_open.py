"""Open a database with another key, or at an address where there is none."""

import pytest
from cryptography.fernet import Fernet

from bot.core.models import RequestState
from bot.storage.errors import StorageSetupError
from bot.storage.open import open_store
from tests.support import storage as storage_support
from tests.support.storage import Database, die, request, session, stored

database = storage_support.database


@pytest.mark.parametrize("keys", [[], [Fernet.generate_key().decode()]], ids=["without a key", "with one"])
async def test_links_are_readable_in_the_database_only_without_a_key(database: Database, keys: list[str]) -> None:
    store = await database.open(keys=keys)
    asked, made = request(), request()
    for one in (asked, made):
        await store.accept(one)
    await store.advance(made.id, RequestState.ACCEPTED, RequestState.CREATED, session=session())
    assert (await store.find(asked.id)).request.reply_url == asked.reply_url
    assert (await store.find(made.id)).session == session()
    await die(store)
    found = await stored(database)
    assert asked.id in found
    assert ("secret-reply" in found, "secret-join" in found) == ((False, False) if keys else (True, True))


async def test_new_key_before_the_old_one_reads_old_values(database: Database) -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    store = await database.open(keys=[old])
    asked = request()
    await store.accept(asked)
    await store.advance(asked.id, RequestState.ACCEPTED, RequestState.CREATED, session=session())
    await die(store)
    rotated = await database.open(keys=[new, old])
    kept = await rotated.find(asked.id)
    assert (kept.session, kept.request.reply_url) == (session(), asked.reply_url)
    await die(rotated)
    for keys in ([], [Fernet.generate_key().decode()], [old]):
        with pytest.raises(StorageSetupError, match="STORE_ENCRYPTION_KEY does not fit"):
            await database.open(keys=keys)
    await die(await database.open(keys=[new]))


async def test_first_key_leaves_unencrypted_values_readable(database: Database) -> None:
    store = await database.open()
    asked = request()
    await store.accept(asked)
    await die(store)
    sealed = await database.open(keys=[Fernet.generate_key().decode()])
    assert (await sealed.find(asked.id)).request.reply_url == asked.reply_url


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("postgresql://bot:hush@127.0.0.1:1/bot", "database_connection_refused"),
        ("postgresql://bot:x:hush@127.0.0.1:hush/bot", "database_address_invalid"),
        ("postgresql://[hush/bot", "database_address_invalid"),
        ("postgresql://bot:hush@127.0.0.1:1/bot?sslmode=hush", "database_address_invalid"),
        ("postgresql://bot:hush@a..b:1/bot", "database_address_invalid"),
    ],
)
async def test_an_address_that_leads_to_no_postgres_is_not_shown(url: str, code: str) -> None:
    with pytest.raises(StorageSetupError, match="DATABASE_URL") as refused:
        async with open_store(url):
            pass
    assert refused.value.code == code
    assert "hush" not in str(refused.value)
