"""Brings payloads to the bot as Slack does: by Socket Mode or by signed HTTP, with 3 s for the ack.

https://docs.slack.dev/apis/events-api/using-socket-mode and
https://docs.slack.dev/authentication/verifying-requests-from-slack
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import secrets
import time
from typing import Any
from urllib.parse import urlencode

import aiohttp
from aiohttp import WSMsgType, web

from bot.sandbox.slack.faults import Faults
from bot.sandbox.slack.models import Answer, Kind

MAX_SOCKETS = 10
"""So many an app may have; Slack says hello to one more, and then that there are too many."""
END_REASONS = ("too_many_websockets", "warning", "refresh_requested")


class SocketGoneError(Exception):
    """The socket closed before the ack."""


class Socket:
    """One web socket of the bot's, and what is still to be acknowledged on it."""

    def __init__(self, ws: web.WebSocketResponse, faults: Faults) -> None:
        self.ws = ws
        self.is_leaving = False
        self.is_gone = False
        self._faults = faults
        self._pending: dict[str, asyncio.Future[dict[str, Any]]] = {}

    async def send(self, kind: Kind, payload: dict[str, Any], retry: int) -> Answer:
        """Send one envelope and wait for its ack; raises SocketGoneError."""
        envelope_id = secrets.token_hex(16)
        envelope: dict[str, Any] = {"envelope_id": envelope_id, "type": kind, "payload": payload}
        envelope["accepts_response_payload"] = kind != "events_api"
        if kind == "events_api":
            envelope |= {"retry_attempt": retry, "retry_reason": "timeout" if retry else ""}
        future = self._pending[envelope_id] = asyncio.get_running_loop().create_future()
        try:
            if not self._faults.holds("socket", "deaf"):
                await self._put(envelope)
            ack = await future
        finally:
            self._pending.pop(envelope_id, None)
        return Answer(True, None, ack.get("payload"))

    async def _put(self, thing: dict[str, Any]) -> None:
        try:
            await self.ws.send_str(json.dumps(thing))
        except (ConnectionError, RuntimeError) as error:
            self.is_gone = True
            raise SocketGoneError from error

    async def talk(self, hello: dict[str, Any], ping_seconds: float, fault: str | None) -> None:
        """Say hello, then take acks and exchange pings until the other side closes.

        A fault is a reason to end it right after the hello, `close` to do so without a word, or `no_hello`.
        """
        pinging = asyncio.create_task(self._ping(ping_seconds))
        try:
            if fault != "no_hello":
                await self.ws.send_str(json.dumps(hello))
            if fault in END_REASONS:
                self.is_leaving = True
                await self.ws.send_str(json.dumps({"type": "disconnect", "reason": fault, "debug_info": {}}))
            if fault in (*END_REASONS, "close", "no_hello"):
                await self.ws.close()
            async for part in self.ws:
                await self._read(part)
        except ConnectionError:
            pass  # the other side went away: the same as a close
        finally:
            pinging.cancel()
            self.give_up()

    async def _read(self, part: aiohttp.WSMessage) -> None:
        if part.type is WSMsgType.PING and not self._faults.holds("socket", "deaf"):
            await self.ws.pong(part.data)
        elif part.type is WSMsgType.TEXT:
            try:
                ack = json.loads(part.data)
            except ValueError:
                return
            future = self._pending.get(str(ack.get("envelope_id"))) if isinstance(ack, dict) else None
            if future is not None and not future.done():
                future.set_result(ack)

    async def _ping(self, seconds: float) -> None:
        while True:
            await asyncio.sleep(seconds)
            if not self._faults.holds("socket", "deaf"):
                await self.ws.ping(b"Ping from sandbox")

    async def disconnect(self, reason: str, seconds: float) -> None:
        await self._put({"type": "disconnect", "reason": reason, "debug_info": {"host": "sandbox"}})
        await asyncio.sleep(seconds)
        await self.ws.close()

    def give_up(self) -> None:
        """Tell whoever waits for an ack that none will come."""
        self.is_gone = True
        for future in self._pending.values():
            if not future.done():
                future.set_exception(SocketGoneError())


