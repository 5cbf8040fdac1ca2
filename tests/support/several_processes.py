"""Run bots with several workspaces as processes on one database, and read what people of each workspace got."""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from bot.sandbox.slack.server import Delivery
from tests.support.app import ROOT, START_SECONDS, Servers, free_port, open_servers
from tests.support.forked import Forked, forked
from tests.support.replicas import is_refused, told, until
from tests.support.several import Tables

WORKSPACES = ("acme", "globex")


class SeveralProcesses:
    """Bots in separate processes that read the same file of workspaces, or each its own. They are killed at the end."""

    def __init__(self, servers: Mapping[str, Servers], directory: Path, database: str, **environ: str) -> None:
        self.servers, self.directory = servers, directory
        self.tables = Tables(directory)
        for name, each in servers.items():
            self.tables.put(name, each.environ)
        store_key = next(iter(servers.values())).keys.store_key
        self.environ = {"PATH": os.environ["PATH"], "PYTHONPATH": ROOT, "SHUTDOWN_SECONDS": "4"}
        self.environ |= {"DATABASE_URL": database, "STORE_ENCRYPTION_KEY": store_key, **environ}
        self.running: list[Forked] = []
        self.ports: dict[Forked, int] = {}

    async def start(self, *, dies: str = "", tables: Tables | None = None, waits: bool = True) -> Forked:
        """Start a bot, and wait until each workspace of its file is ready. Over HTTP, Slack then sends to this bot.

        `dies` names the point at which the bot is killed. `tables`: its own file.
        """
        program, port = ["-m", "tests.support.killed_bot", dies] if dies else ["-m", "bot", "run"], free_port()
        used = tables or self.tables
        environ = self.environ | {"COBROWSE_WORKSPACES": str(used.path), "PORT": str(port)}
        process = await forked(program, directory=self.directory, environ=environ, log=self.log)
        self.running.append(process)
        self.ports[process] = port
        if waits:
            await self.ready(process, *used.texts)
        for name, each in self.servers.items():
            if each.environ["BOT_MODE"] == "http":
                each.slack.events_url = f"http://127.0.0.1:{port}/slack/events/{name}"
        return process

    @property
    def log(self) -> Path:
        """Return the path of the log of all bots."""
        return self.directory / "bots.log"

    async def readyz(self, process: Forked) -> tuple[int, dict[str, Any]]:
        """Return the status and the body of /readyz; (0, {}) if the bot does not answer."""
        with contextlib.suppress(aiohttp.ClientError):
            url = f"http://127.0.0.1:{self.ports[process]}/readyz"
            async with aiohttp.ClientSession() as http, http.get(url) as response:
                return response.status, await response.json()
        return 0, {}

    async def ready(self, process: Forked, *names: str) -> None:
        """Wait until exactly these workspaces are served, and all are ready."""
        async with asyncio.timeout(START_SECONDS):
            while True:
                assert process.returncode is None, self.log.read_text()[-3000:]
                found = (await self.readyz(process))[1].get("workspaces", {})
                if set(found) == set(names) and all(each["ready"] and "error" not in each for each in found.values()):
                    return
                await asyncio.sleep(0.05)

    def reread(self, process: Forked) -> None:
        """Let a bot read the file of workspaces and the files of secrets again."""
        process.send_signal(signal.SIGHUP)

    async def answered(self, deliveries: Mapping[str, list[Delivery]], seconds: float = 15.0) -> None:
        """Wait until each of these commands has an outcome, then check that none has a second one.

        A busy Postgres may refuse a command: then its acknowledgement told the person, and it may have no outcome.
        """

        def untold() -> list[tuple[str, object]]:
            accepted = [(name, each) for name, them in deliveries.items() for each in them if not is_refused(each)]
            return [(name, each.body) for name, each in accepted if not self.told(name, each)]

        try:
            await until(lambda: not untold(), seconds)
        except TimeoutError:
            raise AssertionError(f"without an outcome: {untold()}") from None
        await asyncio.sleep(0.3)
        for name, them in deliveries.items():
            assert [self.told(name, each) for each in them if len(set(self.told(name, each))) > 1] == []

    def told(self, name: str, delivery: Delivery) -> list[str]:
        """Return each outcome that answers this command in its workspace."""
        return told(self.servers[name], delivery)

    async def close(self) -> None:
        for process in self.running:
            process.kill()
            await process.wait()


@asynccontextmanager
async def open_processes(
    directory: Path, database: str, *, http: bool = True, **environ: str
) -> AsyncIterator[SeveralProcesses]:
    """Start the servers of the workspaces, and yield bots of which none is started."""
    async with AsyncExitStack() as stack:
        servers = {name: await stack.enter_async_context(open_servers(http=http)) for name in WORKSPACES}
        opened = SeveralProcesses(servers, directory, database, **environ)
        try:
            yield opened
        finally:
            await opened.close()
