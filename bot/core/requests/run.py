"""Commit the state transitions of one request while a worker processes it, and notify its requester meanwhile.

`creating` is committed just before the bytes of a create go out. It goes back to `accepted` when the service says that
it did not act. The requester reads a notice at once when they have to wait for their turn, else when no answer has come
for a while, and one more when it takes longer.
"""

import asyncio
import logging
import math
import time
from datetime import UTC, datetime

from bot.core.errors import (
    ID_TAKEN,
    CobrowseError,
    InterruptedRequestError,
    QueueTooLongError,
    StorageUnavailableError,
    UnusableAnswerError,
)
from bot.core.models import Request, RequestState, Session, SessionStarted, WaitNotice
from bot.core.ports import Notifier, RequestRepository, StoredRequest
from bot.core.results import Result
from bot.core.stored_errors import to_record
from bot.core.timing import RunTiming

log = logging.getLogger(__name__)

MAX_NOTICES = 2
"""Slack's response_url takes five messages."""


class OwnershipLostError(Exception):
    """Another worker has this request, so this one stops."""


class RequestRun:
    """One request that a worker processes. It implements CallHooks, so the Genesys client reports to it."""

    def __init__(
        self,
        request: Request,
        state: RequestState,
        store: RequestRepository,
        notifier: Notifier,
        timing: RunTiming,
    ) -> None:
        self.request = request
        self.state = state
        self.create_seconds = 0.0
        self._store, self._timing = store, timing
        self._notices = ProgressNotifier(request, notifier, timing)
        self._sent_at: float | None = None
        self._uncertain: list[RequestState] = []
        """States that the store may have committed: its answer was lost."""
        self._is_unsaved = False

    @property
    def fairness_key(self) -> str:
        """Return the requester: people share the rate limit fairly."""
        return f"{self.request.team_id}/{self.request.requester}"

    async def before_send(self) -> None:
        """Commit `creating`. Raises OwnershipLostError when another worker has the request, InterruptedRequestError.

        Wait for a shared store that is unavailable: another replica may take the request over and send it meanwhile.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + (self._timing.send_timeout if self._store.shared else 0.0)
        while self.state is not RequestState.CREATING:  # a request can be accepted as `creating`, in one write
            try:
                await self.transition(RequestState.CREATING)
            except StorageUnavailableError:
                if loop.time() >= deadline:
                    raise InterruptedRequestError("not_started") from None
                await asyncio.sleep(self._timing.retry_seconds)
            except OwnershipLostError:
                if not self._uncertain:
                    raise
                # another replica has it, or the answer to our own commit was lost: saving will tell
                raise InterruptedRequestError("not_started") from None
        self._sent_at = time.monotonic()
        self._notices.sent()

    async def on_wait(self, seconds: float) -> None:
        """Take `creating` back: the call waits for its turn, or the service did not act. Raises QueueTooLongError."""
        self._stop_clock()
        if self.state is RequestState.CREATING:
            await self.transition(RequestState.ACCEPTED)
        waited = (datetime.now(UTC) - self.request.accepted_at).total_seconds()
        if waited + seconds > self._timing.max_wait_seconds:
            raise QueueTooLongError(wait_seconds=seconds)
        self._notices.wait(seconds)

    async def stop_notices(self) -> None:
        """Post no wait notice after this."""
        await self._notices.stop()

    async def transition(
        self, to: RequestState, *, session: Session | None = None, failure: CobrowseError | None = None
    ) -> None:
        """Commit the next state.

        Raises OwnershipLostError, StorageUnavailableError, UnusableAnswerError (then the request failed).
        """
        if to in (RequestState.CREATED, RequestState.FAILED):
            self._stop_clock()
        try:
            is_moved = await self._advance(to, session, failure)
        except UnusableAnswerError:
            self.state = RequestState.FAILED
            self._uncertain.clear()
            raise
        except (StorageUnavailableError, asyncio.CancelledError):
            if to not in self._uncertain:  # the store may have committed it, and its answer was lost
                self._uncertain.append(to)
            raise
        if not is_moved:
            raise OwnershipLostError
        self.state = to
        self._uncertain.clear()

    async def _advance(self, to: RequestState, session: Session | None, failure: CobrowseError | None) -> bool:
        for from_ in (self.state, *self._uncertain):
            if from_ is to:  # nobody can say whether a `creating` is our own
                stored = await self._store.find(self.request.id)
                if session and stored and (refusal := _refusal(stored)):
                    raise refusal
                return to is not RequestState.CREATING and _is_stored(stored, to, session, failure)
            if await self._store.advance(self.request.id, from_, to, session=session, failure=failure):
                return True
        return False

    async def record_result(self, result: Result) -> Result:
        """Save a result, unless it is saved; return the result to tell. Raises OwnershipLostError."""
        if self._is_unsaved:
            return result
        if isinstance(result, CobrowseError) and self.state is not RequestState.FAILED:
            await self.save_with_retry(RequestState.FAILED, failure=result)
        elif isinstance(result, SessionStarted) and self.state is not RequestState.CREATED:
            try:
                await self.save_with_retry(RequestState.CREATED, session=result.session)
            except UnusableAnswerError as error:
                return error
        elif self.state is RequestState.CREATING:  # a message was sent; it creates no session
            await self.save_with_retry(RequestState.CREATED)
        return result

    async def save_answered(self) -> None:
        """Save that the requester has the result. Raises OwnershipLostError."""
        await self.save_with_retry(RequestState.ANSWERED, timeout=self._timing.answered_timeout)

    async def save_with_retry(
        self,
        to: RequestState,
        *,
        session: Session | None = None,
        failure: CobrowseError | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - the loop below ends after it
    ) -> None:
        """Make a transition whose result is known, and retry while the store is unavailable.

        `timeout` ends the retries, None after `save_timeout`: a store of our own must not keep the result from the
        requester for longer. For a shared store there is no end: meanwhile another replica may have taken the request
        over, and tell another result. Raises OwnershipLostError, UnusableAnswerError.
        """
        loop = asyncio.get_running_loop()
        is_endless = self._store.shared and to is not RequestState.ANSWERED
        deadline = math.inf if is_endless else loop.time() + (self._timing.save_timeout if timeout is None else timeout)
        fields = {"request": self.request.id, "to": to}
        while True:
            try:
                return await self.transition(to, session=session, failure=failure)
            except StorageUnavailableError:
                if loop.time() >= deadline:
                    self._is_unsaved = True
                    log.error("could not be written down", extra={"fields": fields})
                    return None
                await asyncio.sleep(self._timing.retry_seconds)
            except (OwnershipLostError, UnusableAnswerError):
                raise
            except Exception:
                self._is_unsaved = True
                log.exception("could not be written down", extra={"fields": fields})
                return None

    def _stop_clock(self) -> None:
        if self._sent_at is not None:
            self.create_seconds += time.monotonic() - self._sent_at
            self._sent_at = None


class ProgressNotifier:
    """Posts the wait notices of one request. Its timer starts with it."""

    def __init__(self, request: Request, notifier: Notifier, timing: RunTiming) -> None:
        self._request, self._notifier, self._timing = request, notifier, timing
        self._wait_until: float | None = None
        self._count = 0
        self._posting: asyncio.Task[None] | None = None
        self._loop = asyncio.get_running_loop()
        self._timer = self._loop.call_later(timing.first_notice_seconds, self._post)

    def sent(self) -> None:
        """Stop announcing a wait: the call has gone out."""
        self._wait_until = None

    def wait(self, seconds: float) -> None:
        """Announce a wait of `seconds`, unless it is short."""
        self._wait_until = self._loop.time() + seconds
        if seconds < self._timing.min_wait_notice_seconds:
            return
        self._timer.cancel()
        self._timer = self._loop.call_at(self._wait_until + self._timing.late_seconds, self._post)
        if self._posting and not self._posting.done():  # as soon as that one has gone out
            self._posting.add_done_callback(lambda _: self._post())
        else:
            self._post()

    async def stop(self) -> None:
        """Post no more. Wait a moment for a notice that is being posted, so that it does not overtake the result."""
        self._timer.cancel()
        self._count = MAX_NOTICES
        if self._posting and not self._posting.done():
            await asyncio.wait({self._posting}, timeout=self._timing.stop_notice_seconds)

    def _post(self) -> None:
        if self._count >= MAX_NOTICES or (self._posting and not self._posting.done()):
            return
        self._count += 1
        left = None if self._wait_until is None else self._wait_until - self._loop.time()
        notice = WaitNotice(left if left and left > 0 else None)
        self._posting = asyncio.ensure_future(self._notifier.note(self._request, notice))


def _refusal(stored: StoredRequest) -> UnusableAnswerError | None:
    """Return the error by which the store refused the session, when its answer was lost."""
    failure = stored.failure if stored.state is RequestState.FAILED else None
    return failure if isinstance(failure, UnusableAnswerError) and failure.why == ID_TAKEN else None


def _is_stored(
    stored: StoredRequest | None, state: RequestState, session: Session | None, failure: CobrowseError | None
) -> bool:
    """Return whether this very result is stored."""
    if stored is None or stored.state is not state:
        return False
    if (stored.session and stored.session.id) != (session and session.id):
        return False
    return (stored.failure and to_record(stored.failure)) == (failure and to_record(failure))
