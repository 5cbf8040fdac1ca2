"""Serve /healthz, /readyz and /metrics for process supervisors and Prometheus.

The bot is ready if Slack can reach it and accepts its token, and if this machine's clock agrees with Slack's. The bot
is ready even if Genesys or the database fails, because it then tells people about the failure. The answer of /readyz
also shows the states of Genesys and of the database.
"""

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from contextlib import suppress

from aiohttp import web

from bot.core.models import RequestId
from bot.observability.metrics import PrometheusMetrics

NO_REQUEST = RequestId("")
STORE_TIMEOUT = 1.0
STORE_CACHE_SECONDS = 1.0
"""How long the bot reuses a result of StoreProbe, so that frequent HTTP requests cause little load on the database."""


async def _not_yet() -> bool:
    return False


class StoreProbe:
    """Finds out whether the database answers.

    `find`: a function that reads a request from the database. The database does not answer if this function raises an
    error or takes longer than STORE_TIMEOUT seconds.
    """

    def __init__(self, find: Callable[[RequestId], Awaitable[object]]) -> None:
        self._find = find
        self._last: tuple[float, bool] | None = None

    async def answers(self) -> bool:
        """Return whether the database answers. The result can be up to STORE_CACHE_SECONDS old."""
        if self._last and time.monotonic() - self._last[0] < STORE_CACHE_SECONDS:
            return self._last[1]
        answers = False
        with suppress(Exception):  # any error means that it did not answer
            async with asyncio.timeout(STORE_TIMEOUT):
                await self._find(NO_REQUEST)
                answers = True
        self._last = time.monotonic(), answers
        return answers


class HealthServer(ABC):
    """Serves /healthz, /readyz and /metrics. Subclasses define `state`.

    - `metrics`: what /metrics serves.
    - `store`: finds out whether the database answers.
    - `draining`: whether the process is stopping. If True, /readyz answers with status 503.
    """

    def __init__(self, metrics: PrometheusMetrics, find: Callable[[RequestId], Awaitable[object]]) -> None:
        """Store the metrics that /metrics serves.

        `find`: a function that reads a request from the database, to find out whether the database answers.
        """
        self.metrics, self.store = metrics, StoreProbe(find)
        self.draining = False

    def add_to(self, server: web.Application) -> None:
        """Add the routes of /healthz, /readyz and /metrics to a server."""
        server.router.add_get("/healthz", self._healthz)
        server.router.add_get("/readyz", self._readyz)
        server.router.add_get("/metrics", self._metrics)

    @abstractmethod
    async def state(self) -> tuple[bool, dict[str, object]]:
        """Return whether the process is ready, and fields that describe its state in the answer of /readyz.

        The result does not depend on `draining`. The callers check `draining` themselves.
        """

    async def count_ready(self) -> None:
        """Record in the metrics whether the bot is ready. With several workspaces, record this for each workspace.

        A bot is not ready while `draining` is True.
        """
        is_ready, _ = await self.state()
        self.metrics.workspace_ready("", is_ready=is_ready and not self.draining)

    async def _healthz(self, _: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def _readyz(self, _: web.Request) -> web.Response:
        is_ready, state = await self.state()
        is_ready = is_ready and not self.draining
        store = "ok" if await self.store.answers() else "away"
        body = {"ready": is_ready, "draining": self.draining, "store": store, **state}
        return web.json_response(body, status=200 if is_ready else 503)

    async def _metrics(self, request: web.Request) -> web.Response:
        await self.count_ready()
        body, content_type = self.metrics.accepted_exposition(request.headers.get("Accept", ""))
        return web.Response(body=body, headers={"Content-Type": content_type})


class Health(HealthServer):
    """Serves the health endpoints of a process with a single workspace, and finds out whether its bot is ready.

    - `is_connected`: an async function that returns whether Slack can reach the bot now.
    - `has_right_clock`: a function that returns whether this machine's clock agrees with Slack's.
    - `slack_refusal`: a function that returns Slack's error code if Slack refuses the bot token; otherwise "".
    """

    def __init__(
        self,
        metrics: PrometheusMetrics,
        find: Callable[[RequestId], Awaitable[object]],
        slack_refusal: Callable[[], str] = lambda: "",
    ) -> None:
        super().__init__(metrics, find)
        self.is_connected: Callable[[], Awaitable[bool]] = _not_yet
        self.has_right_clock: Callable[[], bool] = lambda: True
        self._slack_refusal = slack_refusal

    async def state(self) -> tuple[bool, dict[str, object]]:
        is_connected, has_right_clock = await self.is_connected(), self.has_right_clock()
        refusal = self._slack_refusal()
        fields: dict[str, object] = {
            "slack": "connected" if is_connected else "not connected",
            "genesys": self._genesys(),
        }
        if refusal:
            fields["slack_token"] = f"refused ({refusal})"
        if not has_right_clock:
            fields["clock"] = "differs from Slack's"
        return is_connected and has_right_clock and not refusal, fields

    def _genesys(self) -> dict[str, object]:
        """Return the field `genesys` of the answer of /readyz: the state, and the status and age of the latest call.

        The state is "ok" if Genesys answered the latest call with a status below 500, else "failing". Before the first
        call, it is "unknown", and status and age are missing.
        """
        last = self.metrics.last_call
        if last is None:
            return {"state": "unknown"}
        answered = last.status.isdigit() and int(last.status) < 500
        return {
            "state": "ok" if answered else "failing",
            "last_status": last.status,
            "seconds_ago": round(last.seconds_ago),
        }


WorkspaceState = Callable[[], Awaitable[tuple[bool, dict[str, object]]]]
"""A function that returns whether a workspace is ready, and the fields of /readyz about the workspace."""


class WorkspacesHealth(HealthServer):
    """Serves the health endpoints of a process with several workspaces.

    The process is ready if at least one workspace is ready. So a proxy goes on sending HTTP requests to the process if
    other workspaces have faults. `workspaces`: maps the short name of each workspace to a function that returns the
    workspace's state.
    """

    def __init__(self, metrics: PrometheusMetrics, find: Callable[[RequestId], Awaitable[object]]) -> None:
        super().__init__(metrics, find)
        self.workspaces: dict[str, WorkspaceState] = {}

    async def state(self) -> tuple[bool, dict[str, object]]:
        states: dict[str, object] = {}
        is_any_ready = False
        for name, state in sorted(self.workspaces.items()):
            is_ready, fields = await state()
            states[name] = {"ready": is_ready, **fields}
            is_any_ready = is_any_ready or is_ready
        return is_any_ready, {"workspaces": states}

    async def count_ready(self) -> None:
        for name, state in list(self.workspaces.items()):
            is_ready, _ = await state()
            if name in self.workspaces:  # it may have been removed meanwhile
                self.metrics.workspace_ready(name, is_ready=is_ready and not self.draining)
