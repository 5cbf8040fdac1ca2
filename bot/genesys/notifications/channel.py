"""Keep one notification channel connected, and subscribe the channel to events about the conversations of hosts.

A channel exists for a day. Genesys may close the channel's WebSocket at any time, and announces a close for maintenance
with a message. While no WebSocket is open, events are lost, but the channel keeps its subscriptions.
"""

import asyncio
import contextlib
import logging
import random
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager

import aiohttp

from bot.core.errors import BadRequestError, ServiceError, ServiceUnreachableError
from bot.core.models import HostId
from bot.core.ports import Metrics
from bot.core.timing import PushTiming
from bot.genesys.api.channels import Channel, ChannelsApi, Subscriptions
from bot.genesys.notifications.messages import PING, ChannelMessage, MessageKind, read_message

log = logging.getLogger(__name__)

MAX_TRIES_WITH_CHANNEL = 3
"""The number of failures in a row after which the bot creates another channel. A failure is a WebSocket that could not
be opened, or that closed within `steady_seconds`."""
Connect = Callable[[str], contextlib.AbstractAsyncContextManager[aiohttp.ClientWebSocketResponse]]
"""A function that opens the WebSocket at a URL."""
ProxyFor = Callable[[str], str | None]
"""A function that takes a URL and returns the URL of its proxy; None for a direct connection."""


class ChannelGoneError(Exception):
    """Raised when Genesys no longer knows the notification channel."""

    code = "channel_gone"