class Sockets:
    """All sockets of the bot's; each payload goes to the next one in turn."""

    def __init__(self, app_id: str, faults: Faults) -> None:
        self.ping_seconds = 5.0
        self.ghosts = 0
        """Sockets that died without a closing handshake: Slack still counts them, for hours."""
        self._app_id = app_id
        self._faults = faults
        self._tickets: set[str] = set()
        self._sockets: list[Socket] = []
        self._turn = 0
        self._news = asyncio.Condition()
        self._leaving: set[asyncio.Task[None]] = set()
        self._is_closed = False

    def ticket(self) -> str:
        """Return a ticket that opens one socket, once."""
        ticket = secrets.token_urlsafe(16)
        self._tickets.add(ticket)
        return ticket

    async def handle(self, request: web.Request) -> web.StreamResponse:
        ticket = request.query.get("ticket", "")
        if ticket not in self._tickets:
            return web.Response(status=408, text="this link was used or never existed")
        self._tickets.discard(ticket)
        fault = self._faults.take("socket")
        ws = web.WebSocketResponse(autoping=False, timeout=0.5)
        await ws.prepare(request)
        socket = Socket(ws, self._faults)
        self._sockets.append(socket)
        async with self._news:
            self._news.notify_all()
        debug = {"host": "sandbox", "build_number": 1, "approximate_connection_time": 18060}
        counted = len(self._sockets) + self.ghosts
        hello = {"type": "hello", "num_connections": counted, "debug_info": debug}
        how = "too_many_websockets" if counted > MAX_SOCKETS else fault.code if fault else None
        try:
            await socket.talk({**hello, "connection_info": {"app_id": self._app_id}}, self.ping_seconds, how)
        finally:
            self._sockets.remove(socket)
        return ws

    async def connected(self) -> None:
        async with self._news:
            await self._news.wait_for(lambda: bool(self._ready()) or self._is_closed)

    async def deliver(self, kind: Kind, payload: dict[str, Any], seconds: float, retry: int) -> Answer:
        """Deliver to the next socket, and once more to another one when that closes before its ack."""
        if not self._ready():
            return Answer(False, error="dispatch_failed")
        try:
            async with asyncio.timeout(seconds):
                for _ in range(2):
                    await self.connected()
                    if self._is_closed:
                        break
                    try:
                        return await self._next().send(kind, payload, retry)
                    except SocketGoneError:
                        continue
        except TimeoutError:
            return Answer(False, error="operation_timeout")
        return Answer(False, error="dispatch_failed")

    def _ready(self) -> list[Socket]:
        live = [socket for socket in self._sockets if not (socket.is_gone or socket.ws.closed)]
        return [socket for socket in live if not socket.is_leaving] or live

    def _next(self) -> Socket:
        ready = self._ready()
        self._turn += 1
        return ready[self._turn % len(ready)]

    def disconnect(self, reason: str, seconds: float) -> None:
        """Tell every socket to leave, and close it after some seconds."""
        for socket in self._ready():
            socket.is_leaving = True
            task = asyncio.create_task(socket.disconnect(reason, seconds))
            self._leaving.add(task)
            task.add_done_callback(self._leaving.discard)

    async def close(self) -> None:
        self._is_closed = True
        async with self._news:
            self._news.notify_all()
        for task in self._leaving:
            task.cancel()
        await asyncio.gather(*self._leaving, return_exceptions=True)
        for socket in list(self._sockets):
            socket.give_up()
        await asyncio.gather(*(socket.ws.close() for socket in list(self._sockets)), return_exceptions=True)


class HttpDelivery:
    """Signed requests to the bot's events URL."""

    def __init__(self, signing_secret: str) -> None:
        self._secret = signing_secret.encode()
        self._session: aiohttp.ClientSession | None = None

    def open(self) -> None:
        self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def deliver(
        self, url: str, kind: Kind, payload: dict[str, Any], seconds: float, retry: int, reason: str
    ) -> Answer:
        """Post one payload; any status but 200, and no answer in time, is a failure."""
        if self._session is None or self._session.closed:
            return Answer(False, error="dispatch_failed")
        body, content_type = encode(kind, payload)
        headers = {**self._sign(body), "Content-Type": content_type, "User-Agent": "Slackbot 1.0 (sandbox)"}
        if retry:
            headers |= {"X-Slack-Retry-Num": str(retry), "X-Slack-Retry-Reason": reason}
        try:
            async with asyncio.timeout(seconds):
                async with self._session.post(url, data=body, headers=headers, allow_redirects=False) as response:
                    acked, answer = response.status == 200, _body(await response.text(errors="replace"))
                    return Answer(acked, response.status, answer, None if acked else "dispatch_failed")
        except TimeoutError:
            return Answer(False, error="operation_timeout")
        except aiohttp.ClientError:
            return Answer(False, error="dispatch_failed")

    def _sign(self, body: bytes) -> dict[str, str]:
        timestamp = str(int(time.time()))
        digest = hmac.new(self._secret, b"v0:" + timestamp.encode() + b":" + body, hashlib.sha256).hexdigest()
        return {"X-Slack-Request-Timestamp": timestamp, "X-Slack-Signature": f"v0={digest}"}


def encode(kind: Kind, payload: dict[str, Any]) -> tuple[bytes, str]:
    """Return the body and the content type Slack would post: flat form, form with JSON in `payload`, or JSON."""
    if kind == "events_api":
        return json.dumps(payload).encode(), "application/json"
    flat = {"payload": json.dumps(payload)} if kind == "interactive" else payload
    return urlencode(flat).encode(), "application/x-www-form-urlencoded"


def _body(text: str) -> dict[str, Any] | str | None:
    try:
        body = json.loads(text)
    except ValueError:
        return text or None
    return body if isinstance(body, dict) else text
