"""Post answers to the response_url of a request, and limit the time of each attempt to send a message.

A response_url is a secret and must not be in any log line. Before each post, the module checks that the response_url
leads to Slack: an attacker could have changed the URL in the database, and the answer may contain the customer's link.
The module repeats a failed post, so the same answer may arrive twice.
https://docs.slack.dev/interactivity/handling-user-interaction#message_responses

The module does not use slack_sdk, which would need more time for each answer.
"""

import asyncio
import logging
import math
import re
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, TypeVar
from urllib.parse import urlsplit

import aiohttp
from yarl import URL

from bot.core.ports import NULL_TRACER, Tracer
from bot.core.timing import SLACK_TIMING, SlackTiming
from bot.encoding import encode_json
from bot.slack.api.responses import is_page

log = logging.getLogger(__name__)

REPEATS = 2
MAX_RETRY_AFTER_SECONDS = 5
"""The longest Retry-After, in seconds, after which the bot posts again.

If Slack asks for a longer wait, the bot sends the answer as an ephemeral message or a direct message."""
_HEADERS = {"Content-Type": "application/json; charset=utf-8"}
HOSTS = ("hooks.slack.com", "hooks.slack-gov.com")
"""The hosts of Slack's own response_urls: https://docs.slack.dev/govslack"""
_PATH = r"(?:/[!-\[\]-~]*)?"
"""A pattern for a URL's path or an empty text. It allows printable ASCII without spaces and backslashes, because URL
parsers disagree about the meaning of both."""
_PORTS = {"https": 443, "http": 80}
T = TypeVar("T")


class ForeignAddressError(ValueError):
    """The response_url does not lead to Slack. Nothing was sent."""

    code = "foreign_address"


