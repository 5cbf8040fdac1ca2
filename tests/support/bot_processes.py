"""Run bots as processes on one database, kill them at points that a test chooses, and read what people got."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.support.app import ROOT, START_SECONDS, Servers, open_servers, words
from tests.support.forked import Forked, forked
from tests.support.postgres import new_database
from tests.support.replicas import replica

SECONDS = 15.0
"""How long a test waits for what a bot says, at most."""


class Bots:
    """Bots in separate processes on one database. They are killed at the end."""

    def __init__(self, servers: Servers, database: str, directory: Path) -> None:
        self.servers = servers
        self.directory = directory
        self.environ = {**servers.environ, "DATABASE_URL": database, "PYTHONPATH": ROOT, "PATH": os.environ["PATH"]}
        self.running: list[Forked] = []
        self.after = AsyncExitStack()

    async def start(self, dies: str = "", database: str = "") -> Forked:
        """Start a bot, and wait until it is connected or has ended. Without its database, a bot ends.

        `dies` names the point at which the bot is killed.
        """
        program = ["-m", "tests.support.killed_bot", dies] if dies else ["-m", "bot", "run"]
        environ = self.environ | ({"DATABASE_URL": database} if database else {})
        process = await forked(program, directory=self.directory, environ=environ, log=self.directory / "bots.log")
        self.running.append(process)
        either: list[asyncio.Task[object]] = [
            asyncio.create_task(one) for one in (self.servers.slack.connected(START_SECONDS), process.wait())
        ]
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        connected, ended = either
        ended.cancel()
        if process.returncode is None:
            await connected
        else:
            connected.cancel()
        return process

    async def resume(self) -> None:
        """Start a bot in this process after a crash, because a separate process takes a second longer."""
        await self.after.enter_async_context(replica(self.servers, self.environ["DATABASE_URL"]))

    async def close(self) -> None:
        await self.after.aclose()
        for process in self.running:
            process.kill()
            await process.wait()


async def outcomes(bots: Bots, who: str, count: int) -> list[str]:
    """Wait until this person sees `count` messages, and return the texts of all messages that they see.

    Slack's message about a missing ack does not count.
    """
    slack = bots.servers.slack

    def told() -> bool:
        return sum(message.via != "slackbot" for message in slack.seen_by(who)) >= count

    await slack.workspace.until(told, SECONDS)
    return [words(message) for message in slack.seen_by(who)]


@pytest.fixture(params=["sqlite", "postgres"])
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    """Make a database of either kind, and give its URL."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'bot.db'}"
        return
    async with new_database() as url:
        yield url


@pytest.fixture
async def bots(database: str, tmp_path: Path) -> AsyncIterator[Bots]:
    """Start Slack and Genesys, and yield bots of which none is started."""
    async with open_servers() as servers:
        opened = Bots(servers, database, tmp_path)
        yield opened
        await opened.close()
