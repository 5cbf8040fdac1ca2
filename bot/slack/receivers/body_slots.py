"""Bound how many request bodies are read at once; a newer one displaces the oldest."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager


class NoBodySlotError(Exception):
    """Report that no slot is free; the text says why."""

    code = "no_body_slot"


class BodyWait:
    """Track one body that is being read. `displaced`: the reason once a newer body took its slot, else None."""

    def __init__(self, timeout: asyncio.Timeout) -> None:
        self.displaced: str | None = None
        self._timeout = timeout

    def displace(self, why: str) -> None:
        """Expire the time-out of this body now."""
        if not self._timeout.expired():
            self.displaced = why
            self._timeout.reschedule(asyncio.get_running_loop().time())


class BodySlots:
    """Hold at most `count` slots.

    The oldest is displaced: refusing the newest would let stalled senders block all others. Slack's bodies are
    complete within milliseconds; a holder cannot be displaced before `min_hold_seconds`.
    """

    def __init__(self, count: int, why: str, *, min_hold_seconds: float = 0.0) -> None:
        self._count, self._why, self._min_hold_seconds = count, why, min_hold_seconds
        self._held: dict[BodyWait, float] = {}

    @contextmanager
    def hold(self, wait: BodyWait) -> Iterator[None]:
        """Hold a slot inside the `with` block. Raises NoBodySlotError."""
        now = asyncio.get_running_loop().time()
        if len(self._held) >= self._count:
            first, since = next(iter(self._held.items()))
            if now - since < self._min_hold_seconds:
                raise NoBodySlotError(self._why)
            del self._held[first]
            first.displace(self._why)
        self._held[wait] = now
        try:
            yield
        finally:
            self._held.pop(wait, None)
