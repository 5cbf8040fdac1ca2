"""Simulate faults of Slack in Web API methods, response_urls and Socket Mode connections."""

from __future__ import annotations

import asyncio
import json
import math
import time
from dataclasses import dataclass
from typing import Any

from aiohttp import web


@dataclass
class Fault:
    """A simulated fault that is switched on.

    - `code`: an error code of Slack such as `ratelimited`, an HTTP status such as `500`, or another fault that
      `SandboxSlack.inject_fault` accepts, such as `drop`.
    - `times`: how many more calls the fault affects; None for no limit.
    - `options`: the options of `SandboxSlack.inject_fault`, such as `seconds` for the fault `slow`.
    """

    code: str
    times: int | None
    options: dict[str, Any]


@dataclass
class RateLimit:
    """A rate limit for one Web API method: at most `allowed` calls in `window_seconds`.

    - `used`: the calls in the current window, including rejected calls.
    - `ends_at`: the end of the current window, a `time.monotonic()` value. The next call after `ends_at` starts a new
      window.
    """

    allowed: int
    window_seconds: float
    used: int = 0
    ends_at: float = -math.inf

    def count(self) -> Fault | None:
        """Count a call. Return the fault `ratelimited` if the call exceeds the limit, else None."""
        now = time.monotonic()
        if now >= self.ends_at:
            self.used, self.ends_at = 0, now + self.window_seconds
        self.used += 1
        if self.used <= self.allowed:
            return None
        return Fault("ratelimited", None, {"retry_after": max(1, math.ceil(self.ends_at - now))})


class Faults:
    """Holds the simulated faults that are switched on, and the rate limits.

    Each fault or rate limit belongs to one method: a Web API method, `response_url` or `socket`. A method has at most
    one fault.

    `limits`: the rate limits, by method.
    """

    def __init__(self) -> None:
        self._faults: dict[str, Fault] = {}
        self.limits: dict[str, RateLimit] = {}

    def set(self, method: str, code: str | None, times: int | None = None, **options: Any) -> None:
        if code is None:
            self._faults.pop(method, None)
        else:
            self._faults[method] = Fault(code, times, options)

    def take(self, method: str) -> Fault | None:
        """Return the fault that affects a new call; None if the call has no fault.

        If a fault is switched on for `method`, return this fault, and lower its `times` by one unless `times` is None.
        When `times` reaches 0, switch the fault off. If no fault is switched on, count the call for the rate limit of
        `method`, and return the fault `ratelimited` if the call exceeds this limit.

        `method`: the name of a Web API method, `response_url` or `socket`.
        """
        fault = self._faults.get(method)
        if fault is None and method in self.limits:
            return self.limits[method].count()
        if fault is None or fault.times is None:
            return fault
        fault.times -= 1
        if fault.times <= 0:
            del self._faults[method]
        return fault

    def is_set(self, method: str, code: str) -> bool:
        fault = self._faults.get(method)
        return fault is not None and fault.code == code


class TrickleResponse(web.StreamResponse):
    """A response that sends one byte every `seconds`, until the client disconnects."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.content_type, self.content_length = "application/json", 2 * 1024 * 1024
        self._seconds = seconds

    async def write_eof(self, data: bytes = b"") -> None:
        """Send one byte at a time until the client disconnects. Wait after each byte.

        The constructor's argument `seconds` is the length of the wait.

        `data`: ignored; aiohttp calls the method with this parameter.
        """
        while True:
            await self.write(b" ")
            await asyncio.sleep(self._seconds)


async def apply_fault(fault: Fault, request: web.Request) -> tuple[web.StreamResponse, str] | None:
    """Return the response that a simulated fault causes, and the name of the fault for the log.

    The fault `slow` only delays a call: wait for the fault's option `seconds`, and return None. The caller then
    processes the call.
    """
    if fault.code == "slow":
        await asyncio.sleep(float(fault.options.get("seconds", 5)))
        return None
    if fault.code == "trickle":
        return TrickleResponse(float(fault.options.get("seconds", 2))), "trickling"
    if fault.code == "drop":
        return drop_connection(request), "dropped"
    if fault.code == "ratelimited":
        retry_after = str(fault.options.get("retry_after", 1))
        return error_response(429, "ratelimited", {"Retry-After": retry_after}), "ratelimited"
    if fault.code.isdigit():
        body = f"<html><body>{fault.code}</body></html>"
        return web.Response(status=int(fault.code), text=body, content_type="text/html"), fault.code
    status = int(fault.options.get("status", 200 if request.path.startswith("/api/") else 404))
    return error_response(status, fault.code), fault.code


def drop_connection(request: web.Request) -> web.Response:
    """Abort the connection of an HTTP request.

    Return a response, because a handler of aiohttp must return one. aiohttp does not send the response.
    """
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=499)


def error_response(status: int, code: str, headers: dict[str, str] | None = None, **more: Any) -> web.Response:
    """Return an error response in Slack's shape.

    - `code`: Slack's error code.
    - `more`: further fields of the body.
    """
    body = {"ok": False, "error": code, **more}
    return web.Response(status=status, text=json.dumps(body), content_type="application/json", headers=headers)
