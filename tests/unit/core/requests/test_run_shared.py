"""A store that others share: what is told is what is written there, however long that takes, and nothing else."""

import asyncio
from dataclasses import replace

import pytest

from bot.core.errors import Busy, Interrupted, NotBegun, OutcomeUnknown, StoreUnavailable
from bot.core.models import Session, Started, State
from bot.core.requests.run import PATIENCE_SECONDS, RETRY_SECONDS, SENDING_SECONDS, Superseded
from tests.support.request_run import NOW, tell

SESSION = Session(id="s-1", status="open", host_id="h", name="n", ends_at=NOW, join_url="https://join.example/1")
HOUR = 3600.0


def away_until(seconds: float):
    """The store is unavailable so long."""
    return lambda: StoreUnavailable() if asyncio.get_running_loop().time() < seconds else None


@pytest.mark.parametrize("outcome", [Started(SESSION), Busy(), StoreUnavailable(), Interrupted(maybe_created=True)])
def test_an_outcome_is_held_back_until_it_is_written(outcome):
    async def story(progress, ledger, notifier):
        ledger.shared, ledger.away = True, away_until(HOUR)
        await progress.settle(outcome)
        assert asyncio.get_running_loop().time() >= HOUR

    ledger, _ = tell(story, State.CREATING)
    assert ledger.moves == [(State.CREATING, State.CREATED if isinstance(outcome, Started) else State.FAILED)]


def test_what_another_has_taken_meanwhile_is_not_told_here():
    async def story(progress, ledger, notifier):
        ledger.shared, ledger.ours, ledger.away = True, False, away_until(HOUR)
        with pytest.raises(Superseded):
            await progress.settle(Started(SESSION))

    assert tell(story, State.CREATING)[0].moves == []


def test_a_store_of_our_own_that_stays_away_is_waited_for_once():
    async def story(progress, ledger, notifier):
        ledger.away = StoreUnavailable
        await progress.write_down(State.CREATED, session=SESSION)
        await progress.settle(Started(SESSION))
        assert asyncio.get_running_loop().time() == pytest.approx(PATIENCE_SECONDS)

    tell(story, State.CREATING)


def test_what_is_written_is_not_written_again():
    async def story(progress, ledger, notifier):
        await progress.write_down(State.CREATED, session=SESSION)
        await progress.settle(Started(SESSION))

    assert tell(story, State.CREATING)[0].asked == 1


@pytest.mark.parametrize("outcome", [Started(SESSION), Busy(retry_after=2)])
def test_an_outcome_that_was_written_though_its_answer_was_lost_is_ours_to_tell(outcome):
    async def story(progress, ledger, notifier):
        ledger.shared, ledger.mute = True, 1
        await progress.settle(outcome)
        assert progress.state is ledger.state
        await progress.write_down(State.ANSWERED)

    ledger, _ = tell(story, State.CREATING)
    assert len(ledger.moves) == 2
    assert ledger.state is State.ANSWERED


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (Started(SESSION), {"state": State.FAILED, "failure": Interrupted(maybe_created=True)}),
        (Started(SESSION), {"state": State.CREATED, "session": replace(SESSION, id="s-2")}),
        (OutcomeUnknown(), {"state": State.FAILED, "failure": Interrupted(maybe_created=True)}),
        (Interrupted(False), {"state": State.FAILED, "failure": Interrupted(maybe_created=True)}),
        (Busy(), {"state": State.ANSWERED}),
    ],
)
def test_an_outcome_that_is_not_the_one_written_is_not_told(ours, theirs):
    async def story(progress, ledger, notifier):
        ledger.shared, ledger.away = True, away_until(1)
        for name, value in theirs.items():
            setattr(ledger, name, value)
        with pytest.raises(Superseded):
            await progress.settle(ours)

    assert tell(story, State.CREATING)[0].moves == []


def test_a_create_waits_a_while_for_the_store():
    async def story(progress, ledger, notifier):
        ledger.shared, ledger.away = True, away_until(SENDING_SECONDS - RETRY_SECONDS)
        await progress.sending()
        assert progress.state is State.CREATING

    assert tell(story)[0].moves == [(State.ACCEPTED, State.CREATING)]


def test_and_does_not_go_out_when_the_store_stays_away():
    async def story(progress, ledger, notifier):
        ledger.shared, ledger.away = True, away_until(HOUR)
        with pytest.raises(NotBegun):
            await progress.sending()
        assert asyncio.get_running_loop().time() == pytest.approx(SENDING_SECONDS)
        await progress.settle(NotBegun())

    assert tell(story)[0].moves == [(State.ACCEPTED, State.FAILED)]


def test_a_create_that_another_began_meanwhile_is_not_sent_twice():
    """Its state is what ours was to be."""

    async def story(progress, ledger, notifier):
        ledger.shared, ledger.away, ledger.ours = True, away_until(1), False
        ledger.state = State.CREATING
        with pytest.raises(NotBegun):
            await progress.sending()
        with pytest.raises(Superseded):
            await progress.settle(NotBegun())

    assert tell(story)[0].moves == []


def test_a_create_whose_beginning_was_written_without_our_hearing_of_it_ends_in_its_failure():
    async def story(progress, ledger, notifier):
        ledger.shared, ledger.mute = True, 2
        with pytest.raises(NotBegun):
            await progress.sending()
        await progress.settle(NotBegun())  # the answer to this one is lost, too
        assert progress.state is State.FAILED

    ledger, _ = tell(story)
    assert ledger.moves == [(State.ACCEPTED, State.CREATING), (State.CREATING, State.FAILED)]


def test_a_stop_in_the_middle_of_a_write_does_not_lose_it():
    async def story(progress, ledger, notifier):
        ledger.away = lambda: asyncio.CancelledError() if ledger.asked == 1 else None
        with pytest.raises(asyncio.CancelledError):
            await progress.write_down(State.CREATED, session=SESSION)
        ledger.state, ledger.session = State.CREATED, SESSION  # the store had it all the same
        await progress.settle(Started(SESSION))
        assert progress.state is State.CREATED

    assert tell(story, State.CREATING)[0].moves == []
