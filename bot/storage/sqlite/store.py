"""The default store: one SQLite file, for one process at a time.

https://www.sqlite.org/wal.html ; synchronous=FULL, so what was accepted survives a loss of power. A second `run` on the
same file is refused; short writes of the command line wait their turn.
"""

import os
import sqlite3
import time
from asyncio import Lock, get_running_loop, sleep
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

from bot.core.errors import CobrowseError, StorageUnavailableError
from bot.core.models import Host, HostId, HostLink, Request, RequestId, RequestState, Session, SlackUser, TeamId, UserId
from bot.core.ports import (
    NULL_METRICS,
    Accepted,
    Metrics,
    StoredRequest,
)
from bot.storage import mapping, statements
from bot.storage.accounts import AccountTable, Fetch
from bot.storage.encryption import Encryptor
from bot.storage.sessions import SessionTable
from bot.storage.sqlite import file
from bot.storage.sqlite.writer import BatchWriter

DAY_SECONDS = 86_400.0

PATIENCE_SECONDS = 0.005
"""So long an outcome waits for another write. Nobody waits for `answered`; for `created` somebody does who has waited
for Genesys, ten times as long at least."""
SWEEP_PAUSE_SECONDS = 0.01
CHECKPOINTS = 10
"""So often it is tried to empty the write-ahead log, should somebody just be reading."""
_PATIENT = (RequestState.CREATED, RequestState.ANSWERED)

ALIKE = f"SELECT ({statements.SAME}) AS same_as, ({statements.LINKED_AGENT}) AS linked"
ACCEPT = statements.request_from("""VALUES (:id, :key, :owner, :state, :kind, :team_id, :enterprise_id, :channel_id,
    :requester, :target, :name, :conversation_id, :argument, :application_id, :timeout_seconds, :reply_url, :replaces,
    :same, :same_as, :now)""")
"""Two statements, of one transaction: for Postgres's one, SQLite sets up three tables each time."""

ORPHANS = "UPDATE requests SET owner = :owner WHERE state <> 'answered' AND owner <> :owner RETURNING id"


