"""Build the modal that starts a session, and parse what people submit in it (pure).

listeners/session_form.py opens the modal. https://docs.slack.dev/reference/views/modal-views
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bot.core.errors import CobrowseError, PersonNotAllowedError, SendRejectedError
from bot.core.models import NAME_LENGTH, ChannelId, ConversationId, MembershipStatus, RequestId, UserId
from bot.core.use_cases.customer_messages import MessagingConfig, usable_address
from bot.core.validation.contact import ContactAddress, find_addresses
from bot.core.validation.conversations import GenesysApp
from bot.core.validation.display import clean
from bot.slack.command_parser import plain_name
from bot.slack.error_codes import explain
from bot.slack.messages.blocks import Block, Message, View, button, buttons, context, section
from bot.slack.messages.catalogue.questions import NAME_ERROR, NAME_ERROR_HERE
from bot.slack.messages.catalogue.sentence import (
    HINT_LENGTH,
    TITLE_LENGTH,
    Language,
    Sentence,
    Value,
    label,
    next_step,
    problem,
    said,
)
from bot.slack.messages.catalogue.slack_errors import reason, remedy
from bot.slack.messages.error_copy import Addressee, field_error, reference_line
from bot.slack.messages.help import PLAIN, Capabilities

START_FORM = "start_session_form"
HOST, NAME, APPLICATION, DURATION, CONVERSATION = "host", "name", "application", "duration", "conversation"
SEND_TO, THREAD = "send_to", "thread"
"""The block ids of the field for the customer's address and of the checkbox *Post in this thread*.

Each of these two ids is also the action id of its field."""
MORE_ACTION = "form_more"
"""The action id and the block id of the button *More options*, which adds fields to the form."""
ADDRESS_LENGTH = 254
MIN_DURATION_SECONDS, MAX_DURATION_SECONDS = 60, 86_400
"""The limits of a session's duration, the same as for COBROWSE_TIMEOUT_SECONDS."""
OFFERED_SECONDS = (300, 900, 1800, 3600, 7200, 14_400, 28_800, 86_400)
NO_SENDING = MessagingConfig()
MAX_OPTIONS, LABEL_LENGTH, VALUE_LENGTH = 100, 75, 150
"""The maximum number of options in a menu, and the maximum lengths of an option's label and value, in characters.
https://docs.slack.dev/reference/block-kit/composition-objects/option-object"""


@dataclass(frozen=True, slots=True)
class Fields:
    """The fields of the form, with their default values.

    - `channel_id`: the channel in which the form was opened; "" for none.
    - `host`: the agent whom the menu of people selects at first; "" for nobody. None leaves this menu out.
    - `applications`: the id and the name of each application.
    - `application_id`: the id of the default application.
    - `timeout_seconds`: the default duration. None leaves the field for the duration out.
    - `takes_conversation`: whether the form has a field for a Genesys conversation.
    - `name`: the suggested name of the session; "" for none.
    - `thread`: the id of the message in whose thread the session can be posted. "" leaves out the checkbox *Post in
      this thread*.
    - `features`: the optional features of the bot. If the bot can send links to customers, the form has a field for
      the customer's address.
    """

    channel_id: ChannelId
    host: UserId | None
    applications: Sequence[tuple[str, str]]
    application_id: str
    timeout_seconds: int | None
    takes_conversation: bool = False
    name: str = ""
    thread: str = ""
    features: Capabilities = PLAIN


@dataclass(frozen=True, slots=True)
class FormInput:
    """The valid input of a submitted session form. None stands for an empty field, or for a field that the form lacks.

    - `channel_id`: the channel in which the form was opened; "" for none.
    - `host`: the Slack id of the agent, who is to host the session.
    - `thread`: the id of the message in whose thread to post the session; "" for none.
    - `send_to`: the customer's address. The session card offers to send the link to this address.
    """

    channel_id: ChannelId
    host: UserId | None
    name: str | None
    application_id: str | None
    timeout_seconds: int | None
    conversation_id: ConversationId | None
    thread: str = ""
    send_to: ContactAddress | None = None


