"""One request in progress: its states in the store, and the time that it takes, on a clock that jumps."""

import pytest

from bot.core.errors import ServiceBusyError
from bot.core.models import RequestState, Session
from bot.core.requests.run import OwnershipLostError
from tests.support.request_run import NOW, tell

SESSION = Session(id="s-1", status="open", host_id="h", name="n", ends_at=NOW, join_url="https://join.example/1")


def test_creating_is_committed_first_and_taken_back_if_unacted():
    async def story(progress, ledger, notifier):
        await progress.before_send()
        assert progress.state is RequestState.CREATING
        await progress.on_wait(1)
        assert progress.state is RequestState.ACCEPTED
        await progress.on_wait(1)
        await progress.before_send()
        await progress.transition(RequestState.CREATED, session=SESSION)
        assert ledger.session is SESSION
        await progress.transition(RequestState.ANSWERED)

    a, c = RequestState.ACCEPTED, RequestState.CREATING
    assert tell(story)[0].moves == [
        (a, c),
        (c, a),
        (a, c),
        (c, RequestState.CREATED),
        (RequestState.CREATED, RequestState.ANSWERED),
    ]


def test_a_failure_is_stored_as_it_is():
    busy = ServiceBusyError(reference="r-1", retry_after=7)

    async def story(progress, ledger, notifier):
        await progress.transition(RequestState.FAILED, failure=busy)

    ledger, _ = tell(story)
    assert ledger.moves == [(RequestState.ACCEPTED, RequestState.FAILED)]
    assert ledger.failure is busy


@pytest.mark.parametrize(
    "state", [RequestState.ACCEPTED, RequestState.CREATING, RequestState.CREATED, RequestState.FAILED]
)
def test_a_request_goes_on_from_the_state_it_was_found_in(state):
    async def story(progress, ledger, notifier):
        assert progress.state is state
        await progress.transition(RequestState.ANSWERED)

    assert tell(story, state)[0].moves == [(state, RequestState.ANSWERED)]


@pytest.mark.parametrize("step", [lambda p: p.before_send(), lambda p: p.transition(RequestState.FAILED)])
def test_request_of_another_owner_sends_nothing_and_stays(step):
    async def story(progress, ledger, notifier):
        ledger.ours = False
        with pytest.raises(OwnershipLostError):
            await step(progress)
        assert progress.state is RequestState.ACCEPTED

    assert tell(story)[0].moves == []


def test_the_time_of_the_create_is_counted_without_the_waits():
    seconds: list[float] = []

    async def story(progress, ledger, notifier):
        assert progress.create_seconds == 0
        await progress.before_send()
        await progress.on_wait(600)
        seconds.append(progress.create_seconds)
        await progress.on_wait(600)
        seconds.append(progress.create_seconds)
        await progress.before_send()
        await progress.transition(RequestState.FAILED)
        seconds.append(progress.create_seconds)

    tell(story)
    assert 0 < seconds[0] == seconds[1] < seconds[2] < 60
