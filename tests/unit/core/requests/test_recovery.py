"""The background loops: when the sweep runs, and that no failure ends a loop."""

import asyncio
from typing import Any

import pytest

from bot.core.errors import StorageUnavailableError
from bot.core.models import PostedMessage
from bot.core.ports import StoredRequest
from bot.core.requests.events import EventLog
from bot.core.requests.recovery import Recovery
from bot.core.timing import RecoveryTiming
from tests.support.request_run import JumpingLoop

HOUR = 3600
NO_MESSAGES: Any = None
"""No message is due, so none is updated."""


class Swept:
    """A store that records the time of each sweep. It raises these errors first."""

    def __init__(self, *errors: Exception) -> None:
        self.at: list[int] = []
        self._errors = list(errors)

    async def sweep(self) -> None:
        self.at.append(round(asyncio.get_running_loop().time()))
        if self._errors:
            raise self._errors.pop(0)

    async def orphans(self) -> list[StoredRequest]:
        return []

    async def take_due_posts(self, most: int) -> list[PostedMessage]:
        return []


def swept_in(seconds: float, *errors: Exception) -> list[int]:
    """Return the times of the sweeps, in seconds, on a clock that jumps."""
    store = Swept(*errors)

    async def play() -> None:
        recovery = Recovery(store, store, NO_MESSAGES, EventLog(), RecoveryTiming())
        recovery.start(lambda stored: None)
        await asyncio.sleep(seconds)
        assert not any(task.done() for task in recovery._tasks)
        recovery.stop()

    with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        runner.run(play())
    return store.at


def test_sweep_comes_at_the_start_and_every_hour() -> None:
    assert swept_in(3.5 * HOUR) == [0, HOUR, 2 * HOUR, 3 * HOUR]


@pytest.mark.parametrize("error", [StorageUnavailableError(), RuntimeError("nobody thought of this")])
def test_failed_sweep_is_tried_again_soon(error: Exception) -> None:
    assert swept_in(1.5 * HOUR, error, error) == [0, 2, 4, HOUR + 4]
