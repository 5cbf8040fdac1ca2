"""One request on its way: its states in the store, and the word in between, on a clock that jumps."""

import asyncio
import selectors
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import pytest

from bot.desk.models import Kind, Note, Request, Session, State
from bot.desk.progress import MOST_NOTES, NOTE_AFTER_SECONDS, NOTE_PATIENCE_SECONDS, Progress, Superseded

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SESSION = Session(id="s-1", status="open", host_id="h", name="n", ends_at=NOW, join_url="https://join.example/1")
REQUEST = Request(
    id="r1",
    key="k",
    kind=Kind.START,
    team_id="T0",
    enterprise_id=None,
    channel_id="C0",
    requester="U0ANA",
    accepted_at=NOW,
)


class Jumping(selectors.DefaultSelector):
    """Waits for no timer: the time it was to wait has simply passed."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None):
        self.now += timeout or 0.0
        return super().select(0)


class JumpingLoop(asyncio.SelectorEventLoop):
    """An event loop on the selector's time."""

    def __init__(self) -> None:
        self.jumping = Jumping()
        super().__init__(self.jumping)

    def time(self) -> float:
        return self.jumping.now


class Ledger:
    """The store: remembers each move, and refuses when somebody else has the request."""

    def __init__(self) -> None:
        self.moves: list[tuple[State, State]] = []
        self.session: Session | None = None
        self.failure = ""
        self.ours = True

    async def advance(self, request_id, from_, to, *, session=None, failure="") -> bool:
        assert request_id == REQUEST.id
        if self.ours:
            self.moves.append((from_, to))
            self.session, self.failure = session, failure
        return self.ours


class Notifier:
    """Remembers what was said and when; takes as long as it is told to."""

    def __init__(self) -> None:
        self.notes: list[tuple[float, Note]] = []
        self.takes_seconds = 0.0
        self.done = 0

    async def note(self, request: Request, note: Note) -> None:
        assert request is REQUEST
        self.notes.append((asyncio.get_running_loop().time(), note))
        await asyncio.sleep(self.takes_seconds)
        self.done += 1

    @property
    def heard(self) -> list[tuple[int, int | None]]:
        return [(round(at), None if note.wait_seconds is None else round(note.wait_seconds)) for at, note in self.notes]


Story = Callable[[Progress, Ledger, Notifier], Awaitable[None]]


def tell(story: Story, ledger: Ledger | None = None, notifier: Notifier | None = None) -> tuple[Ledger, Notifier]:
    """Plays a story from time zero, and stops the progress at its end."""
    ledger, notifier = ledger or Ledger(), notifier or Notifier()

    async def play() -> None:
        progress = Progress(REQUEST, ledger, notifier, note_after_seconds=NOTE_AFTER_SECONDS)
        try:
            await story(progress, ledger, notifier)
        finally:
            await progress.stop()
        await asyncio.sleep(60)

    with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        runner.run(play())
    return ledger, notifier


def test_who_is_answered_soon_reads_no_note():
    async def story(progress, ledger, notifier):
        await asyncio.sleep(1.9)

    assert tell(story)[1].heard == []


def test_when_nothing_has_come_back_for_a_while_one_note_says_so():
    async def story(progress, ledger, notifier):
        await progress.sending()
        await asyncio.sleep(60)

    assert tell(story)[1].heard == [(2, None)]


def test_a_wait_that_the_service_orders_early_is_told_with_what_is_left_of_it():
    async def story(progress, ledger, notifier):
        await progress.sending()
        await progress.waiting(30)
        await asyncio.sleep(30)
        await progress.sending()
        await asyncio.sleep(5)

    assert tell(story)[1].heard == [(2, 28)]


def test_a_wait_that_is_ordered_late_gets_a_second_note():
    async def story(progress, ledger, notifier):
        await progress.sending()
        await asyncio.sleep(5)
        await progress.waiting(30)
        await asyncio.sleep(30)

    assert tell(story)[1].heard == [(2, None), (5, 30)]


