"""Run the bot of one workspace. Open another bot after a failure, and when the workspace's settings change."""

import asyncio
import logging
from collections.abc import Awaitable
from functools import partial
from typing import Any

from bot.app import Bot, open_workspace
from bot.config.reader import SettingsError
from bot.config.reload.secret_files import with_current_secrets
from bot.config.settings import Settings
from bot.config.workspaces.load import WorkspaceSettings
from bot.core.errors import SetupError
from bot.core.timing import WorkspaceTiming
from bot.observability.logging import workspace
from bot.server import open_socket_receiver, serve
from bot.shared import Shared
from bot.workspaces.routes import WorkspaceRoutes

log = logging.getLogger(__name__)


class ServedWorkspace:
    """One bot of a workspace, and the task that runs the bot. The bot uses the same settings until it stops.

    - `task`: the task. It ends when the bot has stopped, or with an error.
    - `settings`, `fingerprint`: the settings, and their fingerprint (see WorkspaceSettings).
    - `ready`: set when Slack can reach the bot.
    - `bot`: None until `ready` is set.
    - `stopping`: set when the process stops.
    - `known_sockets`: the number of Socket Mode connections that an earlier bot has already opened to the same Slack
      app. The log does not warn about these connections.
    """

    def __init__(
        self,
        wanted: Settings,
        fingerprint: str,
        shared: Shared,
        routes: WorkspaceRoutes,
        timing: WorkspaceTiming,
        stopping: asyncio.Event,
        known_sockets: int = 0,
    ) -> None:
        self.settings, self.fingerprint = wanted, fingerprint
        self.bot: Bot | None = None
        self.ready = asyncio.Event()
        self._is_open, self._known_sockets = False, known_sockets
        self._shared, self._routes = shared, routes
        self._timing, self._stopping = timing, stopping
        self._stop = asyncio.Event()
        self.task = asyncio.create_task(self._serve())

    def stop(self) -> None:
        """Begin to stop the bot, and return at once.

        In the background, the bot stops receiving payloads and finishes its accepted requests. Then `task` ends. If the
        bot's connections are not open yet, cancel `task`.
        """
        self._stop.set()
        if not self._is_open:
            self.task.cancel()

    async def _serve(self) -> None:
        async with open_workspace(self._shared, self.settings) as bot:
            self._is_open = True  # from here on, Slack may send requests before `ready` is set
            is_http = self.settings.slack.mode == "http"
            sockets = partial(open_socket_receiver, known_sockets=self._known_sockets)
            receiver = self._routes.open_receiver(bot) if is_http else sockets(bot)

            def on_ready(_: int) -> None:
                self.bot = bot
                self.ready.set()

            await serve(receiver, bot, self._stop, on_ready, partial(self._drain, bot))

    async def _drain(self, bot: Bot) -> None:
        """Wait until the accepted requests are answered. When the time is over, answer the others with an error.

        The time is `WorkspaceTiming.drain_seconds`. If the process stops during the wait, it is SHUTDOWN_SECONDS from
        that moment.
        """
        unhurried = asyncio.create_task(bot.worker.drain(self._timing.drain_seconds))
        stopping = asyncio.create_task(self._stopping.wait())
        await asyncio.wait([unhurried, stopping], return_when=asyncio.FIRST_COMPLETED)
        if not unhurried.done():
            await bot.worker.drain(self._shared.settings.shutdown_seconds)
        for task in (unhurried, stopping):
            task.cancel()


