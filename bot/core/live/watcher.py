"""Read the states of open sessions from Genesys in the background: after pauses that grow, and soon after a hint.

A hint says that a conversation may have changed, but not how. After a hint, the sessions of the conversation are due
for a look. The database holds when each session is due for its next look, so another replica can go on with the looks.
The rate limit lets calls that a person waits for go before these looks.
"""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime

from cachetools import TTLCache

from bot.core.errors import ServiceBusyError, ServiceError, StorageUnavailableError, UnexpectedError
from bot.core.live.telling import StateTelling
from bot.core.models import ConversationId, Request, Session, SessionId, SessionPhase, SessionRecord, SessionStarted
from bot.core.ports import (
    NULL_METRICS,
    LeaderLock,
    LiveSource,
    Metrics,
    SessionRepository,
    WatchedSession,
    WatchRepository,
)
from bot.core.requests.events import RequestFinished
from bot.core.timing import LiveTiming
from bot.core.use_cases.session_status import SessionStates

log = logging.getLogger(__name__)

EARLY_LOOKS = 20
"""The number of looks at one session before the pauses get longer. Looks at a covered session do not count."""
MAX_LOOKS = 500
"""The maximum number of looks at one session: 16 hours of looks. Looks at a covered session do not count."""
MAX_AT_ONCE = 8
"""The maximum number of looks at the same time."""
REPLY_USES = 2
"""The maximum number of messages about new states that the bot posts to one response_url. Slack accepts five messages
in total, and the bot also posts up to two wait notices and the answer."""
FAILED, BUSY, UNCHANGED = "failed", "busy", "unchanged"
"""The names in the metrics for looks that found no new state."""


def pause_after(
    looks: int, seconds_left: float, timing: LiveTiming, *, is_joined: bool, is_covered: bool, failures: int = 0
) -> float | None:
    """Return the seconds until the next look at a session; None to end the looks (pure).

    - `looks`: how often the bot has looked at the session. Looks while the session was covered do not count.
    - `seconds_left`: the time until the session's end; negative after the end.
    - `is_joined`: whether the customer has joined.
    - `is_covered`: whether the session is a covered session, which needs few looks besides those after a hint.
    - `failures`: how many looks have failed since the last hint; 0 if a look after the hint succeeded.
    """
    until_end = seconds_left + timing.end_margin_seconds
    if seconds_left <= -timing.give_up_seconds:
        return None
    tries = min(failures if is_covered else looks, MAX_LOOKS)
    longest = timing.max_pause_seconds if is_covered or tries < EARLY_LOOKS else timing.late_pause_seconds
    pause = min(timing.first_pause_seconds * timing.pause_growth**tries, longest)
    if is_covered:
        return pause if failures else max(until_end, timing.max_pause_seconds)
    if looks >= MAX_LOOKS:
        return None
    if is_joined or until_end <= 0:
        return pause
    return until_end if looks == MAX_LOOKS - 1 else min(pause, until_end)


