"""Measure the bot's memory while it processes an hour's commands in a minute or two."""

import asyncio
import time
from pathlib import Path

from benchmarks.figures import Figures
from benchmarks.peers import BOT
from benchmarks.subject import running, warm_up

IN_FLIGHT = 200
"""Commands in flight in a closed loop: as many as the bot can process."""
STEPS = 10


async def memory(commands: int, scratch: Path) -> Figures:
    """Return the resident memory in MB when ready, after the warm-up, and after each tenth of the commands."""
    async with running(BOT, "http", scratch) as subject:
        (server,) = subject.servers
        await asyncio.sleep(1.0)
        ready = server.rss_mb()
        before = await warm_up(subject)
        warm, steps, began = server.rss_mb(), [], time.monotonic()
        for _ in range(STEPS):
            await subject.load.commands(commands // STEPS, IN_FLIGHT)
            steps.append(server.rss_mb())
        seconds = time.monotonic() - began
        answered = subject.upstream.calls["answer"] - before
        return {
            "commands": commands // STEPS * STEPS,
            "answered": answered,
            "delivered_per_s": answered / seconds,
            "ready_mb": ready,
            "warm_mb": warm,
            "steps_mb": steps,
            "end_mb": steps[-1],
        }
