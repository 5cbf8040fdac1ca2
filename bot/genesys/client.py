"""The one HTTP seam to Genesys: base URL, headers, time-outs, and what may be sent again.

What a call means is for its caller (sessions.py, users.py); how a fault is named, for faults.py. Never follows a
redirect. Never logs an address or a body.
"""

import asyncio
import logging
import random
import ssl
import time
from collections.abc import Awaitable, Callable

import aiohttp
import httpx
from httpx_aiohttp import HttpxAiohttpClient

from bot import __version__
from bot.desk.errors import Busy, OutcomeUnknown, Unreachable
from bot.desk.progress import Watcher
from bot.genesys import faults
from bot.genesys.bounded import bound
from bot.genesys.faults import ORDERED_SECONDS, Fault, Repeat
from bot.genesys.pace import Pace, Sleep

log = logging.getLogger(__name__)

TIMEOUT_SECONDS = 10.0
CONNECT_SECONDS = 5.0
UNORDERED_SECONDS = 20.0
FIRST_DELAY_SECONDS = 0.5
REPEATS_OF_500 = 2
REPEATS_UNREACHED = 3
KEEPALIVE_SECONDS = 30.0


class Gate(httpx.Auth):
    """An httpx.Auth that can also be asked to have its token ready before a call goes out."""

    async def ready(self) -> None:
        """Raises ServiceError when there is no token to be had."""


def new_http_client(proxy: str | None = None) -> httpx.AsyncClient:
    """A pooled client over aiohttp; close it when done. Looks for no proxy and no netrc of its own."""
    return HttpxAiohttpClient(
        verify=ssl.create_default_context(),  # as for Slack: the system's authorities, or those of SSL_CERT_FILE
        trust_env=False,
        proxy=proxy,
        timeout=httpx.Timeout(TIMEOUT_SECONDS, connect=CONNECT_SECONDS, pool=CONNECT_SECONDS),
        follow_redirects=False,
        event_hooks={"response": [bound]},
        limits=httpx.Limits(max_connections=256, keepalive_expiry=KEEPALIVE_SECONDS),
        headers={"Accept": "application/json", "X-Genesys-Application-Name": f"cobrowse-bot/{__version__}"},
    )


class GenesysClient:
    """Sends calls to one base URL with one token."""

    def __init__(self, http: httpx.AsyncClient, api_url: str, auth: Gate, *, sleep: Sleep = asyncio.sleep) -> None:
        self._http = http
        self._api_url = api_url
        self._auth = auth
        self._sleep = sleep
        self._pace = Pace()

    async def call(
        self,
        method: str,
        path: str,
        *,
        needs: str,
        json: object = None,
        safe: bool = False,
        watcher: Watcher | None = None,
    ) -> httpx.Response:
        """A 2xx answer. `safe`: sending it twice does no harm, so it is also repeated when nobody knows whether the
        service acted. `needs` names the scope or permission a 403 is about. Raises ServiceError."""
        headers = {"Content-Type": "application/json"} if json is not None else None
        request = self._http.build_request(method, self._api_url + path, json=json, headers=headers)

        async def send() -> httpx.Response:
            await self._auth.ready()
            await self._pace.turn(watcher, self._sleep)
            if watcher:
                await watcher.sending()
            async with asyncio.timeout(TIMEOUT_SECONDS):  # as a whole: httpx's time-outs begin anew with each byte
                response = await self._http.send(request, auth=self._auth)
            self._pace.note(response.headers)
            return response

        async def once() -> httpx.Response:
            response = await send()
            if response.status_code == 401:  # it did not act; the token has been dropped, and a new one may do
                if watcher:
                    await watcher.waiting(0.0)
                response = await send()
            return response

        return await repeat(once, needs=needs, safe=safe, watcher=watcher, sleep=self._sleep)


async def repeat(
    once: Callable[[], Awaitable[httpx.Response]],
    *,
    needs: str,
    safe: bool,
    watcher: Watcher | None = None,
    sleep: Sleep = asyncio.sleep,
) -> httpx.Response:
    """Sends `once`, again where that is allowed, and returns its 2xx answer. Raises ServiceError."""
    patience = Patience(safe)
    while True:
        answer = await _attempt(once, needs)
        if isinstance(answer, httpx.Response):
            return answer
        delay = patience.delay(answer)
        if delay is None:
            if safe and isinstance(answer.error, OutcomeUnknown):  # nothing can have been created
                raise Unreachable(reference=answer.error.reference)
            raise answer.error
        fields = {"after": type(answer.error).__name__, "reference": answer.error.reference, "seconds": round(delay, 1)}
        log.info("asking again", extra={"fields": fields})
        if watcher:
            await watcher.waiting(delay if isinstance(answer.error, Busy) else 0.0)
        await sleep(delay)


async def _attempt(once: Callable[[], Awaitable[httpx.Response]], needs: str) -> httpx.Response | Fault:
    try:
        response = await once()
    except httpx.TransportError as error:
        return faults.of_exception(error)
    except (httpx.HTTPError, aiohttp.ClientError, TimeoutError):  # no HTTP, or too slow as a whole
        return Fault(OutcomeUnknown(), Repeat.IF_SAFE)
    return faults.of_answer(response, needs=needs) or response


class Patience:
    """How often and how long one call is repeated. What no Retry-After ordered ends within UNORDERED_SECONDS."""

    def __init__(self, safe: bool, clock: Callable[[], float] = time.monotonic) -> None:
        self._safe = safe
        self._clock = clock
        self._began = clock()
        self._ordered = 0.0
        self._repeats: dict[Repeat, int] = {}

    def delay(self, fault: Fault) -> float | None:
        """Seconds to wait before the same call goes out again, or None when it must not."""
        rule = fault.repeat
        if rule is Repeat.NEVER or (rule is Repeat.IF_SAFE and not self._safe):
            return None
        done = self._repeats[rule] = self._repeats.get(rule, 0) + 1
        if rule in (Repeat.TWICE, Repeat.IF_SAFE) and done > REPEATS_OF_500:
            return None
        if rule is Repeat.UNREACHED and done > REPEATS_UNREACHED:
            return None
        if fault.retry_after is not None and fault.retry_after >= FIRST_DELAY_SECONDS:
            self._ordered += fault.retry_after
            return fault.retry_after if self._ordered <= ORDERED_SECONDS else None
        backoff = FIRST_DELAY_SECONDS * 2 ** (sum(self._repeats.values()) - 1)
        delay = backoff * random.uniform(0.75, 1.25)  # noqa: S311 - spreads repeats, hides nothing
        return delay if self._clock() - self._began - self._ordered + delay <= UNORDERED_SECONDS else None
