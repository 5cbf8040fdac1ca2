"""Build the modal that starts a session, and read a submission (pure). listeners/session_form.py opens it.

https://docs.slack.dev/reference/views/modal-views
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from bot.core.errors import CobrowseError, PersonNotAllowedError
from bot.core.models import NAME_LENGTH, ChannelId, ConversationId, MembershipStatus, RequestId, UserId
from bot.core.validation.contact import find_addresses
from bot.core.validation.conversations import GenesysApp
from bot.core.validation.display import clean
from bot.slack.command_parser import plain_name
from bot.slack.error_codes import explain
from bot.slack.messages.ambiguity import TEXTS
from bot.slack.messages.blocks import Block, Message, View, context, section
from bot.slack.messages.catalogue.sentence import Markup, Value, next_step, problem
from bot.slack.messages.error_copy import Addressee
from bot.slack.messages.session_card import reference_line

START_FORM = "start_session_form"
HOST, NAME, APPLICATION, DURATION, CONVERSATION = "host", "name", "application", "duration", "conversation"
"""Block ids; the one field of each block has the same action id."""
MIN_DURATION_SECONDS, MAX_DURATION_SECONDS = 60, 86_400
"""As COBROWSE_TIMEOUT_SECONDS."""
OFFERED_SECONDS = (300, 900, 1800, 3600, 7200, 14_400, 28_800, 86_400)
MAX_OPTIONS, LABEL_LENGTH, VALUE_LENGTH = 100, 75, 150
"""https://docs.slack.dev/reference/block-kit/composition-objects/option-object"""


@dataclass(frozen=True, slots=True)
class Fields:
    """Hold the choices of the form. `host` and `timeout_seconds`: None hides the field.

    `applications`: pairs of id and name; `application_id` is the default.
    """

    channel_id: ChannelId
    host: UserId | None
    applications: Sequence[tuple[str, str]]
    application_id: str
    timeout_seconds: int | None
    takes_conversation: bool = False


@dataclass(frozen=True, slots=True)
class FormInput:
    """Hold a valid submission; None stands for the default. `channel_id`: where the form was opened, or ""."""

    channel_id: ChannelId
    host: UserId | None
    name: str | None
    application_id: str | None
    timeout_seconds: int | None
    conversation_id: ConversationId | None


def loading(external_id: str) -> View:
    """Return the view shown while the form loads. `external_id`: for views.update."""
    return _modal([section("One moment…")]) | {"external_id": external_id}


def message_view(message: Message) -> View:
    """Return a view that shows a message in place of the form."""
    return _modal(message.blocks)


def waiting_view(request_id: RequestId) -> View:
    """Return the view that waits for the answer, where the user gets no direct messages."""
    return _modal([section("One moment: the answer comes in this window. Please leave it open.")]) | {
        "external_id": request_id
    }


def answered(message: Message) -> View:
    """Return a view that shows an answer, without its buttons: a view has no place for their answers."""
    return _modal([block for block in message.blocks if block["type"] != "actions"])


NOT_OPENED = problem("form_not_opened", "I couldn’t open the form.")
NOT_OPENED_NEXT = next_step("form_not_opened", "Try again, or type `{command}` in a channel.")
NEVER_OPENED = problem("form_not_opened.for_good", "I can’t open forms. {reason}")
NEVER_OPENED_NEXT = next_step("form_not_opened.for_good", "Please tell {contact}.")


def not_opened(to: Addressee, reference: RequestId, code: str = "") -> Message:
    """Return the message for a form that did not open. `code`: Slack's error code."""
    row = explain(code)
    values: dict[str, Value] = {"command": to.command, "contact": to.contact, "reason": Markup(row.person)}
    sentences = (NOT_OPENED, NOT_OPENED_NEXT) if row.passes else (NEVER_OPENED, NEVER_OPENED_NEXT)
    text, hint = (to.language.say(each, **values) for each in sentences)
    if to.can_repair and not row.passes:
        hint = row.mend
    return Message(f"{text} {hint}", [section(f":warning: *{text}*\n{hint}"), reference_line(reference)])


