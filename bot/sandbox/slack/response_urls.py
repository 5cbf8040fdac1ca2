"""The response_urls of the sandbox's Slack: five uses in thirty minutes, and what a use may do.

One that came with a command only adds messages; one that came with a press may also change or delete that message.
https://docs.slack.dev/interactivity/handling-user-interaction#message_responses
"""

from __future__ import annotations

import json
import secrets
import time
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from bot.sandbox.slack.faults import Faults, meet, problem
from bot.sandbox.slack.models import KEEP, CallLog, Message
from bot.sandbox.slack.validation.blocks import read_message
from bot.sandbox.slack.validation.limits import BlockError
from bot.sandbox.slack.workspace import Workspace


@dataclass
class ResponseUrl:
    """One response_url: whom it answers, where, and the message it may change (None: a command's)."""

    user_id: str
    channel: str
    trigger_id: str
    message: Message | None
    made_at: float = field(default_factory=time.monotonic)
    uses: int = 0


class ResponseUrls:
    """Makes response_urls and answers `/response/<secret>`."""

    def __init__(self, workspace: Workspace, faults: Faults, log: CallLog) -> None:
        self.lifetime_seconds = 1800.0
        self.most_uses = 5
        self._workspace = workspace
        self._faults = faults
        self._log = log
        self._made: dict[str, ResponseUrl] = {}

    def make(self, user_id: str, channel: str, trigger_id: str, message: Message | None = None) -> str:
        """Return the path of a new one."""
        secret = secrets.token_urlsafe(18)
        self._made[secret] = ResponseUrl(user_id, channel, trigger_id, message)
        while len(self._made) > KEEP:
            del self._made[next(iter(self._made))]
        return f"/response/{secret}"

    async def handle(self, request: web.Request) -> web.StreamResponse:
        try:
            body = json.loads(await request.text())
        except ValueError:
            body = None
        call = self._log.begin("response_url", body if isinstance(body, dict) else {})
        fault = self._faults.take("response_url")
        met = await meet(fault, request) if fault is not None else None
        response: web.StreamResponse
        if met is None or (fault is not None and fault.how.get("acted")):
            response, error = self._answer(request.match_info["secret"], body)
        if met is not None:
            response, error = met
        self._log.end(call, response.status, error)
        return response

    def _answer(self, secret: str, body: Any) -> tuple[web.Response, str | None]:
        known = self._made.get(secret)
        if known is None or time.monotonic() - known.made_at > self.lifetime_seconds:
            return problem(404, "expired_url"), "expired_url"
        if known.uses >= self.most_uses:
            return problem(404, "used_url"), "used_url"
        if not isinstance(body, dict):
            return problem(400, "invalid_payload"), "invalid_payload"
        try:
            self._use(known, body)
        except BlockError as found:
            return problem(400, found.code, errors=[str(found)]), found.code
        known.uses += 1
        return web.Response(text="ok"), None

    def _use(self, known: ResponseUrl, body: dict[str, Any]) -> None:
        if known.message is not None and body.get("delete_original"):
            self._workspace.delete(known.message)
            return
        if body.get("delete_original") and not (body.get("text") or body.get("blocks")):
            return  # a command's response_url has nothing it could delete
        text, blocks = read_message(body)
        if known.message is not None and body.get("replace_original"):
            self._workspace.replace(known.message, text, blocks)
            return
        reader = None if body.get("response_type") == "in_channel" else known.user_id
        self._workspace.add(
            known.channel, text, blocks, via="response_url", visible_to=reader, trigger_id=known.trigger_id
        )
