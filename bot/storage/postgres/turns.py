"""Share the connections of the pool between workspaces, so that one with many requests does not hold up the others."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class FairTurns:
    """Lets `count` tasks work at the same time. Each free place goes to the next workspace that waits, in turn."""

    def __init__(self, count: int) -> None:
        self._free = count
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}  # the workspace whose turn is next stands first

    @asynccontextmanager
    async def hold(self, workspace: str, timeout_seconds: float) -> AsyncIterator[None]:
        """Hold a place until the `with` block ends. Raises TimeoutError if no place is free in time."""
        if self._free:
            self._free -= 1
        else:
            await self._wait(workspace, timeout_seconds)
        try:
            yield
        finally:
            self._pass_on()

    async def _wait(self, workspace: str, timeout_seconds: float) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(workspace, deque()).append(turn)
        try:
            async with asyncio.timeout(timeout_seconds):
                await turn
        except BaseException:
            if turn.done() and not turn.cancelled():  # the place came in the same moment
                self._pass_on()
            raise

    def _pass_on(self) -> None:
        """Give a place to the next task that still waits. If no task waits, the place is free."""
        while self._waiting:
            workspace = next(iter(self._waiting))
            turns = self._waiting.pop(workspace)
            turn = turns.popleft()
            if turns:
                self._waiting[workspace] = turns  # behind the others
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1
