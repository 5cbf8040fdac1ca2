"""The one HTTP seam to Genesys: base URL, headers, time-outs, and what may be sent again.

What a call means is for its caller (sessions.py, users.py); how a fault is named, for faults.py. Never follows a
redirect. Never logs an address or a body.
"""

import asyncio
import json
import logging
import random
import re
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from functools import lru_cache
from typing import Protocol

import aiohttp
import httpx

from bot.core.errors import OutcomeUnknownError, ServiceBusyError, ServiceUnreachableError, UnusableAnswerError
from bot.core.ports import (
    NO_HTTP_STATUS,
    NULL_METRICS,
    CallHooks,
    Metrics,
)
from bot.core.shared_waits import SharedWaits
from bot.core.validation.urls import LOCAL_HOSTS, url_host
from bot.genesys import faults
from bot.genesys.connections import HEADERS, TIMEOUT, TIMEOUT_SECONDS, HttpClient
from bot.genesys.fair_queue import FairQueue
from bot.genesys.faults import ORDERED_SECONDS, CallError, RetryRule
from bot.genesys.holds import Holds
from bot.genesys.pace import RateLimiter, is_used_up

log = logging.getLogger(__name__)

Sleep = Callable[[float], Awaitable[None]]


class WaitHook(Protocol):
    """The part of a CallHooks that is told about waits."""

    async def on_wait(self, seconds: float) -> None: ...


UNORDERED_SECONDS = 20.0
FIRST_DELAY_SECONDS = 0.5
REPEATS_OF_500 = 2
REPEATS_UNREACHED = 3
_HEADERS = httpx.Headers(HEADERS)
_JSON_HEADERS = httpx.Headers(HEADERS | {"Content-Type": "application/json"})
_TIMEOUTS = {"timeout": {**TIMEOUT.as_dict(), "read": None}}
"""Reading is timed with the rest of a call, as a whole."""
_PARTS = re.compile(r"/|\\|%2f|%5c", re.IGNORECASE)
_ODD_PARTS = re.compile(r"(?:\.|%2e)+", re.IGNORECASE)


@lru_cache(64)
def _parsed(url: str) -> httpx.URL:
    """Raise UnusableAnswerError when a part of the path could be folded away, so that the call names something else."""
    path = url.partition("://")[2].partition("?")[0].partition("/")[2]
    if any(_ODD_PARTS.fullmatch(part) for part in _PARTS.split(path)):
        raise UnusableAnswerError(why="an id that cannot stand in an address")
    return httpx.URL(url)


class TokenSource(httpx.Auth):
    """An httpx.Auth that can also be asked to have its token ready before a call goes out. This one has none."""

    async def ready(self) -> None:
        """Raises ServiceError when there is no token to be had."""


