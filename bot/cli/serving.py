"""Serve Slack for the command `run`: one workspace, or all workspaces in the file that COBROWSE_WORKSPACES names."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bot import app, server, shared, tuning
from bot.config.process import LoggingSettings, ProcessSettings
from bot.config.reader import SettingsError
from bot.config.reload.watcher import Mask
from bot.config.settings import load, load_part, read_process
from bot.core.timing import RECEIVER_BOUNDS

if TYPE_CHECKING:
    from bot.config.workspaces.load import Workspaces


@dataclass(frozen=True, slots=True)
class Serving:
    """What the command `run` needs to start the log, and then to serve all workspaces.

    - `logging`: the settings of the log.
    - `serve`: a function that serves all workspaces. Its first argument is an event that ends the serving. Its second
      argument is a function that takes secrets and makes the log mask them.
    """

    logging: LoggingSettings
    serve: Callable[[asyncio.Event, Mask], Awaitable[None]]


def read_serving(environ: Mapping[str, str]) -> Serving:
    """Read the settings of the command `run`, and return what the command needs to serve the workspaces.

    Raises SettingsError, with all faults, if a setting has a fault. If only some tables in the file of workspaces have
    faults, raise nothing: the bot then serves only the other workspaces.
    """
    process = load_part(read_process, environ) if environ.get("COBROWSE_WORKSPACES") else None
    return _several(process) if process and process.workspaces_file else _single(environ)


def _several(process: ProcessSettings) -> Serving:
    from bot.config.workspaces.load import read_workspaces

    found = read_workspaces(process)
    errors = [each.error for each in found.values() if each.error]
    if len(errors) == len(found):
        raise SettingsError([fault for error in errors for fault in error.faults])
    secrets = [secret for each in found.values() if each.settings for secret in each.settings.logging.secrets]
    logging = replace(process.logging, secrets=(*process.logging.secrets, *secrets))

    async def serve(stop: asyncio.Event, mask: Mask) -> None:
        await _serve_several(process, found, stop, mask)

    return Serving(logging, serve)


def _single(environ: Mapping[str, str]) -> Serving:
    settings = load(environ)

    async def serve(stop: asyncio.Event, mask: Mask) -> None:
        async with AsyncExitStack() as stack:
            bot = await server.unless_stopped(stack.enter_async_context(app.open_bot(settings, mask=mask)), stop)
            if bot:
                await server.run(bot, stop, on_ready=lambda _: tuning.freeze_loaded())

    return Serving(settings.logging, serve)


async def _serve_several(process: ProcessSettings, found: "Workspaces", stop: asyncio.Event, mask: Mask) -> None:
    from bot.config.reload.workspaces import WorkspacesWatcher
    from bot.workspaces import run as workspaces

    tuning.allow_open_files(2 * RECEIVER_BOUNDS.shared_connections)
    async with AsyncExitStack() as stack:
        opening = stack.enter_async_context(
            shared.open_shared(process, shared.Durations(), mask=mask, by_workspace=True)
        )
        parts = await server.unless_stopped(opening, stop)
        if parts:
            watcher = WorkspacesWatcher(process, found, parts.metrics, mask)
            await workspaces.run(parts, found, watcher, stop, on_ready=lambda _: tuning.freeze_loaded())
