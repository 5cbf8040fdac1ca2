"""Run a server before a working server, over TLS and under a different name, with one fault that a test chooses.

Faults of the connection affect every client. Other faults affect requests whose request line matches a pattern.
"""

import asyncio
import contextlib
import re
import socket
import ssl
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.support.certificates import Authority, self_signed
from tests.support.server_faults import FAULTS, Exchange, elsewhere, forward

UNREACHED = ("refused", "dns", "tls")


class Front:
    """A server that forwards requests and injects faults. `url` is its URL.

    `seen` holds the request lines. `sent_bytes` counts the bytes of a huge body that the bot accepted. With
    `usual_port`, the URL contains no port: the look-up of the name leads to the right port.
    """

    def __init__(
        self, name: str, upstream: str, authority: Authority, directory: Path, *, usual_port: bool = False
    ) -> None:
        self.name = name
        self.seen: list[str] = []
        self.sent_bytes = 0
        self.is_lost = False  # to name look-ups
        self.wrong_types: bytes = b"[7]"
        self._host, self._port = upstream.removeprefix("http://").split(":")
        self._good, self._bad = authority.vouch(name), self_signed(directory, name)
        self._good.sni_callback = self._choose
        self._fault, self._on, self._after = "", re.compile(""), re.compile("")
        self._server: asyncio.Server | None = None
        self._talking: set[asyncio.Task[Any]] = set()
        self._reserved = socket.socket()
        self._reserved.bind(("127.0.0.1", 0))
        self.port = int(self._reserved.getsockname()[1])
        self.url = f"https://{name}" if usual_port else f"https://{name}:{self.port}"

    async def inject_fault(self, fault: str, on: str = "", after: str = "") -> None:
        """Inject a fault into requests that match `on`.

        A fault of the connection begins after the answer to a request that matches `after`; at once if `after` is "".
        """
        self._on, self._after = re.compile(on), re.compile(after)
        self.seen.clear()
        self.sent_bytes = 0
        if after and fault in UNREACHED:
            self._fault = f"later {fault}"
        else:
            await self._set(fault)

    def seen_of(self, on: str) -> list[str]:
        """Return the request lines that match a pattern."""
        return [line for line in self.seen if re.search(on, line)]

    async def _set(self, fault: str) -> None:
        self._fault, self.is_lost = fault, fault == "dns"
        if fault == "refused":
            await self.close()
        elif self._server is None:
            await self.open()

    def _choose(self, connection: ssl.SSLObject, _name: str | None, _context: ssl.SSLContext) -> None:
        if self._fault == "tls":
            connection.context = self._bad

    async def open(self) -> None:
        self._reserved.close()
        self._server = await asyncio.start_server(self._talk, "127.0.0.1", self.port, ssl=self._good)

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        for task in self._talking - {asyncio.current_task()}:
            task.cancel()

    async def _talk(self, reader: StreamReader, writer: StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._talking.add(task)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            head = await reader.readuntil(b"\r\n\r\n")
            line = head.split(b"\r\n", 1)[0].decode()
            self.seen.append(line)
            exchange = Exchange(line, head, reader, writer)
            strikes = self._fault in FAULTS and self._on.search(line)
            behave = elsewhere if " /elsewhere " in line else FAULTS[self._fault] if strikes else forward
            await behave(self, exchange)
        writer.close()
        self._talking.discard(task)

    async def ask(self, exchange: Exchange) -> bytes:
        """Forward the request to the working server, and return its answer."""
        body = await exchange.body()
        reader, writer = await asyncio.open_connection(self._host, int(self._port))
        writer.write(exchange.head[:-2] + b"Connection: close\r\n\r\n" + body)
        answer = await reader.read()
        writer.close()
        if self._fault.startswith("later ") and self._after.search(exchange.line):
            await self._set(self._fault.removeprefix("later "))
        return answer


@asynccontextmanager
async def opened(*fronts: Front) -> AsyncIterator[None]:
    """Start these servers. Only this process can resolve their names."""
    loop = asyncio.get_running_loop()
    look_up, names = loop.getaddrinfo, {front.name: front for front in fronts}

    async def getaddrinfo(host: Any, port: Any, **how: Any) -> Any:
        front = names.get(host)
        if front and front.is_lost:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return await look_up("127.0.0.1" if front else host, front.port if front else port, **how)

    loop.getaddrinfo = getaddrinfo  # type: ignore[method-assign]
    for front in fronts:
        await front.open()
    try:
        yield
    finally:
        for front in fronts:
            await front.close()
        loop.getaddrinfo = look_up  # type: ignore[method-assign]
