"""Who of several replicas lives: each holds a session-level advisory lock on a direct connection of its own.

The server lets go of the lock the moment it sees the connection end: at once for a dead process, and a quarter of a
minute after a host was lost, since it is told to look. https://www.postgresql.org/docs/current/explicit-locking.html
Locks belong to one server, so the database also holds which server has them: after a failover or a restart each replica
takes its lock again, and until it has had the time for it, no other takes its requests over.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import asyncpg

from bot.storage import causes
from bot.storage.errors import StorageSetupError, refused

log = logging.getLogger(__name__)

LOCK_CLASS = 0x636F62  # "cob"; the lock's other half is the owner's number
KEEPALIVE_SETTINGS = {
    # A silent connection is asked after 5 s, then every 3 s; one that does not answer for 12 s is dead. The last of
    # these says so for a connection with data under way, too: there nothing is asked, and TCP alone waits 15 minutes.
    "tcp_keepalives_idle": "5",
    "tcp_keepalives_interval": "3",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "12000",
    # What a lost host was in the middle of must not keep others from its rows for longer than this.
    "idle_in_transaction_session_timeout": "5000",
}
"""How the server looks after our connections. https://www.postgresql.org/docs/current/runtime-config-connection.html"""
MOVE_SECONDS = 30.0
"""How long after a change of server the replicas have to take their locks there."""
NODE = "CAST(extract(epoch FROM pg_postmaster_start_time()) AS TEXT)"
"""The server that has the locks: another one, or the same one started again, has another time."""
REGISTER = f"""INSERT INTO facts VALUES ('node', {NODE} || ' 0') ON CONFLICT (name) DO UPDATE
    SET value = {NODE} || ' ' || CAST(extract(epoch FROM statement_timestamp()) AS TEXT)
    WHERE split_part(facts.value, ' ', 1) <> {NODE}"""  # noqa: S608 - of this house
"""The server, and since when; 0 when there was none before, so that nobody has to move."""
SETTLED = f"""EXISTS (SELECT 1 FROM facts WHERE name = 'node' AND split_part(value, ' ', 1) = {NODE}
    AND CAST(split_part(value, ' ', 2) AS DOUBLE PRECISION) < :now - {MOVE_SECONDS})"""  # noqa: S608 - of this house
"""Whether this is the server that the replicas know, and they have had the time to move to it."""
READ_ONLY = "SELECT pg_is_in_recovery() OR CAST(current_setting('transaction_read_only') AS BOOLEAN)"
ASK_SECONDS = 2.0
CONNECT_SECONDS = 5.0
# The last of these is what asyncpg says when the server's parting word and a new statement cross.
TROUBLE = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)


class ReplicaLock:
    """This replica's number and its lock. `held` is false while others may think it dead.

    `on_change` is called when the lock is lost and when it is back: other connections may lead to another server.
    """

    def __init__(self, url: str, owner: int) -> None:
        self.owner = owner
        self.held = False
        self.on_change: Callable[[], Awaitable[None]] | None = None
        self._url = url
        self._connection: Any = None
        self._keeping: asyncio.Task[None] | None = None
        self._told = False
        self._doubted = asyncio.Event()

    async def open(self) -> None:
        """Takes the lock and keeps it. Raises StorageSetupError behind a transaction-pooling proxy."""
        await self._take()
        await self._check_direct()
        self._keeping = asyncio.create_task(self._keep())

    async def close(self) -> None:
        self.held = False
        if self._keeping:
            self._keeping.cancel()
        if self._connection:
            self._connection.terminate()

    def doubt(self) -> None:
        """Look at the server now: it has refused a write of another connection."""
        if self.held:  # else it is looked for already
            self._doubted.set()

    async def _keep(self) -> None:
        """Asks the server now and then, and takes the lock anew when the connection or the server was lost."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(ASK_SECONDS):
                    await self._doubted.wait()
                    await self._change()
            self._doubted.clear()
            try:
                if self.held:
                    await _check_writable(self._connection)
                else:
                    self._tell("database_connection_closed")
                    await self._take()
                    await self._change()
                    log.info("the database is back")
                    self._told = False
            except Exception as error:
                if not isinstance(error, (*TROUBLE, StorageSetupError)):
                    log.exception("the lock cannot be kept")
                else:
                    self._tell(causes.of_postgres(error, self._url).code)
                self.held = False
                if self._connection:
                    self._connection.terminate()
                await self._change()

    async def _change(self) -> None:
        if self.on_change:
            await self.on_change()

    def _tell(self, error: str) -> None:
        """Once for each time that it goes, whether a statement of ours finds that out or the server's parting word."""
        if not self._told:
            log.warning("the database is away", extra={"fields": {"error": error}})
        self._told = True

    async def _take(self) -> None:
        connection = await _connect(self._url)
        try:
            connection.add_termination_listener(self._lost)
            await _check_writable(connection)
            if not await connection.fetchval("SELECT pg_try_advisory_lock($1, $2)", LOCK_CLASS, self.owner):
                raise TimeoutError("the server has not yet let go of our lock")
            await connection.execute(REGISTER)
        except BaseException:
            connection.terminate()
            raise
        self._connection, self.held = connection, True

    def _lost(self, connection: Any) -> None:
        if connection is self._connection:
            self.held = False

    async def _check_direct(self) -> None:
        if await is_pooled(self._connection, self._url):
            raise refused("database_proxy_pools_transactions")


async def _check_writable(connection: Any) -> None:
    """A lock on a server that takes no writes says nothing to the replicas that write to another."""
    if await connection.fetchval(READ_ONLY):
        raise refused("database_read_only", where="Postgres")


async def is_pooled(connection: Any, url: str) -> bool:
    """Behind a proxy that pools transactions, an idle session's backend goes to the next who asks."""
    pid = await connection.fetchval("SELECT pg_backend_pid()")
    others = [await _connect(url) for _ in range(3)]
    try:
        for other in others:
            async with other.transaction():
                if await other.fetchval("SELECT pg_backend_pid()") == pid:
                    return True
    finally:
        for other in others:
            await other.close()
    return False


async def enable_keepalive(connection: Any) -> None:
    """Has the server look after this connection. Set here, since a proxy may refuse them as start-up parameters."""
    values = ", ".join(f"set_config('{name}', '{value}', false)" for name, value in KEEPALIVE_SETTINGS.items())
    await connection.execute(f"SELECT {values}")


async def _connect(url: str) -> Any:
    # No statement is kept prepared, so that a pooling proxy can be noticed instead of failing in its own words.
    connection = await asyncpg.connect(
        url, timeout=CONNECT_SECONDS, command_timeout=ASK_SECONDS, statement_cache_size=0
    )
    try:
        await enable_keepalive(connection)
    except BaseException:
        connection.terminate()
        raise
    return connection
