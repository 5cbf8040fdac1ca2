"""Read the status of sessions from the service, and cache it for ten seconds for all readers.

Creating sessions has priority within the service's rate limit. If the service returns no status, or the limit leaves no
call for it, the session counts as open.
"""

import asyncio
import time
from collections.abc import Callable
from enum import Enum

from bot.core.cache import Cache
from bot.core.errors import ServiceError
from bot.core.models import SessionId, SessionStatus
from bot.core.ports import SessionsApi
from bot.core.timing import CoreTiming

CACHE_SIZE = 20_000


class Freshness(Enum):
    """Tells how old a session's status may be for its reader."""

    KNOWN = "as the store has it; the service is not asked"
    RECENT = "as the service returned it within the last ten seconds"
    NOW = "as the service returns it now"


class SessionStatusCache:
    """Caches the status of each session. `clock` returns seconds and never goes back."""

    def __init__(
        self, service: SessionsApi, timing: CoreTiming, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._service, self._timeout = service, timing.status_timeout
        self._cache: Cache[SessionId, SessionStatus] = Cache(
            seconds=timing.status_cache_seconds, size=CACHE_SIZE, clock=clock
        )

    async def look(self, session_id: SessionId, *, fresh: bool = False) -> SessionStatus:
        """Return a session's status as the service returned it at most ten seconds ago.

        `fresh`: read the status from the service now.
        """
        if fresh:
            self._cache.forget(session_id)
        return await self._cache.get(session_id, lambda: self._ask(session_id))

    def drop(self, session_id: SessionId) -> None:
        """Drop the cached status of a session. The bot calls this when it has ended the session."""
        self._cache.forget(session_id)

    async def _ask(self, session_id: SessionId) -> SessionStatus:
        """Read a status from the service. Never raises: a failure counts as OPEN and is cached like a status."""
        try:
            async with asyncio.timeout(self._timeout):
                return await self._service.look(session_id)
        except (ServiceError, TimeoutError):
            return SessionStatus.OPEN
