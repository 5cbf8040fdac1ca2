"""Notices on both databases: two writers never undo each other, and one replica at a time sends."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from bot.core.errors import CobrowseError, HostNotFoundError, RuleMiss, UnexpectedError
from bot.core.models import (
    ChannelId,
    Notice,
    NoticeKind,
    NoticeMessage,
    RequestKind,
    RequestState,
    Session,
    TeamId,
    UserId,
)
from bot.core.ports import StartOutcome
from tests.support import storage as storage_support
from tests.support.storage import TEAM, Database, request, run_sql, session

database = storage_support.database


async def stored(store: Any, key: str = "k", kind: NoticeKind = NoticeKind.FAULT, **changes: Any) -> Notice:
    """Store a notice, and return it as it is read."""
    new = await store.notices.find(kind, key)
    assert await store.notices.save(replace(new, team_id=TEAM, data={"n": 1}, **changes))
    return await store.notices.find(kind, key)


def message(notice: Notice, reader: str = "U0ADA") -> NoticeMessage:
    return NoticeMessage(
        reader=reader, channel_id=ChannelId("D0ADA"), ts="1.2", version=notice.version, opened_at=notice.opened_at
    )


async def test_notice_is_read_as_it_was_stored(database: Database) -> None:
    store = await database.open()
    empty = await store.notices.find(NoticeKind.FAULT, "k")
    assert (empty.version, empty.data, empty.messages) == (0, {}, ())
    found = await stored(store)
    assert (found.version, found.shown, found.team_id, dict(found.data)) == (1, 0, TEAM, {"n": 1})
    assert empty.opened_at <= found.opened_at <= found.read_at
    (pending,) = await store.notices.pending(10)
    assert replace(pending, read_at=found.read_at) == found


async def test_only_one_of_several_writers_changes_a_version(database: Database) -> None:
    store = await database.open()
    other = await database.open() if database.url else store
    new = [await each.notices.find(NoticeKind.FAULT, "k") for each in (store, other)]
    saves = [each.notices.save(one) for each, one in zip((store, other), new, strict=True)]
    assert sorted(await asyncio.gather(*saves)) == [False, True]
    found = await store.notices.find(NoticeKind.FAULT, "k")
    saves = [each.notices.save(replace(found, data={"n": number})) for number, each in enumerate((store, other))]
    assert sorted(await asyncio.gather(*saves)) == [False, True]
    assert (await store.notices.find(NoticeKind.FAULT, "k")).version == 2


async def test_one_replica_takes_a_notice_until_its_time_is_up(database: Database) -> None:
    store = await database.open()
    other = await database.open() if database.url else store
    found = await stored(store)
    taken = await asyncio.gather(store.notices.take(found, 30), other.notices.take(found, 30))
    (mine,) = filter(None, taken)
    assert mine.takes == 1
    assert await other.notices.take(found, 30) is None
    await database.age(31)
    theirs = await other.notices.take(found, 30)
    assert theirs
    assert theirs.takes == 2
    assert not await store.notices.store_messages(replace(mine, messages=(message(mine),)), 30)  # too late
    assert await other.notices.store_messages(replace(theirs, messages=(message(theirs),)), 30)
    assert (await store.notices.find(NoticeKind.FAULT, "k")).messages == (message(theirs),)


async def test_change_during_sending_keeps_messages_and_is_sent_later(database: Database) -> None:
    store = await database.open()
    taken = await store.notices.take(await stored(store), 30)
    now = await store.notices.find(NoticeKind.FAULT, "k")
    assert await store.notices.save(replace(now, data={"n": 2}))
    assert await store.notices.store_messages(replace(taken, messages=(message(taken),), shown=taken.version), 5)
    found = await store.notices.find(NoticeKind.FAULT, "k")
    assert (found.version, found.shown, dict(found.data), found.messages) == (2, 1, {"n": 2}, (message(taken),))
    assert await store.notices.take(found, 30) is None
    await database.age(6)
    assert await store.notices.take(found, 30)


async def test_notice_that_is_shown_is_not_taken_and_pending_while_it_lasts(database: Database) -> None:
    store = await database.open()
    taken = await store.notices.take(await stored(store), 0)
    assert await store.notices.store_messages(replace(taken, shown=taken.version), 0)
    assert await store.notices.take(taken, 30) is None
    (pending,) = await store.notices.pending(10)
    assert await store.notices.save(replace(pending, over_at=pending.read_at))
    taken = await store.notices.take(pending, 0)
    assert taken.over_at == pending.read_at
    assert await store.notices.store_messages(replace(taken, shown=taken.version), 0)
    assert list(await store.notices.pending(10)) == []


async def test_unsent_notices_come_before_those_that_last(database: Database) -> None:
    store = await database.open()
    taken = await store.notices.take(await stored(store, "first"), 0)
    await store.notices.store_messages(replace(taken, shown=taken.version), 0)
    await stored(store, "second")
    assert [each.key for each in await store.notices.pending(1)] == ["second"]


async def test_many_open_requests_for_access_hide_no_fault(database: Database) -> None:
    store = await database.open()
    for number in range(3):
        await stored(store, f"person {number}", NoticeKind.ACCESS)
    taken = await store.notices.take(await stored(store, "fault"), 0)
    await store.notices.store_messages(replace(taken, shown=taken.version), 0)
    assert [each.key for each in await store.notices.pending(1)] == ["fault"]


async def test_sweep_deletes_old_notices(database: Database) -> None:
    store = await database.open(days=30)
    await stored(store)
    await database.age(29 * 86400)
    await store.sweep()
    assert (await store.notices.find(NoticeKind.FAULT, "k")).version == 1
    await database.age(2 * 86400)
    await store.sweep()
    assert (await store.notices.find(NoticeKind.FAULT, "k")).version == 0


async def test_notice_of_a_newer_version_is_left_alone(database: Database, caplog: pytest.LogCaptureFixture) -> None:
    store = await database.open()
    await stored(store)
    await run_sql(store, "UPDATE notices SET kind = 'later' WHERE key = :key", key="k")
    assert list(await store.notices.pending(10)) == []
    assert "cannot be read" not in caplog.text


async def test_unreadable_notice_is_left_out_and_can_be_replaced(database: Database) -> None:
    store = await database.open()
    await stored(store)
    await run_sql(store, "UPDATE notices SET data = 'spoilt' WHERE key = :key", key="k")
    assert list(await store.notices.pending(10)) == []
    found = await store.notices.find(NoticeKind.FAULT, "k")
    assert dict(found.data) == {}
    assert await store.notices.save(replace(found, team_id=TeamId("T0"), data={"n": 3}))
    assert dict((await store.notices.find(NoticeKind.FAULT, "k")).data) == {"n": 3}


async def test_people_without_a_host_are_found_newest_first(database: Database) -> None:
    store = await database.open()

    async def failed(who: str, error: CobrowseError, **how: Any) -> None:
        one = request(requester=UserId(who), **how)
        await store.accept(one)
        await store.advance(one.id, RequestState.ACCEPTED, RequestState.FAILED, failure=error)
        await store.advance(one.id, RequestState.FAILED, RequestState.ANSWERED)
        await database.age(1)

    missing = HostNotFoundError(UserId("U0UNA"), False, (RuleMiss("same email", "no_user"),))
    await failed("U0OLD", missing)
    await database.age(7200)
    await failed("U0UNA", missing)
    await failed("U0SAM", missing, target=UserId("U0BEN"))
    await failed("U0UNA", missing)
    await failed("U0ANA", UnexpectedError())
    await failed("U0OUT", missing, team_id=TeamId("T0OTHER"))
    found = await store.notices.without_host(TEAM, 3600, 10)
    assert [user_id for user_id, _ in found] == ["U0UNA", "U0BEN"]
    assert found[0][1] > found[1][1]
    assert len(await store.notices.without_host(TEAM, 3600, 1)) == 1


async def ends(store: Any, outcome: CobrowseError | Session | None, **how: Any) -> None:
    """Store a request that ended with this error or session."""
    one = request(**how)
    await store.accept(one)
    if isinstance(outcome, Session):
        await store.advance(one.id, RequestState.ACCEPTED, RequestState.CREATING)
        await store.advance(one.id, RequestState.CREATING, RequestState.CREATED, session=outcome)
        await store.advance(one.id, RequestState.CREATED, RequestState.ANSWERED)
    else:
        if outcome:
            await store.advance(one.id, RequestState.ACCEPTED, RequestState.FAILED, failure=outcome)
        await store.advance(one.id, RequestState.FAILED if outcome else RequestState.ACCEPTED, RequestState.ANSWERED)


async def test_starts_of_the_last_day_are_counted_by_their_error(database: Database) -> None:
    store = await database.open()
    await ends(store, session("s-0"))
    await ends(store, UnexpectedError())
    await database.age(86500)
    for number in (1, 2):
        await ends(store, session(f"s-{number}", minutes=3000))
    await ends(store, session("s-3", minutes=3000), kind=RequestKind.STEP)
    await ends(store, session("s-4", minutes=3000), team_id=TeamId("T0OTHER"))
    await ends(store, None)  # a question came of it
    await ends(store, UnexpectedError())
    await ends(store, UnexpectedError(), kind=RequestKind.STATUS)
    for who in ("U0ONE", "U0TWO"):  # the fields after the code differ
        await ends(store, HostNotFoundError(UserId(who), False, ()))
    await ends(store, UnexpectedError(), team_id=TeamId("T0OTHER"), enterprise_id=TeamId("E0GRID"))
    await store.accept(request())
    assert await store.notices.outcomes(TEAM, 86400) == [
        StartOutcome("", 3, 1),
        StartOutcome("host_not_found", 0, 2),
        StartOutcome("unexpected", 0, 1),
    ]
    assert await store.notices.outcomes(TeamId("E0GRID"), 86400) == [StartOutcome("unexpected", 0, 1)]
    assert await store.notices.outcomes(TeamId("T0NONE"), 86400) == []


async def test_session_that_two_requests_got_is_counted_once(database: Database) -> None:
    store = await database.open()
    first, second = request(name="Deal"), request(name="Deal")
    assert (await store.accept(first)).is_new
    assert (await store.accept(second)).duplicate_of == first.id
    for one in (first, second):
        await store.advance(one.id, RequestState.ACCEPTED, RequestState.CREATED, session=session())
        await store.advance(one.id, RequestState.CREATED, RequestState.ANSWERED)
    assert await store.notices.outcomes(TEAM, 86400) == [StartOutcome("", 1, 0)]
