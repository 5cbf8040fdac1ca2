"""Show each replica which other replicas run. To show that it runs, each replica holds its own lock in the database.

The lock is a session-level advisory lock, held by a separate connection. Postgres releases the lock when the connection
ends: at once if the process dies, and after about 15 seconds without keepalive answers if the machine of the replica is
lost. https://www.postgresql.org/docs/current/explicit-locking.html

A lock exists on one server only. A table stores which server has the locks. After a failover or a restart of Postgres,
each replica takes its lock on the new server. For `server_move_seconds` after the first of these locks, no replica
takes over the requests of another replica.

All replicas can lose their locks on the same server, too: if one of its processes crashes, or if a proxy in front of it
restarts. So a replica that takes a lost lock again takes over no requests for `server_move_seconds` after that.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import asyncpg

from bot.core.timing import StorageTiming
from bot.storage import causes
from bot.storage.errors import StorageSetupError, refused
from bot.storage.postgres.statements import STATEMENTS

log = logging.getLogger(__name__)

# asyncpg raises the last of these when the server ends the connection while a statement is being sent.
CONNECTION_ERRORS = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)


class ReplicaLock:
    """Shows the other replicas that this replica runs, and with which key it encrypts.

    From `open` to `close`, holds two advisory locks in the database: one on the owner number of this replica, one on
    the number of its key. Takes lost locks again. After the first call of `is_leader`, also tries to make this replica
    the leading replica.

    - `owner`: the owner number of this replica.
    - `key_number`: a number that stands for the encryption key of this replica; 0 without a key.
    - `url`: the Postgres URL that the next connection uses.
    - `is_held`: whether this replica holds the lock on its owner number. Without this lock, other replicas may take
      over the requests of this replica.
    - `on_change`: an async function; None to call nothing. This object calls the function after each check that failed,
      after it has taken lost locks again, and after a call of `check_now`.

    In the methods, "the lock" is the lock on the owner number.
    """

    def __init__(self, url: str, owner: int, timing: StorageTiming, *, key_number: int = 0) -> None:
        self.owner, self.key_number, self.url = owner, key_number, url
        self._announced: int | None = None  # the key of the lock that the present connection holds
        self.is_held = False
        self.on_change: Callable[[], Awaitable[None]] | None = None
        self._timing = timing
        self._connection: Any = None
        self._maintaining: asyncio.Task[None] | None = None
        self._is_loss_logged = False
        self._retaken_at: float | None = None  # when this replica last took a lost lock again, by time.monotonic
        self._check_requested, self._key_announced = asyncio.Event(), asyncio.Event()
        self._wants_to_lead = self._leads = False

    async def is_leader(self) -> bool:
        """Return whether this process is the leading replica.

        The first call returns False. After the first call, the background task tries to become the leader.
        """
        self._wants_to_lead = True
        return self._leads and self.is_held

    def may_take_over(self) -> bool:
        """Return whether this replica may take over the requests of replicas that do not hold their locks.

        Return False if this replica does not hold its own lock. Return False also for
        `StorageTiming.server_move_seconds` after it has taken a lost lock again. The other replicas may have lost their
        locks at the same moment, and may need this time to take them again.
        """
        if not self.is_held or self._retaken_at is None:
            return self.is_held
        return time.monotonic() - self._retaken_at > self._timing.server_move_seconds

    async def open(self) -> None:
        """Take the lock on this replica's owner number. Start the background task that takes it again after a loss.

        Raises StorageSetupError if the server is read-only. Raises StorageSetupError also if a proxy between the bot
        and the server pools transactions, because locks do not work through such a proxy. Raises one of
        CONNECTION_ERRORS if the lock cannot be taken for another reason.
        """
        await self._acquire()
        if await is_pooled(self._connection, self.url, self._timing):
            raise refused("database_proxy_pools_transactions")
        self._maintaining = asyncio.create_task(self._maintain())

    async def close(self) -> None:
        """Stop the background task, and release all locks by closing the connection."""
        self.is_held = False
        if self._maintaining:
            self._maintaining.cancel()
        if self._connection:
            self._connection.terminate()

    async def announce_key(self, key_number: int) -> None:
        """Tell the other replicas that this replica now encrypts with a new key.

        The background task takes an advisory lock on the number of the key. The other replicas see this lock. Wait
        until the lock is taken, or until `StorageTiming.server_move_seconds` have passed.

        `key_number`: the number that stands for the new key (`Encryptor.key_number`).
        """
        self.key_number = key_number
        self._key_announced.clear()
        self.check_now()
        with suppress(TimeoutError):
            async with asyncio.timeout(self._timing.server_move_seconds):
                await self._key_announced.wait()

    def check_now(self) -> None:
        """Make the background task check now whether the server is read-only, before the next check is due.

        If the server is read-only, the task takes the lock again on a new connection. Do nothing if the lock is already
        lost.
        """
        if self.is_held:  # without the lock, a check runs already
            self._check_requested.set()

    async def _maintain(self) -> None:
        """Check again and again whether this replica still holds its own lock, and take a lost lock again.

        There is one check every `StorageTiming.lock_check_seconds`. The lock counts as lost if the connection fails or
        the server is read-only. If the lock is held, the check also does the following:

        - If this replica has begun to use another encryption key, tell the other replicas (see `_announce`).
        - If `is_leader` was called before, try to take the leader's lock, and so become the leading replica.
        """
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._timing.lock_check_seconds):
                    await self._check_requested.wait()
                    await self._notify()
            self._check_requested.clear()
            try:
                if self.is_held:
                    await _check_writable(self._connection)
                    await self._announce(self._connection)
                    if self._wants_to_lead and not self._leads:
                        self._leads = bool(await self._connection.fetchval(STATEMENTS["lock_leader"].text))
                else:
                    self._log_loss("database_connection_closed")
                    await self._acquire()
                    self._retaken_at = time.monotonic()
                    await self._notify()
                    log.info("the database is available again")
                    self._is_loss_logged = False
            except Exception as error:
                if not isinstance(error, (*CONNECTION_ERRORS, StorageSetupError)):
                    log.exception("maintaining the replica lock failed")
                else:
                    self._log_loss(causes.of_postgres(error, self.url).code)
                self.is_held = False
                if self._connection:
                    self._connection.terminate()
                await self._notify()

    async def _notify(self) -> None:
        if self.on_change:
            await self.on_change()

    def _log_loss(self, error: str) -> None:
        """Log that the lock was lost. Do nothing if this loss was logged before. `error`: the code of the reason."""
        if not self._is_loss_logged:
            log.warning("the database is unavailable", extra={"fields": {"error": error}})
        self._is_loss_logged = True

    async def _acquire(self) -> None:
        connection = await _connect(self.url, self._timing)
        try:
            connection.add_termination_listener(self._on_termination)
            await _check_writable(connection)
            if not await connection.fetchval(STATEMENTS["lock_replica"].text, self.owner):
                raise TimeoutError("the server has not released our earlier lock yet")
            self._announced = None
            await self._announce(connection)
            await connection.execute(STATEMENTS["register_server"].text)
        except BaseException:
            connection.terminate()
            raise
        self._connection, self.is_held, self._leads = connection, True, False

    async def _announce(self, connection: Any) -> None:
        """Take an advisory lock on `key_number`, which shows the other replicas the encryption key of this replica.

        Then release the lock on the number of the previous key. Change no lock if `connection` already holds the lock
        on `key_number`.
        """
        wanted, held = self.key_number, self._announced
        if wanted != held:
            await connection.execute(STATEMENTS["announce_key"].text, wanted)
            self._announced = wanted
        if held is not None and wanted != held:
            await connection.execute(STATEMENTS["withdraw_key"].text, held)
        if wanted == self.key_number:  # otherwise it changed meanwhile, and the next check announces it
            self._key_announced.set()

    def _on_termination(self, connection: Any) -> None:
        if connection is self._connection:
            self.is_held = self._leads = False


async def _check_writable(connection: Any) -> None:
    """Raise StorageSetupError if the server of the connection is read-only, such as a standby.

    A lock on a standby is useless: the replicas on the primary do not see the lock.
    """
    if await connection.fetchval(STATEMENTS["is_read_only"].text):
        raise refused("database_read_only", where="Postgres")


async def is_pooled(connection: Any, url: str, timing: StorageTiming) -> bool:
    """Return whether a proxy between the bot and the server pools transactions.

    Open three more connections. There is such a proxy if one of the three runs on the same backend process as
    `connection`.
    """
    pid = await connection.fetchval(STATEMENTS["backend_pid"].text)
    others = [await _connect(url, timing) for _ in range(3)]
    try:
        for other in others:
            async with other.transaction():
                if await other.fetchval(STATEMENTS["backend_pid"].text) == pid:
                    return True
    finally:
        for other in others:
            await other.close()
    return False


async def enable_keepalive(connection: Any) -> None:
    """Make the server send TCP keepalives, so that it closes the connection if this machine is lost.

    Also make the server close the connection if a transaction runs no statement for five seconds.
    """
    await connection.execute(STATEMENTS["enable_keepalive"].text)


async def _connect(url: str, timing: StorageTiming) -> Any:
    # No statement is prepared, so that a pooling proxy is detected; prepared statements would fail behind it.
    connection = await asyncpg.connect(
        url,
        timeout=timing.connect_timeout_seconds,
        command_timeout=timing.lock_check_seconds,
        statement_cache_size=0,
    )
    try:
        await enable_keepalive(connection)
    except BaseException:
        connection.terminate()
        raise
    return connection
