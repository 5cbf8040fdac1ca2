"""Store the state transitions of one request while a worker processes it, and post wait notices to the requester."""

import asyncio
import logging
import math
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime

from bot.core.errors import (
    ID_TAKEN,
    CobrowseError,
    InterruptedRequestError,
    QueueTooLongError,
    StorageUnavailableError,
    UnusableAnswerError,
)
from bot.core.models import Request, RequestState, Session, SessionStarted, WaitNotice, team_of
from bot.core.ports import Notifier, RequestRepository, StoredRequest
from bot.core.results import Result
from bot.core.stored_errors import to_record
from bot.core.timing import RunTiming

log = logging.getLogger(__name__)

MAX_NOTICES = 2
"""The maximum number of wait notices for a request."""


class OwnershipLostError(Exception):
    """Raised when another worker has taken over the request, so that this worker must stop."""


class RequestRun:
    """Stores the state and the result of one request, and posts its wait notices, while a worker processes the request.

    The Genesys client calls `before_send` before it sends a call, and `on_wait` when a call has to wait.

    - `state`: the newest state that the database confirmed.
    - `create_seconds`: the total duration of the calls that create a session or send a message to a customer; 0.0 until
      the first of these calls has ended.
    """

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
        self._notices = ProgressNotifier(request, notifier, timing, self._is_ours)
        self._sent_at: float | None = None
        self._uncertain: list[RequestState] = []
        """The states whose write the database did not confirm. The database may have stored one of them."""
        self._is_unsaved = False

    @property
    def fairness_key(self) -> str:
        """Return a text that identifies the requester. The rate limiter serves different requesters in turn."""
        return f"{team_of(self.request)}/{self.request.requester}"

    async def _is_ours(self) -> bool:
        """Return True if the database confirms that this worker owns the request, else False.

        Return True without a check if no other replica can use the database.
        """
        if not self._store.shared:
            return True
        try:
            return await self._store.advance(self.request.id, self.state, self.state)
        except StorageUnavailableError:  # another replica may have taken over the request
            return False

    async def before_send(self) -> None:
        """Store the state `creating` before the call that creates a session or sends a message to a customer.

        While the database is unavailable, try again for up to `RunTiming.send_timeout` if several replicas use it. Do
        not try again if only this process uses it.

        Raises OwnershipLostError if another worker owns the request. Raises InterruptedRequestError if the database did
        not confirm the state. After an error, the caller must not send the call.
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
                # Another replica has the request, or the answer to our commit was lost. Saving the result decides it.
                raise InterruptedRequestError("not_started") from None
        self._sent_at = time.monotonic()
        self._notices.sent()

    async def on_wait(self, seconds: float) -> None:
        """Record that the request's call to Genesys has to wait `seconds`.

        If the state `creating` is stored, store `accepted` again. Post a wait notice if `seconds` is at least
        `RunTiming.min_wait_notice_seconds`.

        Raises QueueTooLongError if the wait would end later than `RunTiming.max_wait_seconds` after the request was
        accepted. Raises OwnershipLostError if another worker owns the request, and StorageUnavailableError if the
        database fails.
        """
        self._stop_clock()
        if self.state is RequestState.CREATING:
            await self.transition(RequestState.ACCEPTED)
        waited = (datetime.now(UTC) - self.request.accepted_at).total_seconds()
        if waited + seconds > self._timing.max_wait_seconds:
            raise QueueTooLongError(wait_seconds=seconds)
        self._notices.wait(seconds)

    async def stop_notices(self) -> None:
        """Stop posting wait notices. Wait up to `RunTiming.stop_notice_seconds` for a notice that is being posted.

        If Slack has not accepted the notice by then, cancel it.
        """
        await self._notices.stop()

    async def transition(
        self, to: RequestState, *, session: Session | None = None, failure: CobrowseError | None = None
    ) -> None:
        """Store the state `to`. If given, also store the request's new session `session` or its error `failure`.

        Raises OwnershipLostError if another worker owns the request, and StorageUnavailableError if the database fails.
        Raises UnusableAnswerError if the id of `session` already belongs to a session with another `team_id`, host,
        requester or agent. The request is then stored as failed, with this error.
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
            if to not in self._uncertain:  # an earlier attempt may have committed it
                self._uncertain.append(to)
            raise
        if not is_moved:
            raise OwnershipLostError
        self.state = to
        self._uncertain.clear()

    async def _advance(self, to: RequestState, session: Session | None, failure: CobrowseError | None) -> bool:
        for from_ in (self.state, *self._uncertain):
            if from_ is to:  # the stored `creating` may be another worker's
                stored = await self._store.find(self.request.id)
                if session and stored and (refusal := _refusal(stored)):
                    raise refusal
                return to is not RequestState.CREATING and _is_stored(stored, to, session, failure)
            if await self._store.advance(self.request.id, from_, to, session=session, failure=failure):
                return True
        return False

    async def record_result(self, result: Result) -> Result:
        """Store the result of the request, if it is not stored yet. Return the result to send to the requester.

        If the id of the new session already belongs to a session with another `team_id`, host, requester or agent,
        store and return an UnusableAnswerError instead of `result`.

        Raises OwnershipLostError if another worker owns the request.
        """
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
        """Store the state `answered`, after the requester got the result.

        While the database is unavailable, try again for up to `RunTiming.answered_timeout` seconds, then log an error
        and return. Raises OwnershipLostError if another worker has taken over the request.
        """
        await self.save_with_retry(RequestState.ANSWERED, timeout=self._timing.answered_timeout)

    async def save_with_retry(
        self,
        to: RequestState,
        *,
        session: Session | None = None,
        failure: CobrowseError | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - the loop below ends after it
    ) -> None:
        """Store the state `to`. Try again while the database is unavailable.

        If several replicas can use the database, and `to` is not ANSWERED, try without a time limit. Otherwise, try for
        up to `timeout` seconds, then log an error and return. After an unexpected exception, log it and return.

        - `session`: the request's new session, to be stored with the state; None if there is none.
        - `failure`: the request's error, to be stored with the state; None if there is none.
        - `timeout`: None means `RunTiming.save_timeout`.

        Raises OwnershipLostError if another worker owns the request. Raises UnusableAnswerError if the id of `session`
        already belongs to a session with another `team_id`, host, requester or agent.
        """
        loop = asyncio.get_running_loop()
        # Another replica may have taken over the request, and the requester must not get two different results.
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
    """Posts up to MAX_NOTICES wait notices to the requester while a request waits or is being processed."""

    def __init__(
        self, request: Request, notifier: Notifier, timing: RunTiming, is_ours: Callable[[], Awaitable[bool]]
    ) -> None:
        """Start the timer of the first wait notice.

        `is_ours`: returns False if another replica may own the request. In this case, a wait notice is a new message,
        and does not replace the message with the pressed button. That message may already show the result.
        """
        self._request, self._notifier, self._timing, self._is_ours = request, notifier, timing, is_ours
        self._is_stopped = False
        self._wait_until: float | None = None
        self._count = 0
        self._posting: asyncio.Task[None] | None = None
        self._loop = asyncio.get_running_loop()
        self._timer = self._loop.call_later(timing.first_notice_seconds, self._post)

    def sent(self) -> None:
        """Record that the request's call to Genesys was sent.

        Until the next call of `wait`, the wait notices mention no wait for Genesys.
        """
        self._wait_until = None

    def wait(self, seconds: float) -> None:
        """Record that the request's call to Genesys has to wait `seconds`.

        If `seconds` is at least `RunTiming.min_wait_notice_seconds`, post a wait notice now. Post another wait notice
        `RunTiming.late_seconds` after the end of the wait, unless the request has ended by then.
        """
        self._wait_until = self._loop.time() + seconds
        if seconds < self._timing.min_wait_notice_seconds:
            return
        self._timer.cancel()
        self._timer = self._loop.call_at(self._wait_until + self._timing.late_seconds, self._post)
        if self._posting and not self._posting.done():  # a notice is being posted: post this one after it
            self._posting.add_done_callback(lambda _: self._post())
        else:
            self._post()

    async def stop(self) -> None:
        """Stop posting wait notices. Wait up to `RunTiming.stop_notice_seconds` for a notice that is being posted.

        If Slack has not accepted the notice by then, cancel it, so that it does not appear below the result.
        """
        self._timer.cancel()
        self._is_stopped = True
        if self._posting and not self._posting.done():
            await asyncio.wait({self._posting}, timeout=self._timing.stop_notice_seconds)
            self._posting.cancel()
        self._is_ours = _is_not_ours  # else this object and the run would refer to each other until the next collection

    def _post(self) -> None:
        if self._is_stopped or self._count >= MAX_NOTICES or (self._posting and not self._posting.done()):
            return
        self._count += 1
        left = None if self._wait_until is None else self._wait_until - self._loop.time()
        notice = WaitNotice(left if left and left > 0 else None)
        self._posting = asyncio.ensure_future(self._send(notice))

    async def _send(self, notice: WaitNotice) -> None:
        request = self._request
        if request.replaces:
            if not await self._is_ours():
                request = replace(request, replaces=False)
            if self._is_stopped:  # the result must not be replaced
                return
        await self._notifier.note(request, notice)


async def _is_not_ours() -> bool:
    return False


def _refusal(stored: StoredRequest) -> UnusableAnswerError | None:
    """Return the error of a request whose new session the database refused to store; None for any other request.

    The database refuses a new session if it already holds a session with the same id, but with another `team_id`, host,
    requester or agent.
    """
    failure = stored.failure if stored.state is RequestState.FAILED else None
    return failure if isinstance(failure, UnusableAnswerError) and failure.why == ID_TAKEN else None


def _is_stored(
    stored: StoredRequest | None, state: RequestState, session: Session | None, failure: CobrowseError | None
) -> bool:
    """Return whether the stored request has the given state, session and failure.

    Two sessions are the same if they have the same id. None for `session` or `failure` means that the stored request
    has to have none. Return False if `stored` is None.
    """
    if stored is None or stored.state is not state:
        return False
    if (stored.session and stored.session.id) != (session and session.id):
        return False
    return (stored.failure and to_record(stored.failure)) == (failure and to_record(failure))
