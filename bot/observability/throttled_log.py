"""Log lines that a stranger can cause as often as they like: counted, and at most one each second for each reason."""

import asyncio
import logging
from dataclasses import dataclass

INTERVAL_SECONDS = 1.0


@dataclass(slots=True)
class _Waiting:
    """What has come since the last line for one reason; `count` 0: nothing."""

    timer: asyncio.TimerHandle
    level: int
    message: str
    fields: dict[str, object]
    count: int = 0


class ThrottledLog:
    """Write the first record of a reason at once, and those that follow within the interval as one line with `count`.

    A reason is a constant of the code, never text from outside. Needs a running event loop.
    """

    def __init__(self, log: logging.Logger, interval_seconds: float = INTERVAL_SECONDS) -> None:
        self._log, self._interval_seconds = log, interval_seconds
        self._waiting: dict[str, _Waiting] = {}

    def info(self, message: str, reason: str, **fields: object) -> None:
        self._note(logging.INFO, message, reason, fields)

    def warning(self, message: str, reason: str, **fields: object) -> None:
        self._note(logging.WARNING, message, reason, fields)

    def error(self, message: str, reason: str, **fields: object) -> None:
        self._note(logging.ERROR, message, reason, fields)

    def flush(self) -> None:
        """Write what has been counted and not yet written."""
        for waiting in self._waiting.values():
            waiting.timer.cancel()
            self._write(waiting)
        self._waiting.clear()

    def _note(self, level: int, message: str, reason: str, fields: dict[str, object]) -> None:
        waiting = self._waiting.get(reason)
        if waiting is None:
            waiting = _Waiting(self._timer(reason), level, message, fields, 1)
            self._waiting[reason] = waiting
            self._write(waiting)
        else:
            waiting.fields, waiting.count = fields, waiting.count + 1

    def _timer(self, reason: str) -> asyncio.TimerHandle:
        return asyncio.get_running_loop().call_later(self._interval_seconds, self._end, reason)

    def _end(self, reason: str) -> None:
        waiting = self._waiting[reason]
        if waiting.count:
            self._write(waiting)
            waiting.timer = self._timer(reason)
        else:
            del self._waiting[reason]

    def _write(self, waiting: _Waiting) -> None:
        if waiting.count:
            self._log.log(waiting.level, waiting.message, extra={"fields": waiting.fields | {"count": waiting.count}})
            waiting.count = 0