class GenesysClient:
    """Sends calls to one base URL with one token."""

    def __init__(
        self,
        http: HttpClient,
        api_url: str,
        auth: TokenSource,
        *,
        pace: RateLimiter | None = None,
        calls_each: int = 1,
        sleep: Sleep = asyncio.sleep,
        meter: Metrics = NULL_METRICS,
    ) -> None:
        """`calls_each`: how many a session takes."""
        self._http = http
        self._api_url = api_url
        self._auth = auth
        self._sleep, self._meter = sleep, meter
        self._pace = pace or RateLimiter()
        self._queue = FairQueue(self._pace, calls_each)
        clock = getattr(self._pace, "clock", time.monotonic)  # one clock for both kinds of limit
        self._holds = Holds(clock, sleep)
        self._waits: defaultdict[str, SharedWaits] = defaultdict(lambda: SharedWaits(clock))

    @property
    def is_local(self) -> bool:
        """Whether the service runs on this machine."""
        return url_host(self._api_url) in LOCAL_HOSTS

    def is_free(self, needs: str) -> bool:
        """Whether a call of this kind would go out at once."""
        return self._queue.is_free and not self._holds.is_held(needs)

    def waits(self, needs: str) -> SharedWaits:
        """Where calls of this kind report their wait when they are nobody's session."""
        return self._waits[needs]

    @property
    def queue_length(self) -> int:
        """How many calls wait for their turn."""
        return self._queue.length

    async def call(
        self,
        method: str,
        path: str,
        *,
        needs: str,
        json: object = None,
        safe: bool = False,
        hooks: CallHooks | None = None,
        again: bool = False,
        auth: TokenSource | None = None,
        final: bool = False,
        spare: bool = False,
    ) -> httpx.Response:
        """A 2xx answer. `safe`: sending it twice does no harm, so it is also repeated when nobody knows whether the
        service acted. `final`: it cannot be taken back, so it is not even repeated after a 500. `needs` names the scope
        or permission a 403 is about. `again`: it goes on with a session that has had its turn. `auth`: with a token
        other than the bot's own, or with none. `spare`: sessions can be made without it, so it is not sent (Busy) when
        such calls have used their share of the rate limit. Raises ServiceError."""
        request, gate = _request(method, self._api_url + path, json), auth or self._auth
        told = hooks or self._waits[needs]

        async def turn(repeats: bool) -> None:
            if spare and not self._pace.take_spare():
                raise ServiceBusyError
            await gate.ready()
            began = time.monotonic()
            await self._turn(hooks, again or repeats, needs if gate is self._auth else None)
            self._meter.waited(time.monotonic() - began)

        async def once() -> httpx.Response:
            return await self._in_turn(request, gate, hooks, needs)

        return await repeat(once, needs=needs, safe=safe, final=final, turn=turn, hooks=told, sleep=self._sleep)

    async def _turn(self, hooks: CallHooks | None, again: bool, needs: str | None) -> None:
        """Wait until neither this kind of call is held back nor the token's limit used up. `needs` None: another's
        token, whose limits are not known."""
        while True:
            if needs:
                await self._holds.passed(needs, (hooks or self._waits[needs]).on_wait)
                if hooks is None and (seconds := self._pace.wait_seconds(self._queue.length)) > 0:
                    await self._waits[needs].on_wait(seconds)
            await self._queue.turn(hooks, again=again)
            if needs is None or not self._holds.is_refused(needs):
                return
            self._queue.give_back()  # refused while this call waited for its turn

    async def _in_turn(
        self, request: httpx.Request, gate: TokenSource, hooks: CallHooks | None, needs: str
    ) -> httpx.Response:
        """Sends it, once more with another token after a 401, and says to the queue that it has come back."""
        response = None
        try:
            response = await self._send(request, gate, hooks, needs)
            if response.status_code == 401:  # it did not act; the token has been dropped, and a new one may do
                if hooks:
                    await hooks.on_wait(0.0)
                await gate.ready()
                response = await self._send(request, gate, hooks, needs)
            return response
        finally:
            ours = gate is self._auth  # what the service says of its limit is about the token that it got
            self._pace.came_back(response.headers if response and ours else None, reached=response is not None)
            if response is not None and ours:
                self._learn(response, needs)
            self._queue.hand_out()

    def _learn(self, response: httpx.Response, needs: str) -> None:
        """Hold everything back after a 429 that says that the token's limit is used up, else this kind of call."""
        if response.status_code != 429:
            self._holds.answered(needs)
            return
        seconds = faults.retry_after(response.headers) or FIRST_DELAY_SECONDS
        if is_used_up(response.headers):
            self._pace.refused(seconds)
        else:
            self._holds.refused(needs, seconds)

    async def _send(
        self, request: httpx.Request, gate: TokenSource, hooks: CallHooks | None, needs: str
    ) -> httpx.Response:
        if hooks:
            await hooks.before_send()
        began, status = time.monotonic(), NO_HTTP_STATUS
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):  # as a whole: httpx's time-outs begin anew with each byte
                response = await self._http.exchange(request, gate)
            status = str(response.status_code)
            return response
        finally:
            self._meter.called(needs, status, time.monotonic() - began)