class SessionWatcher:
    """Reads the states of open sessions in the background, stores new states and emits events about them.

    `source`: turns Genesys's notifications into hints; None if the bot gets no notifications. For each hint, the source
    calls this object's method `changed`. If hints may have been lost, the source calls `uncovered`, which makes all
    watched sessions due for a look.
    """

    def __init__(
        self,
        store: WatchRepository,
        sessions: SessionRepository,
        states: SessionStates,
        timing: LiveTiming,
        *,
        leader: LeaderLock,
        source: LiveSource | None = None,
        metrics: Metrics = NULL_METRICS,
        telling: StateTelling,
    ) -> None:
        self._store, self._sessions, self._states, self._timing = store, sessions, states, timing
        self._leader, self._source, self._metrics, self._telling = leader, source, metrics, telling
        self._changed: dict[ConversationId, None] = {}
        # hints that no successful look has followed yet, with the number of failed looks
        self._hinted: dict[SessionId, int] = {}
        self._deferred: set[ConversationId] = set()  # hints that wait for the gap between two looks
        self._catch_up_at = 0.0
        self._is_uncovered = False
        self._wake = asyncio.Event()
        self._looked: TTLCache[SessionId, bool] = TTLCache(10_000, timing.hint_gap_seconds)
        self._tasks: list[asyncio.Task[None]] = []
        self._adding: set[asyncio.Task[None]] = set()

    async def watched(self, most: int) -> Sequence[WatchedSession]:
        return await self._store.watched(most)

    def changed(self, conversation_id: ConversationId) -> None:
        self._changed[conversation_id] = None
        self._wake.set()

    def uncovered(self) -> None:
        self._is_uncovered = True
        self._wake.set()

    def record_event(self, event: RequestFinished) -> None:
        """Begin to watch the session that a START or STEP request has created. Ignore all other requests."""
        if isinstance(event.result, SessionStarted):
            task = asyncio.create_task(self._add(event.request, event.result.session))
            self._adding.add(task)
            task.add_done_callback(self._adding.discard)

    def start(self) -> None:
        """Start the background tasks."""
        self._tasks = [asyncio.create_task(self._run())]
        if self._source:
            self._tasks.append(asyncio.create_task(self._source.run(self, self._leader)))

    async def stop(self) -> None:
        """Stop the background tasks.

        Wait up to `LiveTiming.stop_seconds` for running writes to the database. Then wait up to
        `LiveTiming.stop_seconds` for messages that are being sent.
        """
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._adding:
            await asyncio.wait(self._adding, timeout=self._timing.stop_seconds)
        await self._telling.stop()

    async def _add(self, request: Request, session: Session) -> None:
        age = (datetime.now(UTC) - request.accepted_at).total_seconds()
        uses = (REPLY_USES - request.replaces) if request.reply_url else 0
        seconds = self._timing.reply_seconds - age
        try:
            await self._store.watch(session.id, request.reply_url, uses, seconds, self._timing.first_pause_seconds)
        except StorageUnavailableError:
            log.warning("a session will not be watched", extra={"fields": {"session": session.id}})

    async def _run(self) -> None:
        while True:
            self._wake.clear()
            is_more = False
            try:
                is_more = await self._pass()
            except StorageUnavailableError:
                log.warning("the storage is unavailable")
            except Exception:
                log.exception("watching sessions failed")
            if not is_more:
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._timing.poll_seconds):
                        await self._wake.wait()

    async def _pass(self) -> bool:
        """Look at up to MAX_AT_ONCE sessions that are due. Return True if more sessions may be due.

        If there is a source of hints, only the leading replica looks at sessions. Raises StorageUnavailableError if the
        database fails.
        """
        if self._source and not await self._leader.is_leader():
            self._changed.clear()
            self._hinted.clear()
            return False
        await self._apply_hints()
        due = await self._store.take_due(MAX_AT_ONCE, self._timing.lease_seconds)
        are_done = await asyncio.gather(*(self._handle(each) for each in due))
        return len(due) == MAX_AT_ONCE and all(are_done)

    async def _apply_hints(self) -> None:
        if self._is_uncovered:
            await self._store.hasten(None)
            self._is_uncovered = False
        while self._changed:
            conversation_id = next(iter(self._changed))
            for session_id in await self._store.hasten(conversation_id):
                self._hinted[session_id] = 0
            self._changed.pop(conversation_id, None)

    async def _handle(self, watched: WatchedSession) -> bool:
        """Look at one session that is due, and store when the next look is due.

        If the session has ended, stop watching it instead (see `_finish`).

        Postpone the look if the last look was less than `LiveTiming.hint_gap_seconds` ago. Also postpone the look if
        the rate limit allows no call, if Genesys asks for a pause, or if `_may_look` returns False: in these three
        cases, return False, because other looks may have to wait, too. Otherwise return True. Raises
        StorageUnavailableError if the database fails.
        """
        if watched.id in self._looked:
            await self._store.pause(watched.id, self._timing.hint_gap_seconds, looked=False)
            self._repeat_hint(watched)
            return True
        if not self._may_look(watched):
            await self._store.pause(watched.id, self._timing.busy_seconds, looked=False)
            return False
        record = await self._read(watched.id)
        if record is None or record.ended_at:
            await self._finish(watched, record)
            return True
        is_hinted = watched.id in self._hinted
        try:
            result, record = await self._look(record, is_hinted=is_hinted)
        except ServiceBusyError as error:
            self._metrics.live_look(BUSY)
            seconds = max(error.retry_after or 0.0, self._timing.busy_seconds)
            await self._store.pause(watched.id, min(seconds, self._timing.max_pause_seconds), looked=False)
            if is_hinted and watched.conversation_id is not None and error.retry_after is None:
                self._changed[watched.conversation_id] = None  # it goes first again
            return False
        self._metrics.live_look(result)
        failed_before = self._hinted.pop(watched.id, 0)
        failures = failed_before + 1 if is_hinted and result == FAILED else 0
        if failures:
            self._hinted[watched.id] = failures
        await self._continue(watched, record, failures)
        return True

    def _repeat_hint(self, watched: WatchedSession) -> None:
        """Repeat the last hint about a session after `LiveTiming.hint_gap_seconds`, unless a look followed it."""
        conversation_id = watched.conversation_id
        if conversation_id is None or watched.id not in self._hinted or conversation_id in self._deferred:
            return
        self._deferred.add(conversation_id)
        asyncio.get_running_loop().call_later(self._timing.hint_gap_seconds, self._end_gap, conversation_id)

    def _end_gap(self, conversation_id: ConversationId) -> None:
        self._deferred.discard(conversation_id)
        self.changed(conversation_id)

    def _may_look(self, watched: WatchedSession) -> bool:
        """Return whether the bot may look at a session now.

        A session that is not covered always gets its look, and so does a session with a new hint. All other sessions
        together get one look in `LiveTiming.catch_up_seconds`.
        """
        is_covered = self._source is not None and self._source.covers(watched)
        if not is_covered or watched.id in self._hinted:
            return True
        now = asyncio.get_running_loop().time()
        if now < self._catch_up_at:
            return False
        self._catch_up_at = now + self._timing.catch_up_seconds
        return True

    async def _finish(self, watched: WatchedSession, record: SessionRecord | None) -> None:
        """Stop watching a session that has ended, and delete its response_url.

        Exception: if Genesys reported the end, and the session ended less than `LiveTiming.give_up_seconds` ago, only
        postpone the next look. The message about the end may still need the response_url.

        `record`: None if the session's row is missing or cannot be decoded. Then stop watching at once.
        """
        self._hinted.pop(watched.id, None)
        ended_at, now = record and record.ended_at, record and record.read_at
        is_told = not (record and record.state.is_final and ended_at and now)
        if is_told or (now and ended_at and (now - ended_at).total_seconds() >= self._timing.give_up_seconds):
            await self._store.take_reply(watched.id, is_last=True)
        else:
            await self._store.pause(watched.id, self._timing.lease_seconds, looked=False)

    async def _read(self, session_id: SessionId) -> SessionRecord | None:
        with suppress(UnexpectedError):
            return await self._sessions.session(session_id)
        return None

    async def _look(self, record: SessionRecord, *, is_hinted: bool) -> tuple[str, SessionRecord]:
        """Read a session's state from Genesys and store it. Return the name of the result, and the updated record.

        The name is for the metrics: the new phase, UNCHANGED, or FAILED if the read failed. With FAILED, the record
        is unchanged. Raises ServiceBusyError if the rate limit allows no call or Genesys asks for a pause, and
        StorageUnavailableError if the database fails.

        `is_hinted`: whether a hint about the session has arrived since the last look. If True, ignore the cached state.
        """
        self._looked[record.session.id] = True
        try:
            found = await self._states.watch(record, fresh=is_hinted)
        except ServiceBusyError:
            self._looked.pop(record.session.id, None)
            raise
        except ServiceError:
            return FAILED, record
        return (found.state.phase.value if found.state.phase is not record.state.phase else UNCHANGED), found

    async def _continue(self, watched: WatchedSession, record: SessionRecord, failures: int) -> None:
        """Store when the next look at a session is due. If this look was the last one, stop watching the session.

        `failures`: how many looks have failed since the last hint; 0 if a look after the hint succeeded.
        """
        if record.state.is_final:  # StateTelling drops the watch; after a crash before that, the next look does
            await self._store.pause(watched.id, self._timing.busy_seconds, looked=False)
            return
        seconds_left = (record.session.ends_at - (record.read_at or datetime.now(UTC))).total_seconds()
        is_joined = record.state.phase is SessionPhase.JOINED
        is_covered = self._source is not None and self._source.covers(watched)
        pause = pause_after(
            watched.looks + 1,
            seconds_left,
            self._timing,
            is_joined=is_joined,
            is_covered=is_covered,
            failures=failures,
        )
        if pause is None:
            self._hinted.pop(watched.id, None)
            await self._store.take_reply(watched.id, is_last=True)
        else:
            await self._store.pause(watched.id, pause, looked=not is_covered)
