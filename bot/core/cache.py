"""A bounded cache with a time to live, in which however many ask for one key, one asks the source.

A failed look-up is not kept. What is kept, and for how long, is its owner's business.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Hashable
from typing import Any, Generic, TypeVar

from cachetools import TLRUCache

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Cache(Generic[K, V]):
    """At most `size` values, each kept for `seconds`, which may depend on the value. `clock` never goes back."""

    def __init__(
        self, *, seconds: float | Callable[[V], float], size: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        lasts = seconds if callable(seconds) else lambda _: seconds
        self._kept: TLRUCache[K, V] = TLRUCache(size, lambda _, value, now: now + lasts(value), clock)
        self._asking: dict[K, asyncio.Task[V]] = {}

    async def get(self, key: K, ask: Callable[[], Awaitable[V]]) -> V:
        """The kept value, or what `ask` says. Raises what `ask` raises, to all who wait for it."""
        try:
            return self._kept[key]
        except KeyError:
            pass
        task = self._asking.get(key)
        if task is None:
            task = self._asking[key] = asyncio.ensure_future(self._ask(key, ask))
            task.add_done_callback(lambda done: done.cancelled() or done.exception())  # seen, even if nobody waits
        # Shielded: one who stops waiting must not take the answer from the others.
        answer = asyncio.shield(task)
        try:
            return await answer
        except GeneratorExit:  # from at_once
            answer.cancel()
            raise

    async def _ask(self, key: K, ask: Callable[[], Awaitable[V]]) -> V:
        mine = asyncio.current_task()
        try:
            value = await ask()
            if self._asking.get(key) is mine:  # else it was forgotten while we asked, and may be stale
                self._kept[key] = value
            return value
        finally:
            if self._asking.get(key) is mine:
                del self._asking[key]

    def at_hand(self, key: K) -> V | None:
        """The kept value, if there is one."""
        return self._kept.get(key)

    def forget(self, key: K) -> None:
        """Asks the source at the next get."""
        self._kept.pop(key, None)
        self._asking.pop(key, None)


def at_once(coroutine: Coroutine[Any, Any, V]) -> V | None:
    """What it returns if it need not wait for anything, else None: then it is given up. Raises what it raises."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        value: V = done.value
        return value
    coroutine.close()
    return None
