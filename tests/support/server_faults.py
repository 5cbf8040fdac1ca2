"""Implement each of FAULTS: what a faulty server does with one request.

faulty_server.py decides when a fault applies. Each function gets the server (faulty_server.Front) and the exchange.
"""

import asyncio
import re
import socket
import struct
from asyncio import StreamReader, StreamWriter
from collections.abc import Awaitable, Callable
from typing import Any

Behave = Callable[[Any, "Exchange"], Awaitable[None]]
HUGE_BYTES = 64 * 1024 * 1024


class Exchange:
    """One request that is not forwarded yet, and the connection for its response."""

    def __init__(self, line: str, head: bytes, reader: StreamReader, writer: StreamWriter) -> None:
        self.line, self.head, self._reader, self.writer = line, head, reader, writer

    async def body(self) -> bytes:
        length = re.search(rb"(?i)^content-length: *(\d+)", self.head, re.MULTILINE)
        return await self._reader.readexactly(int(length[1])) if length else b""

    async def say(self, status: str, body: bytes = b"", kind: str = "application/json", *more: str) -> None:
        """Send a complete response. `more` holds further headers."""
        lines = [f"HTTP/1.1 {status}", f"Content-Type: {kind}", f"Content-Length: {len(body)}", *more]
        self.writer.write("\r\n".join([*lines, "Connection: close", "", ""]).encode() + body)
        await self.writer.drain()

    async def gone(self) -> None:
        """Wait until the client disconnects."""
        await self._reader.read()

    def reset(self) -> None:
        now = struct.pack("ii", 1, 0)  # linger on, for no time at all: the close is a TCP reset
        self.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, now)
        self.writer.transport.abort()


async def forward(front: Any, exchange: Exchange) -> None:
    exchange.writer.write(await front.ask(exchange))
    await exchange.writer.drain()


async def reset_before_the_body(_front: Any, exchange: Exchange) -> None:
    exchange.reset()


async def reset_after_the_body(_front: Any, exchange: Exchange) -> None:
    await exchange.body()
    exchange.reset()


async def answer_lost(front: Any, exchange: Exchange) -> None:
    """Forward the request, and then reset the connection without a response."""
    await front.ask(exchange)
    exchange.reset()


async def closed(_front: Any, exchange: Exchange) -> None:
    await exchange.body()


async def slow_headers(_front: Any, exchange: Exchange) -> None:
    exchange.writer.write(b"HTTP/1.1 200 OK\r\n")
    number = 0
    while not exchange.writer.is_closing():
        number += 1
        exchange.writer.write(f"X-Slow-{number}: yes\r\n".encode())
        await exchange.writer.drain()
        await asyncio.sleep(0.02)


async def slow_body(_front: Any, exchange: Exchange) -> None:
    exchange.writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n\r\n")
    while not exchange.writer.is_closing():
        exchange.writer.write(b" ")
        await exchange.writer.drain()
        await asyncio.sleep(0.02)


async def huge(front: Any, exchange: Exchange) -> None:
    """Send a body of valid JSON without a stated length, until the client disconnects or HUGE_BYTES are sent."""
    exchange.writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n")
    while front.sent_bytes < HUGE_BYTES and not exchange.writer.is_closing():
        exchange.writer.write(b" " * 65_536)
        await exchange.writer.drain()
        front.sent_bytes += 65_536
        await asyncio.sleep(0)  # a drain that need not wait does not let the loop notice that the other side has gone


async def cut(_front: Any, exchange: Exchange) -> None:
    exchange.writer.write(
        b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 999\r\n\r\n{"ok": true, '
    )
    await exchange.writer.drain()


async def wrong_types(front: Any, exchange: Exchange) -> None:
    await exchange.body()
    await exchange.say("200 OK", front.wrong_types)


def says(status: str, body: bytes = b"", kind: str = "application/json", *headers: str) -> Behave:
    async def behave(_front: Any, exchange: Exchange) -> None:
        await exchange.body()
        await exchange.say(status, body, kind, *headers)

    return behave


PAGE, REFUSAL = b"<!doctype html><title>Welcome</title>", b'{"ok": false, "error": "a_fault", "message": "A fault."}'

elsewhere = says("200 OK", b'{"ok": true}')
"""Where nobody should go, however much they are told to."""

FAULTS: dict[str, Behave] = {
    "reset before the body": reset_before_the_body,
    "reset after the body": reset_after_the_body,
    "answer lost": answer_lost,
    "closed": closed,
    "slow headers": slow_headers,
    "slow body": slow_body,
    "huge body": huge,
    "cut": cut,
    "moved": says("302 Found", PAGE, "text/html", "Location: /elsewhere"),
    "moved for good": says("308 Permanent Redirect", b"", "text/html", "Location: /elsewhere"),
    "page instead of JSON": says("200 OK", PAGE, "text/html"),
    "page that claims to be JSON": says("200 OK", PAGE),
    "truncated JSON": says("200 OK", b'{"ok": true, "id": "7'),
    "wrong types": wrong_types,
    "408": says("408 Request Timeout", PAGE, "text/html"),
    "413": says("413 Content Too Large", REFUSAL),
    "429": says("429 Too Many Requests", REFUSAL),
    "429 with an order": says("429 Too Many Requests", REFUSAL, "application/json", "Retry-After: 5"),
    "500": says("500 Internal Server Error", REFUSAL),
    "502": says("502 Bad Gateway", PAGE, "text/html"),
    "503": says("503 Service Unavailable", REFUSAL),
    "504": says("504 Gateway Timeout", PAGE, "text/html"),
}
