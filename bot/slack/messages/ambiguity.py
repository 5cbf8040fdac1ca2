"""Ask which of two a person means, say why a text was not taken, and offer to send a link (pure).

Every sentence is in TEXTS; listeners/choices.py and listeners/customer_messages.py carry out a press.
"""

import json

from bot.core.errors import SendRejectedError
from bot.core.models import ConversationId, Request, RequestId, RequestKind, Session, UserId
from bot.core.results import CommandSuggested
from bot.core.start_details import StartDetails, details_of
from bot.core.use_cases.customer_messages import pack
from bot.core.validation.contact import read_address
from bot.core.validation.display import clean
from bot.slack.command_parser import Ambiguity, Choice, Command, New, NotUnderstood, Option, Query, Start, option_of
from bot.slack.messages.blocks import FAILURE_BLOCK, Block, Message, button, buttons, escape, section
from bot.slack.messages.session_card import reference_line

TEXTS = {
    "command": "Did you mean *{subject}*?",
    "command_for": "Did you mean *{subject}* for {person}?",
    "fillers": "Start a session?",
    "fillers_for": "Start a session for {person}?",
    "person": "For {person} or for you?",
    "unknown_person": "I don't know “{subject}”. Pick the name from Slack's list after typing @.",
    "address": "A name can't hold a phone number or email address. Send the link to *{subject}*, or leave it out?",
    "address_alone": "A name can't hold a phone number or email address. Start without it?",
    "name_error": "A name can't hold a phone number or email address. Your customer's page may show the name.",
    "end": "End session",
    "end_for": "End their session",
    "status": "Show my sessions",
    "list": "Show all sessions",
    "last": "Show my last link",
    "whoami": "Show my Genesys user",
    "why": "Show my access",
    "why_for": "Show their access",
    "help": "Show help",
    "apps": "Show applications",
    "propose": "Send my link",
    "connect": "Connect to Genesys",
    "disconnect": "Disconnect from Genesys",
    "new": "Open the form",
    "start": "Start a session",
    "start_for": "Start one for {person}",
    "start_named": "Start one called “{name}”",
    "start_and_send": "Start, then send the link",
    "start_without": "Start without it",
    "for_me": "For me",
    "for_person": "For {person}",
    "them": "them",
    "chosen": "You've chosen already. Look for the answer here or in our direct messages.",
    "offer": ":envelope: Send this link to *{subject}*?",
    "send": "Send",
    "sent_already": "That link is sent, or on its way.",
    "no_link": "This session has a code and no link, so there is nothing to send. Tell your customer the code.",
    "sending_off": "I can't send links by {medium} here: sending is not set up. Give your customer the link yourself.",
    "sms": "text message",
    "email": "email",
    "country_not_allowed": "I can't text numbers of that country. Give your customer the link yourself.",
    "invalid_number": "That number can't get texts. Try a mobile number or an email address.",
    "invalid_email": "That doesn't look like an email address. Try another one.",
    "no_person": "Name one person, not a group or a channel.",
    "two_people": "One person at a time, please.",
    "person_later": "I can't tell whether this is for you or for the person you mention. Put the person first.",
    "no_conversation": "That is not an interaction of your Genesys region. Paste its address, or its id.",
    "nothing_started": "No session was started.",
    "quotes": 'To use this as a name, put it in quotes: `{command} "…"`',
    "other_command": "This bot answers to `{command}`.",
    "other_command_next": "Nothing was started. Type that instead.",
}
CHOOSE_ACTIONS = ("choose_first", "choose_second")
OFFER_ACTION = "send_offered_link"
QUESTION_BLOCK = "question"
"""The first block's id of a question."""
LABEL_LENGTH = 75
"""https://docs.slack.dev/reference/block-kit/block-elements/button-element"""
KINDS = frozenset(
    (
        *(RequestKind.END, RequestKind.STATUS, RequestKind.LIST, RequestKind.LAST, RequestKind.WHOAMI),
        *(RequestKind.WHY, RequestKind.HELP, RequestKind.APPS, RequestKind.PROPOSE),
        *(RequestKind.CONNECT, RequestKind.DISCONNECT),
    )
)
"""The kinds that a press may choose, beside a start."""


def parse_error(command: str, found: Command, reference: RequestId) -> Message:
    """Return the message for text that starts nothing and is no request; `command` is what people type here."""
    if isinstance(found, Choice):
        return question(found, reference)
    what = TEXTS[found.reason.name.lower()] if isinstance(found, NotUnderstood) else ""
    text, hint = f"{TEXTS['nothing_started']} {what}".strip(), TEXTS["quotes"].format(command=command)
    return Message(text, [section(f":warning: *{text}*\n{hint}", FAILURE_BLOCK), reference_line(reference)])


def other_command(command: str, reference: RequestId) -> Message:
    """Return the message for a slash command of the app's that is not COBROWSE_COMMAND."""
    text, hint = TEXTS["other_command"].format(command=command), TEXTS["other_command_next"]
    return Message(f"{text} {hint}", [section(f":warning: *{text}*\n{hint}", FAILURE_BLOCK), reference_line(reference)])


def question(choice: Choice, reference: RequestId) -> Message:
    """Ask which of the options is meant: one line, and a button for each. `reference` makes one press count."""
    text = _asked(choice)
    row = [
        button(_label(choice, place), action, value=_packed(reference, option))
        for place, (action, option) in enumerate(zip(CHOOSE_ACTIONS, choice.options, strict=False))
    ]
    return Message(text.replace("*", ""), [section(text, QUESTION_BLOCK), buttons(*row)])


