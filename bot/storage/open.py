"""Open the database of DATABASE_URL: an SQLite file, a temporary SQLite file (`memory:`), or Postgres."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from tempfile import TemporaryDirectory
from typing import Protocol

from bot.core.ports import NULL_METRICS, HostCache, HostLinkRepository, LeaderLock, Metrics, RequestRepository
from bot.core.timing import StorageTiming
from bot.storage.encryption import Encryptor, new_key
from bot.storage.errors import refused
from bot.storage.repositories.accounts import AccountTable
from bot.storage.repositories.notices import NoticeTable
from bot.storage.repositories.people import PeopleTable
from bot.storage.repositories.secrets import SecretTable
from bot.storage.repositories.sessions import SessionTable
from bot.storage.repositories.watches import WatchTable
from bot.storage.sqlite.store import SQLiteStore

SQLITE, MEMORY, POSTGRES = "sqlite:///", "memory:", ("postgresql://", "postgres://")
DEFAULT_TIMING = StorageTiming()


class Storage(RequestRepository, HostCache, HostLinkRepository, LeaderLock, Protocol):
    """An open database with its repositories. Its members read and write the rows of one workspace.

    Only these six members concern all workspaces in the database: `secrets`, `sweep`, `is_leader`, `use_keys`,
    `use_address` and `replicas_with_other_key`.
    """

    def in_workspace(self, name: str) -> "Storage":
        """Return a copy of this store that is limited to the rows of one workspace.

        The copy uses the connections of this store.

        `name`: the short name of the workspace; "" if the process serves only one. Raises ValueError for a malformed
        name.
        """

    @property
    def sessions(self) -> SessionTable: ...

    @property
    def watches(self) -> WatchTable:
        """Return the repository of the open sessions that the bot watches, with the time of the next look at each."""

    @property
    def connections(self) -> AccountTable:
        """Return the repository of pending sign-ins and linked Genesys accounts."""

    @property
    def notices(self) -> NoticeTable:
        """Return the repository of notices."""

    @property
    def people(self) -> PeopleTable:
        """Return the repository that exports and deletes the stored data about one person."""

    @property
    def secrets(self) -> SecretTable:
        """Return the repository that counts secrets by key, and encrypts secrets of older keys with the newest key."""

    async def use_keys(self, keys: Sequence[str]) -> None:
        """Replace the encryption keys. `keys`: the new keys, newest first.

        Raises StorageSetupError if the newest key in use on this database is not in `keys`, or if a stored value can be
        decrypted only with an older key that is not in `keys`. Raises StorageUnavailableError if the database fails.
        """

    async def use_address(self, url: str) -> None:
        """Connect with the user and password in `url` from now on.

        Raises StorageSetupError if `url` names another database, or if a test connection fails. After an error, the old
        user and password stay in use.
        """

    async def replicas_with_other_key(self) -> int:
        """Return how many processes on this database have not announced that they use this process's newest key.

        These processes may still encrypt with another key.
        """


@asynccontextmanager
async def open_store(
    url: str,
    *,
    keys: Sequence[str] = (),
    retention_days: int = 30,
    exclusive: bool = True,
    meter: Metrics = NULL_METRICS,
    timing: StorageTiming = DEFAULT_TIMING,
) -> AsyncIterator[Storage]:
    """Open the database, create or migrate the tables, and yield the store.

    - `url`: the value of DATABASE_URL. With `memory:`, the store is a temporary file with a random encryption key, and
      `keys`, `retention_days` and `exclusive` have no effect.
    - `keys`: the encryption keys, newest first. Without keys, secrets are stored as plain text.
    - `retention_days`: the number of days after which requests and sessions are deleted.
    - `exclusive`: whether to lock an SQLite file. Only one process at a time can hold the lock.
    - `meter`: counts failed reads and writes.

    Raises StorageSetupError if the bot cannot use the database.
    """
    if url.startswith(MEMORY):  # a temporary file, encrypted with a key that is not stored
        with TemporaryDirectory(prefix="cobrowse-") as directory:
            temporary = SQLiteStore(
                f"{directory}/forgotten.db", encryptor=Encryptor([new_key()]), meter=meter, timing=timing
            )
            try:
                yield temporary
            finally:
                await temporary.close()
        return
    if url.startswith(POSTGRES):
        try:
            from bot.storage.postgres.open import open_postgres  # noqa: PLC0415 - an extra
        except ImportError:
            raise refused("database_driver_missing") from None
        async with open_postgres(url, Encryptor(keys), retention_days, meter, timing) as store:
            yield store
        return
    file = SQLiteStore(
        url.removeprefix(SQLITE),
        encryptor=Encryptor(keys),
        retention_days=retention_days,
        exclusive=exclusive,
        meter=meter,
        timing=timing,
    )
    try:
        yield file
    finally:
        await file.close()
