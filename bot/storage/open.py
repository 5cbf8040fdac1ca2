"""Open the database of DATABASE_URL: SQLite in a file, a temporary SQLite file, or Postgres."""

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
    """An open database with all its repositories, as one workspace sees it.

    `secrets`, `sweep`, `is_leader`, `use_keys`, `use_address` and `replicas_with_other_key` are about the whole
    database. They do the same in every workspace.
    """

    def in_workspace(self, name: str) -> "Storage":
        """Return a view of the same open database for the workspace `name`; "" if the bot has only one.

        Through its view, a workspace neither finds nor changes nor counts the rows of another one. All views share the
        connections and the replica lock. A view works until the store that `open_store` yielded is closed. Raises
        ValueError for a malformed name.
        """

    @property
    def sessions(self) -> SessionTable: ...

    @property
    def watches(self) -> WatchTable:
        """Return the repository of watched sessions."""

    @property
    def connections(self) -> AccountTable:
        """Return the repository of pending sign-ins and linked Genesys accounts."""

    @property
    def notices(self) -> NoticeTable:
        """Return the repository of notices."""

    @property
    def people(self) -> PeopleTable:
        """Return the repository that exports and forgets what is stored about a person."""

    @property
    def secrets(self) -> SecretTable:
        """Return the repository that counts the encrypted values, and encrypts them with the newest key."""

    async def use_keys(self, keys: Sequence[str]) -> None:
        """Encrypt with the first of these keys from now on, and decrypt with all of them.

        Raises StorageSetupError if the database was written with another key, or if a stored value needs a key that is
        not among them. Raises StorageUnavailableError if the database fails.
        """

    async def use_address(self, url: str) -> None:
        """Open new connections with the user and password of this URL.

        Raises StorageSetupError if the URL leads to another database, or if a connection with it fails. The old user
        and password then stay in use.
        """

    async def replicas_with_other_key(self) -> int:
        """Return how many other processes use the database with another encryption key than this process."""


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
    """Open the database, create or migrate its tables, and close it at the end. Yield the view of the workspace "".

    - `keys`: the encryption keys, newest first; without keys, secrets are stored as plain text.
    - `retention_days`: how long requests and sessions are kept.
    - `exclusive`: allow only one such process at a time to use an SQLite file. The command `run` sets it; commands with
      a short write do not.

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
