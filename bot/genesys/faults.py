"""What went wrong with one call to Genesys: from an HTTP answer or a broken connection to a named error (pure).

The table is the contract's; see also "When Genesys fails" in the README. Decides from the cause, since
the HTTP library's own classes mislead: over aiohttp a dropped answer comes out as httpx.ConnectTimeout.
"""

import re
import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from enum import Enum

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

WORDS_LENGTH = 300
USER_CONTEXT = "requires a user context"
"""Genesys's words when a client's token will not do: it takes that of a person."""
_ODD = re.compile(r"[^\w.-]")
ORDERED_SECONDS = 180.0
LONGEST_SECONDS = 86_400.0
_NEVER_REACHED = (
    aiohttp.ClientConnectorError,  # name look-up, connection refused, TLS refused, and the way to a proxy
    aiohttp.ConnectionTimeoutError,
    aiohttp.ClientHttpProxyError,  # the proxy refused to connect us
)


class RetryRule(Enum):
    """Whether the same call may be sent again, and by which rule."""

    NEVER = "never"
    AS_ORDERED = "it did not act"
    UNREACHED = "it was never reached"
    TWICE = "the contract orders it"
    IF_SAFE = "nobody knows whether it acted"


@dataclass(frozen=True, slots=True)
class CallError:
    """A named error and its repeat rule; `retry_after` in seconds, as the service ordered it."""

    error: ServiceError
    repeat: RetryRule = RetryRule.NEVER
    retry_after: float | None = None


def of_answer(response: httpx.Response, *, needs: str) -> CallError | None:
    """The fault in an answer, None for a 2xx. `needs`: the scope or permission a 403 is about."""
    status, reference = response.status_code, reference_of(response)
    if response.is_success:
        return None
    if response.is_redirect or status < 400:
        return CallError(UnusableAnswerError(why=f"a redirect ({status})", reference=reference))
    if status == 401:
        return CallError(TokenRefusedError(reference=reference))
    if status in (400, 403) and USER_CONTEXT in _words(response).lower():
        return CallError(SignInRequiredError(reference=reference))
    if status == 403:
        return CallError(PermissionMissingError(needs=needs, words=_words_of_division(response), reference=reference))
    if status in (429, 503):
        seconds = retry_after(response.headers)
        return CallError(ServiceBusyError(reference=reference, retry_after=seconds), RetryRule.AS_ORDERED, seconds)
    if status == 500:
        return CallError(ServiceFailedError(reference=reference), RetryRule.TWICE)
    if status == 408 or status > 500:
        return CallError(OutcomeUnknownError(reference=reference), RetryRule.IF_SAFE)
    return CallError(BadRequestError(status=status, words=_words(response), reference=reference))


def of_exception(error: httpx.TransportError) -> CallError:
    """The fault in a call without an answer."""
    if never_reached(error):
        return CallError(ServiceUnreachableError(), RetryRule.UNREACHED)
    return CallError(OutcomeUnknownError(), RetryRule.IF_SAFE)


def never_reached(error: httpx.TransportError) -> bool:
    """Whether no byte of the request can have got there."""
    cause = error.__cause__
    if isinstance(cause, aiohttp.ClientError):
        return isinstance(cause, _NEVER_REACHED)
    return isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout | httpx.ProxyError)


def retry_after(headers: httpx.Headers) -> float | None:
    """Seconds to wait, from a number or an HTTP date (RFC 9110 section 10.2.3); None when there is no usable one."""
    text = headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text), LONGEST_SECONDS)
    try:
        return min(max(0.0, parsedate_to_datetime(text).timestamp() - time.time()), LONGEST_SECONDS)
    except (ValueError, TypeError, OverflowError):
        return None


def reference_of(response: httpx.Response) -> str | None:
    """The answer's correlation id: the header, else the body's contextId."""
    reference = response.headers.get("ININ-Correlation-Id") or _body(response).get("contextId")
    return _ODD.sub("", str(reference))[:64] or None if reference else None


def _words(response: httpx.Response) -> str:
    body = _body(response)
    words = body.get("message") or body.get("code") or response.reason_phrase
    return " ".join(str(words).split())[:WORDS_LENGTH]


def _words_of_division(response: httpx.Response) -> str:
    """The service's own words where they name a division; "" else: which permission is missing says more then."""
    words = _words(response)
    named = f"{words} {_body(response).get('code')}"
    return words if "division" in named.lower() else ""


def _body(response: httpx.Response) -> dict[str, object]:
    try:
        body = response.json()
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}
