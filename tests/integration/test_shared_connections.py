"""The connections that all workspaces of a process share: any client uses an idle one, and none can use them up."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager

import aiohttp
import httpx
import pytest
from aiohttp import web

from bot.genesys import http as genesys
from bot.slack.api import responder as slack

Call = Callable[[str], Awaitable[int]]
Close = Callable[[], Awaitable[None]]
Clients = Callable[[int], AbstractAsyncContextManager[list[tuple[Call, Close]]]]


class Server:
    """A server that counts its connections and sets a cookie. It answers `/hang` when `go_on` is set, else at once."""

    def __init__(self) -> None:
        self.connections: set[object] = set()
        self.cookies: list[str] = []
        self.hanging = 0
        self.arrived, self.go_on = asyncio.Condition(), asyncio.Event()
        self.url = ""

    async def answer(self, request: web.Request) -> web.Response:
        self.connections.add(request.transport)
        self.cookies += request.headers.getall("Cookie", [])
        if request.path == "/hang":
            async with self.arrived:
                self.hanging += 1
                self.arrived.notify_all()
            await self.go_on.wait()
        response = web.Response()
        response.set_cookie("session", "somebody")
        return response

    async def until_hanging(self, count: int) -> None:
        async with asyncio.timeout(10), self.arrived:
            await self.arrived.wait_for(lambda: self.hanging >= count)


@asynccontextmanager
async def open_server() -> AsyncIterator[Server]:
    server, app = Server(), web.Application()
    app.router.add_post("/{path:.*}", server.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server.url = f"http://localhost:{runner.addresses[0][1]}"  # aiohttp keeps no cookies of an IP address anyway
    try:
        yield server
    finally:
        server.go_on.set()
        await runner.cleanup()


@asynccontextmanager
async def genesys_clients(count: int) -> AsyncIterator[list[tuple[Call, Close]]]:
    """Yield the calls of clients of several workspaces for Genesys over one pool, each with its `close`."""

    def calling(client: genesys.HttpClient) -> Call:
        async def call(url: str) -> int:
            return (await client.send_call(httpx.Request("POST", url), httpx.Auth())).status_code

        return call

    async with genesys.new_pool() as pool:
        clients = [genesys.HttpClient(pool=pool) for _ in range(count)]
        yield [(calling(each), each.aclose) for each in clients]
        for each in clients:
            await each.aclose()


@asynccontextmanager
async def slack_clients(count: int) -> AsyncIterator[list[tuple[Call, Close]]]:
    """Yield the calls of clients of several workspaces for Slack over one pool, each with its `close`."""

    def calling(client: aiohttp.ClientSession) -> Call:
        async def call(url: str) -> int:
            async with client.post(url) as response:
                await response.read()
                return response.status

        return call

    async with slack.new_pool() as pool, AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(slack.new_http_session(pool=pool)) for _ in range(count)]
        yield [(calling(each), each.close) for each in clients]


BOTH = pytest.mark.parametrize(
    ("clients", "limit"),
    [(genesys_clients, genesys.MAX_CONNECTIONS), (slack_clients, slack.MAX_CONNECTIONS)],
    ids=["genesys", "slack"],
)


@BOTH
async def test_an_idle_connection_serves_any_workspace(clients: Clients, limit: int) -> None:
    async with open_server() as server, clients(3) as opened:
        for call, _ in opened * 2:
            assert await call(server.url) == 200
        assert len(server.connections) == 1


@BOTH
async def test_a_workspace_leaves_connections_to_the_others(clients: Clients, limit: int) -> None:
    async with open_server() as server, clients(2) as opened:
        (greedy, _), (other, _) = opened
        hanging = [asyncio.ensure_future(greedy(f"{server.url}/hang")) for _ in range(limit + 1)]
        await server.until_hanging(limit)
        async with asyncio.timeout(5):
            assert await other(server.url) == 200
        assert server.hanging == limit, "its next call waits for one of its own"
        server.go_on.set()
        async with asyncio.timeout(10):
            assert set(await asyncio.gather(*hanging)) == {200}


@BOTH
async def test_the_end_of_a_workspace_closes_no_connection(clients: Clients, limit: int) -> None:
    async with open_server() as server, clients(2) as opened:
        (ended, close), (other, _) = opened
        assert await ended(server.url) == 200
        await close()
        assert await other(server.url) == 200
        assert len(server.connections) == 1


@BOTH
async def test_no_cookie_of_one_workspace_reaches_another(clients: Clients, limit: int) -> None:
    async with open_server() as server, clients(2) as opened:
        for call, _ in opened * 2:
            assert await call(server.url) == 200
        assert (len(server.connections), server.cookies) == (1, [])
