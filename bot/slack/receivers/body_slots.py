"""Who may send a body slowly: a bounded number at once, and a newer one takes the place of the one that came first."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager


class NoBodySlotError(Exception):
    """There is no place for this body; its text says why."""

    code = "no_body_slot"


class BodyWait:
    """One body that is being waited for; `displaced` by a newer one, with the reason, or None."""

    def __init__(self, timeout: asyncio.Timeout) -> None:
        self.displaced: str | None = None
        self._timeout = timeout

    def displace(self, why: str) -> None:
        """End the wait now."""
        if not self._timeout.expired():
            self.displaced = why
            self._timeout.reschedule(asyncio.get_running_loop().time())


class BodySlots:
    """At most `count` holders at once.

    Refusing the newest would let those who never finish keep everybody out, so the first makes room. An honest body is
    complete within milliseconds; `sure_seconds` is how long nobody can take its place.
    """

    def __init__(self, count: int, why: str, *, sure_seconds: float = 0.0) -> None:
        self._count, self._why, self._sure_seconds = count, why, sure_seconds
        self._held: dict[BodyWait, float] = {}

    @contextmanager
    def hold(self, wait: BodyWait) -> Iterator[None]:
        """Hold a place meanwhile. Raises NoBodySlotError."""
        now = asyncio.get_running_loop().time()
        if len(self._held) >= self._count:
            first, since = next(iter(self._held.items()))
            if now - since < self._sure_seconds:
                raise NoBodySlotError(self._why)
            del self._held[first]
            first.displace(self._why)
        self._held[wait] = now
        try:
            yield
        finally:
            self._held.pop(wait, None)
