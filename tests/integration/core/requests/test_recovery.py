"""The end of a request that another process or another request began."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.core.errors import CobrowseError, InvalidHostError, ServiceBusyError, UnexpectedError
from bot.core.models import Request, RequestId, RequestState, Session
from bot.core.ports import StoredRequest
from bot.core.requests.recovery import ANSWERABLE, known_failure, session_of_duplicate
from bot.storage.sqlite.store import SQLiteStore
from tests.support.storage import request, session


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SQLiteStore]:
    opened = SQLiteStore(str(tmp_path / "bot.db"))
    yield opened
    await opened.close()


def accepted(ago: timedelta) -> Request:
    return request(accepted_at=datetime.now(UTC) - ago)


POLL_SECONDS = 0.005


def test_a_session_that_was_stored_is_no_failure() -> None:
    assert known_failure(StoredRequest(request(), RequestState.CREATED, session=session())) is None


@pytest.mark.parametrize("kept", [session(), None], ids=["with its link", "its link wiped"])
def test_session_that_ended_meanwhile_is_not_told_as_open(kept: Session | None) -> None:
    end = known_failure(StoredRequest(request(), RequestState.CREATED, session=kept, session_over=True))
    assert end.code == "session_over"
    assert end.try_again


def test_a_failure_that_was_stored_is_told_as_it_was() -> None:
    failure = InvalidHostError(host_id="h", reference="r-1")
    assert known_failure(StoredRequest(request(), RequestState.FAILED, failure)) is failure
    assert type(known_failure(StoredRequest(request(), RequestState.FAILED))) is UnexpectedError


@pytest.mark.parametrize("ago", [timedelta(0), ANSWERABLE * 2], ids=["just now", "long ago"])
@pytest.mark.parametrize("state", [RequestState.CREATING, RequestState.CREATED])
def test_a_create_of_which_nobody_knows_the_end_is_not_repeated(state: RequestState, ago: timedelta) -> None:
    """`created` without a session means that the join URL was deleted, or was encrypted with a key that is gone."""
    end = known_failure(StoredRequest(accepted(ago), state))
    assert end.code == "interrupted"
    assert end.maybe_created


@pytest.mark.parametrize(
    ("ago", "stale"), [(timedelta(0), False), (ANSWERABLE * 0.99, False), (ANSWERABLE * 1.01, True)]
)
def test_accepted_request_is_worked_unless_it_is_too_old(ago: timedelta, stale: bool) -> None:
    end = known_failure(StoredRequest(accepted(ago), RequestState.ACCEPTED))
    assert (end is not None and end.code == "interrupted") is stale
    if isinstance(end, CobrowseError):
        assert (end.try_again, end.maybe_created) == (True, False)
    assert timedelta(minutes=30) == ANSWERABLE


async def follower(store: SQLiteStore) -> tuple[Request, Request]:
    """Return a request and a duplicate of it."""
    first = request()
    await store.accept(first)
    second = replace(first, id=RequestId("second"), key="second")
    duplicate_of = (await store.accept(second)).duplicate_of
    assert duplicate_of == first.id
    return first, replace(second, duplicate_of=duplicate_of)


async def test_the_session_of_another_is_waited_for(store: SQLiteStore) -> None:
    first, second = await follower(store)
    waiting = asyncio.create_task(session_of_duplicate(second, store, POLL_SECONDS))
    for from_, to in (
        (RequestState.ACCEPTED, RequestState.CREATING),
        (RequestState.CREATING, RequestState.ACCEPTED),
    ):  # it waits its turn
        await store.advance(first.id, from_, to)
        await asyncio.sleep(0.02)
        assert not waiting.done()
    await store.advance(first.id, RequestState.ACCEPTED, RequestState.CREATING)
    await store.advance(first.id, RequestState.CREATING, RequestState.CREATED, session=session())
    assert await asyncio.wait_for(waiting, 1) == session()
    await store.advance(first.id, RequestState.CREATED, RequestState.ANSWERED)
    assert await session_of_duplicate(second, store, POLL_SECONDS) == session()


@pytest.mark.parametrize("told", [False, True])
async def test_when_the_other_fails_there_is_none_to_be_had(told: bool, store: SQLiteStore) -> None:
    first, second = await follower(store)
    waiting = asyncio.create_task(session_of_duplicate(second, store, POLL_SECONDS))
    await asyncio.sleep(0.02)
    assert not waiting.done()
    await store.advance(first.id, RequestState.ACCEPTED, RequestState.FAILED, failure=ServiceBusyError())
    if told:
        await store.advance(first.id, RequestState.FAILED, RequestState.ANSWERED)
    assert await asyncio.wait_for(waiting, 1) is None


@pytest.mark.parametrize("swept", [False, True])
async def test_duplicate_of_an_ended_or_forgotten_session_has_none(swept: bool, store: SQLiteStore) -> None:
    first, second = await follower(store)
    await store.advance(first.id, RequestState.ACCEPTED, RequestState.CREATED, session=session(minutes=-1))
    if swept:
        await store.sweep()
    assert await session_of_duplicate(second, store, POLL_SECONDS) is None
    assert await session_of_duplicate(replace(second, duplicate_of=RequestId("gone")), store, POLL_SECONDS) is None


async def test_first_requester_follows_nobody(store: SQLiteStore) -> None:
    first, _ = await follower(store)
    assert await session_of_duplicate(first, store, POLL_SECONDS) is None
