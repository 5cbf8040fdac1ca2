"""Run the bot over Socket Mode or HTTP until a signal stops the process, then finish the accepted requests."""

import asyncio
import errno
import logging
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from aiohttp import web

from bot.app import Bot
from bot.config.settings import ProcessSettings, Settings
from bot.core.errors import SetupError
from bot.core.timing import RECEIVER_BOUNDS, ReceiverBounds
from bot.observability.throttled_log import ThrottledLog
from bot.secret_changes import watch_app_token, watch_signing_secrets
from bot.slack.receivers.http import BODY_BYTES, HttpReceiver
from bot.slack.receivers.socket_mode import SocketModeReceiver
from bot.web.health import HealthServer
from bot.web.http_protocol import Connection, new_refusal_log, remove_server_header

log = logging.getLogger(__name__)

T = TypeVar("T")

ALL_ADDRESSES = ("::", "*")
"""The values of HOST that mean all network addresses of this machine, both IPv6 and IPv4."""

SERVER_OPTIONS: dict[str, Any] = {
    "access_log": None,
    "lingering_time": 0.0,  # a refused request frees its connection before the rest of its body arrives
    "auto_decompress": False,  # Slack signs the bytes that it sends
}
"""Options of aiohttp's HTTP server: https://docs.aiohttp.org/en/stable/web_reference.html#aiohttp.web.AppRunner"""


class StartError(SetupError):
    """Raised when a port cannot be opened, or when the bot gives up Socket Mode. The message says why."""

    code = "address_unavailable"


def event_loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return uvloop's `loop_factory` for asyncio.Runner; None on Windows, which uvloop does not support.

    With None, asyncio uses its own event loop.
    """
    if sys.platform == "win32":
        return None
    import uvloop  # noqa: PLC0415 - not on Windows

    return uvloop.new_event_loop


@asynccontextmanager
async def until_signalled() -> AsyncIterator[asyncio.Event]:
    """Yield an event that is set when the process gets SIGTERM or SIGINT."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    try:
        yield stop
    finally:
        for name in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(name)


@contextmanager
def read_on_hangup(*read_now: Callable[[], None]) -> Iterator[None]:
    """Call all functions in `read_now` whenever the process gets SIGHUP, until the `with` block ends.

    Do nothing on Windows, which has no SIGHUP, and in a terminal, where SIGHUP has to end the process.
    """
    is_in_terminal = bool(sys.stdin and sys.stdin.isatty())
    if sys.platform == "win32" or is_in_terminal:
        yield
        return
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGHUP, lambda: [read() for read in read_now])
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGHUP)


async def unless_stopped(opening: Awaitable[T], stop: asyncio.Event) -> T | None:
    """Await `opening`, and return its result. If `stop` is set first, cancel `opening` and return None."""
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
    """Serve the only workspace of a process until `stop` is set, then finish the accepted requests.

    `on_ready`: called when Slack can reach the bot. Its argument is the port of the HTTP server, or 0 in Socket Mode.
    Raises StartError if a port cannot be opened, or if the receiver gives up (see RunningReceiver).
    """
    async with AsyncExitStack() as stack:  # health answers until the drain has ended
        stack.enter_context(read_on_hangup(bot.secrets.read_now, bot.shared.secrets.read_now))
        if bot.settings.health_port:
            await stack.enter_async_context(serve_health(bot.health, bot.settings))
        receiver = open_http_receiver(bot) if bot.settings.slack.mode == "http" else open_socket_receiver(bot)
        await serve(receiver, bot, stop, on_ready, lambda: bot.worker.drain(bot.settings.shutdown_seconds))


