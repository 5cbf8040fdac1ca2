"""Run `python -m benchmarks.shift_start`: 1000 people type in the same moment, with warm and with cold caches.

The sandbox's Slack and Genesys enforce their limits per minute, so this takes minutes. It measures how close the bot
comes to these limits, and what people read while they wait. `watched` is `warm` with an open session of each person, at
which the bot looks in the background (GENESYS_LIVE=poll).
"""

import argparse
import asyncio
import math
import os
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from benchmarks.peers import BOT, HERE
from benchmarks.process import Server, cores, free_port
from bot.sandbox import world
from bot.sandbox.genesys.server import GenesysUser, SandboxGenesys
from bot.sandbox.slack.server import Delivery, Message, SandboxSlack, SlackUser

GENESYS_PER_MINUTE, USERS_INFO_PER_MINUTE = 300, 100
MINUTE_SECONDS = 60.0
READY_SECONDS = 30.0
WARM_UP_AT_ONCE = 20
CONNECTIONS = 400
"""How many commands Slack delivers at the same time. The bot takes 500 connections."""
NOTE, LINK = ":hourglass_flowing_sand:", "/join/"


@dataclass
class Reader:
    """The times at which one person reads messages, in seconds since they typed."""

    typed_at: float = 0.0
    notes: list[float] = field(default_factory=list)
    links: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def reads(self, message: Message) -> None:
        seconds, text = message.at - self.typed_at, str(message.blocks)
        if NOTE in text:
            self.notes.append(seconds)
        elif LINK in text:
            self.links.append(seconds)
        else:
            self.failures.append(message.text[:200])


class Shift:
    """Slack, Genesys, a bot in a separate process, and all people who type."""

    def __init__(self, slack: SandboxSlack, genesys: SandboxGenesys, people: list[str]) -> None:
        self.slack, self.genesys, self.people = slack, genesys, people
        self._readers: dict[str, Reader] = {}
        self._done = asyncio.Event()
        slack.workspace.listeners.append(self._hears)

    async def warm_up(self, text: str = "whoami") -> None:
        """Warm the caches: everybody types `text` while no limits apply; one session is created for the token."""
        places = asyncio.Semaphore(WARM_UP_AT_ONCE)
        self.genesys.allowed_per_minute, self.genesys.minute_seconds = 100 * len(self.people), 1.0

        async def ask(person: str) -> None:
            async with places:
                await self.slack.command(person, text)
                await self.slack.next_message(person, timeout=READY_SECONDS)

        await asyncio.gather(*map(ask, self.people))
        self.genesys.allowed_per_minute = GENESYS_PER_MINUTE
        await self.slack.command(self.people[0], "The first")
        await self.slack.next_message(self.people[0], after=1, timeout=READY_SECONDS)
        await asyncio.sleep(1.2)  # the window of the limits is over
        self.genesys.minute_seconds = MINUTE_SECONDS

    async def all_at_once(self, settle_seconds: float) -> tuple[list[Delivery], dict[str, Reader], float]:
        """Let everybody type. Return deliveries, what each person read, and the seconds until the last outcome."""
        began = time.monotonic()
        self._readers = {person: Reader(began) for person in self.people}
        connections = asyncio.Semaphore(CONNECTIONS)

        async def types(person: str) -> Delivery:
            async with connections:
                return await self.slack.command(person, f"Checkout {person[-4:]}")

        deliveries = await asyncio.gather(*map(types, self.people))
        await self._done.wait()
        seconds = time.monotonic() - began
        await asyncio.sleep(settle_seconds)  # no later message may come
        return deliveries, self._readers, seconds

    def _hears(self, message: Message) -> None:
        reader = self._readers.get(message.visible_to or "")
        if reader and message.via != "slackbot":
            reader.reads(message)
            if all(one.links or one.failures for one in self._readers.values()):
                self._done.set()


@asynccontextmanager
async def shift(count: int, directory: Path, *, watches: bool = False) -> AsyncIterator[Shift]:
    """Yield a shift with a bot that is ready and whose caches are empty. `watches`: it watches open sessions."""
    people = [f"U0SHIFT{number:04d}" for number in range(count)]
    keys = world.Keys()
    slack = SandboxSlack(
        bot_token=keys.bot_token,
        app_token=keys.app_token,
        signing_secret=keys.signing_secret,
        users=[SlackUser(one, one.lower(), f"Agent {one}", f"{one.lower()}@example.com") for one in people],
        channels=world.CHANNELS,
    )
    genesys = SandboxGenesys(
        public_key_pem=keys.public_pem,
        client_id="sandbox-client",
        org_id="sandbox-org",
        users=[
            GenesysUser(str(uuid.uuid5(uuid.NAMESPACE_DNS, one)), one, f"{one.lower()}@example.com") for one in people
        ],
        latency_seconds=0.05,
    )
    await slack.start()
    await genesys.start()
    port = free_port()
    environ = world.environ(keys, slack.api_url, genesys.url, http=True) | {"PORT": str(port)}
    environ |= {"DATABASE_URL": f"sqlite:///{directory / 'bot.db'}", "PATH": os.environ["PATH"]}
    environ |= {"GENESYS_LIVE": "poll", "COBROWSE_JOINED_STATUSES": "joined"} if watches else {}
    server = Server(BOT.argv("http"), environ | {"PYTHONPATH": str(HERE.parent)}, directory, cores()[1])
    try:
        await _healthy(server, f"http://127.0.0.1:{port}")
        slack.events_url = f"http://127.0.0.1:{port}/slack/events"
        yield Shift(slack, genesys, people)
    finally:
        server.kill()
        await genesys.stop()
        await slack.stop()


