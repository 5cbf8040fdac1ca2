"""What a supervisor and Prometheus ask: /healthz, /readyz and /metrics.

Ready means able to take what Slack sends. Genesys and the database stand in the answer and do not make the bot unready:
while they are away it says so, politely, to whoever asks it for a session, which a bot out of service could not.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

from aiohttp import web

from bot.core.models import RequestId
from bot.observability.metrics import CONTENT_TYPE, PrometheusMetrics

NO_REQUEST = RequestId("")
LOOK_SECONDS = 1.0
KEPT_SECONDS = 1.0
"""So long a look at the database is believed, so that asking often costs it nothing."""


async def _not_yet() -> bool:
    return False


class Health:
    """Answers the three. `find` asks the database, which is away when that raises.

    `slack_refusal` returns Slack's code while it refuses the bot token, else "".
    """

    def __init__(
        self,
        metrics: PrometheusMetrics,
        find: Callable[[RequestId], Awaitable[object]],
        slack_refusal: Callable[[], str] = lambda: "",
    ) -> None:
        self.metrics = metrics
        self.hears_slack: Callable[[], Awaitable[bool]] = _not_yet
        self.has_right_clock: Callable[[], bool] = lambda: True
        self._slack_refusal = slack_refusal
        self.draining = False
        self._find = find
        self._store: tuple[float, bool] | None = None

    def add_to(self, server: web.Application) -> None:
        """Puts the routes into a server."""
        server.router.add_get("/healthz", self._healthz)
        server.router.add_get("/readyz", self._readyz)
        server.router.add_get("/metrics", self._metrics)

    async def _healthz(self, _: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def _readyz(self, _: web.Request) -> web.Response:
        slack = await self.hears_slack()
        has_right_clock = self.has_right_clock()
        refusal = self._slack_refusal()
        ready = slack and has_right_clock and not refusal and not self.draining
        told: dict[str, object] = {
            "ready": ready,
            "slack": "connected" if slack else "not connected",
            "draining": self.draining,
            "genesys": self._genesys(),
            "store": "ok" if await self._store_answers() else "away",
        }
        if refusal:
            told["slack_token"] = f"refused ({refusal})"
        if not has_right_clock:
            told["clock"] = "differs from Slack's"
        return web.json_response(told, status=200 if ready else 503)

    async def _metrics(self, _: web.Request) -> web.Response:
        return web.Response(body=self.metrics.shown(), headers={"Content-Type": CONTENT_TYPE})

    def _genesys(self) -> dict[str, object]:
        """By the last call there was: nothing is sent to find out."""
        seen = self.metrics.last_call
        if seen is None:
            return {"state": "unknown"}
        answered = seen.status.isdigit() and int(seen.status) < 500
        return {
            "state": "ok" if answered else "failing",
            "last_status": seen.status,
            "seconds_ago": round(seen.seconds_ago),
        }

    async def _store_answers(self) -> bool:
        if self._store and time.monotonic() - self._store[0] < KEPT_SECONDS:
            return self._store[1]
        answers = False
        with suppress(Exception):  # whatever it is: it did not answer
            async with asyncio.timeout(LOOK_SECONDS):
                await self._find(NO_REQUEST)
                answers = True
        self._store = time.monotonic(), answers
        return answers
