"""Run the floor, the least that a server can do: check the signature, ack, call the service, post the answer.

It has no Slack framework, database, access rules or messages. `http`: a bare ASGI application on uvicorn and uvloop;
`socket`: a bare aiohttp WebSocket on uvloop.
"""

import asyncio
import hashlib
import hmac
import json
import os
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qsl

import aiohttp
import uvicorn
import uvloop

SECRET = os.environ["SLACK_SIGNING_SECRET"].encode()
CREATE_URL = os.environ["GENESYS_API_URL"] + "/api/v2/conversations/cobrowse"
CREATE_HEADERS = {"Authorization": "Bearer " + "t" * 86}
HOST_ID = "11111111-1111-4111-8111-111111111111"


class Floor:
    """The work after the ack, which HTTP and Socket Mode share."""

    def __init__(self) -> None:
        self.http: aiohttp.ClientSession
        self._working: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        self.http = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=1000))

    def begin(self, command: dict[str, str]) -> None:
        """Start to process a command after its ack."""
        task = asyncio.create_task(self._work(command))
        self._working.add(task)
        task.add_done_callback(self._working.discard)

    async def _work(self, command: dict[str, str]) -> None:
        order = {
            "hostUserId": HOST_ID,
            "application": {"id": "web", "type": "web"},
            "sessionName": command["text"],
            "timeoutSeconds": 1800,
        }
        async with self.http.post(CREATE_URL, json=order, headers=CREATE_HEADERS) as response:
            session = await response.json()
        answer = {"text": f"The customer's link: {session['joinUrl']}", "response_type": "ephemeral"}
        async with self.http.post(command["response_url"], json=answer) as response:
            await response.read()


class HttpFloor(Floor):
    """The floor as an ASGI application."""

    async def __call__(
        self,
        scope: dict[str, Any],
        receive: Callable[[], Awaitable[dict[str, Any]]],
        send: Callable[[dict[str, Any]], Awaitable[None]],
    ) -> None:
        if scope["type"] == "lifespan":
            await receive()
            await self.open()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await self.http.close()
            await send({"type": "lifespan.shutdown.complete"})
            return
        body, more = b"", True
        while more:
            part = await receive()
            body, more = body + part.get("body", b""), part.get("more_body", False)
        verified = self._is_signed(dict(scope["headers"]), body)
        await send({"type": "http.response.start", "status": 200 if verified else 401, "headers": []})
        await send({"type": "http.response.body", "body": b""})
        if verified:
            self.begin(dict(parse_qsl(body.decode())))

    def _is_signed(self, headers: dict[bytes, bytes], body: bytes) -> bool:
        stamp = headers.get(b"x-slack-request-timestamp", b"0")
        expected = b"v0=" + hmac.digest(SECRET, b"v0:" + stamp + b":" + body, hashlib.sha256).hex().encode()
        fits = hmac.compare_digest(expected, headers.get(b"x-slack-signature", b""))
        return fits and abs(time.time() - int(stamp)) < 300


async def over_socket() -> None:
    """Receive Socket Mode envelopes until the process is killed."""
    floor = Floor()
    await floor.open()
    headers = {"Authorization": "Bearer " + os.environ["SLACK_APP_TOKEN"]}
    async with floor.http.post(os.environ["SLACK_API_URL"] + "apps.connections.open", headers=headers) as response:
        url = (await response.json())["url"]
    async with floor.http.ws_connect(url) as socket:
        async for part in socket:
            envelope = json.loads(part.data)
            if envelope["type"] == "slash_commands":
                await socket.send_str(json.dumps({"envelope_id": envelope["envelope_id"]}))
                floor.begin(envelope["payload"])


if __name__ == "__main__":
    if sys.argv[1] == "http":
        port = int(os.environ["PORT"])
        uvicorn.run(HttpFloor(), port=port, loop="uvloop", http="httptools", log_level="warning", access_log=False)
    else:
        uvloop.run(over_socket())
