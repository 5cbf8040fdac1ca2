"""Run `python -m benchmarks.sizing`: measure what a bot of each size needs, and print the table of docs/run/sizing.md.

Everybody types once, so that the bot knows all of them. Then it gets PEAK times its average load. `--table` measures
nothing, and prints the table from sizing.json.
"""

import argparse
import asyncio
import json
import os
import tempfile
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvloop

from benchmarks import figures
from benchmarks.machine import machine
from benchmarks.peers import BOT, HERE
from benchmarks.process import cores
from benchmarks.replicas import database
from benchmarks.report import table
from benchmarks.subject import running

SESSIONS_AN_HOUR = 6
"""How many sessions an agent starts in an hour of work."""
PEAK = 5
"""The measured load is so many times the average of the hour."""
GENESYS_A_MINUTE, LOOK_UPS_A_MINUTE = 300, 100
"""Genesys's limit for one OAuth client, and Slack's for `users.info`, of which it says "100+"."""
PERSON_MINUTES, HOST_MINUTES = 5, 60
"""How long the bot keeps what Slack says about a person, and the Genesys user that a search found."""
CALLS = {"sessions": 1, "conversations": 3}
"""Calls to Genesys for a session, by GENESYS_COBROWSE_API."""
SLACK, GENESYS, CPU = "Slack's look-ups", "Genesys's limit", "the bot's CPU"
IN_FLIGHT = 32
RESULTS = HERE / "sizing.json"


@dataclass(frozen=True, slots=True)
class Size:
    """A contact center, and what the page recommends for it."""

    agents: int
    replicas: int
    database: str
    memory_mb: int

    @property
    def sessions(self) -> int:
        """Return the sessions of an hour."""
        return self.agents * SESSIONS_AN_HOUR


SIZES = (
    Size(100, 1, "SQLite", 256),
    Size(500, 1, "SQLite", 256),
    Size(1_000, 2, "Postgres", 256),
    Size(3_000, 2, "Postgres", 256),
    Size(10_000, 2, "Postgres", 512),
)


def shares(size: Size, api: str, core_percent: float) -> dict[str, float]:
    """Return the share of each limit that the average hour uses, by the name of the limit; 1 is all of it (pure).

    `core_percent`: how much of a core the measured peak took, of all replicas together.
    """
    a_minute = size.sessions / 60
    searches = size.agents / HOST_MINUTES
    return {
        GENESYS: (a_minute * CALLS[api] + searches) / GENESYS_A_MINUTE,
        SLACK: min(a_minute, size.agents / PERSON_MINUTES) / LOOK_UPS_A_MINUTE,
        CPU: core_percent / 100 / size.replicas,
    }


def first(size: Size, api: str, core_percent: float) -> str:
    """Return which limit binds first, and how much of it is used."""
    found = shares(size, api, core_percent)
    name = max(found, key=lambda each: found[each])
    return f"{name}, {found[name]:.0%}".replace("%", " %")


def sizing_table(results: list[dict[str, Any]]) -> str:
    """Return the table of the page (pure)."""
    rows = []
    for size, found in zip(SIZES, results, strict=True):
        limits = [first(size, api, found["core_percent"]) for api in CALLS]
        measured = [f"{found['rss_mb']:.0f} MB", f"{found['core_percent']:.0f} %"]
        cells = [f"{size.sessions:,}", f"{size.replicas}", size.database, f"{size.memory_mb} MB", *measured, *limits]
        rows.append([f"{size.agents:,}", *cells])
    head = ["Agents", "Sessions an hour", "Replicas", "Database", "Memory limit of each", "Memory used"]
    return table([*head, "CPU at the peak", *(f"Binds first: `{api}`" for api in CALLS)], rows)


async def measure(size: Size, scratch: Path, seconds: float) -> dict[str, Any]:
    """Measure a bot of this size at its peak."""
    async with AsyncExitStack() as stack:
        url = None
        if size.database == "Postgres":
            url = await stack.enter_async_context(database(scratch, f"size_{size.agents}"))
        subject = await stack.enter_async_context(
            running(BOT, "http", scratch, people=size.agents, processes=size.replicas, database_url=url)
        )
        await subject.load.commands(size.agents, IN_FLIGHT)
        rate = size.sessions / 3600 * PEAK
        found = figures.of_window(await subject.load.open(rate, settle_seconds=2.0, seconds=max(seconds, 10 / rate)))
        rss_mb = max(server.rss_mb() for server in subject.servers)
        names = ("commands", "lost", "core_percent", "others_percent", "ack_p99_ms", "end_p99_ms")
        return {"agents": size.agents, "rate": rate, "rss_mb": rss_mb} | {name: found[name] for name in names}


async def measure_all(seconds: float, agents: list[int]) -> list[dict[str, Any]]:
    """Measure the sizes with these numbers of agents, one after another. Keep the last results of the others."""
    kept = json.loads(RESULTS.read_text(encoding="utf-8"))["sizes"] if RESULTS.exists() else []
    results = {found["agents"]: found for found in kept}
    with tempfile.TemporaryDirectory(prefix="cobrowse-sizing-") as scratch:
        for size in (each for each in SIZES if each.agents in agents):
            results[size.agents] = await measure(size, Path(scratch), seconds)
            print(results[size.agents], flush=True)
    return [results[size.agents] for size in SIZES if size.agents in results]


def main() -> None:
    """Measure and print, on the driver's core."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sizing", description=__doc__)
    parser.add_argument("--table", action="store_true", help="print the table of the last run, and measure nothing")
    every = [size.agents for size in SIZES]
    parser.add_argument("--agents", type=int, nargs="+", choices=every, default=every, help="measure only these sizes")
    parser.add_argument("--seconds", type=float, default=15.0, help="how long a measured window is at least")
    asked = parser.parse_args()
    if not asked.table:
        os.sched_setaffinity(0, {cores()[0]})
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            results = runner.run(measure_all(asked.seconds, asked.agents))
        RESULTS.write_text(json.dumps({"machine": machine(), "sizes": results}, indent=1) + "\n", encoding="utf-8")
    print(sizing_table(json.loads(RESULTS.read_text(encoding="utf-8"))["sizes"]))


if __name__ == "__main__":
    main()
