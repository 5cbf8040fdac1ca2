"""Classify the errors of calls to Genesys, and decide whether and when to retry a call.

The rules come from the documentation of the session service; see docs/reference/genesys-calls.md. To find out whether
an HTTP request reached Genesys, the rules look at aiohttp's exception, which is the cause of the httpx exception.
"""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from enum import Enum
from typing import Protocol

import aiohttp
import httpx

from bot.core.errors import (
    BadRequestError,
    OutcomeUnknownError,
    PermissionMissingError,
    ServiceBusyError,
    ServiceError,
    ServiceFailedError,
    ServiceUnreachableError,
    SignInRequiredError,
    TokenRefusedError,
    UnusableAnswerError,
)
from bot.core.timing import GENESYS_TIMING, GenesysTiming
from bot.genesys.http import UNREACHED_ERRORS
from bot.genesys.parsing import message_of, object_or_empty, reference_of

log = logging.getLogger(__name__)

USER_CONTEXT = "requires a user context"
"""A part of the error message with which Genesys refuses the bot's own token for a call that needs a person's token."""
MAX_RETRY_AFTER_SECONDS = 86_400.0
MAX_RETRIES_SERVER_ERROR = 2
MAX_RETRIES_UNREACHED = 3

Sleep = Callable[[float], Awaitable[None]]


class RetryRule(Enum):
    """Says whether and how often to retry a failed call. The error of the call decides which rule applies.

    The value of each rule describes the errors to which the rule applies.

    - NEVER: do not send the call again.
    - RETRY_AFTER: send the call again after the time that Genesys asked for. If Genesys asked for none, or for less
      than `GenesysTiming.first_backoff_seconds`, the bot chooses the time. RetryPolicy limits the total time of the
      retries.
    - UNREACHED: send the call again, MAX_RETRIES_UNREACHED times at most.
    - SERVER_ERROR: send the call again, MAX_RETRIES_SERVER_ERROR times at most.
    - IF_SAFE: as SERVER_ERROR, if the call does no harm when Genesys carries it out twice; otherwise as NEVER.
    """

    NEVER = "never"
    RETRY_AFTER = "Genesys did not act, and may say when to retry"
    UNREACHED = "no byte reached Genesys"
    SERVER_ERROR = "a 500, which the contract lets us repeat"
    IF_SAFE = "nobody knows whether Genesys acted"


@dataclass(frozen=True, slots=True)
class CallError:
    """The error of a failed call, and the rule that decides whether to retry the call.

    `retry_after`: the seconds that Genesys asked the bot to wait, by the header Retry-After; None if it asked for none.
    """

    error: ServiceError
    rule: RetryRule = RetryRule.NEVER
    retry_after: float | None = None


def error_from_response(response: httpx.Response, *, needs: str) -> CallError | None:
    """Convert an answer of Genesys to a CallError. Return None for a 2xx.

    The status and the message of the answer decide the error's class and its retry rule. `needs`: the scope or
    permission that the call needs.
    """
    if response.is_success:
        return None
    status, reference = response.status_code, reference_of(response)
    if response.is_redirect or status < 400:
        return CallError(UnusableAnswerError(why=f"a redirect ({status})", reference=reference))
    if status == 401:
        return CallError(TokenRefusedError(reference=reference))
    if status in (400, 403) and USER_CONTEXT in message_of(response).lower():
        return CallError(SignInRequiredError(reference=reference))
    if status == 403:
        words = _message_about_division(response)
        return CallError(PermissionMissingError(needs=needs, words=words, reference=reference))
    if status in (429, 503):
        seconds = retry_after(response.headers)
        return CallError(ServiceBusyError(reference=reference, retry_after=seconds), RetryRule.RETRY_AFTER, seconds)
    if status == 500:
        return CallError(ServiceFailedError(reference=reference), RetryRule.SERVER_ERROR)
    if status == 408 or status > 500:
        return CallError(OutcomeUnknownError(reference=reference), RetryRule.IF_SAFE)
    return CallError(BadRequestError(status=status, words=message_of(response), reference=reference))


