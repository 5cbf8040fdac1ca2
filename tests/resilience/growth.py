"""Measure the cost of a request with no old rows in the store and with a million. `make growth` prints the ratio."""

import asyncio
import statistics
import sys
import tempfile
import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import asyncpg

from bot.core.models import RequestState
from bot.storage.sqlite import file
from tests.support.postgres import new_database
from tests.support.storage import Database, request, session
from tests.support.table_rows import FILL, numbers

REQUESTS = 300


async def lives(store: Any) -> float:
    """Return the median duration in milliseconds of a request's whole life.

    The last write waits to share a transaction, so the search for orphaned requests runs with it.
    """
    taken = []
    for _ in range(REQUESTS):
        asked = request()
        began = time.perf_counter()
        await store.accept(asked)
        await store.advance(asked.id, RequestState.ACCEPTED, RequestState.CREATING)
        await store.advance(asked.id, RequestState.CREATING, RequestState.CREATED, session=session(asked.id))
        await asyncio.gather(store.advance(asked.id, RequestState.CREATED, RequestState.ANSWERED), store.orphans())
        taken.append((time.perf_counter() - began) * 1000)
    return statistics.median(taken)


async def main(rows: int) -> None:
    """Measure both databases."""
    async with AsyncExitStack() as stack:
        path = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "bot.db"
        store = await Database(stack, path).open()
        few = await lives(store)
        connection = file.connect(path, 10.0)
        for statement in FILL:
            connection.execute(statement.format(series=numbers(rows)))
        connection.close()
        print(f"sqlite: {few:.2f} ms, with {rows:,} old rows × {await lives(store) / few:.2f}")  # noqa: T201
    async with new_database() as url, AsyncExitStack() as stack:
        store = await Database(stack, Path(), url).open()
        few = await lives(store)
        admin = await asyncpg.connect(url)
        for statement in FILL:
            await admin.execute(statement.format(series=f"SELECT generate_series(1, {rows}) AS i"))
        await admin.execute("ANALYZE")
        await admin.close()
        print(f"postgresql: {few:.2f} ms, with {rows:,} old rows × {await lives(store) / few:.2f}")  # noqa: T201


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
