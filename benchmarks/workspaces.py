"""Run `python -m benchmarks.workspaces`: what a workspace costs at the start, at rest and for each command.

A bot that serves one workspace of a file, beside one that serves many, and the bot without such a file. With
`--before`, another checkout of the bot without such a file, too. In each round all start, and then take turns.
"""

import argparse
import asyncio
import os
import tempfile
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import uvloop

from benchmarks import figures
from benchmarks.figures import Figures
from benchmarks.load import USUAL_PEOPLE
from benchmarks.peers import BOT, HERE
from benchmarks.plan import Plan, Scenario, window
from benchmarks.process import cores
from benchmarks.subject import Subject, running, warm_up

ONE, MANY, SINGLE, BEFORE = "one of a file", "many of a file", "without a file", "before"
RATIOS = ((MANY, ONE), (ONE, SINGLE), (SINGLE, BEFORE))
"""The pairs of bots whose CPU is compared."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A bot that is measured. `workspaces` is 0 without a file of workspaces. `home` is the checkout that runs."""

    name: str
    workspaces: int
    home: Path = HERE.parent


@dataclass(frozen=True, slots=True)
class Asked:
    """What to measure: `turns` windows of each load and kind in a round. Memory is read after `idle_seconds`.

    `starts_cold`: leave out the start that fills byte-code and file caches.
    """

    kinds: tuple[Kind, ...]
    transport: str
    turns: int
    idle_seconds: float
    starts_cold: bool
    plan: Plan


async def measure(asked: Asked) -> list[Figures]:
    """Return one result for each start, and one for each window."""
    results: list[Figures] = []
    if not asked.starts_cold:
        async with _bot(asked.kinds[-1], asked):
            pass
    for number in range(asked.plan.rounds):
        turn = number % len(asked.kinds)
        kinds = asked.kinds[turn:] + asked.kinds[:turn]
        results += [{"round": number, **found} for found in await _round(kinds, asked)]
    return results


async def _round(kinds: Sequence[Kind], asked: Asked) -> list[Figures]:
    results: list[Figures] = []
    async with AsyncExitStack() as stack:
        subjects: list[tuple[Kind, Subject]] = []
        for kind in kinds:
            subject = await stack.enter_async_context(_bot(kind, asked))
            subjects.append((kind, subject))
            results.append({"kind": kind.name, **await _start(subject, asked.idle_seconds)})
            asked.plan.say(_line(results[-1]))
        for _, subject in subjects:
            await warm_up(subject)
        for turn in range(asked.turns):
            for scenario in asked.plan.scenarios:
                for kind, subject in subjects[:: -1 if turn % 2 else 1]:
                    found = figures.of_window(await window(subject, scenario, asked.plan))
                    results.append({"kind": kind.name, "scenario": scenario.name, "turn": turn, **found})
                    asked.plan.say(_line(results[-1]))
    return results


def _bot(kind: Kind, asked: Asked) -> AbstractAsyncContextManager[Subject]:
    plan, more = asked.plan, {"PYTHONPATH": str(kind.home)}
    return running(
        BOT,
        asked.transport,
        plan.scratch,
        people=plan.people,
        more=more,
        workspaces=kind.workspaces,
        waits_for_log=True,
    )


async def _start(subject: Subject, idle_seconds: float) -> Figures:
    (server,) = subject.servers
    found = {"ready_ms": subject.ready_seconds * 1000, "start_cpu_ms": server.cpu_seconds() * 1000}
    await asyncio.sleep(idle_seconds)
    return {**found, "rss_mb": server.rss_mb(), "pss_mb": server.pss_mb()}


