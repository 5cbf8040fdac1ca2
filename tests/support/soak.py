"""Send commands to bots, and kill bots and cut their connections at random. Then check Slack and Genesys.

`make soak` runs it for minutes, a test for seconds. It prints one line of figures for each database.
"""

import asyncio
import contextlib
import random
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bot.sandbox.slack.server import Delivery
from tests.support.app import ANA, BEN, HOSTS, SAM, Servers, open_servers
from tests.support.bot_processes import Bots
from tests.support.forked import Forked
from tests.support.network_line import CAN_LOSE, Wire, new_wire
from tests.support.postgres import new_database
from tests.support.replicas import is_refused, told

SETTLE_SECONDS = 60.0
LOST_SECONDS = 16.0
"""Longer than the server waits for a host that is lost."""
CUTS = ("cut", "freeze", "forget", *(("lose",) if CAN_LOSE else ()))
TROUBLES = ("429", "503", "500-twice")


@dataclass
class Report:
    """The results of a run. `faults` is empty if the bot kept every guarantee."""

    database: str
    commands: int = 0
    acknowledged: int = 0
    refused: int = 0
    kills: int = 0
    cuts: Counter[str] = field(default_factory=Counter)
    creates: int = 0
    turned_down: int = 0
    links: int = 0
    failures: int = 0
    told_twice: int = 0
    faults: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        cuts = f" ({', '.join(f'{count} {how}' for how, count in sorted(self.cuts.items()))})" if self.cuts else ""
        return (
            f"{self.database}: {self.commands} commands, {self.acknowledged} acknowledged, "
            f"{self.refused} of them refused; "
            f"{self.kills} kills, {self.cuts.total()} cuts{cuts}; "
            f"{self.creates} creates, {self.turned_down} of them turned down; "
            f"{self.links} links and {self.failures} failures told, {self.told_twice} answers told twice; "
            f"{len(self.faults)} promises broken"
        )


@dataclass
class Place:
    """A place in which one bot runs at a time: the bot's process, and its proxy to the database (`wire`), if any."""

    bots: Bots
    wire: Wire | None
    process: Forked | None = None

    async def fill(self) -> None:
        """Start a bot unless one runs already."""
        if self.process is None or self.process.returncode is not None:
            self.process = await self.bots.start(database=self.wire.url if self.wire else "")


async def soak(url: str, directory: Path, *, replicas: int, seconds: float, rate: float, seed: int) -> Report:
    """Send `rate` commands a second for `seconds`, and kill a bot about every two seconds.

    With several replicas, also cut their connections to the database.
    """
    chance = random.Random(seed)
    async with open_servers(http=False) as servers, places(servers, url, directory, replicas) as filled:
        servers.genesys.latency_seconds = 0.1  # so that a kill finds creates under way
        servers.genesys.allowed_per_minute = 1_000_000
        report = Report(url.split(":", maxsplit=1)[0])
        for place in filled:
            await place.fill()
        troubles = [_kill(filled, chance, report), _inject_faults(servers, chance)]
        troubles += [_cut(filled, chance, report)] if filled[0].wire else []
        tasks = [asyncio.create_task(one) for one in troubles]
        deliveries = await _load(servers, seconds, rate, chance)
        for task in tasks:
            task.cancel()
        for ended in await asyncio.gather(*tasks, return_exceptions=True):
            if not isinstance(ended, asyncio.CancelledError):
                raise ended or AssertionError
        await servers.genesys.inject_fault(None)
        await _settle(servers, filled, deliveries)
        judge(servers, deliveries, report)
        return report


@asynccontextmanager
async def places(servers: Servers, url: str, directory: Path, count: int) -> AsyncIterator[list[Place]]:
    """Make places for bots. With several places, each has a separate proxy to the database."""
    bots = Bots(servers, url, directory)
    async with AsyncExitStack() as stack:
        wires = [await stack.enter_async_context(new_wire(url)) for _ in range(count)] if count > 1 else [None]
        try:
            yield [Place(bots, wire) for wire in wires]
        finally:
            await bots.close()


