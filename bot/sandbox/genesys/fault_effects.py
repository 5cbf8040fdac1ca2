"""Define the effects of simulated faults on API calls, such as an error response, a changed body or a lost response.

faults.py lists the faults, and selects the affected calls.
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

Process = Callable[[], Awaitable[web.Response]]
"""A function that processes the call as if there were no fault, and returns the response. If the call fails, the
function returns an error response, and raises no exception."""
Effect = Callable[[web.Request, Process, Mapping[str, Any]], Awaitable[web.StreamResponse | None]]
"""A function that responds to a call that has a fault. The arguments are the call, a Process, and the options of the
fault. The result is None if the function closed the connection without a response."""


# -- Responses instead of the real one --


def _instead(answer: Callable[[Mapping[str, Any]], web.Response]) -> Effect:
    async def effect(_request: web.Request, process: Process, options: Mapping[str, Any]) -> web.StreamResponse | None:
        if options.get("processes"):
            await process()
        return answer(options)

    return effect


def refuse(status: int, message: str, code: str = "bad.request", error: type[ApiError] = ApiError) -> Effect:
    """Return an effect that answers a call with an error response of Genesys's API.

    `error`: ApiError, or OAuthError for the token endpoint.

    A simulated fault with this effect can have these options. Each option can be missing.

    - `processes`: True to process the call before the error response. If missing, the call is not processed.
    - `retry_after`: the value of the header Retry-After, in seconds. If missing, the response has no such header.
    - `message`: a text that replaces the argument `message`.
    """

    def answer(options: Mapping[str, Any]) -> web.Response:
        wait = options.get("retry_after")
        return error(
            status, options.get("message") or message, code, {} if wait is None else {"Retry-After": str(wait)}
        ).response()

    return _instead(answer)


def gateway_error(status: int, message: str) -> Effect:
    """Return an effect that answers a call with an HTML page. `status` is the HTTP status of the response.

    The page shows `status` and `message`. If the option `processes` of the fault is True, the call is processed first.
    """
    page = f"<html><head><title>{status} {message}</title></head><body><h1>{status} {message}</h1></body></html>"
    return _instead(lambda _options: web.Response(status=status, text=page, content_type="text/html"))


async def no_effect(_request: web.Request, process: Process, _options: Mapping[str, Any]) -> web.StreamResponse | None:
    """Process a call as if there were no fault. Faults that concern only events or WebSockets have this effect."""
    return await process()


redirect = _instead(lambda _options: web.Response(status=302, headers={"Location": "/redirected"}))


# -- The real response with a changed body; an error response stays as it is --


def change_body(change: Callable[[Any], web.Response]) -> Effect:
    """Return an effect that processes a call, and replaces the response if it is successful.

    `change` gets the JSON body of the successful response, and returns the new response. An error response stays
    unchanged.
    """

    async def effect(_request: web.Request, process: Process, _options: Mapping[str, Any]) -> web.StreamResponse | None:
        response = await process()
        return response if response.status >= 300 else change(json.loads(response.text or "null"))

    return effect


def without_field(key: str) -> Effect:
    """Return an effect that processes a call, and removes the field `key` from the body of a successful response."""
    return change_body(lambda body: web.json_response({name: value for name, value in body.items() if name != key}))


def with_join_url(url: str) -> Effect:
    """Return an effect that processes a call, and sets the join URL in the body of a successful response to `url`."""
    return change_body(lambda body: web.json_response({**body, "joinUrl": url}))


# -- Late, partial or missing responses: the server still processes the call --


async def slow(_request: web.Request, process: Process, options: Mapping[str, Any]) -> web.StreamResponse | None:
    """Wait for `options["seconds"]` seconds, process the call, and return the response to the call."""
    await asyncio.sleep(options["seconds"])
    return await process()


async def silent(request: web.Request, process: Process, _options: Mapping[str, Any]) -> web.StreamResponse | None:
    """Process the call. Send no response, and keep the connection open until the client disconnects."""
    await process()
    while request.transport is not None:  # noqa: ASYNC110 - aiohttp has no event for a client that disconnects
        await asyncio.sleep(0.02)
    return None


async def dropped(request: web.Request, process: Process, _options: Mapping[str, Any]) -> web.StreamResponse | None:
    """Process the call, then close the connection without a response."""
    await process()
    if request.transport is not None:
        request.transport.close()
    return None


async def reset(request: web.Request, process: Process, _options: Mapping[str, Any]) -> web.StreamResponse | None:
    """Process the call, then reset the TCP connection without a response."""
    await process()
    if request.transport is not None:
        now = struct.pack("ii", 1, 0)  # linger for 0 seconds: the close sends a TCP reset
        request.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, now)
        request.transport.abort()
    return None


async def cut(request: web.Request, process: Process, _options: Mapping[str, Any]) -> web.StreamResponse | None:
    """Process the call, send the first half of the response's body, and close the connection.

    Return the response of which the first half was sent; never None.
    """
    response = await process()
    body = (response.text or "").encode()
    partial = web.StreamResponse(status=response.status, headers=response.headers)
    partial.content_length = len(body)
    with contextlib.suppress(ConnectionError):  # the client may have disconnected
        await partial.prepare(request)
        await partial.write(body[: len(body) // 2])
    if request.transport is not None:
        request.transport.close()
    return partial


async def down(request: web.Request, _process: Process, _options: Mapping[str, Any]) -> web.StreamResponse | None:
    """Abort the connection of a call that arrived before the fault `down` closed the port."""
    if request.transport is not None:
        request.transport.abort()
    return None