def slack_addresses(api_url: str) -> re.Pattern[str]:
    """Return a pattern for the URLs to which the bot may post. Use it with `fullmatch` (pure).

    The pattern matches two kinds of URLs, both without a user name and a password:

    - https URLs at the default port whose host is in HOSTS.
    - URLs with the same scheme, host and port as `api_url`, the value of SLACK_API_URL.
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
    """Posts to response_urls over a connection pool.

    - `proxy_for`: returns the proxy for a URL; None for no proxy.
    - `api_url`: the value of SLACK_API_URL. Posts to URLs with the origin of `api_url` are allowed.
    """

    def __init__(
        self,
        http: aiohttp.ClientSession,
        proxy_for: Callable[[str], str | None],
        api_url: str,
        *,
        timing: SlackTiming = SLACK_TIMING,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        tracer: Tracer = NULL_TRACER,
    ) -> None:
        self._sleep, self._repeat_seconds = sleep, timing.repeat_seconds
        read_timeout = timing.response_url_timeout
        self._timeout = aiohttp.ClientTimeout(sock_connect=read_timeout, sock_read=read_timeout)
        self._http = http
        self._traced_post = tracer.posting(self._post_once)
        self._allowed = slack_addresses(api_url)
        origins = (api_url, *(f"https://{host}" for host in HOSTS))
        self._proxies = {(URL(url).scheme, URL(url).host): proxy_for(url) for url in origins}

    async def post(self, url: str, body: dict[str, Any]) -> int:
        """Post a JSON body and return the HTTP status of the last attempt, which can be an error status.

        Make up to REPEATS more attempts. Another attempt follows after these failures:

        - a connection error, but not a time-out while connecting
        - a 5xx status
        - a 429 status with a Retry-After of at most MAX_RETRY_AFTER_SECONDS

        Raises ForeignAddressError if `url` does not lead to Slack. Raises aiohttp.ClientError, TimeoutError or
        ValueError if the last attempt gets no answer from Slack.
        """
        if not isinstance(url, str) or not self._allowed.fullmatch(url):
            raise ForeignAddressError
        data = encode_json(body)
        for left in range(REPEATS, -1, -1):
            try:
                status, delay = await self._traced_post(url, data)
            except aiohttp.ConnectionTimeoutError:
                raise  # a second attempt would probably time out, too
            except aiohttp.ClientConnectionError:
                if not left:
                    raise
                delay = self._repeat_seconds
            else:
                if delay is None or not left:
                    return status
            await self._sleep(delay)
        raise AssertionError("the last time returns or raises")

    async def _post_once(self, url: str, data: bytes) -> tuple[int, float | None]:
        """Make one attempt to post `data`, a JSON text. Return the HTTP status, and the seconds to wait before a retry.

        The seconds are None if no retry is needed, or if a retry cannot help.
        """
        address = URL(url)
        proxy = self._proxies[address.scheme, address.host]
        async with self._http.post(
            address, data=data, headers=_HEADERS, proxy=proxy, timeout=self._timeout, allow_redirects=False
        ) as response:
            if is_page(await response.read()) and response.status == 200:
                raise aiohttp.ClientPayloadError("a page came in place of Slack's answer")
            if response.status >= 500:
                return response.status, self._repeat_seconds
            if response.status != 429:
                return response.status, None
            retry_after = response.headers.get("Retry-After", "1")
            is_short = retry_after.isascii() and retry_after.isdigit() and int(retry_after) <= MAX_RETRY_AFTER_SECONDS
            return 429, float(retry_after) if is_short else None


class Deadlines:
    """Limits the time of each attempt to send a message.

    The limit is `SlackTiming.post_timeout` seconds. The method `shorten_deadlines` reduces it to
    `SlackTiming.last_post_timeout`.
    """

    def __init__(self, timing: SlackTiming) -> None:
        self._timing, self._is_last = timing, False
        self._open: set[asyncio.Timeout] = set()

    async def within(
        self,
        sending: Awaitable[T],
        max_seconds: float = math.inf,
        together: set[asyncio.Timeout] | None = None,
    ) -> T:
        """Await `sending` and return its result. Raises TimeoutError if `sending` takes longer than the limit.

        - `max_seconds`: the limit for this attempt, in seconds. A value above the usual limit has no effect.
        - `together`: a set to which this method adds the attempt's time-out, and from which it removes the time-out
          after the attempt. The caller can shorten the time-outs in the set. None for no set.
        """
        usual = self._timing.last_post_timeout if self._is_last else self._timing.post_timeout
        deadline = asyncio.timeout(min(usual, max_seconds))
        groups = (self._open,) if together is None else (self._open, together)
        for group in groups:
            group.add(deadline)
        try:
            async with deadline:
                return await sending
        finally:
            for group in groups:
                group.discard(deadline)

    def shorten_deadlines(self) -> None:
        """Reduce the time limit of each attempt, because the process is about to stop.

        The limit is then `SlackTiming.last_post_timeout` seconds. An attempt in progress has at most as many more
        seconds.
        """
        self._is_last = True
        shorten(self._open, self._timing.last_post_timeout)


def shorten(deadlines: Iterable[asyncio.Timeout], seconds: float) -> None:
    """Make each time-out in `deadlines` expire in `seconds` from now at the latest."""
    latest = asyncio.get_running_loop().time() + seconds
    for deadline in deadlines:
        if not deadline.expired():  # an expired time-out cannot be rescheduled
            deadline.reschedule(min(deadline.when() or latest, latest))


class SilentHostError(Exception):
    """The bot did not send a post, because an earlier post to the same server timed out."""

    code = "host_is_silent"


class SilentHosts:
    """Refuses posts to a server (the host of a URL) after a post to the server has timed out.

    As a test, one post in each `SlackTiming.probe_interval_seconds` is sent anyway. The first post that the server
    answers ends the refusal.

    - `deadlines`: limits the time of each post.
    - `clock`: returns seconds and never goes back.
    """

    def __init__(
        self,
        deadlines: Deadlines,
        timing: SlackTiming = SLACK_TIMING,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._deadlines, self._clock, self._timing = deadlines, clock, timing
        self._next_probe_at: dict[str, float] = {}
        self._under_way: dict[str, set[asyncio.Timeout]] = {}

    def is_silent(self, url: str) -> bool:
        """Return whether a post to the server of this URL timed out, and the server has answered no later post."""
        return _host(url) in self._next_probe_at

    async def post(self, url: str, post: Callable[[], Awaitable[T]], *, insist: bool = False) -> T:
        """Call `post`, await it and return its result. Raises the errors of `post`.

        - `url`: the address to which `post` posts.
        - `insist`: True to call `post` in any case.

        While the server is silent (see `is_silent`) and `insist` is False:

        - Call `post` at most once in each `SlackTiming.probe_interval_seconds`, as a test of the server. Raise
          TimeoutError if the test takes longer than `SlackTiming.probe_timeout` seconds.
        - Otherwise, do not call `post`, and raise SilentHostError.

        When a server becomes silent, the other posts to it that are in progress get at most `SlackTiming.probe_timeout`
        more seconds. After that, they raise TimeoutError, too.
        """
        host = _host(url)
        is_probe = host in self._next_probe_at and not insist
        if is_probe:
            if self._clock() < self._next_probe_at[host]:
                raise SilentHostError
            self._next_probe_at[host] = self._clock() + self._timing.probe_interval_seconds
        under_way = self._under_way.setdefault(host, set())
        limit = self._timing.probe_timeout if is_probe else math.inf
        try:
            answer = await self._deadlines.within(post(), limit, under_way)
        except TimeoutError:
            self._timed_out(host)
            raise
        self._answered(host)
        return answer

    def _timed_out(self, host: str) -> None:
        if host not in self._next_probe_at:
            fields = {"seconds": self._timing.probe_interval_seconds}
            log.warning("a response_url's host does not answer, so answers go another way", extra={"fields": fields})
            shorten(self._under_way.get(host, ()), self._timing.probe_timeout)
        self._next_probe_at[host] = self._clock() + self._timing.probe_interval_seconds

    def _answered(self, host: str) -> None:
        if self._next_probe_at.pop(host, None) is not None:
            log.info("a response_url's host answers again")


def _host(url: str) -> str:
    """Return the host of a URL, with the port if the URL names one."""
    return url.partition("://")[2].partition("/")[0].lower() if isinstance(url, str) else ""