TITLE = label("form.title", "Co-browse session", limit=TITLE_LENGTH)
START = label("form.start", "Start", limit=TITLE_LENGTH)
CANCEL = label("form.cancel", "Cancel", limit=TITLE_LENGTH)
CLOSE = label("form.close", "Close", limit=TITLE_LENGTH)
LOADING = said("form.loading", "One moment…")
STARTING = said("form.starting", "Starting your session…")
TRYING_AGAIN = said("form.trying_again", "Trying again…")
APPEARS_HERE = said("form.appears_here", "The answer appears here and in our direct messages. You can close this.")
LEAVE_OPEN = said("form.leave_open", "The answer appears here. Please leave this open.")
HOST_LABEL = label("form.host", "Who is it for?")
NOT_LISTED = label("form.host.wrong.not_listed", "This person may not use co-browse here.", limit=HINT_LENGTH)
NO_AGENT = {
    MembershipStatus.MEMBER: label("form.host.wrong.member", "This person can’t use co-browse.", limit=HINT_LENGTH),
    MembershipStatus.GUEST: label(
        "form.host.wrong.guest", "This person is a guest. Guests can’t use co-browse.", limit=HINT_LENGTH
    ),
    MembershipStatus.BOT: label("form.host.wrong.bot", "This is a bot. Choose a person.", limit=HINT_LENGTH),
    MembershipStatus.DEACTIVATED: label(
        "form.host.wrong.deactivated", "This person’s account is deactivated.", limit=HINT_LENGTH
    ),
    MembershipStatus.OUTSIDER: label(
        "form.host.wrong.outsider", "This person is from outside this workspace.", limit=HINT_LENGTH
    ),
}
HOST_HINT = label("form.host.hint", "If it’s somebody else, I tell them that you started it.", limit=HINT_LENGTH)
ADDRESS_LABEL = label("form.address", "Customer’s mobile number or email")
MOBILE_LABEL = label("form.mobile", "Customer’s mobile number")
EMAIL_LABEL = label("form.email", "Customer’s email")
ADDRESS_HINT = label(
    "form.address.hint",
    "Such as +14155550123 or name@example.com. I ask you before I send the link.",
    limit=HINT_LENGTH,
)
MOBILE_HINT = label("form.mobile.hint", "Such as +14155550123. I ask you before I send the link.", limit=HINT_LENGTH)
EMAIL_HINT = label("form.email.hint", "Such as name@example.com. I ask you before I send the link.", limit=HINT_LENGTH)
NAME_LABEL = label("form.name", "Name")
NAME_HINT = label("form.name.hint", "Such as “Checkout help”. Your customer may see it.", limit=HINT_LENGTH)
CONVERSATION_LABEL = label("form.conversation", "Interaction")
CONVERSATION_HINT = label(
    "form.conversation.hint",
    "Its ID or address in Genesys. Leave it empty to use the one you are in now.",
    limit=HINT_LENGTH,
)
MORE = label("form.more", "More options")
APPLICATION_LABEL = label("form.application", "Application")
DURATION_LABEL = label("form.duration", "Ends after")
THREAD_LABEL = label("form.thread", "Share it")
THREAD_OPTION = label("form.thread.option", "Post in this thread")
THREAD_NOTE = label("form.thread.note", "Everyone in the channel will see your customer’s link.")
NAME_EMPTY = label("form.name.empty", "This name is empty. Add a few letters, or leave it out.", limit=HINT_LENGTH)
DURATION_WRONG = label("form.duration.wrong", "A session lasts between a minute and a day.", limit=HINT_LENGTH)
CONVERSATION_WRONG = label(
    "form.conversation.wrong", "I don’t know that interaction. Paste its address or ID from Genesys.", limit=HINT_LENGTH
)


