"""Call the Genesys API: get a token, wait for the rate limit, send the call, and retry the call after some errors.

The modules in bot/genesys/api define the individual calls, and retry.py decides about retries. The client follows no
redirects, and logs neither URLs nor bodies.
"""

import asyncio
import re
import time
from functools import lru_cache, partial
from typing import Any

import httpx

from bot.core.errors import ServiceBusyError, UnusableAnswerError
from bot.core.ports import NO_HTTP_STATUS, NULL_METRICS, NULL_TRACER, CallHooks, Metrics, Tracer
from bot.core.shared_waits import SharedWaits
from bot.core.timing import GENESYS_TIMING, GenesysTiming
from bot.core.validation.display import LOCAL_HOSTS, url_host
from bot.encoding import encode_json
from bot.genesys.http import HEADERS, SENT_ONCE, HttpClient, TokenSource
from bot.genesys.rate_limit import RateLimiter, Share
from bot.genesys.retry import Sleep, send_with_retry

_HEADERS = httpx.Headers(HEADERS)
_JSON_HEADERS = httpx.Headers(HEADERS | {"Content-Type": "application/json"})
_PATH_SEPARATORS = re.compile(r"/|\\|%2f|%5c", re.IGNORECASE)
_DOTS = re.compile(r"(?:\.|%2e)+", re.IGNORECASE)


