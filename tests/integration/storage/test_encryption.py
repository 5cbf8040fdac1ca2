"""With a key, plain text in an encrypted column counts as missing, on both databases."""

import json
from dataclasses import replace
from typing import Any

import pytest
from cryptography.fernet import Fernet

from bot.core.models import LinkedAccount, PendingAuthorization, RequestKind, RequestState, UserId
from bot.core.requests.recovery import known_failure
from bot.storage.encryption import CHECK
from tests.support import storage as storage_support
from tests.support.storage import ANA, HOST, TEAM, Database, die, execute, request, session, stored

database = storage_support.database
KEY = Fernet.generate_key().decode()
BEN = UserId("U0BEN")
PERSON = (TEAM, ANA)


async def full(database: Database, *keys: str) -> tuple[Any, Any, Any]:
    """Return a store that holds one of each secret."""
    store = await database.open(keys=keys)
    asked, made = request(kind=RequestKind.SEND, argument="s-1 carla@example.com"), request()
    for one in (asked, made):
        await store.accept(one)
    one = replace(session(), join_code="secret-code")
    await store.advance(made.id, RequestState.ACCEPTED, RequestState.CREATED, session=one)
    await store.connections.begin(PendingAuthorization(PERSON, TEAM, None, "secret-verifier"), "hash", 600)
    await store.connections.connect(LinkedAccount(PERSON, HOST, "secret-refresh"))
    return store, asked, made


SECRET_WORDS = ("secret-reply", "carla@example.com", "secret-join", "secret-code", "secret-verifier", "secret-refresh")


async def everything(database: Database) -> str:
    if not database.url:
        return await stored(database)
    import asyncpg

    connection = await asyncpg.connect(database.url)
    tables = ("requests", "sessions", "connects", "connections")
    found = [[dict(row) for row in await connection.fetch(f"SELECT * FROM {table}")] for table in tables]
    await connection.close()
    return json.dumps(found, default=str)


async def test_first_key_seals_what_stands_there_once(database: Database) -> None:
    store, asked, made = await full(database)
    await die(store)
    before = await everything(database)
    assert all(word in before for word in SECRET_WORDS)
    after = await database.open(keys=[KEY])
    sealed = await everything(database)
    assert not [word for word in SECRET_WORDS if word in sealed]
    kept = await after.find(asked.id)
    assert (kept.request.argument, kept.request.reply_url) == (asked.argument, asked.reply_url)
    assert (await after.find(made.id)).session == replace(session(), join_code="secret-code")
    assert (await after.connections.connection(PERSON)).refresh_token == "secret-refresh"
    assert (await after.connections.take("hash")).verifier == "secret-verifier"


UNSEAL = {
    "reply_url": "UPDATE requests SET reply_url = 'https://thief.example/'",
    "argument": "UPDATE requests SET argument = 's-1 thief@example.com'",
    "join_url": "UPDATE sessions SET join_url = 'https://thief.example/'",
    "join_code": "UPDATE sessions SET join_code = 'thief'",
    "refresh_token": "UPDATE connections SET refresh_token = 'thief'",
    "verifier": "UPDATE connects SET verifier = 'thief'",
}


@pytest.mark.parametrize("is_restarted", [False, True])
async def test_unsealed_words_are_none_with_a_key(database: Database, is_restarted: bool) -> None:
    store, asked, made = await full(database, KEY)
    for statement in UNSEAL.values():
        await execute(database, statement)
    if is_restarted:
        await die(store)
        store = await database.open(keys=[KEY])
    kept = await store.find(asked.id)
    assert (kept.request.argument, kept.request.reply_url) == (None, None)
    assert (await store.find(made.id)).session is None
    record = await store.sessions.session("s-1")
    assert (record.session.join_url, record.session.join_code) == ("", "")
    assert (await store.connections.connection(PERSON)).refresh_token == ""
    assert await store.connections.take("hash") is None


@pytest.mark.parametrize("check", [f"UPDATE facts SET value = '{CHECK}' WHERE name = 'key_check'"])
async def test_key_check_put_back_does_not_have_words_sealed(database: Database, check: str) -> None:
    """An attacker who can write to the database pretends that it never had a key."""
    store, asked, _ = await full(database, KEY)
    await die(store)
    for statement in (UNSEAL["reply_url"], check):
        await execute(database, statement)
    after = await database.open(keys=[KEY])
    assert (await after.find(asked.id)).request.reply_url is None


async def test_forged_request_does_not_get_anothers_link(database: Database) -> None:
    """Forge a `created` request with a plain reply_url and the id of Ana's session, and restart."""
    store, _, _ = await full(database, KEY)
    forged = request(requester=BEN, reply_url="https://thief.example/")
    await store.accept(forged)
    spoil = f"UPDATE requests SET state = 'created', session_id = 's-1', reply_url = 'x' WHERE id = '{forged.id}'"
    await die(store)
    await execute(database, spoil)
    after = await database.open(keys=[KEY])
    (taken,) = [mine for mine in await storage_support.taken_over(after) if mine]
    (kept,) = [one for one in taken if one.request.id == forged.id]
    assert kept.request.reply_url is None
    assert "secret-join" not in repr(known_failure(kept))
    assert kept.session is None


@pytest.mark.parametrize("url", ["javascript:alert(1)", "http://join.example/", "https://a:b@join.example/", "x"])
async def test_link_that_is_not_safe_is_none_when_it_is_read(database: Database, url: str) -> None:
    store, _, made = await full(database)
    await execute(database, f"UPDATE sessions SET join_url = '{url}'")
    assert (await store.sessions.session("s-1")).session.join_url == ""
    assert (await store.find(made.id)).session is None
