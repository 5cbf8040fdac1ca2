"""Keep one notification channel connected, and subscribe it to hosts.

Genesys keeps a channel for a day. Its WebSocket may close at any time; before maintenance Genesys sends a warning.
Events are lost while no WebSocket is open, but the channel keeps its topics for the next one.
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
"""After this many WebSockets in a row that ended early or did not open, the bot creates another channel."""
Connect = Callable[[str], contextlib.AbstractAsyncContextManager[aiohttp.ClientWebSocketResponse]]
"""A function that opens the WebSocket at a URL."""
ProxyFor = Callable[[str], str | None]
"""A function that returns the proxy's URL for a URL, None for a direct connection."""


class ChannelGoneError(Exception):
    """Genesys no longer knows the notification channel."""

    code = "channel_gone"


class SubscribedChannel:
    """A notification channel that stays connected, and the hosts to which it is subscribed.

    `covered`: the hosts whose events arrive now. It is empty while no WebSocket is connected.
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
        """Take two functions.

        `on_message` gets each message, `on_change` gets True when connected and False when not.
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
        """Keep the WebSocket connected until the task is cancelled.

        Create a new channel when the old one is gone or too old.
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
        """Subscribe the channel to these hosts. Its earlier subscriptions end.

        Return None if the channel is not connected. Raises ServiceError if the call fails.
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
        """Open a WebSocket, creating a channel if necessary, and read it until one side closes it.

        Raises ChannelGoneError if Genesys no longer knows the channel, and ServiceError if it cannot be created. Raises
        aiohttp.ClientError, OSError or TimeoutError if the WebSocket does not open.
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
        """Pass each message to `on_message` until the WebSocket closes, or Genesys announces that it will close.

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
        """Close the WebSocket if nothing arrives, not even the answer to a ping, or when the channel is too old.

        `last` holds the time of the newest message.
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
        """Return the seconds to wait before the next WebSocket. They double each time a WebSocket ends early."""
        delay = self._timing.first_backoff_seconds * float(2 ** min(max(0, self._failures - 1), 10))
        return min(delay, self._timing.max_backoff_seconds) * random.uniform(0.8, 1.1)  # noqa: S311 - no secret


def _log_failure(code: str) -> None:
    log.warning("no notifications from Genesys", extra={"fields": {"error": code}})


@asynccontextmanager
async def open_socket(
    http: aiohttp.ClientSession, proxy_for: ProxyFor, timing: PushTiming, url: str
) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    """Open the WebSocket at a URL, and close it when the `with` block ends.

    Raises aiohttp.ClientError, OSError or TimeoutError if it does not open.
    """
    async with asyncio.timeout(timing.connect_timeout):
        socket = await http.ws_connect(
            url, proxy=proxy_for(url), timeout=aiohttp.ClientWSTimeout(ws_close=timing.close_timeout)
        )
    try:
        yield socket
    finally:
        await socket.close()
