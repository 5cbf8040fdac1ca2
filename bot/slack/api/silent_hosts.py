"""Hosts of response_urls that let a post time out: learnt from the first, so that others need not wait as well.

A firewall may drop what goes to hooks.slack.com and let slack.com through. Then answers go
another way at once, and one post now and then tries the host for a short time, until it answers again.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar
from urllib.parse import urlsplit

log = logging.getLogger(__name__)

PROBE_EVERY_SECONDS = 30.0
PROBE_SECONDS = 2.0
"""So long a post to a silent host may take."""
T = TypeVar("T")


class SilentHostError(Exception):
    """The host let a post time out a moment ago, so nothing was sent to it."""

    code = "host_is_silent"


class SilentHosts:
    """Which hosts are silent, and when each is tried next. `clock` returns seconds and never goes back."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._next_probe_at: dict[str, float] = {}
        self._under_way: dict[str, set[asyncio.Timeout]] = {}

    def is_silent(self, url: str) -> bool:
        """Return whether the host of this address is silent."""
        return _host(url) in self._next_probe_at

    async def post(self, url: str, post: Callable[[], Awaitable[T]], *, insist: bool = False) -> T:
        """Return what `post` returns. Raises SilentHostError at once, and what `post` raises.

        `insist`: there is no other way, so the post may take as long as ever.
        """
        host = _host(url)
        is_probe = host in self._next_probe_at and not insist
        if is_probe:
            if self._clock() < self._next_probe_at[host]:
                raise SilentHostError
            self._next_probe_at[host] = self._clock() + PROBE_EVERY_SECONDS
        try:
            async with asyncio.timeout(PROBE_SECONDS if is_probe else None) as limit:
                answer = await self._while_under_way(host, limit, post)
        except TimeoutError:
            self._timed_out(host)
            raise
        self._answered(host)
        return answer

    async def _while_under_way(self, host: str, limit: asyncio.Timeout, post: Callable[[], Awaitable[T]]) -> T:
        under_way = self._under_way.setdefault(host, set())
        under_way.add(limit)
        try:
            return await post()
        finally:
            under_way.discard(limit)

    def _timed_out(self, host: str) -> None:
        if host not in self._next_probe_at:
            fields = {"seconds": PROBE_EVERY_SECONDS}
            log.warning("a response_url's host does not answer, so answers go another way", extra={"fields": fields})
            soon = asyncio.get_running_loop().time() + PROBE_SECONDS
            for limit in self._under_way.get(host, ()):
                if not limit.expired():
                    limit.reschedule(min(limit.when() or soon, soon))
        self._next_probe_at[host] = self._clock() + PROBE_EVERY_SECONDS

    def _answered(self, host: str) -> None:
        if self._next_probe_at.pop(host, None) is not None:
            log.info("a response_url's host answers again")


def _host(url: str) -> str:
    return (urlsplit(url).hostname or "") if isinstance(url, str) else ""
