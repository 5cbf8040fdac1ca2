"""Open a Postgres store: create or migrate the tables, check the encryption key, and take an owner number."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from bot.core.ports import NULL_METRICS, Metrics
from bot.core.timing import StorageTiming
from bot.storage import causes
from bot.storage.encryption import CHECK, SECRET_COLUMNS, Encryptor
from bot.storage.open import DEFAULT_TIMING
from bot.storage.postgres.replica_lock import CONNECTION_ERRORS, ReplicaLock, enable_keepalive
from bot.storage.postgres.requirements import examine, usable
from bot.storage.postgres.statements import STATEMENTS
from bot.storage.postgres.store import MAX_CONNECTIONS, PostgresStore
from bot.storage.schema import facts_at_start, scripts_from

log = logging.getLogger(__name__)

BUSY_ERRORS = (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError)
"""The errors of a migration that could not lock a table, because running replicas use the table."""


@asynccontextmanager
async def open_postgres(
    url: str,
    encryptor: Encryptor,
    retention_days: int,
    meter: Metrics = NULL_METRICS,
    timing: StorageTiming = DEFAULT_TIMING,
) -> AsyncIterator[PostgresStore]:
    """Open the store of one replica, yield the store, and close the store when the `with` block ends.

    `retention_days`: the number of days after which requests and sessions are deleted. Raises StorageSetupError if the
    bot cannot use the database.
    """
    address = usable(url)
    for name in address.left_out:
        log.warning("a parameter of DATABASE_URL is left out", extra={"fields": {"parameter": name}})
    url, replica_lock, pool = address.url, None, None
    try:
        try:
            owner = await prepare(url, encryptor, timing)
            replica_lock = ReplicaLock(url, owner, timing, key_number=encryptor.key_number)
            await replica_lock.open()
            pool = await asyncpg.create_pool(
                url, min_size=1, max_size=MAX_CONNECTIONS, command_timeout=timing.statement_timeout_seconds,
                init=enable_keepalive, reset=keep_settings,
            )  # fmt: skip
        except (*CONNECTION_ERRORS, ValueError) as error:  # their texts may show a part of the address
            raise causes.of_postgres(error, url) from None
        replica_lock.on_change = pool.expire_connections
        yield PostgresStore(pool, replica_lock, encryptor, retention_days, meter, timing)
    finally:
        if replica_lock:
            await replica_lock.close()
        if pool:
            pool.terminate()


async def keep_settings(connection: Any) -> None:
    """Do nothing. The pool calls this function when a connection returns to the pool.

    asyncpg's default function would cost a round trip, and undo `enable_keepalive`, which switched on TCP keepalives.
    """


async def prepare(url: str, encryptor: Encryptor, timing: StorageTiming) -> int:
    """Create or migrate the tables, check the encryption key, and return a new owner number.

    If a migration cannot lock a table within `StorageTiming.migration_lock_seconds`, roll back and try again, up to
    `StorageTiming.migration_seconds` after the start. Raises StorageSetupError if the bot cannot use the database.
    Raises asyncpg's exceptions if a statement fails.
    """
    connection = await asyncpg.connect(url, timeout=timing.connect_timeout_seconds, statement_cache_size=0)
    give_up_at = time.monotonic() + timing.migration_seconds
    try:
        while True:
            try:
                return await _prepare(connection, encryptor, timing)
            except BUSY_ERRORS:
                if time.monotonic() > give_up_at:
                    raise
            await asyncio.sleep(timing.migration_pause_seconds)
    finally:
        await connection.close(timeout=timing.connect_timeout_seconds)


async def _prepare(connection: Any, encryptor: Encryptor, timing: StorageTiming) -> int:
    async with connection.transaction():
        # Several replicas may start at once: one migrates, the others find it done.
        await connection.execute(STATEMENTS["lock_preparation"].text)
        found = await examine(connection, encryptor)
        if steps := scripts_from(found.version, "postgres"):
            limit = f"{timing.migration_lock_seconds * 1000:.0f}"
            await connection.fetch(STATEMENTS["limit_migration"].text, limit)
        for statement in steps:
            await connection.execute(statement)
        if found.facts.get("key_check") == CHECK and encryptor.has_key:
            await _encrypt_all(connection, encryptor)
        written = facts_at_start(found.facts, found.version, encryptor)
        for name, value in written.items():
            await connection.execute(STATEMENTS["set_fact"].text, name, value)
        return int(written["owner"])


async def _encrypt_all(connection: Any, encryptor: Encryptor) -> None:
    """Encrypt all secrets in a database that is not encrypted yet.

    Do nothing if one of the secrets is already encrypted. In this case, the database has been encrypted before, and an
    attacker may have added the plain texts.
    """
    if await connection.fetchval(STATEMENTS["has_encrypted_secrets"].text):
        return
    for table in SECRET_COLUMNS:
        rows = await connection.fetch(STATEMENTS[f"secrets_of_{table}"].text)
        statement = STATEMENTS[f"encrypt_{table}"]
        encrypted = [statement.arguments(encryptor.encrypt_row(table, dict(row))) for row in rows]
        await connection.executemany(statement.text, encrypted)
