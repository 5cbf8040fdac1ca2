"""Who of several replicas lives: each holds a session-level advisory lock on a direct connection of its own.

The server lets go of the lock the moment it sees the connection end: at once for a dead process, and a quarter of a
minute after a host was lost, since it is told to look. https://www.postgresql.org/docs/current/explicit-locking.html
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg

from bot.store import causes
from bot.store.refusals import refused

log = logging.getLogger(__name__)

LOCK_CLASS = 0x636F62  # "cob"; the lock's other half is the owner's number
WATCHED = {
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
ASK_SECONDS = 2.0
CONNECT_SECONDS = 5.0
# The last of these is what asyncpg says when the server's parting word and a new statement cross.
TROUBLE = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)


class Presence:
    """This replica's number and its lock. `held` is false while others may think it dead.

    `on_return` is called when the database was away: other connections to it are not to be trusted, either.
    """

    def __init__(self, url: str, owner: int) -> None:
        self.owner = owner
        self.held = False
        self.on_return: Callable[[], Awaitable[None]] | None = None
        self._url = url
        self._connection: Any = None
        self._keeping: asyncio.Task[None] | None = None
        self._told = False

    async def open(self) -> None:
        """Takes the lock and keeps it. Raises StoreRefused behind a transaction-pooling proxy."""
        await self._take()
        await self._check_direct()
        self._keeping = asyncio.create_task(self._keep())

    async def close(self) -> None:
        self.held = False
        if self._keeping:
            self._keeping.cancel()
        if self._connection:
            self._connection.terminate()

    async def _keep(self) -> None:
        """Asks the server now and then, and takes the lock anew when the connection was lost."""
        while True:
            await asyncio.sleep(ASK_SECONDS)
            try:
                if self.held:
                    await self._connection.fetchval("SELECT 1")
                else:
                    self._tell("database_connection_closed")
                    await self._take()
                    if self.on_return:
                        await self.on_return()
                    log.info("the database is back")
                    self._told = False
            except Exception as error:
                if not isinstance(error, TROUBLE):
                    log.exception("the lock cannot be kept")
                else:
                    self._tell(causes.of_postgres(error, self._url).code)
                self.held = False
                if self._connection:
                    self._connection.terminate()

    def _tell(self, error: str) -> None:
        """Once for each time that it goes, whether a statement of ours finds that out or the server's parting word."""
        if not self._told:
            log.warning("the database is away", extra={"fields": {"error": error}})
        self._told = True

    async def _take(self) -> None:
        connection = await _connect(self._url)
        try:
            connection.add_termination_listener(self._lost)
            if not await connection.fetchval("SELECT pg_try_advisory_lock($1, $2)", LOCK_CLASS, self.owner):
                raise TimeoutError("the server has not yet let go of our lock")
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


async def be_watched(connection: Any) -> None:
    """Has the server look after this connection. Set here, since a proxy may refuse them as start-up parameters."""
    values = ", ".join(f"set_config('{name}', '{value}', false)" for name, value in WATCHED.items())
    await connection.execute(f"SELECT {values}")


async def _connect(url: str) -> Any:
    # No statement is kept prepared, so that a pooling proxy can be noticed instead of failing in its own words.
    connection = await asyncpg.connect(
        url, timeout=CONNECT_SECONDS, command_timeout=ASK_SECONDS, statement_cache_size=0
    )
    try:
        await be_watched(connection)
    except BaseException:
        connection.terminate()
        raise
    return connection
