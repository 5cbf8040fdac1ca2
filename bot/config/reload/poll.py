"""Wait between two checks of files, unless somebody asks for a check at once."""

import asyncio


class Poll:
    """Waits `seconds` between two checks. `ask` ends the wait early."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._asked = asyncio.Event()

    def ask(self) -> None:
        """End the current wait at once. If nobody waits now, the next wait ends at once."""
        self._asked.set()

    async def wait(self) -> bool:
        """Wait until the next check is due. Return True if `ask` ended the wait, False if the time has passed."""
        try:
            async with asyncio.timeout(self._seconds):
                await self._asked.wait()
        except TimeoutError:
            return False
        self._asked.clear()
        return True
