"""Run `python -m benchmarks`: measure, print the tables, write results.json and results.svg."""

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import uvloop

from benchmarks import plan as plans
from benchmarks.chart import chart
from benchmarks.load import USUAL_PEOPLE
from benchmarks.machine import machine
from benchmarks.memory import memory
from benchmarks.peers import HERE, PEERS
from benchmarks.plan import FULL, QUICK, Plan
from benchmarks.process import cores
from benchmarks.replicas import replicas
from benchmarks.report import report
from benchmarks.startup import starts
from benchmarks.tracing import tracing

PARTS = ("http", "socket", "start", "replicas", "tracing", "memory")
HOUR_COMMANDS = 36_000
SETTLE_SECONDS, QUICK_SETTLE_SECONDS = 1.0, 0.3
QUICK_PEOPLE = 25


def arguments() -> argparse.Namespace:
    """Return the parsed command-line arguments."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="how often each load is measured on each peer")
    parser.add_argument("--seconds", type=float, default=5.0, help="how long a measured window is")
    parser.add_argument("--quick", action="store_true", help="one short round of light loads: does it work at all?")
    parser.add_argument("--peers", nargs="+", choices=PEERS, default=list(PEERS), metavar="PEER", help=", ".join(PEERS))
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS, metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--output", type=Path, default=HERE, help="directory for results.json and results.svg")
    return parser.parse_args()


async def measure(asked: argparse.Namespace, scratch: Path, say: Callable[[str], None]) -> dict[str, Any]:
    """Measure the requested parts; return their results by name."""
    peers = [PEERS[name] for name in asked.peers]
    for peer in peers:
        if peer.missing:
            say(f"{peer.label} is left out: {peer.missing}.")
    peers = [peer for peer in peers if not peer.missing]
    scenarios = tuple(one for one in (QUICK if asked.quick else FULL) if one.transport in asked.parts)
    plan = Plan(
        peers=peers,
        scenarios=scenarios,
        rounds=1 if asked.quick else asked.rounds,
        seconds=asked.seconds,
        settle_seconds=QUICK_SETTLE_SECONDS if asked.quick else SETTLE_SECONDS,
        people=QUICK_PEOPLE if asked.quick else USUAL_PEOPLE,
        scratch=scratch,
        say=say,
    )
    results: dict[str, Any] = {"machine": machine(), "rounds": plan.rounds, "seconds": plan.seconds}
    if scenarios:
        results["loads"] = await plans.loads(plan)
    if not asked.quick:
        if "start" in asked.parts:
            results["starts"] = await starts(peers, max(plan.rounds, 5), scratch)
        if "replicas" in asked.parts:
            results["replicas"] = await replicas(plan)
        if "tracing" in asked.parts:
            results["tracing"] = await tracing(plan)
        if "memory" in asked.parts:
            results["memory"] = await memory(HOUR_COMMANDS, scratch)
    return results


def main() -> None:
    """Run everything on the driver's core."""
    asked = arguments()
    if sys.platform != "linux":
        raise SystemExit("The benchmark reads /proc and pins processes to cores: it needs Linux.")
    driver, servers = cores()
    if driver == servers:
        print("There is one core only: driver and servers share it, and the figures say little.")
    os.sched_setaffinity(0, {driver})
    began = time.monotonic()
    with (
        tempfile.TemporaryDirectory(prefix="cobrowse-bench-") as scratch,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        results = runner.run(measure(asked, Path(scratch), lambda line: print(line, flush=True)))
    results["took_seconds"] = round(time.monotonic() - began)
    asked.output.mkdir(parents=True, exist_ok=True)
    (asked.output / "results.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    if results.get("loads"):
        (asked.output / "results.svg").write_text(chart(results["loads"]), encoding="utf-8")
    print("\n" + report(results))


if __name__ == "__main__":
    main()
