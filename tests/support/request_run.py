"""Share a clock that jumps, a store and a notifier for the tests of RequestRun, and play stories on them."""

import asyncio
import selectors
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import cast

from bot.core.errors import CobrowseError, StorageUnavailableError
from bot.core.models import (
    ChannelId,
    Request,
    RequestId,
    RequestKind,
    RequestState,
    Session,
    TeamId,
    UserId,
    WaitNotice,
)
from bot.core.ports import RequestRepository, StoredRequest
from bot.core.requests.run import RequestRun
from bot.core.timing import RunTiming

TIMING = RunTiming()
NOW = datetime(2026, 1, 1, tzinfo=UTC)
REQUEST = Request(
    id=RequestId("r1"),
    key="k",
    kind=RequestKind.START,
    team_id=TeamId("T0"),
    enterprise_id=None,
    channel_id=ChannelId("C0"),
    requester=UserId("U0ANA"),
    accepted_at=datetime.now(UTC),
)


class Jumping(selectors.DefaultSelector):
    """A selector that never waits. Instead, it moves the time by the time-out."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self.now += timeout or 0.0
        return super().select(0)


class JumpingLoop(asyncio.SelectorEventLoop):
    """An event loop that takes its time from the selector."""

    def __init__(self) -> None:
        self.jumping = Jumping()
        super().__init__(self.jumping)

    def time(self) -> float:
        return self.jumping.now


class Ledger:
    """A store that records each transition.

    It refuses a transition if `ours` is False, and fails while it is unavailable. `mute`: how many more transitions it
    makes whose answer is lost.
    """

    def __init__(self, state: RequestState) -> None:
        self.state = state
        self.moves: list[tuple[RequestState, RequestState]] = []
        self.session: Session | None = None
        self.failure: CobrowseError | None = None
        self.ours = True
        self.shared = False
        self.mute = 0
        self.asked = 0
        self.away: Callable[[], Exception | None] = lambda: None

    async def advance(
        self,
        request_id: RequestId,
        from_: RequestState,
        to: RequestState,
        *,
        session: Session | None = None,
        failure: CobrowseError | None = None,
    ) -> bool:
        assert request_id == REQUEST.id
        self.asked += 1
        if error := self.away():
            raise error
        if not self.ours or from_ is not self.state:
            return False
        self.moves.append((from_, to))
        self.state, self.session, self.failure = to, session, failure
        if self.mute:
            self.mute -= 1
            raise StorageUnavailableError
        return True

    async def find(self, request_id: RequestId) -> StoredRequest:
        assert request_id == REQUEST.id
        if error := self.away():
            raise error
        return StoredRequest(REQUEST, self.state, self.failure, self.session)


class Notifier:
    """A notifier that records each wait notice and its time. Each notice takes `takes_seconds`."""

    def __init__(self) -> None:
        self.notes: list[tuple[float, WaitNotice]] = []
        self.takes_seconds = 0.0
        self.done = 0
        self.replaces: list[bool] = []

    async def note(self, request: Request, note: WaitNotice) -> None:
        assert request.id == REQUEST.id
        self.notes.append((asyncio.get_running_loop().time(), note))
        self.replaces.append(request.replaces)
        await asyncio.sleep(self.takes_seconds)
        self.done += 1

    @property
    def heard(self) -> list[tuple[int, int | None]]:
        return [(round(at), None if note.wait_seconds is None else round(note.wait_seconds)) for at, note in self.notes]


Story = Callable[[RequestRun, Ledger, Notifier], Awaitable[None]]


def tell(
    story: Story, state: RequestState = RequestState.ACCEPTED, *, replaces: bool = False
) -> tuple[Ledger, Notifier]:
    """Play a story from time zero with a request in this state. Stop its wait notices at the end."""
    ledger, notifier = Ledger(state), Notifier()

    async def play() -> None:
        fresh = replace(REQUEST, accepted_at=datetime.now(UTC), replaces=replaces)  # not when this module was read
        progress = RequestRun(fresh, state, cast(RequestRepository, ledger), notifier, TIMING)
        try:
            await story(progress, ledger, notifier)
        finally:
            await progress.stop_notices()
        await asyncio.sleep(60)

    with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        runner.run(play())
    return ledger, notifier
