"""One thread that writes to SQLite, and commits all that has queued up in one transaction.

A hundred requests at once cost about one sync of the disk, not a hundred. What is written is for sqlite.py.
"""

import asyncio
import logging
import queue
import sqlite3
import threading
from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain
from typing import Any, TypeVar

from bot.core.errors import StorageUnavailableError
from bot.core.ports import NULL_METRICS, Metrics

log = logging.getLogger(__name__)

MOST_AT_ONCE = 500
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Job:
    work: Callable[[sqlite3.Connection], Any]
    loop: asyncio.AbstractEventLoop
    done: "asyncio.Future[Any]"
    is_alone: bool = False


class BatchWriter:
    """Runs jobs against a connection of its own: one that fails takes none with it. A job may be run twice."""

    def __init__(self, connect: Callable[[], sqlite3.Connection], meter: Metrics = NULL_METRICS) -> None:
        self._connect, self._meter = connect, meter
        self._jobs: queue.SimpleQueue[list[_Job]] = queue.SimpleQueue()
        self._waiting: list[_Job] = []
        self._timer: asyncio.TimerHandle | None = None
        self._due = 0.0
        self._thread = threading.Thread(target=self._run, name="sqlite-writer", daemon=True)
        self._thread.start()

    async def write(
        self, work: Callable[[sqlite3.Connection], T], *, patience_seconds: float = 0.0, is_alone: bool = False
    ) -> T:
        """What `work` returns, once it is on the disk. Raises StorageUnavailableError.

        `patience_seconds`: so long it waits for another write, to go to the disk with it. `is_alone`: it takes part in
        no transaction.
        """
        loop = asyncio.get_running_loop()
        done: asyncio.Future[T] = loop.create_future()
        self._waiting.append(_Job(work, loop, done, is_alone))
        if patience_seconds:
            self._flush_by(loop.time() + patience_seconds, loop)
        else:
            self._flush()
        try:
            return await done
        except StorageUnavailableError:
            self._meter.store_failed()
            raise

    def _flush_by(self, due: float, loop: asyncio.AbstractEventLoop) -> None:
        if self._timer and self._due <= due:
            return
        if self._timer:
            self._timer.cancel()
        self._timer, self._due = loop.call_at(due, self._flush), due

    def _flush(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None
        if self._waiting:
            self._jobs.put(self._waiting)
            self._waiting = []

    def close(self) -> None:
        """Finishes what is queued."""
        self._flush()
        if self._thread.is_alive():
            self._jobs.put([])
            self._thread.join()

    def _run(self) -> None:
        connection = self._connect()
        going = True
        while going:
            batches = [self._jobs.get()]
            while sum(map(len, batches)) < MOST_AT_ONCE and not self._jobs.empty():
                batches.append(self._jobs.get())
            going = [] not in batches
            if jobs := list(chain.from_iterable(batches)):
                _do(connection, jobs)
        connection.close()


def _do(connection: sqlite3.Connection, jobs: list[_Job]) -> None:
    if together := [job for job in jobs if not job.is_alone]:
        _hand_back(together, _commit(connection, together))
    for job in jobs:
        if job.is_alone:
            _hand_back([job], [_result(connection, job)])


def _commit(connection: sqlite3.Connection, jobs: list[_Job]) -> list[Any]:
    """What each job returned, or the exception it ended with; nothing is reported done that is not committed.

    They go as one transaction. If a job fails, all are undone, and each is done again as one of its own.
    """
    results: list[Any] = []
    try:
        connection.execute("BEGIN IMMEDIATE")
        for job in jobs:
            results.append(_result(connection, job))
            if isinstance(results[-1], Exception):
                break
        else:
            connection.execute("COMMIT")
            return results
        if connection.in_transaction:  # a full disk ends it by itself
            connection.execute("ROLLBACK")
    except sqlite3.Error as error:
        log.error("the database cannot write", extra={"fields": {"error": str(error)}})
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        return [StorageUnavailableError()] * len(jobs)
    return results if len(jobs) == 1 else [_commit(connection, [job])[0] for job in jobs]


def _result(connection: sqlite3.Connection, job: _Job) -> Any:
    try:
        return job.work(connection)
    except sqlite3.Error as error:
        log.error("a write failed", extra={"fields": {"error": str(error)}})
        return StorageUnavailableError()
    except Exception as error:
        return error


def _hand_back(jobs: list[_Job], results: list[Any]) -> None:
    by_loop: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[Any], Any]]] = {}
    for job, result in zip(jobs, results, strict=True):
        by_loop.setdefault(job.loop, []).append((job.done, result))
    for loop, pairs in by_loop.items():
        if not loop.is_closed():
            loop.call_soon_threadsafe(_settle, pairs)


def _settle(pairs: list[tuple["asyncio.Future[Any]", Any]]) -> None:
    for done, result in pairs:
        if done.done():  # whoever asked has gone
            continue
        if isinstance(result, Exception):
            done.set_exception(result)
        else:
            done.set_result(result)
