"""Watched sessions on both databases: when each is due, who may tell about it, and what is stored of its state."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.core.models import (
    ConversationId,
    RequestState,
    SessionEnding,
    SessionId,
    SessionPhase,
    SessionRecord,
    SessionState,
)
from bot.storage.encryption import new_key
from bot.storage.repositories.sessions import SessionTable
from tests.support import storage
from tests.support.postgres import new_database
from tests.support.storage import Database, request, run_sql, session

database = storage.database
URL = "https://hooks.slack.com/commands/secret"
ONE, TWO = SessionId("s-1"), SessionId("s-2")
OVER = SessionState(SessionPhase.OVER, ending=SessionEnding.CUSTOMER)


async def made(store: Any, name: str = "s-1", conversation: str = "c-1", minutes: float = 30) -> None:
    """Store an open session in a conversation."""
    asked = request()
    await store.accept(asked)
    one = replace(session(name, minutes), application_id="", conversation_id=ConversationId(conversation))
    await store.advance(asked.id, RequestState.ACCEPTED, RequestState.CREATED, session=one)


async def stored(store: Any) -> SessionRecord:
    record = await store.sessions.session(ONE)
    assert record
    return record


async def due(store: Any) -> list[str]:
    return [each.id for each in await store.watches.take_due(10, 60)]


async def test_session_is_watched_once_and_due_after_its_pause(database: Database) -> None:
    store = await database.open()
    await made(store)
    assert await store.watches.watch(ONE, URL, 2, 60, 5)
    assert not await store.watches.watch(ONE, "https://other", 9, 60, 0)
    assert not await store.watches.watch(SessionId("unknown"), URL, 2, 60, 0)
    assert await due(store) == []
    (watched,) = await store.watches.watched(10)
    assert (watched.id, watched.conversation_id, watched.looks) == (ONE, "c-1", 0)
    await database.age(6)
    assert await due(store) == [ONE]
    assert await due(store) == [], "another replica does not take it meanwhile"
    await store.watches.pause(ONE, 7, looked=True)
    await database.age(6)
    assert await due(store) == []
    await database.age(2)
    assert [each.looks for each in await store.watches.take_due(10, 60)] == [1]


async def test_hint_makes_a_session_due_even_during_a_look(database: Database) -> None:
    store = await database.open()
    for name, conversation in ((ONE, "c-1"), (TWO, "c-2")):
        await made(store, name, conversation)
        await store.watches.watch(name, None, 0, 60, 30)
    assert await store.watches.hasten(ConversationId("c-1")) == [ONE]
    assert await due(store) == [ONE]
    await store.watches.hasten(ConversationId("c-1"))
    await store.watches.pause(ONE, 50, looked=True)
    assert await due(store) == [ONE], "the pause does not hide the hint"
    assert sorted(await store.watches.hasten(None)) == [ONE, TWO]
    assert sorted(await due(store)) == [ONE, TWO]


async def test_sessions_that_were_seldom_looked_at_come_first(database: Database) -> None:
    store = await database.open()
    for name in (ONE, TWO):
        await made(store, name)
        await store.watches.watch(name, None, 0, 60, 0)
    await store.watches.take_due(10, 0)
    await store.watches.pause(ONE, -20, looked=True)
    assert [each.id for each in await store.watches.take_due(1, 60)] == [TWO]


async def test_session_that_a_hint_is_about_comes_before_all_others(database: Database) -> None:
    store = await database.open()
    for name, conversation in ((ONE, "c-1"), (TWO, "c-2")):
        await made(store, name, conversation)
        await store.watches.watch(name, None, 0, 60, 30)
    await store.watches.pause(TWO, 30, looked=True)
    await store.watches.hasten(None)
    assert await store.watches.hasten(ConversationId("c-2")) == [TWO], "also if it is due already"
    assert [each.id for each in await store.watches.take_due(1, 60)] == [TWO]
    assert [each.id for each in await store.watches.take_due(1, 60)] == [ONE]


async def test_response_url_is_given_out_as_often_as_it_works(database: Database) -> None:
    store = await database.open(keys=[new_key()])
    await made(store)
    await store.watches.watch(ONE, URL, 2, 60, 5)
    (row,) = await run_sql(store, "SELECT reply_url FROM watches")
    assert "secret" not in row["reply_url"]
    assert [await store.watches.take_reply(ONE, is_last=False) for _ in range(3)] == [URL, URL, None]
    assert await store.watches.take_reply(ONE, is_last=True) is None
    assert await store.watches.watched(10) == []


async def test_last_use_ends_the_watch(database: Database) -> None:
    store = await database.open()
    await made(store)
    await store.watches.watch(ONE, URL, 2, 60, 5)
    assert [await store.watches.take_reply(ONE, is_last=True) for _ in range(2)] == [URL, None]


async def test_response_url_is_too_old_after_its_time_and_forgotten(database: Database) -> None:
    store = await database.open()
    for name in (ONE, TWO):
        await made(store, name)
        await store.watches.watch(name, URL, 2, 60, 0)
    await database.age(61)
    assert await store.watches.take_reply(ONE, is_last=False) is None
    await store.watches.pause(ONE, 60, looked=True)
    assert [row["reply_url"] for row in await run_sql(store, "SELECT reply_url FROM watches ORDER BY 1")].count(
        URL
    ) == 1
    await store.sweep()
    assert [row["reply_url"] for row in await run_sql(store, "SELECT reply_url FROM watches")] == [None, None]
    await database.age(86_400)
    await store.sweep()
    assert await store.watches.watched(10) == []


async def test_joined_customer_is_recorded_once_and_keeps_it_open(database: Database) -> None:
    store = await database.open()
    await made(store, minutes=1)
    joined_at = datetime.now(UTC).replace(microsecond=0)
    sessions: SessionTable = store.sessions
    assert [await sessions.record_joined(await stored(store), joined_at, 600) for _ in range(2)] == [True, False]
    await database.age(120)
    record = await sessions.session(ONE)
    assert record
    assert record.state.phase is SessionPhase.JOINED
    assert (record.is_over, record.is_gone, record.session.join_url) == (False, True, "")
    other = (await store.accept(request())).other_open
    assert other
    assert (other.id, other.ends_at) == (ONE, None), "nobody knows when a joined session ends"
    await sessions.keep_joined(ONE, 3600)
    await database.age(1000)
    again = await sessions.session(ONE)
    assert again
    assert not again.is_over


async def test_end_is_recorded_once_with_its_cause_and_takes_the_link(database: Database) -> None:
    store = await database.open()
    await made(store)
    sessions: SessionTable = store.sessions
    joined_at = datetime.now(UTC) - timedelta(minutes=5)
    state = replace(OVER, joined_at=joined_at)
    assert [await sessions.record_over(await stored(store), state) for _ in range(2)] == [True, False]
    record = await sessions.session(ONE)
    assert record
    assert (record.is_over, record.state.ending, record.session.join_url) == (True, SessionEnding.CUSTOMER, "")
    assert record.state.joined_at
    assert abs((record.state.joined_at - joined_at).total_seconds()) < 1
    assert not await sessions.record_joined(record, joined_at, 60)
    rows = await run_sql(store, "SELECT join_url, join_code FROM sessions")
    assert [tuple(dict(row).values()) for row in rows] == [(None, None)]


async def test_newer_session_with_the_same_id_is_another_one(database: Database) -> None:
    """The service may give an id once more; what was read of the older session says nothing about the newer one."""
    store = await database.open()
    await made(store, conversation="c-1")
    await store.watches.watch(ONE, URL, 2, 60, 5)
    older = await stored(store)
    await made(store, conversation="c-2")
    assert not await store.sessions.record_over(older, OVER)
    assert not await store.sessions.record_joined(older, None, 60)
    assert not (await stored(store)).is_over
    assert await store.watches.watch(ONE, URL, 2, 60, 5)
    (watched,) = await store.watches.watched(10)
    assert watched.conversation_id == "c-2"
    assert await store.sessions.record_joined(await stored(store), None, 60)
    await made(store, conversation="c-3")
    assert (await stored(store)).state.phase is SessionPhase.UNKNOWN


async def test_session_that_a_person_ended_gets_no_other_end(database: Database) -> None:
    store = await database.open()
    await made(store)
    await store.sessions.end_session(ONE, None)
    assert not await store.sessions.record_over(await stored(store), OVER)
    assert not await store.sessions.record_joined(await stored(store), None, 60)


async def test_session_whose_time_is_up_can_turn_out_unused(database: Database) -> None:
    store = await database.open()
    await made(store, minutes=1)
    await database.age(120)
    assert await store.sessions.record_over(await stored(store), SessionState(SessionPhase.UNUSED))
    record = await store.sessions.session(ONE)
    assert record
    assert record.state.phase is SessionPhase.UNUSED
    assert record.ended_at == record.session.ends_at


async def test_one_replica_leads_and_another_takes_over(tmp_path: Any) -> None:
    async with new_database() as url, AsyncExitStack() as stack:
        opened = Database(stack, tmp_path / "unused", url)
        opened.timing = replace(opened.timing, lock_check_seconds=0.1)
        first, second = await opened.open(), await opened.open()
        await until_leads(first)
        for _ in range(3):
            assert not await second.is_leader()
        await first._replica_lock.close()
        assert not await first.is_leader()
        await until_leads(second)


async def until_leads(store: Any) -> None:
    """Wait until this replica leads."""
    async with asyncio.timeout(10):
        while not await store.is_leader():  # noqa: ASYNC110 - the store tells nobody
            await asyncio.sleep(0.05)
