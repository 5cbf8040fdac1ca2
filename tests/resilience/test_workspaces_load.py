"""A thousand commands of one workspace at once do not hold up the single command of another one."""

import asyncio
import os
import time
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest

from tests.support import bot_processes
from tests.support.app import ANA, Servers
from tests.support.replicas import is_refused, told, until
from tests.support.several_processes import SeveralProcesses, open_processes

database = bot_processes.database
COMMANDS, MAX_SURGES = 1000, 6
"""The first surge that keeps both bounds shows that a thousand commands do not hold up the other workspace. The machine
may do something else in any single one."""
ACK_SECONDS, MORE_SECONDS = 1.0, 2.0
PATIENT_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Took:
    """How long a command took until its acknowledgement, and until its answer, in seconds."""

    ack: float
    answer: float


async def asks(servers: Servers, text: str) -> Took:
    """Send a command, and wait for its link."""
    began = time.monotonic()
    delivery = await servers.slack.command(ANA, text)
    acked = time.monotonic()
    assert delivery.acked, delivery.error
    assert not is_refused(delivery)
    await until(lambda: told(servers, delivery), PATIENT_SECONDS)
    return Took(acked - began, time.monotonic() - began)


@dataclass(frozen=True, slots=True)
class Surge:
    """The single command of globex, and how many of acme's thousand were acknowledged.

    `slowness`: how much longer the surge took than the CPU time of both processes, on a machine that does other things.
    """

    took: Took
    acked: int
    slowness: float

    def is_quick(self, alone: float) -> bool:
        """Return whether the single command kept both bounds. `alone`: the seconds until its answer without a surge."""
        is_acked = self.took.ack / self.slowness < ACK_SECONDS
        return is_acked and (self.took.answer - alone) / self.slowness < MORE_SECONDS


async def surge(bots: SeveralProcesses, number: int) -> Surge:
    """Send a thousand commands in acme, and one in globex while they are on the way."""
    acme, globex = bots.servers.values()
    began, used = time.monotonic(), cpu_seconds(bots)
    sent = [asyncio.create_task(acme.slack.command(ANA, f"Deal {number}-{each}")) for each in range(COMMANDS)]
    await asyncio.sleep(0.02)
    took = await asks(globex, f"Beside {number}")
    deliveries = await asyncio.gather(*sent)
    slowness = (time.monotonic() - began) / (cpu_seconds(bots) - used)
    await quiet(acme)
    return Surge(took, sum(each.acked for each in deliveries), max(1.0, slowness))


def cpu_seconds(bots: SeveralProcesses) -> float:
    """Return the CPU time of the bot and of this process, which runs Slack and Genesys."""
    fields = Path(f"/proc/{bots.running[0].pid}/stat").read_text().rpartition(")")[2].split()
    return time.process_time() + sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")


async def quiet(servers: Servers) -> None:
    """Wait until Genesys gets no more calls."""
    count = -1
    while count != len(servers.genesys.creates):
        count = len(servers.genesys.creates)
        await asyncio.sleep(0.5)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads the CPU time in /proc")
@pytest.mark.parametrize("http", [True, False], ids=["http", "socket"])
async def test_thousand_commands_do_not_hold_up_another_workspace(tmp_path: Path, database: str, http: bool) -> None:
    """Over HTTP, both come from one client, as from a proxy. It opens a connection for each request, as proxies do."""
    async with (
        open_processes(tmp_path, database, http=http) as bots,
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as proxy,
    ):
        for name, each in bots.servers.items():
            each.genesys.allowed_per_minute, each.slack.ack_seconds = 1_000_000, PATIENT_SECONDS
            bots.tables.put(name, each.environ | {"GENESYS_REQUESTS_PER_MINUTE": "6000"})
            await each.slack.dispatcher.http.close()
            each.slack.dispatcher.http._session = proxy
        await bots.start()
        alone = min([(await asks(bots.servers["globex"], f"Alone {number}")).answer for number in range(3)])
        found: list[Surge] = []
        while len(found) < MAX_SURGES and not any(each.is_quick(alone) for each in found):
            found.append(await surge(bots, len(found)))
        assert min(each.acked for each in found) >= COMMANDS // 2  # over HTTP, the rest is beyond the limit
        assert found[-1].is_quick(alone), found