async def _load(servers: Servers, seconds: float, rate: float, chance: random.Random) -> list[Delivery]:
    tasks: list[asyncio.Task[Delivery]] = []
    for number in range(int(seconds * rate)):
        who = chance.choice((ANA, BEN, SAM))
        tasks.append(asyncio.create_task(servers.slack.command(who, f"Deal {number}")))
        await asyncio.sleep(chance.expovariate(rate))
    return await asyncio.gather(*tasks)


async def _kill(filled: list[Place], chance: random.Random, report: Report) -> None:
    while True:
        await asyncio.sleep(chance.uniform(1.0, 3.0))
        place = chance.choice(filled)
        if place.process and place.process.returncode is None:
            place.process.kill()
            report.kills += 1
            await place.process.wait()
        await asyncio.sleep(chance.uniform(0.0, 0.5))
        await asyncio.shield(asyncio.ensure_future(place.fill()))


async def _cut(filled: list[Place], chance: random.Random, report: Report) -> None:
    """Inject a fault into one proxy at a time, again and again. A kill may happen during the fault."""
    while True:
        await asyncio.sleep(chance.uniform(0.5, 2.0))
        wire = chance.choice(filled).wire
        assert wire
        how = chance.choice(CUTS)
        report.cuts[how] += 1
        getattr(wire, how)()
        long = how == "lose" and chance.random() < 0.5
        await asyncio.sleep(LOST_SECONDS if long else chance.uniform(0.3, 4.0))
        wire.heal()


async def _inject_faults(servers: Servers, chance: random.Random) -> None:
    """Make Genesys refuse two create calls now and then, with errors after which the bot may try again."""
    while True:
        await asyncio.sleep(chance.uniform(1.0, 3.0))
        await servers.genesys.inject_fault(chance.choice(TROUBLES), on="create", times=2)


async def _settle(servers: Servers, filled: list[Place], deliveries: list[Delivery]) -> None:
    for place in filled:
        if place.wire:
            place.wire.heal()
    owed = [one for one in deliveries if one.acked and not is_refused(one)]
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(SETTLE_SECONDS):
            while not all(told(servers, one) for one in owed):
                for place in filled:  # one that could not reach the database when it started has ended
                    await place.fill()
                await asyncio.sleep(0.3)
    await asyncio.sleep(1.5)  # nothing else is to come


def judge(servers: Servers, deliveries: list[Delivery], report: Report) -> None:
    """Add to the report what became of each command, and each promise that was broken."""
    sessions = {session.join_url: session for session in servers.genesys.sessions.values()}
    made = Counter(create.body["sessionName"] for create in servers.genesys.creates if create.created_session)
    report.commands, report.creates = len(deliveries), len(servers.genesys.creates)
    report.turned_down = report.creates - made.total()
    for delivery in deliveries:
        ends, name = told(servers, delivery), delivery.payload["text"]
        report.acknowledged += delivery.acked
        report.refused += is_refused(delivery)
        report.told_twice += max(0, len(ends) - 1)
        if delivery.acked and not ends and not is_refused(delivery):
            report.faults.append(f"{name} was acknowledged, and nothing came")
        if len(set(ends)) > 1:
            report.faults.append(f"{name} has two outcomes")
        if made[name] > 1:
            report.faults.append(f"{name} was created {made[name]} times")
        for outcome in set(ends):
            if outcome not in sessions:
                report.failures += 1
                continue
            report.links += 1
            mine = sessions[outcome].host_user_id.startswith(HOSTS[delivery.payload["user_id"]])
            if not mine or sessions[outcome].name != name:
                report.faults.append(f"{name} has somebody else's session")


async def main(seconds: float) -> int:
    """Run the load on SQLite and then on Postgres. Return the exit code: 1 if a guarantee was broken."""
    reports = []
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory)
        file = f"sqlite:///{path / 'bot.db'}"
        reports.append(await soak(file, path, replicas=1, seconds=seconds, rate=20, seed=1))
        print(reports[-1], *reports[-1].faults, sep="\n  ", flush=True)  # noqa: T201 - for a person
        async with new_database() as url:
            reports.append(await soak(url, path, replicas=2, seconds=seconds, rate=20, seed=2))
        print(reports[-1], *reports[-1].faults, sep="\n  ", flush=True)  # noqa: T201 - for a person
    return any(report.faults for report in reports)


if __name__ == "__main__":
    sys.exit(asyncio.run(main(float(sys.argv[1]))))
