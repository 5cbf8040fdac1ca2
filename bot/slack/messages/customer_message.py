"""Render the question whether to send a link to a customer, and its answer (pure)."""

from bot.core.models import RequestId
from bot.core.results import CustomerMessageSent, SendPreview
from bot.core.use_cases.customer_messages import pack
from bot.core.validation.contact import ContactChannel
from bot.slack.messages.blocks import Block, Message, button, buttons, escape, section

SEND_ACTION, CANCEL_ACTION = "send_link", "cancel_sending"


def question(proposed: SendPreview, request_id: RequestId) -> Message:
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


def sent(outcome: CustomerMessageSent) -> Message:
    """It went out. The address is not repeated."""
    name, address = escape(outcome.record.session.name), outcome.address
    to = f"the number ending in {address.text[-4:]}" if address.medium is ContactChannel.SMS else escape(address.masked)
    text = f"The link of “{name}” was sent to {to}."
    return Message(text, [section(f":white_check_mark: {text}")])


def cancelled() -> Message:
    """In the question's place."""
    return Message("Nothing was sent.", [section("Nothing was sent.")])
