"""Start bots that send notices to administrators at once, even after a crash."""

import asyncio
import sqlite3
from contextlib import closing

import asyncpg

from bot.app import Bot
from bot.core.timing import CoreTiming, NoticeTiming
from tests.support.bot_processes import SECONDS, Bots
from tests.support.replicas import replica

QUICK = CoreTiming(notices=NoticeTiming(poll_seconds=0.05, edit_pause_seconds=0.05, retry_seconds=0.1))

OTHERS = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""
"""How many other connections the database has."""


async def resume(bots: Bots) -> Bot:
    """Start and return a bot in this process that does not wait for the end of the dead bot's reservations."""
    url = bots.environ["DATABASE_URL"]
    statement = "UPDATE notices SET next_at = 0"
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as file, file:
            file.execute(statement)
    else:
        connection = await asyncpg.connect(url)
        async with asyncio.timeout(SECONDS):
            while await connection.fetchval(OTHERS):  # noqa: ASYNC110 - it still runs what the dead bot sent last
                await asyncio.sleep(0.02)
        await connection.execute(statement)
        await connection.close()
    return await bots.after.enter_async_context(replica(bots.servers, url, timing=QUICK))
