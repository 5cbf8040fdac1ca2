"""Build and parse the dialog that sends a session's link to a customer (pure).

The first view asks for the customer's address. The second view asks whether to send the link to this address.
"""

import json

from bot.core.errors import SendRejectedError
from bot.core.use_cases.customer_messages import MessagingConfig, usable_address
from bot.core.validation.contact import ContactAddress, ContactChannel, read_address
from bot.slack.messages.blocks import View, section
from bot.slack.messages.catalogue.sentence import (
    HINT_LENGTH,
    TITLE_LENGTH,
    label,
    said,
)
from bot.slack.messages.customer_language import language_input, read_language
from bot.slack.messages.error_copy import Addressee, field_error
from bot.slack.messages.session_card import CardRenderer
from bot.slack.views.confirmation import Pressed, read_pressed

SEND_FORM, SEND_QUESTION = "send_to_customer_form", "send_to_customer_question"
TO = "to"
"""The block id and the action id of the form's only field."""

ADDRESS = label("send_form.address", "Customer’s mobile number or email")
MOBILE = label("send_form.mobile", "Customer’s mobile number")
EMAIL = label("send_form.email", "Customer’s email")
HINT = label(
    "send_form.hint", "Such as +14155550123 or name@example.com. You can check it before I send.", limit=HINT_LENGTH
)
HINT_MOBILE = label("send_form.hint_mobile", "Such as +14155550123. You can check it before I send.", limit=HINT_LENGTH)
HINT_EMAIL = label(
    "send_form.hint_email", "Such as name@example.com. You can check it before I send.", limit=HINT_LENGTH
)
NEXT = label("send_form.next", "Next", limit=TITLE_LENGTH)
CANCEL = label("send_form.cancel", "Cancel", limit=TITLE_LENGTH)
ASK_TEXT = said("send_form.ask_text", "Text this to *{address}*?")
ASK_EMAIL = said("send_form.ask_email", "Email this to *{address}*?")
WHAT = said("send_form.what", "The link of “{name}”.")
SEND = label("send_form.send", "Send", limit=TITLE_LENGTH)
SENDING = said("send_form.sending", "Sending…")
CLOSE = label("send_form.close", "Close", limit=TITLE_LENGTH)


def form(pressed: Pressed, cards: CardRenderer) -> View:
    """Build the dialog's first view, which asks for the customer's address.

    `pressed`: the press that opens the dialog.
    """
    language, features = cards.language, cards.features
    asked, hint = (ADDRESS, HINT) if features.texts and features.emails else (EMAIL, HINT_EMAIL)
    if not features.emails:
        asked, hint = MOBILE, HINT_MOBILE
    field = {"type": "plain_text_input", "action_id": TO, "max_length": 254, "focus_on_load": True}
    ask = {"type": "input", "block_id": TO, "label": _plain(language.say(asked)), "element": field}
    return _dialog(SEND_FORM, cards) | {
        "submit": _plain(language.say(NEXT)),
        "blocks": [ask | {"hint": _plain(language.say(hint))}],
        "private_metadata": pressed.packed(),
    }


def waiting(cards: CardRenderer) -> View:
    """Build the view that the dialog shows while the bot sends the link."""
    return _dialog(SEND_QUESTION, cards) | {
        "close": _plain(cards.language.say(CLOSE)),
        "blocks": [section(cards.language.say(SENDING))],
    }


def read_form(view: View, config: MessagingConfig, to: Addressee) -> ContactAddress | dict[str, str]:
    """Return the address that the agent submitted. If the bot cannot send to it, return error messages by block id.

    - `config`: says to which addresses the bot can send.
    - `to`: the reader of the error messages.
    """
    values = (view.get("state") or {}).get("values") or {}
    text = str(((values.get(TO) or {}).get(TO) or {}).get("value") or "")
    try:
        return usable_address(config, text)
    except SendRejectedError as error:
        return {TO: field_error(error, to)}


def question(view: View, address: ContactAddress, cards: CardRenderer) -> View:
    """Build the dialog's second view, which asks whether to send the link to `address`.

    `view`: the first view, as the agent submitted it.
    """
    language, metadata = cards.language, view["private_metadata"]
    ask = ASK_TEXT if address.medium is ContactChannel.SMS else ASK_EMAIL
    text = language.say(ask, address=address.shown)
    if name := read_pressed(metadata).name:
        text += f"\n{language.say(WHAT, name=name)}"
    return _dialog(SEND_QUESTION, cards) | {
        "submit": _plain(language.say(SEND)),
        "blocks": [section(text), *language_input(cards.features.customer_texts, address.medium, language)],
        "private_metadata": json.dumps([metadata, address.text]),
    }


def read_question(view: View) -> tuple[Pressed, ContactAddress, str]:
    """Read the dialog's second view, as the agent submitted it.

    Return three values:

    - the press that opened the dialog
    - the customer's address
    - the code of the language of the message to the customer; "" if the agent chose none
    """
    metadata, address = json.loads(view["private_metadata"])
    return read_pressed(metadata), read_address(address), read_language(view)


def _dialog(callback_id: str, cards: CardRenderer) -> View:
    head = {"type": "modal", "callback_id": callback_id, "title": _plain(cards.language.say(cards.send_label))}
    return head | {"close": _plain(cards.language.say(CANCEL))}


def _plain(text: str) -> dict[str, str]:
    return {"type": "plain_text", "text": text}
