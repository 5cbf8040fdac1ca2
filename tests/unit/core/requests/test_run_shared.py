"""A store that several replicas share: people get only the result that the store holds, however long it takes."""

import asyncio
from dataclasses import replace

import pytest

from bot.core.errors import InterruptedRequestError, OutcomeUnknownError, ServiceBusyError, StorageUnavailableError
from bot.core.models import RequestState, Session, SessionStarted
from bot.core.requests.run import OwnershipLostError
from tests.support.request_run import NOW, TIMING, tell

SESSION = Session(id="s-1", status="open", host_id="h", name="n", ends_at=NOW, join_url="https://join.example/1")
HOUR = 3600.0


def away_until(seconds: float):
    """Make the store unavailable for these seconds."""
    return lambda: StorageUnavailableError() if asyncio.get_running_loop().time() < seconds else None


@pytest.mark.parametrize(
    "outcome",
    [
        SessionStarted(SESSION),
        ServiceBusyError(),
        StorageUnavailableError(),
        InterruptedRequestError("interrupted", maybe_created=True),
    ],
)
def test_an_outcome_is_held_back_until_it_is_written(outcome):
    async def story(progress, ledger, notifier):
        ledger.shared, ledger.away = True, away_until(HOUR)
        await progress.record_result(outcome)
        assert asyncio.get_running_loop().time() >= HOUR

    ledger, _ = tell(story, RequestState.CREATING)
    assert ledger.moves == [
        (RequestState.CREATING, RequestState.CREATED if isinstance(outcome, SessionStarted) else RequestState.FAILED)
    ]


def test_request_of_another_owner_is_not_told_here():
    async def story(progress, ledger, notifier):
        ledger.shared, ledger.ours, ledger.away = True, False, away_until(HOUR)
        with pytest.raises(OwnershipLostError):
            await progress.record_result(SessionStarted(SESSION))

    assert tell(story, RequestState.CREATING)[0].moves == []


def test_a_store_of_our_own_that_stays_away_is_waited_for_once():
    async def story(progress, ledger, notifier):
        ledger.away = StorageUnavailableError
        await progress.save_with_retry(RequestState.CREATED, session=SESSION)
        await progress.record_result(SessionStarted(SESSION))
        assert asyncio.get_running_loop().time() == pytest.approx(TIMING.save_timeout)

    tell(story, RequestState.CREATING)


def test_stored_value_is_not_written_again():
    async def story(progress, ledger, notifier):
        await progress.save_with_retry(RequestState.CREATED, session=SESSION)
        await progress.record_result(SessionStarted(SESSION))

    assert tell(story, RequestState.CREATING)[0].asked == 1


@pytest.mark.parametrize("outcome", [SessionStarted(SESSION), ServiceBusyError(retry_after=2)])
def test_stored_outcome_with_a_lost_answer_is_ours_to_tell(outcome):
    async def story(progress, ledger, notifier):
        ledger.shared, ledger.mute = True, 1
        await progress.record_result(outcome)
        assert progress.state is ledger.state
        await progress.save_with_retry(RequestState.ANSWERED)

    ledger, _ = tell(story, RequestState.CREATING)
    assert len(ledger.moves) == 2
    assert ledger.state is RequestState.ANSWERED


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (
            SessionStarted(SESSION),
            {"state": RequestState.FAILED, "failure": InterruptedRequestError("interrupted", maybe_created=True)},
        ),
        (SessionStarted(SESSION), {"state": RequestState.CREATED, "session": replace(SESSION, id="s-2")}),
        (
            OutcomeUnknownError(),
            {"state": RequestState.FAILED, "failure": InterruptedRequestError("interrupted", maybe_created=True)},
        ),
        (
            InterruptedRequestError("interrupted", False),
            {"state": RequestState.FAILED, "failure": InterruptedRequestError("interrupted", maybe_created=True)},
        ),
        (ServiceBusyError(), {"state": RequestState.ANSWERED}),
    ],
)
def test_an_outcome_that_is_not_the_one_written_is_not_told(ours, theirs):
    async def story(progress, ledger, notifier):
        ledger.shared, ledger.away = True, away_until(1)
        for name, value in theirs.items():
            setattr(ledger, name, value)
        with pytest.raises(OwnershipLostError):
            await progress.record_result(ours)

    assert tell(story, RequestState.CREATING)[0].moves == []


def test_a_create_waits_a_while_for_the_store():
    async def story(progress, ledger, notifier):
        ledger.shared, ledger.away = True, away_until(TIMING.send_timeout - TIMING.retry_seconds)
        await progress.before_send()
        assert progress.state is RequestState.CREATING

    assert tell(story)[0].moves == [(RequestState.ACCEPTED, RequestState.CREATING)]


def test_create_does_not_go_out_when_the_store_stays_away():
    async def story(progress, ledger, notifier):
        ledger.shared, ledger.away = True, away_until(HOUR)
        with pytest.raises(InterruptedRequestError, match=r"^not_started$"):
            await progress.before_send()
        assert asyncio.get_running_loop().time() == pytest.approx(TIMING.send_timeout)
        await progress.record_result(InterruptedRequestError("not_started"))

    assert tell(story)[0].moves == [(RequestState.ACCEPTED, RequestState.FAILED)]


def test_a_create_that_another_began_meanwhile_is_not_sent_twice():
    """The request already has the state that this replica wants to commit."""

    async def story(progress, ledger, notifier):
        ledger.shared, ledger.away, ledger.ours = True, away_until(1), False
        ledger.state = RequestState.CREATING
        with pytest.raises(InterruptedRequestError, match=r"^not_started$"):
            await progress.before_send()
        with pytest.raises(OwnershipLostError):
            await progress.record_result(InterruptedRequestError("not_started"))

    assert tell(story)[0].moves == []


def test_create_with_an_unheard_commit_ends_in_its_failure():
    async def story(progress, ledger, notifier):
        ledger.shared, ledger.mute = True, 2
        with pytest.raises(InterruptedRequestError, match=r"^not_started$"):
            await progress.before_send()
        await progress.record_result(InterruptedRequestError("not_started"))  # the answer to this one is lost, too
        assert progress.state is RequestState.FAILED

    ledger, _ = tell(story)
    assert ledger.moves == [
        (RequestState.ACCEPTED, RequestState.CREATING),
        (RequestState.CREATING, RequestState.FAILED),
    ]


def test_a_stop_in_the_middle_of_a_write_does_not_lose_it():
    async def story(progress, ledger, notifier):
        ledger.away = lambda: asyncio.CancelledError() if ledger.asked == 1 else None
        with pytest.raises(asyncio.CancelledError):
            await progress.save_with_retry(RequestState.CREATED, session=SESSION)
        ledger.state, ledger.session = RequestState.CREATED, SESSION  # the store had it all the same
        await progress.record_result(SessionStarted(SESSION))
        assert progress.state is RequestState.CREATED

    assert tell(story, RequestState.CREATING)[0].moves == []
