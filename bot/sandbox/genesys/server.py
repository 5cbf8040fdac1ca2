"""Run a small imitation of Genesys Cloud on localhost: login, users, applications, sessions and a join page.

The server shares no code with the bot.

- api/: the endpoints.
- conversations.py: the live conversations.
- faults.py, fault_effects.py: the simulated faults.
- listener.py: the port.
- messenger.py: the customer's side.
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

from bot.sandbox.genesys.api.introspection import date_header
from bot.sandbox.genesys.api.login import Grant, Login
from bot.sandbox.genesys.api.routes import Api
from bot.sandbox.genesys.errors import CORRELATION_HEADER, ApiError, rate_limited
from bot.sandbox.genesys.faults import FAULTS, Faults
from bot.sandbox.genesys.listener import Listener
from bot.sandbox.genesys.records import BoundedList, Call, Create, GenesysUser, Session

__all__ = ["FAULTS", "Call", "Create", "GenesysUser", "SandboxGenesys", "Session"]


class SandboxGenesys(Api):
    """The server of the sandbox's Genesys: the endpoints, simulated faults, a rate limit, and records of all calls.

    - `latency_seconds`: the delay before each call is processed. The join page and WebSockets have no delay.
    - `allowed_per_minute`: the maximum number of HTTP requests with one access token in one window of the rate limit.
    - `minute_seconds`: the length of one window of the rate limit, in seconds.
    - `clock_ahead_seconds`: how far the header Date of responses is ahead of the real time, in seconds.
    - `creates`: the records of the newest calls that ask for a new session, oldest first.
    - `calls`: the records of the newest calls, oldest first. BoundedList limits the length of both lists.
    - `on_traffic`: a function that gets a description of each call; None to report nothing. The description is a dict
      with `from`, `to`, `method`, `path`, `status`, `ms` and `note`.
    """

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
        self.creates: list[Create] = BoundedList()
        self.calls: list[Call] = BoundedList()
        self._counts: Counter[str] = Counter()
        self._faults = Faults()
        self.notifications.next_fault = self._faults.next_fault
        self._listener = Listener()
        self._tasks: set[asyncio.Task[Any]] = set()

    def count(self, kind: str) -> int:
        """Return the number of calls of one kind, including calls without a response.

        `kind`: the kind of the calls, such as "create".
        """
        return self._counts[kind]

    async def inject_fault(
        self, fault: str | None, *, times: int | None = None, on: str = "create", **options: Any
    ) -> None:
        """Switch on a simulated fault for calls of one kind. Each kind of call has at most one fault.

        - `fault`: a key of FAULTS in genesys/faults.py; None to switch all faults off. The fault `down` affects calls
          of every kind, and ignores `times`.
        - `times`: the number of calls that the fault affects; None for the default: 2 for `500-twice`, no limit for
          other faults.
        - `on`: the kind of call, such as "create". For a fault of notification channels, `on` is "events" or "sockets".
        - `options`: the options of the fault, such as `seconds`, the delay of `slow`. A missing option has a default.

        Raises ValueError for an unknown fault or option, for a kind of call that the fault cannot affect, or if `times`
        is below 1.
        """
        if fault is None:
            self._faults.clear()
        else:
            self._faults.set(on, fault, times, options)
        await self._listener.set_open(is_open=not self._faults.down)

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        app = web.Application(middlewares=[self._serve])
        app.on_response_prepare.append(self._add_headers)
        app.add_routes(self._routes())
        self.url = await self._listener.bind(app, host, port)
        await self._listener.set_open(is_open=not self._faults.down)

    async def stop(self) -> None:
        """Stop listening, abort every connection and cancel the calls in progress."""
        await self._listener.close(self._tasks)

    @web.middleware
    async def _serve(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        kind = (request.match_info.route.name or "other").partition(".")[0]
        call = Call(time.monotonic(), request.method, request.path, None, kind)
        self.calls.append(call)
        self._counts[call.kind] += 1
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        if kind == "socket":  # it lasts for hours
            call.status = 101
            self._report_traffic(request, call)
            return await handler(request)
        try:
            response = await self._answer(request, handler, call)
            call.status = response.status if response is not None else None
        finally:
            self._report_traffic(request, call)
        return web.Response() if response is None else response  # never sent: the connection is closed

    async def _answer(self, request: web.Request, handler: Handler, call: Call) -> web.StreamResponse | None:
        """Return the response to an HTTP request, from `handler` or from a simulated fault.

        Return None if the client or a fault closed the connection.
        """
        try:
            body = await request.read()
        except OSError:
            return None  # the client disconnected in the middle of the body
        except web.HTTPException:
            return ApiError(413, "The body is too large.", "request.entity.too.large").response()
        record = self._record_create(request, body) if call.kind == "create" else None

        async def process() -> web.Response:
            response = await _call_handler(handler, request, call)
            if record is not None and response.status == 200:
                record.created_session, record.session_id = True, json.loads(response.text or "")["id"]
            return response

        grant = self.login.grant(request)
        if grant is not None:
            grant.count_request(self.minute_seconds)
        fault = self._faults.next_fault(call.kind)
        if call.kind != "join":
            await asyncio.sleep(self.latency_seconds)
        if grant is not None and grant.request_count > self.allowed_per_minute:
            call.note = "too many requests in this minute"
            return rate_limited(grant.reset_seconds()).response()
        if fault is None:
            return await process()
        call.note = FAULTS[fault.name]
        return await fault.answer(request, process)

    def _record_create(self, request: web.Request, body: bytes) -> Create:
        try:
            parsed = json.loads(body)
        except ValueError:
            parsed = None
        record = Create(time.monotonic(), parsed if isinstance(parsed, dict) else {}, request.headers)
        self.creates.append(record)
        return record

    async def _add_headers(self, request: web.Request, response: web.StreamResponse) -> None:
        response.headers.setdefault(CORRELATION_HEADER, str(uuid.uuid4()))
        if self.clock_ahead_seconds:  # otherwise aiohttp or a fault sets the header
            response.headers["Date"] = date_header(self.clock_ahead_seconds)
        if request.path.startswith("/api/"):
            grant = self.login.grant(request) or Grant(0, frozenset())
            response.headers["inin-ratelimit-count"] = str(grant.request_count)
            response.headers["inin-ratelimit-allowed"] = str(self.allowed_per_minute)
            response.headers["inin-ratelimit-reset"] = str(grant.reset_seconds())

    def _report_traffic(self, request: web.Request, call: Call) -> None:
        if self.on_traffic is None:
            return
        resource = request.match_info.route.resource
        path = re.sub(r"\{\w+\}", "•••", resource.canonical) if resource else "(no such path)"
        duration_ms = round((time.monotonic() - call.at) * 1000)
        entry = {"from": "bot", "to": "genesys", "method": call.method, "path": path, "status": call.status}
        self.on_traffic({**entry, "ms": duration_ms, "note": call.note})


async def _call_handler(handler: Handler, request: web.Request, call: Call) -> web.Response:
    """Call the handler of an HTTP request and return its response.

    Turn ApiError and HTTPException into error responses in the shape of Genesys's API. If `call.note` is empty, write
    the text of the error to `call.note`.
    """
    try:
        response = await handler(request)
    except web.HTTPException as error:  # from the router: unknown path or method
        headers = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else {}
        refusal = ApiError(error.status, f"HTTP {error.status} {error.reason}", "not.found", headers)
    except ApiError as error:
        refusal = error
    else:
        assert isinstance(response, web.Response)  # noqa: S101 - every handler here returns one
        return response
    call.note = call.note or refusal.message
    return refusal.response()
