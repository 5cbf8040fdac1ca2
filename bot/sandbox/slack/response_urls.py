"""Create response_urls, and handle the HTTP requests to response_urls.

A response_url is valid for five posts within 30 minutes. A post to the response_url of a command adds a message. A post
to the response_url of a button press can also replace or delete the message with the button.
https://docs.slack.dev/interactivity/handling-user-interaction#message_responses
"""

from __future__ import annotations

import json
import secrets
import time
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from bot.sandbox.slack.faults import Faults, apply_fault, error_response
from bot.sandbox.slack.models import MAX_ENTRIES, CallLog, Message
from bot.sandbox.slack.validation.blocks import read_message
from bot.sandbox.slack.validation.limits import BlockError
from bot.sandbox.slack.workspace import Workspace


@dataclass
class ResponseUrl:
    """The data of a response_url.

    - `user_id`: the only user who sees an ephemeral message that is posted to the response_url.
    - `channel`: the channel of the messages that are posted to the response_url.
    - `trigger_id`: the trigger id of the command or press that the response_url belongs to.
    - `message`: the message that a post to the response_url can replace or delete; None if there is no such message.
    - `made_at`: when the response_url was created, a `time.monotonic()` value.
    - `uses`: the number of successful posts.
    """

    user_id: str
    channel: str
    trigger_id: str
    message: Message | None
    made_at: float = field(default_factory=time.monotonic)
    uses: int = 0


class ResponseUrls:
    """Holds the response_urls, and handles HTTP requests to `/response/<secret>`.

    - `lifetime_seconds`: how long a response_url is valid.
    - `max_uses`: how many successful posts a response_url allows.
    """

    def __init__(self, workspace: Workspace, faults: Faults, log: CallLog) -> None:
        self.lifetime_seconds = 1800.0
        self.max_uses = 5
        self._workspace = workspace
        self._faults = faults
        self._log = log
        self._entries: dict[str, ResponseUrl] = {}

    def make(self, user_id: str, channel: str, trigger_id: str, message: Message | None = None) -> str:
        """Create a response_url, and return the path of the response_url.

        - `user_id`: the only user who sees an ephemeral message that is posted to the response_url.
        - `channel`: the channel of the messages that are posted to the response_url.
        - `trigger_id`: the trigger id of the command or press that the response_url belongs to.
        - `message`: the message that a post to the response_url can replace or delete; None if there is no such
          message.
        """
        secret = secrets.token_urlsafe(18)
        self._entries[secret] = ResponseUrl(user_id, channel, trigger_id, message)
        while len(self._entries) > MAX_ENTRIES:
            del self._entries[next(iter(self._entries))]
        return f"/response/{secret}"

    async def handle(self, request: web.Request) -> web.StreamResponse:
        try:
            body = json.loads(await request.text())
        except ValueError:
            body = None
        call = self._log.begin("response_url", body if isinstance(body, dict) else {})
        fault = self._faults.take("response_url")
        met = await apply_fault(fault, request) if fault is not None else None
        response: web.StreamResponse
        if met is None or (fault is not None and fault.options.get("processes")):
            response, error = self._answer(request.match_info["secret"], body)
        if met is not None:
            response, error = met
        self._log.end(call, response.status, error)
        return response

    def _answer(self, secret: str, body: Any) -> tuple[web.Response, str | None]:
        entry = self._entries.get(secret)
        if entry is None or time.monotonic() - entry.made_at > self.lifetime_seconds:
            return error_response(404, "expired_url"), "expired_url"
        if entry.uses >= self.max_uses:
            return error_response(404, "used_url"), "used_url"
        if not isinstance(body, dict):
            return error_response(400, "invalid_payload"), "invalid_payload"
        try:
            self._use(entry, body)
        except BlockError as error:
            return error_response(400, error.code, errors=[str(error)]), error.code
        entry.uses += 1
        return web.Response(text="ok"), None

    def _use(self, entry: ResponseUrl, body: dict[str, Any]) -> None:
        if entry.message is not None and body.get("delete_original"):
            self._workspace.delete(entry.message)
            return
        if body.get("delete_original") and not (body.get("text") or body.get("blocks")):
            return  # a command's response_url has no message to delete
        text, blocks = read_message(body)
        if entry.message is not None and body.get("replace_original"):
            self._workspace.replace(entry.message, text, blocks)
            return
        reader = None if body.get("response_type") == "in_channel" else entry.user_id
        self._workspace.add(
            entry.channel, text, blocks, via="response_url", visible_to=reader, trigger_id=entry.trigger_id
        )
