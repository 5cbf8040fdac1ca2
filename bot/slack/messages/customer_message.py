"""Render the question whether to send a link to a customer, and the messages after *Send* and after *Cancel* (pure)."""

from bot.core.models import RequestId
from bot.core.results import CustomerMessageSent, SendPreview
from bot.core.use_cases.customer_messages import pack
from bot.core.validation.contact import ContactChannel
from bot.slack.messages.blocks import Block, Message, button, buttons, context, section
from bot.slack.messages.catalogue.sentence import Language, counted, label, said
from bot.slack.messages.customer_language import language_select
from bot.slack.messages.help import HELP_SESSIONS_ACTION, PLAIN, SESSIONS_BUTTON, Capabilities

SEND_ACTION, CANCEL_ACTION = "send_link", "cancel_sending"
ASK_TEXT = said("send.ask_text", "Text the link of “{name}” to *{address}*?")
ASK_EMAIL = said("send.ask_email", "Email the link of “{name}” to *{address}*?")
WHICH_TEXT = said("send.which_text", "Which link should I text to *{address}*?")
WHICH_EMAIL = said("send.which_email", "Which link should I email to *{address}*?")
ASK = said("send.ask", "Send the link to your customer?")
WHICH = said("send.which", "Which link should I send to your customer?")
ROW = said("send.row", "“{name}”")
SEND = label("send.yes", "Send")
CANCEL = label("send.no", "Cancel")
TEXTED = said("send.texted", "Texted the link of “{name}” to …{digits}.")
EMAILED = said("send.emailed", "Emailed the link of “{name}” to {address}.")
MORE = counted(
    "send.more",
    "{count} more open session isn’t shown. Find it under My sessions.",
    "{count} more open sessions aren’t shown. Find them under My sessions.",
)
NOT_SENT = said("send.cancelled", "Nothing was sent.")


def question(
    proposed: SendPreview, request_id: RequestId, language: Language, features: Capabilities = PLAIN
) -> Message:
    """Render the question whether to send the link to the customer. For several sessions, ask which link to send.

    - `proposed`: the customer's address and the sessions.
    - `request_id`: the id of the request to which the bot replies with this question. The buttons carry this id.

    The text for notifications does not contain the customer's address.
    """
    say, address = language.say, proposed.address
    is_text = address.medium is ContactChannel.SMS
    cancel = button(say(CANCEL), CANCEL_ACTION, value=request_id)
    menu = language_select(features.customer_texts, address.medium, language)

    def send(session_id: str) -> Block:
        return button(say(SEND), SEND_ACTION, value=f"{request_id} {pack(session_id, address.text)}", style="primary")

    if len(proposed.records) == 1 and not proposed.more:
        (record,) = proposed.records
        asked = say(ASK_TEXT if is_text else ASK_EMAIL, name=record.session.name, address=address.shown)
        return Message(say(ASK), [section(f":envelope: {asked}"), buttons(*menu, send(record.session.id), cancel)])
    rows = [
        section(say(ROW, name=record.session.name)) | {"accessory": send(record.session.id)}
        for record in proposed.records
    ]
    asked = say(WHICH_TEXT if is_text else WHICH_EMAIL, address=address.shown)
    last = [*menu]
    if proposed.more:
        rows.append(context(say(MORE, count=proposed.more)))
        last.append(button(say(SESSIONS_BUTTON), HELP_SESSIONS_ACTION, value="sessions"))
    return Message(say(WHICH), [section(f":envelope: {asked}"), *rows, buttons(*last, cancel)])


def sent(outcome: CustomerMessageSent, language: Language) -> Message:
    """Render the message that the link was sent.

    The message shows the last four digits of the phone number, or the masked email address.
    """
    name, address = outcome.record.session.name, outcome.address
    if address.medium is ContactChannel.SMS:
        text = language.say(TEXTED, name=name, digits=address.text[-4:])
    else:
        text = language.say(EMAILED, name=name, address=address.masked)
    return Message(text, [section(f":white_check_mark: {text}")])


def cancelled(language: Language) -> Message:
    """Render the message that replaces the question after a press on *Cancel*: nothing was sent."""
    text = language.say(NOT_SENT)
    return Message(text, [section(text)])
