"""Posts to a command's response_url: the one call to Slack that every command costs, so it goes over the pool directly.

https://docs.slack.dev/interactivity/handling-user-interaction#message_responses . Telling the same outcome twice is
allowed and losing it is not, so posts are repeated. The address is a secret, and is never logged.

The address comes out of a payload or out of the database, so it is checked here, in front of each post: who has stolen
the signing secret, or can write to the database, can name any address, and the message holds the customer's link.
"""

import asyncio
import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from bot.slack.api.responses import is_page

REPEATS = 2
REPEAT_SECONDS = 0.5
LONGEST_ORDERED_SECONDS = 5
"""A longer Retry-After is not waited for: a person waits, and there are other ways to reach them."""
_HEADERS = {"Content-Type": "application/json; charset=utf-8"}
TRY_SECONDS = 5.0
"""How long one try may receive nothing: a dead connection is replaced by a new one while there is time. deadlines.py
bounds a post as a whole."""
_TIMEOUT = aiohttp.ClientTimeout(sock_connect=TRY_SECONDS, sock_read=TRY_SECONDS)
HOSTS = ("hooks.slack.com", "hooks.slack-gov.com")
"""Where Slack's own response_urls lead: https://docs.slack.dev/govslack"""
_PATH = r"(?:/[!-\[\]-~]*)?"
"""Printable ASCII without a space or a backslash, which parsers read in different ways."""
_PORTS = {"https": 443, "http": 80}


class ForeignAddressError(ValueError):
    """The response_url leads elsewhere than to Slack; nothing is sent."""

    code = "foreign_address"


def slack_addresses(api_url: str) -> re.Pattern[str]:
    """Build the pattern of the response_urls that may be posted to (pure).

    https to a host of Slack's at the default port, or the exact origin of `api_url` (SLACK_API_URL): a sandbox's, or a
    gateway's. No pattern allows user information.
    """
    parts = urlsplit(api_url)
    origins = [rf"https://{re.escape(host)}(?::443)?" for host in HOSTS]
    if parts.hostname:
        host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        usual = _PORTS.get(parts.scheme)
        port = parts.port or usual
        end = rf"(?::{port})?" if port == usual else f":{port}"
        origins.append(rf"{re.escape(parts.scheme)}://{re.escape(host)}{end}")
    return re.compile(rf"(?:{'|'.join(origins)}){_PATH}", re.ASCII | re.IGNORECASE)


class ResponseUrls:
    """Posts over one pool of connections. `proxy_for`: which proxy leads to an address; `api_url`: SLACK_API_URL."""

    def __init__(self, http: aiohttp.ClientSession, proxy_for: Callable[[str], str | None], api_url: str) -> None:
        self._http = http
        self._proxy_for = proxy_for
        self._allowed = slack_addresses(api_url)

    async def post(self, url: str, body: dict[str, Any]) -> int:
        """Slack's HTTP status. Raises aiohttp.ClientError, TimeoutError and ValueError when there is none.

        Raises ForeignAddressError for a `url` that is not Slack's, before anything is sent.
        """
        if not isinstance(url, str) or not self._allowed.fullmatch(url):
            raise ForeignAddressError
        data = json.dumps(body).encode()
        for left in range(REPEATS, -1, -1):
            try:
                status, delay = await self._post_once(url, data)
            except aiohttp.ConnectionTimeoutError:
                raise  # something drops it: a second try would take as long
            except aiohttp.ClientConnectionError:
                if not left:
                    raise
                delay = REPEAT_SECONDS
            else:
                if delay is None or not left:
                    return status
            await asyncio.sleep(delay)
        raise AssertionError("the last time returns or raises")

    async def _post_once(self, url: str, data: bytes) -> tuple[int, float | None]:
        """The status, and after how many seconds the same is worth another try; None for never."""
        proxy = self._proxy_for(url)
        async with self._http.post(
            url, data=data, headers=_HEADERS, proxy=proxy, timeout=_TIMEOUT, allow_redirects=False
        ) as response:
            if is_page(await response.read()) and response.status == 200:
                raise aiohttp.ClientPayloadError("a page came in place of Slack's answer")
            if response.status >= 500:
                return response.status, REPEAT_SECONDS
            if response.status != 429:
                return response.status, None
            ordered = response.headers.get("Retry-After", "1")
            soon = ordered.isascii() and ordered.isdigit() and int(ordered) <= LONGEST_ORDERED_SECONDS
            return 429, float(ordered) if soon else None
