"""Serve all workspaces in the file of workspaces until a signal stops the process."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import replace
from functools import partial

from aiohttp import web

from bot.config.reload.workspaces import WorkspacesWatcher
from bot.config.workspaces.load import WorkspaceSettings
from bot.core.timing import WORKSPACE_TIMING, WorkspaceTiming
from bot.server import read_on_hangup, serve_health, serve_http
from bot.shared import Shared
from bot.slack.receivers.http import BODY_BYTES
from bot.web.health import WorkspacesHealth
from bot.workspaces.routes import WorkspaceRoutes
from bot.workspaces.runner import WorkspaceRunner

log = logging.getLogger(__name__)


class Workspaces:
    """Runs a bot for each workspace in the file of workspaces, and applies changes of the file."""

    def __init__(
        self, shared: Shared, health: WorkspacesHealth, routes: WorkspaceRoutes, timing: WorkspaceTiming
    ) -> None:
        self._shared, self._health, self._routes, self._timing = shared, health, routes, timing
        self._stopping = asyncio.Event()
        self._runners: dict[str, WorkspaceRunner] = {}
        self._removing: set[asyncio.Task[None]] = set()

    def change(self, wanted: Mapping[str, WorkspaceSettings]) -> None:
        """Serve the workspaces in `wanted`, and no others.

        Start new workspaces, use changed settings, and stop workspaces that are missing in `wanted`. All of this goes
        on in the background after the method has returned. `wanted`: maps the short name of each workspace to its
        settings.
        """
        for name in self._runners.keys() - wanted.keys():
            del self._health.workspaces[name]
            removing = asyncio.create_task(self._finish(self._runners.pop(name)))
            self._removing.add(removing)
            removing.add_done_callback(self._removing.discard)
        for name, each in wanted.items():
            if runner := self._runners.get(name):
                runner.use(each)
            else:
                self._add(each)

    def read_secrets_now(self) -> None:
        """Read the files of secrets of all workspaces now, before the next regular check for changes."""
        for runner in self._runners.values():
            runner.read_secrets_now()

    async def started(self) -> None:
        """Wait until the first try to start each workspace has succeeded or failed."""
        await asyncio.gather(*(runner.started.wait() for runner in self._runners.values()))

    async def stop(self) -> None:
        """Stop all workspaces at the same time. Each workspace has SHUTDOWN_SECONDS to finish its accepted requests."""
        self._stopping.set()
        await asyncio.gather(*(runner.stop() for runner in self._runners.values()), *self._removing)

    def _add(self, wanted: WorkspaceSettings) -> None:
        runner = WorkspaceRunner(wanted, self._shared, self._routes, self._timing, self._stopping)
        self._runners[wanted.name] = runner
        self._health.workspaces[wanted.name] = runner.state

    async def _finish(self, removed: WorkspaceRunner) -> None:
        """Stop a workspace that was removed from the file, wait for its accepted requests, and remove its metrics.

        Keep the metrics if the file contains the workspace again.
        """
        await removed.stop()
        log.info("a workspace was removed", extra={"fields": {"workspace": removed.name}})
        if removed.name not in self._runners:  # it may be in the file again
            self._shared.metrics.remove_workspace(removed.name)


async def run(
    shared: Shared,
    wanted: Mapping[str, WorkspaceSettings],
    watcher: WorkspacesWatcher,
    stop: asyncio.Event,
    *,
    timing: WorkspaceTiming = WORKSPACE_TIMING,
    on_ready: Callable[[int], None] = lambda port: None,
) -> None:
    """Serve all workspaces until `stop` is set, then finish the accepted requests.

    - `wanted`: maps the short name of each workspace to its settings at the start.
    - `watcher`: calls `Workspaces.change` when the file of workspaces changes.
    - `on_ready`: called when the first try to start each workspace has succeeded or failed. Its argument is the port of
      the HTTP server.

    Raises StartError if a port cannot be opened.
    """
    settings, routes = shared.settings, WorkspaceRoutes()
    health = WorkspacesHealth(shared.metrics, shared.store.find)
    workspaces = Workspaces(shared, health, routes, timing)
    server = web.Application(client_max_size=BODY_BYTES)
    async with AsyncExitStack() as stack:  # health answers until the drain has ended, if it has a port of its own
        reads = watcher.read_now, shared.secrets.read_now, workspaces.read_secrets_now
        stack.enter_context(read_on_hangup(*reads))
        if settings.health_port:
            await stack.enter_async_context(serve_health(health, settings))
        else:
            health.add_to(server)
        routes.add_to(server)
        bounds = shared.durations.bounds
        bounds = replace(bounds, connections=bounds.shared_connections)
        async with serve_http(server, settings.host, settings.port, "PORT", bounds) as routes.port:
            workspaces.change(wanted)
            telling = asyncio.create_task(_tell_ready(workspaces, partial(on_ready, routes.port)))
            async with watcher.watching(workspaces.change):
                await stop.wait()
            telling.cancel()
            health.draining = True
            log.info("stopping")
        await workspaces.stop()
        log.info("stopped")


async def _tell_ready(workspaces: Workspaces, on_ready: Callable[[], None]) -> None:
    await workspaces.started()
    on_ready()
