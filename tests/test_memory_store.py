"""The store that forgets when the process ends: what is its own; the contract of every store is in test_store.py."""

from datetime import UTC, datetime

import pytest

from bot.desk.errors import Busy
from bot.desk.models import Kind, Request, Session, State
from bot.desk.store import Accepted
from bot.store.memory import MemoryStore

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SESSION = Session(id="s-1", status="open", host_id="h", name="n", ends_at=NOW, join_url="https://join.example/1")
ALL_STATES = list(State)
BUSY = Busy(reference="r-1")


def request(number: int = 1, key: str | None = None) -> Request:
    return Request(
        id=f"r{number}",
        key=key or f"command:{number}",
        kind=Kind.START,
        team_id="T0",
        enterprise_id=None,
        channel_id="C0",
        requester="U0ANA",
        accepted_at=NOW,
        reply_url="https://hooks.example/1",
    )


async def answered(store: MemoryStore, number: int) -> None:
    await store.accept(request(number))
    assert await store.advance(f"r{number}", State.ACCEPTED, State.FAILED, failure=BUSY)
    assert await store.advance(f"r{number}", State.FAILED, State.ANSWERED)


async def test_what_is_delivered_twice_is_one_request():
    store = MemoryStore()
    assert await store.accept(request(1, "command:same")) == Accepted(True)
    assert await store.accept(request(2, "command:same")) == Accepted(False)
    assert await store.find("r2") is None
    kept = await store.find("r1")
    assert kept is not None
    assert (kept.request, kept.state, kept.failure, kept.session) == (
        request(1, "command:same"),
        State.ACCEPTED,
        None,
        None,
    )


async def test_a_request_moves_only_from_the_state_it_is_in():
    for state in ALL_STATES:
        store = MemoryStore()
        await store.accept(request())
        moved = await store.advance("r1", state, State.CREATING)
        kept = await store.find("r1")
        assert kept is not None
        assert moved == (state is State.ACCEPTED) == (kept.state is State.CREATING)


async def test_an_unknown_request_does_not_move():
    assert not await MemoryStore().advance("r1", State.ACCEPTED, State.CREATING)
    assert await MemoryStore().find("r1") is None


async def test_only_one_of_two_who_move_a_request_moves_it():
    store = MemoryStore()
    await store.accept(request())
    assert [await store.advance("r1", State.ACCEPTED, State.CREATING) for _ in range(2)] == [True, False]


async def test_the_way_to_answer_goes_with_the_answer_and_the_join_url_when_its_session_is_over():
    now = [NOW.timestamp() - 60]
    store = MemoryStore(clock=lambda: now[0])
    await store.accept(request())
    await store.advance("r1", State.ACCEPTED, State.CREATING)
    await store.advance("r1", State.CREATING, State.CREATED, session=SESSION)
    created = await store.find("r1")
    assert created is not None
    assert (created.session, created.request.reply_url) == (SESSION, "https://hooks.example/1")
    await store.advance("r1", State.CREATED, State.ANSWERED)
    await store.sweep()
    done = await store.find("r1")
    assert done is not None
    assert (done.state, done.session, done.request.reply_url) == (State.ANSWERED, SESSION, None)
    now[0] = NOW.timestamp() + 1
    await store.sweep()
    over = await store.find("r1")
    assert over is not None
    assert over.session is None


async def test_a_failure_is_known_after_the_answer_so_that_it_can_be_tried_again():
    store = MemoryStore()
    await answered(store, 1)
    kept = await store.find("r1")
    assert kept is not None
    assert (kept.failure, kept.state, kept.request.reply_url) == (BUSY, State.ANSWERED, None)


@pytest.mark.parametrize("how_many", [4, 20])
async def test_past_its_size_the_oldest_answered_requests_go_and_the_unanswered_stay(how_many):
    store = MemoryStore(size=3)
    await store.accept(request(0))
    for number in range(1, how_many):
        await answered(store, number)
    assert await store.find("r0") is not None
    assert await store.find("r1") is None
    assert await store.find(f"r{how_many - 1}") is not None
    assert (await store.accept(request(100, "command:1"))).is_new
    assert not (await store.accept(request(101, "command:0"))).is_new


async def test_unanswered_requests_are_kept_also_when_there_are_too_many():
    store = MemoryStore(size=2)
    for number in range(5):
        assert (await store.accept(request(number))).is_new
    assert [await store.find(f"r{number}") is not None for number in range(5)] == [True] * 5
