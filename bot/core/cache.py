"""Cache values, each for a limited time, up to a maximum number of values."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

from cachetools import TLRUCache

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Cache(Generic[K, V]):
    """Caches values by key. Callers that need the same missing value at the same time share one look-up.

    - `size`: the maximum number of values. A full cache drops the value that was used least recently.
    - `seconds`: how many seconds a value is valid: one number for all values, or a function that gets a value and
      returns the number for this value.
    - `clock`: returns seconds and never goes back.
    """

    def __init__(
        self, *, seconds: float | Callable[[V], float], size: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        lasts = seconds if callable(seconds) else lambda _: seconds
        self._values: TLRUCache[K, V] = TLRUCache(size, lambda _, value, now: now + lasts(value), clock)
        self._lookups: dict[K, asyncio.Task[V]] = {}

    async def get(self, key: K, ask: Callable[[], Awaitable[V]]) -> V:
        """Return the cached value of a key. If no value is cached, call `ask`, and cache and return its result.

        Callers with the same key wait for one call of `ask` and get the same result or exception. An exception is not
        cached. If a caller is cancelled, the call of `ask` goes on for the others.
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
        """Return the cached value of a key; None if no value is cached."""
        return self._values.get(key)

    def keep(self, key: K, value: V) -> None:
        """Cache a value for a key, in place of the earlier value."""
        self._values[key] = value

    def forget(self, key: K) -> None:
        """Delete the cached value of a key. If a call of `ask` for this key is running, do not cache its result."""
        self._values.pop(key, None)
        self._lookups.pop(key, None)
