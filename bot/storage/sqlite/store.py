"""Store requests, sessions, host links and linked accounts in one SQLite file, the default database.

The file has a write-ahead log with synchronous=FULL, so an accepted request survives a loss of power. Only one process
at a time can run the bot on the file. Commands such as `forget` can write to the file at the same time.
https://www.sqlite.org/wal.html
"""

import os
import sqlite3
import time
from asyncio import Lock, sleep
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from copy import copy
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

from bot.core.errors import CobrowseError
from bot.core.models import Host, HostId, HostLink, Request, RequestId, RequestState, Session, SlackUser, TeamId, UserId
from bot.core.ports import NULL_METRICS, Accepted, Metrics, StoredRequest
from bot.core.timing import StorageTiming
from bot.storage import mapping
from bot.storage.database import Fetch, Row
from bot.storage.encryption import Encryptor
from bot.storage.errors import refused
from bot.storage.repositories.accounts import AccountTable
from bot.storage.repositories.notices import NoticeTable
from bot.storage.repositories.people import PeopleTable
from bot.storage.repositories.secrets import SecretTable
from bot.storage.repositories.sessions import SessionTable
from bot.storage.repositories.watches import WatchTable
from bot.storage.scope import Scope, WholeDatabase
from bot.storage.sqlite import file
from bot.storage.sqlite.file import STATEMENTS
from bot.storage.sqlite.reader import Reader
from bot.storage.sqlite.writer import BatchWriter
from bot.storage.statements import SWEEP

DAY_SECONDS = 86_400.0
MAX_CHECKPOINT_ATTEMPTS = 10
"""The maximum number of times that a sweep tries to empty the write-ahead log. A try fails if another connection uses
the log."""
_DELAYED = (RequestState.CREATED, RequestState.ANSWERED)


