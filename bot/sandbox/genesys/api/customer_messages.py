"""What the sandbox's Genesys sends to customers: SMS and e-mails without an agent. They go into an outbox, and nowhere.

The shapes are the official SDK's SendAgentlessOutboundMessageRequest and AgentlessEmailSendRequestDto.
"""

import html
import json
import re
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from bot.sandbox.genesys.api.login import Grant
from bot.sandbox.genesys.conversations import stamp
from bot.sandbox.genesys.errors import ApiError
from bot.sandbox.genesys.pages import page
from bot.sandbox.genesys.records import Recent

SMS, EMAIL = "/api/v2/conversations/messages/agentless", "/api/v2/conversations/emails/agentless"
TEXT_LENGTH = 765
_E164, _EMAIL = re.compile(r"\+[1-9][0-9]{6,14}"), re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


@dataclass(frozen=True)
class Sent:
    """An SMS or an e-mail; `subject` is empty for the one."""

    kind: str
    sender: str
    to: str = field(repr=False)
    text: str = field(repr=False)
    subject: str = ""
    at: float = field(default_factory=time.time)


class Outbox:
    """What was sent, the oldest first."""

    def __init__(self, require: Callable[..., Grant]) -> None:
        self.sent: list[Sent] = Recent()
        self._require = require

    def routes(self) -> Sequence[web.RouteDef]:
        return [
            web.post(SMS, self._sms, name="sms"),
            web.post(EMAIL, self._email, name="email"),
            web.get("/outbox", self._page, name="outbox"),
        ]

    async def _sms(self, request: web.Request) -> web.Response:
        self._require(request, "conversation:message:create")
        body = await _object(request, {"fromAddress", "toAddress", "toAddressMessengerType", "textBody"})
        if body["toAddressMessengerType"] != "sms":
            raise ApiError(400, "Only toAddressMessengerType sms is known here.")
        for name in ("fromAddress", "toAddress"):
            if not _E164.fullmatch(str(body[name])):
                raise ApiError(400, f"{name} must be a number in E.164.")
        text = body["textBody"]
        if not isinstance(text, str) or not 1 <= len(text) <= TEXT_LENGTH:
            raise ApiError(400, f"textBody must have 1 to {TEXT_LENGTH} characters.")
        self.sent.append(Sent("SMS", body["fromAddress"], body["toAddress"], text))
        told = {"fromAddress": body["fromAddress"], "toAddress": body["toAddress"], "messengerType": "sms"}
        return _answer({**told, "timestamp": stamp(time.time())}, SMS)

    async def _email(self, request: web.Request) -> web.Response:
        self._require(request, "conversation:email:create", "conversation:agentlessEmail:send")
        body = await _object(request, {"senderType", "fromAddress", "toAddresses", "subject", "textBody"})
        sender, to = body["fromAddress"], body["toAddresses"]
        if body["senderType"] != "Outbound":
            raise ApiError(400, "senderType must be Outbound.")
        if not isinstance(to, list) or len(to) != 1:
            raise ApiError(400, "toAddresses must hold one address.")
        for address in (sender, to[0]):
            if not isinstance(address, dict) or not _EMAIL.fullmatch(str(address.get("email"))):
                raise ApiError(400, "An address must be an object with an email.")
        if not all(isinstance(body[name], str) and body[name] for name in ("subject", "textBody")):
            raise ApiError(400, "subject and textBody must be strings.")
        self.sent.append(Sent("E-mail", sender["email"], to[0]["email"], body["textBody"], body["subject"]))
        told = {name: body[name] for name in ("senderType", "fromAddress", "toAddresses", "subject")}
        return _answer({**told, "dateCreated": stamp(time.time())}, EMAIL)

    async def _page(self, _request: web.Request) -> web.Response:
        parts = "".join(map(_shown, reversed(self.sent))) or "<p>Nothing was sent yet.</p>"
        return page(
            200, "Outbox", f"<p>What Genesys sent to customers. Nobody gets it: this is the sandbox.</p>{parts}"
        )


def _shown(sent: Sent) -> str:
    kind, to, sender = html.escape(sent.kind), html.escape(sent.to), html.escape(sent.sender)
    subject = f"<strong>{html.escape(sent.subject)}</strong>\n" if sent.subject else ""
    return f"<h2>{kind} to {to}</h2><p>from {sender}, {stamp(sent.at)}</p><pre>{subject}{html.escape(sent.text)}</pre>"


async def _object(request: web.Request, keys: set[str]) -> Mapping[str, Any]:
    if request.content_type != "application/json":
        raise ApiError(415, "Content-Type must be application/json.", "unsupported.media.type")
    try:
        body = json.loads(await request.read())
    except ValueError as error:
        raise ApiError(400, "The body is not JSON.") from error
    if not isinstance(body, dict) or not set(body) == keys:
        raise ApiError(400, f"The body must be an object with: {', '.join(sorted(keys))}.")
    return body


def _answer(told: Mapping[str, Any], path: str) -> web.Response:
    sent_id = str(uuid.uuid4())
    body = {"id": sent_id, "conversationId": str(uuid.uuid4()), **told}
    return web.json_response({**body, "selfUri": f"{path.rpartition('/')[0]}/{sent_id}"})
