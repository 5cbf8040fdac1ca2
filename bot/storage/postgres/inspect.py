"""Inspect a Postgres database for the command `check`, over a read-only connection."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import asyncpg

from bot.core.models import HostId, TeamId, UserId
from bot.core.timing import StorageTiming
from bot.storage import causes
from bot.storage.database import Row
from bot.storage.encryption import Encryptor
from bot.storage.errors import refused
from bot.storage.inspect import StorageReport, report
from bot.storage.postgres.replica_lock import CONNECTION_ERRORS, is_pooled
from bot.storage.postgres.requirements import examine, usable
from bot.storage.postgres.statements import STATEMENTS
from bot.storage.repositories.secrets import count_secrets
from bot.storage.scope import Scope


@asynccontextmanager
async def inspect_postgres(
    url: str, encryptor: Encryptor, timing: StorageTiming, scope: Scope
) -> AsyncIterator[StorageReport]:
    """Connect to the database, inspect the database, and yield the report.

    `scope`: the Scope object of one workspace. The function `StorageReport.linked` finds host links of this workspace
    only.

    Raises StorageSetupError if the bot cannot use the database. The error contains no part of the URL.
    """
    address = usable(url)
    try:
        connection = await asyncpg.connect(address.url, timeout=timing.connect_timeout_seconds, statement_cache_size=0)
    except (*CONNECTION_ERRORS, ValueError) as error:
        raise causes.of_postgres(error, address.url) from None
    try:
        async with connection.transaction(readonly=True):
            found = await _report(connection, encryptor, scope)
        if await is_pooled(connection, address.url, timing):  # before the transaction, which would hide the proxy
            raise refused("database_proxy_pools_transactions")
        async with connection.transaction(readonly=True):
            yield replace(found, left_out=address.left_out)
    except CONNECTION_ERRORS as error:
        raise causes.of_postgres(error, address.url) from None
    finally:
        connection.terminate()


async def _report(connection: Any, encryptor: Encryptor, scope: Scope) -> StorageReport:
    found = await examine(connection, encryptor)
    statement = STATEMENTS["linked_host"]

    async def linked(team_id: TeamId, user_id: UserId, is_exact: bool = False) -> HostId | None:
        values = scope.to_values({"team_id": team_id, "user_id": user_id, "is_exact": is_exact})
        host = await connection.fetchval(statement.text, *statement.arguments(values))
        return HostId(host) if host else None

    async def fetch(name: str, values: Mapping[str, Any]) -> Sequence[Row]:
        page = STATEMENTS[name]
        rows: Sequence[Row] = await connection.fetch(page.text, *page.arguments(values))
        return rows

    return report(
        found.where, found.facts, found.version, linked, lambda: count_secrets(fetch, encryptor, found.version)
    )