def loading(external_id: str, language: Language) -> View:
    """Build the view that the modal shows until the form is loaded.

    `external_id`: the bot's own id of the view, by which the bot updates it later.
    """
    return _modal([section(language.say(LOADING))], CANCEL, language) | {"external_id": external_id}


def result_view(message: Message, language: Language) -> View:
    """Build the view that shows an answer or an error in place of the form."""
    return _modal(message.blocks, CLOSE, language)


def starting_view(language: Language, *, has_copy: bool = True, doing: Sentence = STARTING) -> View:
    """Build the view that replaces the submitted form until the answer arrives.

    - `has_copy`: whether the answer is also sent as a direct message. If not, the view asks the reader to leave the
      modal open.
    - `doing`: the sentence that says what the bot does now.
    """
    lines = [section(f":hourglass_flowing_sand: {language.say(doing)}")]
    lines.append(context(language.say(APPEARS_HERE if has_copy else LEAVE_OPEN)))
    return _modal(lines, CLOSE, language)


NOT_OPENED = problem("form_not_opened", "I couldn’t open the form.")
NOT_OPENED_NEXT = next_step("form_not_opened", "Try again, or type `{command}` in a channel.")
NEVER_OPENED = problem("form_not_opened.for_good", "I can’t open forms here.")
NEVER_OPENED_NEXT = next_step("form_not_opened.for_good", "Please tell {contact}.")


def not_opened(to: Addressee, reference: RequestId, code: str = "") -> Message:
    """Render the message which says that the bot could not open a form.

    - `reference`: an id that is also in the log line, so that administrators can find the line.
    - `code`: Slack's error code; "" if Slack sent none.
    """
    row = explain(code)
    values: dict[str, Value] = {"command": to.command, "contact": to.contact}
    sentences = (NOT_OPENED, NOT_OPENED_NEXT) if row.passes else (NEVER_OPENED, NEVER_OPENED_NEXT)
    text, hint = (to.language.say(each, **values) for each in sentences)
    if to.can_repair and not row.passes:
        hint = f"{reason(to.language, code)} {remedy(to.language, code)}".strip()
    return Message(f"{text} {hint}", [section(f":warning: *{text}*\n{hint}"), reference_line(to.language, reference)])


def form(fields: Fields, language: Language) -> View:
    """Build the form for a new session.

    The form's button *More options* adds the fields for the application and the duration.
    """
    say = language.say
    blocks = []
    if fields.host is not None:
        who = {"type": "users_select"} | ({"initial_user": fields.host} if fields.host else {})
        blocks.append(_input(HOST, say(HOST_LABEL), who, hint=say(HOST_HINT)))
    if fields.features.sends:
        blocks.append(_address(fields.features, language))
    naming: Block = {"type": "plain_text_input", "max_length": NAME_LENGTH}
    if fields.name:
        naming["initial_value"] = fields.name
    blocks.append(_input(NAME, say(NAME_LABEL), naming, hint=say(NAME_HINT), optional=True))
    if fields.takes_conversation:
        which = {"type": "plain_text_input", "max_length": 1000}
        blocks.append(_input(CONVERSATION, say(CONVERSATION_LABEL), which, hint=say(CONVERSATION_HINT), optional=True))
    if fields.thread:
        choice = _option(say(THREAD_OPTION), THREAD) | {"description": _plain(say(THREAD_NOTE))}
        blocks.append(_input(THREAD, say(THREAD_LABEL), {"type": "checkboxes", "options": [choice]}, optional=True))
    if _further(fields, language):
        blocks.append(buttons(button(say(MORE), MORE_ACTION, value=MORE_ACTION)) | {"block_id": MORE_ACTION})
    return _form(blocks, json.dumps([fields.channel_id, fields.thread]), language)


def with_more(view: View, fields: Fields, language: Language) -> View:
    """Return a copy of the open form `view` that also has the fields for the application and the duration.

    `fields`: the applications and the default duration. The other values of `fields` are not used.
    """
    stays = [block for block in view["blocks"] if block.get("block_id") != MORE_ACTION]
    return _form([*stays, *_further(fields, language)], str(view.get("private_metadata") or ""), language)


