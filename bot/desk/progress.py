"""What one request goes through while it is worked: its state in the store, and a word to whoever waits.

A create commits `creating` here just before its bytes go out, and goes back to `accepted` when the service said that
it did not act. The person reads a note at once when they have to wait their turn, else when nothing has come back for a
while, and one more when it takes longer: two at most, since Slack's response_url takes five messages.
"""

import asyncio
import logging
import time
from datetime import UTC, datetime
from typing import Protocol

from bot.desk.errors import CobrowseError, StoreUnavailable, TooManyWaiting
from bot.desk.models import Note, Request, Session, State
from bot.desk.store import Store

log = logging.getLogger(__name__)

NOTE_AFTER_SECONDS = 2.0
MOST_NOTES = 2
WORTH_A_NOTE_SECONDS = 4.0
LATE_SECONDS = 15.0
LONGEST_WAIT_SECONDS = 1500.0
"""Whose turn would come later than this after they asked is told so at once: Slack takes answers for 30 minutes."""
NOTE_PATIENCE_SECONDS = 1.0
PATIENCE_SECONDS = 2.0
RETRY_SECONDS = 0.5


class Superseded(Exception):
    """Somebody else has this request, so this worker stops."""


class Watcher(Protocol):
    """Is told when a call goes out, and when it waits because the service did not act. May raise to stop it."""

    @property
    def requester(self) -> str:
        """Whose turn it takes; opaque."""

    async def sending(self) -> None: ...

    async def waiting(self, seconds: float) -> None: ...


class Notifier(Protocol):
    """The part of the teller that says a word in between; never raises."""

    async def note(self, request: Request, note: Note) -> None: ...


class Progress:
    """One request on its way. Keeps to Watcher, so the service's client reports to it."""

    def __init__(
        self, request: Request, state: State, store: Store, notifier: Notifier, *, note_after_seconds: float
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
        self._timer = asyncio.get_running_loop().call_later(note_after_seconds, self._note)

    @property
    def requester(self) -> str:
        return f"{self.request.team_id}/{self.request.requester}"

    async def sending(self) -> None:
        """The create goes out now. Raises Superseded when the request is not ours to send any more."""
        await self.move(State.CREATING)
        self._sent_at = time.monotonic()
        self._wait_until = None

    async def waiting(self, seconds: float) -> None:
        """It is not its turn, or the service did not act; asked (again) in so many seconds. Raises TooManyWaiting."""
        self._clock_create()
        if self.state is State.CREATING:
            await self.move(State.ACCEPTED)
        if (datetime.now(UTC) - self.request.accepted_at).total_seconds() + seconds > LONGEST_WAIT_SECONDS:
            raise TooManyWaiting(wait_seconds=seconds)
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

    async def move(self, to: State, *, session: Session | None = None, failure: CobrowseError | None = None) -> None:
        """Commits the next state. Raises Superseded, StoreUnavailable."""
        if to in (State.CREATED, State.FAILED):
            self._clock_create()
        if not await self._store.advance(self.request.id, self.state, to, session=session, failure=failure):
            raise Superseded
        self.state = to

    async def write_down(
        self,
        to: State,
        *,
        session: Session | None = None,
        failure: CobrowseError | None = None,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        """As move, for an outcome that is known: a store that is away for longer must not keep the person from it."""
        loop = asyncio.get_running_loop()
        last = loop.time() + patience_seconds
        while True:
            try:
                return await self.move(to, session=session, failure=failure)
            except StoreUnavailable:
                if loop.time() >= last:
                    log.error("could not be written down", extra={"fields": {"request": self.request.id, "to": to}})
                    return None
                await asyncio.sleep(RETRY_SECONDS)
            except Superseded:
                raise
            except Exception:
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
        note = Note(left if left and left > 0 else None)
        self._noting = asyncio.ensure_future(self._notifier.note(self.request, note))

    def _clock_create(self) -> None:
        if self._sent_at is not None:
            self.create_seconds += time.monotonic() - self._sent_at
            self._sent_at = None
