"""Store what co-browse in conversations needs: the conversation, and a join code that is encrypted and wiped."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path

from cryptography.fernet import Fernet

from bot.core.errors import SeveralConversationsError
from bot.core.models import ConversationId, RequestState, SessionId, UserId
from bot.core.stored_errors import from_record, to_record
from bot.core.validation.conversations import LiveConversation
from bot.storage.encryption import Encryptor
from bot.storage.repositories.sessions import MAX_IN_CONVERSATIONS
from bot.storage.sqlite.store import SQLiteStore
from tests.support import storage as storage_support
from tests.support.storage import ANA, HOST, START, TEAM, Database, column, die, files, request, session

database = storage_support.database
NOWHERE = "99999999-9999-4999-8999-999999999999"


async def test_code_survives_a_restart_and_is_wiped_with_the_session(
    database: Database,
) -> None:
    before = await database.open()
    alone = replace(session("alone"), join_url="", join_code="123456789")
    both = replace(session("both"), join_code="987654321")
    asked = [request(conversation_id=ConversationId(NOWHERE)) for _ in range(2)]
    for one, made in zip(asked, (alone, both), strict=True):
        await before.accept(one)
        await before.advance(one.id, RequestState.ACCEPTED, RequestState.CREATED, session=made)
    await die(before)
    after = await database.open()
    kept = {one.request.id: one for one in await after.orphans()}
    assert [kept[one.id].session for one in asked] == [alone, both]
    assert {one.request.conversation_id for one in kept.values()} == {NOWHERE}
    await database.age(31 * 60)
    await after.sweep()
    for one in asked:
        assert (await after.find(one.id)).session is None
    assert await column(database, "join_code") == {None}


async def test_equal_words_for_another_conversation_are_no_duplicate(database: Database) -> None:
    store = await database.open()
    first = request(conversation_id=ConversationId(NOWHERE))
    await store.accept(first)
    for other, duplicate_of in ((NOWHERE, first.id), (HOST, None), (None, None)):
        again = replace(first, id=request().id, key=request().key, conversation_id=other)
        assert (await store.accept(again)).duplicate_of == duplicate_of


async def test_a_code_is_sealed_with_the_link(tmp_path: Path) -> None:
    key = Fernet.generate_key().decode()
    store = SQLiteStore(str(tmp_path / "bot.db"), encryptor=Encryptor([key]), retention_days=30)
    asked = request()
    await store.accept(asked)
    made = replace(session(), join_url="", join_code="code-123456789")
    await store.advance(asked.id, RequestState.ACCEPTED, RequestState.CREATED, session=made)
    assert (await store.find(asked.id)).session == made
    await store.close()
    assert b"code-123456789" not in b"".join(path.read_bytes() for path in files(tmp_path))


def test_stored_choice_names_no_customer() -> None:
    several = SeveralConversationsError(candidates=(LiveConversation(ConversationId(NOWHERE), START, "Carla"),))
    text = json.dumps(to_record(several))
    assert "Carla" not in text
    again = from_record(json.loads(text))
    assert isinstance(again, SeveralConversationsError)
    (candidate,) = again.candidates
    assert (candidate.id, candidate.since, candidate.customer) == (NOWHERE, START, "")


async def test_open_session_is_found_by_the_conversation_that_was_named_or_found(database: Database) -> None:
    store = await database.open()
    named, found = ConversationId(NOWHERE), ConversationId(NOWHERE.replace("9", "8"))
    made = {
        "named": (request(conversation_id=named), session("named")),
        "older": (request(), replace(session("older"), conversation_id=found)),
        "newer": (request(), replace(session("newer"), conversation_id=found)),
        "unknown": (request(), session("unknown")),
        "another": (request(requester=UserId("U0BEN")), replace(session("another"), conversation_id=found)),
    }
    for asked, one in made.values():
        await store.accept(asked)
        await store.advance(asked.id, RequestState.ACCEPTED, RequestState.CREATED, session=one)
        await database.age(0.01)
    records = await store.sessions.open_by_conversation(TEAM, (ANA, UserId("W0ANA")))
    assert {each: record.session.id for each, record in records.items()} == {named: "named", found: "newer"}
    assert records[found].session.conversation_id == found
    assert records[found].session.join_url == session().join_url
    assert (await store.find(made["named"][0].id)).request.conversation_id == named
    await store.sessions.end_session(SessionId("newer"), None)
    records = await store.sessions.open_by_conversation(TEAM, (ANA,))
    assert records[found].session.id == "older"
    await database.age(31 * 60)
    assert await store.sessions.open_by_conversation(TEAM, (ANA,)) == {}


async def test_newest_session_of_a_conversation_is_found_under_either_id(database: Database) -> None:
    store, other_id = await database.open(), UserId("W0ANA")
    for name, requester in (("first", ANA), ("second", other_id), ("third", ANA)):
        asked = request(requester=requester, conversation_id=ConversationId(NOWHERE))
        await store.accept(asked)
        await store.advance(asked.id, RequestState.ACCEPTED, RequestState.CREATED, session=session(name))
        await database.age(0.01)
    for ids in ((ANA, other_id), (other_id, ANA)):
        (record,) = (await store.sessions.open_by_conversation(TEAM, ids)).values()
        assert record.session.id == "third"


async def test_newest_session_is_found_among_more_than_are_read(database: Database) -> None:
    store = await database.open()

    async def store_session(name: str) -> None:
        asked = request(conversation_id=ConversationId(NOWHERE))
        await store.accept(asked)
        await store.advance(asked.id, RequestState.ACCEPTED, RequestState.CREATED, session=session(name))

    await asyncio.gather(*(store_session(f"older-{number}") for number in range(MAX_IN_CONVERSATIONS)))
    await database.age(0.01)
    await store_session("newest")
    (record,) = (await store.sessions.open_by_conversation(TEAM, (ANA,))).values()
    assert record.session.id == "newest"
