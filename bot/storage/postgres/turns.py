"""Share the connections of the Postgres pool between workspaces. Waiting workspaces get free connections in turn."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class FairTurns:
    """A semaphore with `count` places. Free places go to the waiting workspaces in turn."""

    def __init__(self, count: int) -> None:
        self._free = count
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}  # the workspace whose turn is next stands first

    @asynccontextmanager
    async def hold(self, workspace: str, timeout_seconds: float | None = None) -> AsyncIterator[None]:
        """Take one of the `count` places until the `with` block ends. If no place is free, wait for one.

        `workspace`: the short name of the workspace for which the caller works. Raises TimeoutError if the caller gets
        no place within `timeout_seconds`; None waits without a limit.
        """
        if self._free:
            self._free -= 1
        else:
            await self._wait(workspace, timeout_seconds)
        try:
            yield
        finally:
            self._pass_on()

    async def _wait(self, workspace: str, timeout_seconds: float | None) -> None:
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
        """Pass on a place of the semaphore that a task no longer needs.

        Give the place to the first task of the next waiting workspace. If no task waits, the place stays free.
        """
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
