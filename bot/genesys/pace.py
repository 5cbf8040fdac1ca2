"""Keeps to the service's rate limit before it has to say no: reads how much of it is used up, and until when.

`inin-ratelimit-count`, `-allowed` and `-reset` (seconds): https://developer.genesys.cloud/platform/api/rate-limits
"""

import logging
import time
from collections.abc import Awaitable, Callable

import httpx

from bot.desk.progress import Watcher

log = logging.getLogger(__name__)

LONGEST_SECONDS = 60.0
Sleep = Callable[[float], Awaitable[None]]


class Pace:
    """The state of one token's limit. `clock` counts seconds and never goes back."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._free_at = 0.0

    def note(self, headers: httpx.Headers) -> None:
        """What an answer says of the limit."""
        try:
            count, allowed, reset = (float(headers[f"inin-ratelimit-{name}"]) for name in ("count", "allowed", "reset"))
        except (KeyError, ValueError):
            return
        if allowed > 0 and count >= allowed:
            self._free_at = self._clock() + min(max(reset, 0.0), LONGEST_SECONDS)

    async def turn(self, watcher: Watcher | None, sleep: Sleep) -> None:
        """Waits until the limit is free again."""
        seconds = self._free_at - self._clock()
        if seconds > 0:
            log.info("the rate limit is used up", extra={"fields": {"seconds": round(seconds, 1)}})
            if watcher:
                await watcher.waiting(seconds)
            await sleep(seconds)
