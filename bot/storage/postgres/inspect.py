"""The look into Postgres: one connection that may only read. What it is for is in looking.py."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import asyncpg

from bot.core.models import HostId, TeamId, UserId
from bot.storage import causes, statements
from bot.storage.encryption import Encryptor
from bot.storage.errors import refused
from bot.storage.inspect import StorageReport, view
from bot.storage.postgres.replica_lock import CONNECT_SECONDS, TROUBLE, is_pooled
from bot.storage.postgres.requirements import examine, usable
from bot.storage.postgres.statements import dollars


@asynccontextmanager
async def inspect_postgres(url: str, sealer: Encryptor) -> AsyncIterator[StorageReport]:
    """Raises StorageSetupError with a sentence that shows nothing of the address."""
    address = usable(url)
    try:
        connection = await asyncpg.connect(address.url, timeout=CONNECT_SECONDS, statement_cache_size=0)
    except (*TROUBLE, ValueError) as error:
        raise causes.of_postgres(error, address.url) from None
    try:
        async with connection.transaction(readonly=True):
            seen = await _view(connection, sealer)
        if await is_pooled(connection, address.url):  # in a transaction it could not be seen
            raise refused("database_proxy_pools_transactions")
        async with connection.transaction(readonly=True):
            yield replace(seen, left_out=address.left_out)
    except TROUBLE as error:
        raise causes.of_postgres(error, address.url) from None
    finally:
        connection.terminate()


async def _view(connection: Any, sealer: Encryptor) -> StorageReport:
    found = await examine(connection, sealer)

    async def linked(team_id: TeamId, user_id: UserId) -> HostId | None:
        statement, names = dollars(statements.LINKED)
        values = {"team_id": team_id, "user_id": user_id}
        host = await connection.fetchval(statement, *(values[name] for name in names))
        return HostId(host) if host else None

    return view(found.where, found.facts, found.version, linked)
