"""One web socket of Socket Mode: reads Slack's envelopes, lets Bolt answer them, acknowledges each where it came in.

When there has to be another one is for socket.py. https://docs.slack.dev/apis/events-api/using-socket-mode
"""

import asyncio
import json
import logging
from typing import Any

import aiohttp
from slack_bolt.adapter.socket_mode.async_internals import send_async_response
from slack_bolt.adapter.socket_mode.internals import build_headers
from slack_bolt.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse

from bot.core.ports import Metrics
from bot.slack.api.responses import word
from bot.slack.api.trouble import word_for
from bot.slack.listeners.errors import dispatch

log = logging.getLogger(__name__)

AT_ONCE = 1000
"""So many envelopes are being answered at most; until one is, nothing more is read, and Slack waits."""


MAX_CONNECTIONS_SAID = 1000
RENEWALS = ("warning", "refresh_requested")
"""Reasons of Slack's for another connection, while it still sends by this one."""
CLOSED = "closed"


class SocketConnection:
    """A socket that is open.

    `ready`: Slack has said hello, or it never will; `said_hello` tells the two apart. `leaving`: there has to be
    another one, for this reason. `num_connections`: how many of this app Slack counted at the hello, this one included,
    0 when it did not say. `is_lost`: it ended without a closing handshake, so Slack may count it for hours.
    """

    def __init__(self, app: AsyncApp, web_socket: aiohttp.ClientWebSocketResponse, meter: Metrics) -> None:
        self.logger = logging.getLogger("slack_sdk.socket_mode")  # send_async_response asks for one
        self.ready = asyncio.Event()
        self.said_hello = self.is_lost = False
        self.num_connections = 0
        self.leaving: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._app, self._meter = app, meter
        self._web_socket = web_socket
        self._room = asyncio.Semaphore(AT_ONCE)
        self._answering: set[asyncio.Task[None]] = set()
        self._reading = asyncio.create_task(self._read())

    @property
    def is_read(self) -> bool:
        """Whether Slack still sends here, and what it sends is taken."""
        return self.is_open and (not self.leaving.done() or self.leaving.result() in RENEWALS)

    @property
    def is_open(self) -> bool:
        """Return whether neither side has ended it."""
        return not self._reading.done()

    async def finish(self, seconds: float) -> None:
        """Reads no more, answers what has come in, and closes."""
        self._reading.cancel()
        if self._answering:
            await asyncio.wait(self._answering, timeout=seconds)
        await self._web_socket.close()

    async def ended(self) -> None:
        """Returns once Slack or the network has ended it."""
        await asyncio.wait([self._reading])

    async def send_socket_mode_response(self, response: SocketModeResponse) -> None:
        """For Bolt's adapter."""
        await self._web_socket.send_str(json.dumps(response.to_dict()))

    async def _read(self) -> None:
        try:
            async for message in self._web_socket:
                if message.type is aiohttp.WSMsgType.TEXT:
                    await self._take(message.data)
                elif message.type is aiohttp.WSMsgType.ERROR:  # no pong in time, or no web socket frame
                    log.warning("a socket broke", extra={"fields": {"error": word_for(message.data)}})
            self.is_lost = self._web_socket.close_code == aiohttp.WSCloseCode.ABNORMAL_CLOSURE
        except (aiohttp.ClientError, OSError) as error:
            self.is_lost = True
            log.warning("a socket broke", extra={"fields": {"error": word_for(error)}})
        finally:
            self._leave(CLOSED)

    async def _take(self, text: str) -> None:
        try:
            envelope = json.loads(text)
            kind = envelope.get("type")
        except (ValueError, AttributeError, RecursionError):
            return
        if kind == "hello":
            self.said_hello, self.num_connections = True, connections_in(envelope)
            self.ready.set()
        elif kind == "disconnect":
            self._leave(word(envelope.get("reason")) or "no reason")
        elif request := SocketModeRequest.from_dict(envelope):
            await self._room.acquire()
            task = asyncio.create_task(self._answer(request))
            self._answering.add(task)
            task.add_done_callback(self._answered)

    def _answered(self, task: "asyncio.Task[None]") -> None:
        self._answering.discard(task)
        self._room.release()

    async def _answer(self, request: SocketModeRequest) -> None:
        body: Any = request.payload
        bolt_request = AsyncBoltRequest(mode="socket_mode", body=body, headers=build_headers(request))
        response = await dispatch(self._app, bolt_request, self._meter)
        try:
            await send_async_response(self, request, response, 0.0)  # type: ignore[arg-type]  # all that it needs
        except (aiohttp.ClientError, OSError) as error:  # Slack delivers it again, and it is known by its key
            log.warning("an acknowledgement was lost", extra={"fields": {"error": word_for(error)}})

    def _leave(self, reason: str) -> None:
        if not self.leaving.done():
            self.leaving.set_result(reason)
        self.ready.set()


def connections_in(hello: dict[str, Any]) -> int:
    """Read how many connections of the app Slack counts, the new one included; 0 when it does not say."""
    number = hello.get("num_connections")
    return min(number, MAX_CONNECTIONS_SAID) if isinstance(number, int) and number > 0 else 0
