"""Run bots as processes on one database, kill them where a test says, and read what people were told."""

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
    """Real processes on one database; killed at the end. What comes after one of them may be in this process."""

    def __init__(self, servers: Servers, database: str, directory: Path) -> None:
        self.servers = servers
        self.directory = directory
        self.environ = {**servers.environ, "DATABASE_URL": database, "PYTHONPATH": ROOT, "PATH": os.environ["PATH"]}
        self.running: list[Forked] = []
        self.after = AsyncExitStack()

    async def start(self, dies: str = "", database: str = "") -> Forked:
        """Start a bot, and wait until it is connected, or has ended: without its database it does.

        `dies` says where it is killed.
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
        """Start after a crash, in this process: a separate one takes a second."""
        await self.after.enter_async_context(replica(self.servers, self.environ["DATABASE_URL"]))

    async def close(self) -> None:
        await self.after.aclose()
        for process in self.running:
            process.kill()
            await process.wait()


async def outcomes(bots: Bots, who: str, count: int) -> list[str]:
    """Return what this person reads, once there are so many messages; Slack's own, about a missing ack, is none."""
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
    """Start Slack and Genesys; the test starts the bots."""
    async with open_servers() as servers:
        opened = Bots(servers, database, tmp_path)
        yield opened
        await opened.close()
