"""The look into Postgres: one connection that may only read. What it is for is in looking.py."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from bot.desk.models import HostId, TeamId, UserId
from bot.store import statements
from bot.store.looking import View, view
from bot.store.postgres_statements import dollars
from bot.store.presence import TROUBLE, is_pooled
from bot.store.refusals import POOLED, StoreRefused
from bot.store.sealing import Sealer

CONNECT_SECONDS = 5.0
STATE = """SELECT current_database() AS name, current_setting('server_version') AS release,
    pg_is_in_recovery() AS is_standby, to_regclass('facts') IS NOT NULL AS is_made,
    has_schema_privilege(current_schema(), 'CREATE') AS may_create"""


@asynccontextmanager
async def look_into_postgres(url: str, sealer: Sealer) -> AsyncIterator[View]:
    """Raises StoreRefused with a sentence that shows nothing of the address."""
    try:
        connection = await asyncpg.connect(url, timeout=CONNECT_SECONDS, statement_cache_size=0)
    except (*TROUBLE, ValueError) as error:
        raise StoreRefused(f"The database cannot be used ({type(error).__name__}). Check DATABASE_URL.") from None
    try:
        if await is_pooled(connection, url):
            raise StoreRefused(POOLED)
        async with connection.transaction(readonly=True):
            yield await _view(connection, sealer)
    except TROUBLE as error:
        raise StoreRefused(f"The database cannot be used ({type(error).__name__}).") from None
    finally:
        connection.terminate()


async def _view(connection: Any, sealer: Sealer) -> View:
    state = await connection.fetchrow(STATE)
    where = f"Postgres {state['release'].split(' ')[0]}, database {state['name']}"
    if state["is_standby"]:
        raise StoreRefused(
            f"{where} is a standby, which cannot be written to. Give DATABASE_URL the primary's address."
        )
    if not state["is_made"] and not state["may_create"]:
        raise StoreRefused(f"{where}: this user may not make tables there. Grant it CREATE on the schema.")
    facts = await connection.fetch("SELECT name, value FROM facts") if state["is_made"] else []

    async def linked(team_id: TeamId, user_id: UserId) -> HostId | None:
        statement, names = dollars(statements.LINKED)
        values = {"team_id": team_id, "user_id": user_id}
        found = await connection.fetchval(statement, *(values[name] for name in names))
        return HostId(found) if found else None

    return view(re.sub(r"[^\w., -]", "", where), dict(map(tuple, facts)), sealer, linked)
