"""The modules of the bot that one warm `/cobrowse` over HTTP enters, compared with a golden list.

A command is warm if the token and all caches are filled. The list is short on purpose: it shows the path of a command.
To add a module, add its reason.
"""

import asyncio
import contextlib
import os
import signal
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

from bot.sandbox.slack.server import SandboxSlack
from tests.support.app import ANA, ROOT, START_SECONDS, Servers, free_port, healthy, is_note, link, open_servers

GOLDEN = Path(__file__).parents[1] / "support" / "data" / "path_of_a_command.txt"
MAX_MODULES = 38
"""The target of the architecture is 36. One more keeps workspaces apart, and one encodes JSON for less CPU. A merge
lowers this number; nothing raises it without a reason in the list."""
TRACES = 3
"""A background loop may run during one trace; only what all of them hold belongs to a command."""
END_SECONDS = 0.5
"""After the answer the last state is stored."""


def golden() -> dict[str, str]:
    """Return the modules of the list, each with its reason."""
    lines = GOLDEN.read_text(encoding="utf-8").splitlines()
    parts = [line.partition("  ") for line in lines if line and not line.startswith("#")]
    return {module: reason.strip() for module, _, reason in parts}


async def commanded(slack: SandboxSlack, text: str) -> None:
    """Start a session, and wait for its link and for the end of the request."""
    before = len(slack.messages)
    assert (await slack.command(ANA, text)).acked
    found = await slack.workspace.until(lambda: [one for one in slack.messages[before:] if not is_note(one)], 10)
    assert link(found[0])
    await asyncio.sleep(END_SECONDS)


def written(path: Path) -> list[set[str]]:
    """Return the traces in the file."""
    return [set(line.split()) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


async def traces(servers: Servers, path: Path) -> list[set[str]]:
    """Return the modules that each of several warm commands enters, in a separate process."""
    port = str(free_port())
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": ROOT, **servers.environ, "PORT": port}
    program = (sys.executable, "-m", "tests.support.traced_bot", str(path))
    process = await asyncio.create_subprocess_exec(*program, cwd=path.parent, env=environ, stdout=PIPE, stderr=PIPE)
    try:
        await healthy(process, f"http://127.0.0.1:{port}/healthz")
        servers.slack.events_url = f"http://127.0.0.1:{port}/slack/events"
        await commanded(servers.slack, "Cold")
        for number in range(TRACES):
            process.send_signal(signal.SIGUSR1)
            await commanded(servers.slack, f"Warm {number}")
            process.send_signal(signal.SIGUSR2)
            async with asyncio.timeout(START_SECONDS):
                while len(written(path)) <= number:  # noqa: ASYNC110 - a file has no event
                    await asyncio.sleep(0.05)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.communicate()
    return written(path)


async def test_warm_command_enters_the_modules_of_the_golden_list(tmp_path: Path) -> None:
    async with open_servers(http=True) as servers:
        found = await traces(servers, tmp_path / "traces.txt")
    entered = set.intersection(*found)
    assert sorted(entered) == sorted(golden())


def test_golden_list_is_short_and_gives_a_reason_for_each_module() -> None:
    listed = golden()
    assert len(listed) <= MAX_MODULES
    assert all(listed.values())
