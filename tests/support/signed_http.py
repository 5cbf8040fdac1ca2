"""Send HTTP requests to the bot byte by byte, as Slack or somebody else sends them."""

import asyncio
import hashlib
import hmac
import time
from urllib.parse import urlencode, urlsplit

from tests.support.app import ANA, Journey

FORM, JSON = "application/x-www-form-urlencoded", "application/json"
COMMAND = {"command": "/cobrowse", "text": "help", "user_id": ANA, "channel_id": "C0CARE", "team_id": "T0SANDBOX"}
GOOD = urlencode(COMMAND).encode()
"""The body of a command that the bot answers."""


def signed(journey: Journey, body: bytes, *, at: str | None = None, secret: str | None = None) -> dict[str, str]:
    """Return the headers that Slack sends with this body."""
    timestamp = str(int(time.time())) if at is None else at
    key = (journey.keys.signing_secret if secret is None else secret).encode()
    digest = hmac.new(key, b"v0:" + timestamp.encode() + b":" + body, hashlib.sha256).hexdigest()
    return {"X-Slack-Request-Timestamp": timestamp, "X-Slack-Signature": f"v0={digest}"}


async def raw(journey: Journey, request: bytes, *, seconds: float = 5) -> int:
    """Send these bytes, and return the status of the response.

    Return 0 if the bot closed the connection without one.
    """
    parts = urlsplit(journey.url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    try:
        writer.write(request)
        await writer.drain()
        async with asyncio.timeout(seconds):
            line = await reader.readline()
        return int(line.split()[1]) if line else 0
    finally:
        writer.close()
        await writer.wait_closed()


async def post(journey: Journey, body: bytes, headers: dict[str, str], content_type: str = FORM) -> int:
    """Send a POST, and return the status of the response. Header values may be any text, sent as UTF-8."""
    given = {"Host": "bot", "Content-Type": content_type, "Content-Length": str(len(body)), **headers}
    head = "".join(f"{name}: {value}\r\n" for name, value in given.items())
    return await raw(journey, f"POST /slack/events HTTP/1.1\r\n{head}\r\n".encode() + body)


def head(journey: Journey, length: str, content_type: str = FORM) -> bytes:
    """Return the head of a request with a signature for an empty body."""
    fields = "".join(f"{name}: {value}\r\n" for name, value in signed(journey, b"").items())
    return (
        f"POST /slack/events HTTP/1.1\r\nHost: bot\r\nContent-Type: {content_type}\r\n{fields}{length}\r\n\r\n"
    ).encode()
