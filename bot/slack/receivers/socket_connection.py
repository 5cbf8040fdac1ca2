"""Read the envelopes of one Socket Mode connection, pass them to Bolt, and acknowledge them over the same connection.

socket_mode.py opens and replaces connections. https://docs.slack.dev/apis/events-api/using-socket-mode
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

from bot.core.ports import NULL_TRACER, Metrics, Tracer
from bot.core.timing import ReceiverBounds
from bot.slack.api.responses import error_label, word
from bot.slack.listeners.errors import dispatch

log = logging.getLogger(__name__)

MAX_NUM_CONNECTIONS = 1000
RENEWALS = ("warning", "refresh_requested")
"""The reasons in Slack's `disconnect` messages after which Slack still sends payloads over the connection."""
CLOSED, NEW_TOKEN = "closed", "new_token"


class SocketConnection:
    """One open Socket Mode connection. The hello is Slack's first message on a connection.

    - `ready`: an event that is set when Slack's hello arrives, or when the connection ends without a hello.
    - `said_hello`: whether Slack's hello has arrived.
    - `leaving`: a future that is done when the receiver has to replace this connection. The result is the reason: the
      reason in Slack's `disconnect` message, CLOSED if the connection has ended, or NEW_TOKEN after `replace`.
    - `num_connections`: how many connections the app has, with this one, according to Slack's hello; 0 if unknown.
    - `app_id`: the id of the Slack app that Slack names in its hello; "" if unknown.
    - `is_lost`: whether the connection ended without a closing handshake. Slack may count such a connection for hours.
    """

    def __init__(
        self,
        app: AsyncApp,
        web_socket: aiohttp.ClientWebSocketResponse,
        metrics: Metrics,
        bounds: ReceiverBounds,
        tracer: Tracer = NULL_TRACER,
    ) -> None:
        self.logger = logging.getLogger("slack_sdk.socket_mode")  # slack_bolt's send_async_response reads it
        self.ready = asyncio.Event()
        self.said_hello = self.is_lost = False
        self.num_connections = 0
        self.app_id = ""
        self.leaving: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._app, self._metrics = app, metrics
        self._dispatch = tracer.receiving(dispatch, over_http=False)
        self._web_socket = web_socket
        self._semaphore = asyncio.Semaphore(bounds.envelopes)
        self._answering: set[asyncio.Task[None]] = set()
        self._reading = asyncio.create_task(self._read())

    @property
    def is_read(self) -> bool:
        """Return whether Slack still sends payloads over this connection, and the bot reads them."""
        return self.is_open and (not self.leaving.done() or self.leaving.result() in (*RENEWALS, NEW_TOKEN))

    @property
    def is_open(self) -> bool:
        """Return False if Slack, the network or the bot has ended the connection; else True."""
        return not self._reading.done()

    def replace(self) -> None:
        """Ask the receiver to replace this connection, because the app-level token has changed.

        The bot continues to read this connection.
        """
        self._request_successor(NEW_TOKEN)

    async def finish(self, seconds: float) -> None:
        """Stop reading, and close the connection.

        Before the close, wait at most `seconds` for the acknowledgements of the envelopes that have arrived.
        """
        self._reading.cancel()
        if self._answering:
            await asyncio.wait(self._answering, timeout=seconds)
        await self._web_socket.close()

    async def ended(self) -> None:
        """Wait until the connection has ended."""
        await asyncio.wait([self._reading])

    async def send_socket_mode_response(self, response: SocketModeResponse) -> None:
        """Send an acknowledgement. Bolt's adapter for Socket Mode calls this method."""
        await self._web_socket.send_str(json.dumps(response.to_dict()))

    async def _read(self) -> None:
        try:
            async for message in self._web_socket:
                if message.type is aiohttp.WSMsgType.TEXT:
                    await self._handle_envelope(message.data)
                elif message.type is aiohttp.WSMsgType.ERROR:  # no pong in time, or an invalid frame
                    log.warning("a socket broke", extra={"fields": {"error": error_label(message.data)}})
            self.is_lost = self._web_socket.close_code == aiohttp.WSCloseCode.ABNORMAL_CLOSURE
        except (aiohttp.ClientError, OSError) as error:
            self.is_lost = True
            log.warning("a socket broke", extra={"fields": {"error": error_label(error)}})
        finally:
            self._request_successor(CLOSED)

    async def _handle_envelope(self, text: str) -> None:
        try:
            envelope = json.loads(text)
            kind = envelope.get("type")
        except (ValueError, AttributeError, RecursionError):
            return
        if kind == "hello":
            self.said_hello, self.num_connections = True, connections_in(envelope)
            self.app_id = app_in(envelope)
            self.ready.set()
        elif kind == "disconnect":
            self._request_successor(word(envelope.get("reason")) or "no reason")
        elif request := SocketModeRequest.from_dict(envelope):
            await self._semaphore.acquire()
            task = asyncio.create_task(self._answer(request))
            self._answering.add(task)
            task.add_done_callback(self._answered)

    def _answered(self, task: "asyncio.Task[None]") -> None:
        self._answering.discard(task)
        self._semaphore.release()

    async def _answer(self, request: SocketModeRequest) -> None:
        body: Any = request.payload
        bolt_request = AsyncBoltRequest(mode="socket_mode", body=body, headers=build_headers(request))
        response = await self._dispatch(self._app, bolt_request, self._metrics)
        try:
            await send_async_response(self, request, response, 0.0)  # type: ignore[arg-type]  # Bolt uses two members of it
        except (aiohttp.ClientError, OSError) as error:  # Slack sends it again, and the key makes both one request
            log.warning("an acknowledgement was lost", extra={"fields": {"error": error_label(error)}})

    def _request_successor(self, reason: str) -> None:
        if not self.leaving.done():
            self.leaving.set_result(reason)
        self.ready.set()


def app_in(hello: dict[str, Any]) -> str:
    """Return the id of the Slack app in Slack's hello; "" if the hello has none."""
    about = hello.get("connection_info")
    found = about.get("app_id") if isinstance(about, dict) else None
    return found if isinstance(found, str) else ""


def connections_in(hello: dict[str, Any]) -> int:
    """Return how many connections the app has, according to Slack's hello; 0 if the hello does not say so.

    The result is at most MAX_NUM_CONNECTIONS.
    """
    number = hello.get("num_connections")
    return min(number, MAX_NUM_CONNECTIONS) if isinstance(number, int) and number > 0 else 0