def _line(result: Figures) -> str:
    if "scenario" in result:
        cells = [f"{result['cpu_ms']:.3f} ms CPU", f"{result['delivered_per_s']:.0f}/s", f"{result['lost']} lost"]
        cells.append(f"others took {result['others_percent']:.0f} %")
        return "  ".join([f"{result['kind']:15} {result['scenario']:24}", *cells])
    cells = [f"{name} {result[name]:.1f}" for name in ("ready_ms", "start_cpu_ms", "rss_mb", "pss_mb")]
    return "  ".join([f"{result['kind']:15} start", *cells])


def report(results: list[Figures], workspaces: int) -> list[str]:
    """Return the lines of the report: what each workspace adds to a start, and the ratios of a command's CPU."""
    lines = [f"Each of {workspaces} workspaces adds, as medians of the rounds:"]
    starts = [one for one in results if "scenario" not in one]
    one, many = ([each for each in starts if each["kind"] == kind] for kind in (ONE, MANY))
    for name in ("ready_ms", "start_cpu_ms", "rss_mb", "pss_mb"):
        added = [(b[name] - a[name]) / (workspaces - 1) for a, b in zip(_ordered(one), _ordered(many), strict=True)]
        low, high = (median(each[name] for each in kind) for kind in (one, many))
        lines.append(f"{name}: {median(added):.3f} (from {low:.1f} to {high:.1f})")
    lines.append("A command's CPU, median of the turns' ratios, least and greatest:")
    for scenario in dict.fromkeys(each["scenario"] for each in results if "scenario" in each):
        windows = [each for each in results if each.get("scenario") == scenario]
        for mine, other in RATIOS:
            mines, others = (_ordered([each for each in windows if each["kind"] == name]) for name in (mine, other))
            if mines and others:
                middle, least, greatest = figures.ratio(mines, others)
                lines.append(f"{scenario}, {mine} / {other}: {middle:.3f} x ({least:.3f} to {greatest:.3f})")
    lost = sum(each.get("lost", 0) + each.get("refused", 0) for each in results)
    return [*lines, f"Lost or refused commands: {lost}"]


def _ordered(results: list[Figures]) -> list[Figures]:
    return sorted(results, key=lambda each: (each["round"], each.get("turn", 0)))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.workspaces", description=__doc__)
    parser.add_argument("--rounds", type=int, default=9, help="how often each bot starts")
    parser.add_argument("--turns", type=int, default=4, help="how many windows of each load a round has")
    parser.add_argument("--seconds", type=float, default=2.0, help="how long a window is")
    parser.add_argument("--settle", type=float, default=0.5, help="seconds of a load before its window")
    parser.add_argument("--cold", action="store_true", help="do not fill byte-code and file caches by a first start")
    parser.add_argument("--workspaces", type=int, default=50)
    parser.add_argument("--people", type=int, default=USUAL_PEOPLE, help="how many type, in all workspaces together")
    parser.add_argument("--idle", type=float, default=3.0, help="seconds from readiness until memory is read")
    parser.add_argument("--transport", choices=("http", "socket"), default="http")
    parser.add_argument("--before", type=Path, help="another checkout of the bot")
    return parser.parse_args()


def main() -> None:
    """Parse the arguments, measure and print."""
    given = _arguments()
    before = (Kind(BEFORE, 0, given.before.resolve()),) if given.before else ()
    kinds = (Kind(ONE, 1), Kind(MANY, given.workspaces), Kind(SINGLE, 0), *before)
    scenarios = Scenario(given.transport, in_flight=32), Scenario(given.transport, rate=200)
    say: Callable[[str], None] = lambda line: print(line, flush=True)  # noqa: E731
    os.sched_setaffinity(0, {cores()[0]})
    with (
        tempfile.TemporaryDirectory(prefix="cobrowse-workspaces-") as scratch,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        plan = Plan([BOT], scenarios, given.rounds, given.seconds, given.settle, given.people, Path(scratch), say)
        results = runner.run(measure(Asked(kinds, given.transport, given.turns, given.idle, given.cold, plan)))
    print("\n".join(["", *report(results, given.workspaces)]))


if __name__ == "__main__":
    main()
