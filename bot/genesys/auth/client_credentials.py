"""Gets, keeps and renews the token that every call to Genesys carries.

One token for the process: fetched once however many wait for it, renewed in the background ahead of its end, dropped
on a 401 (client.py sends the call once more with a new one) and on a 403 (so that a scope that was added takes effect).
"""

import asyncio
import math
import re
import time
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from dataclasses import dataclass, field

import httpx

from bot.core.errors import WEB_PAGE, LoginRefusedError, ServiceError, UnusableAnswerError
from bot.core.ports import NULL_METRICS, Metrics
from bot.genesys import faults
from bot.genesys.auth.credentials import Credentials
from bot.genesys.client import TokenSource, repeat

RENEW_AHEAD_SECONDS = 300.0
LAST_USE_SECONDS = 30.0
UNSTATED_SECONDS = 600.0
SHORTEST_SECONDS, LONGEST_SECONDS = 1.0, 86_400.0
OAUTH_CODE_LENGTH = 60
NAMELESS = "an error without a name"
SECRET_LENGTH = 4
SECRET_FIELDS = {"client_assertion", "code", "code_verifier", "refresh_token"}
_TOKEN = re.compile(r"eyJ[\w.-]+|(?:Basic|Bearer)\s+\S+|[A-Za-z0-9+/_=~-]{40,}")
ANSWER_SECONDS = 12.0
_WORD = re.compile(r"[A-Za-z0-9_.-]+")


@dataclass(frozen=True, slots=True)
class Token:
    """A bearer token and how long it can be used, on the clock of its owner."""

    renew_at: float
    useless_at: float
    value: str = field(repr=False)


class TokenAuth(TokenSource):
    """Adds the token to requests. `clock` counts seconds and never goes back."""

    requires_response_body = True

    def __init__(
        self,
        http: httpx.AsyncClient,
        login_url: str,
        credentials: Credentials,
        *,
        clock: Callable[[], float] = time.monotonic,
        meter: Metrics = NULL_METRICS,
    ) -> None:
        self._meter = meter
        self._http = http
        self._url = f"{login_url}/oauth/token"
        self._credentials = credentials
        self._clock = clock
        self._token: Token | None = None
        self._fetching: asyncio.Task[Token] | None = None

    async def ready(self) -> None:
        await self._current()

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """httpx's hook: https://www.python-httpx.org/advanced/authentication/"""
        token = await self._current()
        request.headers["Authorization"] = f"Bearer {token.value}"
        response = yield request
        if response.status_code in (401, 403):
            self._drop(token)

    async def close(self) -> None:
        """Ends a renewal under way."""
        if self._fetching:
            self._fetching.cancel()

    async def _current(self) -> Token:
        """A token that is still good for a call. Raises LoginRefusedError and other ServiceErrors."""
        token, now = self._token, self._clock()
        if token and now < token.renew_at:
            return token
        fetching = self._fetch_once()
        if token and now < token.useless_at:
            return token
        # Shielded: one who stops waiting must not take the token from the others.
        return await asyncio.shield(fetching)

    def _fetch_once(self) -> "asyncio.Task[Token]":
        if self._fetching is None or self._fetching.done():
            self._fetching = asyncio.create_task(self._fetch())
            self._fetching.add_done_callback(lambda task: task.cancelled() or task.exception())
        return self._fetching

    def _drop(self, token: Token) -> None:
        if self._token is token:  # else somebody has renewed it already
            self._token = None

    async def _fetch(self) -> Token:
        asked_at = self._clock()
        try:
            response = await repeat(self._ask, needs="a valid OAuth client", safe=True)
            self._token = read_token(response, asked_at)
        except ServiceError as error:
            self._meter.renewed(error.code)
            raise
        self._meter.renewed("ok")
        return self._token

    async def _ask(self) -> httpx.Response:
        form, headers = self._credentials.sign(self._url)
        form = {"grant_type": "client_credentials", **form}
        if self._credentials.scopes:
            form["scope"] = self._credentials.scopes
        async with asyncio.timeout(ANSWER_SECONDS):  # as a whole: httpx's begin anew with each byte
            response = await self._http.post(self._url, data=form, headers=headers)
        if response.status_code in (400, 401, 403):
            raise refusal(response, secrets_of(form, headers, self._credentials))
        return response


def read_token(response: httpx.Response, asked_at: float) -> Token:
    """The token of a login's answer, on the clock of `asked_at`. Raises UnusableAnswerError."""
    reference = faults.reference_of(response)
    try:
        body = response.json()
        value, seconds = body["access_token"], _lifetime(body.get("expires_in"))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError):
        raise UnusableAnswerError(why="a login answer without a token", reference=reference) from None
    if not isinstance(value, str) or not value.isascii() or not value.isprintable() or not value:
        raise UnusableAnswerError(why="a login answer without a token", reference=reference)
    # A short-lived token keeps nine tenths of its life, or every call would fetch one.
    ahead, last = min(RENEW_AHEAD_SECONDS, seconds / 10), min(LAST_USE_SECONDS, seconds / 20)
    return Token(renew_at=asked_at + seconds - ahead, useless_at=asked_at + seconds - last, value=value)


def _lifetime(said: object) -> float:
    """Seconds, between one and a day: with less each command would ask for several tokens. Where the login says none
    that can be, UNSTATED_SECONDS. Raises ValueError, TypeError, OverflowError."""
    seconds = float(said) if isinstance(said, str | int | float) and said else UNSTATED_SECONDS
    if math.isnan(seconds) or seconds <= 0:
        return UNSTATED_SECONDS
    return min(max(seconds, SHORTEST_SECONDS), LONGEST_SECONDS)


def secrets_of(form: Mapping[str, str], headers: Mapping[str, str], credentials: Credentials) -> set[str]:
    """What of a request to the login is a secret."""
    proof = headers.get("Authorization", "").rpartition(" ")[2]
    return {proof, *credentials.secrets, *(form[name] for name in SECRET_FIELDS & set(form))}


def refusal(response: httpx.Response, sent: Iterable[str]) -> LoginRefusedError:
    """RFC 6749 section 5.2: `error`, a word such as invalid_scope, and a description; Genesys calls it both names.

    `sent`: what went out with the request, which must not come back to people in the description.
    """
    reference, known = faults.reference_of(response), set(sent)
    try:
        body = response.json()
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        page = "html" in response.headers.get("Content-Type", "") or response.text.lstrip().startswith("<")
        return LoginRefusedError(oauth_error=WEB_PAGE if page else NAMELESS, reference=reference)
    code = next((body[name] for name in ("error", "code") if isinstance(body.get(name), str)), NAMELESS)
    names = ("error_description", "description", "message")
    words = next((body[name] for name in names if isinstance(body.get(name), str) and body[name] != code), "")
    word = without_secrets(code, known)[:OAUTH_CODE_LENGTH]
    oauth_error = word if _WORD.fullmatch(word) else NAMELESS
    return LoginRefusedError(oauth_error=oauth_error, words=without_secrets(words, known), reference=reference)


def without_secrets(words: str, sent: Iterable[str]) -> str:
    """A login's words on one line, without what was sent and without what looks like a token; cut."""
    for secret in sorted((each for each in sent if len(each) >= SECRET_LENGTH), key=len, reverse=True):
        words = words.replace(secret, "…")
    words = " ".join("".join(c if c.isprintable() else " " for c in words).split())
    return _TOKEN.sub("…", words)[: faults.WORDS_LENGTH]
