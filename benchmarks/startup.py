"""Measure how soon a peer can take commands, and its memory when idle, beside an import of Bolt alone."""

import asyncio
import time
from pathlib import Path

from benchmarks.figures import Figures
from benchmarks.peers import Peer, shipped
from benchmarks.process import Server, cores
from benchmarks.subject import running

IDLE_SECONDS = 1.0
IMPORT = "import slack_bolt.async_app"
_IMPORT_AND_WAIT = f"{IMPORT}, sys, time; sys.stdout.write('.'); sys.stdout.flush(); time.sleep(60)"


async def starts(peers: list[Peer], rounds: int, scratch: Path) -> list[Figures]:
    """Return one result per peer and round. Start each peer once before, to fill byte-code and file caches."""
    results: list[Figures] = []
    for number in range(-1, rounds):
        found = [await _import(scratch), *[await _start(peer, scratch) for peer in peers]]
        results += [{"round": number, **one} for one in found if number >= 0]
    return results


async def _start(peer: Peer, scratch: Path) -> Figures:
    async with running(peer, "http", scratch) as subject:
        await asyncio.sleep(IDLE_SECONDS)
        return {"peer": peer.name, "ready_ms": subject.ready_seconds * 1000, "rss_mb": subject.servers[0].rss_mb()}


async def _import(scratch: Path) -> Figures:
    server = Server([shipped(), "-c", _IMPORT_AND_WAIT], {}, scratch, cores()[1])
    try:
        while not server.log.stat().st_size:
            server.check()
            await asyncio.sleep(0.001)
        ready_ms = (time.monotonic() - server.started_at) * 1000
        return {"peer": IMPORT, "ready_ms": ready_ms, "rss_mb": server.rss_mb()}
    finally:
        server.kill()
