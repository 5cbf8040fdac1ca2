"""Build the buttons of an error message: what the reader can do about the error (pure).

At most one button is highlighted.
"""

import json
from dataclasses import dataclass

from bot.core.errors import (
    CobrowseError,
    NoUsableConversationError,
    SessionActionError,
    SignInExpiredError,
    SignInRequiredError,
    UnknownApplicationError,
)
from bot.core.models import RequestId
from bot.core.validation.display import clean
from bot.slack.messages.blocks import OPEN_ACTION, Block, button
from bot.slack.messages.catalogue.errors import Situation
from bot.slack.messages.catalogue.sentence import Language, label
from bot.slack.messages.conversation_choice import START_WITH
from bot.slack.messages.error_copy import ErrorCopy, fault_name
from bot.slack.messages.help import HELP_SESSIONS_ACTION, HELP_START_ACTION, SESSIONS_BUTTON
from bot.slack.messages.session_card import START_NEW, START_NEW_ACTION, start_new_value

TRY_AGAIN_ACTION, TELL_ACTION, PASTE_ACTION = "try_again", "tell_administrators", "paste_interaction"
START_WITH_ACTIONS = ("start_with_first", "start_with_second", "start_with_third")
"""The action ids of the buttons that repeat a start with another application. Slack requires that the ids differ."""
GENESYS_STATUS_URL = "https://status.mypurecloud.com"
LABEL_LENGTH, VALUE_LENGTH = 75, 150
"""The maximum lengths of a button's label, and of an application's id, in characters."""
ASKABLE = ("administrators_only", "connect_off", "sending_off")
"""The codes of errors that are no faults, but whose cause an administrator can change."""

TRY_AGAIN = label("button.try_again", "Try again")
GENESYS_STATUS = label("button.genesys_status", "Genesys status")
OPEN_GENESYS = label("button.open_genesys", "Open Genesys")
TELL_NAMED = label("button.tell", "Tell {name}")
TELL_SOMEBODY = label("button.tell.somebody", "Tell an administrator")
ASK_NAMED = label("button.ask", "Ask {name}")
ASK_SOMEBODY = label("button.ask.somebody", "Ask an administrator")
START_ONE = label("button.start_one", "Start one")
SIGN_IN = label("button.sign_in", "Sign in")
PASTE = label("button.paste_interaction", "Paste the interaction link…")
GO_TO_MESSAGE = label("button.go_to_message", "Go to message")


@dataclass(frozen=True, slots=True)
class Offers:
    """The facts that decide which buttons an error message has.

    - `request_id`: the failed request.
    - `argument`: the argument of the start that *Try again* repeats; "" for none.
    - `situation`: what the person asked the bot to do.
    - `is_repeatable`: whether *Try again* can repeat the request.
    - `is_stored`: whether the store holds the request and its error. Only then can a button tell the administrators.
    - `opens_form`: whether a button can open the form for a new session. A message in a modal has no such button.
    - `can_tell`: whether the bot can send a message to the contact or to an administrator.
    - `name`: the name of the person whom the bot can tell or ask, for the label of a button; "" if unknown.
    - `genesys_url`: the address of the Genesys web app; "" if unknown.
    """

    request_id: RequestId
    argument: str = ""
    situation: Situation = Situation.START
    is_repeatable: bool = False
    is_stored: bool = False
    opens_form: bool = False
    can_tell: bool = False
    name: str = ""
    genesys_url: str = ""


def failure_buttons(error: CobrowseError, copy: ErrorCopy, offers: Offers, language: Language) -> list[Block]:
    """Build the buttons of an error message, the most important first. Return [] if no button would help."""
    row = [*_own_buttons(error, offers, language), *_tell_button(error, copy, offers, language)]
    is_fault = fault_name(error) is not None and not copy.repair  # who can repair it has the administrators' message
    works_in_genesys = is_fault and offers.situation is not Situation.SEND and bool(offers.genesys_url)
    if works_in_genesys and not row[:1]:
        row.append(button(language.say(OPEN_GENESYS), OPEN_ACTION, url=offers.genesys_url))
    if offers.is_repeatable and (error.try_again or (is_fault and not row)):
        value = f"{offers.request_id} {offers.argument}".strip()
        row.append(button(language.say(TRY_AGAIN), TRY_AGAIN_ACTION, value=value))
    elif is_fault and not row and offers.is_stored:  # a link that could not be sent is still in the list
        row.append(button(language.say(SESSIONS_BUTTON), HELP_SESSIONS_ACTION, value="sessions"))
    if copy.has_status_page:
        row.append(button(language.say(GENESYS_STATUS), OPEN_ACTION, url=GENESYS_STATUS_URL))
    return row