def error_from_exception(error: httpx.TransportError) -> CallError:
    """Convert an httpx exception to a CallError.

    The retry rule is UNREACHED if the exception proves that no byte reached Genesys, else IF_SAFE.
    """
    if is_unreached(error):
        return CallError(ServiceUnreachableError(), RetryRule.UNREACHED)
    return CallError(OutcomeUnknownError(), RetryRule.IF_SAFE)


def is_unreached(error: httpx.TransportError) -> bool:
    """Return whether the exception proves that no byte of the HTTP request reached Genesys."""
    cause = error.__cause__
    if isinstance(cause, aiohttp.ClientError):
        return isinstance(cause, UNREACHED_ERRORS)
    return isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout | httpx.ProxyError)


def retry_after(headers: httpx.Headers) -> float | None:
    """Return the seconds that the header Retry-After asks to wait, MAX_RETRY_AFTER_SECONDS at most.

    The header contains a number or an HTTP date (RFC 9110 section 10.2.3). Return 0.0 for a date in the past, and None
    if the header is missing or malformed.
    """
    text = headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text), MAX_RETRY_AFTER_SECONDS)
    try:
        return min(max(0.0, parsedate_to_datetime(text).timestamp() - time.time()), MAX_RETRY_AFTER_SECONDS)
    except (ValueError, TypeError, OverflowError):
        return None


def may_lack_scope(response: httpx.Response) -> bool:
    """Return whether an answer is a 403 that a token with more scopes may prevent.

    Such a token does not help if the 403 is about a division, or about the missing context of a user.
    """
    if response.status_code != 403 or USER_CONTEXT in message_of(response).lower():
        return False
    return not _message_about_division(response)


def _message_about_division(response: httpx.Response) -> str:
    """Return the message of a 403 if it mentions a division; "" otherwise."""
    message = message_of(response)
    with_code = f"{message} {object_or_empty(response).get('code')}"
    return message if "division" in with_code.lower() else ""