def form(fields: Fields) -> View:
    """Return the form."""
    blocks = []
    if fields.host:
        who = {"type": "users_select", "initial_user": fields.host}
        blocks.append(_input(HOST, "Host", who, hint="Whose session it is. Somebody else is told that you started it."))
    naming = {"type": "plain_text_input", "max_length": NAME_LENGTH}
    blocks.append(_input(NAME, "Name", naming, hint="Such as: Checkout help", optional=True))
    if fields.takes_conversation:
        which = {"type": "plain_text_input", "max_length": 1000}
        hint = "Its id or address in Genesys. Without one I look for the conversation that the host is in."
        blocks.append(_input(CONVERSATION, "Conversation", which, hint=hint, optional=True))
    if options := _applications(fields):
        blocks.append(_select(APPLICATION, "Application", options, fields.application_id))
    if fields.timeout_seconds is not None:
        lengths = sorted({*OFFERED_SECONDS, fields.timeout_seconds})
        offered = [_option(_duration(seconds), str(seconds)) for seconds in lengths]
        blocks.append(_select(DURATION, "Ends after", offered, str(fields.timeout_seconds)))
    blocks.append(context("The link for your customer comes in a direct message from me."))
    return _modal(blocks) | {"submit": _plain("Start"), "private_metadata": fields.channel_id}


def read(view: View, genesys_app: GenesysApp | None, countries: Collection[str] = ()) -> FormInput | dict[str, str]:
    """Return the submission, or the errors by block id. `countries`: whose phone numbers no name may hold."""
    name, length, which = (_value(view, block) for block in (NAME, DURATION, CONVERSATION))
    errors = {}
    if name and plain_name(name) is None:
        errors[NAME] = "There is nothing to see in this name."
    elif name and find_addresses(clean(name, len(name)), countries):
        errors[NAME] = TEXTS["name_error"]
    seconds = int(length) if length and re.fullmatch("[0-9]{1,6}", length) else None
    if length and not MIN_DURATION_SECONDS <= (seconds or 0) <= MAX_DURATION_SECONDS:
        errors[DURATION] = "A session lasts between a minute and a day."
    named = genesys_app.conversation_id(which.strip()) if which and genesys_app else None
    if which and not named:
        errors[CONVERSATION] = "This is neither an interaction's id nor its address in your Genesys region."
    host, application = _value(view, HOST), _value(view, APPLICATION)
    return errors or FormInput(
        channel_id=ChannelId(str(view.get("private_metadata") or "")),
        host=UserId(host) if host else None,
        name=plain_name(name) if name else None,
        application_id=application[:VALUE_LENGTH] if application else None,
        timeout_seconds=seconds,
        conversation_id=named,
    )


def host_error(error: CobrowseError) -> str | None:
    """Return the field error for the chosen host; None when the error is about something else."""
    match error:
        case PersonNotAllowedError(code="not_a_member", standing=standing, is_target=True):
            return _NO_HOSTS[standing]
        case PersonNotAllowedError(code="not_listed", is_target=True):
            return "This person is not on the list of people who may have co-browse sessions."
    return None


_NO_HOSTS = {
    MembershipStatus.MEMBER: "This person cannot host a session.",
    MembershipStatus.GUEST: "This person is a guest. Guests cannot host a session.",
    MembershipStatus.BOT: "This is a bot. Bots cannot host a session.",
    MembershipStatus.DEACTIVATED: "This person's account is deactivated.",
    MembershipStatus.OUTSIDER: "This person is not a member of this workspace.",
}


def _modal(blocks: list[Block]) -> View:
    head = {"type": "modal", "callback_id": START_FORM, "title": _plain("Co-browse session")}
    return {**head, "close": _plain("Cancel"), "blocks": blocks}


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
    """Return up to MAX_OPTIONS options, the default first."""
    known = {found: name for found, name in fields.applications if 0 < len(found) <= VALUE_LENGTH}
    found = sorted(known, key=lambda each: each != fields.application_id)[:MAX_OPTIONS]
    names = {each: clean(known[each]) for each in found}
    return [_option(f"{names[each]} ({clean(each)})" if names[each] else clean(each), each) for each in found]


def _option(label: str, value: str) -> Block:
    shown = label if len(label) <= LABEL_LENGTH else label[: LABEL_LENGTH - 1] + "…"
    return {"text": _plain(shown), "value": value}


def _duration(seconds: int) -> str:
    hours, rest = divmod(seconds, 3600)
    parts = ((hours, "hour"), (rest // 60, "minute"), (rest % 60, "second"))
    return " ".join(f"{count} {unit}{'' if count == 1 else 's'}" for count, unit in parts if count)


def _plain(text: str) -> dict[str, str]:
    return {"type": "plain_text", "text": text}


def _value(view: View, name: str) -> str | None:
    """Return the value of a text input, user select or static select; None when empty."""
    state: dict[str, Any] = (view.get("state") or {}).get("values") or {}
    field = (state.get(name) or {}).get(name) or {}
    value = field.get("value") or field.get("selected_user") or (field.get("selected_option") or {}).get("value")
    return str(value) if value else None