def _request(method: str, url: str, body: object) -> httpx.Request:
    """With a stream in place of `content`, which httpx would look at for headers that aiohttp sets."""
    if body is None:
        return httpx.Request(method, _parsed(url), headers=_HEADERS, extensions=_TIMEOUTS)
    stream = httpx.ByteStream(json.dumps(body).encode())
    return httpx.Request(method, _parsed(url), headers=_JSON_HEADERS, stream=stream, extensions=_TIMEOUTS)


async def _at_once(again: bool) -> None:
    """A turn where there is no queue."""


async def repeat(
    once: Callable[[], Awaitable[httpx.Response]],
    *,
    needs: str,
    safe: bool,
    final: bool = False,
    turn: Callable[[bool], Awaitable[None]] = _at_once,
    hooks: WaitHook | None = None,
    sleep: Sleep = asyncio.sleep,
) -> httpx.Response:
    """Sends `once`, again where that is allowed, and returns its 2xx answer. Raises ServiceError.

    `turn` is waited for before each time, and told whether it is not the first."""
    patience = RetryPolicy(safe)
    again = False
    while True:
        await turn(again)
        again = True
        patience.begin()
        answer = await _attempt(once, needs)
        if isinstance(answer, httpx.Response):
            return answer
        if final and answer.repeat is RetryRule.TWICE:
            answer = CallError(OutcomeUnknownError(reference=answer.error.reference), RetryRule.IF_SAFE)
        delay = patience.delay(answer)
        if delay is None:
            if safe and isinstance(answer.error, OutcomeUnknownError):  # nothing can have been created
                raise ServiceUnreachableError(reference=answer.error.reference)
            raise answer.error
        fields = {"after": answer.error.code, "reference": answer.error.reference, "seconds": round(delay, 1)}
        log.info("asking again", extra={"fields": fields})
        if hooks:
            await hooks.on_wait(delay if isinstance(answer.error, ServiceBusyError) else 0.0)
        await sleep(delay)


async def _attempt(once: Callable[[], Awaitable[httpx.Response]], needs: str) -> httpx.Response | CallError:
    try:
        response = await once()
    except httpx.TransportError as error:
        return faults.of_exception(error)
    except (httpx.HTTPError, aiohttp.ClientError, TimeoutError):  # no HTTP, or too slow as a whole
        return CallError(OutcomeUnknownError(), RetryRule.IF_SAFE)
    return faults.of_answer(response, needs=needs) or response


class RetryPolicy:
    """How often and how long one call is repeated. What no Retry-After ordered ends within UNORDERED_SECONDS, the time
    it waited for its turn not counted."""

    def __init__(self, safe: bool, clock: Callable[[], float] = time.monotonic) -> None:
        self._safe = safe
        self._clock = clock
        self._began = clock()
        self._spent = 0.0
        self._ordered = 0.0
        self._repeats: dict[RetryRule, int] = {}

    def begin(self) -> None:
        """The call goes out."""
        self._began = self._clock()

    def delay(self, fault: CallError) -> float | None:
        """Seconds to wait before the same call goes out again, or None when it must not."""
        rule = fault.repeat
        self._spent += self._clock() - self._began
        if rule is RetryRule.NEVER or (rule is RetryRule.IF_SAFE and not self._safe):
            return None
        done = self._repeats[rule] = self._repeats.get(rule, 0) + 1
        if rule in (RetryRule.TWICE, RetryRule.IF_SAFE) and done > REPEATS_OF_500:
            return None
        if rule is RetryRule.UNREACHED and done > REPEATS_UNREACHED:
            return None
        if fault.retry_after is not None and fault.retry_after >= FIRST_DELAY_SECONDS:
            self._ordered += fault.retry_after
            return fault.retry_after if self._ordered <= ORDERED_SECONDS else None
        backoff = FIRST_DELAY_SECONDS * 2 ** (sum(self._repeats.values()) - 1)
        delay = backoff * random.uniform(0.75, 1.25)  # noqa: S311 - spreads repeats, hides nothing
        self._spent += delay
        return delay if self._spent <= UNORDERED_SECONDS else None
