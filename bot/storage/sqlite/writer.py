"""Write to SQLite on one thread, and commit all queued writes in one transaction (group commit).

A hundred simultaneous writes cost about one disk sync instead of a hundred disk syncs.
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

MAX_BATCH = 500
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Job:
    work: Callable[[sqlite3.Connection], Any]
    loop: asyncio.AbstractEventLoop
    done: "asyncio.Future[Any]"
    in_transaction: bool = True


class BatchWriter:
    """Runs functions that write to SQLite, on one thread and one connection. Many functions share a transaction.

    If one of several functions fails, the writer rolls back the transaction, and runs each function in a separate
    transaction. So a function may run twice.
    """

    def __init__(self, connect: Callable[[], sqlite3.Connection], meter: Metrics = NULL_METRICS) -> None:
        self._connect, self._meter = connect, meter
        self._jobs: queue.SimpleQueue[list[_Job]] = queue.SimpleQueue()
        self._waiting: list[_Job] = []
        self._timer: asyncio.TimerHandle | None = None
        self._due = 0.0
        self._thread = threading.Thread(target=self._run, name="sqlite-writer", daemon=True)
        self._thread.start()

    async def write(
        self, work: Callable[[sqlite3.Connection], T], *, max_delay_seconds: float = 0.0, in_transaction: bool = True
    ) -> T:
        """Call `work` with the connection, on the writer's thread, and return the result of `work` after the commit.

        - `max_delay_seconds`: how long `work` may wait to share a transaction with later calls of `write`; 0 for no
          wait.
        - `in_transaction`: whether to call `work` in a transaction. Some operations of SQLite work only outside
          transactions.

        Raises StorageUnavailableError if SQLite reports an error. Raises any other exception of `work`.
        """
        loop = asyncio.get_running_loop()
        done: asyncio.Future[T] = loop.create_future()
        self._waiting.append(_Job(work, loop, done, in_transaction))
        if max_delay_seconds:
            self._flush_by(loop.time() + max_delay_seconds, loop)
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
        """Finish the queued writes, and end the thread."""
        self._flush()
        if self._thread.is_alive():
            self._jobs.put([])
            self._thread.join()

    def _run(self) -> None:
        connection = self._connect()
        is_open = True
        while is_open:
            batches = [self._jobs.get()]
            while sum(map(len, batches)) < MAX_BATCH and not self._jobs.empty():
                batches.append(self._jobs.get())
            is_open = [] not in batches
            if jobs := list(chain.from_iterable(batches)):
                _run_jobs(connection, jobs)
        connection.close()


def _run_jobs(connection: sqlite3.Connection, jobs: list[_Job]) -> None:
    if batch := [job for job in jobs if job.in_transaction]:
        _resolve(batch, _commit(connection, batch))
    for job in jobs:
        if not job.in_transaction:
            _resolve([job], [_result(connection, job)])


def _commit(connection: sqlite3.Connection, jobs: list[_Job]) -> list[Any]:
    """Run the jobs in one transaction, commit the transaction, and return the result or the exception of each job.

    If one of several jobs fails, roll back and run each job in a separate transaction. If SQLite cannot begin or commit
    the transaction, return a StorageUnavailableError for each job.
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
        if connection.in_transaction:  # SQLite rolls back itself when the disk is full
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


def _resolve(jobs: list[_Job], results: list[Any]) -> None:
    by_loop: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[Any], Any]]] = {}
    for job, result in zip(jobs, results, strict=True):
        by_loop.setdefault(job.loop, []).append((job.done, result))
    for loop, pairs in by_loop.items():
        if not loop.is_closed():
            loop.call_soon_threadsafe(_set_results, pairs)


def _set_results(pairs: list[tuple["asyncio.Future[Any]", Any]]) -> None:
    for done, result in pairs:
        if done.done():  # the caller was cancelled
            continue
        if isinstance(result, Exception):
            done.set_exception(result)
        else:
            done.set_result(result)
