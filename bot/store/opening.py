"""DATABASE_URL -> a store. Raises StoreRefused with a sentence when it cannot be had."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from bot.store.memory import MemoryStore
from bot.store.sealing import Sealer
from bot.store.sqlite import SQLiteStore

SQLITE, MEMORY = "sqlite:///", "memory:"


@asynccontextmanager
async def open_store(
    url: str, *, keys: Sequence[str] = (), retention_days: int = 30, alone: bool = True
) -> AsyncIterator[SQLiteStore | MemoryStore]:
    """`alone`: for a `run`, of which a SQLite file takes one; the command line's short writes are not alone."""
    if url.startswith(MEMORY):
        yield MemoryStore()
        return
    store = SQLiteStore(url.removeprefix(SQLITE), sealer=Sealer(keys), retention_days=retention_days, alone=alone)
    try:
        yield store
    finally:
        await store.close()