class SQLiteStore:
    """Keeps to desk.store.Store, HostCache and HostLinkRepository. `clock` says the time in seconds since 1970."""

    shared = False

    def __init__(
        self,
        path: str,
        *,
        sealer: Encryptor | None = None,
        retention_days: int = 30,
        alone: bool = True,
        clock: Callable[[], float] = time.time,
        meter: Metrics = NULL_METRICS,
    ) -> None:
        """Opens the file, makes it if there is none. `alone`: this is a `run`.

        Raises StorageSetupError with a sentence.
        """
        self._path = Path(path)
        self._sealer = sealer or Encryptor()
        self._retention_seconds = retention_days * DAY_SECONDS
        self._clock, self._meter = clock, meter
        self._lock, self._owner = file.open_file(self._path, self._sealer, alone=alone)
        self._writer = BatchWriter(lambda: file.connect(self._path), meter)
        self._reader = ThreadPoolExecutor(1, "sqlite-reader")
        self._reading: sqlite3.Connection | None = None
        self._locks: WeakValueDictionary[tuple[Any, ...], Lock] = WeakValueDictionary()

    async def close(self) -> None:
        """Finishes what is queued, and lets go of the file."""
        self._writer.close()
        if self._reading:
            await get_running_loop().run_in_executor(self._reader, self._reading.close)
            self._reading = None
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    async def accept(self, request: Request, agent: SlackUser | None = None) -> Accepted:
        row = mapping.request_row(request, self._sealer) | mapping.accepting(agent)
        row |= {"owner": self._owner, "now": self._clock()}

        def work(connection: sqlite3.Connection) -> dict[str, Any] | None:
            found = dict(connection.execute(ALIKE, row).fetchone())
            kept = row | found | ({"state": RequestState.ACCEPTED.value} if found["same_as"] else {})
            return kept if connection.execute(ACCEPT, kept).rowcount else None

        return mapping.accepted(await self._writer.write(work))

    async def advance(
        self,
        request_id: RequestId,
        from_: RequestState,
        to: RequestState,
        *,
        session: Session | None = None,
        failure: CobrowseError | None = None,
    ) -> bool:
        values = mapping.transition(request_id, from_, to, session, failure) | {
            "owner": self._owner,
            "now": self._clock(),
        }
        taken = mapping.taken(session) if session else None
        if session:
            values |= mapping.session_row(session, self._sealer)
        refused = values | mapping.transition(request_id, from_, RequestState.FAILED, None, taken)

        def work(connection: sqlite3.Connection) -> bool | None:
            if session and not connection.execute(statements.SESSION, values).fetchall():
                return None if connection.execute(statements.ADVANCE, refused).rowcount else False
            return connection.execute(statements.ADVANCE, values).rowcount > 0

        moved = await self._writer.write(work, patience_seconds=PATIENCE_SECONDS if to in _PATIENT else 0.0)
        if moved is None and taken:
            raise taken
        return bool(moved)

    async def find(self, request_id: RequestId) -> StoredRequest | None:
        found = await self._read(statements.FIND, {"id": request_id, "now": self._clock()})
        return mapping.kept(dict(found), self._sealer) if found else None

    async def orphans(self) -> Sequence[StoredRequest]:
        def work(connection: sqlite3.Connection) -> list[sqlite3.Row]:
            taken = connection.execute(ORPHANS, {"owner": self._owner}).fetchall()
            return [
                connection.execute(statements.FIND, {"id": row["id"], "now": self._clock()}).fetchone() for row in taken
            ]

        taken = sorted(await self._writer.write(work), key=lambda row: row["accepted_at"])
        return [mapping.kept(dict(row), self._sealer) for row in taken]

    async def sweep(self) -> None:
        most = mapping.MOST_SWEPT
        values = {"now": self._clock(), "kept_seconds": self._retention_seconds, "most": most}
        for statement in statements.SWEEP:
            while await self._change(statement, values) >= most:  # noqa: ASYNC110 - between two of them others write
                await sleep(SWEEP_PAUSE_SECONDS)
        for _ in range(CHECKPOINTS):
            if await self._writer.write(file.empty_log, is_alone=True):
                return
            await sleep(SWEEP_PAUSE_SECONDS)

    async def _change(self, statement: str, values: Mapping[str, Any]) -> int:
        """How many rows it changed."""
        return await self._writer.write(lambda connection: connection.execute(statement, values).rowcount)

    @property
    def sessions(self) -> SessionTable:
        """What is remembered of sessions."""
        return SessionTable(self, self._sealer)

    @property
    def connections(self) -> AccountTable:
        """Who is connected to Genesys."""
        return AccountTable(self, self._sealer)

    async def fetch(self, statement: str, values: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
        """One statement: a write in its turn, a SELECT on the reader's connection."""
        named = dict(values) | {"now": self._clock()}
        if statement.startswith("SELECT"):
            return await self._read_all(statement, named)
        return await self._writer.write(lambda connection: connection.execute(statement, named).fetchall())

    @asynccontextmanager
    async def locking(
        self, statement: str, values: Mapping[str, Any]
    ) -> AsyncIterator[tuple[Mapping[str, Any] | None, Fetch]]:
        """Among this process's tasks: there is no other process."""
        lock = self._locks.setdefault((statement, *values.values()), Lock())
        async with lock:
            yield next(iter(await self.fetch(statement, values)), None), self.fetch

    async def linked(self, team_id: TeamId, user_id: UserId) -> HostId | None:
        found = await self._read(statements.LINKED, {"team_id": team_id, "user_id": user_id})
        return HostId(found["host_id"]) if found and found["host_id"] else None

    async def found(self, team_id: TeamId, user_id: UserId) -> tuple[Host, float] | None:
        values = {"team_id": team_id, "user_id": user_id, "now": self._clock()}
        found = await self._read(statements.FOUND, values)
        return (Host(HostId(found["host_id"]), found["rule"]), found["seconds"]) if found else None

    async def keep_found(self, team_id: TeamId, user_id: UserId, host: Host, seconds: float) -> None:
        values = {"team_id": team_id, "user_id": user_id, "host_id": host.id, "rule": host.rule, "seconds": seconds}
        values["now"] = self._clock()
        await self._writer.write(lambda connection: connection.execute(statements.KEEP_FOUND, values))

    async def drop_found(self, team_id: TeamId, user_id: UserId) -> None:
        values = {"team_id": team_id, "user_id": user_id}
        await self._writer.write(lambda connection: connection.execute(statements.DROP_FOUND, values))

    async def links(self) -> Sequence[HostLink]:
        found = await self._writer.write(lambda connection: connection.execute(statements.LINKS).fetchall())
        return [mapping.link(dict(row)) for row in found]

    async def link(self, links: Sequence[HostLink], on_progress: Callable[[int], None] = lambda done: None) -> None:
        values = [mapping.link_row(link) | {"now": self._clock()} for link in links]

        def work(connection: sqlite3.Connection) -> None:
            for some in mapping.batches(values):
                connection.executemany(statements.LINK, some)
                on_progress(len(some))

        await self._writer.write(work)

    async def unlink(self, team_id: TeamId | None, user_id: UserId) -> bool:
        values = {"team_id": team_id or "", "user_id": user_id}
        gone = await self._writer.write(lambda connection: connection.execute(statements.UNLINK, values).fetchall())
        return bool(gone)

    async def _read(self, statement: str, values: Mapping[str, Any]) -> sqlite3.Row | None:
        return next(iter(await self._read_all(statement, values)), None)

    async def _read_all(self, statement: str, values: Mapping[str, Any]) -> list[Any]:
        """On a connection and a thread of its own: a reader waits for no writer."""

        def read() -> list[Any]:
            if self._reading is None:
                self._reading = file.connect(self._path)
            return self._reading.execute(statement, values).fetchall()

        try:
            return await get_running_loop().run_in_executor(self._reader, read)
        except sqlite3.Error:
            self._meter.store_failed()
            raise StorageUnavailableError from None
