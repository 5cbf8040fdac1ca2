"""DATABASE_URL -> a store. Raises StorageSetupError with a sentence when it cannot be had."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from tempfile import TemporaryDirectory
from typing import Protocol

from bot.core.ports import (
    NULL_METRICS,
    HostCache,
    HostLinkRepository,
    Metrics,
    RequestRepository,
)
from bot.storage.accounts import AccountTable
from bot.storage.encryption import Encryptor, new_key
from bot.storage.errors import refused
from bot.storage.sessions import SessionTable
from bot.storage.sqlite.store import SQLiteStore

SQLITE, MEMORY, POSTGRES = "sqlite:///", "memory:", ("postgresql://", "postgres://")


class Storage(RequestRepository, HostCache, HostLinkRepository, Protocol):
    """What each of them is."""

    @property
    def sessions(self) -> SessionTable:
        """What is remembered of sessions."""

    @property
    def connections(self) -> AccountTable:
        """Who is connected to Genesys."""


@asynccontextmanager
async def open_store(
    url: str,
    *,
    keys: Sequence[str] = (),
    retention_days: int = 30,
    alone: bool = True,
    meter: Metrics = NULL_METRICS,
) -> AsyncIterator[Storage]:
    """`alone`: for a `run`, of which a SQLite file takes one; the command line's short writes are not alone."""
    if url.startswith(MEMORY):  # a file that goes with the process; should it stay behind, nobody has its key
        with TemporaryDirectory(prefix="cobrowse-") as directory:
            sealer = Encryptor([new_key()])
            forgetful = SQLiteStore(f"{directory}/forgotten.db", sealer=sealer, meter=meter)
            try:
                yield forgetful
            finally:
                await forgetful.close()
        return
    if url.startswith(POSTGRES):
        try:
            from bot.storage.postgres.open import open_postgres  # noqa: PLC0415 - an extra
        except ImportError:
            raise refused("database_driver_missing") from None
        async with open_postgres(url, Encryptor(keys), retention_days, meter) as store:
            yield store
        return
    path = url.removeprefix(SQLITE)
    file = SQLiteStore(path, sealer=Encryptor(keys), retention_days=retention_days, alone=alone, meter=meter)
    try:
        yield file
    finally:
        await file.close()
