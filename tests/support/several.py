"""Run one bot that serves several workspaces, each with its own sandbox of Slack and Genesys."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from bot.config.process import ProcessSettings
from bot.config.reload.workspaces import WorkspacesWatcher
from bot.config.settings import load_part, read_process
from bot.config.variables import PROCESS_ONLY, VARIABLES
from bot.config.workspaces.load import read_workspaces
from bot.core.timing import SecretTiming, WorkspacesFileTiming, WorkspaceTiming
from bot.shared import Durations, open_shared
from bot.workspaces.run import run
from tests.support.app import QUICK_GENESYS, QUICK_SLACK, Journey, Servers, open_servers

QUICK_FILE = WorkspacesFileTiming(poll_seconds=0.05)
QUICK_WORKSPACES = WorkspaceTiming(retry_seconds=0.1, max_retry_seconds=0.2, drain_seconds=20.0)
QUICK = Durations(genesys=QUICK_GENESYS, slack=QUICK_SLACK, secrets=SecretTiming(poll_seconds=0.05))
SECONDS = 20.0


@dataclass(slots=True)
class Tables:
    """The file of workspaces, in a folder with the files of their secrets. `texts` holds the tables by name."""

    folder: Path
    texts: dict[str, str] = field(default_factory=dict)

    @property
    def path(self) -> Path:
        """Return the path of the file."""
        return self.folder / "workspaces.toml"

    def secret(self, name: str, variable: str) -> Path:
        """Return the path of the file that holds a secret of a workspace."""
        return self.folder / f"{name}-{variable.lower()}"

    def put(self, name: str, variables: Mapping[str, str]) -> None:
        """Add a workspace, or change it. Secrets go to files. Leave out the variables of the process."""
        lines = [f"[{name}]"]
        for variable, value in variables.items():
            if variable in PROCESS_ONLY or not value:  # AUDIT_LOG may be either
                continue
            if VARIABLES[variable].secret:
                path = self.secret(name, variable)
                replace_text(path, value)
                lines.append(f'{variable.lower()} = {{file = "{path}"}}')
            else:
                lines.append(f"{variable.lower()} = {json.dumps(value, ensure_ascii=False)}")
        self.texts[name] = "\n".join(lines)
        self.write()

    def remove(self, name: str) -> None:
        """Remove a workspace from the file."""
        del self.texts[name]
        self.write()

    def write(self) -> None:
        """Write the file."""
        replace_text(self.path, "\n\n".join(self.texts.values()) + "\n")


def replace_text(path: Path, text: str) -> None:
    """Write a file in one step, so that a bot that reads it meanwhile gets the old text or the new one."""
    new = path.with_name(f"{path.name}.new")
    new.write_text(text, encoding="utf-8")
    new.replace(path)


@dataclass(slots=True)
class Several:
    """A bot with several workspaces. `journeys` are those of the workspaces, by name. `environs` holds
    the variables of each. `url` is the bot's URL."""

    url: str
    tables: Tables
    journeys: dict[str, Journey]
    environs: dict[str, dict[str, str]]
    process: ProcessSettings
    finish: Callable[[], Awaitable[None]]

    async def readyz(self) -> tuple[int, dict[str, Any]]:
        """Return the status and the body of /readyz."""
        async with aiohttp.ClientSession() as http, http.get(f"{self.url}/readyz") as response:
            return response.status, await response.json()

    async def metrics(self) -> list[str]:
        """Return the lines of /metrics."""
        async with aiohttp.ClientSession() as http, http.get(f"{self.url}/metrics") as response:
            return (await response.text()).splitlines()

    async def until(self, is_so: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
        """Wait until the workspaces in the body of /readyz are as `is_so` says, and return them."""
        async with asyncio.timeout(SECONDS):
            while True:
                found: dict[str, Any] = (await self.readyz())[1]["workspaces"]
                if is_so(found):
                    return found
                await asyncio.sleep(0.02)


def journey(servers: Servers, url: str, name: str, finish: Callable[[], Awaitable[None]]) -> Journey:
    """Return the journey of a workspace. Its Slack sends to the path of the workspace."""
    over_http = servers.environ["BOT_MODE"] == "http"
    servers.slack.events_url = f"{url}/slack/events/{name}" if over_http else None
    return Journey(servers.slack, servers.genesys, servers.keys, url, finish)


@asynccontextmanager
async def open_workspaces(
    folder: Path,
    *names: str,
    http: bool = True,
    durations: Durations = QUICK,
    timing: WorkspaceTiming = QUICK_WORKSPACES,
    file_timing: WorkspacesFileTiming = QUICK_FILE,
    more: Mapping[str, Mapping[str, str]] | None = None,
    **environ: str,
) -> AsyncIterator[Several]:
    """Start the servers of each workspace, and one bot for all of them.

    `more` holds further variables by the name of the workspace. `environ` holds variables of the process.
    """
    async with AsyncExitStack() as stack:
        tables = Tables(folder)
        servers = {name: await stack.enter_async_context(open_servers(http=http)) for name in names}
        for name, each in servers.items():
            tables.put(name, {**each.environ, **(more or {}).get(name, {})})
        store_key = next(iter(servers.values())).keys.store_key
        usual = {"DATABASE_URL": "memory:", "STORE_ENCRYPTION_KEY": store_key, "PORT": "0", "SHUTDOWN_SECONDS": "4"}
        variables = {**usual, **environ, "COBROWSE_WORKSPACES": str(tables.path)}
        yield await stack.enter_async_context(
            run_workspaces(variables, tables, servers, durations, timing, file_timing)
        )


@asynccontextmanager
async def run_workspaces(
    environ: Mapping[str, str],
    tables: Tables,
    servers: Mapping[str, Servers],
    durations: Durations = QUICK,
    timing: WorkspaceTiming = QUICK_WORKSPACES,
    file_timing: WorkspacesFileTiming = QUICK_FILE,
) -> AsyncIterator[Several]:
    """Run a bot in this process with these variables, between servers that already run. Stop it at the end."""
    process = load_part(read_process, environ)
    found = read_workspaces(process)
    stop, port = asyncio.Event(), asyncio.get_running_loop().create_future()

    async def serving() -> None:
        async with open_shared(process, durations, by_workspace=True) as shared:
            watcher = WorkspacesWatcher(process, found, shared.metrics, timing=file_timing)
            await run(shared, found, watcher, stop, timing=timing, on_ready=port.set_result)

    task = asyncio.create_task(serving())

    async def finish() -> None:
        stop.set()
        await task

    try:
        async with asyncio.timeout(SECONDS):
            await asyncio.wait([task, port], return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            task.result()
        url = f"http://127.0.0.1:{port.result()}"
        journeys = {name: journey(each, url, name, finish) for name, each in servers.items()}
        yield Several(url, tables, journeys, {name: each.environ for name, each in servers.items()}, process, finish)
    finally:
        with contextlib.suppress(Exception):
            for each in servers.values():
                await each.genesys.inject_fault(None)
        await finish()