async def _healthy(server: Server, url: str) -> None:
    async with aiohttp.ClientSession() as http, asyncio.timeout(READY_SECONDS):
        while True:
            server.check()
            try:
                async with http.get(f"{url}/healthz"):
                    return
            except aiohttp.ClientError:
                await asyncio.sleep(0.05)


async def measure(kind: str, count: int, settle_seconds: float, directory: Path) -> None:
    """Measure one start of a shift, and print its figures."""
    async with shift(count, directory, watches=kind == "watched") as started:
        slack, genesys = started.slack, started.genesys
        if kind != "cold":
            await started.warm_up("Earlier" if kind == "watched" else "whoami")
            windows = math.ceil(count / GENESYS_PER_MINUTE)
        else:
            slack.limit("users.info", USERS_INFO_PER_MINUTE)
            # a look-up in Slack for each person; a look-up and a session in Genesys for each
            windows = max(math.ceil(count / USERS_INFO_PER_MINUTE), math.ceil(2 * count / GENESYS_PER_MINUTE))
        allows = (windows - 1) * MINUTE_SECONDS
        looked_up, called = len(slack.calls), len(genesys.calls)
        deliveries, readers, seconds = await started.all_at_once(settle_seconds)
        ratio = f" ({seconds / allows:.3f} x)" if allows else ""
        print(f"{kind}: {count} commands at once took {seconds:.1f} s; the limits allow {allows:.0f} s{ratio}")
        acks = sorted(one.ack_ms for one in deliveries)
        print(f"  acknowledged {sum(one.acked for one in deliveries)}", end="; ")
        print(f"p50 {statistics.median(acks):.0f} ms, at the latest {acks[-1]:.0f} ms")
        statuses = [call.status for call in genesys.calls[called:]]
        print(f"  Genesys: {len(statuses)} calls, {statuses.count(429)} of them 429", end="; ")
        looks = [call.at for call in genesys.calls[called:] if call.kind == "read"]
        print(f"{len(looks)} of them looks", end="; ")
        asked = [call.error for call in slack.calls[looked_up:] if call.method == "users.info"]
        print(f"Slack: {len(asked)} users.info, {asked.count('ratelimited')} of them 429")
        _tell(list(readers.values()), sum(call.kind == "create" for call in genesys.calls[called:]))


def _tell(readers: list[Reader], creates: int) -> None:
    """Print at which times people read which messages. `creates` is the number of created sessions."""
    twice = sum(len(one.links) > 1 for one in readers)
    print(f"  links {sum(bool(one.links) for one in readers)}, creates {creates}, told twice {twice}")
    if notes := [one.notes for one in readers if one.notes]:
        firsts = sorted(times[0] for times in notes)
        print(f"  notes: {len(notes)} read one, {max(map(len, notes))} each at most", end="; ")
        print(f"the first after p50 {statistics.median(firsts):.1f} s, at the latest {firsts[-1]:.1f} s")
    for failure in sorted({text for one in readers for text in one.failures}):
        print(f"  somebody read: {failure}")
    sys.stdout.flush()


def main() -> None:
    """Parse the arguments and measure."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.shift_start", description=__doc__)
    parser.add_argument(
        "kinds", nargs="*", metavar="warm|cold|watched", help="one after the other; default warm and cold"
    )
    parser.add_argument("--people", type=int, default=1000)
    parser.add_argument("--settle", type=float, default=2.0, help="seconds to wait for what should not come")
    asked = parser.parse_args()
    if set(asked.kinds) - {"warm", "cold", "watched"}:
        parser.error("there is warm, cold and watched")
    os.sched_setaffinity(0, {cores()[0]})
    for kind in asked.kinds or ("warm", "cold"):
        with tempfile.TemporaryDirectory(prefix="cobrowse-shift-") as scratch:
            asyncio.run(measure(kind, asked.people, asked.settle, Path(scratch)))


if __name__ == "__main__":
    main()
