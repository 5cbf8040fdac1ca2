"""Inspect a database without changing anything, for the command `check`.

An inspection creates no file, table, lock or owner number.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bot.core.models import HostId, TeamId, UserId
from bot.core.timing import StorageTiming
from bot.storage import causes
from bot.storage.database import Row
from bot.storage.encryption import CHECK, Encryptor
from bot.storage.errors import refused
from bot.storage.open import DEFAULT_TIMING, MEMORY, POSTGRES, SQLITE
from bot.storage.repositories.secrets import SecretCounts, count_secrets
from bot.storage.schema import VERSION, check_facts
from bot.storage.scope import Scope
from bot.storage.sqlite.file import STATEMENTS, examine, shared_mode

Linked = Callable[..., Awaitable[HostId | None]]
"""A function that returns the host in a user's host link; None if the user has none. Its arguments are `team_id`,
`user_id` and optionally `is_exact`: True to ignore links that apply to all Slack workspaces."""
Secrets = Callable[[], Awaitable[SecretCounts]]
READ_TIMEOUT_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class StorageReport:
    """The result of an inspection of a database.

    - `where`: the name of the database in messages to people, such as "the file /data/bot.db".
    - `version`: the version of the tables; None if there are no tables yet.
    - `is_encrypted`: whether the secrets in the database are encrypted.
    - `linked`: a function that returns the host in a user's host link; None if the user has no host link. The type
      `Linked` describes its arguments.
    - `secrets`: a function that counts the stored secrets by the key that decrypts them.
    - `shared_mode`: the mode of the SQLite file, such as "0660", if other users can open the file and this process
      cannot change the mode. Otherwise, and for Postgres, "".
    - `left_out`: the parameters of DATABASE_URL that the bot ignores.
    """

    where: str
    version: int | None
    is_encrypted: bool
    linked: Linked
    secrets: Secrets
    shared_mode: str = ""
    left_out: tuple[str, ...] = ()

    @property
    def is_current(self) -> bool:
        """Return False if the tables are missing, or have an older version than this program; otherwise True."""
        return self.version is not None and self.version >= VERSION

    @property
    def is_newer(self) -> bool:
        """Return whether the tables have a newer version than this program. False if there are no tables."""
        return self.version is not None and self.version > VERSION


def inspect_storage(
    url: str, keys: Sequence[str], timing: StorageTiming = DEFAULT_TIMING, *, workspace: str = ""
) -> AbstractAsyncContextManager[StorageReport]:
    """Open a database, inspect the database, and yield the report.

    - `keys`: the encryption keys, newest first.
    - `workspace`: the short name of a workspace; "" if the process serves only one workspace.
      `StorageReport.linked` searches only the host links of this workspace.

    Raises StorageSetupError if the bot cannot use the database.
    """
    scope = Scope(workspace)
    if url.startswith(MEMORY):
        return _inspect_memory()
    if url.startswith(POSTGRES):
        try:
            from bot.storage.postgres.inspect import inspect_postgres  # noqa: PLC0415 - an extra
        except ImportError:
            raise refused("database_driver_missing") from None
        return inspect_postgres(url, Encryptor(keys), timing, scope)
    return _inspect_file(Path(url.removeprefix(SQLITE)), Encryptor(keys), scope)


def report(where: str, facts: Mapping[str, str], version: int, linked: Linked, secrets: Secrets) -> StorageReport:
    """Build the report about an inspected database.

    - `where`: the name of the database in messages to people.
    - `facts`: the values in the database's table `facts`, by name.
    - `version`: the version of the tables; 0 if there are no tables yet.
    - `linked`, `secrets`: functions that read the tables. They become the fields `linked` and `secrets` of the report.
      If `version` is 0, `no_host` and `no_secrets` become the fields instead.
    """
    is_encrypted = facts.get("key_check", CHECK) != CHECK
    if not version:
        return StorageReport(where, None, is_encrypted, no_host, no_secrets)
    return StorageReport(where, version, is_encrypted, linked, secrets)


async def no_host(team_id: TeamId, user_id: UserId, is_exact: bool = False) -> HostId | None:
    """Return None. A database without tables has no host links."""
    return None


async def no_secrets() -> SecretCounts:
    """Return a SecretCounts in which each number is 0. A database without tables has no secrets."""
    return SecretCounts()


@asynccontextmanager
async def _inspect_memory() -> AsyncIterator[StorageReport]:
    yield StorageReport("memory:", None, False, no_host, no_secrets)


@asynccontextmanager
async def _inspect_file(path: Path, encryptor: Encryptor, scope: Scope) -> AsyncIterator[StorageReport]:
    async def linked(team_id: TeamId, user_id: UserId, is_exact: bool = False) -> HostId | None:
        values = scope.to_values({"team_id": team_id, "user_id": user_id, "is_exact": is_exact})
        rows = await asyncio.to_thread(_query, path, "linked_host", values)
        return HostId(rows[0][0]) if rows[0][0] else None

    async def fetch(name: str, values: Mapping[str, Any]) -> Sequence[Row]:
        return await asyncio.to_thread(_query, path, name, values)

    where = f"the file {path}"
    try:
        read = await asyncio.to_thread(_read, path)
    except (OSError, sqlite3.Error, ValueError) as error:
        raise causes.of_file(error, path) from None
    if read is None:
        yield StorageReport(where, None, False, no_host, no_secrets)
        return
    tables, facts, mode = read
    version = check_facts(facts, tables, encryptor)
    found = report(where, facts, version, linked, lambda: count_secrets(fetch, encryptor, version))
    yield replace(found, shared_mode=mode)


def _read(path: Path) -> tuple[list[str], dict[str, str], str] | None:
    """Read an SQLite file. Return the names of its tables, the values in its table `facts`, and a file mode.

    The file mode is the value for `StorageReport.shared_mode`. Return None if the file does not exist. Raises
    StorageSetupError, OSError or sqlite3.Error if the bot cannot use the file.
    """
    examine(path)
    if not path.exists():
        return None
    tables = [row[0] for row in _query(path, "table_names", {})]
    facts = dict(map(tuple, _query(path, "facts", {}))) if "facts" in tables else {}
    return tables, facts, shared_mode(path)


def _query(path: Path, name: str, values: Mapping[str, Any]) -> list[Any]:
    """Run a statement on an SQLite file, and return the rows.

    If no process uses the file, open it as immutable, so that SQLite creates no files beside it.

    - `name`: a key of STATEMENTS.
    - `values`: the parameters of the statement, by name.
    """
    in_use = path.with_name(f"{path.name}-wal").exists() and path.with_name(f"{path.name}-shm").exists()
    uri = f"{path.absolute().as_uri()}?mode=ro{'' if in_use else '&immutable=1'}"
    with closing(sqlite3.connect(uri, uri=True, timeout=READ_TIMEOUT_SECONDS)) as connection:
        connection.row_factory = sqlite3.Row
        return connection.execute(STATEMENTS[name], values).fetchall()
