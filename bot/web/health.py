"""Serve /healthz, /readyz and /metrics for process supervisors and Prometheus.

The bot is ready if it can receive commands from Slack. The answer of /readyz also shows the state of Genesys and the
database. The bot is ready without them, because it still has to tell people that they are unavailable.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

from aiohttp import web

from bot.core.models import RequestId
from bot.observability.metrics import PrometheusMetrics

NO_REQUEST = RequestId("")
STORE_TIMEOUT = 1.0
STORE_CACHE_SECONDS = 1.0
"""How long an answer of the database is reused, so that frequent probes do not load the database."""


async def _not_yet() -> bool:
    return False


class Health:
    """Serves /healthz, /readyz and /metrics.

    `find` reads a request from the database; if it raises, the database counts as unavailable. `slack_refusal` returns
    Slack's error code while Slack refuses the bot token, "" otherwise.
    """

    def __init__(
        self,
        metrics: PrometheusMetrics,
        find: Callable[[RequestId], Awaitable[object]],
        slack_refusal: Callable[[], str] = lambda: "",
    ) -> None:
        self.metrics = metrics
        self.is_connected: Callable[[], Awaitable[bool]] = _not_yet
        self.has_right_clock: Callable[[], bool] = lambda: True
        self._slack_refusal = slack_refusal
        self.draining = False
        self._find = find
        self._store: tuple[float, bool] | None = None

    def add_to(self, server: web.Application) -> None:
        """Add the routes of /healthz, /readyz and /metrics to a server."""
        server.router.add_get("/healthz", self._healthz)
        server.router.add_get("/readyz", self._readyz)
        server.router.add_get("/metrics", self._metrics)

    async def _healthz(self, _: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def _readyz(self, _: web.Request) -> web.Response:
        slack = await self.is_connected()
        has_right_clock = self.has_right_clock()
        refusal = self._slack_refusal()
        ready = slack and has_right_clock and not refusal and not self.draining
        body: dict[str, object] = {
            "ready": ready,
            "slack": "connected" if slack else "not connected",
            "draining": self.draining,
            "genesys": self._genesys(),
            "store": "ok" if await self._store_answers() else "away",
        }
        if refusal:
            body["slack_token"] = f"refused ({refusal})"
        if not has_right_clock:
            body["clock"] = "differs from Slack's"
        return web.json_response(body, status=200 if ready else 503)

    async def _metrics(self, request: web.Request) -> web.Response:
        body, content_type = self.metrics.accepted_exposition(request.headers.get("Accept", ""))
        return web.Response(body=body, headers={"Content-Type": content_type})

    def _genesys(self) -> dict[str, object]:
        """Return the state of Genesys as of the latest call. Send no call."""
        last = self.metrics.last_call
        if last is None:
            return {"state": "unknown"}
        answered = last.status.isdigit() and int(last.status) < 500
        return {
            "state": "ok" if answered else "failing",
            "last_status": last.status,
            "seconds_ago": round(last.seconds_ago),
        }

    async def _store_answers(self) -> bool:
        if self._store and time.monotonic() - self._store[0] < STORE_CACHE_SECONDS:
            return self._store[1]
        answers = False
        with suppress(Exception):  # any error means that it did not answer
            async with asyncio.timeout(STORE_TIMEOUT):
                await self._find(NO_REQUEST)
                answers = True
        self._store = time.monotonic(), answers
        return answers
