"""A table that changes again and again leaves nothing behind: no task, socket, route, series or object."""

import asyncio
import gc
import logging
import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.app import Bot
from bot.core.timing import WorkspacesFileTiming
from bot.slack.receivers.socket_mode import SocketModeReceiver
from bot.workspaces.routes import Route
from bot.workspaces.runner import ServedWorkspace, WorkspaceRunner
from tests.support.app import link
from tests.support.replicas import until
from tests.support.several import Several, open_workspaces

CHANGES, WARM = 200, 20
OFTEN = WorkspacesFileTiming(poll_seconds=0.005)
SPARE = 4
"""How many tasks and sockets may have been missing when they were counted first, such as idle connections."""
KINDS = (Bot, ServedWorkspace, WorkspaceRunner, Route, SocketModeReceiver)


@dataclass(frozen=True)
class Held:
    """What the process holds."""

    objects: dict[str, int]
    tasks: dict[str, int]
    sockets: int
    series: int


async def held(several: Several) -> Held:
    """Count what the process holds, after the last bot is gone."""
    series = len([line for line in await several.metrics() if not line.startswith("#")])
    await asyncio.sleep(0.3)
    gc.collect()
    objects = Counter(type(each).__name__ for each in gc.get_objects() if type(each) in KINDS)
    tasks = Counter(getattr(task.get_coro(), "__qualname__", "") for task in asyncio.all_tasks())
    descriptors = [Path("/proc/self/fd", each) for each in os.listdir("/proc/self/fd")]
    sockets = sum(each.is_symlink() and os.readlink(each).startswith("socket:") for each in descriptors)
    return Held(dict(objects), dict(tasks), sockets, series)


async def change(several: Several, number: int, caplog: pytest.LogCaptureFixture) -> None:
    """Change acme's table, and wait until it is in use. One of ten changes fails before, and one follows a removal."""
    environ = several.environs["acme"] | {"COBROWSE_HELP_CONTACT": f"C0{number}"}
    if number % 10 == 5:
        several.tables.put("acme", environ | {"SLACK_BOT_TOKEN": "xoxb-of-nobody"})
        await several.until(lambda found: "error" in found["acme"])
    if number % 10 == 9:
        several.tables.remove("acme")
        await several.until(lambda found: "acme" not in found)
    caplog.clear()
    several.tables.put("acme", environ)
    await until(lambda: "ready" in [record.getMessage() for record in caplog.records])
    await several.until(lambda found: "acme" in found and found["acme"]["ready"] and "error" not in found["acme"])


@pytest.mark.parametrize("http", [True, False], ids=["http", "socket"])
@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="counts the sockets in /proc")
async def test_two_hundred_changes_leave_nothing_behind(
    tmp_path: Path, http: bool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with open_workspaces(tmp_path, "acme", "globex", http=http, file_timing=OFTEN) as several:
        for number in range(WARM):
            await change(several, number, caplog)
        assert link(await several.journeys["acme"].asks())
        before = await held(several)
        assert before.objects["Bot"] == 2
        for number in range(WARM, CHANGES):
            await change(several, number, caplog)
        assert link(await several.journeys["acme"].asks("Deal"))
        after = await held(several)
        assert (after.objects, after.series) == (before.objects, before.series)
        assert sum(after.tasks.values()) <= sum(before.tasks.values()) + SPARE, after.tasks
        assert after.sockets <= before.sockets + SPARE