class SQLiteStore:
    """Stores the requests and host links of one workspace in SQLite, and the hosts that host rules found.

    The properties, such as `sessions`, return repositories for other data. RequestRepository, HostCache and
    HostLinkRepository in bot/core/ports.py describe the methods that have no docstring here.
    """

    shared = False

    def __init__(
        self,
        path: str,
        *,
        encryptor: Encryptor | None = None,
        retention_days: int = 30,
        exclusive: bool = True,
        clock: Callable[[], float] = time.time,
        meter: Metrics = NULL_METRICS,
        timing: StorageTiming = StorageTiming(),  # noqa: B008 - frozen
    ) -> None:
        """Open the file. Create the file if the file does not exist.

        - `encryptor`: encrypts the secrets. With None, secrets are stored as plain text.
        - `retention_days`: the number of days after which requests and sessions are deleted.
        - `exclusive`: whether to lock the file. Only one process at a time can hold the lock.
        - `clock`: a function that returns the seconds since 1970.
        - `meter`: counts failed reads and writes.

        Raises StorageSetupError if the bot cannot use the file.
        """
        self._path = Path(path)
        self._encryptor = encryptor or Encryptor()
        self._retention_seconds = retention_days * DAY_SECONDS
        self._clock, self._meter, self._timing = clock, meter, timing
        busy_seconds = timing.busy_timeout_seconds
        self._lock, self._owner = file.open_file(
            self._path, self._encryptor, exclusive=exclusive, busy_seconds=busy_seconds
        )
        self._writer = BatchWriter(lambda: file.connect(self._path, busy_seconds), meter)
        self._reader = Reader(lambda: file.connect(self._path, busy_seconds), meter)
        self._locks: WeakValueDictionary[tuple[Any, ...], Lock] = WeakValueDictionary()
        self._scope = Scope()

    def in_workspace(self, name: str) -> "SQLiteStore":
        """Return a copy of this store that is limited to the rows of one workspace.

        The copy uses the connections of this store.

        `name`: the short name of the workspace; "" if the process serves only one.
        """
        return self._with(Scope(name))

    def _with(self, scope: Scope) -> "SQLiteStore":
        view = copy(self)
        view._scope = scope
        return view

    async def close(self) -> None:
        """Finish the queued writes, close the connections, and release the lock."""
        self._writer.close()
        await self._reader.close()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    async def accept(self, request: Request, agent: SlackUser | None = None) -> Accepted:
        row = mapping.request_row(request, self._encryptor) | mapping.accepting(agent, self._scope)
        row |= {"owner": self._owner, "now": self._clock()}
        self._scope.to_values(row)

        def work(connection: sqlite3.Connection) -> dict[str, Any] | None:
            found = dict(connection.execute(STATEMENTS["find_duplicate"], row).fetchone())
            kept = row | found | ({"state": RequestState.ACCEPTED.value} if found["same_as"] else {})
            return kept if connection.execute(STATEMENTS["accept"], kept).rowcount else None

        return mapping.accepted(await self._writer.write(work), self._scope)

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
        if session:
            values |= mapping.session_row(session, self._encryptor)
        self._scope.to_values(values)

        def work(connection: sqlite3.Connection) -> bool | None:
            if session and not connection.execute(STATEMENTS["store_session"], values).fetchall():
                failed = mapping.transition(request_id, from_, RequestState.FAILED, None, mapping.taken(session))
                failed = values | self._scope.to_values(failed)
                return None if connection.execute(STATEMENTS["advance"], failed).rowcount else False
            return connection.execute(STATEMENTS["advance"], values).rowcount > 0

        moved = await self._writer.write(
            work, max_delay_seconds=self._timing.write_delay_seconds if to in _DELAYED else 0.0
        )
        if moved is None and session:
            raise mapping.taken(session)
        return bool(moved)

    async def find(self, request_id: RequestId) -> StoredRequest | None:
        found = await self._read("find_request", {"id": request_id})
        return mapping.kept(dict(found), self._encryptor) if found else None

    async def find_by_key(self, key: str) -> StoredRequest | None:
        found = await self._read("request_of_key", {"key": key})
        return await self.find(RequestId(found["id"])) if found else None

    async def orphans(self) -> Sequence[StoredRequest]:
        values = self._scope.to_values({"owner": self._owner})

        def work(connection: sqlite3.Connection) -> list[Row]:
            taken = connection.execute(STATEMENTS["claim_orphans"], values).fetchall()
            now, find = self._clock(), STATEMENTS["find_request"]
            return [dict(connection.execute(find, {"id": row["id"], "now": now}).fetchone()) for row in taken]

        taken = sorted(await self._writer.write(work), key=lambda row: row["accepted_at"])
        return [mapping.kept(row, self._encryptor) for row in self._scope.to_rows("find_request", taken)]

    async def sweep(self) -> None:
        most = mapping.MAX_SWEPT_ROWS
        values = {"kept_seconds": self._retention_seconds, "most": most, "is_single": not self._scope.name}
        values["now"] = self._clock()
        for name in SWEEP:
            while await self._change(name, values) >= most:  # noqa: ASYNC110 - other writes go in between
                await sleep(self._timing.sweep_pause_seconds)
        for _ in range(MAX_CHECKPOINT_ATTEMPTS):
            if await self._writer.write(file.truncate_log, in_transaction=False):
                return
            await sleep(self._timing.sweep_pause_seconds)

    async def _change(self, name: str, values: Mapping[str, Any]) -> int:
        """Run the statement with this name, and return the number of changed rows."""
        statement = STATEMENTS[name]
        return await self._writer.write(lambda connection: connection.execute(statement, values).rowcount)

    @property
    def sessions(self) -> SessionTable:
        """Return the repository of sessions, and of the Slack messages that show sessions."""
        return SessionTable(self, self._encryptor)

    @property
    def watches(self) -> WatchTable:
        """Return the repository of the open sessions that the bot watches, with the time of the next look at each."""
        return WatchTable(self, self._encryptor)

    async def is_leader(self) -> bool:
        """Return True. Only one process at a time runs the bot on an SQLite file."""
        return True

    @property
    def connections(self) -> AccountTable:
        """Return the repository of pending sign-ins and linked Genesys accounts."""
        return AccountTable(self, self._encryptor)

    @property
    def notices(self) -> NoticeTable:
        """Return the repository of notices."""
        return NoticeTable(self)

    @property
    def people(self) -> PeopleTable:
        """Return the repository that exports and deletes the stored data about one person."""
        return PeopleTable(self)

    @property
    def secrets(self) -> SecretTable:
        """Return the repository of the encrypted values of all workspaces.

        The repository counts the values by encryption key, and encrypts values of older keys with the newest key.
        """
        return SecretTable(self._with(WholeDatabase()), self._encryptor)

    async def fetch(self, name: str, values: Mapping[str, Any]) -> Sequence[Row]:
        """Run the statement with this name, and return the rows.

        Use the reader's connection for a SELECT statement, and the writer's connection for any other statement.
        """
        statement, stored = STATEMENTS[name], self._scope.to_values({**values, "now": self._clock()})
        if statement.startswith("SELECT"):
            rows = await self._reader.read(statement, stored)
        else:
            rows = await self._writer.write(lambda connection: connection.execute(statement, stored).fetchall())
        return self._scope.to_rows(name, rows)

    @asynccontextmanager
    async def locking(self, name: str, values: Mapping[str, Any]) -> AsyncIterator[tuple[Row | None, Fetch]]:
        """Run the statement with this name, and hold a lock until the `with` block ends.

        Another call of `locking` with the same arguments in this process waits until the block ends.

        Yield the row that the statement returns, and the method `fetch`, with which the block runs further statements.
        The row is None if the statement returns no row.
        """
        lock = self._locks.setdefault((name, self._scope.name, *values.values()), Lock())
        async with lock:
            yield next(iter(await self.fetch(name, values)), None), self.fetch

    async def use_keys(self, keys: Sequence[str]) -> None:
        """Replace the encryption keys. `keys`: the new keys, newest first."""
        await self.secrets.use_keys(keys)

    async def use_address(self, url: str) -> None:
        """Raise StorageSetupError, because the path of the file cannot change while the bot runs."""
        raise refused("database_address_changed")

    async def replicas_with_other_key(self) -> int:
        """Return 0. There are no replicas on an SQLite file."""
        return 0

    async def linked(self, team_id: TeamId, user_id: UserId, *, is_exact: bool = False) -> HostId | None:
        values = {"team_id": team_id, "user_id": user_id, "is_exact": is_exact}
        found = await self._read("linked_host", values)
        return HostId(found["host_id"]) if found and found["host_id"] else None

    async def found(self, team_id: TeamId, user_id: UserId) -> tuple[Host, float] | None:
        found = await self._read("found_host", {"team_id": team_id, "user_id": user_id})
        return (Host(HostId(found["host_id"]), found["rule"]), found["seconds"]) if found else None

    async def keep_found(self, team_id: TeamId, user_id: UserId, host: Host, seconds: float) -> None:
        values = {"team_id": team_id, "user_id": user_id, "host_id": host.id, "rule": host.rule, "seconds": seconds}
        await self.fetch("keep_found_host", values)

    async def drop_found(self, team_id: TeamId, user_id: UserId) -> None:
        await self.fetch("drop_found_host", {"team_id": team_id, "user_id": user_id})

    async def links(self) -> Sequence[HostLink]:
        return [mapping.link(row) for row in await self.fetch("host_links", {})]

    async def link(self, links: Sequence[HostLink], on_progress: Callable[[int], None] = lambda done: None) -> None:
        now = self._clock()
        values = [self._scope.to_values(mapping.link_row(link) | {"now": now}) for link in links]

        def work(connection: sqlite3.Connection) -> None:
            for batch in mapping.batches(values):
                connection.executemany(STATEMENTS["link_host"], batch)
                on_progress(len(batch))

        await self._writer.write(work)

    async def unlink(self, team_id: TeamId | None, user_id: UserId) -> bool:
        return bool(await self.fetch("unlink_host", {"team_id": team_id or "", "user_id": user_id}))

    async def _read(self, name: str, values: Mapping[str, Any]) -> Row | None:
        """Run the SELECT statement with this name, and return the first row; None if there are no rows."""
        return next(iter(await self.fetch(name, values)), None)
