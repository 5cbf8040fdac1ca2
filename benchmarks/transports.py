"""Deliver commands to a peer over kept-alive signed HTTP or Socket Mode, with as little CPU as possible."""

import asyncio
import hashlib
import hmac
import itertools
import json
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, Protocol
from urllib.parse import urlencode

import httptools
from aiohttp import web

from benchmarks.upstream import Upstream

SIGNING_SECRET = "bench-signing-secret"  # noqa: S105 - of servers that only this run knows
PING_SECONDS = 5.0
OnAck = Callable[[bool], None]
"""Receives, once, whether the command was acknowledged with success."""


class Transport(Protocol):
    """A way to deliver commands to a peer."""

    def send(self, payload: dict[str, str], on_ack: OnAck) -> None:
        """Send a command's payload at once."""


class HttpTransport:
    """Sends Slack's signed requests, to each of the peer's processes and each of these paths in turn."""

    def __init__(self, ports: Sequence[int], paths: Sequence[str] = ("/slack/events",)) -> None:
        self._turn = itertools.cycle(itertools.product(ports, paths))
        self._idle: dict[int, list[Client]] = {port: [] for port in ports}

    def send(self, payload: dict[str, str], on_ack: OnAck) -> None:
        port, path = next(self._turn)
        body = urlencode(payload).encode()
        stamp = str(int(time.time()))
        digest = hmac.digest(SIGNING_SECRET.encode(), f"v0:{stamp}:".encode() + body, hashlib.sha256).hex()
        request = (
            f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\nuser-agent: Slackbot 1.0\r\naccept: */*\r\n"
            f"x-slack-request-timestamp: {stamp}\r\nx-slack-signature: v0={digest}\r\n"
            f"content-type: application/x-www-form-urlencoded\r\ncontent-length: {len(body)}\r\n\r\n"
        ).encode() + body
        idle = self._idle[port]
        if idle:
            idle.pop().send(request, on_ack)
        else:
            client = Client(idle)
            client.send(request, on_ack)
            client.opening = asyncio.ensure_future(self._connect(client, port))

    async def _connect(self, client: "Client", port: int) -> None:
        try:
            await asyncio.get_running_loop().create_connection(lambda: client, "127.0.0.1", port)
        except OSError:
            client.connection_lost(None)


class Client(asyncio.Protocol):
    """One kept-alive connection to a peer. It returns to the idle ones after each answer."""

    def __init__(self, idle: list["Client"]) -> None:
        self.opening: asyncio.Future[None] | None = None
        self._idle = idle
        self._transport: Any = None
        self._waiting = b""
        self._on_ack: OnAck | None = None

    def send(self, request: bytes, on_ack: OnAck) -> None:
        self._on_ack = on_ack
        self._parser: Any = httptools.HttpResponseParser(self)
        if self._transport:
            self._transport.write(request)
        else:
            self._waiting = request

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._transport.write(self._waiting)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        on_ack, self._on_ack = self._on_ack, None
        keeps = self._parser.should_keep_alive()
        if keeps:
            self._idle.append(self)
        else:
            self._transport.close()
        if on_ack:
            on_ack(self._parser.get_status_code() == 200)

    def connection_lost(self, error: Exception | None) -> None:
        if self in self._idle:
            self._idle.remove(self)
        if self._on_ack:
            on_ack, self._on_ack = self._on_ack, None
            on_ack(False)


class SocketTransport:
    """Serves Slack's end of Socket Mode, and sends to each connected socket in turn."""

    def __init__(self) -> None:
        self._sockets: list[web.WebSocketResponse] = []
        self._turn = 0
        self._waiting: dict[str, OnAck] = {}
        self._numbers = itertools.count(1)
        self._sending: set[asyncio.Task[None]] = set()
        self._connected = asyncio.Semaphore(0)

    @asynccontextmanager
    async def open(self, upstream: Upstream) -> AsyncIterator["SocketTransport"]:
        """Listen, and make `apps.connections.open` return this server's URL."""
        app = web.Application()
        app.router.add_get("/link", self._handle)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0]
        upstream.socket_url = f"ws://{host}:{port}/link"
        try:
            yield self
        finally:
            for socket in list(self._sockets):
                await socket.close()
            await runner.cleanup()

    async def connected(self) -> None:
        """Wait until one more socket connects."""
        await self._connected.acquire()

    def send(self, payload: dict[str, str], on_ack: OnAck) -> None:
        envelope_id = f"{next(self._numbers):032x}"
        envelope = {"envelope_id": envelope_id, "type": "slash_commands", "accepts_response_payload": True}
        if not self._sockets:
            on_ack(False)
            return
        self._waiting[envelope_id] = on_ack
        self._turn += 1
        socket = self._sockets[self._turn % len(self._sockets)]
        task = asyncio.ensure_future(socket.send_str(json.dumps({**envelope, "payload": payload})))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def _handle(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(compress=False, timeout=0.2)
        await socket.prepare(request)
        await socket.send_str(json.dumps({"type": "hello", "num_connections": 1, "debug_info": {"host": "bench"}}))
        self._sockets.append(socket)
        self._connected.release()
        pinging = asyncio.create_task(self._ping(socket))
        try:
            async for part in socket:
                on_ack = self._waiting.pop(json.loads(part.data)["envelope_id"], None)
                if on_ack:
                    on_ack(True)
        finally:
            pinging.cancel()
            self._sockets.remove(socket)
        return socket

    async def _ping(self, socket: web.WebSocketResponse) -> None:
        with suppress(ConnectionError):
            while True:
                await socket.ping(b"ping")
                await asyncio.sleep(PING_SECONDS)
