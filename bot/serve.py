"""Runs a bot until it is told to stop, over Socket Mode or HTTP, and finishes what it has accepted before it goes."""

import asyncio
import importlib.util
import logging
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from aiohttp import web
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.desk.desk import Desk
from bot.settings import Settings
from bot.slack.endpoint import BODY_BYTES, Endpoint
from bot.slack.socket import SocketDoor

log = logging.getLogger(__name__)

T = TypeVar("T")


class Refused(Exception):
    """The bot cannot run, and starting it again will not help; its text is a sentence that says why."""


def fast_loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop's event loop where it is installed (the extra `fast`), else None for asyncio's own."""
    if importlib.util.find_spec("uvloop") is None:
        return None
    return cast(Callable[[], asyncio.AbstractEventLoop], importlib.import_module("uvloop").new_event_loop)


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


async def run(
    app: AsyncApp,
    desk: Desk,
    socket_web: AsyncWebClient,
    settings: Settings,
    stop: asyncio.Event,
    on_ready: Callable[[int], None] = lambda port: None,
) -> None:
    """Serves until `stop` is set, then finishes what is accepted. Raises Refused.

    `on_ready` is told the port the HTTP server listens on, 0 with Socket Mode.
    """
    over_http = settings.slack.mode == "http"
    stopped = asyncio.create_task(stop.wait())
    async with http_door(app, settings) if over_http else socket_door(app, socket_web, settings) as door:
        ends: list[asyncio.Future[Any]] = [stopped, door.refused]
        await asyncio.wait([door.ready, *ends], return_when=asyncio.FIRST_COMPLETED)
        if door.ready.done():
            on_ready(door.ready.result())
            desk.open()
            log.info("ready", extra={"fields": {"mode": settings.slack.mode, "command": settings.slack.command}})
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        log.info("stopping")
        began = time.monotonic()
    stopped.cancel()
    await desk.drain(settings.shutdown_seconds)
    log.info("stopped", extra={"fields": {"drain_ms": round((time.monotonic() - began) * 1000)}})
    if door.refused.done():
        raise Refused(door.refused.result())


@dataclass(frozen=True, slots=True)
class Door:
    """`ready` gets the port once Slack can reach us; `refused` a sentence when Slack will never let us in."""

    ready: "asyncio.Future[int]"
    refused: "asyncio.Future[str]"


@asynccontextmanager
async def socket_door(app: AsyncApp, socket_web: AsyncWebClient, settings: Settings) -> AsyncIterator[Door]:
    """Connects to Slack, for as long as it takes. Leaving it answers what has been received, and takes no more."""
    client = SocketDoor(app, settings.slack.app_token, socket_web, settings.slack.proxies.of)

    async def connect() -> int:
        await client.connect()
        if client.refused.done():
            await asyncio.Future()  # never ready
        return 0

    connecting = asyncio.create_task(connect())
    try:
        yield Door(connecting, client.refused)
    finally:
        connecting.cancel()
        await client.close()


@asynccontextmanager
async def http_door(app: AsyncApp, settings: Settings) -> AsyncIterator[Door]:
    """Listens. Leaving it answers what has been received, and takes no more. Raises Refused."""
    server = web.Application(client_max_size=BODY_BYTES)
    Endpoint(app, settings.slack.signing_secret).add_to(server)
    server.router.add_get("/healthz", _healthz)
    runner = web.AppRunner(server, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, settings.host, settings.port).start()
        except OSError as error:
            where = f"{settings.host}:{settings.port}"
            raise Refused(f"Cannot listen on {where} ({error.strerror}). Check HOST and PORT.") from None
        loop = asyncio.get_running_loop()
        door = Door(loop.create_future(), loop.create_future())
        door.ready.set_result(runner.addresses[0][1])
        yield door
    finally:
        await runner.cleanup()


async def _healthz(_: web.Request) -> web.Response:
    return web.json_response({"status": "ok"})