def highlighted(row: list[Block]) -> list[Block]:
    """Return a copy of `row`, a list of buttons, with the first button highlighted.

    If a button is already highlighted, or the list is empty, return `row` itself.
    """
    if not row or any("style" in each for each in row):
        return row
    return [row[0] | {"style": "primary"}, *row[1:]]


def _own_buttons(error: CobrowseError, offers: Offers, language: Language) -> list[Block]:
    """Build the buttons that only certain errors have. Return [] for all other errors."""
    match error:
        case SignInRequiredError(address=address) | SignInExpiredError(address=address) if address:
            return [button(language.say(SIGN_IN), OPEN_ACTION, url=address)]
        case UnknownApplicationError() if offers.is_repeatable and offers.situation is Situation.START:
            return _applications(error, offers, language)
        case NoUsableConversationError(code="no_conversation") if offers.opens_form:
            return [button(language.say(PASTE), PASTE_ACTION, value="paste")]
        case SessionActionError():
            return _session_buttons(error, language)
    return []


def _session_buttons(error: SessionActionError, language: Language) -> list[Block]:
    say, record = language.say, error.record
    match error.code:
        case "no_open_session" if error.agent is None:
            return [button(say(START_ONE), HELP_START_ACTION, value="start")]
        case "session_not_found":
            return [button(say(SESSIONS_BUTTON), HELP_SESSIONS_ACTION, value="sessions")]
        case "already_ended" | "link_used_up" if record:
            value = start_new_value(record.session.id, record.session.name, record.agent, record.channel_id)
            return [button(say(START_NEW), START_NEW_ACTION, value=value)]
        case "already_ended" | "link_used_up":
            return [button(say(START_NEW), HELP_START_ACTION, value="start")]
        case "already_shared" if error.permalink:
            return [button(say(GO_TO_MESSAGE), OPEN_ACTION, url=error.permalink)]
    return []


def _applications(error: UnknownApplicationError, offers: Offers, language: Language) -> list[Block]:
    """Build up to three buttons, each of which repeats the start with another application."""
    names = dict(zip(error.known, error.names, strict=False))
    known = [each for each in error.known if 0 < len(each) <= VALUE_LENGTH and each != error.application_id]
    room = LABEL_LENGTH - len(language.say(START_WITH, name=""))
    row = []
    for action, application_id in zip(START_WITH_ACTIONS, known, strict=False):
        name = clean(names.get(application_id) or application_id)
        shown = name if len(name) <= room else f"{name[: room - 1]}…"
        value = json.dumps([offers.request_id, application_id, offers.argument], ensure_ascii=False)
        row.append(button(language.say(START_WITH, name=shown), action, value=value))
    return row


def read_start_with(value: str) -> tuple[RequestId, str, str | None]:
    """Decode the value of a button that repeats a start with another application.

    Return the id of the request to repeat, the application's id, and the argument of the repeated request. The argument
    is None if the request needs none.
    """
    failed, application_id, argument = json.loads(value)
    return RequestId(str(failed)), str(application_id)[:VALUE_LENGTH], str(argument) or None


def _tell_button(error: CobrowseError, copy: ErrorCopy, offers: Offers, language: Language) -> list[Block]:
    """Build the button that makes the bot tell the administrators, as a list of one button.

    Return [] in each of these cases:

    - The error message does not ask the reader to tell the contact.
    - The bot cannot send a message to the contact or to an administrator.
    - The store does not hold the error.
    - Administrators cannot fix or change the cause.
    """
    is_fault = fault_name(error) is not None
    is_askable = error.code in ASKABLE
    if not (copy.asks_contact and offers.can_tell and offers.is_stored and (is_fault or is_askable)):
        return []
    named, somebody = (TELL_NAMED, TELL_SOMEBODY) if is_fault else (ASK_NAMED, ASK_SOMEBODY)
    text = language.say(named, name=offers.name) if offers.name else language.say(somebody)
    text = text if len(text) <= LABEL_LENGTH else language.say(somebody)
    return [button(text, TELL_ACTION, value=offers.request_id)]
