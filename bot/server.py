"""Runs a bot until it is told to stop, over Socket Mode or HTTP, and finishes what it has accepted before it goes."""

import asyncio
import errno
import logging
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, TypeVar

from aiohttp import web

from bot.app import Bot
from bot.config.settings import Settings
from bot.core.errors import SetupError
from bot.observability.throttled_log import ThrottledLog
from bot.slack.receivers.http import BODY_BYTES, HttpReceiver
from bot.slack.receivers.socket_mode import SocketModeReceiver
from bot.web.health import Health
from bot.web.http_protocol import Connection, new_refusals, without_software

log = logging.getLogger(__name__)

T = TypeVar("T")

ALL_ADDRESSES = ("::", "*")
"""What HOST says for all addresses, IPv6 and IPv4."""

CONNECTIONS = 500
"""So many people or programs may be connected at once; Slack comes with a few, through a proxy with fewer."""
OPTIONS: dict[str, Any] = {
    "access_log": None,
    "lingering_time": 0.0,  # what has been refused holds no place while the rest of its body comes
    "auto_decompress": False,  # Slack signs what it sends
}
"""Of aiohttp's connections: https://docs.aiohttp.org/en/stable/web_reference.html#aiohttp.web.AppRunner"""


class StartError(SetupError):
    """The bot cannot run, and starting it again will not help; its text is a sentence that says why."""

    code = "address_unavailable"


def fast_loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return uvloop's loop factory; None, for asyncio's own, on Windows, where uvloop does not exist."""
    if sys.platform == "win32":
        return None
    import uvloop  # noqa: PLC0415 - not on Windows

    return uvloop.new_event_loop


@asynccontextmanager
async def until_signalled() -> AsyncIterator[asyncio.Event]:
    """An event that SIGTERM or SIGINT sets."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    try:
        yield stop
    finally:
        for name in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(name)


async def unless_stopped(opening: Awaitable[T], stop: asyncio.Event) -> T | None:
    """What is being opened, or None when `stop` was set first; then it is opened no further."""
    task, stopped = asyncio.ensure_future(opening), asyncio.create_task(stop.wait())
    either: list[asyncio.Future[Any]] = [task, stopped]
    await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    if task.done():
        return task.result()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    return None


async def run(bot: Bot, stop: asyncio.Event, *, on_ready: Callable[[int], None] = lambda port: None) -> None:
    """Serves until `stop` is set, then finishes what is accepted. Raises PermissionDeniedError.

    `on_ready` is told the port the HTTP server listens on, 0 with Socket Mode.
    """
    async with AsyncExitStack() as outer:  # health is told until the very end
        if bot.settings.health_port:
            await outer.enter_async_context(health_door(bot.health, bot.settings))
        door = http_door(bot) if bot.settings.slack.mode == "http" else socket_door(bot)
        await _serve(door, bot, stop, on_ready)


async def _serve(
    opening: AbstractAsyncContextManager["Receiver"],
    bot: Bot,
    stop: asyncio.Event,
    on_ready: Callable[[int], None],
) -> None:
    stopped = asyncio.create_task(stop.wait())
    async with opening as door:
        ends: list[asyncio.Future[Any]] = [stopped, door.refused]
        await asyncio.wait([door.ready, *ends], return_when=asyncio.FIRST_COMPLETED)
        if door.ready.done():
            on_ready(door.ready.result())
            bot.worker.start()
            bot.health.hears_slack = door.hears_slack
            slack = bot.settings.slack
            log.info("ready", extra={"fields": {"mode": slack.mode, "command": slack.command}})
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        bot.health.draining = True
        log.info("stopping")
        began = time.monotonic()
    stopped.cancel()
    await bot.worker.drain(bot.settings.shutdown_seconds)
    log.info("stopped", extra={"fields": {"drain_ms": round((time.monotonic() - began) * 1000)}})
    if door.refused.done():
        raise StartError(door.refused.result(), code="socket_mode_unavailable")


@dataclass(frozen=True, slots=True)
class Receiver:
    """`ready` gets the port once Slack can reach us; `refused` a sentence when Slack will never let us in.

    `hears_slack` says whether Slack can reach us now.
    """

    ready: "asyncio.Future[int]"
    refused: "asyncio.Future[str]"
    hears_slack: Callable[[], Awaitable[bool]]


