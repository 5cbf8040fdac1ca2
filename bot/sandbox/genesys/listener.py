"""The door of the sandbox's Genesys: a port that can be shut, cutting every connection, and opened again."""

import asyncio
import socket
from collections.abc import Collection
from typing import Any

from aiohttp import web


class Listener:
    """Shut at first. While it is shut the port stays ours, and connecting is refused, since nobody listens."""

    def __init__(self) -> None:
        self._moving = asyncio.Lock()
        self._runner: web.AppRunner | None = None
        self._site: web.SockSite | None = None
        self._socket: socket.socket | None = None

    async def hold(self, app: web.Application, host: str, port: int) -> str:
        """Takes the port, and returns the URL. Raises OSError when somebody else has it."""
        self._socket = _bind(host, port)
        host, port = self._socket.getsockname()[:2]
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    async def move(self, *, is_open: bool) -> None:
        """Opens or shuts it; nothing happens while the port is not held."""
        async with self._moving:
            if self._runner is None or self._socket is None or is_open == (self._site is not None):
                return
            if is_open:
                self._site = web.SockSite(self._runner, self._socket)
                await self._site.start()
            else:
                address = self._socket.getsockname()[:2]
                await self._shut(self._runner)
                self._socket = _bind(*address)

    async def leave(self, busy: Collection[asyncio.Task[Any]]) -> None:
        """Shuts it, ends what is still being answered, and lets the port go."""
        async with self._moving:
            if self._runner is None or self._socket is None:
                return
            await self._shut(self._runner)
            for task in busy:
                task.cancel()
            await asyncio.gather(*busy, return_exceptions=True)
            await self._runner.cleanup()
            self._socket.close()
            self._runner = self._socket = None

    async def _shut(self, runner: web.AppRunner) -> None:
        if self._site is not None:
            await self._site.stop()
            self._site = None
        for connection in runner.server.connections if runner.server else []:
            if connection.transport is not None:
                connection.transport.abort()


def _bind(host: str, port: int) -> socket.socket:
    """A socket that owns its port and does not listen yet."""
    bound = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
    except OSError:
        bound.close()
        raise
    return bound
