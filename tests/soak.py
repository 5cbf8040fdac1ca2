"""Load, and kill -9 at random moments; afterwards the sandbox's Slack and Genesys are the judges.

`make soak` runs it for minutes, a test for seconds. Prints one line of figures a database.
"""

import asyncio
import contextlib
import random
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from journey import ANA, BEN, HOSTS, SAM, Servers, is_failure, is_note, link, open_servers, words
from postgres import new_database
from test_crash import Bots

from bot.sandbox.slack import Delivery

SETTLE_SECONDS = 45.0


@dataclass
class Report:
    """What came of it; `faults` is empty when every promise was kept."""

    database: str
    commands: int = 0
    acknowledged: int = 0
    kills: int = 0
    creates: int = 0
    links: int = 0
    failures: int = 0
    told_twice: int = 0
    faults: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"{self.database}: {self.commands} commands, {self.acknowledged} acknowledged, {self.kills} kills, "
            f"{self.creates} creates, {self.links} links and {self.failures} failures told, "
            f"{self.told_twice} answers told twice, {len(self.faults)} promises broken"
        )


async def soak(url: str, directory: Path, *, replicas: int, seconds: float, rate: float, seed: int) -> Report:
    """`rate` commands a second for so long, a kill every two seconds or so."""
    chance = random.Random(seed)
    async with open_servers(http=False) as servers:
        servers.genesys.latency_seconds = 0.1  # so that a kill finds creates under way
        bots = Bots(servers, url, directory)
        report = Report(url.split(":", maxsplit=1)[0])
        for _ in range(replicas):
            await bots.start()
        killing = asyncio.create_task(_kill(bots, replicas, chance, report))
        deliveries = await _load(servers, seconds, rate, chance)
        killing.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await killing
        while sum(one.returncode is None for one in bots.running) < replicas:
            await bots.start()
        await _settle(servers, deliveries)
        _judge(servers, deliveries, report)
        await bots.close()
        return report


async def _load(servers: Servers, seconds: float, rate: float, chance: random.Random) -> list[Delivery]:
    tasks: list[asyncio.Task[Delivery]] = []
    for number in range(int(seconds * rate)):
        who = chance.choice((ANA, BEN, SAM))
        tasks.append(asyncio.create_task(servers.slack.command(who, f"Deal {number}")))
        await asyncio.sleep(chance.expovariate(rate))
    return await asyncio.gather(*tasks)


async def _kill(bots: Bots, replicas: int, chance: random.Random, report: Report) -> None:
    while True:
        await asyncio.sleep(chance.uniform(1.0, 3.0))
        living = [one for one in bots.running if one.returncode is None]
        victim = chance.choice(living)
        victim.kill()
        report.kills += 1
        await victim.wait()
        await asyncio.sleep(chance.uniform(0.0, 0.5))
        if len(living) <= replicas:
            await asyncio.shield(asyncio.ensure_future(bots.start()))


def _told(servers: Servers, delivery: Delivery) -> list[str]:
    """Each outcome that answers this command: its link, or its failure's words without the reference."""
    mine = [one for one in servers.slack.messages if one.trigger_id == delivery.trigger_id and one.via != "slackbot"]
    ends = [one for one in mine if not is_note(one)]
    return [words(one).split("Reference")[0] if is_failure(one) else link(one) for one in ends]


async def _settle(servers: Servers, deliveries: list[Delivery]) -> None:
    acknowledged = [one for one in deliveries if one.acked]
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(SETTLE_SECONDS):
            while not all(_told(servers, one) for one in acknowledged):  # noqa: ASYNC110 - waits for other processes
                await asyncio.sleep(0.3)
    await asyncio.sleep(1.0)


def _judge(servers: Servers, deliveries: list[Delivery], report: Report) -> None:
    sessions = {session.join_url: session for session in servers.genesys.sessions.values()}
    creates = Counter(create.body["sessionName"] for create in servers.genesys.creates)
    report.commands, report.creates = len(deliveries), len(servers.genesys.creates)
    for delivery in deliveries:
        told, name = _told(servers, delivery), delivery.payload["text"]
        report.acknowledged += delivery.acked
        report.told_twice += max(0, len(told) - 1)
        if delivery.acked and not told:
            report.faults.append(f"{name} was acknowledged, and nothing came")
        if len(set(told)) > 1:
            report.faults.append(f"{name} has two outcomes")
        if creates[name] > 1:
            report.faults.append(f"{name} was created {creates[name]} times")
        for outcome in set(told):
            if outcome not in sessions:
                report.failures += 1
                continue
            report.links += 1
            if not sessions[outcome].host_user_id.startswith(HOSTS[delivery.payload["user_id"]]):
                report.faults.append(f"{name} has somebody else's host")


async def main(seconds: float) -> int:
    """Both databases, one after the other."""
    reports = []
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory)
        file = f"sqlite:///{path / 'bot.db'}"
        reports.append(await soak(file, path, replicas=1, seconds=seconds, rate=20, seed=1))
        async with new_database() as url:
            reports.append(await soak(url, path, replicas=2, seconds=seconds, rate=20, seed=2))
    for report in reports:
        print(report, *report.faults, sep="\n  ")  # noqa: T201 - for a person
    return any(report.faults for report in reports)


if __name__ == "__main__":
    sys.exit(asyncio.run(main(float(sys.argv[1]))))
