"""Send payloads to the bot as Slack does, over Socket Mode or by signed HTTP.

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
from bot.sandbox.slack.models import APP_ID, Ack, Kind

MAX_SOCKETS = 10
"""The maximum number of open WebSockets of an app. If the app opens one more, Slack sends a hello over the new one, and
then a disconnect message with the reason `too_many_websockets`."""
END_REASONS = ("too_many_websockets", "warning", "refresh_requested")


class SocketClosedError(Exception):
    """The WebSocket was closed before the bot acknowledged a payload."""


class Socket:
    """One WebSocket connection of the bot. Sends payloads in envelopes, and receives the acknowledgements.

    `is_closing`: whether Slack has sent a disconnect message, and will close the WebSocket.
    """

    def __init__(self, ws: web.WebSocketResponse, faults: Faults) -> None:
        self.ws = ws
        self.is_closing = False
        self.is_closed = False
        self._faults = faults
        self._pending: dict[str, asyncio.Future[dict[str, Any]]] = {}

    async def send(self, kind: Kind, payload: dict[str, Any], retry: int) -> Ack:
        """Send a payload in an envelope, wait for the bot's acknowledgement, and return the acknowledgement.

        `retry`: 0 for the first delivery, 1 for the first retry, and so on.

        Raises SocketClosedError if the WebSocket is closed before the acknowledgement.
        """
        envelope_id = secrets.token_hex(16)
        envelope: dict[str, Any] = {"envelope_id": envelope_id, "type": kind, "payload": payload}
        envelope["accepts_response_payload"] = kind != "events_api"
        if kind == "events_api":
            envelope |= {"retry_attempt": retry, "retry_reason": "timeout" if retry else ""}
        future = self._pending[envelope_id] = asyncio.get_running_loop().create_future()
        try:
            if not self._faults.is_set("socket", "unresponsive"):
                await self._send_json(envelope)
            ack = await future
        finally:
            self._pending.pop(envelope_id, None)
        return Ack(True, None, ack.get("payload"))

    async def _send_json(self, value: dict[str, Any]) -> None:
        try:
            await self.ws.send_str(json.dumps(value))
        except (ConnectionError, RuntimeError) as error:
            self.is_closed = True
            raise SocketClosedError from error

    async def run(self, hello: dict[str, Any], ping_seconds: float, fault: str | None) -> None:
        """Serve the WebSocket until it is closed: send a hello, read acknowledgements, and exchange pings.

        - `hello`: the first message that Slack sends over a WebSocket.
        - `ping_seconds`: the time between two pings.
        - `fault`: the name of a simulated fault; None for no fault.

        The fault `no_hello` closes the WebSocket without a hello. The fault `close` closes the WebSocket after the
        hello. The faults in END_REASONS send a disconnect message after the hello, and close the WebSocket.
        """
        pinging = asyncio.create_task(self._ping(ping_seconds))
        try:
            if fault != "no_hello":
                await self.ws.send_str(json.dumps(hello))
            if fault in END_REASONS:
                self.is_closing = True
                await self.ws.send_str(json.dumps({"type": "disconnect", "reason": fault, "debug_info": {}}))
            if fault in (*END_REASONS, "close", "no_hello"):
                await self.ws.close()
            async for message in self.ws:
                await self._read(message)
        except ConnectionError:
            pass  # the bot disconnected, which is the same as a close
        finally:
            pinging.cancel()
            self.fail_pending()

    async def _read(self, message: aiohttp.WSMessage) -> None:
        if message.type is WSMsgType.PING and not self._faults.is_set("socket", "unresponsive"):
            await self.ws.pong(message.data)
        elif message.type is WSMsgType.TEXT:
            try:
                ack = json.loads(message.data)
            except ValueError:
                return
            future = self._pending.get(str(ack.get("envelope_id"))) if isinstance(ack, dict) else None
            if future is not None and not future.done():
                future.set_result(ack)

    async def _ping(self, seconds: float) -> None:
        while True:
            await asyncio.sleep(seconds)
            if not self._faults.is_set("socket", "unresponsive"):
                await self.ws.ping(b"Ping from sandbox")

    async def disconnect(self, reason: str, seconds: float) -> None:
        await self._send_json({"type": "disconnect", "reason": reason, "debug_info": {"host": "sandbox"}})
        await asyncio.sleep(seconds)
        await self.ws.close()

    def fail_pending(self) -> None:
        """Mark the WebSocket as closed, and let the waiting calls of `send` raise SocketClosedError."""
        self.is_closed = True
        for future in self._pending.values():
            if not future.done():
                future.set_exception(SocketClosedError())


class Sockets:
    """Holds the WebSocket connections of the bot, and delivers payloads over the connections in turn."""

    def __init__(self, faults: Faults) -> None:
        self.ping_seconds = 5.0
        self.stale_connections = 0
        """The number of lost connections that Slack still counts as open, because they ended without a closing
        handshake. The value is part of `num_connections` in the hello, and counts toward MAX_SOCKETS."""
        self.app_id = APP_ID
        """The id of the Slack app in the hello, the first message over a new WebSocket."""
        self._faults = faults
        self._tickets: set[str] = set()
        self._sockets: list[Socket] = []
        self._next_index = 0
        self._changed = asyncio.Condition()
        self._closing: set[asyncio.Task[None]] = set()
        self._is_closed = False

    def ticket(self) -> str:
        """Return a new ticket. With the ticket in the URL, the bot can open one WebSocket."""
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
        async with self._changed:
            self._changed.notify_all()
        debug = {"host": "sandbox", "build_number": 1, "approximate_connection_time": 18060}
        counted = len(self._sockets) + self.stale_connections
        hello = {"type": "hello", "num_connections": counted, "debug_info": debug}
        fault_name = "too_many_websockets" if counted > MAX_SOCKETS else fault.code if fault else None
        try:
            await socket.run({**hello, "connection_info": {"app_id": self.app_id}}, self.ping_seconds, fault_name)
        finally:
            self._sockets.remove(socket)
        return ws

    async def connected(self) -> None:
        async with self._changed:
            await self._changed.wait_for(lambda: bool(self._ready()) or self._is_closed)

    async def deliver(self, kind: Kind, payload: dict[str, Any], timeout_seconds: float, retry: int) -> Ack:
        """Deliver a payload over one WebSocket, and return the bot's acknowledgement.

        If the WebSocket is closed before the acknowledgement, wait for another open WebSocket, and try once more. After
        `timeout_seconds`, return an Ack with the error `operation_timeout`. If no WebSocket is open at the start, or if
        both tries fail, return an Ack with the error `dispatch_failed`.

        - `timeout_seconds`: the time limit for both tries together.
        - `retry`: 0 for the first delivery, 1 for the first retry, and so on.
        """
        if not self._ready():
            return Ack(False, error="dispatch_failed")
        try:
            async with asyncio.timeout(timeout_seconds):
                for _ in range(2):
                    await self.connected()
                    if self._is_closed:
                        break
                    try:
                        return await self._next().send(kind, payload, retry)
                    except SocketClosedError:
                        continue
        except TimeoutError:
            return Ack(False, error="operation_timeout")
        return Ack(False, error="dispatch_failed")

    def _ready(self) -> list[Socket]:
        live = [socket for socket in self._sockets if not (socket.is_closed or socket.ws.closed)]
        return [socket for socket in live if not socket.is_closing] or live

    def _next(self) -> Socket:
        ready = self._ready()
        self._next_index += 1
        return ready[self._next_index % len(ready)]

    def disconnect(self, reason: str, seconds: float) -> None:
        """Send a disconnect message over every WebSocket. Close the WebSockets after `seconds`, in the background.

        `reason`: the reason in the message: `warning`, `refresh_requested` or `link_disabled`.
        """
        for socket in self._ready():
            socket.is_closing = True
            task = asyncio.create_task(socket.disconnect(reason, seconds))
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)

    async def close(self) -> None:
        self._is_closed = True
        async with self._changed:
            self._changed.notify_all()
        for task in self._closing:
            task.cancel()
        await asyncio.gather(*self._closing, return_exceptions=True)
        for socket in list(self._sockets):
            socket.fail_pending()
        await asyncio.gather(*(socket.ws.close() for socket in list(self._sockets)), return_exceptions=True)


class HttpDelivery:
    """Sends signed HTTP requests with payloads to the bot."""

    def __init__(self, signing_secret: str) -> None:
        self.signing_secret = signing_secret
        self._session: aiohttp.ClientSession | None = None

    def open(self) -> None:
        self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def deliver(
        self, url: str, kind: Kind, payload: dict[str, Any], timeout_seconds: float, retry: int, reason: str
    ) -> Ack:
        """Post a payload to `url`, and return the bot's response.

        A response with the status 200 is an acknowledgement. If the response takes longer than `timeout_seconds`,
        return an Ack with the error `operation_timeout`. For any other response, or without a connection, return an Ack
        with the error `dispatch_failed`.

        - `kind`: selects the form of the body: JSON for `events_api`, an HTML form for other payloads.
        - `retry`: 0 for the first delivery, 1 for the first retry, and so on.
        - `reason`: Slack's reason for a retry, such as `http_timeout`. A first delivery ignores `reason`.
        """
        if self._session is None or self._session.closed:
            return Ack(False, error="dispatch_failed")
        body, content_type = encode(kind, payload)
        headers = {**self._sign(body), "Content-Type": content_type, "User-Agent": "Slackbot 1.0 (sandbox)"}
        if retry:
            headers |= {"X-Slack-Retry-Num": str(retry), "X-Slack-Retry-Reason": reason}
        try:
            async with asyncio.timeout(timeout_seconds):
                async with self._session.post(url, data=body, headers=headers, allow_redirects=False) as response:
                    acked, answer = response.status == 200, _body(await response.text(errors="replace"))
                    return Ack(acked, response.status, answer, None if acked else "dispatch_failed")
        except TimeoutError:
            return Ack(False, error="operation_timeout")
        except aiohttp.ClientError:
            return Ack(False, error="dispatch_failed")

    def _sign(self, body: bytes) -> dict[str, str]:
        timestamp = str(int(time.time()))
        digest = hmac.new(
            self.signing_secret.encode(), b"v0:" + timestamp.encode() + b":" + body, hashlib.sha256
        ).hexdigest()
        return {"X-Slack-Request-Timestamp": timestamp, "X-Slack-Signature": f"v0={digest}"}


def encode(kind: Kind, payload: dict[str, Any]) -> tuple[bytes, str]:
    """Encode a payload as the body of an HTTP request. Return the body and the content type of the body.

    The form of the body depends on `kind`:

    - `slash_commands`: an HTML form with the fields of the payload.
    - `interactive`: an HTML form with one field `payload`, the payload as JSON.
    - `events_api`: the payload as JSON.
    """
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