async def serve(
    opening: AbstractAsyncContextManager["RunningReceiver"],
    bot: Bot,
    stop: asyncio.Event,
    on_ready: Callable[[int], None],
    drain: Callable[[], Awaitable[None]],
) -> None:
    """Receive payloads from Slack until `stop` is set or the receiver gives up (see RunningReceiver).

    Then acknowledge the received payloads, and await `drain`. Raises StartError after that if the receiver gave up.

    - `opening`: opens the receiver.
    - `drain`: finishes the accepted requests.
    - `on_ready`: called when Slack can reach the bot. Its argument is the port of the HTTP server, or 0 in Socket Mode.
    """
    stopped = asyncio.create_task(stop.wait())
    async with opening as receiver:
        ends: list[asyncio.Future[Any]] = [stopped, receiver.refused]
        await asyncio.wait([receiver.ready, *ends], return_when=asyncio.FIRST_COMPLETED)
        if receiver.ready.done():
            on_ready(receiver.ready.result())
            bot.worker.start()
            bot.health.is_connected = receiver.is_connected
            slack = bot.settings.slack
            log.info("ready", extra={"fields": {"mode": slack.mode, "command": slack.command}})
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        bot.health.draining = True
        log.info("stopping")
        began = time.monotonic()
    stopped.cancel()
    await drain()
    log.info("stopped", extra={"fields": {"drain_ms": round((time.monotonic() - began) * 1000)}})
    if receiver.refused.done():
        raise StartError(receiver.refused.result(), code="socket_mode_unavailable")


@dataclass(frozen=True, slots=True)
class RunningReceiver:
    """An open receiver of Slack's payloads.

    - `ready`: a future that is done when Slack can reach the bot. Its result is the port, or 0 in Socket Mode.
    - `refused`: a future that is done when the receiver gives up: Slack permanently refuses the bot, or Socket Mode has
      not worked for five minutes. Its result is a sentence with the reason.
    - `is_connected`: returns whether Slack can reach the bot now.
    """

    ready: "asyncio.Future[int]"
    refused: "asyncio.Future[str]"
    is_connected: Callable[[], Awaitable[bool]]


@asynccontextmanager
async def open_socket_receiver(bot: Bot, *, known_sockets: int = 0) -> AsyncIterator[RunningReceiver]:
    """Begin to connect to Slack over Socket Mode, and yield the receiver at once, before it is connected.

    If a connection fails, try again until the receiver gives up (see RunningReceiver). At the end of the `with` block,
    acknowledge the received payloads and disconnect.

    `known_sockets`: the number of Socket Mode connections to the same Slack app that this process already has. If only
    one process can use the database, the log warns about further connections to the app, but not about these.
    """
    slack = bot.settings.slack
    single_process = not bot.settings.database.allows_replicas
    client = SocketModeReceiver(
        bot.app,
        slack.app_token,
        bot.socket_web,
        slack.proxies.of,
        bot.metrics,
        single_process=single_process,
        known_sockets=known_sockets,
        timing=bot.shared.durations.slack,
        bounds=bot.shared.durations.bounds,
        tracer=bot.shared.tracer,
    )

    async def connect() -> int:
        await client.connect()
        if client.refused.done():
            await asyncio.Future()  # never ready
        return 0

    connecting = asyncio.create_task(connect())
    stop_watching = watch_app_token(bot.secrets, client)
    try:
        yield RunningReceiver(connecting, client.refused, client.hears)
    finally:
        stop_watching()
        connecting.cancel()
        await client.close()


def new_http_receiver(bot: Bot) -> HttpReceiver:
    """Build the receiver of Slack's HTTP requests. The receiver gets new signing secrets when their files change."""
    receiver = HttpReceiver(
        bot.app,
        bot.settings.slack.signing_secrets,
        bot.metrics,
        timing=bot.shared.durations.slack,
        bounds=bot.shared.durations.bounds,
        tracer=bot.shared.tracer,
    )
    watch_signing_secrets(bot.secrets, receiver)
    bot.health.has_right_clock = receiver.clock.is_right
    return receiver


@asynccontextmanager
async def open_http_receiver(bot: Bot) -> AsyncIterator[RunningReceiver]:
    """Listen on HOST and PORT for Slack's HTTP requests, and yield the receiver.

    At the end of the `with` block, acknowledge the received payloads and stop listening. Raises StartError if the port
    cannot be opened.
    """
    settings, server, receiver = bot.settings, web.Application(client_max_size=BODY_BYTES), new_http_receiver(bot)
    receiver.add_to(server)
    if bot.oauth_callback:
        bot.oauth_callback.add_to(server)
    if not settings.health_port:
        bot.health.add_to(server)
    try:
        async with serve_http(server, settings.host, settings.port, "PORT", bot.shared.durations.bounds) as port:
            yield reachable_at(port)
    finally:
        receiver.close()
        if bot.oauth_callback:
            bot.oauth_callback.close()


