"""Hold back one kind of call that Genesys refuses with 429 while the token's own limit is not used up.

A kind is what `needs` names: the scope or permission of the call. Calls of other kinds go out meanwhile. The limit of
the whole token is for pace.py.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from bot.core.errors import ServiceBusyError

log = logging.getLogger(__name__)

MAX_HOLD_SECONDS = 60.0
MAX_WAIT_SECONDS = 180.0
"""A call that was held back for longer in all is given up."""
PROBE_SECONDS = 1.0
Told = Callable[[float], Awaitable[None]]


@dataclass
class _Hold:
    """One kind of call. `probe_until`: one call tries it, and the others wait for its answer until then."""

    until: float
    probe_until: float = float("-inf")
    changed: asyncio.Event = field(default_factory=asyncio.Event)


class Holds:
    """The kinds of call that are held back. `clock` counts seconds and never goes back; `sleep` waits for seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, sleep: Told = asyncio.sleep) -> None:
        self._clock, self._sleep = clock, sleep
        self._holds: dict[str, _Hold] = {}

    def refused(self, kind: str, seconds: float) -> None:
        """Hold this kind back: the service has answered one of its calls with 429."""
        seconds = min(seconds, MAX_HOLD_SECONDS)
        until = self._clock() + seconds
        hold = self._holds.get(kind)
        if hold is None or hold.until < self._clock():
            log.info("Genesys puts one kind of call off", extra={"fields": {"needs": kind, "seconds": round(seconds)}})
        if hold is None:
            hold = self._holds[kind] = _Hold(until)
        hold.until, was_tried = max(hold.until, until), hold.probe_until > self._clock()
        hold.probe_until = float("-inf")
        if was_tried:  # those who wait for its answer wait for the new time
            hold.changed.set()
            hold.changed = asyncio.Event()

    def answered(self, kind: str) -> None:
        """Let this kind go if it was being tried: the service has answered a call of it, and not with 429."""
        hold = self._holds.get(kind)
        if hold and hold.until <= self._clock():
            del self._holds[kind]
            hold.changed.set()

    def is_refused(self, kind: str) -> bool:
        """Whether no call of this kind may go out now."""
        hold = self._holds.get(kind)
        return hold is not None and self._clock() < hold.until

    def is_held(self, kind: str) -> bool:
        """Whether a call of this kind would have to wait, or be the one that tries."""
        return kind in self._holds

    async def passed(self, kind: str, told: Told) -> None:
        """Return when a call of this kind may go out. Raises ServiceBusyError, and what `told` raises.

        `told` gets the seconds that it waits. After the time that the service ordered one call goes first.
        """
        began = self._clock()
        while hold := self._holds.get(kind):
            now = self._clock()
            left = max(hold.until, hold.probe_until) - now
            if left <= 0:
                hold.probe_until = now + PROBE_SECONDS
                return
            if now + left - began > MAX_WAIT_SECONDS:
                raise ServiceBusyError(retry_after=left)
            if now < hold.until:
                await told(left)
            await self._either(hold.changed, left)

    async def _either(self, changed: asyncio.Event, seconds: float) -> None:
        """Return when there is a change, or after so many seconds."""
        waiting = [asyncio.ensure_future(changed.wait()), asyncio.ensure_future(self._sleep(seconds))]
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waiting:
                each.cancel()
