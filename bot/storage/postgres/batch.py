"""Does at once what many ask for in the same moment: one round trip in place of one for each."""

import asyncio
from collections.abc import Awaitable, Callable, Container
from typing import Generic, TypeVar

T = TypeVar("T")


class Batcher(Generic[T]):
    """`do` is told all that came in one turn of the event loop, and says which of them it did."""

    def __init__(self, do: Callable[[list[T]], Awaitable[Container[T]]]) -> None:
        self._do = do
        self._those: list[T] = []
        self._doing: asyncio.Task[Container[T]] | None = None

    async def one(self, this: T) -> bool:
        """Whether it was done. Raises what `do` raises."""
        if self._doing is None:
            self._doing = asyncio.create_task(self._soon())
            self._doing.add_done_callback(lambda done: done.cancelled() or done.exception())  # seen, if nobody waits
        self._those.append(this)
        # Shielded: one who stops waiting must not stop it for the others.
        return this in await asyncio.shield(self._doing)

    async def _soon(self) -> Container[T]:
        those, self._those, self._doing = self._those, [], None
        return await self._do(those)
