"""A known result is saved while the store is unavailable now and then.

Nobody waits for a store that stays unavailable.
"""

import asyncio

import pytest

from bot.core.errors import InterruptedRequestError, ServiceBusyError, StorageUnavailableError
from bot.core.models import RequestState, Session
from bot.core.requests.run import OwnershipLostError
from tests.support.request_run import NOW, TIMING, tell

SESSION = Session(id="s-1", status="open", host_id="h", name="n", ends_at=NOW, join_url="https://join.example/1")


def away_until(seconds: float):
    """Make the store unavailable for these seconds."""
    return lambda: StorageUnavailableError() if asyncio.get_running_loop().time() < seconds else None


def test_a_store_that_comes_back_in_time_gets_the_outcome_once():
    async def story(progress, ledger, notifier):
        ledger.away = away_until(TIMING.save_timeout - TIMING.retry_seconds)
        await progress.save_with_retry(RequestState.CREATED, session=SESSION)
        assert progress.state is RequestState.CREATED
        assert asyncio.get_running_loop().time() < TIMING.save_timeout

    ledger, _ = tell(story, RequestState.CREATING)
    assert ledger.moves == [(RequestState.CREATING, RequestState.CREATED)]
    assert ledger.session is SESSION
    assert ledger.asked == 1 + round((TIMING.save_timeout - TIMING.retry_seconds) / TIMING.retry_seconds)


def test_a_store_that_stays_away_is_not_waited_for_any_longer(caplog: pytest.LogCaptureFixture):
    async def story(progress, ledger, notifier):
        ledger.away = StorageUnavailableError
        await progress.save_with_retry(RequestState.FAILED, failure=ServiceBusyError())
        assert asyncio.get_running_loop().time() == pytest.approx(TIMING.save_timeout)
        assert progress.state is RequestState.CREATING

    ledger, _ = tell(story, RequestState.CREATING)
    assert ledger.moves == []
    assert [record.getMessage() for record in caplog.records] == ["could not be written down"]


def test_limits_can_be_longer_once_the_person_has_the_answer():
    async def story(progress, ledger, notifier):
        ledger.away = away_until(900)
        await progress.save_with_retry(RequestState.ANSWERED, timeout=1800)

    assert tell(story, RequestState.CREATED)[0].moves == [(RequestState.CREATED, RequestState.ANSWERED)]


def test_request_of_another_owner_is_left_alone():
    async def story(progress, ledger, notifier):
        ledger.away, ledger.ours = away_until(1), False
        with pytest.raises(OwnershipLostError):
            await progress.save_with_retry(RequestState.CREATED, session=SESSION)
        assert progress.state is RequestState.CREATING

    assert tell(story, RequestState.CREATING)[0].moves == []


def test_a_fault_nobody_foresaw_is_logged_and_not_tried_again(caplog: pytest.LogCaptureFixture):
    async def story(progress, ledger, notifier):
        ledger.away = lambda: RuntimeError("a wheel came off")
        await progress.save_with_retry(RequestState.CREATED, session=SESSION)

    ledger, _ = tell(story, RequestState.CREATING)
    assert (ledger.asked, ledger.moves) == (1, [])
    assert [record.exc_info is not None for record in caplog.records] == [True]


def test_a_create_does_not_go_out_while_the_store_is_away():
    """The store must hold `creating` before the call is sent, so this write is not put off."""

    async def story(progress, ledger, notifier):
        ledger.away = StorageUnavailableError
        with pytest.raises(InterruptedRequestError, match=r"^not_started$"):
            await progress.before_send()
        assert (progress.state, progress.create_seconds) == (RequestState.ACCEPTED, 0)

    ledger, _ = tell(story)
    assert (ledger.asked, ledger.moves) == (1, [])
