"""What a fault of the sandbox's Genesys does with a call, from a wrong answer to none at all.

Which faults there are, and when they strike, is genesys_faults.py's.
"""

import asyncio
import contextlib
import json
import socket
import struct
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiohttp import web

from bot.sandbox.genesys.errors import ApiError

Act = Callable[[], Awaitable[web.Response]]
"""Does what the call asks for; never raises, a refusal is a response too."""
Behave = Callable[[web.Request, Act, Mapping[str, Any]], Awaitable[web.StreamResponse | None]]
"""Answers in place of the real handler; None when nothing was answered and the connection is gone."""


# -- Answers that come instead of the real one --


def _instead(answer: Callable[[Mapping[str, Any]], web.Response]) -> Behave:
    async def behave(_request: web.Request, act: Act, how: Mapping[str, Any]) -> web.StreamResponse | None:
        if how.get("acts"):
            await act()
        return answer(how)

    return behave


def refuse(status: int, message: str, code: str = "bad.request", error: type[ApiError] = ApiError) -> Behave:
    """An error in its proper shape; `acts`, `retry_after` and other `words` are up to the fault."""

    def answer(how: Mapping[str, Any]) -> web.Response:
        wait = how.get("retry_after")
        return error(
            status, how.get("words") or message, code, {} if wait is None else {"Retry-After": str(wait)}
        ).response()

    return _instead(answer)


def gateway(status: int, words: str) -> Behave:
    """The error page of something that stands before the service."""
    page = f"<html><head><title>{status} {words}</title></head><body><h1>{status} {words}</h1></body></html>"
    return _instead(lambda _how: web.Response(status=status, text=page, content_type="text/html"))


redirect = _instead(lambda _how: web.Response(status=302, headers={"Location": "/elsewhere"}))


# -- The real answer, spoilt: what the real handler refuses stays as it is --


def spoil(change: Callable[[Any], web.Response]) -> Behave:
    """Changes the body of the real answer."""

    async def behave(_request: web.Request, act: Act, _how: Mapping[str, Any]) -> web.StreamResponse | None:
        real = await act()
        return real if real.status >= 300 else change(json.loads(real.text or "null"))

    return behave


def without(key: str) -> Behave:
    """Leaves one of its fields out."""
    return spoil(lambda body: web.json_response({name: value for name, value in body.items() if name != key}))


def join_url(url: str) -> Behave:
    """Puts another join URL in."""
    return spoil(lambda body: web.json_response({**body, "joinUrl": url}))


# -- Answers that come late, in part or never: it acts all the same --


async def slow(_request: web.Request, act: Act, how: Mapping[str, Any]) -> web.StreamResponse | None:
    """Acts and answers after `seconds`."""
    await asyncio.sleep(how["seconds"])
    return await act()


async def silent(request: web.Request, act: Act, _how: Mapping[str, Any]) -> web.StreamResponse | None:
    """Acts, and waits for the client to go."""
    await act()
    while request.transport is not None:  # noqa: ASYNC110 - the library has no event for a client's going
        await asyncio.sleep(0.02)
    return None


async def dropped(request: web.Request, act: Act, _how: Mapping[str, Any]) -> web.StreamResponse | None:
    """Acts, and closes the connection."""
    await act()
    if request.transport is not None:
        request.transport.close()
    return None


async def reset(request: web.Request, act: Act, _how: Mapping[str, Any]) -> web.StreamResponse | None:
    """Acts, and resets the connection."""
    await act()
    if request.transport is not None:
        now = struct.pack("ii", 1, 0)  # linger on, for no time at all: the close is a TCP reset
        request.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, now)
        request.transport.abort()
    return None


async def cut(request: web.Request, act: Act, _how: Mapping[str, Any]) -> web.StreamResponse | None:
    """Acts, sends half the body and closes the connection."""
    real = await act()
    body = (real.text or "").encode()
    half = web.StreamResponse(status=real.status, headers=real.headers)
    half.content_length = len(body)
    with contextlib.suppress(ConnectionError):  # the client may be gone already
        await half.prepare(request)
        await half.write(body[: len(body) // 2])
    if request.transport is not None:
        request.transport.close()
    return half


async def down(request: web.Request, _act: Act, _how: Mapping[str, Any]) -> web.StreamResponse | None:
    """Cuts what came in while the door was closing; nothing else gets here."""
    if request.transport is not None:
        request.transport.abort()
    return None
