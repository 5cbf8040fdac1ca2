"""Posts to a command's response_url: the one call to Slack that every command costs, so it goes over the pool directly.

https://docs.slack.dev/interactivity/handling-user-interaction#message_responses . Telling the same outcome twice is
allowed and losing it is not, so posts are repeated. The address is a secret, and is never logged.
"""

import asyncio
from collections.abc import Callable
from typing import Any

import aiohttp

from bot.encoding import encode
from bot.slack.answers import is_page

REPEATS = 2
REPEAT_SECONDS = 0.5
LONGEST_ORDERED_SECONDS = 5
"""A Retry-After of more is not waited for: somebody waits, and there are other ways to reach them."""
_HEADERS = {"Content-Type": "application/json; charset=utf-8"}
TRY_SECONDS = 5.0
"""So long one try may hear nothing: a connection that has died unnoticed is given up for a new one while there is time.
What a post may take as a whole is for whoever sends it: delivery.py, by deadlines.py."""
_TIMEOUT = aiohttp.ClientTimeout(sock_connect=TRY_SECONDS, sock_read=TRY_SECONDS)


class ResponseUrls:
    """Posts over one pool of connections. `proxy_for` says which proxy leads to an address."""

    def __init__(self, http: aiohttp.ClientSession, proxy_for: Callable[[str], str | None]) -> None:
        self._http = http
        self._proxy_for = proxy_for

    async def post(self, url: str, body: dict[str, Any]) -> int:
        """Slack's HTTP status. Raises aiohttp.ClientError, TimeoutError and ValueError when there is none."""
        data = encode(body)
        for left in range(REPEATS, -1, -1):
            try:
                status, delay = await self._post_once(url, data)
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
