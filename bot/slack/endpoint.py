"""The HTTP door: checks the raw bytes of what claims to come from Slack, and only then lets Bolt see it.

Bolt answers 500, or raises, on a timestamp that is no number, a signature that is not ASCII or a body that is no form;
here each of them gets its 4xx. https://docs.slack.dev/authentication/verifying-requests-from-slack
"""

import asyncio
import json
import logging
import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any
from urllib.parse import unquote_plus

from aiohttp import web
from slack_bolt.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk.signature import SignatureVerifier

from bot.desk.meter import Meter
from bot.slack.boundary import dispatch

log = logging.getLogger(__name__)

PATH = "/slack/events"
BODY_BYTES = 64 * 1024
LARGE_BODY_BYTES, LARGE_AT_ONCE = 1024 * 1024, 8
"""A shortcut brings the message it was chosen on, its text twice, and eight bytes for each letter that is not ASCII; so
what begins as a press or a shortcut does may be larger, a few at once."""
_INTERACTIVE = b"payload="
BODY_SECONDS = 5.0
FIELDS = 100
RETRY = ("X-Slack-Retry-Num", "X-Slack-Retry-Reason")
"""What comes besides the body, as over a socket: that an event is sent again, and why."""
_SIGNATURE = re.compile(r"v0=[0-9a-f]{64}")
_TIMESTAMP = re.compile(r"[0-9]{1,12}")
_FORM, _JSON = "application/x-www-form-urlencoded", "application/json"


class Rejected(Exception):
    """Not from Slack, or not fit to be read; `status` is the 4xx it gets, or 503 where there is no room now."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


class Endpoint:
    """POST /slack/events."""

    def __init__(self, app: AsyncApp, signing_secret: str, meter: Meter) -> None:
        self._app, self._meter = app, meter
        self._verifier = SignatureVerifier(signing_secret)
        self._large = 0

    def add_to(self, server: web.Application) -> None:
        """Puts the route into a server. What is read is bounded here."""
        server.router.add_post(PATH, self.handle)

    async def handle(self, request: web.Request) -> web.Response:
        """Answers Slack; 4xx for whatever is not provably from Slack."""
        try:
            proof = _proof(request)
            if _is_here(request):
                return await self._answer(request, request.content.read_nowait(), *proof)
            with ExitStack() as room:
                return await self._answer(request, await self._read(request, room), *proof)
        except Rejected as rejected:
            log.warning("refused", extra={"fields": {"status": rejected.status, "why": str(rejected)}})
            return web.Response(status=rejected.status, text=f"{rejected}\n")

    async def _answer(self, request: web.Request, raw: bytes, timestamp: str, signature: str) -> web.Response:
        body = self._verified(raw, timestamp, signature)
        bolt_request = _bolt_request(_fields(body, request.content_type), request)
        return _response(await dispatch(self._app, bolt_request, self._meter))

    async def _read(self, request: web.Request, room: ExitStack) -> bytes:
        """The body, piece by piece. Raises Rejected, as soon as it is known."""
        try:
            async with asyncio.timeout(BODY_SECONDS):
                return await self._pieces(request, room)
        except TimeoutError:
            raise Rejected(408, "the body took too long") from None
        except (ValueError, ConnectionError):
            raise Rejected(400, "the body cannot be read") from None

    async def _pieces(self, request: web.Request, room: ExitStack) -> bytes:
        body, announced, most = bytearray(), request.content_length or 0, BODY_BYTES
        if announced > LARGE_BODY_BYTES or (announced > BODY_BYTES and request.content_type != _FORM):
            raise Rejected(413, "the body is too large")
        async for piece in request.content.iter_any():
            body += piece
            if max(announced, len(body)) <= most or len(body) < len(_INTERACTIVE):
                continue
            if most == LARGE_BODY_BYTES or not body.startswith(_INTERACTIVE):
                raise Rejected(413, "the body is too large")
            room.enter_context(self._room_for_a_large_one())
            most = LARGE_BODY_BYTES
        return bytes(body)

    @contextmanager
    def _room_for_a_large_one(self) -> Iterator[None]:
        if self._large >= LARGE_AT_ONCE:
            raise Rejected(503, "too many large bodies at once")
        self._large += 1
        try:
            yield
        finally:
            self._large -= 1

    def _verified(self, raw: bytes, timestamp: str, signature: str) -> str:
        """The body as text. Raises Rejected."""
        try:
            body = raw.decode()
        except UnicodeDecodeError:
            raise Rejected(400, "the body is not UTF-8") from None
        if not self._verifier.is_valid(body, timestamp, signature):
            raise Rejected(401, "the signature does not fit, or the timestamp is old")
        return body


def _is_here(request: web.Request) -> bool:
    """Whether all of the body has come with its headers, as nearly all do, and is no large one."""
    content, length = request.content, request.content_length or LARGE_BODY_BYTES
    return content.is_eof() and length <= BODY_BYTES and content.exception() is None


def _proof(request: web.Request) -> tuple[str, str]:
    """The timestamp and the signature, without which nothing is read. Raises Rejected."""
    timestamp = request.headers.get("X-Slack-Request-Timestamp", "")
    signature = request.headers.get("X-Slack-Signature", "")
    if not _TIMESTAMP.fullmatch(timestamp) or not _SIGNATURE.fullmatch(signature):
        raise Rejected(401, "no valid signature headers")
    return timestamp, signature


def _fields(body: str, content_type: str) -> dict[str, Any]:
    """What Bolt is given, which must be an object: a form, a form's payload, or JSON. Raises Rejected."""
    if content_type == _JSON:
        return _object(body)
    if content_type != _FORM:
        raise Rejected(415, "neither a form nor JSON")
    pairs = [pair.partition("=") for pair in body.split("&", FIELDS)] if body else []
    if len(pairs) > FIELDS or not all(equals for _, equals, _ in pairs):
        raise Rejected(400, "the body is no form")
    form = {_unquoted(name): _unquoted(value) for name, _, value in pairs}
    return _object(form["payload"]) if "payload" in form else form


def _unquoted(text: str) -> str:
    return unquote_plus(text) if "%" in text or "+" in text else text  # which most of Slack's values are as they are


def _bolt_request(fields: dict[str, Any], request: web.Request) -> AsyncBoltRequest:
    """What is proven to be Slack's, as a socket would bring it: read already, and nothing for Bolt to verify again."""
    headers: dict[str, str | Sequence[str]] = {name: value for name in RETRY if (value := request.headers.get(name))}
    try:
        return AsyncBoltRequest(mode="socket_mode", body=fields, headers=headers)
    except (TypeError, ValueError, AttributeError, KeyError):
        raise Rejected(400, "the body is of another shape") from None


def _response(answer: BoltResponse) -> web.Response:
    kind = _JSON if answer.body.startswith("{") else "text/plain"
    return web.Response(status=answer.status, text=answer.body, content_type=kind)


def _object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        raise Rejected(400, "the body is no JSON") from None
    if not isinstance(value, dict):
        raise Rejected(400, "the body is no JSON object")
    return value