def _form(blocks: list[Block], metadata: str, language: Language) -> View:
    submit = {"submit": _plain(language.say(START)), "private_metadata": metadata}
    return _modal(blocks, CANCEL, language) | submit


def _address(features: Capabilities, language: Language) -> Block:
    """Build the field for the customer's address. The label asks for a mobile number, an email address or either."""
    asked, hint = (ADDRESS_LABEL, ADDRESS_HINT) if features.texts else (EMAIL_LABEL, EMAIL_HINT)
    if not features.emails:
        asked, hint = MOBILE_LABEL, MOBILE_HINT
    field = {"type": "plain_text_input", "max_length": ADDRESS_LENGTH}
    return _input(SEND_TO, language.say(asked), field, hint=language.say(hint), optional=True)


def _further(fields: Fields, language: Language) -> list[Block]:
    """Build the fields for the application and the duration, which the button *More options* adds."""
    blocks = []
    if options := _applications(fields):
        blocks.append(_select(APPLICATION, language.say(APPLICATION_LABEL), options, fields.application_id))
    if fields.timeout_seconds is not None:
        lengths = sorted({*OFFERED_SECONDS, fields.timeout_seconds})
        offered = [_option(language.duration(seconds), str(seconds)) for seconds in lengths]
        blocks.append(_select(DURATION, language.say(DURATION_LABEL), offered, str(fields.timeout_seconds)))
    return blocks


def read(
    view: View,
    genesys_app: GenesysApp | None,
    to: Addressee,
    sending: MessagingConfig = NO_SENDING,
) -> FormInput | dict[str, str]:
    """Return the input of a submitted form. If a field is invalid, return the error messages by block id.

    - `genesys_app`: parses the ids and URLs of conversations; None if the form has no field for a conversation.
    - `to`: the reader of the error messages.
    - `sending`: says to which addresses the bot can send links.

    A session name that contains an email address or a phone number is invalid. A number without a plus in a session
    name counts as a phone number if it is valid in one of `sending.sms_countries`.
    """
    errors: dict[str, str] = {}
    host, application = _value(view, HOST), _value(view, APPLICATION)
    channel_id, thread = _place(str(view.get("private_metadata") or ""))
    found = FormInput(
        channel_id=channel_id,
        host=UserId(host) if host else None,
        name=_read_name(view, sending, to, errors),
        application_id=application[:VALUE_LENGTH] if application else None,
        timeout_seconds=_read_duration(view, to, errors),
        conversation_id=_read_conversation(view, genesys_app, to, errors),
        thread=thread if _is_checked(view, THREAD) else "",
        send_to=_read_address(view, sending, to, errors),
    )
    return errors or found


def _read_name(view: View, sending: MessagingConfig, to: Addressee, errors: dict[str, str]) -> str | None:
    name = _value(view, NAME)
    if name and plain_name(name) is None:
        errors[NAME] = to.language.say(NAME_EMPTY)
    elif name and find_addresses(clean(name, len(name)), sending.sms_countries):
        errors[NAME] = to.language.say(NAME_ERROR_HERE if sending.any_on else NAME_ERROR)
    return plain_name(name) if name else None


def _read_duration(view: View, to: Addressee, errors: dict[str, str]) -> int | None:
    length = _value(view, DURATION)
    seconds = int(length) if length and re.fullmatch("[0-9]{1,6}", length) else None
    if length and not MIN_DURATION_SECONDS <= (seconds or 0) <= MAX_DURATION_SECONDS:
        errors[DURATION] = to.language.say(DURATION_WRONG)
    return seconds


def _read_conversation(
    view: View, genesys_app: GenesysApp | None, to: Addressee, errors: dict[str, str]
) -> ConversationId | None:
    which = _value(view, CONVERSATION)
    named = genesys_app.conversation_id(which.strip()) if which and genesys_app else None
    if which and not named:
        errors[CONVERSATION] = to.language.say(CONVERSATION_WRONG)
    return named