class SubscribedChannel:
    """A notification channel that is subscribed to hosts. Reconnects whenever its WebSocket closes.

    `covered`: the hosts whose events arrive now; empty while no WebSocket is open.
    """

    def __init__(
        self,
        api: ChannelsApi,
        connect: Connect,
        *,
        on_message: Callable[[ChannelMessage], None],
        on_change: Callable[[bool], None],
        metrics: Metrics,
        timing: PushTiming,
    ) -> None:
        """Store the functions to call. `run` opens the WebSocket.

        - `connect`: opens the WebSocket at a URL.
        - `on_message`: gets each message, except messages about the end of the WebSocket or of the channel.
        - `on_change`: gets True when the WebSocket has opened, and False when it has closed.
        """
        self.covered: frozenset[HostId] = frozenset()
        self._api, self._connect, self._metrics, self._timing = api, connect, metrics, timing
        self._on_message, self._on_change = on_message, on_change
        self._channel: Channel | None = None
        self._connected: Channel | None = None
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._connections = 0
        self._renew_at = 0.0
        self._failures = 0

    @property
    def is_connected(self) -> bool:
        return self._connected is not None

    async def run(self) -> None:
        """Keep a WebSocket open until the task is cancelled.

        Replace the channel by a new one in three cases:

        - Genesys no longer knows the channel.
        - The channel's age exceeds its lifetime multiplied by `PushTiming.renew_share`.
        - MAX_TRIES_WITH_CHANNEL connections in a row have failed.
        """
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            try:
                await self._serve_once()
            except ChannelGoneError as error:
                self._channel = None
                _log_failure(error.code)
            except ServiceError as error:
                _log_failure(error.code)
            except (aiohttp.ClientError, OSError, TimeoutError):
                _log_failure(ServiceUnreachableError.code)
            self._failures = 0 if loop.time() - began >= self._timing.steady_seconds else self._failures + 1
            if self._failures >= MAX_TRIES_WITH_CHANNEL:
                self._channel = None
            await asyncio.sleep(self._next_delay())

    async def subscribe(self, hosts: Collection[HostId]) -> Subscriptions | None:
        """Subscribe the channel to the conversations of `hosts`, in place of all earlier subscriptions of the channel.

        Return which hosts Genesys accepted and which it refused; None if no WebSocket is open. Raises ServiceError if
        the call fails.
        """
        channel, connection = self._connected, self._connections
        if channel is None:
            return None
        try:
            result = await self._api.subscribe(channel.id, hosts)
        except BadRequestError as error:
            if error.status == 404 and self._socket is not None:
                self._channel = None
                await self._socket.close()
            raise
        if self._connected is channel and connection == self._connections:
            self.covered = result.accepted
        return result

    async def _serve_once(self) -> None:
        """Open the channel's WebSocket, and read the WebSocket until it closes.

        If there is no channel yet, or if the channel is due for replacement, create a channel first.

        Raises ChannelGoneError if Genesys no longer knows the channel. Raises ServiceError if the channel cannot be
        created. Raises aiohttp.ClientError, OSError or TimeoutError if the WebSocket cannot be opened.
        """
        loop = asyncio.get_running_loop()
        channel = self._channel
        if channel is None or loop.time() >= self._renew_at:
            channel = self._channel = await self._api.create()
            self._renew_at = loop.time() + channel.lasts_seconds * self._timing.renew_share
        try:
            async with self._connect(channel.url) as socket:
                self._connected, self._socket, self._connections = channel, socket, self._connections + 1
                self._metrics.live_event("connected")
                self._on_change(True)
                await self._read(socket)
        finally:
            if self._connected is not None:
                self._connected, self._socket, self.covered = None, None, frozenset()
                self._metrics.live_event("closed")
                self._on_change(False)

    async def _read(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        """Pass messages to `on_message` until the WebSocket closes, or until Genesys announces a close.

        Raises ChannelGoneError if Genesys no longer knows the channel.
        """
        loop = asyncio.get_running_loop()
        last = [loop.time()]
        watch = asyncio.create_task(self._watch(socket, last))
        try:
            async for received in socket:
                last[0] = loop.time()
                if received.type is not aiohttp.WSMsgType.TEXT:
                    continue
                message = read_message(received.data)
                if message.kind is MessageKind.GONE:
                    raise ChannelGoneError
                if message.kind is MessageKind.CLOSING:
                    self._metrics.live_event("closing")
                    return
                self._on_message(message)
        finally:
            watch.cancel()

    async def _watch(self, socket: aiohttp.ClientWebSocketResponse, last: list[float]) -> None:
        """Send a ping when no message has arrived for `PushTiming.ping_seconds`.

        Close the WebSocket when no message has arrived for `PushTiming.ping_seconds` after a ping, or when the channel
        must be replaced.

        `last`: a list with one item, the event loop's time at which the newest message arrived. The caller updates the
        item.
        """
        loop, pinged_at = asyncio.get_running_loop(), float("inf")
        while True:
            await asyncio.sleep(self._timing.ping_seconds)
            if last[0] < pinged_at < float("inf") or loop.time() >= self._renew_at:
                break
            if loop.time() - last[0] < self._timing.ping_seconds:
                pinged_at = float("inf")
                continue
            pinged_at = loop.time()
            with contextlib.suppress(ConnectionError, aiohttp.ClientError):
                await socket.send_str(PING)
        await socket.close()

    def _next_delay(self) -> float:
        """Return the seconds to wait before the next attempt to open a WebSocket.

        Start with `PushTiming.first_backoff_seconds`, and double the wait after each further failure, up to
        `PushTiming.max_backoff_seconds`. Multiply the result by a random number from 0.8 to 1.1.
        """
        delay = self._timing.first_backoff_seconds * float(2 ** min(max(0, self._failures - 1), 10))
        return min(delay, self._timing.max_backoff_seconds) * random.uniform(0.8, 1.1)  # noqa: S311 - no secret


def _log_failure(code: str) -> None:
    log.warning("no notifications from Genesys", extra={"fields": {"error": code}})


@asynccontextmanager
async def open_socket(
    http: aiohttp.ClientSession, proxy_for: ProxyFor, timing: PushTiming, url: str
) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    """Open the WebSocket at `url`, and close it at the end of the `with` block.

    `proxy_for`: returns the proxy for a URL. Raises aiohttp.ClientError, OSError or TimeoutError if the WebSocket
    cannot be opened.
    """
    async with asyncio.timeout(timing.connect_timeout):
        socket = await http.ws_connect(
            url, proxy=proxy_for(url), timeout=aiohttp.ClientWSTimeout(ws_close=timing.close_timeout)
        )
    try:
        yield socket
    finally:
        await socket.close()
