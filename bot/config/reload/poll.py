"""Wait between two checks of files, unless somebody asks for a check at once."""

import asyncio


class Poll:
    """The regular times of a check. `ask` brings the next check forward."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._asked = asyncio.Event()

    def ask(self) -> None:
        """End the present wait, or the next one, at once."""
        self._asked.set()

    async def wait(self) -> bool:
        """Wait until the next check is due (return False) or until `ask` is called (return True)."""
        try:
            async with asyncio.timeout(self._seconds):
                await self._asked.wait()
        except TimeoutError:
            return False
        self._asked.clear()
        return True
