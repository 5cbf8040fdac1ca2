"""Receive payloads over HTTP: verify the signature of the raw bytes, then pass the payload to Bolt.

If the timestamp, the signature or the body of an HTTP request is not valid, the answer is a 4xx.
https://docs.slack.dev/authentication/verifying-requests-from-slack
"""

import asyncio
import hmac
import json
import logging
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from aiohttp import web
from slack_bolt.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk.signature import SignatureVerifier
from yarl import query_to_pairs

from bot.core.ports import NULL_TRACER, Metrics, Tracer
from bot.core.timing import RECEIVER_BOUNDS, SLACK_TIMING, ReceiverBounds, SlackTiming
from bot.observability.throttled_log import ThrottledLog
from bot.slack.listeners.errors import dispatch
from bot.slack.manifest import EVENTS_PATH

PATH = EVENTS_PATH
BODY_BYTES = 64 * 1024
LARGE_BODY_BYTES, MAX_LARGE_BODIES = 1024 * 1024, 8
"""The maximum size of an interactive payload in bytes, and the maximum number of payloads above BODY_BYTES that the bot
reads at the same time.

The payload of a message shortcut can be large. It contains the text of the message twice, and a non-ASCII letter can
take eight bytes.
"""
_INTERACTIVE = b"payload="
MAX_FIELDS = 100
MAX_AGE_SECONDS = 300
MIN_MISFITS = 3
MAX_MISFITS = 16
_CLOCK_LOG_SECONDS = 60.0
RETRY_HEADERS = ("X-Slack-Retry-Num", "X-Slack-Retry-Reason")
"""The only HTTP headers that the bot passes to Bolt: the number and the reason of Slack's retry."""
_SIGNATURE = re.compile(r"v0=[0-9a-f]{64}")
_TIMESTAMP = re.compile(r"[0-9]{1,12}")
_SSL_CHECK = re.compile(rb"ssl_check=1(?:&token=[^&=]{0,200})?|token=[^&=]{0,200}&ssl_check=1")
_FORM, _JSON = "application/x-www-form-urlencoded", "application/json"


