"""A look into a database that changes nothing there: no file, no table, no lock, no owner's number. For `check`.

Its version, whether its links are encrypted and whether our keys open them, and who is linked to which host.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bot.core.models import HostId, TeamId, UserId
from bot.storage import causes, statements
from bot.storage.encryption import CHECK, Encryptor
from bot.storage.errors import refused
from bot.storage.open import MEMORY, POSTGRES, SQLITE
from bot.storage.schema import NEWEST
from bot.storage.sqlite.file import check_facts, examine, sharing

FACTS = "SELECT name, value FROM facts"
Linked = Callable[[TeamId, UserId], Awaitable[HostId | None]]


@dataclass(frozen=True, slots=True)
class StorageReport:
    """`version` None: nothing is there yet, and `run` will make it. `is_sealed`: the links in it are encrypted.

    `shared_mode`: the file's mode, when it is another user's and not private. `left_out`: parameters of the address.
    """

    where: str
    version: int | None
    is_sealed: bool
    linked: Linked
    shared_mode: str = ""
    left_out: tuple[str, ...] = ()

    @property
    def is_current(self) -> bool:
        return self.version == NEWEST


def inspect_storage(url: str, keys: Sequence[str]) -> AbstractAsyncContextManager[StorageReport]:
    """Raises StorageSetupError with a sentence when a `run` could not use it."""
    if url.startswith(MEMORY):
        return _nothing("memory:")
    if url.startswith(POSTGRES):
        try:
            from bot.storage.postgres.inspect import inspect_postgres  # noqa: PLC0415 - an extra
        except ImportError:
            raise refused("database_driver_missing") from None
        return inspect_postgres(url, Encryptor(keys))
    return _look_into_file(Path(url.removeprefix(SQLITE)), Encryptor(keys))


def view(where: str, facts: Mapping[str, str], version: int, linked: Linked) -> StorageReport:
    """Return what its facts say."""
    is_sealed = facts.get("key_check", CHECK) != CHECK
    return StorageReport(where, version or None, is_sealed, linked if version else nobody)


async def nobody(team_id: TeamId, user_id: UserId) -> HostId | None:
    """Nobody is linked in what is not there."""
    return None


@asynccontextmanager
async def _nothing(where: str) -> AsyncIterator[StorageReport]:
    yield StorageReport(where, None, False, nobody)


@asynccontextmanager
async def _look_into_file(path: Path, sealer: Encryptor) -> AsyncIterator[StorageReport]:
    async def linked(team_id: TeamId, user_id: UserId) -> HostId | None:
        rows = await asyncio.to_thread(_ask, path, statements.LINKED, {"team_id": team_id, "user_id": user_id})
        return HostId(rows[0][0]) if rows[0][0] else None

    where = f"the file {path}"
    try:
        read = await asyncio.to_thread(_read, path)
    except (OSError, sqlite3.Error, ValueError) as error:
        raise causes.of_file(error, path) from None
    if read is None:
        yield StorageReport(where, None, False, nobody)
        return
    tables, facts, mode = read
    version = check_facts(facts, tables, sealer)
    yield replace(view(where, facts, version, linked), shared_mode=mode)


def _read(path: Path) -> tuple[list[str], dict[str, str], str] | None:
    """Return the tables, the facts and the shared mode of a file, None when there is none yet.

    Raise StorageSetupError.
    """
    examine(path)
    if not path.exists():
        return None
    tables = [row[0] for row in _ask(path, "SELECT name FROM sqlite_master WHERE type = 'table'", {})]
    facts = dict(_ask(path, FACTS, {})) if "facts" in tables else {}
    return tables, facts, sharing(path)


def _ask(path: Path, statement: str, values: Mapping[str, str]) -> list[Any]:
    """A file that nobody has open is read as if it could not change, since SQLite would make two files beside it."""
    in_use = path.with_name(f"{path.name}-wal").exists() and path.with_name(f"{path.name}-shm").exists()
    uri = f"{path.absolute().as_uri()}?mode=ro{'' if in_use else '&immutable=1'}"
    with closing(sqlite3.connect(uri, uri=True, timeout=2.0)) as connection:
        return connection.execute(statement, values).fetchall()
