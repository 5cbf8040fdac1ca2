"""Replicas on one Postgres: one of them holds the notification channels, and another takes over when it is killed."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.app import ANA, open_servers, words
from tests.support.bot_processes import Bots
from tests.support.conversations import HOST, talk
from tests.support.live import LIVE
from tests.support.notifications import joined, until
from tests.support.postgres import new_database

TAKEOVER_SECONDS = 10.0


@pytest.fixture
async def bots(tmp_path: Path) -> AsyncIterator[Bots]:
    async with new_database() as url, open_servers() as servers:
        opened = Bots(servers, url, tmp_path)
        opened.environ |= LIVE | {"GENESYS_LIVE": "push"}
        yield opened
        await opened.close()


async def test_another_replica_takes_over_within_ten_seconds(bots: Bots) -> None:
    notifications, slack = bots.servers.genesys.notifications, bots.servers.slack
    first = await bots.start()
    await until(lambda: notifications.connected)
    await bots.start()
    live = talk(bots.servers)
    await slack.command(ANA, "Deal")
    await until(lambda: covered(bots))
    (old,) = notifications.connected
    first.kill()
    await first.wait()
    joined(live, next(iter(bots.servers.genesys.conversations.offers)))
    async with asyncio.timeout(TAKEOVER_SECONDS):
        while not (covered(bots) and notifications.connected[0].id != old.id):  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0.02)
    await until(lambda: told(bots, "Your customer joined *Deal*."))
    live.stop_cobrowse("client")
    await until(lambda: told(bots, "*Deal* · ended "))
    assert told(bots, "Your customer joined") == told(bots, "· ended ") == 1
    assert len(notifications.connected) == 1


def covered(bots: Bots) -> bool:
    return f"v2.users.{HOST}.conversations" in bots.servers.genesys.notifications.subscribed()


def told(bots: Bots, text: str) -> int:
    """How many messages that the agent sees say this."""
    return sum(text in words(each) for each in bots.servers.slack.seen_by(ANA))
