"""The HTTP door: checks the raw bytes of what claims to come from Slack, and only then lets Bolt see it.

Bolt answers 500, or raises, on a timestamp that is no number, a signature that is not ASCII or a body that is no form;
here each of them gets its 4xx. https://docs.slack.dev/authentication/verifying-requests-from-slack
"""

import asyncio
import json
import logging
import re
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response
from slack_bolt.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_sdk.signature import SignatureVerifier

from bot.desk.meter import Meter
from bot.slack.boundary import dispatch

log = logging.getLogger(__name__)

PATH = "/slack/events"
BODY_BYTES = 1024 * 1024
"""A shortcut brings the message it was chosen on, its text twice, and eight bytes for each letter that is not ASCII."""
BODY_SECONDS = 5.0
FIELDS = 100
_SIGNATURE = re.compile(r"v0=[0-9a-f]{64}")
_TIMESTAMP = re.compile(r"[0-9]{1,12}")
_FORM, _JSON = "application/x-www-form-urlencoded", "application/json"


class Rejected(Exception):
    """Not from Slack, or not fit to be read; `status` is the 4xx it gets."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


class Endpoint:
    """POST /slack/events."""

    def __init__(self, app: AsyncApp, signing_secret: str, meter: Meter) -> None:
        self._app, self._meter = app, meter
        self._verifier = SignatureVerifier(signing_secret)

    def add_to(self, server: web.Application) -> None:
        """Puts the route into a server, which has to limit what it reads to BODY_BYTES."""
        server.router.add_post(PATH, self.handle)

    async def handle(self, request: web.Request) -> web.Response:
        """Answers Slack; 4xx for whatever is not provably from Slack."""
        try:
            raw = await _read(request)
            body = self._verified(request, raw)
            bolt_request = _bolt_request(_fields(body, request.content_type), request)
        except Rejected as rejected:
            log.warning("refused", extra={"fields": {"status": rejected.status, "why": str(rejected)}})
            return web.Response(status=rejected.status, text=f"{rejected}\n")
        return await to_aiohttp_response(await dispatch(self._app, bolt_request, self._meter))

    def _verified(self, request: web.Request, raw: bytes) -> str:
        """The body as text. Raises Rejected."""
        timestamp = request.headers.get("X-Slack-Request-Timestamp", "")
        signature = request.headers.get("X-Slack-Signature", "")
        if not _TIMESTAMP.fullmatch(timestamp) or not _SIGNATURE.fullmatch(signature):
            raise Rejected(401, "no valid signature headers")
        try:
            body = raw.decode()
        except UnicodeDecodeError:
            raise Rejected(400, "the body is not UTF-8") from None
        if not self._verifier.is_valid(body, timestamp, signature):
            raise Rejected(401, "the signature does not fit, or the timestamp is old")
        return body


async def _read(request: web.Request) -> bytes:
    if (request.content_length or 0) > BODY_BYTES:
        raise Rejected(413, "the body is too large")
    try:
        async with asyncio.timeout(BODY_SECONDS):
            return await request.read()
    except TimeoutError:
        raise Rejected(408, "the body took too long") from None
    except web.HTTPRequestEntityTooLarge:
        raise Rejected(413, "the body is too large") from None
    except (ValueError, ConnectionError):
        raise Rejected(400, "the body cannot be read") from None


def _fields(body: str, content_type: str) -> dict[str, Any]:
    """What Bolt is given, which must be an object: a form, a form's payload, or JSON. Raises Rejected."""
    if content_type == _JSON:
        return _object(body)
    if content_type != _FORM:
        raise Rejected(415, "neither a form nor JSON")
    try:
        form = dict(parse_qsl(body, keep_blank_values=True, strict_parsing=True, max_num_fields=FIELDS))
    except ValueError:
        raise Rejected(400, "the body is no form") from None
    return _object(form["payload"]) if "payload" in form else form


def _bolt_request(fields: dict[str, Any], request: web.Request) -> AsyncBoltRequest:
    """What is proven to be Slack's, as a socket would bring it: read already, and nothing for Bolt to verify again."""
    try:
        return AsyncBoltRequest(mode="socket_mode", body=fields, headers=dict(request.headers))
    except (TypeError, ValueError, AttributeError, KeyError):
        raise Rejected(400, "the body is of another shape") from None


def _object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        raise Rejected(400, "the body is no JSON") from None
    if not isinstance(value, dict):
        raise Rejected(400, "the body is no JSON object")
    return value
