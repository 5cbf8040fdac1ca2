"""The contract of a store, for both databases; Postgres is a real server."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.core.errors import HostNotFoundError, InvalidHostError, RuleMiss, StorageUnavailableError
from bot.core.models import ChannelId, Host, RequestId, RequestState, TeamId, UserId, new_request_id
from bot.core.timing import StorageTiming
from tests.support import storage as storage_support
from tests.support.storage import ANA, HOST, TEAM, Database, die, request, session, taken_over

database = storage_support.database


@pytest.fixture(autouse=True)
def _long_timeouts(database: Database) -> None:
    """The machine may be busy, and these tests ask for many things at once."""
    database.timing = StorageTiming(pool_timeout_seconds=30.0, accept_timeout_seconds=30.0)


@pytest.fixture
async def store(database: Database) -> Any:
    return await database.open()


async def test_accepted_request_is_found_as_it_was(store: Any) -> None:
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01, vendor=1"
    asked = request(target=UserId("U0BEN"), enterprise_id=TeamId("E0"), replaces=True, trace_context=trace)
    assert (await store.accept(asked)).is_new
    kept = await store.find(asked.id)
    assert kept.state is RequestState.ACCEPTED
    assert replace(kept.request, accepted_at=asked.accepted_at) == asked


async def test_request_is_found_by_its_key(store: Any) -> None:
    asked = request()
    await store.accept(asked)
    assert (await store.find_by_key(asked.key)).request.id == asked.id
    assert await store.find_by_key("command:unknown") is None


async def test_the_same_key_is_accepted_once_however_many_deliver_it(store: Any) -> None:
    asked = request()
    again = [replace(asked, id=new_request_id()) for _ in range(50)]
    results = await asyncio.gather(*(store.accept(one) for one in again))
    assert sum(result.is_new for result in results) == 1


async def test_a_request_moves_only_from_the_state_it_is_in(store: Any) -> None:
    asked = request()
    await store.accept(asked)
    assert not await store.advance(asked.id, RequestState.CREATING, RequestState.CREATED)
    assert await store.advance(asked.id, RequestState.ACCEPTED, RequestState.CREATING)
    assert not await store.advance(asked.id, RequestState.ACCEPTED, RequestState.CREATING)
    moves = await asyncio.gather(
        *(store.advance(asked.id, RequestState.CREATING, RequestState.ACCEPTED) for _ in range(20))
    )
    assert sum(moves) == 1
    assert not await store.advance(RequestId("unknown"), RequestState.ACCEPTED, RequestState.CREATING)


async def test_answered_moves_only_what_is_in_its_state(store: Any) -> None:
    """This holds for a batch, too."""
    made, failed, early, other = (request() for _ in range(4))
    for asked in (made, failed, early, other):
        await store.accept(asked)
    await store.advance(made.id, RequestState.ACCEPTED, RequestState.CREATED, session=session())
    await store.advance(failed.id, RequestState.ACCEPTED, RequestState.FAILED, failure=InvalidHostError(host_id=HOST))
    await store.advance(other.id, RequestState.ACCEPTED, RequestState.CREATED, session=session("s-2"))
    moves = [
        (made, RequestState.CREATED),
        (failed, RequestState.FAILED),
        (early, RequestState.CREATED),
        (other, RequestState.FAILED),
    ]
    answers = await asyncio.gather(*(store.advance(asked.id, was, RequestState.ANSWERED) for asked, was in moves))
    assert answers == [True, True, False, False]
    states = [(await store.find(asked.id)).state for asked in (made, failed, early, other)]
    assert states == [RequestState.ANSWERED, RequestState.ANSWERED, RequestState.ACCEPTED, RequestState.CREATED]
    assert (await store.find(early.id)).request.reply_url == early.reply_url


async def test_session_and_failure_are_stored_with_their_request(store: Any) -> None:
    good, bad = request(), request()
    for asked in (good, bad):
        await store.accept(asked)
        await store.advance(asked.id, RequestState.ACCEPTED, RequestState.CREATING)
    await store.advance(good.id, RequestState.CREATING, RequestState.CREATED, session=session())
    await store.advance(
        bad.id, RequestState.CREATING, RequestState.FAILED, failure=InvalidHostError(host_id=HOST, reference="r-1")
    )
    assert (await store.find(good.id)).session == session()
    failure = (await store.find(bad.id)).failure
    assert (type(failure), failure.host_id, failure.reference) == (InvalidHostError, HOST, "r-1")


async def test_an_answered_request_keeps_no_way_to_answer(store: Any) -> None:
    asked = request()
    await store.accept(asked)
    await store.advance(asked.id, RequestState.ACCEPTED, RequestState.ANSWERED)
    assert (await store.find(asked.id)).request.reply_url is None


async def test_duplicate_request_is_told_from_any_other(store: Any, database: Database) -> None:
    first = request(name="Checkout")

    async def duplicate_of(**changes: Any) -> RequestId | None:
        asked = replace(first, id=new_request_id(), key=f"command:{new_request_id()}", **changes)
        same: RequestId | None = (await store.accept(asked)).duplicate_of
        await store.advance(asked.id, RequestState.ACCEPTED, RequestState.ANSWERED)
        return same

    await store.accept(first)
    assert await duplicate_of() == first.id
    assert await duplicate_of(name="Other") is None
    assert await duplicate_of(requester=UserId("U0BEN")) is None
    assert await duplicate_of(target=UserId("U0BEN")) is None
    assert await duplicate_of(channel_id=ChannelId("C0OTHER")) is None
    assert await duplicate_of(team_id=TeamId("T0OTHER")) is None


async def test_a_session_made_long_ago_or_a_failure_is_not_given_again(store: Any, database: Database) -> None:
    for ends_in_failure in (False, True):
        first = request()
        await store.accept(first)
        await store.advance(first.id, RequestState.ACCEPTED, RequestState.CREATING)
        if ends_in_failure:
            await store.advance(first.id, RequestState.CREATING, RequestState.FAILED, failure=StorageUnavailableError())
        else:
            await store.advance(first.id, RequestState.CREATING, RequestState.CREATED, session=session(first.id))
            within = replace(first, id=new_request_id(), key=f"command:{new_request_id()}", reply_url=None)
            assert (await store.accept(within)).duplicate_of == first.id
            await store.advance(within.id, RequestState.ACCEPTED, RequestState.ANSWERED)
            await database.age(10.5)
        again = replace(first, id=new_request_id(), key=f"command:{new_request_id()}")
        assert (await store.accept(again)).duplicate_of is None


async def test_ten_seconds_count_from_the_creation_of_the_session(store: Any, database: Database) -> None:
    first = request()
    await store.accept(first)
    await store.advance(first.id, RequestState.ACCEPTED, RequestState.CREATING)
    await store.advance(first.id, RequestState.CREATING, RequestState.CREATED, session=session(first.id))
    given = []
    for _ in range(3):
        await database.age(4)
        again = replace(first, id=new_request_id(), key=f"command:{new_request_id()}")
        given.append((await store.accept(again)).duplicate_of)
        if given[-1]:
            await store.advance(again.id, RequestState.ACCEPTED, RequestState.CREATED, session=session(first.id))
            assert (await store.find(again.id)).session.id == first.id
    assert [same is None for same in given] == [False, False, True]


async def test_join_urls_go_when_their_session_is_over(store: Any, database: Database) -> None:
    asked = request()
    await store.accept(asked)
    await store.advance(asked.id, RequestState.ACCEPTED, RequestState.CREATING)
    await store.advance(asked.id, RequestState.CREATING, RequestState.CREATED, session=session(minutes=30))
    await store.sweep()
    assert (await store.find(asked.id)).session is not None
    await database.age(31 * 60)
    await store.sweep()
    assert (await store.find(asked.id)).session is None


async def test_session_past_its_end_is_over_before_and_after_the_wipe(store: Any, database: Database) -> None:
    asked, unmade = request(), request()
    for one in (asked, unmade):
        await store.accept(one)
        await store.advance(one.id, RequestState.ACCEPTED, RequestState.CREATING)
    ends_at = datetime.now(UTC) + timedelta(minutes=30)
    await store.advance(
        asked.id, RequestState.CREATING, RequestState.CREATED, session=replace(session(), ends_at=ends_at)
    )
    seen = []
    for minutes in (0, 15, 16):
        await database.age(minutes * 60)
        seen.append((await store.find(asked.id)).session_over)
    await store.sweep()
    kept = await store.find(asked.id)
    assert (seen, kept.session, kept.session_over) == ([False, False, True], None, True)
    assert not (await store.find(unmade.id)).session_over


async def test_unfinished_requests_are_taken_over_once(database: Database) -> None:
    before = await database.open()
    requests = [request() for _ in range(4)]
    for asked in requests:
        await before.accept(asked)
    await before.advance(requests[1].id, RequestState.ACCEPTED, RequestState.CREATING)
    await before.advance(requests[2].id, RequestState.ACCEPTED, RequestState.CREATING)
    await before.advance(requests[2].id, RequestState.CREATING, RequestState.CREATED, session=session())
    await before.advance(requests[3].id, RequestState.ACCEPTED, RequestState.ANSWERED)
    await die(before)
    after = await database.open()
    (taken,) = await taken_over(after)
    assert [kept.request.id for kept in taken] == [asked.id for asked in requests[:3]]
    assert [kept.state for kept in taken] == [RequestState.ACCEPTED, RequestState.CREATING, RequestState.CREATED]
    assert taken[2].session == session()
    assert taken[0].request.reply_url == requests[0].reply_url
    assert await after.orphans() == []
    assert await after.advance(requests[0].id, RequestState.ACCEPTED, RequestState.CREATING)


async def test_a_request_of_another_owner_cannot_be_moved(database: Database) -> None:
    mine = await database.open()
    other = await database.open(exclusive=False)
    asked = request()
    await mine.accept(asked)
    assert not await other.advance(asked.id, RequestState.ACCEPTED, RequestState.CREATING)
    assert await mine.advance(asked.id, RequestState.ACCEPTED, RequestState.CREATING)


async def test_found_hosts_outlive_the_process_until_their_time_is_up(database: Database) -> None:
    before = await database.open()
    await before.keep_found(TEAM, ANA, Host(HOST, "same email"), 3600)
    await die(before)
    after = await database.open()
    await database.age(1000)
    host, seconds = await after.found(TEAM, ANA)
    assert host == Host(HOST, "same email")
    assert 2500 < seconds <= 2600
    assert await after.found(TeamId("T0OTHER"), ANA) is None
    await database.age(3601)
    assert await after.found(TEAM, ANA) is None
    await after.keep_found(TEAM, ANA, Host(HOST, "same email"), 3600)
    await after.drop_found(TEAM, ANA)
    assert await after.found(TEAM, ANA) is None


def test_every_failure_survives_being_written_down() -> None:
    from bot.storage.mapping import failure_of, failure_text

    missed = HostNotFoundError(ANA, True, (RuleMiss("same email", "no Genesys user has it"),))
    again = failure_of(failure_text(missed))
    assert isinstance(again, HostNotFoundError)
    assert (again.user_id, again.is_target, again.tried) == (missed.user_id, missed.is_target, missed.tried)


async def test_a_key_that_could_still_be_replayed_is_not_forgotten(store: Any, database: Database) -> None:
    """Slack's signatures are valid for five minutes."""
    asked = request()
    await store.accept(asked)
    await store.advance(asked.id, RequestState.ACCEPTED, RequestState.ANSWERED)
    await database.age(9 * 60)
    await store.sweep()
    assert not (await store.accept(replace(asked, id=new_request_id()))).is_new
