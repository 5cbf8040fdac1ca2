"""Opens a Postgres store: brings the schema up to date, checks the key, takes a number and the lock with it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from bot.desk.meter import UNMEASURED, Meter
from bot.store.postgres import CONNECTIONS, STATEMENT_SECONDS, PostgresStore
from bot.store.presence import LOCK_CLASS, TROUBLE, Presence, be_watched
from bot.store.refusals import NEWER, OTHER_KEY, StoreRefused
from bot.store.schema import NEWEST, VERSIONS
from bot.store.sealing import CHECK, IS_SEALED, SECRETS, Sealer


@asynccontextmanager
async def open_postgres(
    url: str, sealer: Sealer, retention_days: int, meter: Meter = UNMEASURED
) -> AsyncIterator[PostgresStore]:
    """A store of its own owner. Raises StoreRefused."""
    try:
        presence = Presence(url, await prepare(url, sealer))
        await presence.open()
        pool = await asyncpg.create_pool(
            url, min_size=1, max_size=CONNECTIONS, command_timeout=STATEMENT_SECONDS, init=be_watched, reset=keep_as_is
        )
    except (*TROUBLE, ValueError) as error:  # ValueError: its text would show a part of the address
        raise StoreRefused(f"The database cannot be used ({type(error).__name__}). Check DATABASE_URL.") from None
    presence.on_return = pool.expire_connections
    try:
        yield PostgresStore(pool, presence, sealer, retention_days, meter)
    finally:
        await presence.close()
        pool.terminate()


async def keep_as_is(connection: Any) -> None:
    """Between two uses: asyncpg would make the connection forget how it is watched, for one more round trip."""


async def prepare(url: str, sealer: Sealer) -> int:
    """A new owner's number, with the schema and the key in order. Raises StoreRefused."""
    connection = await asyncpg.connect(url, timeout=5, statement_cache_size=0)
    try:
        async with connection.transaction():
            # Several replicas may start at once: one migrates, the others find it done.
            await connection.execute("SELECT pg_advisory_xact_lock($1::int, 0)", LOCK_CLASS)
            await connection.execute("CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL)")
            version = int(await _fact(connection, "version") or 0)
            if version > NEWEST:
                raise StoreRefused(NEWER.format(found=version, known=NEWEST))
            for statements in VERSIONS[version:]:
                for statement in statements:
                    await connection.execute(statement)
            was = await _fact(connection, "key_check")
            if was and not sealer.fits(was):
                raise StoreRefused(OTHER_KEY)
            if was == CHECK and sealer.has_key:
                await _seal_all(connection, sealer)
            owner = int(await _fact(connection, "owner") or 0) + 1
            await _set_fact(connection, "key_check", sealer.seal(CHECK) or CHECK)
            await _set_fact(connection, "version", str(NEWEST))
            await _set_fact(connection, "owner", str(owner))
            return owner
    finally:
        await connection.close()


async def _seal_all(connection: Any, sealer: Sealer) -> None:
    """As in sqlite_file.py."""
    for table, column in SECRETS:
        if await connection.fetchval(f"SELECT 1 FROM {table} WHERE {column} {IS_SEALED} LIMIT 1"):  # noqa: S608
            return
    for table, column in SECRETS:
        found = await connection.fetch(f"SELECT ctid, {column} FROM {table} WHERE {column} IS NOT NULL FOR UPDATE")  # noqa: S608
        sealed = [(sealer.seal(text), ctid) for ctid, text in found]
        await connection.executemany(f"UPDATE {table} SET {column} = $1 WHERE ctid = $2", sealed)  # noqa: S608


async def _fact(connection: Any, name: str) -> str | None:
    found: str | None = await connection.fetchval("SELECT value FROM facts WHERE name = $1", name)
    return found


async def _set_fact(connection: Any, name: str, value: str) -> None:
    statement = "INSERT INTO facts VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
    await connection.execute(statement, name, value)
