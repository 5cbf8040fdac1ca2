"""Sending a link to a customer, as people see it: the form for the address, the question, the answer (pure)."""

import json
from dataclasses import dataclass
from typing import Any

from bot.core.models import ChannelId, RequestId
from bot.core.results import Proposed, Sent
from bot.core.sending_errors import BadAddress
from bot.core.use_cases.customer_messages import pack
from bot.core.validation.contact import Medium, read_address
from bot.slack.api.views import View
from bot.slack.messages.blocks import Block, Message, button, buttons, escape, section
from bot.slack.messages.sending_error_copy import address_error

SEND_FORM = "send_to_customer_form"
SEND_ACTION, CANCEL_ACTION = "send_link", "cancel_sending"
TO = "to"
"""The one field's id, and its block's."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What the form was filled in with, and where its card stood; `argument` is a request's."""

    argument: str
    channel_id: ChannelId
    reply_url: str | None


def form(session_id: str, channel_id: str, reply_url: str | None) -> View:
    """Asks for the address. Where the answer goes travels with it, through Slack, whose it is."""
    field = {"type": "plain_text_input", "action_id": TO, "max_length": 254, "focus_on_load": True}
    hint = "Such as +14155550123 or name@example.com. You are asked once more before it is sent."
    ask = {"type": "input", "block_id": TO, "label": _plain("Mobile number or e-mail address"), "element": field}
    return {
        "type": "modal",
        "callback_id": SEND_FORM,
        "title": _plain("Send to customer"),
        "submit": _plain("Next"),
        "close": _plain("Cancel"),
        "blocks": [ask | {"hint": _plain(hint)}],
        "private_metadata": json.dumps([session_id, channel_id, reply_url]),
    }


def read_form(view: View) -> Wish | dict[str, str]:
    """What is wanted, or what is wrong with it, by block."""
    values: dict[str, Any] = (view.get("state") or {}).get("values") or {}
    text = str(((values.get(TO) or {}).get(TO) or {}).get("value") or "")
    session_id, channel_id, reply_url = json.loads(view["private_metadata"])
    try:
        address = read_address(text)
    except BadAddress as error:
        return {TO: " ".join(address_error(error.why))}
    return Wish(pack(session_id, address.text), ChannelId(channel_id), reply_url)


def question(proposed: Proposed, request_id: RequestId) -> Message:
    """Shows whom it would go to, and sends nothing. The address stands in the blocks alone: notifications show none."""
    address = proposed.address
    to = f"*{escape(address.shown)}*"
    cancel = button("Cancel", CANCEL_ACTION, value=request_id)

    def send(session_id: str) -> Block:
        return button("Send", SEND_ACTION, value=f"{request_id} {pack(session_id, address.text)}", style="primary")

    if len(proposed.records) == 1:
        (record,) = proposed.records
        asked = section(f":envelope: Send the link of “{escape(record.session.name)}” to {to}?")
        return Message("Send the link to your customer?", [asked, buttons(send(record.session.id), cancel)])
    rows = [
        section(f"“{escape(record.session.name)}”") | {"accessory": send(record.session.id)}
        for record in proposed.records
    ]
    asked = section(f":envelope: Which session's link shall go to {to}?")
    return Message("Which link shall be sent to your customer?", [asked, *rows, buttons(cancel)])


def sent(outcome: Sent) -> Message:
    """It went out. The address is not repeated."""
    name, address = escape(outcome.record.session.name), outcome.address
    to = f"the number ending in {address.text[-4:]}" if address.medium is Medium.SMS else escape(address.masked)
    text = f"The link of “{name}” was sent to {to}."
    return Message(text, [section(f":white_check_mark: {text}")])


def cancelled() -> Message:
    """In the question's place."""
    return Message("Nothing was sent.", [section("Nothing was sent.")])


def _plain(text: str) -> dict[str, str]:
    return {"type": "plain_text", "text": text}
