"""A look into a database that changes nothing there: no file, no table, no lock, no owner's number. For `check`.

Its version, whether its links are encrypted and whether our keys open them, and who is linked to which host.
"""

import asyncio
import os
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.desk.models import HostId, TeamId, UserId
from bot.store import statements
from bot.store.opening import MEMORY, POSTGRES, SQLITE
from bot.store.refusals import NEWER, NO_DRIVER, OTHER_KEY, StoreRefused
from bot.store.schema import NEWEST
from bot.store.sealing import CHECK, Sealer

Linked = Callable[[TeamId, UserId], Awaitable[HostId | None]]


@dataclass(frozen=True, slots=True)
class View:
    """`version` None: nothing is there yet, and `run` will make it. `is_sealed`: the links in it are encrypted."""

    where: str
    version: int | None
    is_sealed: bool
    linked: Linked

    @property
    def is_current(self) -> bool:
        return self.version == NEWEST


def look_into(url: str, keys: Sequence[str]) -> AbstractAsyncContextManager[View]:
    """Raises StoreRefused with a sentence when a `run` could not use it."""
    if url.startswith(MEMORY):
        return _nothing("memory:")
    if url.startswith(POSTGRES):
        try:
            from bot.store.postgres_looking import look_into_postgres  # noqa: PLC0415 - an extra
        except ImportError:
            raise StoreRefused(NO_DRIVER) from None
        return look_into_postgres(url, Sealer(keys))
    path = Path(url.removeprefix(SQLITE))
    if not path.exists():
        _check_place(path)
        return _nothing(f"the file {path}")
    return _look_into_file(path, Sealer(keys))


def view(where: str, facts: Mapping[str, str], sealer: Sealer, linked: Linked) -> View:
    """What its facts say. Raises StoreRefused."""
    version, sealed = int(facts.get("version", 0)) or None, facts.get("key_check", CHECK)
    if version and version > NEWEST:
        raise StoreRefused(NEWER.format(found=version, known=NEWEST))
    if not sealer.fits(sealed):
        raise StoreRefused(OTHER_KEY)
    return View(where, version, sealed != CHECK, linked if version else nobody)


async def nobody(team_id: TeamId, user_id: UserId) -> HostId | None:
    """Nobody is linked in what is not there."""
    return None


@asynccontextmanager
async def _nothing(where: str) -> AsyncIterator[View]:
    yield View(where, None, False, nobody)


def _check_place(path: Path) -> None:
    directory = path.absolute().parent
    if not directory.is_dir():
        raise StoreRefused(f"The database {path} cannot be made: there is no directory {directory}.")
    if not os.access(directory, os.W_OK | os.X_OK):
        raise StoreRefused(f"The database {path} cannot be made: {directory} may not be written to.")


@asynccontextmanager
async def _look_into_file(path: Path, sealer: Sealer) -> AsyncIterator[View]:
    if not os.access(path, os.R_OK | os.W_OK):
        raise StoreRefused(f"The database {path} may not be read and written by this user.")

    async def linked(team_id: TeamId, user_id: UserId) -> HostId | None:
        rows = await asyncio.to_thread(_ask, path, statements.LINKED, {"team_id": team_id, "user_id": user_id})
        return HostId(rows[0][0]) if rows[0][0] else None

    try:
        tables = await asyncio.to_thread(_ask, path, "SELECT name FROM sqlite_master WHERE name = 'facts'", {})
        facts = await asyncio.to_thread(_ask, path, "SELECT name, value FROM facts", {}) if tables else []
        seen = view(f"the file {path}", dict(facts), sealer, linked)
    except (sqlite3.Error, ValueError) as error:
        raise StoreRefused(f"The database {path} cannot be used ({error}).") from None
    yield seen


def _ask(path: Path, statement: str, values: Mapping[str, str]) -> list[Any]:
    """A file that nobody has open is read as if it could not change, since SQLite would make two files beside it."""
    in_use = path.with_name(f"{path.name}-wal").exists() and path.with_name(f"{path.name}-shm").exists()
    uri = f"{path.absolute().as_uri()}?mode=ro{'' if in_use else '&immutable=1'}"
    with closing(sqlite3.connect(uri, uri=True, timeout=2.0)) as connection:
        return connection.execute(statement, values).fetchall()
