"""A small Genesys Cloud on localhost: a sign-in that verifies assertions, users, applications, sessions, a join page.

It shares no code with the bot. The parts: `genesys_api` (what it does), `genesys_conversations`, `genesys_talk`,
`genesys_outbox` and `genesys_messenger` (the public API), `genesys_login` and `genesys_people` (who signs in),
`genesys_records`, `genesys_refusals` (errors), `genesys_faults` and `genesys_behaviour` (what goes wrong),
`genesys_door` (the port).
"""

import asyncio
import json
import re
import time
import uuid
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler

from bot.sandbox.genesys.api.introspection import date
from bot.sandbox.genesys.api.login import Grant, Login
from bot.sandbox.genesys.api.routes import Api
from bot.sandbox.genesys.errors import CORRELATION, ApiError, too_many
from bot.sandbox.genesys.faults import FAULTS, Faults
from bot.sandbox.genesys.listener import Listener
from bot.sandbox.genesys.records import Call, Create, GenesysUser, Recent, Session

__all__ = ["FAULTS", "Call", "Create", "GenesysUser", "SandboxGenesys", "Session"]


class SandboxGenesys(Api):
    """The server; `url` is both its API and its login URL. Its users, applications and options may be changed."""

    def __init__(
        self,
        *,
        public_key_pem: bytes,
        client_id: str,
        org_id: str,
        client_secret: str | None = None,
        users: Sequence[GenesysUser],
        applications: Mapping[str, str] = {"web": "Web"},
        latency_seconds: float = 0.0,
        token_seconds: int = 86400,
        on_traffic: Callable[[dict[str, Any]], None] | None = None,
    ) -> None:
        super().__init__(Login(public_key_pem, client_id, org_id, client_secret), users, applications, token_seconds)
        self.latency_seconds, self.on_traffic, self.clock_ahead_seconds = latency_seconds, on_traffic, 0.0
        self.allowed_per_minute, self.minute_seconds = 300, 60.0
        self.creates: list[Create] = Recent()
        self.calls: list[Call] = Recent()
        self._counts: Counter[str] = Counter()
        self._faults = Faults()
        self._door = Listener()
        self._busy: set[asyncio.Task[Any]] = set()

    def count(self, kind: str) -> int:
        """How many requests of a kind came in so far, answered or not."""
        return self._counts[kind]

    async def misbehave(self, fault: str | None, *, times: int | None = None, on: str = "create", **how: Any) -> None:
        """Makes one call fail, in one of the ways of FAULTS, `times` times or until changed; None mends everything.

        One fault for each call `on`; `down` strikes the whole server. Raises ValueError for what does not exist.
        """
        if fault is None:
            self._faults.clear()
        else:
            self._faults.set(on, fault, times, how)
        await self._door.move(is_open=not self._faults.down)

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        app = web.Application(middlewares=[self._serve])
        app.on_response_prepare.append(self._add_headers)
        app.add_routes(self._routes())
        self.url = await self._door.hold(app, host, port)
        await self._door.move(is_open=not self._faults.down)

    async def stop(self) -> None:
        """Closes the door, cuts every connection and ends what is still being answered."""
        await self._door.leave(self._busy)

    @web.middleware
    async def _serve(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        kind = (request.match_info.route.name or "other").partition(".")[0]
        call = Call(time.monotonic(), request.method, request.path, None, kind)
        self.calls.append(call)
        self._counts[call.kind] += 1
        task = asyncio.current_task()
        if task is not None:
            self._busy.add(task)
            task.add_done_callback(self._busy.discard)
        try:
            response = await self._answer(request, handler, call)
            call.status = response.status if response is not None else None
        finally:
            self._tell(request, call)
        return web.Response() if response is None else response  # nobody hears the empty one: the connection is gone

    async def _answer(self, request: web.Request, handler: Handler, call: Call) -> web.StreamResponse | None:
        """What the call gets: the real handler's answer, or a fault's, which may well act first."""
        try:
            body = await request.read()
        except OSError:
            return None  # the client went in the middle of its body
        except web.HTTPException:
            return ApiError(413, "The body is too large.", "request.entity.too.large").response()
        record = self._recorded(request, body) if call.kind == "create" else None

        async def act() -> web.Response:
            response = await _answered(handler, request, call)
            if record is not None and response.status == 200:
                record.acted, record.session_id = True, json.loads(response.text or "")["id"]
            return response

        grant = self._login.grant(request)
        if grant is not None:
            grant.use(self.minute_seconds)
        fault = self._faults.strike(call.kind)
        if call.kind != "join":
            await asyncio.sleep(self.latency_seconds)
        if grant is not None and grant.used > self.allowed_per_minute:
            call.note = "too many requests in this minute"
            return too_many(grant.reset_seconds()).response()
        if fault is None:
            return await act()
        call.note = FAULTS[fault.name]
        return await fault.answer(request, act)

    def _recorded(self, request: web.Request, body: bytes) -> Create:
        try:
            sent = json.loads(body)
        except ValueError:
            sent = None
        record = Create(time.monotonic(), sent if isinstance(sent, dict) else {}, request.headers)
        self.creates.append(record)
        return record

    async def _add_headers(self, request: web.Request, response: web.StreamResponse) -> None:
        response.headers.setdefault(CORRELATION, str(uuid.uuid4()))
        if self.clock_ahead_seconds:  # else aiohttp's own, or another that a fault has set
            response.headers["Date"] = date(self.clock_ahead_seconds)
        if request.path.startswith("/api/"):
            grant = self._login.grant(request) or Grant(0, frozenset())
            response.headers["inin-ratelimit-count"] = str(grant.used)
            response.headers["inin-ratelimit-allowed"] = str(self.allowed_per_minute)
            response.headers["inin-ratelimit-reset"] = str(grant.reset_seconds())

    def _tell(self, request: web.Request, call: Call) -> None:
        if self.on_traffic is None:
            return
        resource = request.match_info.route.resource
        path = re.sub(r"\{\w+\}", "•••", resource.canonical) if resource else "(no such path)"
        took_ms = round((time.monotonic() - call.at) * 1000)
        line = {"from": "bot", "to": "genesys", "method": call.method, "path": path, "status": call.status}
        self.on_traffic({**line, "ms": took_ms, "note": call.note})


async def _answered(handler: Handler, request: web.Request, call: Call) -> web.Response:
    """What the real handler says, its refusals too, in the API's shape."""
    try:
        response = await handler(request)
    except web.HTTPException as error:  # the router: no such path, not this method
        headers = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else {}
        refusal = ApiError(error.status, f"HTTP {error.status} {error.reason}", "not.found", headers)
    except ApiError as error:
        refusal = error
    else:
        assert isinstance(response, web.Response)  # noqa: S101 - every handler here returns one
        return response
    call.note = call.note or refusal.message
    return refusal.response()
