"""What the session service says of sessions, kept for ten seconds and shared by all who look.

The service's rate limit is for creates first. So a look that the service cannot answer now, or that finds the share of
the limit that looks may take used up, leaves a session as it was: open.
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
    """How new what is said of sessions has to be."""

    KNOWN = "as this bot last knew them; the service is not asked"
    RECENT = "as the service said within the last ten seconds"
    NOW = "as the service says now"


class SessionStatusCache:
    """One answer for each session. `clock` counts seconds and never goes back."""

    def __init__(
        self, service: SessionsApi, timing: CoreTiming, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._service, self._timeout = service, timing.status_timeout
        self._kept: Cache[SessionId, SessionStatus] = Cache(
            seconds=timing.status_cache_seconds, size=CACHE_SIZE, clock=clock
        )

    async def look(self, session_id: SessionId, *, fresh: bool = False) -> SessionStatus:
        """What the service says, or said in the last ten seconds. `fresh`: ask it now, and keep that for the others."""
        if fresh:
            self._kept.forget(session_id)
        return await self._kept.get(session_id, lambda: self._ask(session_id))

    def drop(self, session_id: SessionId) -> None:
        """Forget what it said: this bot has just ended the session."""
        self._kept.forget(session_id)

    async def _ask(self, session_id: SessionId) -> SessionStatus:
        """Never raises. What the service cannot say now is kept, too: it is not asked about that again at once."""
        try:
            async with asyncio.timeout(self._timeout):
                return await self._service.look(session_id)
        except (ServiceError, TimeoutError):
            return SessionStatus.OPEN
