"""Simulate faults of the network between one replica and Postgres with a proxy.

On a lost line, packets vanish: neither end gets a FIN, a RST or an ACK, as when a machine loses power. A socket filter
that accepts no packet does this in the kernel, and needs no privilege: https://docs.kernel.org/networking/filter.html
"""

import asyncio
import contextlib
import ctypes
import struct
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from socket import SOL_SOCKET
from typing import Any
from urllib.parse import parse_qs, urlsplit

SO_ATTACH_FILTER, SO_DETACH_FILTER = 26, 27  # asm-generic/socket.h
TAKE_NOTHING = ctypes.create_string_buffer(struct.pack("HBBI", 0x06, 0, 0, 0))  # BPF_RET | BPF_K, 0 bytes

CAN_LOSE = sys.platform == "linux"


class Wire:
    """A proxy to the database on a separate port. `url` is the database's URL through the proxy."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._server_port = int(parse_qs(parts.query)["port"][0])
        self._path = parts.path
        self._listener: asyncio.Server | None = None
        self._pairs: dict[asyncio.StreamWriter, asyncio.StreamWriter] = {}
        self._carrying: set[asyncio.Task[None]] = set()
        self._flows = asyncio.Event()
        self._flows.set()
        self._is_cut = False
        self._is_lost = False
        self._words = b""
        self._then: Callable[[], None] = self.freeze

    async def open(self) -> None:
        self._listener = await asyncio.start_server(self._carry, "127.0.0.1", 0)

    @property
    def url(self) -> str:
        assert self._listener
        return f"postgresql://postgres@127.0.0.1:{self._listener.sockets[0].getsockname()[1]}{self._path}"

    async def close(self) -> None:
        assert self._listener
        self.heal()
        self.cut()
        await asyncio.sleep(0.02)  # asyncio stumbles over one that is just being accepted
        self._listener.close()
        if self._carrying:
            await asyncio.wait(self._carrying)

    def cut(self) -> None:
        """Abort all connections at both ends, and refuse new ones."""
        self._is_cut = True
        for near, far in tuple(self._pairs.items()):
            near.transport.abort()
            far.transport.abort()

    def move(self, url: str) -> None:
        """Forward new connections to another server. Open connections stay at the old server."""
        self._server_port = int(parse_qs(urlsplit(url).query)["port"][0])

    def freeze(self) -> None:
        """Accept all data, and forward none of it."""
        self._flows.clear()

    def forget(self) -> None:
        """Forward no data, and abort all connections at the server's end only."""
        self.freeze()
        for far in tuple(self._pairs.values()):
            far.transport.abort()

    def after(self, words: bytes, then: Callable[[], None]) -> None:
        """Call `then` once the data that goes to the server contains `words`, before the server answers."""
        self._words, self._then = words, then

    def lose(self) -> None:
        """Drop all packets in both directions, of new connections too."""
        self.freeze()
        self._is_lost = True
        assert self._listener
        for one in (*self._listener.sockets, *map(_socket, self._pairs), *map(_socket, self._pairs.values())):
            _lose(one)

    def heal(self) -> None:
        """End the fault, and forward the data that was held back."""
        if self._is_lost:
            assert self._listener
            for one in (*self._listener.sockets, *map(_socket, self._pairs), *map(_socket, self._pairs.values())):
                one.setsockopt(SOL_SOCKET, SO_DETACH_FILTER, 0)
        self._is_cut = self._is_lost = False
        self._flows.set()

    def _carry(self, reader: asyncio.StreamReader, near: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._connect(reader, near))
        self._carrying.add(task)
        task.add_done_callback(self._carrying.discard)

    async def _connect(self, reader: asyncio.StreamReader, near: asyncio.StreamWriter) -> None:
        await self._flows.wait()
        if self._is_cut:
            near.transport.abort()
            return
        far_reader, far = await asyncio.open_connection("127.0.0.1", self._server_port)
        self._pairs[near] = far
        pumps = [asyncio.create_task(self._pump(*one)) for one in ((reader, far), (far_reader, near))]
        await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        await self._flows.wait()  # while nothing flows, the one does not hear that the other is gone
        for task in pumps:
            task.cancel()
        near.transport.abort()
        far.transport.abort()
        del self._pairs[near]

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65_536):
                await self._flows.wait()
                writer.write(data)
                if self._words and self._words in data:
                    self._words = b""
                    self._then()
                await writer.drain()


def _socket(writer: asyncio.StreamWriter) -> Any:
    return writer.get_extra_info("socket")


def _lose(one: Any) -> None:
    one.setsockopt(SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("HP", 1, ctypes.addressof(TAKE_NOTHING)))


@asynccontextmanager
async def new_wire(url: str) -> AsyncIterator[Wire]:
    """Yield a proxy without a fault."""
    wire = Wire(url)
    await wire.open()
    try:
        yield wire
    finally:
        await wire.close()
