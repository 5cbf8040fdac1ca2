"""Pass each HTTP request to the workspace that serves the HTTP request's method and path."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiohttp import web

from bot.app import Bot
from bot.observability.logging import workspace
from bot.observability.throttled_log import ThrottledLog
from bot.server import RunningReceiver, new_http_receiver, reachable_at
from bot.slack.manifest import EVENTS_PATH, below

Handle = Callable[[web.Request], Awaitable[web.Response]]


class Route:
    """Handles the HTTP requests to one path of a workspace, and counts the HTTP requests in progress.

    - `name`: the workspace's short name.
    - `handle`: answers an HTTP request.
    - `limit`: the maximum number of HTTP requests in progress. While this maximum is reached, the route answers each
      new HTTP request with status 503.
    """

    def __init__(self, name: str, handle: Handle, limit: int) -> None:
        self._name, self._handle, self._limit = name, handle, limit
        self._log = ThrottledLog(logging.getLogger(__name__))
        self._in_progress = 0
        self._idle = asyncio.Event()
        self._idle.set()

    async def __call__(self, request: web.Request) -> web.Response:
        """Answer an HTTP request. All log lines about the HTTP request contain the workspace's short name."""
        token = workspace.set(self._name)
        self._in_progress += 1
        self._idle.clear()
        try:
            return self._refuse() if self._in_progress > self._limit else await self._handle(request)
        finally:
            self._in_progress -= 1
            if not self._in_progress:
                self._idle.set()
            workspace.reset(token)

    async def finish(self) -> None:
        """Wait until no HTTP request is in progress, and log the refused HTTP requests that are not in the log yet."""
        await self._idle.wait()
        self._log.flush()

    def _refuse(self) -> web.Response:
        """Return a response with status 503 that closes the connection, so that other clients can connect."""
        self._log.warning("too many requests at once", "requests", status=503)
        response = web.Response(status=503)
        response.force_close()
        return response


class WorkspaceRoutes:
    """The HTTP routes of all workspaces in one server. Routes can be added and removed while the server runs.

    `port`: the server's port. It is 0 until the caller sets it, after the server has begun to listen.
    """

    def __init__(self) -> None:
        self.port = 0
        self._routes: dict[tuple[str, str], list[Route]] = {}  # the newest last, which is the one in use

    def add_to(self, server: web.Application) -> None:
        """Add a route for all paths to a server. The server's other routes take precedence over this route."""
        server.router.add_route("*", "/{path:.*}", self._handle)

    @asynccontextmanager
    async def open_receiver(self, bot: Bot) -> AsyncIterator[RunningReceiver]:
        """Receive HTTP requests for the bot's workspace until the `with` block ends. Yield a receiver that is ready.

        If two bots of one workspace receive at the same time, the newer bot gets all HTTP requests. At the end of the
        block, wait until the HTTP requests in progress are answered.
        """
        name, receiver, callback = bot.settings.workspace, new_http_receiver(bot), bot.oauth_callback
        limit = bot.shared.durations.bounds.requests
        routes = {("POST", below(EVENTS_PATH, name)): Route(name, receiver.handle, limit)}
        if callback:
            routes["GET", bot.settings.connect.path] = Route(name, callback.handle, limit)
        for key, route in routes.items():
            self._routes.setdefault(key, []).append(route)
        try:
            yield reachable_at(self.port)
        finally:
            for key, route in routes.items():
                self._remove(key, route)
            await asyncio.gather(*(route.finish() for route in routes.values()))
            receiver.close()
            if callback:
                callback.close()

    async def _handle(self, request: web.Request) -> web.Response:
        """Answer an HTTP request with the route for its method and path. Of several routes, use the one added last.

        Raises HTTPNotFound if there is no route.
        """
        routes = self._routes.get((request.method, request.path))
        if not routes:
            raise web.HTTPNotFound
        return await routes[-1](request)

    def _remove(self, key: tuple[str, str], route: Route) -> None:
        self._routes[key].remove(route)
        if not self._routes[key]:
            del self._routes[key]
