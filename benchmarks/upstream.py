"""Serve what a peer calls: Slack's Web API with response_urls, Genesys's login and API, each on its own port.

The servers are bare protocols in the driver's event loop, since the sandbox's servers would be the bottleneck
(README.md says by how much). They count calls and connections, and report each answer to the driver.
"""

import asyncio
import json
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from email.utils import formatdate
from functools import cache, partial
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httptools

CREATE_SECONDS = 0.05
"""How long the session service takes to create a session."""
LINK = b"/join/"
"""Text that occurs in each answer with a join URL, and in no other."""

Answer = tuple[bytes, float]
"""A whole HTTP response, and the seconds to wait before it is sent."""


class Upstream:
    """The three servers of one peer. `calls` and `connections` are never reset; use their differences."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self.connections: Counter[str] = Counter()
        self.urls: dict[str, str] = {}
        self.socket_url = ""
        self.on_answer: Callable[[int], None] = lambda number: None

    @asynccontextmanager
    async def open(self) -> AsyncIterator["Upstream"]:
        """Listen on three free ports.

        `urls` holds the URL of each server by its name. It also holds `response_url`, which is on Slack's port.
        """
        loop = asyncio.get_running_loop()
        servers = {"slack": self._slack, "genesys": self._genesys, "login": self._login}
        async with AsyncExitStack() as stack:
            for name, answer in servers.items():
                server = await loop.create_server(partial(Connection, name, answer, self), "127.0.0.1", 0)
                stack.callback(server.close)
                self.urls[name] = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            self.urls["response_url"] = self.urls["slack"]
            yield self

    def _slack(self, path: str, body: bytes) -> Answer:
        parts = urlsplit(path)
        if parts.path.startswith("/commands/"):
            return self._reply(path, body)
        method = parts.path.rpartition("/")[2]
        self.calls[method] += 1
        args = parse_qs(parts.query) | parse_qs(body.decode())
        return _json({"ok": True, **self._said(method, args)}), 0.0

    def _said(self, method: str, args: dict[str, list[str]]) -> dict[str, Any]:
        match method:
            case "auth.test":
                bot = {"user": "cobrowse", "user_id": "U0BOT", "bot_id": "B0BOT", "is_enterprise_install": False}
                return {"url": "https://bench.slack.com/", "team": "Bench", "team_id": "T0BENCH", **bot}
            case "users.info":
                user = args["user"][0]
                profile = {"real_name": f"Agent {user}", "display_name": user, "team": "T0BENCH"}
                flags = dict.fromkeys(("deleted", "is_bot", "is_restricted", "is_ultra_restricted"), False)
                return {"user": {"id": user, "team_id": "T0BENCH", "name": user, "profile": profile, **flags}}
            case "apps.connections.open":
                return {"url": self.socket_url}
            case _:
                return {}

    def _reply(self, path: str, body: bytes) -> Answer:
        if LINK in body:
            self.calls["answer"] += 1
            self.on_answer(int(path.rpartition("/")[2]))
        else:
            self.calls["post without a link"] += 1
        return _response(b"ok", "text/html"), 0.0

    def _genesys(self, path: str, body: bytes) -> Answer:
        self.calls["create"] += 1
        number = self.calls["create"]
        session = {
            "id": f"session-{number}",
            "joinUrl": f"https://join.example.com{LINK.decode()}{number:024d}",
            "status": "active",
            "hostUserId": json.loads(body)["hostUserId"],
        }
        return _json(session, f"inin-correlation-id: {number:032x}\r\n{RATE_LIMIT}"), CREATE_SECONDS

    def _login(self, path: str, body: bytes) -> Answer:
        self.calls["token"] += 1
        return _json({"access_token": "t" * 86, "token_type": "bearer", "expires_in": 86_400}), 0.0


RATE_LIMIT = "inin-ratelimit-count: 1\r\ninin-ratelimit-allowed: 1000000\r\ninin-ratelimit-reset: 60\r\n"


class Connection(asyncio.Protocol):
    """One connection to one of the servers, without pipelining, which no client here uses."""

    def __init__(self, name: str, answer: Callable[[str, bytes], Answer], upstream: Upstream) -> None:
        self._name, self._answer, self._upstream = name, answer, upstream
        self._parser: Any = httptools.HttpRequestParser(self)
        self._url, self._body = b"", b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport
        self._upstream.connections[self._name] += 1

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_begin(self) -> None:
        self._url = self._body = b""

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        response, seconds = self._answer(self._url.decode(), self._body)
        if seconds:
            asyncio.get_running_loop().call_later(seconds, self._write, response)
        else:
            self._write(response)

    def _write(self, response: bytes) -> None:
        self._transport.write(response)
        if not self._parser.should_keep_alive():
            self._transport.close()


def _json(value: dict[str, Any], headers: str = "") -> bytes:
    return _response(json.dumps(value).encode(), "application/json; charset=utf-8", headers)


def _response(body: bytes, content_type: str, headers: str = "") -> bytes:
    head = f"HTTP/1.1 200 OK\r\ndate: {_date(int(time.time()))}\r\ncontent-type: {content_type}\r\n{headers}"
    return f"{head}content-length: {len(body)}\r\n\r\n".encode() + body


@cache
def _date(second: int) -> str:
    return formatdate(second, usegmt=True)
