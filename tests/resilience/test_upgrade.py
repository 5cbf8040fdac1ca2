"""Replicas of this version and of the version before share a database: upgrade, kill either, and go back."""

import asyncio
import contextlib
import io
import subprocess
import zipfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bot.sandbox.slack.server import Delivery
from bot.storage.schema import USABLE_FROM, VERSION
from tests.support import bot_processes, previous
from tests.support.app import (
    ANA,
    BEN,
    ROOT,
    SAM,
    BotProcess,
    Servers,
    ended,
    free_port,
    healthy,
    open_servers,
    start,
)
from tests.support.postgres import new_database
from tests.support.previous import PreviousBot
from tests.support.proxy import caddy_before, needs_caddy
from tests.support.replicas import is_refused, told, until
from tests.support.soak import Report, judge
from tests.support.storage import read_facts

database = bot_processes.database
ADDRESSES = ("127.0.0.1", "127.0.0.2")
TOLD_SECONDS = 30.0
TOGETHER_SECONDS = 2.0
EACH_SECOND = 10
OLD_SCHEMA, KNOWS_THE_RULE = previous.schema()
OLD_STARTS = OLD_SCHEMA == VERSION or (KNOWS_THE_RULE and USABLE_FROM <= OLD_SCHEMA)
"""Whether the version before starts on this version's schema."""


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The unpacked wheel of the version before."""
    folder = tmp_path_factory.mktemp("previous")
    previous.unpack(folder)
    return folder


def test_wheel_is_the_one_that_its_page_names() -> None:
    assert f"`{previous.sha256()}`" in previous.ABOUT
    assert f"`{previous.WHEEL.name}`" in previous.ABOUT
    assert f"| Its schema | {OLD_SCHEMA}." in previous.ABOUT
    known = subprocess.run(
        ["git", "cat-file", "-e", f"{previous.COMMIT}^{{commit}}"], cwd=ROOT, check=False, capture_output=True
    )
    if known.returncode:  # a shallow clone, or a copy without history: the hash has to do
        return
    packed = subprocess.run(
        ["git", "archive", "--format=zip", previous.COMMIT, "bot"], cwd=ROOT, check=True, capture_output=True
    )
    with zipfile.ZipFile(io.BytesIO(packed.stdout)) as shown:
        for name, content in previous.files().items():
            if not name.endswith((".mo", "manifest.yml")):
                assert content == shown.read(name), name


@dataclass
class Load:
    """Types commands at a steady pace until it is cancelled."""

    servers: Servers
    tasks: list[asyncio.Task[Delivery]] = field(default_factory=list)

    async def type(self) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        while True:
            number = len(self.tasks)
            who = (ANA, BEN, SAM)[number % 3]
            self.tasks.append(asyncio.create_task(self.servers.slack.command(who, f"Deal {number}")))
            await asyncio.sleep(began + len(self.tasks) / EACH_SECOND - loop.time())

    async def answered(self) -> None:
        """Wait until each command that was typed so far has its outcome."""
        deliveries = await asyncio.gather(*self.tasks)
        await until(lambda: all(told(self.servers, one) for one in deliveries if one.acked), TOLD_SECONDS)


@asynccontextmanager
async def loaded(servers: Servers) -> AsyncIterator[Load]:
    load = Load(servers)
    typing = asyncio.create_task(load.type())
    try:
        yield load
    finally:
        typing.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await typing


class Places:
    """Runs a bot of either version at each of two addresses behind the proxy."""

    def __init__(self, servers: Servers, database: str, directory: Path, packages: Path) -> None:
        self.port = free_port()
        self._environ = servers.environ | {"DATABASE_URL": database, "PORT": str(self.port)}
        self._directory = directory
        self.previous = PreviousBot(directory, packages)
        self._running: dict[str, BotProcess] = {}
        self._all: list[BotProcess] = []

    async def fill(self, address: str, *, old: bool = False) -> None:
        environ = self._environ | {"HOST": address}
        process = await (self.previous.start(environ) if old else start(self._directory, environ))
        self._running[address] = process
        self._all.append(process)
        await healthy(process, f"http://{address}:{self.port}/healthz")
        assert process.returncode is None, await process.communicate()

    async def stop(self, address: str) -> None:
        """Stop the bot at an address as a rollout does, by SIGTERM."""
        self._running[address].terminate()
        code, _, errors = await ended(self._running[address])
        assert code == 0, errors

    async def kill(self, address: str) -> None:
        self._running[address].kill()
        await self._running[address].wait()

    async def close(self) -> None:
        for process in self._all:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.communicate()


@needs_caddy
@pytest.mark.timeout(300)
async def test_two_versions_share_postgres_under_load_and_lose_nothing(tmp_path: Path, packages: Path) -> None:
    """A rolling upgrade at ten commands a second, with a kill of the new version and then of the old one."""
    one, two = ADDRESSES
    async with new_database() as url, open_servers(http=True) as servers:
        servers.slack.ack_seconds = 15.0  # the machine may be busy
        servers.genesys.latency_seconds = 0.1  # so that a kill finds creates under way
        servers.genesys.allowed_per_minute = 1_000_000
        places = Places(servers, url, tmp_path, packages)
        try:
            for address in ADDRESSES:
                await places.fill(address, old=True)
            async with caddy_before(tmp_path, ADDRESSES, places.port) as front:
                servers.slack.events_url = f"{front.url}/slack/events"
                async with loaded(servers) as load:
                    await asyncio.sleep(TOGETHER_SECONDS)
                    await places.stop(one)
                    await places.fill(one)  # it upgrades the schema beneath the old replica
                    assert (await read_facts(url))["version"] == str(VERSION)
                    await asyncio.sleep(TOGETHER_SECONDS)
                    await places.kill(one)
                    await load.answered()  # the old replica takes over what the new one accepted
                    await places.fill(one)
                    await asyncio.sleep(TOGETHER_SECONDS)
                    await places.kill(two)
                    await load.answered()  # and the other way round
                    await places.fill(two)
                    await asyncio.sleep(TOGETHER_SECONDS)
                await load.answered()
        finally:
            await places.close()
        deliveries = [task.result() for task in load.tasks]
        assert [f"{each.status} {each.error}" for each in deliveries if not each.acked] == []
        assert [each for each in deliveries if is_refused(each)] == []
        report = Report("postgres")
        judge(servers, deliveries, report)
        assert report.faults == []
        assert report.links > 0.9 * len(deliveries)
        assert len(deliveries) > 3 * TOGETHER_SECONDS * EACH_SECOND


async def test_previous_bot_is_the_one_of_the_wheel(tmp_path: Path, packages: Path) -> None:
    assert await PreviousBot(tmp_path, packages).place() == str(packages / "bot")


@asynccontextmanager
async def running(process: BotProcess, servers: Servers) -> AsyncIterator[None]:
    """Wait until the bot is connected, and stop it at the end."""
    try:
        await servers.slack.connected(TOLD_SECONDS)
        yield
        process.terminate()
        code, _, errors = await ended(process)
        assert code == 0, errors
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def outcome(servers: Servers, text: str) -> str:
    """Type a command, and return what it ends with."""
    delivery = await servers.slack.command(ANA, text)
    assert delivery.acked
    await until(lambda: told(servers, delivery), TOLD_SECONDS)
    return told(servers, delivery)[0]


async def test_program_before_starts_on_the_new_schema_or_says_why_not(
    tmp_path: Path, packages: Path, database: str
) -> None:
    """The way up, and back down again without the backup."""
    async with open_servers() as servers:
        environ, old = servers.environ | {"DATABASE_URL": database}, PreviousBot(tmp_path, packages)
        async with running(await old.start(environ), servers):
            before = await outcome(servers, "Before")
        async with running(await start(tmp_path, environ), servers):
            assert await outcome(servers, "last") == before
            after = await outcome(servers, "After")
        facts = await read_facts(database)
        process = await old.start(environ)
        if OLD_STARTS:
            async with running(process, servers):
                assert await outcome(servers, "last") == after
        else:
            code, _, errors = await ended(process)
            assert code == 1
            assert f"of a newer version ({VERSION}) than this program ({OLD_SCHEMA})" in errors
            assert await read_facts(database) == facts
        async with running(await start(tmp_path, environ), servers):
            assert await outcome(servers, "last") == after
