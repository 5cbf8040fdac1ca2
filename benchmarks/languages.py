"""Run `python -m benchmarks.languages`: what the translations cost at the start and for each command.

The bot with its catalogues, for a person who reads German, beside the same bot without them. Both take turns, another
one first in each round.
"""

import argparse
import asyncio
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

import aiohttp

from benchmarks.figures import Figures
from benchmarks.peers import BOT, HERE
from benchmarks.process import Server, cores, free_port
from bot.sandbox import world
from bot.sandbox.genesys.server import SandboxGenesys
from bot.sandbox.slack.server import SandboxSlack

PERSON, LOCALE = "U0ANA", "de-DE"
READY_SECONDS = 30.0
KINDS = ("with", "without")


async def measure(rounds: int, commands: int, scratch: Path, *, starts_cold: bool) -> list[Figures]:
    """Return one result per kind and round. Start each kind once before, to fill byte-code and file caches.

    `starts_cold`: leave out this first start.
    """
    shutil.copytree(HERE.parent / "bot", scratch / "without" / "bot", ignore=shutil.ignore_patterns("locales"))
    homes = {"with": HERE.parent, "without": scratch / "without"}
    results: list[Figures] = []
    for number in range(0 if starts_cold else -1, rounds):
        for kind in KINDS if number % 2 else KINDS[::-1]:
            found = await _round(homes[kind], commands if number >= 0 else 1, scratch)
            results += [{"kind": kind, **found}] if number >= 0 else []
    return results


async def _round(home: Path, commands: int, scratch: Path) -> Figures:
    keys = world.Keys()
    secrets = {"bot_token": keys.bot_token, "app_token": keys.app_token, "signing_secret": keys.signing_secret}
    slack = SandboxSlack(**secrets, users=world.SLACK_USERS, channels=world.CHANNELS)
    slack.workspace.set_locale(PERSON, LOCALE)
    client = {"public_key_pem": keys.public_pem, "client_id": "sandbox-client", "org_id": "sandbox-org"}
    genesys = SandboxGenesys(**client, users=world.GENESYS_USERS)
    await slack.start()
    await genesys.start()
    port = free_port()
    environ = world.environ(keys, slack.api_url, genesys.url, http=True) | {"PORT": str(port)}
    environ |= {"PATH": os.environ["PATH"], "PYTHONPATH": str(home)}
    server = Server(BOT.argv("http"), environ, scratch, cores()[1])
    try:
        ready_ms = await _ready_ms(server, port)
        start_cpu_ms = server.cpu_seconds() * 1000
        slack.events_url = f"http://127.0.0.1:{port}/slack/events"
        await _type(slack, "The first")
        before = server.cpu_seconds()
        for number in range(commands):
            await _type(slack, f"Checkout {number}")
        cpu_ms = (server.cpu_seconds() - before) * 1000 / commands
        return {"ready_ms": ready_ms, "start_cpu_ms": start_cpu_ms, "cpu_ms": cpu_ms}
    finally:
        server.kill()
        await genesys.stop()
        await slack.stop()


async def _ready_ms(server: Server, port: int) -> float:
    async with aiohttp.ClientSession() as http, asyncio.timeout(READY_SECONDS):
        while True:
            server.check()
            try:
                async with http.get(f"http://127.0.0.1:{port}/healthz"):
                    return (time.monotonic() - server.started_at) * 1000
            except aiohttp.ClientError:
                await asyncio.sleep(0.002)


async def _type(slack: SandboxSlack, text: str) -> None:
    before = len(slack.messages)
    await slack.command(PERSON, text)
    await slack.workspace.until(lambda: len(slack.messages) > before or None, READY_SECONDS)


def report(results: list[Mapping[str, float | str]]) -> None:
    """Print the median of each kind, and the median of the rounds' ratios."""
    for figure in ("ready_ms", "start_cpu_ms", "cpu_ms"):
        one, other = ([float(each[figure]) for each in results if each["kind"] == kind] for kind in KINDS)
        ratio = statistics.median(a / b for a, b in zip(one, other, strict=True))
        print(f"{figure}: with {statistics.median(one):.2f}, without {statistics.median(other):.2f}: {ratio:.3f} x")


def main() -> None:
    """Parse the arguments and measure."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.languages", description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--commands", type=int, default=400, help="how many a round measures")
    parser.add_argument("--cold", action="store_true", help="do not fill byte-code and file caches by first starts")
    asked = parser.parse_args()
    os.sched_setaffinity(0, {cores()[0]})
    with tempfile.TemporaryDirectory(prefix="cobrowse-languages-") as scratch:
        report(asyncio.run(measure(asked.rounds, asked.commands, Path(scratch), starts_cold=asked.cold)))


if __name__ == "__main__":
    main()
