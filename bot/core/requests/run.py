"""What one request goes through while it is worked: its state in the store, and a word to whoever waits.

A create commits `creating` here just before its bytes go out, and goes back to `accepted` when the service said that
it did not act. The person reads a note at once when they have to wait their turn, else when nothing has come back for a
while, and one more when it takes longer: two at most, since Slack's response_url takes five messages.
"""

import asyncio
import logging
import math
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from bot.core.errors import (
    ID_TAKEN,
    CobrowseError,
    NotStartedError,
    QueueTooLongError,
    StorageUnavailableError,
    UnusableAnswerError,
)
from bot.core.models import Request, RequestKind, RequestState, Session, SessionStarted, WaitNotice
from bot.core.ports import CallHooks, Kept, RequestRepository
from bot.core.results import Result, Success
from bot.core.stored_errors import to_record

log = logging.getLogger(__name__)

NOTE_AFTER_SECONDS = 2.0
MOST_NOTES = 2
WORTH_A_NOTE_SECONDS = 4.0
LATE_SECONDS = 15.0
LONGEST_WAIT_SECONDS = 1500.0
"""Whose turn would come later than this after they asked is told so at once: Slack takes answers for 30 minutes."""
NOTE_PATIENCE_SECONDS = 1.0
PATIENCE_SECONDS = 2.0
SENDING_SECONDS = 15.0
RETRY_SECONDS = 0.5


class OwnershipLostError(Exception):
    """Somebody else has this request, so this worker stops."""


@dataclass(frozen=True, slots=True)
class Deed:
    """What must not be done twice. The hooks are called when it goes out, and after that it is not asked again; what it
    came to is written down before anybody is told, and `recall` says it once more after a crash."""

    do: Callable[[Request, CallHooks], Awaitable[Success]]
    recall: Callable[[Request], Awaitable[Success]]


Deeds = Mapping[RequestKind, Deed]


class Notifier(Protocol):
    """The part of the teller that says a word in between; never raises."""

    async def note(self, request: Request, note: WaitNotice) -> None: ...