class RejectedError(Exception):
    """The bot rejects an HTTP request before Bolt sees it. `status` is the HTTP status of the response."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


class HttpReceiver:
    """Handles POST /slack/events: verifies each HTTP request, passes it to Bolt, and returns Bolt's response.

    `clock`: detects that this machine's clock is wrong.
    """

    def __init__(
        self,
        app: AsyncApp,
        signing_secrets: Sequence[str],
        metrics: Metrics,
        *,
        timing: SlackTiming = SLACK_TIMING,
        bounds: ReceiverBounds = RECEIVER_BOUNDS,
        tracer: Tracer = NULL_TRACER,
    ) -> None:
        self._app, self._metrics, self._timing = app, metrics, timing
        self._dispatch = tracer.receiving(dispatch, over_http=True)
        self.use_secrets(signing_secrets)
        self._waiting = BodySlots(bounds.waiting_bodies, "too many bodies are waited for")
        self._large = BodySlots(
            MAX_LARGE_BODIES, "too many large bodies at once", min_hold_seconds=timing.large_body_min_seconds
        )
        self._log = ThrottledLog(logging.getLogger(__name__))
        self.clock = ClockWatch(timing.clock_window_seconds)

    def use_secrets(self, signing_secrets: Sequence[str]) -> None:
        """Accept HTTP requests that are signed with any of these secrets, and no others."""
        self._verifiers = tuple(map(SignatureVerifier, signing_secrets))

    def add_to(self, server: web.Application) -> None:
        """Add the route /slack/events to `server`. This class limits the size of bodies, so `server` needs no limit."""
        server.router.add_post(PATH, self.handle)

    def close(self) -> None:
        """Write the log lines that this receiver has held back to limit their number. It has nothing else to close."""
        self._log.flush()
        self.clock.flush()

    async def handle(self, request: web.Request) -> web.Response:
        """Answer an HTTP request from Slack.

        Return Bolt's response. To Slack's check of the TLS certificate, return an empty response with status 200. The
        status is a 4xx if the request is malformed, too large, too slow or not signed by Slack. The status is 503 if
        the bot has too many bodies to read at the same time.
        """
        try:
            if not request.content.is_eof() or (request.content_length or 0) > BODY_BYTES:
                _check_before_body(request)
            raw = await self._read(request)
            return web.Response() if _is_ssl_check(request, raw) else await self._answer(request, raw)
        except RejectedError as rejected:
            self._log.warning("refused", str(rejected), status=rejected.status, why=str(rejected))
            return web.Response(status=rejected.status, text=f"{rejected}\n")

    async def _answer(self, request: web.Request, raw: bytes) -> web.Response:
        body = self._verified(raw, *_signature_headers(request))
        bolt_request = _bolt_request(_bolt_body(body, request.content_type), request)
        return _response(await self._dispatch(self._app, bolt_request, self._metrics))

    async def _read(self, request: web.Request) -> bytes:
        """Read the body of a request.

        Raises RejectedError if the body is too slow, too large or unreadable, or if the bot has too many bodies to read
        at the same time.
        """
        if request.content.is_eof() and (request.content_length or LARGE_BODY_BYTES) <= BODY_BYTES:
            return request.content.read_nowait()  # nothing to wait for, so no timer and no slot
        return await self._read_slowly(request)

    async def _read_slowly(self, request: web.Request) -> bytes:
        """Read a body that is larger than BODY_BYTES, or that did not arrive together with its headers.

        Raises RejectedError if the body is too slow, too large or unreadable, or if the bot has too many bodies to read
        at the same time.
        """
        wait: BodyWait | None = None
        try:
            async with asyncio.timeout(self._timing.body_timeout) as timeout:
                wait = BodyWait(timeout)
                with ExitStack() as slots:
                    if not request.content.is_eof():
                        slots.enter_context(self._waiting.hold(wait))
                    return await self._read_chunks(request, wait, slots)
        except TimeoutError:
            if wait and wait.displaced:
                raise RejectedError(503, wait.displaced) from None
            raise RejectedError(408, "the body took too long") from None
        except NoBodySlotError as full:
            raise RejectedError(503, str(full)) from None
        except (ValueError, ConnectionError):
            raise RejectedError(400, "the body cannot be read") from None

    async def _read_chunks(self, request: web.Request, wait: "BodyWait", slots: ExitStack) -> bytes:
        body, announced, limit = bytearray(), request.content_length or 0, BODY_BYTES
        if announced > LARGE_BODY_BYTES or (announced > BODY_BYTES and request.content_type != _FORM):
            raise RejectedError(413, "the body is too large")
        async for chunk in request.content.iter_any():
            body += chunk
            if max(announced, len(body)) <= limit or len(body) < len(_INTERACTIVE):
                continue
            if len(body) > LARGE_BODY_BYTES or not body.startswith(_INTERACTIVE):
                raise RejectedError(413, "the body is too large")
            if len(body) > limit:  # count the received bytes instead of trusting Content-Length
                slots.enter_context(self._large.hold(wait))
                limit = LARGE_BODY_BYTES
        return bytes(body)

    def _verified(self, raw: bytes, timestamp: str, signature: str) -> str:
        """Verify the timestamp and the signature, and return the body as text.

        Raises RejectedError if the timestamp or the signature is wrong, or if the body is not UTF-8.
        """
        try:
            body = raw.decode()
        except UnicodeDecodeError:
            raise RejectedError(400, "the body is not UTF-8") from None
        if is_off(timestamp):
            signatures = [each.generate_signature(timestamp=timestamp, body=body) for each in self._verifiers]
            if any(hmac.compare_digest(each, signature) for each in signatures if each):
                self.clock.missed(signature, seconds_off(timestamp))
            raise RejectedError(401, "the timestamp is old, or ahead")
        if not any(each.is_valid(body, timestamp, signature) for each in self._verifiers):
            raise RejectedError(401, "the signature does not fit")
        self.clock.fitted()
        return body


class NoBodySlotError(Exception):
    """The bot is already reading its maximum number of bodies. The text is the reason, for the log and the response."""

    code = "no_body_slot"


class BodyWait:
    """The body of an HTTP request that the bot is reading. The bot may stop reading it to make room for a newer body.

    `displaced`: the reason, if the bot has stopped reading this body for a newer one; else None.

    `timeout`, an argument of the constructor: the time-out of the code that reads the body.
    """

    def __init__(self, timeout: asyncio.Timeout) -> None:
        self.displaced: str | None = None
        self._timeout = timeout

    def displace(self, why: str) -> None:
        """Stop reading this body, to make room for a newer body: let the time-out expire now.

        `why`: the reason, for the log and the response.
        """
        if not self._timeout.expired():
            self.displaced = why
            self._timeout.reschedule(asyncio.get_running_loop().time())


class BodySlots:
    """Lets at most `count` bodies be read at the same time. Each of these bodies holds a slot.

    If all slots are taken, a new body takes the slot of the oldest body, so that slow senders cannot block Slack.

    - `why`: the reason for the log and the response, when a body gets no slot or loses its slot.
    - `min_hold_seconds`: how long a body keeps its slot, at least. Only after this time can a new body take the slot.
    """

    def __init__(self, count: int, why: str, *, min_hold_seconds: float = 0.0) -> None:
        self._count, self._why, self._min_hold_seconds = count, why, min_hold_seconds
        self._held: dict[BodyWait, float] = {}

    @contextmanager
    def hold(self, wait: BodyWait) -> Iterator[None]:
        """Hold a slot for the body `wait` until the `with` block ends, or until a newer body takes the slot.

        If all slots are taken, take the slot of the oldest body, and stop reading that body. Raises NoBodySlotError
        instead if the oldest body has held its slot for less than `min_hold_seconds`.
        """
        now = asyncio.get_running_loop().time()
        if len(self._held) >= self._count:
            first, since = next(iter(self._held.items()))
            if now - since < self._min_hold_seconds:
                raise NoBodySlotError(self._why)
            del self._held[first]
            first.displace(self._why)
        self._held[wait] = now
        try:
            yield
        finally:
            self._held.pop(wait, None)


class ClockWatch:
    """Detects that this machine's clock is wrong, by the timestamps that Slack signs.

    A timestamp is stale if it differs from the clock by more than MAX_AGE_SECONDS. A single stale timestamp proves
    nothing: it may come from a replayed HTTP request.

    `window_seconds`: the period in which stale timestamps are counted.
    """

    def __init__(self, window_seconds: float) -> None:
        self._log = ThrottledLog(logging.getLogger(__name__), _CLOCK_LOG_SECONDS)
        self._window_seconds = window_seconds
        self._misfits: dict[str, float] = {}
        self._fitted_at = float("-inf")

    def fitted(self) -> None:
        """Record an HTTP request with a valid signature and a current timestamp: the clock is right."""
        self._fitted_at = time.monotonic()

    def missed(self, signature: str, seconds_off: int) -> None:
        """Record an HTTP request with a valid signature and a stale timestamp.

        A second request with the same `signature` is not counted, because somebody may replay a request of Slack.
        `seconds_off`: the age of the timestamp in seconds, negative for a timestamp in the future.
        """
        now = time.monotonic()
        self._misfits = {known: at for known, at in self._misfits.items() if now - at < self._window_seconds}
        if len(self._misfits) < MAX_MISFITS:
            self._misfits.setdefault(signature, now)
        self._log.error("the clock differs from Slack's", "clock", seconds_off=seconds_off)

    def is_right(self) -> bool:
        """Return False if the clock is probably wrong, else True.

        The clock is probably wrong if the last `window_seconds` had at least MIN_MISFITS stale timestamps and no
        current one.
        """
        since = time.monotonic() - self._window_seconds
        return self._fitted_at > since or sum(at > since for at in self._misfits.values()) < MIN_MISFITS

    def flush(self) -> None:
        """Write the log line about stale timestamps that waits to be written. Do nothing if no line waits.

        A line waits if another line about stale timestamps was written less than a minute ago.
        """
        self._log.flush()


def seconds_off(timestamp: str) -> int:
    """Return the age of Slack's timestamp by this machine's clock, in seconds.

    The age is negative for a timestamp in the future. `timestamp`: the seconds since 1970, in digits.
    """
    return round(time.time()) - int(timestamp)


def is_off(timestamp: str) -> bool:
    """Return whether Slack's timestamp differs from this machine's clock by more than MAX_AGE_SECONDS.

    `timestamp`: the seconds since 1970, in digits.
    """
    return abs(time.time() - int(timestamp)) > MAX_AGE_SECONDS


def _check_before_body(request: web.Request) -> None:
    """Check the signature headers before the body is read.

    Raises RejectedError if a signature header is missing or malformed. Also raises RejectedError if the timestamp
    differs from this machine's clock by more than MAX_AGE_SECONDS, and the body may be larger than BODY_BYTES. A
    smaller body is read all the same: its signature shows whether the clock is wrong.
    """
    timestamp, _ = _signature_headers(request)
    if is_off(timestamp) and (request.content_length or LARGE_BODY_BYTES) > BODY_BYTES:
        raise RejectedError(401, "the timestamp is old, or ahead")


def _is_ssl_check(request: web.Request, raw: bytes) -> bool:
    """Return whether the HTTP request is Slack's check of the TLS certificate (`ssl_check`), which has no signature.

    https://docs.slack.dev/interactivity/implementing-slash-commands/
    """
    is_unsigned = "X-Slack-Signature" not in request.headers and "X-Slack-Request-Timestamp" not in request.headers
    return is_unsigned and request.content_type == _FORM and _SSL_CHECK.fullmatch(raw) is not None


def _signature_headers(request: web.Request) -> tuple[str, str]:
    """Return the timestamp and the signature from the headers.

    Raises RejectedError if a header is missing or malformed.
    """
    timestamp = request.headers.get("X-Slack-Request-Timestamp", "")
    signature = request.headers.get("X-Slack-Signature", "")
    if not _TIMESTAMP.fullmatch(timestamp) or not _SIGNATURE.fullmatch(signature):
        raise RejectedError(401, "no valid signature headers")
    return timestamp, signature


def _bolt_body(body: str, content_type: str) -> dict[str, Any]:
    """Parse the body of an HTTP request: a form, a form with JSON in the field `payload`, or JSON.

    Raises RejectedError for any other body.
    """
    if content_type == _JSON:
        return _object(body)
    if content_type != _FORM:
        raise RejectedError(415, "neither a form nor JSON")
    if body and not all("=" in field for field in body.split("&")):
        raise RejectedError(400, "the body is no form")
    try:
        form = dict(query_to_pairs(body, max_fields=MAX_FIELDS))
    except ValueError:
        raise RejectedError(400, "the body is no form") from None
    return _object(form["payload"]) if "payload" in form else form


def _bolt_request(fields: dict[str, Any], request: web.Request) -> AsyncBoltRequest:
    """Build a Bolt request from an HTTP request. `fields` is the parsed body.

    The mode of the Bolt request is Socket Mode, so that Bolt does not verify the signature again. Raises RejectedError
    if Bolt cannot read the body.
    """
    headers: dict[str, str | Sequence[str]] = {
        name: value for name in RETRY_HEADERS if (value := request.headers.get(name))
    }
    try:
        return AsyncBoltRequest(mode="socket_mode", body=fields, headers=headers)
    except (TypeError, ValueError, AttributeError, KeyError):
        raise RejectedError(400, "the body is of another shape") from None


def _response(answer: BoltResponse) -> web.Response:
    kind = _JSON if answer.body.startswith("{") else "text/plain"
    return web.Response(status=answer.status, text=answer.body, content_type=kind)


def _object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        raise RejectedError(400, "the body is no JSON") from None
    if not isinstance(value, dict):
        raise RejectedError(400, "the body is no JSON object")
    return value
