"""Makes the sandbox's Slack misbehave on demand, one Web API method (or `response_url`) at a time.

Decides what goes wrong and how often; the servers ask before they answer.
"""

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
    """One fault: an error code of Slack's, `ratelimited`, an HTTP status, `drop`, `slow` or `trickle`; `how`: more."""

    code: str
    times: int | None
    how: dict[str, Any]


@dataclass
class Limit:
    """So many calls of one method in each window; `used` counts the refused ones, too."""

    allowed: int
    window_seconds: float
    used: int = 0
    ends_at: float = -math.inf

    def count(self) -> Fault | None:
        """Counts a call, and says what it meets when it is one too many."""
        now = time.monotonic()
        if now >= self.ends_at:
            self.used, self.ends_at = 0, now + self.window_seconds
        self.used += 1
        if self.used <= self.allowed:
            return None
        return Fault("ratelimited", None, {"retry_after": max(1, math.ceil(self.ends_at - now))})


class Faults:
    """The faults and limits in force, by method."""

    def __init__(self) -> None:
        self._faults: dict[str, Fault] = {}
        self.limits: dict[str, Limit] = {}

    def set(self, method: str, code: str | None, times: int | None = None, **how: Any) -> None:
        if code is None:
            self._faults.pop(method, None)
        else:
            self._faults[method] = Fault(code, times, how)

    def take(self, method: str) -> Fault | None:
        """Return the fault this call shall meet and count it."""
        fault = self._faults.get(method)
        if fault is None and method in self.limits:
            return self.limits[method].count()
        if fault is None or fault.times is None:
            return fault
        fault.times -= 1
        if fault.times <= 0:
            del self._faults[method]
        return fault

    def holds(self, method: str, code: str) -> bool:
        fault = self._faults.get(method)
        return fault is not None and fault.code == code


class Trickle(web.StreamResponse):
    """An answer of one byte each so many seconds, without an end."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.content_type, self.content_length = "application/json", 2 * 1024 * 1024
        self._seconds = seconds

    async def write_eof(self, data: bytes = b"") -> None:
        """Until the other side has gone."""
        while True:
            await self.write(b" ")
            await asyncio.sleep(self._seconds)


async def meet(fault: Fault, request: web.Request) -> tuple[web.StreamResponse, str] | None:
    """Return the answer a fault gives instead of the real one and its name; None when it only took time."""
    if fault.code == "slow":
        await asyncio.sleep(float(fault.how.get("seconds", 5)))
        return None
    if fault.code == "trickle":
        return Trickle(float(fault.how.get("seconds", 2))), "trickling"
    if fault.code == "drop":
        return drop(request), "dropped"
    if fault.code == "ratelimited":
        retry_after = str(fault.how.get("retry_after", 1))
        return problem(429, "ratelimited", {"Retry-After": retry_after}), "ratelimited"
    if fault.code.isdigit():
        page = f"<html><body>{fault.code}</body></html>"
        return web.Response(status=int(fault.code), text=page, content_type="text/html"), fault.code
    refused = int(fault.how.get("status", 200 if request.path.startswith("/api/") else 404))
    return problem(refused, fault.code), fault.code


def drop(request: web.Request) -> web.Response:
    """Close the connection without a word; the response returned is never sent."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=499)


def problem(status: int, code: str, headers: dict[str, str] | None = None, **more: Any) -> web.Response:
    """Return an error as Slack words it."""
    body = {"ok": False, "error": code, **more}
    return web.Response(status=status, text=json.dumps(body), content_type="application/json", headers=headers)
