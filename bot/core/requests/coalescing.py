"""Lets work that nobody waits for come together, so that it is done many times in a row.

A processor that does something else in between has to fetch code and data anew each time: at 200 commands a second that
made the end of a command cost several times what it costs right after another one.
"""

import asyncio

TAIL_SECONDS = 0.05
"""So long the log line and the last write of a request wait for those of others, once its answer has gone out."""


class Coalescer:
    """Those who come within `seconds` of the first go on with it, one right after another."""

    def __init__(self, seconds: float = TAIL_SECONDS) -> None:
        self._seconds = seconds
        self._together: asyncio.Event | None = None

    async def join(self) -> None:
        if self._together is None:
            self._together = asyncio.Event()
            asyncio.get_running_loop().call_later(self._seconds, self._go_on, self._together)
        await self._together.wait()

    def _go_on(self, together: asyncio.Event) -> None:
        self._together = None
        together.set()
