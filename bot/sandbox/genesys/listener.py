"""Open and close the port of the sandbox's Genesys."""

import asyncio
import socket
from collections.abc import Collection
from typing import Any

from aiohttp import web


class Listener:
    """The port of the sandbox's Genesys, which can be closed and opened again while the server runs.

    `bind` reserves the port. `set_open` opens or closes the port. A closed port refuses connections, and no other
    program can use it. `close` releases the port.
    """

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._runner: web.AppRunner | None = None
        self._site: web.SockSite | None = None
        self._socket: socket.socket | None = None

    async def bind(self, app: web.Application, host: str, port: int) -> str:
        """Bind the port without listening, and return the URL of the server.

        - `app`: handles the HTTP requests to the port.
        - `port`: 0 selects a free port.

        Raises OSError if the port is in use.
        """
        self._socket = _bound_socket(host, port)
        host, port = self._socket.getsockname()[:2]
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    async def set_open(self, *, is_open: bool) -> None:
        """Open or close the port. Do nothing before `bind` and after `close`.

        `is_open`: True to open the port, False to close the port and abort every connection.
        """
        async with self._lock:
            if self._runner is None or self._socket is None or is_open == (self._site is not None):
                return
            if is_open:
                self._site = web.SockSite(self._runner, self._socket)
                await self._site.start()
            else:
                address = self._socket.getsockname()[:2]
                await self._stop_listening(self._runner)
                self._socket = _bound_socket(*address)

    async def close(self, tasks: Collection[asyncio.Task[Any]]) -> None:
        """Stop listening, abort every connection, cancel `tasks`, and release the port.

        `tasks`: the tasks that process calls.
        """
        async with self._lock:
            if self._runner is None or self._socket is None:
                return
            await self._stop_listening(self._runner)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._runner.cleanup()
            self._socket.close()
            self._runner = self._socket = None

    async def _stop_listening(self, runner: web.AppRunner) -> None:
        if self._site is not None:
            await self._site.stop()
            self._site = None
        for connection in runner.server.connections if runner.server else []:
            if connection.transport is not None:
                connection.transport.abort()


def _bound_socket(host: str, port: int) -> socket.socket:
    """Return a socket that is bound to the port and does not listen. Raises OSError if the port is in use."""
    bound = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
    except OSError:
        bound.close()
        raise
    return bound
