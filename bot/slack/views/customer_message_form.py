"""Build and read the form that asks for a customer's address (pure)."""

import json
from dataclasses import dataclass
from typing import Any

from bot.core.errors import SendRejectedError
from bot.core.models import ChannelId
from bot.core.use_cases.customer_messages import pack
from bot.core.validation.contact import read_address
from bot.slack.messages.blocks import View, section
from bot.slack.messages.catalogue.errors import Situation
from bot.slack.messages.catalogue.sentence import ENGLISH, Language
from bot.slack.messages.error_copy import Addressee, error_copy
from bot.slack.views.session_form import LOADING

SEND_FORM = "send_to_customer_form"
TO = "to"
"""Block id and action id of the one field."""


@dataclass(frozen=True, slots=True)
class FormInput:
    """Hold a valid submission, and where the card was posted. `argument`: session id and address, packed."""

    argument: str
    channel_id: ChannelId
    reply_url: str | None


def form(session_id: str, channel_id: str, reply_url: str | None) -> View:
    """Return the form for the address. `private_metadata` carries the session, the channel and the response_url."""
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


def waiting(language: Language = ENGLISH) -> View:
    """Return the view that takes the place of the form until the question comes."""
    head = {"type": "modal", "callback_id": SEND_FORM, "title": _plain("Send to customer"), "close": _plain("Close")}
    return head | {"blocks": [section(language.say(LOADING))]}


def read_form(view: View, to: Addressee) -> FormInput | dict[str, str]:
    """Return the submission, or the errors by block id."""
    values: dict[str, Any] = (view.get("state") or {}).get("values") or {}
    text = str(((values.get(TO) or {}).get(TO) or {}).get("value") or "")
    session_id, channel_id, reply_url = json.loads(view["private_metadata"])
    try:
        address = read_address(text)
    except SendRejectedError as error:
        return {TO: error_copy(error, Situation.QUERY, to).text}
    return FormInput(pack(session_id, address.text), ChannelId(channel_id), reply_url)


def _plain(text: str) -> dict[str, str]:
    return {"type": "plain_text", "text": text}
