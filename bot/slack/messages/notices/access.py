"""Render the messages about a person who has no Genesys user (pure).

The readers are the administrators, the person, and the requester who asked to connect the person.
"""

from datetime import datetime

from bot.core.errors import HostNotFoundError
from bot.core.models import Notice, PersonKey, TeamId, UserId
from bot.core.results import AccessRequested
from bot.core.use_cases.access_requests import access_key, read_access
from bot.slack.messages.blocks import NOTICE_BLOCK, START_ACTION, Block, Message, button, buttons, context, section
from bot.slack.messages.catalogue.host_rules import explain_miss
from bot.slack.messages.catalogue.sentence import Language, Value, label, mention, said
from bot.slack.messages.error_copy import Addressee

ASK_ACTION, CONNECT_ACTION, CONNECT_PEOPLE_ACTION = "ask_access", "connect_person", "connect_people"
LABEL_LENGTH = 75

ASK = label("button.ask_access", "Ask to be connected")
ASK_SOMEBODY = label("button.ask_access.somebody", "Ask {name} to connect me", limit=40)
ASK_FOR_ANOTHER = label("button.ask_access.other", "Ask to connect them")
CONNECT = label("button.connect_person", "Connect…")
CONNECT_PEOPLE = label("button.connect_people", "Connect people…")
START = label("button.start_session", "Start a session…")

WANTED = said("access.wanted", "{person} asks to be connected to Genesys.")
WANTED_BY = said("access.wanted_by", "{asker} asks to connect {person} to Genesys.")
UNTIL_THEN = said("access.until_then", "Until then, they can’t start co-browse.")
TRIED = said("access.tried", "What I tried: {tried}")
ASKED_AGAIN = said("access.asked_again", "{person} asked again. My newer message below has the button.")
DONE = said("access.done", "{person} is connected to Genesys.")
DONE_AS = said("access.done_as", "{person} is connected to Genesys as {name}.")
DONE_BY = said("access.done_by", "Connected by {admin} at {at}")
DONE_AT = said("access.done_at", "Connected at {at}")
WELCOME = said("access.welcome", "You’re connected to Genesys. You can start co-browse now.")
WELCOME_BY = said("access.welcome_by", "{admin} connected you.")
WELCOME_BY_AS = said("access.welcome_by_as", "{admin} connected you to the Genesys user {name}.")
TYPE_COMMAND = said("access.type_command", "Type `{command}` to start.")
ASKED = said("access.asked", "I’m asking {contact} to connect you. I’ll send you a message when it’s done.")
ASKED_BEFORE = said("access.asked_before", "I asked {contact} at {at}. I’ll send you a message when it’s done.")
ASKED_FOR_ANOTHER = said(
    "access.asked.other", "I’m asking {contact} to connect {person}. I’ll tell them when it’s done."
)
ASKED_FOR_ANOTHER_BEFORE = said(
    "access.asked_before.other", "{contact} was asked at {at} to connect {person}. I’ll tell them when it’s done."
)
CONNECTED_ALREADY = said("access.connected", "You’re connected to Genesys. Type `{command}` to start.")
CONNECTED_ALREADY_OTHER = said("access.connected.other", "{person} is connected to Genesys.")


def access_notice(notice: Notice, to: Addressee, opened_at: datetime) -> Message:
    """Render the administrators' message about a request for access.

    The message says who asks to connect whom. After the request is over, the message says that the person is connected.

    `opened_at`: the value of `notice.opened_at` when the bot posted this message. If `notice.opened_at` differs now,
    somebody has asked again, and the bot has posted a newer message. Until the request is over, this message only
    refers to the newer one.
    """
    asked, say = read_access(notice.data), to.language.say
    person = mention(asked.person[1])
    if notice.over_at:
        text = say(DONE_AS, person=person, name=asked.host_name) if asked.host_name else say(DONE, person=person)
        by = asked.connected_by
        how = say(DONE_BY, admin=mention(by), at=notice.over_at) if by else say(DONE_AT, at=notice.over_at)
        return Message(text, [section(f":white_check_mark: *{text}*", NOTICE_BLOCK), context(how)])
    if opened_at != notice.opened_at:
        text = say(ASKED_AGAIN, person=person)
        return Message(text, [section(f":white_circle: {text}", NOTICE_BLOCK)])
    text = (
        say(WANTED_BY, asker=mention(asked.asked_by), person=person) if asked.asked_by else say(WANTED, person=person)
    )
    tried = to.language.listed([explain_miss(to.language, miss) for miss in asked.tried], long=True)
    why = [context(say(TRIED, tried=tried))] if tried else []
    head = section(f":raising_hand: *{text}*\n{say(UNTIL_THEN)}", NOTICE_BLOCK)
    return Message(text, [head, *why, buttons(connect_button(asked.person, to.language, is_primary=True))])