@asynccontextmanager
async def socket_door(bot: Bot) -> AsyncIterator[Receiver]:
    """Connects to Slack, for as long as it takes. Leaving it answers what has been received, and takes no more."""
    slack = bot.settings.slack
    single_process = not bot.settings.database.allows_replicas
    client = SocketModeReceiver(
        bot.app, slack.app_token, bot.socket_web, slack.proxies.of, bot.health.metrics, single_process=single_process
    )

    async def connect() -> int:
        await client.connect()
        if client.refused.done():
            await asyncio.Future()  # never ready
        return 0

    connecting = asyncio.create_task(connect())
    try:
        yield Receiver(connecting, client.refused, client.hears)
    finally:
        connecting.cancel()
        await client.close()


@asynccontextmanager
async def http_door(bot: Bot) -> AsyncIterator[Receiver]:
    """Listens. Leaving it answers what has been received, and takes no more. Raises PermissionDeniedError."""
    settings, server = bot.settings, web.Application(client_max_size=BODY_BYTES)
    endpoint = HttpReceiver(bot.app, settings.slack.signing_secret, bot.health.metrics)
    endpoint.add_to(server)
    bot.health.has_right_clock = endpoint.clock.is_right
    if bot.callback:
        bot.callback.add_to(server)
    if not settings.health_port:
        bot.health.add_to(server)
    try:
        async with listening(server, settings.host, settings.port, "PORT") as port:
            loop = asyncio.get_running_loop()
            door = Receiver(loop.create_future(), loop.create_future(), _always)
            door.ready.set_result(port)
            yield door
    finally:
        endpoint.close()
        if bot.callback:
            bot.callback.close()


@asynccontextmanager
async def health_door(health: Health, settings: Settings) -> AsyncIterator[None]:
    """Listens on HEALTH_PORT. Raises PermissionDeniedError."""
    server = web.Application(client_max_size=BODY_BYTES)
    health.add_to(server)
    async with listening(server, settings.host, settings.health_port or 0, "HEALTH_PORT"):
        yield


@asynccontextmanager
async def listening(server: web.Application, host: str, port: int, named: str) -> AsyncIterator[int]:
    """The port it listens on. Leaving it answers what has been received. Raises PermissionDeniedError."""
    server.on_response_prepare.append(without_software)
    runner = web.AppRunner(server, **OPTIONS, shutdown_timeout=1.0)
    await runner.setup()
    refusals = new_refusals()
    try:
        site = await _listen(runner, refusals, host, port, named)
        try:
            yield site.sockets[0].getsockname()[1]
        finally:
            site.close()
    finally:
        await runner.cleanup()
        refusals.flush()


async def _listen(runner: web.AppRunner, refusals: ThrottledLog, host: str, port: int, named: str) -> asyncio.Server:
    """As aiohttp's own site, but for a bound on the connections, and what is logged and answered of bad ones."""
    serving, loop = runner.server, asyncio.get_running_loop()
    assert serving is not None  # noqa: S101 - it is set up

    def answer() -> asyncio.Protocol:
        if len(serving.connections) >= CONNECTIONS:
            refusals.warning("too many connections", "connections")
            return OverloadedProtocol()
        return Connection(serving, refusals, loop=loop, **OPTIONS)

    try:
        if host in ALL_ADDRESSES:
            return await loop.create_server(answer, sock=all_addresses(port))
        return await loop.create_server(answer, host, port)
    except OSError as error:
        raise StartError(f"Cannot listen on {host}:{port} ({error.strerror}). Check HOST and {named}.") from None


def all_addresses(port: int) -> socket.socket:
    """Return one socket for IPv6 and IPv4, or for IPv4 alone where the machine has no IPv6. Raises OSError."""
    if socket.has_dualstack_ipv6():
        try:
            return socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True)
        except OSError as error:
            if error.errno not in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
                raise
    return socket.create_server(("0.0.0.0", port))  # noqa: S104 - HOST says so


class OverloadedProtocol(asyncio.Protocol):
    """What a connection gets that is one too many: Slack, or the proxy before us, comes again."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)  # noqa: S101 - a socket's
        transport.write(b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
        transport.close()


async def _always() -> bool:
    return True
