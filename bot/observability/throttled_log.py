"""Limit the number of log lines about a problem that can occur often, such as bytes from a client that are not HTTP."""

import asyncio
import logging
from dataclasses import dataclass

INTERVAL_SECONDS = 1.0


@dataclass(slots=True)
class _Pending:
    """The log records with one reason (see ThrottledLog), and the content of their next log line.

    - `timer`: ends the current interval.
    - `level`, `message`: the level and the message of the first record. All log lines of this object have them.
    - `fields`: the fields of the newest record.
    - `count`: the number of records since the last log line.
    """

    timer: asyncio.TimerHandle
    level: int
    message: str
    fields: dict[str, object]
    count: int = 0


class ThrottledLog:
    """Writes log records, at most one line for each reason in `interval_seconds`. Needs a running event loop.

    - Records are grouped by their reason, a constant of the code. A reason never contains text from outside.
    - The first record with a reason is written at once, and begins an interval.
    - Records with the same reason during an interval become one line at the end of the interval, and another interval
      begins. The line has the fields of the newest record, and the number of the records in the field `count`.
    - After an interval without records, the next record is written at once, and begins an interval.
    """

    def __init__(self, log: logging.Logger, interval_seconds: float = INTERVAL_SECONDS) -> None:
        self._log, self._interval_seconds = log, interval_seconds
        self._pending: dict[str, _Pending] = {}

    def info(self, message: str, reason: str, **fields: object) -> None:
        self._note(logging.INFO, message, reason, fields)

    def warning(self, message: str, reason: str, **fields: object) -> None:
        self._note(logging.WARNING, message, reason, fields)

    def error(self, message: str, reason: str, **fields: object) -> None:
        self._note(logging.ERROR, message, reason, fields)

    def flush(self) -> None:
        """Write the records that still wait for the end of an interval: one line for each reason. End all intervals."""
        for pending in self._pending.values():
            pending.timer.cancel()
            self._write(pending)
        self._pending.clear()

    def _note(self, level: int, message: str, reason: str, fields: dict[str, object]) -> None:
        pending = self._pending.get(reason)
        if pending is None:
            pending = _Pending(self._timer(reason), level, message, fields, 1)
            self._pending[reason] = pending
            self._write(pending)
        else:
            pending.fields, pending.count = fields, pending.count + 1

    def _timer(self, reason: str) -> asyncio.TimerHandle:
        return asyncio.get_running_loop().call_later(self._interval_seconds, self._end_interval, reason)

    def _end_interval(self, reason: str) -> None:
        pending = self._pending[reason]
        if pending.count:
            self._write(pending)
            pending.timer = self._timer(reason)
        else:
            del self._pending[reason]

    def _write(self, pending: _Pending) -> None:
        if pending.count:
            self._log.log(pending.level, pending.message, extra={"fields": pending.fields | {"count": pending.count}})
            pending.count = 0