def welcome(notice: Notice, to: Addressee, *, has_form: bool) -> Message:
    """Render the message to a person who is now connected to a Genesys user.

    `has_form`: whether a button opens the form for a new session. If not, the message says which command to type.
    """
    asked, say = read_access(notice.data), to.language.say
    text, lines = say(WELCOME), []
    if asked.connected_by:
        by = mention(asked.connected_by)
        lines = [say(WELCOME_BY_AS, admin=by, name=asked.host_name) if asked.host_name else say(WELCOME_BY, admin=by)]
    if not has_form:
        lines.append(say(TYPE_COMMAND, command=to.command))
    blocks = [section("\n".join((f":white_check_mark: *{text}*", *lines)), NOTICE_BLOCK)]
    if has_form:
        blocks.append(buttons(button(say(START), START_ACTION, value="start", style="primary")))
    return Message(text, blocks)


def access_requested(outcome: AccessRequested, to: Addressee, *, for_another: bool) -> Message:
    """Render the answer to a requester who asked the administrators to connect a person to a Genesys user.

    `for_another`: whether the person to connect is somebody other than the requester.
    """
    say = to.language.say
    values: dict[str, Value] = {"contact": to.contact, "command": to.command, "person": mention(outcome.user_id)}
    if outcome.is_connected:
        sentence = CONNECTED_ALREADY_OTHER if for_another else CONNECTED_ALREADY
    elif outcome.is_new or outcome.asked_at is None:
        sentence = ASKED_FOR_ANOTHER if for_another else ASKED
    else:
        sentence, values["at"] = ASKED_FOR_ANOTHER_BEFORE if for_another else ASKED_BEFORE, outcome.asked_at
    text = say(sentence, **values)
    return Message(text, [section(text)])


def ask_button(error: HostNotFoundError, language: Language, name: str = "") -> Block:
    """Build the button that makes the bot ask an administrator to connect a person to a Genesys user.

    `name`: the administrator's name; "" if unknown.
    """
    if error.is_target:
        text = language.say(ASK_FOR_ANOTHER)
    else:
        text = language.say(ASK_SOMEBODY, name=name) if name else language.say(ASK)
        text = text if len(text) <= LABEL_LENGTH else language.say(ASK)
    return button(text, ASK_ACTION, value=error.user_id, style="primary")


def connect_button(person: PersonKey, language: Language, *, is_primary: bool = False) -> Block:
    """Build the button that opens the dialog to connect `person` to a Genesys user.

    `is_primary`: whether the button is highlighted.
    """
    style = {"style": "primary"} if is_primary else {}
    return button(language.say(CONNECT), CONNECT_ACTION, value=access_key(person), **style)


def connect_people_button(language: Language) -> Block:
    """Build the button that opens the dialog to connect any person to a Genesys user."""
    return button(language.say(CONNECT_PEOPLE), CONNECT_PEOPLE_ACTION, value="choose")


def read_person(value: str) -> PersonKey | None:
    """Decode the value of a connect button: the team and the user of the person to connect.

    The team is "" if the value has none. Return None if the value names no user.
    """
    team_id, _, user_id = value.rpartition(" ")
    return (TeamId(team_id), UserId(user_id)) if user_id else None
