"""What the tests of a request's progress share: a clock that jumps, a ledger, a notifier, and a story told on them."""

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
    """Waits for no timer: the time it was to wait has simply passed."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
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
    """The store: remembers each move, refuses when somebody else has the request, and fails while it is away.

    `mute`: it does what it is asked, so many times more, and its word is lost on the way.
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
    """Remembers what was said and when; takes as long as it is told to."""

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
    """Plays a story from time zero with a request in this state, and stops the progress at its end."""
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
