"""The store for several replicas: Postgres, through asyncpg's pool.

No clock but the database's is used. Who owns a request, and who of them lives, is a session-level advisory lock on a
connection of its own: see presence.py.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Any

import asyncpg

from bot.core.errors import CobrowseError, MaybeAcceptedError, StorageUnavailableError
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
from bot.storage.postgres.batch import Batcher
from bot.storage.postgres.replica_lock import TROUBLE, ReplicaLock
from bot.storage.postgres.statements import (
    ACCEPT,
    ADVANCE,
    ADVANCE_MANY,
    ADVANCE_WITH_SESSION,
    KNOWN,
    ORPHANS,
    SWEEP,
    UNCLAIMED,
    dollars,
)
from bot.storage.sessions import SessionTable

CONNECTIONS = 10
WAIT_SECONDS = 1.0
STATEMENT_SECONDS = 1.5
ACCEPT_SECONDS = 2.2
"""For all of an accept, which the acknowledgement waits for."""
STRAY_SECONDS = 10.0
"""Longer than any call here lasts: what is ours for so long and was never handed to the desk is worked by nobody."""
LOCK_SECONDS = 15.0
"""A row that is locked while Genesys is asked: so long it may be, and so long another waits for it."""
DAY_SECONDS = 86_400.0
SWEEP_PAUSE_SECONDS = 0.01
LOOKS = 3


class PostgresStore:
    """Keeps to desk.store.Store, HostCache and HostLinkRepository."""

    shared = True

    def __init__(
        self,
        pool: "asyncpg.Pool[asyncpg.Record]",
        presence: ReplicaLock,
        sealer: Encryptor,
        days: int,
        meter: Metrics = NULL_METRICS,
    ) -> None:
        self._pool, self._meter = pool, meter
        self._presence = presence
        self._sealer = sealer
        self._retention_seconds = days * DAY_SECONDS
        self._answered = Batcher(self._answer)
        self._handed: set[RequestId] = set()  # what the desk has been given to work, and has not answered yet

    async def accept(self, request: Request, agent: SlackUser | None = None) -> Accepted:
        """Raise MaybeAcceptedError when the commit, or another replica with the same delivery, may have succeeded."""
        self._handed.add(request.id)
        try:
            async with asyncio.timeout(ACCEPT_SECONDS):
                accepted = await self._accept(request, agent)
        except BaseException as error:
            self._handed.discard(request.id)
            if isinstance(error, TimeoutError):
                self._meter.store_failed()
            if isinstance(error, (TimeoutError, StorageUnavailableError)):
                raise MaybeAcceptedError from None
            raise
        if not accepted.is_new:
            self._handed.discard(request.id)
        return accepted

    async def _accept(self, request: Request, agent: SlackUser | None) -> Accepted:
        if not self._presence.held:
            raise StorageUnavailableError  # others may think us dead: take nothing
        row = mapping.request_row(request, self._sealer) | mapping.accepting(agent) | {"owner": self._presence.owner}
        for _ in range(LOOKS):
            if found := await self._one(ACCEPT, row):
                return mapping.accepted(found)
            if await self._one(KNOWN, {"key": request.key}):
                return mapping.accepted(None)
            # Another replica had the same wish this very moment: the next look sees it.
        return mapping.accepted(await self._one(ACCEPT, row | {"same": request.id}))  # one that is long overdue

    async def advance(
        self,
        request_id: RequestId,
        from_: RequestState,
        to: RequestState,
        *,
        session: Session | None = None,
        failure: CobrowseError | None = None,
    ) -> bool:
        if to is RequestState.CREATING and not self._presence.held:
            raise StorageUnavailableError  # others may think us dead: start nothing
        if to is RequestState.ANSWERED:
            return await self._answered.one((request_id, from_))
        values = mapping.transition(request_id, from_, to, session, failure) | {"owner": self._presence.owner}
        if session is None:
            return await self._one(ADVANCE, values) is not None
        taken = mapping.taken(session)
        values |= mapping.session_row(session, self._sealer) | {"taken": mapping.failure_text(taken)}
        moved = await self._one(ADVANCE_WITH_SESSION, values)
        if moved and moved["state"] != to.value:
            raise taken
        return moved is not None

    async def _answer(self, moves: list[tuple[RequestId, RequestState]]) -> set[tuple[RequestId, RequestState]]:
        """Which of these were ours and in this state, and are answered now."""
        done: set[tuple[RequestId, RequestState]] = set()
        for from_ in {from_ for _, from_ in moves}:
            ids = [request_id for request_id, was in moves if was is from_]
            values = mapping.transition(ids[0], from_, RequestState.ANSWERED, None, None)
            moved = await self.fetch(ADVANCE_MANY, values | {"ids": ids, "owner": self._presence.owner})
            self._handed.difference_update(row["id"] for row in moved)
            done |= {(row["id"], from_) for row in moved}
        return done

    async def find(self, request_id: RequestId) -> StoredRequest | None:
        found = await self._one(statements.FIND, {"id": request_id})
        return mapping.kept(found, self._sealer) if found else None

    async def orphans(self) -> Sequence[StoredRequest]:
        """Those of the dead, and strays: ours by a write whose answer was lost, and so unknown to the desk."""
        if not self._presence.held:
            return []
        values = {"owner": self._presence.owner, "stray_seconds": STRAY_SECONDS, "handed": list(self._handed)}
        async with self._transaction() as connection:
            taken = [row for statement in (ORPHANS, UNCLAIMED) for row in await _all(connection, statement, values)]
            ids = dict.fromkeys(row["id"] for row in taken)
            found = [await _first(connection, statements.FIND, {"id": one}) for one in ids]
        kept = [
            mapping.kept(row, self._sealer) for row in sorted(filter(None, found), key=lambda row: row["accepted_at"])
        ]
        self._handed.update(one.request.id for one in kept)
        return kept

    async def sweep(self) -> None:
        most = mapping.MOST_SWEPT
        values = {"kept_seconds": self._retention_seconds, "most": most}
        for statement in SWEEP:
            while await self._change(statement, values) >= most:  # noqa: ASYNC110 - between two of them others write
                await asyncio.sleep(SWEEP_PAUSE_SECONDS)

    async def _change(self, statement: str, values: Mapping[str, Any]) -> int:
        """How many rows it changed."""
        text, names = dollars(statement)
        async with self._connection() as connection:
            done: str = await connection.execute(text, *(values[name] for name in names))
        return int(done.rpartition(" ")[2])

    @property
    def sessions(self) -> SessionTable:
        """What is remembered of sessions."""
        return SessionTable(self, self._sealer)

    @property
    def connections(self) -> AccountTable:
        """Who is connected to Genesys."""
        return AccountTable(self, self._sealer)

    async def fetch(self, statement: str, values: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
        """One statement, committed before it returns."""
        async with self._connection() as connection:
            return await _all(connection, statement, values)

    @asynccontextmanager
    async def locking(
        self, statement: str, values: Mapping[str, Any]
    ) -> AsyncIterator[tuple[Mapping[str, Any] | None, Fetch]]:
        """For all replicas, until it is left."""
        text, names = dollars(f"{statement} FOR UPDATE")
        async with self._transaction() as connection:
            await connection.execute(f"SET LOCAL idle_in_transaction_session_timeout = '{LOCK_SECONDS:.0f}s'")
            row = await connection.fetchrow(text, *(values[name] for name in names), timeout=LOCK_SECONDS)
            yield row, partial(_all, connection)

    async def linked(self, team_id: TeamId, user_id: UserId) -> HostId | None:
        found = await self._one(statements.LINKED, {"team_id": team_id, "user_id": user_id})
        return HostId(found["host_id"]) if found and found["host_id"] else None

    async def found(self, team_id: TeamId, user_id: UserId) -> tuple[Host, float] | None:
        found = await self._one(statements.FOUND, {"team_id": team_id, "user_id": user_id})
        return (Host(HostId(found["host_id"]), found["rule"]), found["seconds"]) if found else None

    async def keep_found(self, team_id: TeamId, user_id: UserId, host: Host, seconds: float) -> None:
        values = {"team_id": team_id, "user_id": user_id, "host_id": host.id, "rule": host.rule, "seconds": seconds}
        await self._one(statements.KEEP_FOUND, values)

    async def drop_found(self, team_id: TeamId, user_id: UserId) -> None:
        await self._one(statements.DROP_FOUND, {"team_id": team_id, "user_id": user_id})

    async def links(self) -> Sequence[HostLink]:
        async with self._connection() as connection:
            return [mapping.link(row) for row in await connection.fetch(statements.LINKS)]

    async def link(self, links: Sequence[HostLink], on_progress: Callable[[int], None] = lambda done: None) -> None:
        statement, names = dollars(statements.LINK)
        async with self._transaction() as connection:
            for some in mapping.batches([mapping.link_row(link) for link in links]):
                await connection.executemany(statement, [[row[name] for name in names] for row in some])
                on_progress(len(some))

    async def unlink(self, team_id: TeamId | None, user_id: UserId) -> bool:
        return await self._one(statements.UNLINK, {"team_id": team_id or "", "user_id": user_id}) is not None

    async def _one(self, statement: str, values: Mapping[str, Any]) -> Mapping[str, Any] | None:
        async with self._connection() as connection:
            return await _first(connection, statement, values)

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Any]:
        """Whatever goes wrong ends the connection: nobody waits for its answer, and the server rolls back."""
        try:
            connection = await self._pool.acquire(timeout=WAIT_SECONDS)
        except TROUBLE:
            self._meter.store_failed()
            raise StorageUnavailableError from None
        try:
            yield connection
        except BaseException as error:
            with suppress(asyncpg.InterfaceError):  # of one that has ended already
                connection.terminate()
            if isinstance(error, asyncpg.ReadOnlySQLTransactionError):
                self._presence.doubt()
            if isinstance(error, TROUBLE):
                self._meter.store_failed()
                raise StorageUnavailableError from None
            raise
        finally:
            with suppress(*TROUBLE):  # what was asked for has been done
                await self._pool.release(connection)

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[Any]:
        async with self._connection() as connection:
            await connection.execute("BEGIN")
            yield connection
            await connection.execute("COMMIT")


async def _first(connection: Any, statement: str, values: Mapping[str, Any]) -> Mapping[str, Any] | None:
    text, names = dollars(statement)
    row: Mapping[str, Any] | None = await connection.fetchrow(text, *(values[name] for name in names))
    return row


async def _all(connection: Any, statement: str, values: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    text, names = dollars(statement)
    found: Sequence[Mapping[str, Any]] = await connection.fetch(text, *(values[name] for name in names))
    return found