def _read_address(view: View, sending: MessagingConfig, to: Addressee, errors: dict[str, str]) -> ContactAddress | None:
    text = (_value(view, SEND_TO) or "").strip()
    try:
        return usable_address(sending, text) if text else None
    except SendRejectedError as error:
        errors[SEND_TO] = field_error(error, to)
    return None


def _place(metadata: str) -> tuple[ChannelId, str]:
    """Return the ids of the channel and of the thread in a form's `private_metadata`; "" for a missing id."""
    try:
        channel_id, thread = json.loads(metadata)
    except (TypeError, ValueError):
        return ChannelId(metadata), ""
    return ChannelId(str(channel_id)), str(thread) if is_message_id(str(thread)) else ""


def is_message_id(text: str) -> bool:
    """Return whether a text has the format of a Slack message's id, such as 1767225600.000100."""
    return re.fullmatch(r"[0-9]{1,12}\.[0-9]{1,8}", text) is not None


def host_error(error: CobrowseError, language: Language) -> str | None:
    """Return the error message to show below the field for the agent; None if the error is not about the agent."""
    match error:
        case PersonNotAllowedError(code="not_a_member", standing=standing, is_target=True):
            return language.say(NO_AGENT[standing])
        case PersonNotAllowedError(code="not_listed", is_target=True):
            return language.say(NOT_LISTED)
    return None


def _modal(blocks: list[Block], close: Sentence, language: Language) -> View:
    head = {"type": "modal", "callback_id": START_FORM, "title": _plain(language.say(TITLE))}
    return {**head, "close": _plain(language.say(close)), "blocks": blocks}


def _input(name: str, label: str, element: Block, *, hint: str = "", optional: bool = False) -> Block:
    field = {**element, "action_id": name}
    block = {"type": "input", "block_id": name, "label": _plain(label), "element": field, "optional": optional}
    return block | {"hint": _plain(hint)} if hint else block


def _select(name: str, label: str, options: list[Block], chosen: str) -> Block:
    element: Block = {"type": "static_select", "options": options}
    if initial := [option for option in options if option["value"] == chosen]:
        element["initial_option"] = initial[0]
    return _input(name, label, element)


def _applications(fields: Fields) -> list[Block]:
    """Return the options of the menu of applications, at most MAX_OPTIONS, with the default application first.

    Leave out applications whose id is empty or longer than VALUE_LENGTH. Return [] if the menu would offer only the
    default application.
    """
    known = {found: name for found, name in fields.applications if 0 < len(found) <= VALUE_LENGTH}
    if list(known) == [fields.application_id]:
        return []
    found = sorted(known, key=lambda each: each != fields.application_id)[:MAX_OPTIONS]
    names = {each: clean(known[each]) for each in found}
    return [_option(f"{names[each]} ({clean(each)})" if names[each] else clean(each), each) for each in found]


def _option(label: str, value: str) -> Block:
    shown = label if len(label) <= LABEL_LENGTH else label[: LABEL_LENGTH - 1] + "…"
    return {"text": _plain(shown), "value": value}


def _plain(text: str) -> dict[str, str]:
    return {"type": "plain_text", "text": text}


def _value(view: View, name: str) -> str | None:
    """Return the value of a text field or a menu; None if the form has no such field, or if the field is empty.

    `name`: the block id of the field, which is also its action id.
    """
    state: dict[str, Any] = (view.get("state") or {}).get("values") or {}
    field = (state.get(name) or {}).get(name) or {}
    value = field.get("value") or field.get("selected_user") or (field.get("selected_option") or {}).get("value")
    return str(value) if value else None


def _is_checked(view: View, name: str) -> bool:
    state: dict[str, Any] = (view.get("state") or {}).get("values") or {}
    chosen = ((state.get(name) or {}).get(name) or {}).get("selected_options")
    return bool(chosen)