class RetryPolicy:
    """Decides whether and when to retry one call.

    Two durations of GenesysTiming limit the retries. The wait in the rate limiter does not count.

    - `GenesysTiming.max_backoff_seconds`: the total time of all attempts and of the waits that the bot chooses.
    - `GenesysTiming.max_retry_after_seconds`: the total time of the waits that Genesys asks for.
    """

    def __init__(
        self, safe: bool, timing: GenesysTiming = GENESYS_TIMING, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Create the policy for one call.

        - `safe`: whether the call can be repeated without harm.
        - `clock`: returns seconds and never goes back.
        """
        self._safe, self._timing, self._clock = safe, timing, clock
        self._attempt_began_at = clock()
        self._spent = 0.0
        self._retry_after_total = 0.0
        self._retries: dict[RetryRule, int] = {}

    def start_attempt(self) -> None:
        """Record that an attempt begins. Call this when the rate limiter has let the attempt pass."""
        self._attempt_began_at = self._clock()

    def next_delay(self, failed: CallError) -> float | None:
        """Return the seconds to wait before the next attempt; None if the call must not be sent again.

        `failed`: the error of the attempt that has just ended.
        """
        rule, timing = failed.rule, self._timing
        self._spent += self._clock() - self._attempt_began_at
        if rule is RetryRule.NEVER or (rule is RetryRule.IF_SAFE and not self._safe):
            return None
        count = self._retries[rule] = self._retries.get(rule, 0) + 1
        if rule in (RetryRule.SERVER_ERROR, RetryRule.IF_SAFE) and count > MAX_RETRIES_SERVER_ERROR:
            return None
        if rule is RetryRule.UNREACHED and count > MAX_RETRIES_UNREACHED:
            return None
        if failed.retry_after is not None and failed.retry_after >= timing.first_backoff_seconds:
            self._retry_after_total += failed.retry_after
            return failed.retry_after if self._retry_after_total <= timing.max_retry_after_seconds else None
        backoff = timing.first_backoff_seconds * 2 ** (sum(self._retries.values()) - 1)
        delay = backoff * random.uniform(0.75, 1.25)  # noqa: S311 - jitter, no secret
        self._spent += delay
        return delay if self._spent <= timing.max_backoff_seconds else None


class WaitHook(Protocol):
    """An object with the method `on_wait`, which `send_with_retry` calls before each wait for a retry.

    If the error is a 429 or 503, the argument of `on_wait` is the duration of the wait in seconds. Otherwise it is 0.
    """

    async def on_wait(self, seconds: float) -> None: ...


async def _acquire_nothing(is_retry: bool) -> None:
    """Return at once. This is the default of `acquire` in `send_with_retry`: calls do not wait for a rate limit."""


async def send_with_retry(
    send: Callable[[], Awaitable[httpx.Response]],
    *,
    needs: str,
    safe: bool,
    final: bool = False,
    waits: bool = True,
    acquire: Callable[[bool], Awaitable[None]] = _acquire_nothing,
    hooks: WaitHook | None = None,
    timing: GenesysTiming = GENESYS_TIMING,
    sleep: Sleep = asyncio.sleep,
) -> httpx.Response:
    """Call `send` until it returns a 2xx answer or RetryPolicy allows no retry. Return the 2xx answer.

    - `send`: makes one attempt to send the call.
    - `needs`: the scope or permission that the call needs.
    - `safe`: whether the call can be repeated without harm. If True, retry even if Genesys may have acted.
    - `final`: whether the call's effect cannot be undone. If True, do not retry after a 500, unless the call is safe.
    - `waits`: False to raise an error after the first 429 or 503, and not to wait for a retry: ServiceBusyError if the
      answer has a usable Retry-After, else ServiceFailedError.
    - `acquire`: waits until the rate limiter lets an attempt pass. Its argument is True for a retry.
    - `hooks`: `hooks.on_wait` is called before each wait for a retry. WaitHook describes its argument.

    Raises ServiceError if there is no 2xx answer, and the exceptions of `acquire` and `hooks`. `maybe_acted` of a
    BadRequestError is True if Genesys may have carried out an earlier attempt.
    """
    policy = RetryPolicy(safe, timing)
    is_retry = maybe_acted = False
    while True:
        await acquire(is_retry)
        is_retry = True
        policy.start_attempt()
        answer = await _attempt(send, needs)
        if isinstance(answer, httpx.Response):
            return answer
        if final and answer.rule is RetryRule.SERVER_ERROR:
            answer = CallError(OutcomeUnknownError(reference=answer.error.reference), RetryRule.IF_SAFE)
        delay = policy.next_delay(answer) if waits or answer.rule is not RetryRule.RETRY_AFTER else None
        if isinstance(answer.error, BadRequestError):
            answer.error.maybe_acted = maybe_acted
        maybe_acted = maybe_acted or answer.rule in (RetryRule.IF_SAFE, RetryRule.SERVER_ERROR)
        if delay is None:
            raise _last_error(answer, safe=safe, waits=waits)
        fields = {"after": answer.error.code, "reference": answer.error.reference, "seconds": round(delay, 1)}
        log.info("retrying a call to Genesys", extra={"fields": fields})
        if hooks:
            await hooks.on_wait(delay if isinstance(answer.error, ServiceBusyError) else 0.0)
        await sleep(delay)


def _last_error(answer: CallError, *, safe: bool, waits: bool) -> ServiceError:
    """Return the error that `send_with_retry` raises after the last attempt, which ended with `answer`."""
    if safe and isinstance(answer.error, OutcomeUnknownError):  # a safe call creates nothing
        return ServiceUnreachableError(reference=answer.error.reference)
    if not waits and answer.rule is RetryRule.RETRY_AFTER and answer.retry_after is None:
        return ServiceFailedError(reference=answer.error.reference)
    return answer.error


async def _attempt(send: Callable[[], Awaitable[httpx.Response]], needs: str) -> httpx.Response | CallError:
    try:
        response = await send()
    except httpx.TransportError as error:
        return error_from_exception(error)
    except (httpx.HTTPError, aiohttp.ClientError, TimeoutError):  # the answer was not HTTP, or took too long
        return CallError(OutcomeUnknownError(), RetryRule.IF_SAFE)
    return error_from_response(response, needs=needs) or response
