"""Read the status of sessions from the service, cached for ten seconds for all readers.

Creates have priority within the service's rate limit. A status that the service cannot return now, or for which the
limit leaves no call, counts as open.
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
    """How recent a status has to be."""

    KNOWN = "as the store has it; the service is not asked"
    RECENT = "as the service returned it within the last ten seconds"
    NOW = "as the service returns it now"


class SessionStatusCache:
    """Caches one status for each session. `clock` is monotonic."""

    def __init__(
        self, service: SessionsApi, timing: CoreTiming, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._service, self._timeout = service, timing.status_timeout
        self._cache: Cache[SessionId, SessionStatus] = Cache(
            seconds=timing.status_cache_seconds, size=CACHE_SIZE, clock=clock
        )

    async def look(self, session_id: SessionId, *, fresh: bool = False) -> SessionStatus:
        """Return a status that is at most ten seconds old. `fresh`: ask the service now and cache its answer."""
        if fresh:
            self._cache.forget(session_id)
        return await self._cache.get(session_id, lambda: self._ask(session_id))

    def drop(self, session_id: SessionId) -> None:
        """Drop a cached status, because the bot has ended the session."""
        self._cache.forget(session_id)

    async def _ask(self, session_id: SessionId) -> SessionStatus:
        """Ask the service; never raises. A failure counts as open and is cached, so the next reader does not ask."""
        try:
            async with asyncio.timeout(self._timeout):
                return await self._service.look(session_id)
        except (ServiceError, TimeoutError):
            return SessionStatus.OPEN
