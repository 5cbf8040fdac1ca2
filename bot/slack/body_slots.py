"""Who may send a body slowly: a bounded number at once, and the newest takes the place of the one that came first."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager


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

    Refusing the newest would let those who never finish keep everybody out. The first is displaced instead: an honest
    body is complete within milliseconds, so it is displaced only if `count` others begin within these.
    """

    def __init__(self, count: int, why: str) -> None:
        self._count, self._why = count, why
        self._held: dict[BodyWait, None] = {}

    @contextmanager
    def hold(self, wait: BodyWait) -> Iterator[None]:
        if len(self._held) >= self._count:
            first = next(iter(self._held))
            del self._held[first]
            first.displace(self._why)
        self._held[wait] = None
        try:
            yield
        finally:
            self._held.pop(wait, None)
