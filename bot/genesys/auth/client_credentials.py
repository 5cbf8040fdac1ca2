"""Fetch, cache and renew the bot's own token, with the OAuth grant "client credentials".

In this module, the login is Genesys's OAuth server.

- Calls that wait for a token share one HTTP request to the login.
- The token is renewed in the background before it expires.
- After a 401, the token is dropped, and client.py repeats the call with a new token.
- The same happens after a 403, because the OAuth client may have more scopes than when the token was made. A 403 has no
  effect on a token that is younger than `GenesysTiming.forbidden_token_seconds`, or if more scopes cannot help.
"""

import asyncio
import logging
import math
import re
import time
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial

import httpx

from bot.core.errors import WEB_PAGE, LoginRefusedError, ServiceError, UnusableAnswerError
from bot.core.ports import NULL_METRICS, Metrics
from bot.core.timing import GENESYS_TIMING, GenesysTiming
from bot.genesys.auth.credentials import Credentials
from bot.genesys.http import TokenSource
from bot.genesys.parsing import MAX_MESSAGE_LENGTH, reference_of
from bot.genesys.retry import may_lack_scope, send_with_retry

log = logging.getLogger(__name__)

MIN_TOKEN_SECONDS, MAX_TOKEN_SECONDS = 1.0, 86_400.0
MAX_OAUTH_CODE_LENGTH = 60
UNNAMED_ERROR = "an error without a name"
MIN_SECRET_LENGTH = 4
SECRET_FIELDS = {"client_assertion", "code", "code_verifier", "refresh_token"}
_TOKEN = re.compile(r"eyJ[\w.-]+|(?:Basic|Bearer)\s+\S+|[A-Za-z0-9+/_=~-]{40,}")
INVALID_CLIENT = "invalid_client"
_OAUTH_CODE = re.compile(r"[A-Za-z0-9_.-]+")


@dataclass(frozen=True, slots=True)
class Token:
    """A bearer token.

    - `renew_at`: the time from which the bot renews the token.
    - `unusable_at`: the time from which the bot no longer sends the token.

    Both times are in seconds, on the clock of the object that caches the token.
    """

    renew_at: float
    unusable_at: float
    value: str = field(repr=False)


