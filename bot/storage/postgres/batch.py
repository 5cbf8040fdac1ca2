"""Combine calls from one iteration of the event loop into one round trip to the database."""

import asyncio
from collections.abc import Awaitable, Callable, Container
from typing import Generic, TypeVar

T = TypeVar("T")


class Batcher(Generic[T]):
    """Collects the items that are added in one iteration of the event loop, and passes them to `flush` as one list.

    `flush` processes the list, and returns the items for which it succeeded.
    """

    def __init__(self, flush: Callable[[list[T]], Awaitable[Container[T]]]) -> None:
        self._flush = flush
        self._items: list[T] = []
        self._flushing: asyncio.Task[Container[T]] | None = None

    async def add(self, item: T) -> bool:
        """Add an item, wait until `flush` has processed it, and return whether `flush` succeeded for the item.

        Raises the exceptions of `flush`.
        """
        if self._flushing is None:
            self._flushing = asyncio.create_task(self._flush_items())
            # Retrieve the exception, or asyncio logs it when every caller was cancelled.
            self._flushing.add_done_callback(lambda done: done.cancelled() or done.exception())
        self._items.append(item)
        # Shielded: a caller that is cancelled must not cancel the batch of the others.
        return item in await asyncio.shield(self._flushing)

    async def _flush_items(self) -> Container[T]:
        items, self._items, self._flushing = self._items, [], None
        return await self._flush(items)