def reachable_at(port: int) -> RunningReceiver:
    """Return a RunningReceiver for an HTTP server that listens on `port`.

    Its `ready` is done, `refused` is never done, and `is_connected` always returns True.
    """
    loop = asyncio.get_running_loop()
    running = RunningReceiver(loop.create_future(), loop.create_future(), _always)
    running.ready.set_result(port)
    return running


@asynccontextmanager
async def serve_health(health: HealthServer, settings: Settings | ProcessSettings) -> AsyncIterator[None]:
    """Serve the health endpoints on HEALTH_PORT until the `with` block ends.

    Raises StartError if the port cannot be opened.
    """
    server = web.Application(client_max_size=BODY_BYTES)
    health.add_to(server)
    async with serve_http(server, settings.host, settings.health_port or 0, "HEALTH_PORT"):
        yield


@asynccontextmanager
async def serve_http(
    server: web.Application, host: str, port: int, variable: str, bounds: ReceiverBounds = RECEIVER_BOUNDS
) -> AsyncIterator[int]:
    """Serve a web application on `port`, and yield the port.

    At the end of the `with` block, wait up to one second for the HTTP requests in progress.

    - `port`: 0 for any free port.
    - `variable`: the name of the setting with the port, for the error message.
    - `bounds`: limits the number of connections. Each connection above the limit gets status 503.

    Raises StartError if the port cannot be opened.
    """
    server.on_response_prepare.append(remove_server_header)
    runner = web.AppRunner(server, **SERVER_OPTIONS, shutdown_timeout=1.0)
    await runner.setup()
    refusals = new_refusal_log()
    try:
        site = await _create_server(runner, refusals, host, port, variable, bounds)
        try:
            yield site.sockets[0].getsockname()[1]
        finally:
            site.close()
    finally:
        await runner.cleanup()
        refusals.flush()


async def _create_server(
    runner: web.AppRunner, refusals: ThrottledLog, host: str, port: int, variable: str, bounds: ReceiverBounds
) -> asyncio.Server:
    """Open the port of an HTTP server. Answer each connection above `bounds.connections` with status 503.

    - `refusals`: the log for refused connections and for bytes that are not HTTP.
    - `variable`: the name of the setting with the port, for the error message.

    Raises StartError if the port cannot be opened.
    """
    serving, loop = runner.server, asyncio.get_running_loop()
    assert serving is not None  # noqa: S101 - it is set up

    def new_protocol() -> asyncio.Protocol:
        if len(serving.connections) >= bounds.connections:
            refusals.warning("too many connections", "connections")
            return OverloadedProtocol()
        return Connection(serving, refusals, loop=loop, **SERVER_OPTIONS)

    try:
        if host in ALL_ADDRESSES:
            return await loop.create_server(new_protocol, sock=all_addresses(port))
        return await loop.create_server(new_protocol, host, port)
    except OSError as error:
        raise StartError(f"Cannot listen on {host}:{port} ({error.strerror}). Check HOST and {variable}.") from None


def all_addresses(port: int) -> socket.socket:
    """Return a socket that listens on `port` at all IPv6 and IPv4 addresses of this machine.

    If the machine has no IPv6, the socket listens at all IPv4 addresses. Raises OSError if the port cannot be opened.
    """
    if socket.has_dualstack_ipv6():
        try:
            return socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True)
        except OSError as error:
            if error.errno not in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
                raise
    return socket.create_server(("0.0.0.0", port))  # noqa: S104 - HOST says so


class OverloadedProtocol(asyncio.Protocol):
    """Answers a new connection with HTTP status 503 and closes it, because the server has too many connections."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        writable = cast(asyncio.WriteTransport, transport)  # a socket's; uvloop's transports have other base classes
        writable.write(b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
        writable.close()


async def _always() -> bool:
    return True
