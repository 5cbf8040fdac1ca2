"""A row that cannot be read is answered as Unexpected, and does not affect other rows, on both databases."""

import logging
from typing import Any

import pytest

from bot.core.errors import UnexpectedError
from bot.core.models import PostedMessage, PostedMessageKind, Request, RequestState, UserId
from bot.core.ports import EditResult
from bot.core.requests.recovery import known_failure, update_ended_messages
from tests.support import storage
from tests.support.storage import ANA, TEAM, Database, die, execute, request, run_sql, session

database = storage.database
BEN = UserId("U0BEN")
BEYOND = 1e18
"""Seconds since 1970, beyond the range of datetime."""


@pytest.fixture
async def store(database: Database) -> Any:
    return await database.open()


async def created(store: Any, name: str, **changes: Any) -> Request:
    asked = request(**changes)
    await store.accept(asked)
    await store.advance(asked.id, RequestState.ACCEPTED, RequestState.CREATED, session=session(name))
    return asked


SPOILT = {
    "end beyond the calendar": "UPDATE sessions SET ends_at = 1e18 WHERE id = 'bad'",
    "end before the calendar": "UPDATE sessions SET ends_at = -1e18 WHERE id = 'bad'",
    "accepted beyond the calendar": "UPDATE requests SET accepted_at = -1e18 WHERE session_id = 'bad'",
    "kind of another version": "UPDATE requests SET kind = 'dance' WHERE session_id = 'bad'",
    "failure that is no JSON": "UPDATE requests SET failure = '{' WHERE session_id = 'bad'",
}


@pytest.mark.parametrize("spoil", SPOILT.values(), ids=SPOILT.keys())
async def test_unreadable_request_is_answered_and_the_others_go_on(
    database: Database, store: Any, spoil: str, caplog: pytest.LogCaptureFixture
) -> None:
    bad, good = await created(store, "bad"), await created(store, "good", requester=BEN)
    await die(store)
    await execute(database, spoil)
    after = await database.open()
    (taken,) = [mine for mine in await storage.taken_over(after) if mine]
    ends = {kept.request.id: kept for kept in taken}
    assert ends[good.id].session
    kept = ends[bad.id]
    outcome = known_failure(kept)
    assert isinstance(outcome, UnexpectedError)
    assert outcome.maybe_created
    assert (kept.request.requester, kept.request.reply_url) == (ANA, bad.reply_url)
    assert await after.advance(bad.id, kept.state, RequestState.FAILED, failure=outcome)
    assert await after.advance(bad.id, RequestState.FAILED, RequestState.ANSWERED)
    logged = [record for record in caplog.records if record.getMessage() == "a row of the database cannot be read"]
    assert logged[0].levelno == logging.ERROR
    assert logged[0].fields["row"] == bad.id  # type: ignore[attr-defined]


async def test_unreadable_session_is_left_out_of_lists(database: Database, store: Any) -> None:
    for name, who in (("good", ANA), ("bad", ANA), ("of ben", BEN)):
        await created(store, name, requester=who)
        await database.age(1)
    await run_sql(store, "UPDATE sessions SET ends_at = :seconds WHERE id = 'bad'", seconds=BEYOND)
    table = store.sessions
    found, total = await table.live_sessions(TEAM, (), 9, 0)
    assert {record.session.id for record in found} == {"good", "of ben"}
    assert total == 3  # a session that cannot be shown is counted
    assert [record.session.id for record in await table.open_sessions(TEAM, ANA, 9)] == ["good"]
    for one in (table.session("bad"), table.last_session(TEAM, ANA)):
        with pytest.raises(UnexpectedError):
            await one
    assert (await table.last_session(TEAM, BEN)).session.id == "of ben"


async def test_sweep_fixes_an_end_too_far_and_wipes_its_link_later(database: Database, store: Any) -> None:
    await created(store, "bad")
    await run_sql(store, "UPDATE sessions SET ends_at = :seconds WHERE id = 'bad'", seconds=BEYOND)
    await store.sweep()
    record = await store.sessions.last_session(TEAM, ANA)
    assert (record.session.id, record.is_over) == ("bad", False)
    await database.age(86_401)
    await store.sweep()
    assert (await run_sql(store, "SELECT join_url FROM sessions"))[0]["join_url"] is None


async def test_unreadable_session_keeps_no_message_from_being_told(database: Database, store: Any) -> None:

    closed = []

    class Editor:
        async def mark_ended(self, post: PostedMessage, record: Any) -> EditResult:
            closed.append(post.session_id)
            return EditResult.DONE

    for name in ("bad", "good"):
        await created(store, name)
        await store.sessions.add_post(PostedMessage(name, "C0CARE", "1.1", PostedMessageKind.SHARED, None))  # type: ignore[arg-type]
        await store.sessions.end_session(name, None)
    await run_sql(store, "UPDATE sessions SET ends_at = :seconds WHERE id = 'bad'", seconds=BEYOND)
    await update_ended_messages(store.sessions, Editor())
    assert closed == ["good"]
    assert await store.sessions.posts("bad") == []


async def test_session_lasts_by_the_databases_clock(database: Database, store: Any) -> None:
    """The service's clock is two days off; only the database's clock counts."""
    from dataclasses import replace

    for name, minutes in (("ahead", 2 * 1440), ("behind", -2 * 1440)):
        asked = request()
        await store.accept(asked)
        one = replace(session(name, minutes), lasts_seconds=1800)
        await store.advance(asked.id, RequestState.ACCEPTED, RequestState.CREATING)
        await store.advance(asked.id, RequestState.CREATING, RequestState.CREATED, session=one)
    await database.age(1700)
    assert len(await store.sessions.open_sessions(TEAM, ANA, 9)) == 2
    await database.age(200)
    assert await store.sessions.open_sessions(TEAM, ANA, 9) == []
