"""Tell people that the service puts off a call that is shared by several of them, and for about how long.

A call for one person reports to that person's watcher. A look-up is made once for everybody who needs its answer, so it
reports here.
"""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from contextvars import ContextVar

from bot.core.errors import QueueTooLongError
from bot.core.requests.run import CallHooks

serving: ContextVar[CallHooks | None] = ContextVar("serving", default=None)
"""The watcher of the request that this task works."""


class SharedWaits:
    """The wait of one kind of call, and the watchers of those who need its answer. `clock` never goes back."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._until = float("-inf")
        self._watchers: set[CallHooks] = set()

    async def waiting(self, seconds: float) -> None:
        """Tell everybody that the call goes out in so many seconds."""
        self._until = max(self._until, self._clock() + seconds)
        for watcher in tuple(self._watchers):
            await self._tell(watcher)

    @asynccontextmanager
    async def told(self, watcher: CallHooks | None) -> AsyncIterator[None]:
        """Tell this watcher too, until the block ends; at once if the call waits already."""
        if watcher is None:
            yield
            return
        self._watchers.add(watcher)
        try:
            await self._tell(watcher)
            yield
        finally:
            self._watchers.discard(watcher)

    async def _tell(self, watcher: CallHooks) -> None:
        left = self._until - self._clock()
        if left > 0 and watcher in self._watchers:
            with suppress(QueueTooLongError):  # the call itself ends in time: see Holds.MAX_WAIT_SECONDS
                await watcher.waiting(left)
