"""How long one way to reach somebody is tried, and that it is less once the process is about to end."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

T = TypeVar("T")

WAY_SECONDS = 12.0
"""So long one way to reach somebody is tried, repeats included; then comes the next."""
HURRIED_SECONDS = 0.9


class Deadlines:
    """Those of all that is being sent just now."""

    def __init__(self) -> None:
        self._seconds = WAY_SECONDS
        self._open: set[asyncio.Timeout] = set()

    async def within(self, sending: Awaitable[T]) -> T:
        """What it returns. Raises TimeoutError when it takes too long."""
        deadline = asyncio.timeout(self._seconds)
        self._open.add(deadline)
        try:
            async with deadline:
                return await sending
        finally:
            self._open.discard(deadline)

    def hurry(self) -> None:
        """The process is about to end: from now on, and for what is being sent."""
        self._seconds = HURRIED_SECONDS
        soon = asyncio.get_running_loop().time() + HURRIED_SECONDS
        for deadline in self._open:
            if not deadline.expired():  # else it ends anyway, and may not be changed any more
                deadline.reschedule(min(deadline.when() or soon, soon))
