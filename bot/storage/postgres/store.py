"""Store requests, sessions, host links and linked accounts in Postgres, through asyncpg's pool.

All times come from the server's clock. Each request is stored with the owner number of the replica that works on it. If
this replica no longer holds its lock (replica_lock.py), another replica takes the request over.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from copy import copy
from functools import partial
from typing import Any

import asyncpg

from bot.core.errors import CobrowseError, MaybeAcceptedError, StorageUnavailableError
from bot.core.models import Host, HostId, HostLink, Request, RequestId, RequestState, Session, SlackUser, TeamId, UserId
from bot.core.ports import Accepted, Metrics, StoredRequest
from bot.core.timing import StorageTiming
from bot.storage import causes, mapping
from bot.storage.database import Fetch, Row
from bot.storage.encryption import Encryptor
from bot.storage.errors import refused
from bot.storage.postgres import address as address_of
from bot.storage.postgres.batch import Batcher
from bot.storage.postgres.replica_lock import CONNECTION_ERRORS, ReplicaLock
from bot.storage.postgres.requirements import usable
from bot.storage.postgres.statements import STATEMENTS
from bot.storage.postgres.turns import FairTurns
from bot.storage.repositories.accounts import AccountTable
from bot.storage.repositories.notices import NoticeTable
from bot.storage.repositories.people import PeopleTable
from bot.storage.repositories.secrets import SecretTable
from bot.storage.repositories.sessions import SessionTable
from bot.storage.repositories.watches import WatchTable
from bot.storage.scope import Scope, WholeDatabase
from bot.storage.statements import SWEEP

MAX_CONNECTIONS = 10
MAX_LOCKED_ROWS = 6
"""The maximum number of rows that the process holds locked at the same time (`PostgresStore.locking`). Each locked row
needs a separate connection, and Genesys may be slow meanwhile. The other connections stay free for commands."""
DAY_SECONDS = 86_400.0
MAX_ACCEPT_ATTEMPTS = 3


class PostgresStore:
    """Stores the requests and host links of one workspace in Postgres, and the hosts that host rules found.

    The properties, such as `sessions`, return repositories for other data. RequestRepository, HostCache and
    HostLinkRepository in bot/core/ports.py describe the methods that have no docstring here.
    """

    shared = True

    def __init__(
        self,
        pool: "asyncpg.Pool[asyncpg.Record]",
        replica_lock: ReplicaLock,
        encryptor: Encryptor,
        retention_days: int,
        meter: Metrics,
        timing: StorageTiming,
    ) -> None:
        self._pool, self._meter, self._timing = pool, meter, timing
        self._replica_lock = replica_lock
        self._encryptor = encryptor
        self._retention_seconds = retention_days * DAY_SECONDS
        self._answered = Batcher(self._answer)
        self._turns, self._locking_turns = FairTurns(MAX_CONNECTIONS), FairTurns(MAX_LOCKED_ROWS)
        self._claimed: set[str] = set()  # stored ids of requests that this process works on and has not answered yet
        self._scope = Scope()

    def in_workspace(self, name: str) -> "PostgresStore":
        """Return a copy of this store that is limited to the rows of one workspace.

        The copy uses the connections of this store.

        `name`: the short name of the workspace; "" if the process serves only one.
        """
        return self._with(Scope(name))

    def _with(self, scope: Scope) -> "PostgresStore":
        view = copy(self)
        view._scope = scope
        return view

    async def accept(self, request: Request, agent: SlackUser | None = None) -> Accepted:
        row = (
            mapping.request_row(request, self._encryptor)
            | mapping.accepting(agent, self._scope)
            | {"owner": self._replica_lock.owner}
        )
        stored_id: str = self._scope.to_values(row)["id"]
        self._claimed.add(stored_id)
        try:
            async with asyncio.timeout(self._timing.accept_timeout_seconds):
                accepted = await self._accept(row)
        except BaseException as error:
            self._claimed.discard(stored_id)
            if isinstance(error, TimeoutError):
                self._meter.store_failed()
            if isinstance(error, (TimeoutError, StorageUnavailableError)):
                raise MaybeAcceptedError from None
            raise
        if not accepted.is_new:
            self._claimed.discard(stored_id)
        return accepted

    async def _accept(self, row: Mapping[str, Any]) -> Accepted:
        """Store a request, unless a request with the same key is already stored.

        `row`: the values of the request. Its identifiers are in their stored form, such as `eu|identifier`. Raises
        StorageUnavailableError if the database fails, or if this replica does not hold its lock.
        """
        if not self._replica_lock.is_held:
            raise StorageUnavailableError  # other replicas may take over this one's requests, so accept none
        for _ in range(MAX_ACCEPT_ATTEMPTS):
            if found := await self._one("accept", row):
                return mapping.accepted(found, self._scope)
            if await self._one("request_of_key", row):
                return mapping.accepted(None, self._scope)
            # Another replica accepted a request for the same session at this moment. The next attempt sees it.
        # The other request is unfinished, but too old to share its session. This request gets a separate session.
        return mapping.accepted(await self._one("accept", {**row, "same": row["id"]}), self._scope)

    async def advance(
        self,
        request_id: RequestId,
        from_: RequestState,
        to: RequestState,
        *,
        session: Session | None = None,
        failure: CobrowseError | None = None,
    ) -> bool:
        if to is RequestState.CREATING and not self._replica_lock.is_held:
            raise StorageUnavailableError  # other replicas may take over this one's requests, so start none
        if to is RequestState.ANSWERED:
            return await self._answered.add((self._scope.to_stored(request_id), from_))
        values = mapping.transition(request_id, from_, to, session, failure) | {"owner": self._replica_lock.owner}
        self._scope.to_values(values)
        if session is None:
            return await self._change("advance", values) > 0
        taken = mapping.taken(session)
        values |= mapping.session_row(session, self._encryptor) | {"taken": mapping.failure_text(taken)}
        moved = await self._one("advance_with_session", values)
        if moved and moved["state"] != to.value:
            raise taken
        return moved is not None

    async def _answer(self, moves: list[tuple[str, RequestState]]) -> set[tuple[str, RequestState]]:
        """Change requests of all workspaces to the state `answered`. Return the items of `moves` whose request changed.

        `moves`: the stored id of each request, and the state that the request must have now. A request does not change
        if it has another state, or if another replica owns it.
        """
        done: set[tuple[str, RequestState]] = set()
        for from_ in {from_ for _, from_ in moves}:
            ids = [request_id for request_id, state in moves if state is from_]
            values = {"ids": ids, "from": from_.value, "owner": self._replica_lock.owner}
            async with self._connection() as connection:
                moved = await _fetch(connection, "answer_many", values)
            self._claimed.difference_update(row["id"] for row in moved)
            done |= {(row["id"], from_) for row in moved}
        return done

    async def find(self, request_id: RequestId) -> StoredRequest | None:
        found = next(iter(await self.fetch("find_request", {"id": request_id})), None)
        return mapping.kept(found, self._encryptor) if found else None

    async def find_by_key(self, key: str) -> StoredRequest | None:
        found = await self.fetch("request_of_key", {"key": key})
        return await self.find(RequestId(found[0]["id"])) if found else None

    async def orphans(self) -> Sequence[StoredRequest]:
        """Take over the requests of dead replicas, and return these requests, oldest first.

        Also return each request that this replica has stored but does not work on, because the method `accept` raised
        an error. Return [] if this replica does not hold its lock. Take over nothing for a while after this replica has
        taken a lost lock again (see ReplicaLock.may_take_over).
        """
        if not self._replica_lock.is_held:
            return []
        values = {
            "owner": self._replica_lock.owner,
            "move_seconds": self._timing.server_move_seconds,
            "unclaimed_seconds": self._timing.unclaimed_after_seconds,
            "claimed": list(self._claimed),
        }
        self._scope.to_values(values)
        async with self._transaction() as connection:
            names = ["claim_orphans", "find_unclaimed"] if self._replica_lock.may_take_over() else ["find_unclaimed"]
            taken = [row for name in names for row in await _fetch(connection, name, values)]
            ids = dict.fromkeys(row["id"] for row in taken)
            found = [await _fetch_one(connection, "find_request", {"id": one}) for one in ids]
        rows = sorted(filter(None, found), key=lambda row: row["accepted_at"])
        self._claimed.update(row["id"] for row in rows)
        return [mapping.kept(row, self._encryptor) for row in self._scope.to_rows("find_request", rows)]

    async def sweep(self) -> None:
        most = mapping.MAX_SWEPT_ROWS
        values = {"kept_seconds": self._retention_seconds, "most": most, "is_single": not self._scope.name}
        for name in SWEEP:
            while await self._change(name, values) >= most:  # noqa: ASYNC110 - other writes go in between
                await asyncio.sleep(self._timing.sweep_pause_seconds)

    async def _change(self, name: str, values: Mapping[str, Any]) -> int:
        """Run the statement with this name, and return the number of changed rows.

        The identifiers in `values` are in their stored form, such as `eu|identifier`.
        """
        statement = STATEMENTS[name]
        async with self._connection() as connection:
            done: str = await connection.execute(statement.text, *statement.arguments(values))
        return int(done.rpartition(" ")[2])

    @property
    def sessions(self) -> SessionTable:
        """Return the repository of sessions, and of the Slack messages that show sessions."""
        return SessionTable(self, self._encryptor)

    @property
    def watches(self) -> WatchTable:
        """Return the repository of the open sessions that the bot watches, with the time of the next look at each."""
        return WatchTable(self, self._encryptor)

    async def is_leader(self) -> bool:
        """Return whether this process is the leading replica."""
        return await self._replica_lock.is_leader()

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
        """Run the statement with this name, commit, and return the rows of the statement."""
        async with self._connection() as connection:
            return await self._fetch_scoped(connection, name, values)

    async def _fetch_scoped(self, connection: Any, name: str, values: Mapping[str, Any]) -> Sequence[Row]:
        rows = await _fetch(connection, name, self._scope.to_values(dict(values)))
        return self._scope.to_rows(name, rows)

    @asynccontextmanager
    async def locking(self, name: str, values: Mapping[str, Any]) -> AsyncIterator[tuple[Row | None, Fetch]]:
        """Run the statement with this name, and hold a lock on the returned row until the `with` block ends.

        Yield the row and a function. The row is None if the statement returns no row. The function does the same as the
        method `fetch`, but in the transaction that holds the lock.

        If another call, in this or another process, holds the lock, wait for at most
        `StorageTiming.account_lock_seconds`, and then raise StorageUnavailableError. Postgres closes the connection if
        the block runs no statement for this long.

        While this process holds MAX_LOCKED_ROWS locked rows, wait until one of them is free.
        """
        statement, seconds = STATEMENTS[name], self._timing.account_lock_seconds
        arguments = statement.arguments(self._scope.to_values(dict(values)))
        async with self._locking_turns.hold(self._scope.name), self._transaction() as connection:
            await _fetch(connection, "limit_lock", {"milliseconds": f"{seconds * 1000:.0f}"})
            rows = self._scope.to_rows(name, await connection.fetch(statement.text, *arguments, timeout=seconds))
            yield next(iter(rows), None), partial(self._fetch_scoped, connection)

    async def use_keys(self, keys: Sequence[str]) -> None:
        """Replace the encryption keys. `keys`: the new keys, newest first.

        If the newest key changes, wait `StorageTiming.accept_timeout_seconds`, so that all writes with the old key have
        ended. Then announce the new key to the other replicas.
        """
        await self.secrets.use_keys(keys)
        if self._encryptor.key_number != self._replica_lock.key_number:
            await asyncio.sleep(self._timing.accept_timeout_seconds)
            await self._replica_lock.announce_key(self._encryptor.key_number)

    async def use_address(self, url: str) -> None:
        """Connect with the user and password in `url` from now on.

        If `url` names another user, replace each connection of the pool before the connection's next statement. If only
        the password is new, keep the open connections. Keep the connection of the replica lock in both cases.

        Raises StorageSetupError if `url` names another database, or if a test connection fails.
        """
        address = usable(url)
        if not address_of.is_same_database(address.url, self._replica_lock.url):
            raise refused("database_address_changed")
        try:
            connection = await asyncpg.connect(
                address.url, timeout=self._timing.connect_timeout_seconds, statement_cache_size=0
            )
            await connection.close(timeout=self._timing.connect_timeout_seconds)
        except (*CONNECTION_ERRORS, ValueError) as error:
            raise causes.of_postgres(error, address.url) from None
        is_same_user, self._replica_lock.url = address_of.is_same_user(address.url, self._replica_lock.url), address.url
        self._pool.set_connect_args(address.url, command_timeout=self._timing.statement_timeout_seconds)
        if not is_same_user:
            await self._pool.expire_connections()

    async def replicas_with_other_key(self) -> int:
        """Return how many processes on this database have not announced that they use this process's newest key.

        Count this process, too. The counted processes may still encrypt with another key.
        """
        found = await self._one("count_other_keys", {"key_number": self._encryptor.key_number})
        return int(found["replicas"]) if found else 0

    async def linked(self, team_id: TeamId, user_id: UserId, *, is_exact: bool = False) -> HostId | None:
        values = {"team_id": team_id, "user_id": user_id, "is_exact": is_exact}
        found = next(iter(await self.fetch("linked_host", values)), None)
        return HostId(found["host_id"]) if found and found["host_id"] else None

    async def found(self, team_id: TeamId, user_id: UserId) -> tuple[Host, float] | None:
        found = next(iter(await self.fetch("found_host", {"team_id": team_id, "user_id": user_id})), None)
        return (Host(HostId(found["host_id"]), found["rule"]), found["seconds"]) if found else None

    async def keep_found(self, team_id: TeamId, user_id: UserId, host: Host, seconds: float) -> None:
        values = {"team_id": team_id, "user_id": user_id, "host_id": host.id, "rule": host.rule, "seconds": seconds}
        await self.fetch("keep_found_host", values)

    async def drop_found(self, team_id: TeamId, user_id: UserId) -> None:
        await self.fetch("drop_found_host", {"team_id": team_id, "user_id": user_id})

    async def links(self) -> Sequence[HostLink]:
        return [mapping.link(row) for row in await self.fetch("host_links", {})]

    async def link(self, links: Sequence[HostLink], on_progress: Callable[[int], None] = lambda done: None) -> None:
        statement = STATEMENTS["link_host"]
        async with self._transaction() as connection:
            for batch in mapping.batches([self._scope.to_values(mapping.link_row(link)) for link in links]):
                await connection.executemany(statement.text, [statement.arguments(row) for row in batch])
                on_progress(len(batch))

    async def unlink(self, team_id: TeamId | None, user_id: UserId) -> bool:
        return bool(await self.fetch("unlink_host", {"team_id": team_id or "", "user_id": user_id}))

    async def _one(self, name: str, values: Mapping[str, Any]) -> Row | None:
        """Run the statement with this name, and return the first row; None if there are no rows.

        The identifiers in `values` and in the row are in their stored form, such as `eu|identifier`.
        """
        async with self._connection() as connection:
            return await _fetch_one(connection, name, values)

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Any]:
        """Yield a connection of the pool.

        After an exception in the `with` block, close the connection, so that the server rolls back.

        Raises StorageUnavailableError if no connection is free within `StorageTiming.pool_timeout_seconds`, or if the
        block raises a connection error.
        """
        async with AsyncExitStack() as stack:
            seconds = self._timing.pool_timeout_seconds
            try:
                await stack.enter_async_context(self._turns.hold(self._scope.name, seconds))
                connection = await self._pool.acquire(timeout=seconds)
            except CONNECTION_ERRORS:
                self._meter.store_failed()
                raise StorageUnavailableError from None
            async with self._used(connection):
                yield connection

    @asynccontextmanager
    async def _used(self, connection: Any) -> AsyncIterator[None]:
        """Release `connection` to the pool when the `with` block ends.

        If the block raises an exception, close the connection before the release. Raises StorageUnavailableError if the
        block raises a connection error.
        """
        try:
            yield
        except BaseException as error:
            with suppress(asyncpg.InterfaceError):  # the connection is closed already
                connection.terminate()
            if isinstance(error, asyncpg.ReadOnlySQLTransactionError):
                self._replica_lock.check_now()
            if isinstance(error, CONNECTION_ERRORS):
                self._meter.store_failed()
                raise StorageUnavailableError from None
            raise
        finally:
            with suppress(*CONNECTION_ERRORS):  # the outcome is known, so an error here changes nothing
                await self._pool.release(connection)

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[Any]:
        async with self._connection() as connection:
            await connection.execute("BEGIN")
            yield connection
            await connection.execute("COMMIT")


async def _fetch_one(connection: Any, name: str, values: Mapping[str, Any]) -> Row | None:
    statement = STATEMENTS[name]
    row: Row | None = await connection.fetchrow(statement.text, *statement.arguments(values))
    return row


async def _fetch(connection: Any, name: str, values: Mapping[str, Any]) -> Sequence[Row]:
    statement = STATEMENTS[name]
    rows: Sequence[Row] = await connection.fetch(statement.text, *statement.arguments(values))
    return rows