class TokenAuth(TokenSource):
    """Adds the bot's own token to HTTP requests.

    - `next_credentials`: the credentials of a second OAuth client; None if there is none. The bot uses the second OAuth
      client if the login does not accept the credentials of the first one (`invalid_client`). With a second OAuth
      client, an administrator can replace the first one without an outage.
    - `clock`: returns seconds and never goes back.
    """

    requires_response_body = True

    def __init__(
        self,
        http: httpx.AsyncClient,
        login_url: str,
        credentials: Credentials,
        next_credentials: Credentials | None = None,
        *,
        timing: GenesysTiming = GENESYS_TIMING,
        clock: Callable[[], float] = time.monotonic,
        metrics: Metrics = NULL_METRICS,
    ) -> None:
        self._timing, self._metrics = timing, metrics
        self._http = http
        self._url = f"{login_url}/oauth/token"
        self._clients = _both(credentials, next_credentials)
        self._clock = clock
        self._token: Token | None = None
        self._fetching: asyncio.Task[Token] | None = None
        self._keep_until = float("-inf")

    async def ready(self) -> None:
        await self._current()

    async def renew(self) -> None:
        await asyncio.shield(self._fetch_once())

    def is_outdated(self, request: httpx.Request) -> bool:
        return self._token is None or request.headers.get("Authorization") != f"Bearer {self._token.value}"

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Add the token to an HTTP request and yield the request. Drop the token if the answer is a 401.

        Also drop the token if the answer is a 403 for which `may_lack_scope` returns True, and the token is older than
        `GenesysTiming.forbidden_token_seconds`.

        Raises ServiceError if there is no token and the login gives none.

        HttpClient.send_call runs this generator, sends the yielded request, and passes the answer back:
        https://www.python-httpx.org/advanced/authentication/
        """
        token = await self._current()
        request.headers["Authorization"] = f"Bearer {token.value}"
        response = yield request
        lacks_scope = self._clock() >= self._keep_until and may_lack_scope(response)
        if response.status_code == 401 or lacks_scope:
            self._drop(token)

    async def use(self, credentials: Credentials, next_credentials: Credentials | None) -> None:
        """Get a token with new credentials, and use this token and these credentials from now on.

        `next_credentials`: used if the login refuses `credentials` with `invalid_client`; None if there is no second
        OAuth client. Raises ServiceError if the login gives no token. The previous credentials and token then stay in
        use.
        """
        clients, asked_at = _both(credentials, next_credentials), self._clock()
        response, clients = await self._ask(clients)
        self._token = read_token(response, asked_at, self._timing)
        self._keep_until = asked_at + self._timing.forbidden_token_seconds
        self._clients = clients

    async def close(self) -> None:
        """Cancel the renewal of the token, if one is in progress."""
        if self._fetching:
            self._fetching.cancel()

    async def _current(self) -> Token:
        """Return a valid token, from the cache or from the login.

        Raises LoginRefusedError if the login refuses the bot's OAuth client, and another ServiceError if the call
        fails.
        """
        token, now = self._token, self._clock()
        if token and now < token.renew_at:
            return token
        fetching = self._fetch_once()
        if token and now < token.unusable_at:
            return token
        # Shield the renewal: a cancelled caller must not cancel it for the others.
        return await asyncio.shield(fetching)

    def _fetch_once(self) -> "asyncio.Task[Token]":
        if self._fetching is None or self._fetching.done():
            self._fetching = asyncio.create_task(self._fetch())
            self._fetching.add_done_callback(lambda task: task.cancelled() or task.exception())
        return self._fetching

    def _drop(self, token: Token) -> None:
        if self._token is token:  # otherwise a newer token is cached already
            self._token = None

    async def _fetch(self) -> Token:
        asked_at, clients = self._clock(), self._clients
        try:
            response, in_order = await self._ask(clients)
            token = read_token(response, asked_at, self._timing)
        except ServiceError as error:
            self._metrics.renewed(error.code)
            raise
        self._metrics.renewed("ok")
        if self._clients is clients:  # otherwise `use` replaced them, and their token, meanwhile
            self._clients, self._token = in_order, token
            self._keep_until = asked_at + self._timing.forbidden_token_seconds
        return token

    async def _ask(self, clients: tuple[Credentials, ...]) -> tuple[httpx.Response, tuple[Credentials, ...]]:
        """Request a token from the login as the first OAuth client in `clients`.

        If the login refuses this OAuth client with `invalid_client`, try the second one.

        Return the login's answer, and all OAuth clients in `clients`, with the accepted one first. Raises ServiceError
        if no OAuth client gets a token.
        """
        first, *others = clients
        try:
            return await self._ask_as(first), clients
        except LoginRefusedError as error:
            if error.oauth_error != INVALID_CLIENT or not others:
                raise
            try:
                response = await self._ask_as(others[0])
            except LoginRefusedError:
                raise error from None
        fields = {"error": INVALID_CLIENT}
        log.warning("Genesys refuses an OAuth client, and the other one took its place", extra={"fields": fields})
        return response, (*others, first)

    async def _ask_as(self, client: Credentials) -> httpx.Response:
        ask = partial(self._request_token, client)
        return await send_with_retry(ask, needs="a valid OAuth client", safe=True, timing=self._timing)

    async def _request_token(self, client: Credentials) -> httpx.Response:
        form, headers = client.sign(self._url)
        form = {"grant_type": "client_credentials", **form}
        if client.scopes:
            form["scope"] = client.scopes
        async with asyncio.timeout(self._timing.token_timeout):  # httpx's own time-outs restart with each received byte
            response = await self._http.post(self._url, data=form, headers=headers)
        if response.status_code in (400, 401, 403):
            raise login_refused(response, secrets_of(form, headers, client))
        return response


def _both(credentials: Credentials, next_credentials: Credentials | None) -> tuple[Credentials, ...]:
    return (credentials, next_credentials) if next_credentials else (credentials,)


def read_token(response: httpx.Response, asked_at: float, timing: GenesysTiming = GENESYS_TIMING) -> Token:
    """Read the token in the login's answer. Raises UnusableAnswerError if the token is missing or malformed.

    `asked_at`: the time at which the HTTP request was sent, in seconds. The token's times are on the same clock.
    """
    reference = reference_of(response)
    try:
        body = response.json()
        value, seconds = body["access_token"], _lifetime(body.get("expires_in"), timing.default_token_seconds)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError):
        raise UnusableAnswerError(why="a login answer without a token", reference=reference) from None
    if not isinstance(value, str) or not value.isascii() or not value.isprintable() or not value:
        raise UnusableAnswerError(why="a login answer without a token", reference=reference)
    # A short-lived token stays in use for nine tenths of its lifetime; otherwise every call would fetch one.
    ahead, last = min(timing.renew_ahead_seconds, seconds / 10), min(timing.unusable_ahead_seconds, seconds / 20)
    return Token(renew_at=asked_at + seconds - ahead, unusable_at=asked_at + seconds - last, value=value)


def _lifetime(stated: object, default: float) -> float:
    """Convert the lifetime in the login's answer to seconds between MIN_TOKEN_SECONDS and MAX_TOKEN_SECONDS.

    Return `default` if `stated` is missing, zero, negative, NaN, or neither a number nor a text. Raises ValueError for
    a text that is not a number, and OverflowError for an integer that is too large for a float.
    """
    seconds = float(stated) if isinstance(stated, str | int | float) and stated else default
    if math.isnan(seconds) or seconds <= 0:
        return default
    return min(max(seconds, MIN_TOKEN_SECONDS), MAX_TOKEN_SECONDS)


def secrets_of(form: Mapping[str, str], headers: Mapping[str, str], credentials: Credentials) -> set[str]:
    """Return the secrets in an HTTP request to the login, so that they can be masked in errors.

    - `form`, `headers`: the form fields and the headers of the HTTP request.
    - `credentials`: the credentials of the OAuth client that sent the HTTP request.
    """
    proof = headers.get("Authorization", "").rpartition(" ")[2]
    return {proof, *credentials.secrets, *(form[name] for name in SECRET_FIELDS & set(form))}


def login_refused(response: httpx.Response, sent: Iterable[str]) -> LoginRefusedError:
    """Return the error for an answer in which the login refuses a sign-in (RFC 6749 section 5.2).

    `sent`: the secrets in the HTTP request. The error contains a mask in place of each of these secrets.
    """
    reference, secrets = reference_of(response), set(sent)
    try:
        body = response.json()
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        is_page = "html" in response.headers.get("Content-Type", "") or response.text.lstrip().startswith("<")
        return LoginRefusedError(oauth_error=WEB_PAGE if is_page else UNNAMED_ERROR, reference=reference)
    code = next((body[name] for name in ("error", "code") if isinstance(body.get(name), str)), UNNAMED_ERROR)
    names = ("error_description", "description", "message")
    words = next((body[name] for name in names if isinstance(body.get(name), str) and body[name] != code), "")
    word = without_secrets(code, secrets)[:MAX_OAUTH_CODE_LENGTH]
    oauth_error = word if _OAUTH_CODE.fullmatch(word) else UNNAMED_ERROR
    return LoginRefusedError(oauth_error=oauth_error, words=without_secrets(words, secrets), reference=reference)


def without_secrets(words: str, sent: Iterable[str]) -> str:
    """Replace all secrets in `words` by `…`, and all line breaks by spaces. Keep MAX_MESSAGE_LENGTH characters at most.

    The secrets are the texts in `sent` that have MIN_SECRET_LENGTH characters or more, and everything in `words` that
    looks like a token.
    """
    for secret in sorted((each for each in sent if len(each) >= MIN_SECRET_LENGTH), key=len, reverse=True):
        words = words.replace(secret, "…")
    words = " ".join("".join(c if c.isprintable() else " " for c in words).split())
    return _TOKEN.sub("…", words)[:MAX_MESSAGE_LENGTH]
