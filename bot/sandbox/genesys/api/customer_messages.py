"""Serve the endpoints that send SMS and emails to customers. The sandbox stores the messages and does not deliver them.

The HTTP requests have the shapes of the SDK's SendAgentlessOutboundMessageRequest and AgentlessEmailSendRequestDto.
"""

import html
import re
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from bot.sandbox.genesys.api.login import Grant
from bot.sandbox.genesys.conversations import iso_time
from bot.sandbox.genesys.errors import ApiError, read_json
from bot.sandbox.genesys.pages import page
from bot.sandbox.genesys.records import BoundedList

SMS, EMAIL = "/api/v2/conversations/messages/agentless", "/api/v2/conversations/emails/agentless"
MAX_TEXT_LENGTH = 765
_LINK = re.compile(r"https?://[^\s<>\"']+")
_E164, _EMAIL = re.compile(r"\+[1-9][0-9]{6,14}"), re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


@dataclass(frozen=True)
class SentMessage:
    """An SMS or email that the sandbox's Genesys accepted.

    - `kind`: "SMS" or "Email".
    - `sender`, `to`: the phone numbers (E.164) of an SMS, or the email addresses of an email.
    - `subject`: the subject of an email; "" for an SMS.
    - `at`: the time of the acceptance, in seconds since 1970.
    """

    kind: str
    sender: str
    to: str = field(repr=False)
    text: str = field(repr=False)
    subject: str = ""
    at: float = field(default_factory=time.time)


class Outbox:
    """Holds the accepted SMS and emails to customers, and serves their API endpoints and the page `/outbox`.

    - `sent`: the accepted messages, oldest first.
    - `offers`: a function that returns a pair for each offer that a customer can still accept: the customer's name, and
      the path of the join page. The page `/outbox` links to these join pages.
    """

    def __init__(
        self, require_permission: Callable[..., Grant], offers: Callable[[], Sequence[tuple[str, str]]]
    ) -> None:
        self.sent: list[SentMessage] = BoundedList()
        self._require_permission, self._offers = require_permission, offers

    def routes(self) -> Sequence[web.RouteDef]:
        return [
            web.post(SMS, self._sms, name="sms"),
            web.post(EMAIL, self._email, name="email"),
            web.get("/outbox", self._page, name="outbox"),
        ]

    async def _sms(self, request: web.Request) -> web.Response:
        self._require_permission(request, "conversation:message:create")
        body = await read_json(request, {"fromAddress", "toAddress", "toAddressMessengerType", "textBody"})
        if body["toAddressMessengerType"] != "sms":
            raise ApiError(400, "Only toAddressMessengerType sms is known here.")
        for name in ("fromAddress", "toAddress"):
            if not _E164.fullmatch(str(body[name])):
                raise ApiError(400, f"{name} must be a number in E.164.")
        text = body["textBody"]
        if not isinstance(text, str) or not 1 <= len(text) <= MAX_TEXT_LENGTH:
            raise ApiError(400, f"textBody must have 1 to {MAX_TEXT_LENGTH} characters.")
        self.sent.append(SentMessage("SMS", body["fromAddress"], body["toAddress"], text))
        fields = {"fromAddress": body["fromAddress"], "toAddress": body["toAddress"], "messengerType": "sms"}
        return _sent_response({**fields, "timestamp": iso_time(time.time())}, SMS)

    async def _email(self, request: web.Request) -> web.Response:
        self._require_permission(request, "conversation:email:create", "conversation:agentlessEmail:send")
        body = await read_json(request, {"senderType", "fromAddress", "toAddresses", "subject", "textBody"})
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
        self.sent.append(SentMessage("Email", sender["email"], to[0]["email"], body["textBody"], body["subject"]))
        fields = {name: body[name] for name in ("senderType", "fromAddress", "toAddresses", "subject")}
        return _sent_response({**fields, "dateCreated": iso_time(time.time())}, EMAIL)

    async def _page(self, _request: web.Request) -> web.Response:
        offers = "".join(
            f'<p><a href="{html.escape(url)}">Join as {html.escape(customer)}</a></p>'
            for customer, url in self._offers()
        )
        parts = "".join(map(_message_html, reversed(self.sent))) or "<p>No messages yet.</p>"
        about = "<p>Messages from Genesys to customers. The sandbox delivers none of them.</p>"
        return page(200, "Outbox", f"{offers}{about}{parts}")


def _message_html(sent: SentMessage) -> str:
    kind, to, sender = html.escape(sent.kind), html.escape(sent.to), html.escape(sent.sender)
    subject = f"<strong>{html.escape(sent.subject)}</strong>\n" if sent.subject else ""
    text = _LINK.sub(r'<a href="\g<0>">\g<0></a>', html.escape(sent.text))
    return f"<h2>{kind} to {to}</h2><p>from {sender}, {iso_time(sent.at)}</p><pre>{subject}{text}</pre>"


def _sent_response(fields: Mapping[str, Any], path: str) -> web.Response:
    sent_id = str(uuid.uuid4())
    body = {"id": sent_id, "conversationId": str(uuid.uuid4()), **fields}
    return web.json_response({**body, "selfUri": f"{path.rpartition('/')[0]}/{sent_id}"})
