"""Finish the requests of dead processes, delete old rows, and update the messages that show sessions."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from bot.core.errors import CobrowseError, InterruptedRequestError, StorageUnavailableError, UnexpectedError
from bot.core.models import STARTS, PostedMessage, Request, RequestState, Session, SessionPhase, SessionRecord
from bot.core.ports import EditResult, PostedMessageRepository, RequestRepository, SessionMessages, StoredRequest
from bot.core.requests.events import EventLog, RequestResumed, SessionClosed
from bot.core.timing import RecoveryTiming

log = logging.getLogger(__name__)

ANSWERABLE = timedelta(minutes=30)
"""How long Slack accepts an answer to a command. After a crash, the bot does not carry out a request that is older."""
MAX_MESSAGES = 40
"""The maximum number of messages that one call of `update_ended_messages` updates."""
MAX_SILENT = 4  # so many time-outs take less than the minute for which `take_due_posts` reserves the messages
"""One call of `update_ended_messages` stops after Slack has left this number of updates without an answer. A later call
continues."""
GIVE_UP_AFTER = timedelta(days=1)
"""How long after a session's end time the bot still tries to update the session's messages."""


def known_failure(stored: StoredRequest) -> CobrowseError | None:
    """Return the error with which a stored request has to end; None if the worker can process the request.

    If an error is stored with the request, return this error. Also return an error in these cases:

    - The request is stored as `creating`: a dead process may have sent its call to Genesys.
    - The request created a session, but the session is over, or the database cannot return it.
    - The request is stored as `accepted`, and is older than ANSWERABLE.
    - The request is stored as `failed`, but its error is missing.
    """
    if stored.failure or stored.state is RequestState.FAILED:  # an unreadable row has a failure in any state
        return stored.failure or UnexpectedError()
    if stored.state is RequestState.CREATED:
        if stored.session_over:
            return InterruptedRequestError("session_over")
        is_lost = stored.request.kind in STARTS and stored.session is None  # wiped, or encrypted with a lost key
        return InterruptedRequestError("interrupted", maybe_created=True) if is_lost else None
    if stored.state is not RequestState.ACCEPTED:  # the service may have acted, so the call is not repeated
        return InterruptedRequestError("interrupted", maybe_created=True)
    if datetime.now(UTC) - stored.request.accepted_at > ANSWERABLE:
        return InterruptedRequestError("interrupted", maybe_created=False)
    return None


async def session_of_duplicate(request: Request, store: RequestRepository, poll_seconds: float) -> Session | None:
    """Wait until the earlier request that `request` duplicates has a session, and return this session.

    Return None if `request` is no duplicate request. Also return None if the earlier request is no longer stored, has
    ended without a session, or has a session that is over. Raises StorageUnavailableError if the database fails.

    `poll_seconds`: the pause between two reads of the database.
    """
    while request.duplicate_of is not None:
        other = await store.find(request.duplicate_of)
        if other is None or other.failure or other.session_over:
            return None
        if other.session:
            return other.session
        if other.state not in (RequestState.ACCEPTED, RequestState.CREATING):
            return None
        await asyncio.sleep(poll_seconds)
    return None


async def update_ended_messages(posts: PostedMessageRepository, messages: SessionMessages) -> None:
    """Update up to MAX_MESSAGES messages, so that they show that their session has ended or the customer has joined.

    Raises StorageUnavailableError if the database fails.
    """
    due = list(await posts.take_due_posts(MAX_MESSAGES))
    random.shuffle(due)  # otherwise messages that always fail could always come first
    silent = 0
    for post in due:
        record = await _session(posts, post) if post.ts else None
        if record and (record.read_at or datetime.now(UTC)) - record.session.ends_at < GIVE_UP_AFTER:
            if not record.is_over:
                if record.state.phase is not SessionPhase.JOINED:
                    continue
                result = await messages.mark_joined(post, record)
            else:
                result = await messages.mark_ended(post, record)
            silent += result is EditResult.SILENT
            if result is EditResult.UNWELL or silent == MAX_SILENT:
                return  # a later pass tries this one and the rest
            if result is EditResult.SILENT:
                continue  # a later pass tries it; only this one may be affected
            if not record.is_over:
                await posts.postpone_post(post)
                continue
        await posts.drop_post(post)


async def _session(posts: PostedMessageRepository, post: PostedMessage) -> SessionRecord | None:
    """Return the session that a message shows; None if the session is not stored, or if its row cannot be decoded."""
    with suppress(UnexpectedError):
        return await posts.session(post.session_id)
    return None


class Recovery:
    """Finishes requests of dead processes, deletes old rows, and updates messages of sessions, in background loops."""

    def __init__(
        self,
        store: RequestRepository,
        posts: PostedMessageRepository,
        messages: SessionMessages,
        events: EventLog,
        timing: RecoveryTiming,
    ) -> None:
        self._store, self._posts, self._messages = store, posts, messages
        self._events, self._timing = events, timing
        self._session_ended = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    def start(self, process: Callable[[StoredRequest], None]) -> None:
        """Start three background loops.

        - The first loop calls `process` with each orphan. `process` must not block.
        - The second loop is the sweep.
        - The third loop calls `update_ended_messages`.
        """

        async def take_over() -> float:
            for stored in await self._store.orphans():
                self._events.emit(RequestResumed(stored))
                process(stored)
            return self._timing.orphan_poll_seconds

        loops = (self._forever(take_over), self._forever(self._sweep), self._forever(self._update_messages))
        self._tasks = [asyncio.create_task(each) for each in loops]

    def stop(self) -> None:
        """Cancel the background loops."""
        for task in self._tasks:
            task.cancel()

    def wake(self, _: SessionClosed) -> None:
        """Make the background loop call `update_ended_messages` now, not after a pause.

        Subscribe this method to SessionClosed.
        """
        self._session_ended.set()

    async def _forever(self, once: Callable[[], Awaitable[float]]) -> None:
        """Call `once` in an endless loop. After each call, sleep for the number of seconds that `once` returned.

        If `once` raises an exception, log it and sleep for `RecoveryTiming.orphan_poll_seconds`.
        """
        while True:
            seconds = self._timing.orphan_poll_seconds
            try:
                seconds = await once()
            except StorageUnavailableError:
                log.warning("the storage is unavailable")
            except Exception:
                log.exception("housekeeping failed")
            await asyncio.sleep(seconds)

    async def _sweep(self) -> float:
        await self._store.sweep()
        return self._timing.sweep_interval_seconds

    async def _update_messages(self) -> float:
        with suppress(TimeoutError):
            async with asyncio.timeout(self._timing.ended_poll_seconds):
                await self._session_ended.wait()
        self._session_ended.clear()
        await update_ended_messages(self._posts, self._messages)
        return 0.0
