"""Opens a Postgres store: brings the schema up to date, checks the key, takes a number and the lock with it."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from bot.core.ports import NULL_METRICS, Metrics
from bot.storage import causes
from bot.storage.encryption import CHECK, IS_SEALED, SECRETS, Encryptor
from bot.storage.postgres.replica_lock import CONNECT_SECONDS, LOCK_CLASS, TROUBLE, ReplicaLock, enable_keepalive
from bot.storage.postgres.requirements import examine, usable
from bot.storage.postgres.store import CONNECTIONS, STATEMENT_SECONDS, PostgresStore
from bot.storage.schema import NEWEST, VERSIONS

log = logging.getLogger(__name__)


@asynccontextmanager
async def open_postgres(
    url: str, sealer: Encryptor, retention_days: int, meter: Metrics = NULL_METRICS
) -> AsyncIterator[PostgresStore]:
    """A store of its own owner. Raises StorageSetupError."""
    address = usable(url)
    for name in address.left_out:
        log.warning("a parameter of DATABASE_URL is left out", extra={"fields": {"parameter": name}})
    url, presence, pool = address.url, None, None
    try:
        try:
            presence = ReplicaLock(url, await prepare(url, sealer))
            await presence.open()
            pool = await asyncpg.create_pool(
                url, min_size=1, max_size=CONNECTIONS, command_timeout=STATEMENT_SECONDS, init=enable_keepalive,
                reset=keep_as_is,
            )  # fmt: skip
        except (*TROUBLE, ValueError) as error:  # their texts would show a part of the address
            raise causes.of_postgres(error, url) from None
        presence.on_change = pool.expire_connections
        yield PostgresStore(pool, presence, sealer, retention_days, meter)
    finally:
        if presence:
            await presence.close()
        if pool:
            pool.terminate()


async def keep_as_is(connection: Any) -> None:
    """Between two uses: asyncpg would make the connection forget how it is watched, for one more round trip."""


async def prepare(url: str, sealer: Encryptor) -> int:
    """A new owner's number, with the schema and the key in order. Raises StorageSetupError."""
    connection = await asyncpg.connect(url, timeout=CONNECT_SECONDS, statement_cache_size=0)
    try:
        async with connection.transaction():
            # Several replicas may start at once: one migrates, the others find it done.
            await connection.execute("SELECT pg_advisory_xact_lock($1::int, 0)", LOCK_CLASS)
            found = await examine(connection, sealer)
            if not await connection.fetchval("SELECT to_regclass('facts') IS NOT NULL"):
                await connection.execute("CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL)")
            for statements in VERSIONS[found.version :]:
                for statement in statements:
                    await connection.execute(statement)
            if found.facts.get("key_check") == CHECK and sealer.has_key:
                await _seal_all(connection, sealer)
            owner = int(found.facts.get("owner", "0")) + 1
            await _set_fact(connection, "key_check", sealer.seal(CHECK) or CHECK)
            await _set_fact(connection, "version", str(NEWEST))
            await _set_fact(connection, "owner", str(owner))
            return owner
    finally:
        await connection.close(timeout=CONNECT_SECONDS)


async def _seal_all(connection: Any, sealer: Encryptor) -> None:
    """As in sqlite_file.py."""
    for table, column in SECRETS:
        if await connection.fetchval(f"SELECT 1 FROM {table} WHERE {column} {IS_SEALED} LIMIT 1"):  # noqa: S608
            return
    for table, column in SECRETS:
        found = await connection.fetch(f"SELECT ctid, {column} FROM {table} WHERE {column} IS NOT NULL FOR UPDATE")  # noqa: S608
        sealed = [(sealer.seal(text), ctid) for ctid, text in found]
        await connection.executemany(f"UPDATE {table} SET {column} = $1 WHERE ctid = $2", sealed)  # noqa: S608


async def _set_fact(connection: Any, name: str, value: str) -> None:
    statement = "INSERT INTO facts VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
    await connection.execute(statement, name, value)
