"""Store some of each secret that the database encrypts, and read the encrypted texts."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from typing import Any

import asyncpg

from bot.core.models import LinkedAccount, PendingAuthorization, RequestKind, RequestState, UserId
from tests.support.storage import ANA, HOST, TEAM, Database, request, session

BEN = UserId("U0BEN")
SECRETS = {
    "requests": ("reply_url", "argument"),
    "sessions": ("join_url", "join_code"),
    "connects": ("verifier",),
    "connections": ("refresh_token",),
}


async def fill(store: Any, count: int = 3) -> list[Any]:
    """Store some of each secret; return the requests."""
    made = []
    for number in range(count):
        asked = request(kind=RequestKind.SEND, argument=f"s-{number} carla@example.com")
        await store.accept(asked)
        one = replace(session(f"s-{number}"), join_code="code")
        await store.advance(asked.id, RequestState.ACCEPTED, RequestState.CREATED, session=one)
        made.append(asked)
    for person in (ANA, BEN):
        pending = PendingAuthorization((TEAM, person), TEAM, None, "verifier")
        await store.connections.begin(pending, f"hash {person}", 600)
        await store.connections.connect(LinkedAccount((TEAM, person), HOST, f"refresh {person}"))
    return made


async def texts(database: Database) -> list[str]:
    """Return all encrypted texts as they are stored."""
    found: list[str] = []
    for table, columns in SECRETS.items():
        for column in columns:
            query = f"SELECT {column} FROM {table} WHERE {column} IS NOT NULL"
            if database.url:
                connection = await asyncpg.connect(database.url)
                found += [row[0] for row in await connection.fetch(query)]
                await connection.close()
            else:
                with closing(sqlite3.connect(database.path)) as file:
                    found += [row[0] for row in file.execute(query)]
    return found
