"""Bound how long one way to reach a person is tried, and shorten it when the process is about to end."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

T = TypeVar("T")

WAY_SECONDS = 12.0
"""How long one way to reach a person is tried, retries included; then the next way is tried."""
HURRIED_SECONDS = 0.9


class Deadlines:
    """Holds the deadlines of all posts that are under way."""

    def __init__(self) -> None:
        self._seconds = WAY_SECONDS
        self._open: set[asyncio.Timeout] = set()

    async def within(self, sending: Awaitable[T]) -> T:
        """Return what `sending` returns. Raises TimeoutError when it takes too long."""
        deadline = asyncio.timeout(self._seconds)
        self._open.add(deadline)
        try:
            async with deadline:
                return await sending
        finally:
            self._open.discard(deadline)

    def shorten_deadlines(self) -> None:
        """Shorten the deadlines of current and later posts: the process is about to end."""
        self._seconds = HURRIED_SECONDS
        soon = asyncio.get_running_loop().time() + HURRIED_SECONDS
        for deadline in self._open:
            if not deadline.expired():  # else it ends anyway, and may not be changed any more
                deadline.reschedule(min(deadline.when() or soon, soon))
