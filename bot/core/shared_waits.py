"""Tell people that the service puts off a call that is shared by several of them, and for about how long.

A call for one person calls that person's hooks. A look-up is made once for everybody who needs its answer, so it
reports here.
"""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from contextvars import ContextVar

from bot.core.errors import QueueTooLongError
from bot.core.ports import CallHooks

serving: ContextVar[CallHooks | None] = ContextVar("serving", default=None)
"""The hooks of the request that this task works."""


class SharedWaits:
    """The wait of one kind of call, and the call hooks of those who need its answer. `clock` never goes back."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._until = float("-inf")
        self._waiting: set[CallHooks] = set()

    async def on_wait(self, seconds: float) -> None:
        """Tell everybody that the call goes out in so many seconds."""
        self._until = max(self._until, self._clock() + seconds)
        for hooks in tuple(self._waiting):
            await self._tell(hooks)

    @asynccontextmanager
    async def told(self, hooks: CallHooks | None) -> AsyncIterator[None]:
        """Tell these hooks, too, until the block ends; at once if the call waits already."""
        if hooks is None:
            yield
            return
        self._waiting.add(hooks)
        try:
            await self._tell(hooks)
            yield
        finally:
            self._waiting.discard(hooks)

    async def _tell(self, hooks: CallHooks) -> None:
        left = self._until - self._clock()
        if left > 0 and hooks in self._waiting:
            with suppress(QueueTooLongError):  # the call itself ends in time: see max_hold_total_seconds in timing.py
                await hooks.on_wait(left)