class RequestRun:
    """One request on its way. Keeps to CallHooks, so the service's client reports to it."""

    def __init__(
        self,
        request: Request,
        state: RequestState,
        store: RequestRepository,
        notifier: Notifier,
        *,
        note_after_seconds: float,
    ) -> None:
        self.request = request
        self.state = state
        self.create_seconds = 0.0
        self._store = store
        self._notifier = notifier
        self._sent_at: float | None = None
        self._wait_until: float | None = None
        self._notes = 0
        self._noting: asyncio.Task[None] | None = None
        self._perhaps: list[RequestState] = []
        self._unwritten = False
        self._timer = asyncio.get_running_loop().call_later(note_after_seconds, self._note)

    @property
    def fairness_key(self) -> str:
        return f"{self.request.team_id}/{self.request.requester}"

    async def before_send(self) -> None:
        """The create goes out now.

        Raises OwnershipLostError when the request is not ours to send any more, NotStartedError.

        A shared store that is away is waited for: another replica may take the request and send it meanwhile.
        """
        loop = asyncio.get_running_loop()
        last = loop.time() + (SENDING_SECONDS if self._store.shared else 0.0)
        while self.state is not RequestState.CREATING:  # it may have been accepted so, in one write
            try:
                await self.move(RequestState.CREATING)
            except StorageUnavailableError:
                if loop.time() >= last:
                    raise NotStartedError from None
                await asyncio.sleep(RETRY_SECONDS)
            except OwnershipLostError:
                if not self._perhaps:
                    raise
                raise NotStartedError from None  # another replica wrote it, or we did and lost the answer
        self._sent_at = time.monotonic()
        self._wait_until = None

    async def on_wait(self, seconds: float) -> None:
        """It is not its turn, or the service did not act; asked (again) in so many seconds.

        Raises QueueTooLongError.
        """
        self._clock_create()
        if self.state is RequestState.CREATING:
            await self.move(RequestState.ACCEPTED)
        if (datetime.now(UTC) - self.request.accepted_at).total_seconds() + seconds > LONGEST_WAIT_SECONDS:
            raise QueueTooLongError(wait_seconds=seconds)
        loop = asyncio.get_running_loop()
        self._wait_until = loop.time() + seconds
        if seconds < WORTH_A_NOTE_SECONDS:
            return
        self._timer.cancel()
        self._timer = loop.call_at(self._wait_until + LATE_SECONDS, self._note)
        if self._noting and not self._noting.done():  # as soon as that one has gone out
            self._noting.add_done_callback(lambda _: self._note())
        else:
            self._note()

    async def move(
        self, to: RequestState, *, session: Session | None = None, failure: CobrowseError | None = None
    ) -> None:
        """Commit the next state.

        Raises OwnershipLostError, StorageUnavailableError, UnusableAnswerError (the request failed).
        """
        if to in (RequestState.CREATED, RequestState.FAILED):
            self._clock_create()
        try:
            moved = await self._advance(to, session, failure)
        except UnusableAnswerError:
            self.state = RequestState.FAILED
            self._perhaps.clear()
            raise
        except (StorageUnavailableError, asyncio.CancelledError):
            if to not in self._perhaps:  # the store may have done it, and its word was lost on the way
                self._perhaps.append(to)
            raise
        if not moved:
            raise OwnershipLostError
        self.state = to
        self._perhaps.clear()

    async def _advance(self, to: RequestState, session: Session | None, failure: CobrowseError | None) -> bool:
        for from_ in (self.state, *self._perhaps):
            if from_ is to:  # of `creating` nobody could say whether it is our own
                kept = await self._store.find(self.request.id)
                if session and kept and (refusal := _refusal(kept)):
                    raise refusal
                return to is not RequestState.CREATING and _is_there(kept, to, session, failure)
            if await self._store.advance(self.request.id, from_, to, session=session, failure=failure):
                return True
        return False

    async def settle(self, outcome: Result) -> Result:
        """Write an outcome down, unless it is; return what to tell.

        Raises OwnershipLostError when another has its own.
        """
        if self._unwritten:
            return outcome
        if isinstance(outcome, CobrowseError) and self.state is not RequestState.FAILED:
            await self.write_down(RequestState.FAILED, failure=outcome)
        elif isinstance(outcome, SessionStarted) and self.state is not RequestState.CREATED:
            try:
                await self.write_down(RequestState.CREATED, session=outcome.session)
            except UnusableAnswerError as error:
                return error
        elif self.state is RequestState.CREATING:  # a deed is done, and makes no session
            await self.write_down(RequestState.CREATED)
        return outcome

    async def write_down(
        self,
        to: RequestState,
        *,
        session: Session | None = None,
        failure: CobrowseError | None = None,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        """As move, for an outcome that is known. Raises OwnershipLostError, UnusableAnswerError.

        A store of our own that is away for longer must not keep the person from it. A shared one must: while it is
        away, another replica may have taken the request over, and tell another outcome.
        """
        loop = asyncio.get_running_loop()
        unbounded = self._store.shared and to is not RequestState.ANSWERED
        last = math.inf if unbounded else loop.time() + patience_seconds
        while True:
            try:
                return await self.move(to, session=session, failure=failure)
            except StorageUnavailableError:
                if loop.time() >= last:
                    self._unwritten = True
                    log.error("could not be written down", extra={"fields": {"request": self.request.id, "to": to}})
                    return None
                await asyncio.sleep(RETRY_SECONDS)
            except (OwnershipLostError, UnusableAnswerError):
                raise
            except Exception:
                self._unwritten = True
                log.exception("could not be written down", extra={"fields": {"request": self.request.id, "to": to}})
                return None

    async def stop(self) -> None:
        """No note after this: one that is on its way gets a moment, so that it does not overtake the outcome."""
        self._timer.cancel()
        self._notes = MOST_NOTES
        if self._noting and not self._noting.done():
            await asyncio.wait({self._noting}, timeout=NOTE_PATIENCE_SECONDS)

    def _note(self) -> None:
        if self._notes >= MOST_NOTES or (self._noting and not self._noting.done()):
            return
        self._notes += 1
        left = None if self._wait_until is None else self._wait_until - asyncio.get_running_loop().time()
        note = WaitNotice(left if left and left > 0 else None)
        self._noting = asyncio.ensure_future(self._notifier.note(self.request, note))

    def _clock_create(self) -> None:
        if self._sent_at is not None:
            self.create_seconds += time.monotonic() - self._sent_at
            self._sent_at = None


def _refusal(kept: Kept) -> UnusableAnswerError | None:
    """What the store refused the session with, when its word was lost on the way."""
    failure = kept.failure if kept.state is RequestState.FAILED else None
    return failure if isinstance(failure, UnusableAnswerError) and failure.why == ID_TAKEN else None


def _is_there(kept: Kept | None, state: RequestState, session: Session | None, failure: CobrowseError | None) -> bool:
    """Whether this very outcome has been written down before."""
    if kept is None or kept.state is not state or (kept.session and kept.session.id) != (session and session.id):
        return False
    return (kept.failure and to_record(kept.failure)) == (failure and to_record(failure))