def test_there_are_two_notes_at_most():
    async def story(progress, ledger, notifier):
        await asyncio.sleep(3)
        for _ in range(5):
            await progress.sending()
            await progress.waiting(10)
            await asyncio.sleep(10)

    assert len(tell(story)[1].heard) == MOST_NOTES == 2


def test_a_short_wait_is_not_worth_a_second_note():
    async def story(progress, ledger, notifier):
        await asyncio.sleep(3)
        await progress.sending()
        await progress.waiting(1.5)

    assert tell(story)[1].heard == [(2, None)]


def test_a_wait_that_is_over_is_not_told_any_more():
    async def story(progress, ledger, notifier):
        await progress.sending()
        await progress.waiting(1)
        await asyncio.sleep(1)
        await progress.sending()
        await asyncio.sleep(10)

    assert tell(story)[1].heard == [(2, None)]


def test_a_long_wait_is_told_also_when_the_first_note_is_still_on_its_way():
    async def story(progress, ledger, notifier):
        notifier.takes_seconds = 1.0
        await progress.sending()
        await asyncio.sleep(2.5)
        await progress.waiting(120)
        await asyncio.sleep(120)

    heard = tell(story)[1].heard
    assert heard[0] == (2, None)
    assert [wait is not None for _, wait in heard[1:]] == [True]


def test_a_note_on_its_way_gets_a_moment_so_that_it_does_not_overtake_the_outcome():
    seen: list[tuple[float, int]] = []

    async def story(progress, ledger, notifier):
        notifier.takes_seconds = 0.5
        await asyncio.sleep(2.2)
        await progress.stop()
        seen.append((asyncio.get_running_loop().time(), notifier.done))

    tell(story)
    assert seen == [(pytest.approx(2.5), 1)]


def test_a_note_that_hangs_does_not_hold_up_the_outcome():
    seen: list[float] = []

    async def story(progress, ledger, notifier):
        notifier.takes_seconds = 30
        await asyncio.sleep(2.2)
        await progress.stop()
        seen.append(asyncio.get_running_loop().time())

    tell(story)
    assert seen == [pytest.approx(2.2 + NOTE_PATIENCE_SECONDS)]


def test_creating_is_committed_before_the_bytes_go_and_taken_back_when_the_service_did_not_act():
    async def story(progress, ledger, notifier):
        await progress.sending()
        assert progress.state is State.CREATING
        await progress.waiting(1)
        assert progress.state is State.ACCEPTED
        await progress.waiting(1)
        await progress.sending()
        await progress.move(State.CREATED, session=SESSION)
        assert ledger.session is SESSION
        await progress.move(State.ANSWERED)

    a, c = State.ACCEPTED, State.CREATING
    assert tell(story)[0].moves == [(a, c), (c, a), (a, c), (c, State.CREATED), (State.CREATED, State.ANSWERED)]


def test_a_failure_is_stored_by_its_name():
    async def story(progress, ledger, notifier):
        await progress.move(State.FAILED, failure="Busy")

    ledger, _ = tell(story)
    assert (ledger.moves, ledger.failure) == ([(State.ACCEPTED, State.FAILED)], "Busy")


@pytest.mark.parametrize("step", [lambda p: p.sending(), lambda p: p.move(State.FAILED)])
def test_when_somebody_else_has_the_request_nothing_is_sent_and_the_state_stays(step):
    async def story(progress, ledger, notifier):
        ledger.ours = False
        with pytest.raises(Superseded):
            await step(progress)
        assert progress.state is State.ACCEPTED

    assert tell(story)[0].moves == []


def test_the_time_of_the_create_is_counted_without_the_waits():
    seconds: list[float] = []

    async def story(progress, ledger, notifier):
        assert progress.create_seconds == 0
        await progress.sending()
        await progress.waiting(3600)
        seconds.append(progress.create_seconds)
        await progress.waiting(3600)
        seconds.append(progress.create_seconds)
        await progress.sending()
        await progress.move(State.FAILED)
        seconds.append(progress.create_seconds)

    tell(story)
    assert 0 < seconds[0] == seconds[1] < seconds[2] < 60