class WorkspaceRunner:
    """Runs the bot of one workspace, with the settings from the workspace's table in the file of workspaces.

    After a change of the settings, the old bot runs until the new bot is ready. After a failure, the runner tries to
    open another bot, and waits longer after each failure. If no bot runs, and the latest settings cannot be used, it
    opens a bot with the settings that were used last.

    - `name`: the workspace's short name.
    - `started`: set when the first try to open a bot has succeeded or failed.
    """

    def __init__(
        self,
        wanted: WorkspaceSettings,
        shared: Shared,
        routes: WorkspaceRoutes,
        timing: WorkspaceTiming,
        stopping: asyncio.Event,
    ) -> None:
        self.name = wanted.name
        self.started = asyncio.Event()
        self._wanted, self._timing = wanted, timing
        self._open = partial(ServedWorkspace, shared=shared, routes=routes, timing=timing, stopping=stopping)
        self._current: ServedWorkspace | None = None
        self._last_used: tuple[Settings, str] | None = None  # the settings of the newest bot that was ready
        self._stopped: set[asyncio.Task[None]] = set()
        self._error, self._why, self._retry_seconds = "", "", 0.0
        self._changed = asyncio.Event()
        self._supervising = asyncio.create_task(self._supervise())

    def use(self, wanted: WorkspaceSettings) -> None:
        """Open a bot with the settings `wanted` in the background. The current bot runs until the new bot is ready.

        Do nothing if `wanted` has the same fingerprint as the latest settings (see WorkspaceSettings).
        """
        if wanted.fingerprint != self._wanted.fingerprint:
            self._wanted, self._retry_seconds = wanted, 0.0
            self._changed.set()

    def read_secrets_now(self) -> None:
        """Read the workspace's files of secrets now, before the next regular check for changes.

        If the latest settings are not in use because of an error, try to use them again now.
        """
        token = workspace.set(self.name)  # the signal comes outside the workspace's tasks
        if self._current and self._current.bot:
            self._current.bot.secrets.read_now()
        workspace.reset(token)
        if self._error:
            self._retry_seconds = 0.0
            self._changed.set()

    async def state(self) -> tuple[bool, dict[str, object]]:
        """Return whether the workspace is ready, and the workspace's fields in the answer of /readyz.

        If the latest settings are not in use, the field `error` contains the error's code.
        """
        is_ready, fields = False, dict[str, object]()
        if self._current and self._current.bot:
            is_ready, fields = await self._current.bot.health.state()
        return is_ready, {**fields, "error": self._error} if self._error else fields

    async def stop(self) -> None:
        """Stop receiving payloads, and wait until the accepted requests are finished."""
        workspace.set(self.name)
        self._supervising.cancel()
        await asyncio.wait([self._supervising])
        if self._current:
            self._retire(self._current)
        if self._stopped:
            await asyncio.wait(self._stopped)

    async def _supervise(self) -> None:
        workspace.set(self.name)
        while True:
            self._changed.clear()
            if self._wanted.error:
                self._refuse_table(self._wanted.error)
            elif self._current and self._current.fingerprint == self._wanted.fingerprint:
                self._error, self._why, self._retry_seconds = "", "", 0.0  # the table is as it was before a change
            elif self._wanted.settings:
                await self._replace(self._wanted.settings, self._wanted.fingerprint)
            await self._go_on_as_before()
            await self._until_work()

    async def _go_on_as_before(self) -> None:
        """Open a bot with the settings that were used last, if no bot runs and the latest settings cannot be used."""
        settings, fingerprint = self._last_used or (None, "")
        is_idle = self._current is None and not self._changed.is_set()
        if settings and is_idle and fingerprint != self._wanted.fingerprint:
            await self._replace(settings, fingerprint)

    async def _replace(self, wanted: Settings, fingerprint: str) -> None:
        """Open a bot with the settings `wanted`, and replace the current bot when the new bot is ready.

        If the new bot fails, record the error. If the settings change before the new bot is ready, stop the new bot.

        `wanted`: the latest settings, or the settings that were used last.
        """
        settings = await with_current_secrets(wanted)
        new = self._open(settings, fingerprint, known_sockets=int(self._current is not None))
        try:
            await _first(new.ready.wait(), self._changed.wait(), tasks=[new.task])
        finally:  # also if this task is cancelled, because the process stops or the workspace is removed
            if new.ready.is_set():
                self._adopt(new)
            elif not new.task.done():
                self._retire(new)
        if new.task.done() and not new.task.cancelled() and self._current is not new:
            self._failed(new)

    def _adopt(self, new: ServedWorkspace) -> None:
        """Replace the current bot by `new`. The old bot finishes its accepted requests in the background."""
        old, self._current = self._current, new
        self._last_used = new.settings, new.fingerprint
        if self._is_latest(new):
            self._error, self._why, self._retry_seconds = "", "", 0.0
        self.started.set()
        if old:
            self._retire(old)

    async def _until_work(self) -> None:
        """Wait until the settings change, or until the next try after a failure is due.

        If the current bot's task ends first, record the error, and set the time of the next try. Then wait for that
        time, or for a change of the settings.
        """
        while True:
            current = [self._current.task] if self._current else []
            is_due = asyncio.sleep(self._retry_seconds) if self._retry_seconds else asyncio.Event().wait()
            await _first(self._changed.wait(), is_due, tasks=current)
            if not self._current or not self._current.task.done():
                return
            ended, self._current, self._retry_seconds = self._current, None, 0.0
            self._failed(ended)

    def _refuse_table(self, error: SettingsError) -> None:
        """Record the faults of the workspace's table. Do not open a bot with this table before it has changed."""
        self._note(error.code, " ".join(error.faults))
        if self._current:
            self._retry_seconds = 0.0

    def _failed(self, ended: ServedWorkspace) -> None:
        """Set the wait until the next try. Record the error with which a bot's task ended.

        If the bot did not have the latest settings, only log the error. The recorded error says why the latest settings
        are not in use.
        """
        timing = self._timing
        self._retry_seconds = min(2 * self._retry_seconds or timing.retry_seconds, timing.max_retry_seconds)
        error = None if ended.task.cancelled() else ended.task.exception()
        code, why = (error.code, error.line) if isinstance(error, SetupError) else ("unexpected", "")
        if code == "unexpected":
            log.error("the workspace stopped unexpectedly", exc_info=error)
        if self._is_latest(ended):
            self._note(code, why)
        else:
            log.error("the workspace does not go on as before", extra={"fields": {"error": code, "why": why}})

    def _is_latest(self, served: ServedWorkspace) -> bool:
        """Return whether a bot has the latest settings."""
        return served.fingerprint == self._wanted.fingerprint

    def _note(self, code: str, why: str) -> None:
        """Record why the latest settings are not in use. Log the reason unless it is already recorded.

        - `code`: the error's code.
        - `why`: a sentence about the error; "" for an unexpected error.
        """
        self.started.set()
        if (code, why) != (self._error, self._why):
            self._error, self._why = code, why
            fields = {"error": code, "why": why, "goes_on_as_before": self._current is not None}
            log.error("the workspace cannot be served as its table says", extra={"fields": fields})

    def _retire(self, old: ServedWorkspace) -> None:
        """Tell the bot `old` to stop. In the background, the bot finishes its accepted requests and then ends."""
        old.stop()
        self._stopped.add(old.task)
        old.task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        """Discard the finished task of a stopped bot. Log the task's error unless it is a SetupError."""
        self._stopped.discard(task)
        error = None if task.cancelled() else task.exception()
        if error and not isinstance(error, SetupError):  # the settings with a SetupError are out of use
            log.error("the workspace stopped unexpectedly", exc_info=error)


async def _first(*waits: Awaitable[Any], tasks: list[asyncio.Task[None]]) -> None:
    """Return when one of `waits` or `tasks` has ended. Cancel the other `waits`; do not cancel `tasks`."""
    waiting = [asyncio.ensure_future(wait) for wait in waits]
    try:
        await asyncio.wait([*waiting, *tasks], return_when=asyncio.FIRST_COMPLETED)
    finally:
        for each in waiting:
            each.cancel()
