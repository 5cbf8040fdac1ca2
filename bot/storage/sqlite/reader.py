"""Read from SQLite on a separate thread and connection, so that reads do not wait for writes."""

import sqlite3
from asyncio import get_running_loop
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from bot.core.errors import StorageUnavailableError
from bot.core.ports import NULL_METRICS, Metrics


class Reader:
    """Runs SELECT statements on one connection, on a separate thread. The first statement opens the connection."""

    def __init__(self, connect: Callable[[], sqlite3.Connection], meter: Metrics = NULL_METRICS) -> None:
        self._connect, self._meter = connect, meter
        self._thread = ThreadPoolExecutor(1, "sqlite-reader")
        self._connection: sqlite3.Connection | None = None

    async def read(self, statement: str, values: Mapping[str, Any]) -> list[Any]:
        """Run a SELECT statement and return the rows. Raises StorageUnavailableError if SQLite reports an error.

        - `statement`: the SQL text.
        - `values`: the parameters of the statement, by name.
        """

        def read() -> list[Any]:
            if self._connection is None:
                self._connection = self._connect()
            return self._connection.execute(statement, values).fetchall()

        try:
            return await get_running_loop().run_in_executor(self._thread, read)
        except sqlite3.Error:
            self._meter.store_failed()
            raise StorageUnavailableError from None

    async def close(self) -> None:
        """Close the connection. Do nothing if no connection is open."""
        if self._connection:
            await get_running_loop().run_in_executor(self._thread, self._connection.close)
            self._connection = None
