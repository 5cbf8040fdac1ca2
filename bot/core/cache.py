"""Cache values with a time to live and a maximum number of values.

Concurrent callers that ask for the same key share one look-up. A failed look-up is not cached.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

from cachetools import TLRUCache

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Cache(Generic[K, V]):
    """Holds at most `size` values. `seconds` is how long each value is valid: a number, or a function of the value.

    `clock` returns seconds and never goes back.
    """

    def __init__(
        self, *, seconds: float | Callable[[V], float], size: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        lasts = seconds if callable(seconds) else lambda _: seconds
        self._values: TLRUCache[K, V] = TLRUCache(size, lambda _, value, now: now + lasts(value), clock)
        self._lookups: dict[K, asyncio.Task[V]] = {}

    async def get(self, key: K, ask: Callable[[], Awaitable[V]]) -> V:
        """Return the cached value of a key, or call `ask` and cache what it returns.

        Concurrent callers with the same key share one call of `ask`, and its value or error.
        """
        try:
            return self._values[key]
        except KeyError:
            pass
        task = self._lookups.get(key)
        if task is None:
            task = self._lookups[key] = asyncio.ensure_future(self._ask(key, ask))
            task.add_done_callback(lambda done: done.cancelled() or done.exception())  # retrieved, even if nobody waits
        return await asyncio.shield(task)  # a caller that is cancelled must not cancel the others' look-up

    async def _ask(self, key: K, ask: Callable[[], Awaitable[V]]) -> V:
        mine = asyncio.current_task()
        try:
            value = await ask()
            if self._lookups.get(key) is mine:  # else it was dropped meanwhile, and may be stale
                self._values[key] = value
            return value
        finally:
            if self._lookups.get(key) is mine:
                del self._lookups[key]

    def peek(self, key: K) -> V | None:
        """Return the cached value of a key, or None if no value is cached. Never look the value up."""
        return self._values.get(key)

    def keep(self, key: K, value: V) -> None:
        """Cache this value for a key without a look-up."""
        self._values[key] = value

    def forget(self, key: K) -> None:
        """Drop the cached value of a key, so that the next `get` looks the value up again."""
        self._values.pop(key, None)
        self._lookups.pop(key, None)
