"""Run a peer with its upstream, its processes and its load, ready to be measured."""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from benchmarks.load import PEOPLE, USUAL_PEOPLE, Load
from benchmarks.peers import Peer, environment, several, workspace_names, write_hosts
from benchmarks.process import Server, cores, free_port
from benchmarks.transports import HttpTransport, SocketTransport, Transport
from benchmarks.upstream import Upstream

READY_SECONDS = 30.0
POLL_SECONDS = 0.002
READY_LINE = b" ready "
"""Text that occurs in the line of the log that says that a workspace is ready, and in no other."""
WARM_UP_IN_FLIGHT = 32
_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Subject:
    """A running peer with its upstream and load."""

    peer: Peer
    load: Load
    upstream: Upstream
    servers: list[Server]
    ready_seconds: float
    started_at: float

    @property
    def age_seconds(self) -> float:
        return time.monotonic() - self.started_at


@asynccontextmanager
async def running(
    peer: Peer,
    transport: str,
    scratch: Path,
    *,
    people: int = USUAL_PEOPLE,
    processes: int = 1,
    database_url: str | None = None,
    more: Mapping[str, str] | None = None,
    workspaces: int = 0,
    waits_for_log: bool = False,
) -> AsyncIterator[Subject]:
    """Start a peer and yield it when it takes commands, not yet warm. Its files go to a new folder in `scratch`.

    `more`: environment variables that the process gets besides the usual ones. `workspaces`: how many workspaces of a
    file the bot serves, each with `people` hosts; 0 without such a file. They get the commands in turn.
    `waits_for_log`: wait for the bot's log to say that it is ready, since requests to ask for that cost it CPU.
    """
    directory = scratch / f"{peer.name}-{next(_numbers)}"
    directory.mkdir()
    write_hosts(directory, PEOPLE[:people] if workspaces else PEOPLE)
    async with AsyncExitStack() as stack:
        upstream = await stack.enter_async_context(Upstream().open())
        socket_transport = (
            await stack.enter_async_context(SocketTransport().open(upstream)) if transport == "socket" else None
        )
        ports, servers = [], []
        began = time.monotonic()
        for _ in range(processes):
            port = free_port()
            url = database_url or f"sqlite:///{directory / 'bot.db'}"
            environ = environment(upstream.urls, transport=transport, port=port, directory=directory, database_url=url)
            environ = several(environ, workspaces, directory) if workspaces else environ
            server = Server(peer.argv(transport), environ | dict(more or {}), directory, cores()[1])
            stack.callback(server.kill)
            ports.append(port)
            servers.append(server)
        for server, port in zip(servers, ports, strict=True):
            if waits_for_log:
                await _all_ready(server, max(workspaces, 1))
            else:
                await _ready(server, port, socket_transport)
        paths = [f"/slack/events/{name}" for name in workspace_names(workspaces)]
        way: Transport = socket_transport or HttpTransport(ports, paths or ["/slack/events"])
        ready_seconds = time.monotonic() - servers[0].started_at
        yield Subject(peer, Load(way, upstream, servers, people), upstream, servers, ready_seconds, began)


async def warm_up(subject: Subject) -> int:
    """Warm caches, pools and compilers: everybody types twice. Return the number of commands."""
    commands = 2 * subject.load.people
    await subject.load.commands(commands, WARM_UP_IN_FLIGHT)
    return commands


async def _all_ready(server: Server, workspaces: int) -> None:
    """Wait until the log says that each workspace is ready."""
    async with asyncio.timeout(READY_SECONDS):
        while server.log.read_bytes().count(READY_LINE) < workspaces:
            server.check()
            await asyncio.sleep(POLL_SECONDS)


async def _ready(server: Server, port: int, transport: SocketTransport | None) -> None:
    async with asyncio.timeout(READY_SECONDS):
        if transport:
            connected = asyncio.create_task(transport.connected())
            while not connected.done():
                server.check()
                await asyncio.sleep(POLL_SECONDS)
            return
        while not await _answers(port):
            server.check()
            await asyncio.sleep(POLL_SECONDS)


async def _answers(port: int) -> bool:
    """Return whether the server answers HTTP with any status, since only the bot has /healthz."""
    with suppress(OSError):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /healthz HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n")
        answer = await reader.read(12)
        writer.close()
        return answer.startswith(b"HTTP/1.1 ")
    return False