class GenesysClient:
    """Sends calls to the API at one base URL, with the bot's own token or with a token that the caller passes.

    `accepted`: when Genesys last answered a call with a 2xx, a `time.monotonic()` value. The keys are the permissions
    that the calls need. A call with a person's token does not count.
    """

    def __init__(
        self,
        http: HttpClient,
        api_url: str,
        auth: TokenSource,
        *,
        limiter: RateLimiter | None = None,
        timing: GenesysTiming = GENESYS_TIMING,
        sleep: Sleep = asyncio.sleep,
        metrics: Metrics = NULL_METRICS,
        tracer: Tracer = NULL_TRACER,
    ) -> None:
        self._http, self._api_url, self._auth = http, api_url, auth
        self._limiter = limiter or RateLimiter(timing=timing)
        self._acquire = tracer.waiting(self._limiter.acquire)
        self._timing, self._sleep, self._metrics = timing, sleep, metrics
        connect = timing.connect_timeout
        timeouts = httpx.Timeout(None, connect=connect, pool=connect)  # call_timeout bounds the call as a whole
        self._extensions = {"timeout": timeouts.as_dict()}
        self._delete_extensions = self._extensions | SENT_ONCE
        self.accepted: dict[str, float] = {}

    @property
    def is_local(self) -> bool:
        """Return whether the API runs on this machine, as in the sandbox."""
        return url_host(self._api_url) in LOCAL_HOSTS

    @property
    def queue_length(self) -> int:
        """Return the number of calls that wait for the rate limiter."""
        return self._limiter.queue_length

    def can_send_now(self, needs: str) -> bool:
        """Return whether a request's call is expected to pass the rate limiter now without a wait.

        `needs`: the permission that the call needs.
        """
        return self._limiter.can_send_now(needs)

    async def renew_token(self) -> None:
        """Replace the bot's own token by a new one. Raises ServiceError if the login gives no token."""
        await self._auth.renew()

    def waits(self, needs: str) -> SharedWaits:
        """Return the object that tells requests how long a background call has to wait.

        `needs`: the permission that the background call needs. All background calls that need it use the same object.
        """
        return self._limiter.waits(needs)

    async def call(
        self,
        method: str,
        path: str,
        *,
        needs: str,
        json: object = None,
        safe: bool = False,
        final: bool = False,
        share: Share | None = None,
        waits: bool = True,
        hooks: CallHooks | None = None,
        continues: bool = False,
        auth: TokenSource | None = None,
    ) -> httpx.Response:
        """Send a call, retry it after some errors, and return the 2xx answer. Raises ServiceError if there is none.

        - `needs`: the scope or permission that the call needs.
        - `safe`: whether the call can be repeated without harm. If True, retry even if Genesys may have acted.
        - `final`: whether the call's effect cannot be undone. If True, do not retry after a 500, unless `safe` is True.
        - `share`: the part of the rate limit that this call may use; None for the whole rate limit. Raises
          ServiceBusyError if this part is used up.
        - `waits`: False to raise ServiceBusyError, with its `retry_after`, if Genesys asks for a pause by a 429 or 503.
          If the 429 or 503 does not say for how long, raise ServiceFailedError.
        - `hooks`: the call hooks of the request; None for a background call. Raises the exceptions of `hooks`.
        - `continues`: True if a call for the same session was sent before. `RateLimiter.acquire` describes the effect.
        - `auth`: the source of the token to send; None for the bot's own token. Raises the exceptions of `auth`.
        """
        extensions = self._delete_extensions if method == "DELETE" else self._extensions
        request = build_request(method, self._api_url + path, json, extensions)
        token_source = auth or self._auth

        async def acquire(is_retry: bool) -> None:
            self._take_share(token_source, needs, share, waits=waits)
            await self._wait_for_turn(token_source, hooks, needs, continues=continues or is_retry, waits=waits)

        response = await send_with_retry(
            partial(self._send_and_release, request, token_source, hooks, needs),
            needs=needs,
            safe=safe,
            final=final,
            waits=waits,
            acquire=acquire,
            hooks=hooks or self._limiter.waits(needs),
            timing=self._timing,
            sleep=self._sleep,
        )
        if token_source is self._auth or type(token_source) is TokenSource:  # the latter adds no token
            self.accepted[needs] = time.monotonic()
        return response

    def _take_share(self, token_source: TokenSource, needs: str, share: Share | None, *, waits: bool) -> None:
        """Raise ServiceBusyError if the call may not be sent now. `call` describes the arguments."""
        if token_source is self._auth and not waits:
            self._limiter.refuse_if_held(needs)  # first: a call that is not sent must not count towards the share
        if share and not self._limiter.try_share(share):
            raise ServiceBusyError

    async def _wait_for_turn(
        self, token_source: TokenSource, hooks: CallHooks | None, needs: str, *, continues: bool, waits: bool
    ) -> None:
        """Wait for a token, and then for the rate limit. `call` describes the arguments."""
        await token_source.ready()
        began = time.monotonic()
        limited_by = needs if token_source is self._auth else None
        await self._acquire(hooks, needs=limited_by, continues=continues, waits=waits)
        self._metrics.waited(time.monotonic() - began)

    async def _send_and_release(
        self, request: httpx.Request, token_source: TokenSource, hooks: CallHooks | None, needs: str
    ) -> httpx.Response:
        """Send an HTTP request and return the answer. After a 401, send the HTTP request once more with a new token.

        Do the same after a 403, if there is a newer token, which may have more scopes.

        At the end, release the call's place in the rate limiter.
        """
        response = None
        try:
            response = await self._send(request, token_source, hooks, needs)
            is_forbidden = response.status_code == 403
            if response.status_code == 401 or (is_forbidden and token_source.is_outdated(request)):
                if hooks:  # Genesys did not act, and the token source dropped its token
                    await hooks.on_wait(0.0)
                await token_source.ready()
                response = await self._send(request, token_source, hooks, needs)
            return response
        finally:  # the rate-limit headers are about the token in the request
            self._limiter.release(response, needs=needs if token_source is self._auth else None)

    async def _send(
        self, request: httpx.Request, token_source: TokenSource, hooks: CallHooks | None, needs: str
    ) -> httpx.Response:
        if hooks:
            await hooks.before_send()
        began, status = time.monotonic(), NO_HTTP_STATUS
        try:
            async with asyncio.timeout(self._timing.call_timeout):  # httpx's own time-outs restart with each byte
                response = await self._http.send_call(request, token_source)
            status = str(response.status_code)
            return response
        finally:
            self._metrics.called(needs, status, time.monotonic() - began)


def build_request(method: str, url: str, body: object, extensions: dict[str, Any]) -> httpx.Request:
    """Build an HTTP request with `body` as JSON, or without a body if `body` is None.

    `extensions`: httpx's extensions for the HTTP request, such as time limits.
    """
    if body is None:
        return httpx.Request(method, parse_url(url), headers=_HEADERS, extensions=extensions)
    stream = httpx.ByteStream(encode_json(body))
    return httpx.Request(method, parse_url(url), headers=_JSON_HEADERS, stream=stream, extensions=extensions)


@lru_cache(64)
def parse_url(url: str) -> httpx.URL:
    """Parse a URL. Raises UnusableAnswerError if a part of the URL's path consists only of dots.

    Such a part could make the URL lead to another resource.
    """
    path = url.partition("://")[2].partition("?")[0].partition("/")[2]
    if any(_DOTS.fullmatch(part) for part in _PATH_SEPARATORS.split(path)):
        raise UnusableAnswerError(why="an id that cannot be part of a URL")
    return httpx.URL(url)
