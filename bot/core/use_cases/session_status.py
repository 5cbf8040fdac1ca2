"""Read the states of sessions from the session service, and store that a customer joined or that a session is over.

If the session service returns no state, or the rate limit allows no call, the stored state does not change.
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from enum import Enum

from bot.core.cache import Cache
from bot.core.errors import ServiceError, StorageUnavailableError
from bot.core.models import UNKNOWN_STATE, Session, SessionId, SessionPhase, SessionRecord, SessionState
from bot.core.ports import SessionRepository, SessionsApi
from bot.core.requests.events import EventLog, SessionClosed, SessionStateChanged
from bot.core.timing import CoreTiming

CACHE_SIZE = 20_000


class Freshness(Enum):
    """How recent a session's state has to be. Each value describes its member. "The service" is the session service."""

    KNOWN = "as the store has it; the service is not asked"
    RECENT = "as the service returned it within the last ten seconds"
    NOW = "as the service returns it now"


class SessionStates:
    """Reads the states of sessions from the session service, and caches them for ten seconds. Stores joins and ends.

    `clock`: returns seconds and never goes back.
    """

    def __init__(
        self,
        service: SessionsApi,
        store: SessionRepository,
        events: EventLog,
        timing: CoreTiming,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._service, self._store, self._events, self._timing = service, store, events, timing
        self._cache: Cache[SessionId, SessionState] = Cache(
            seconds=timing.status_cache_seconds, size=CACHE_SIZE, clock=clock
        )

    @property
    def are_told(self) -> bool:
        """Return whether the session service can tell the bot that a customer has joined a session."""
        return self._service.tells_states

    async def look(self, record: SessionRecord, *, fresh: bool = False) -> SessionState:
        """Return a session's state from the cache, else from the session service; UNKNOWN_STATE if the call fails.

        `fresh`: True to ignore the cache.
        """
        if fresh:
            self._cache.forget(record.session.id)
        return await self._cache.get(record.session.id, lambda: self._ask(record))

    def drop(self, session_id: SessionId) -> None:
        """Delete the cached state of a session."""
        self._cache.forget(session_id)

    async def refresh(
        self, record: SessionRecord, *, fresh: bool = False, wait_seconds: float | None = None
    ) -> SessionRecord:
        """Read a session's state from the cache or the session service, and store a new join or the end.

        Return the updated record. If the session in `record` is already over, return `record` unchanged.

        If reading the state fails or takes longer than `wait_seconds`, store nothing. The returned record then has the
        state UNKNOWN_STATE. Exception: if `record` says that the customer has joined, return `record` unchanged.

        - `fresh`: True to ignore the cache.
        - `wait_seconds`: how long to wait for the state; None means no limit.

        Raises StorageUnavailableError if the end of the session cannot be stored.
        """
        if record.is_over:
            return record
        state = UNKNOWN_STATE
        with suppress(TimeoutError):
            async with asyncio.timeout(wait_seconds):
                state = await self.look(record, fresh=fresh)
        return await self.record(record, state)

    async def watch(self, record: SessionRecord, *, fresh: bool = False) -> SessionRecord:
        """Read the state of a watched session from the cache or the session service, and store a new join or the end.

        Return the updated record. `fresh`: True to ignore the cache.

        Raises ServiceBusyError, without a call, if the call could delay calls for which a person waits. Also raises
        ServiceBusyError if the service asks for a pause, which `retry_after` of the error states. Raises another
        ServiceError if the call fails, and StorageUnavailableError if the end of the session cannot be stored.
        """
        if fresh:
            self.drop(record.session.id)
        state = self._cache.peek(record.session.id)
        if state is None or state.phase is SessionPhase.UNKNOWN:
            state = await self._service.look(record, live=True)
        return await self.record(record, state)

    async def record(self, record: SessionRecord, state: SessionState) -> SessionRecord:
        """Store the state `state` of a session if the customer has joined or the session is over. Emit events about it.

        Return the record with this state. Do not store any other state. If `record` has the state JOINED, and `state`
        is neither JOINED nor final, return `record` unchanged.

        If `state` is WAITING, but the session in `record` is over, store UNUSED instead.

        Raises StorageUnavailableError if the end of the session cannot be stored. Raises nothing if a join cannot be
        stored: a later call stores the join.
        """
        if state.phase is SessionPhase.WAITING and record.is_over:
            state = SessionState(SessionPhase.UNUSED, ended_at=record.session.ends_at, is_link_dead=True)
        if state.is_final:
            return await self._record_over(record, state)
        if state.phase is SessionPhase.JOINED:
            return await self._record_joined(record, state)
        if record.state.phase is SessionPhase.JOINED:  # the service does not say so now
            return record
        if state.is_link_dead:
            return replace(record, state=state, is_gone=True, session=without_link(record.session))
        return replace(record, state=state)

    async def _record_joined(self, record: SessionRecord, state: SessionState) -> SessionRecord:
        seconds = self._timing.joined_seconds if record.session.conversation_id else 0.0
        joined = replace(record, state=state, is_gone=state.is_link_dead, is_over=record.is_over and not seconds)
        if state.is_link_dead:
            joined = replace(joined, session=without_link(record.session))
        with suppress(StorageUnavailableError):  # a later look records it
            if record.state.phase is SessionPhase.JOINED:
                await self._store.keep_joined(record.session.id, seconds)
            elif await self._store.record_joined(record, state.joined_at, seconds):
                self._events.emit(SessionStateChanged(joined, is_join=True))
                self._events.emit(SessionClosed(record.session.id))  # its messages are due
        return joined

    async def _record_over(self, record: SessionRecord, state: SessionState) -> SessionRecord:
        self.drop(record.session.id)
        if state.joined_at is None and record.state.joined_at:
            state = replace(state, joined_at=record.state.joined_at)
        is_new = await self._store.record_over(record, state)
        now = await self._store.session(record.session.id)
        over = now or replace(
            record, is_over=True, ended_at=datetime.now(UTC), state=state, session=without_link(record.session)
        )
        if is_new:
            is_join = bool(over.state.joined_at and not record.state.joined_at)
            self._events.emit(SessionStateChanged(over, is_join=is_join))
        self._events.emit(SessionClosed(record.session.id))
        return over

    async def _ask(self, record: SessionRecord) -> SessionState:
        """Read a session's state from the session service. Return UNKNOWN_STATE if the call fails or times out."""
        try:
            async with asyncio.timeout(self._timing.status_timeout):
                return await self._service.look(record)
        except (ServiceError, TimeoutError):
            return UNKNOWN_STATE


def without_link(session: Session) -> Session:
    """Return the session without its join URL and join code."""
    return replace(session, join_url="", join_code="")
