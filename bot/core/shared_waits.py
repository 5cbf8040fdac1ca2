"""Tell several requests that share one call to Genesys how long this call has to wait.

A call that only one request needs reports its wait to the call hooks of the request. A call that several requests need
reports its wait to a SharedWaits, which passes the wait to the call hooks of each request.
"""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from contextvars import ContextVar

from bot.core.errors import QueueTooLongError
from bot.core.ports import CallHooks

serving: ContextVar[CallHooks | None] = ContextVar("serving", default=None)
"""The call hooks of the request that the present task processes; None if the task processes no request."""


class SharedWaits:
    """Tells the requests that share one call to Genesys how long the call has to wait.

    `clock`: returns seconds and never goes back.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._until = float("-inf")
        self._waiting: set[CallHooks] = set()

    async def on_wait(self, seconds: float) -> None:
        """Notify all call hooks that `notified` has registered: the shared call goes out in `seconds`.

        If an earlier call of `on_wait` announced a later time, report the later time.
        """
        self._until = max(self._until, self._clock() + seconds)
        for hooks in tuple(self._waiting):
            await self._notify(hooks)

    @asynccontextmanager
    async def notified(self, hooks: CallHooks | None) -> AsyncIterator[None]:
        """Notify a request's call hooks of each wait of the shared call, until the `with` block ends.

        If the shared call already waits, notify `hooks` at once. If `hooks` is None, notify nobody.
        """
        if hooks is None:
            yield
            return
        self._waiting.add(hooks)
        try:
            await self._notify(hooks)
            yield
        finally:
            self._waiting.discard(hooks)

    async def _notify(self, hooks: CallHooks) -> None:
        left = self._until - self._clock()
        if left > 0 and hooks in self._waiting:
            with suppress(QueueTooLongError):  # the call itself ends in time: see max_hold_total_seconds in timing.py
                await hooks.on_wait(left)