def suggested(request: Request, outcome: CommandSuggested) -> Message:
    """Ask whether a name is a command: it names one of the requester's open sessions."""
    option = option_of(outcome.command, request.target)
    if isinstance(option, Query) and option.kind is RequestKind.END:
        option = Query(RequestKind.END, argument=outcome.session_id)
    named = Start(request.target, request.name, request.conversation_id)
    return question(Choice(Ambiguity.COMMAND, (option, named), outcome.command), request.id)


def read_choice(value: str) -> tuple[RequestId, Option] | None:
    """Return a question's reference and the chosen option; None for a value that this version cannot read."""
    try:
        reference, kind, target, name, extra, conversation_id = json.loads(value)
        if kind == "new":
            return RequestId(reference), New()
        if kind == RequestKind.START:
            conversation = ConversationId(conversation_id) if conversation_id else None
            start = Start(UserId(target) if target else None, clean(name) or None, conversation, extra or None)
            return RequestId(reference), start
        query = Query(RequestKind(kind), UserId(target) if target else None, extra or None)
    except (TypeError, ValueError, AttributeError):
        return None
    return (RequestId(reference), query) if query.kind in KINDS else None


def chosen_already() -> Message:
    """Say that a question is answered already."""
    return _plain(TEXTS["chosen"])


def sent_already() -> Message:
    """Say that the offer was taken already."""
    return _plain(TEXTS["sent_already"])


def offer(session: Session, details: StartDetails, request_id: RequestId) -> list[Block]:
    """Return what a card says about the address that the command named; nothing when it named none.

    One press of *Send* sends the link; the address stands in the blocks alone, which no notification shows.
    """
    if details.rejected:
        return [section(f":information_source: {_not_sent(details.rejected)}")]
    if not details.send_to:
        return []
    if not session.join_url:
        return [section(f":information_source: {TEXTS['no_link']}")]
    value = f"{request_id} {pack(session.id, details.send_to)}"
    send = button(TEXTS["send"], OFFER_ACTION, value=value, style="primary")
    text = TEXTS["offer"].format(subject=escape(_shown(details.send_to)))
    return [section(text) | {"accessory": send}]


def retry_argument(request: Request) -> str:
    """Return what a button that repeats a start has to carry: its argument is gone when the request is answered."""
    return request.argument or "" if request.kind is RequestKind.START and details_of(request.argument).argument else ""


def _asked(choice: Choice) -> str:
    first, subject = choice.options[0], escape(clean(choice.subject))
    target = None if isinstance(first, New) else first.target
    key = {Ambiguity.TYPO: "command"}.get(choice.ambiguity, choice.ambiguity.name.lower())
    if choice.ambiguity is Ambiguity.ADDRESS:
        subject, key = escape(_shown(choice.subject)), key if choice.subject else "address_alone"
    elif choice.ambiguity is not Ambiguity.PERSON and target and f"{key}_for" in TEXTS:
        key = f"{key}_for"
    return TEXTS[key].format(subject=subject, person=f"<@{target}>")


def _label(choice: Choice, place: int) -> str:
    option, ambiguity = choice.options[place], choice.ambiguity
    if isinstance(option, New):
        return TEXTS["new"]
    if isinstance(option, Query):
        key = option.kind.value
        return TEXTS[f"{key}_for" if option.target and f"{key}_for" in TEXTS else key]
    if ambiguity is Ambiguity.PERSON:
        person = clean(choice.subject) if choice.subject.startswith("@") else TEXTS["them"]
        return _cut("for_person", "person", person) if option.target else TEXTS["for_me"]
    if option.send_to:
        return TEXTS["start_and_send"]
    if ambiguity is Ambiguity.ADDRESS:
        return TEXTS["start_without"]
    if option.name and place:
        return _cut("start_named", "name", option.name)
    return _cut("start_for", "person", TEXTS["them"]) if option.target else TEXTS["start"]


def _cut(key: str, field: str, value: str) -> str:
    """Return a label of at most LABEL_LENGTH characters; the value is what is cut."""
    room = LABEL_LENGTH - len(TEXTS[key].format(**{field: ""}))
    return TEXTS[key].format(**{field: value if len(value) <= room else f"{value[: room - 1]}…"})


def _packed(reference: RequestId, option: Option) -> str:
    """Return a button's value: all that carrying out the option takes, so that a restart changes nothing."""
    fields: list[str | None]
    if isinstance(option, New):
        fields = [reference, "new", "", "", "", ""]
    elif isinstance(option, Query):
        fields = [reference, option.kind.value, option.target or "", "", option.argument or "", ""]
    else:
        named = (option.name or "", option.send_to or "", option.conversation_id or "")
        fields = [reference, RequestKind.START.value, option.target or "", *named]
    return json.dumps(fields, ensure_ascii=False)


def _not_sent(rejected: SendRejectedError) -> str:
    if rejected.code == "sending_off":
        return TEXTS["sending_off"].format(medium=TEXTS.get(rejected.detail, TEXTS["sms"]))
    if rejected.code == "country_not_allowed":
        return TEXTS["country_not_allowed"]
    return TEXTS["invalid_email" if rejected.detail == "email" else "invalid_number"]


def _shown(address: str) -> str:
    try:
        return read_address(address).shown
    except SendRejectedError:
        return clean(address)


def _plain(text: str) -> Message:
    return Message(text, [section(text)])
