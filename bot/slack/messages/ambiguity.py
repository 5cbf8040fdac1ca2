"""Render questions about ambiguous commands, and the offer on a card to send the link to the customer (pure).

The sentences are in catalogue/questions.py. listeners/choices.py handles the buttons of a question.
listeners/customer_messages.py handles the button *Send* of an offer.
"""

import json
from dataclasses import replace

from bot.core.customer_texts import NO_TEXTS, CustomerTexts
from bot.core.errors import SendRejectedError
from bot.core.models import ConversationId, Request, RequestId, RequestKind, Session, UserId
from bot.core.results import CommandSuggested, ListKind, ListPage, SessionList
from bot.core.start_details import StartDetails, details_of
from bot.core.use_cases.customer_messages import pack
from bot.core.validation.contact import read_address
from bot.core.validation.display import clean, mentions
from bot.slack.command_parser import Ambiguity, Choice, Command, New, NotUnderstood, Option, Query, Start, option_of
from bot.slack.messages.blocks import FAILURE_BLOCK, Block, Message, button, buttons, section
from bot.slack.messages.catalogue.questions import (
    CHOSEN,
    NOTHING_STARTED,
    OFFER,
    OFFER_REFUSALS,
    OPTIONS,
    OTHER_COMMAND,
    OTHER_COMMAND_NEXT,
    QUESTIONS,
    REFUSALS,
    SEND,
    SENT_ALREADY,
)
from bot.slack.messages.catalogue.sentence import Language, Sentence, mention
from bot.slack.messages.customer_language import language_select
from bot.slack.messages.error_copy import reference_line
from bot.slack.messages.session_card import CardRenderer
from bot.slack.messages.session_list import list_message

CHOOSE_ACTIONS = ("choose_first", "choose_second")
OFFER_ACTION = "send_offered_link"
QUESTION_BLOCK = "question"
"""The block id of a question's first block."""
LABEL_LENGTH = 75
"""The maximum length of a button's label, in characters.
https://docs.slack.dev/reference/block-kit/block-elements/button-element
"""
KINDS = frozenset(
    (
        *(RequestKind.END, RequestKind.STATUS, RequestKind.LIST, RequestKind.LAST, RequestKind.WHOAMI),
        *(RequestKind.WHY, RequestKind.HELP, RequestKind.APPS, RequestKind.PROPOSE),
        *(RequestKind.CONNECT, RequestKind.DISCONNECT),
    )
)
"""The kinds of requests, besides START, that a button of a question can submit."""


def parse_error(found: Command, reference: RequestId, language: Language) -> Message:
    """Render the reply to a typed text from which the bot made no request.

    If the text is ambiguous, the reply is a question. Otherwise, it says why nothing was started.

    - `found`: the parser's result; a Choice for an ambiguous text.
    - `reference`: the id of the question, which its buttons carry. Other replies do not use it.
    """
    if isinstance(found, Choice):
        return question(found, reference, language)
    text = language.say(REFUSALS[found.reason.name.lower()] if isinstance(found, NotUnderstood) else NOTHING_STARTED)
    return Message(text, [section(f":information_source: *{text}*", FAILURE_BLOCK)])


def other_command(command: str, reference: RequestId, language: Language) -> Message:
    """Render the answer to a slash command that the Slack app has, but that this bot does not handle.

    - `command`: the slash command that this bot handles.
    - `reference`: an id that is also in the log line, so that administrators can find the line.
    """
    text, hint = language.say(OTHER_COMMAND, command=command), language.say(OTHER_COMMAND_NEXT)
    return Message(
        f"{text} {hint}", [section(f":warning: *{text}*\n{hint}", FAILURE_BLOCK), reference_line(language, reference)]
    )


def question(choice: Choice, reference: RequestId, language: Language, *, ends: str = "") -> Message:
    """Render the question about an ambiguous text, with a button for each option of `choice`.

    - `reference`: the id of the question. All buttons carry this id, so only the first press counts.
    - `ends`: the name of the session that the first button ends; "" if the question names no session.
    """
    text = language.say(QUESTIONS["end_named"], session=ends) if ends else _asked(choice, language)
    row = [_button(choice, place, reference, language) for place in range(len(choice.options))]
    return Message(text.replace("*", ""), [section(text, QUESTION_BLOCK), buttons(*row)])


def suggested(request: Request, outcome: CommandSuggested, cards: CardRenderer, command: str) -> Message:
    """Render the question whether the requester typed a command, or the name of a new session.

    Example: the requester typed `end Checkout` and has an open session with the name "Checkout".

    - `outcome`: the word that may be a command, and the open sessions whose names occur in the typed text.
    - `command`: the slash command, such as `/cobrowse`.
    """
    option = option_of(outcome.command, request.target)
    named = Start(request.target, request.name, request.conversation_id)
    if not (isinstance(option, Query) and option.kind is RequestKind.END):
        return question(Choice(Ambiguity.COMMAND, (option, named), outcome.command), request.id, cards.language)
    choice = Choice(Ambiguity.COMMAND, (Query(RequestKind.END), named), outcome.command)
    found = SessionList(outcome.records, total=len(outcome.records))
    return end_question(request, choice, found, cards, command)


def asks_which_to_end(found: Command) -> bool:
    """Return whether `end_question` answers a typed text. If so, the caller has to load the requester's open sessions.

    Return True if `found` is a Choice, and its first option is to end a session but names no session and no agent.

    `found`: the parser's result. It is a Choice if the text is ambiguous.
    """
    first = found.options[0] if isinstance(found, Choice) else None
    return isinstance(first, Query) and first.kind is RequestKind.END and not first.target and not first.argument


def end_question(request: Request, choice: Choice, found: SessionList, cards: CardRenderer, command: str) -> Message:
    """Render the question about a text that may be a command to end a session of the requester.

    - `choice`: the possible meanings of the text. The first one is to end a session.
    - `found`: the requester's open sessions. If the text names some of these sessions, the question is about them only.
    - `command`: the slash command.

    A question about one session names the session. A question about several sessions has a row for each session, with a
    button that ends the session at once.
    """
    other, language = choice.options[-1], cards.language
    name = (other.name or "") if isinstance(other, Start) else ""
    mentioned = tuple(record for record in found.records if mentions(name, record.session.name))
    records, total = (mentioned, len(mentioned)) if mentioned else (found.records, found.total)
    if total < 1:
        return question(choice, request.id, language)
    if total == 1 and records:
        end = Query(RequestKind.END, argument=records[0].session.id)
        named = replace(choice, options=(end, other))
        return question(named, request.id, language, ends=records[0].session.name)
    viewer = (request.team_id, request.requester)
    rows = list_message(SessionList(records, ListPage(ListKind.END), total), viewer, cards, command)
    return Message(rows.text, [*rows.blocks, buttons(_button(choice, len(choice.options) - 1, request.id, language))])


def read_choice(value: str) -> tuple[RequestId, Option] | None:
    """Decode the value of a question's button. Return the id of the question, and the option of this button.

    Return None for a value that this version of the bot cannot read.
    """
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


def chosen_already(language: Language) -> Message:
    """Render the answer to a press on a question that was already answered."""
    return _plain(language.say(CHOSEN))


def sent_already(language: Language) -> Message:
    """Render the answer to a second press on *Send*: the bot has sent the link, or is sending the link now."""
    return _plain(language.say(SENT_ALREADY))


def offer(
    session: Session,
    details: StartDetails,
    request_id: RequestId,
    language: Language,
    texts: CustomerTexts = NO_TEXTS,
) -> list[Block]:
    """Build the part of a session card that offers to send the link to the customer's address.

    - `details`: holds the address that the requester typed, or the reason why the bot cannot send to the address.
    - `request_id`: the START request that created the session. The button carries this id.
    - `texts`: the texts of messages to customers. If there are texts in several languages, the offer has a menu to
      choose the language.

    Return [] if the requester typed no address. If the bot cannot send the link to the address, or the session has no
    link, return a block with the reason.
    """
    if not (details.rejected or details.send_to):
        return []
    if not session.join_url:
        return [section(f":information_source: {language.say(OFFER_REFUSALS['no_link'])}")]
    if details.rejected:
        return [section(f":information_source: {language.say(_not_sent(details.rejected))}")]
    value = f"{request_id} {pack(session.id, details.send_to)}"
    send = button(language.say(SEND), OFFER_ACTION, value=value, style="primary")
    text = language.say(OFFER, subject=_shown(details.send_to))
    if menu := language_select(texts, read_address(details.send_to).medium, language):
        return [section(text), buttons(*menu, send)]
    return [section(text) | {"accessory": send}]


def retry_argument(request: Request) -> str:
    """Return the argument that *Try again* needs to repeat a failed request; "" if the button needs none.

    Only a START can need one. The value of the button carries the argument, because the store deletes the request's
    argument after the answer.
    """
    return request.argument or "" if request.kind is RequestKind.START and details_of(request.argument).argument else ""


def _button(choice: Choice, place: int, reference: RequestId, language: Language) -> Block:
    value = _packed(reference, choice.options[place])
    return button(_label(choice, place, language), CHOOSE_ACTIONS[place], value=value)


def _asked(choice: Choice, language: Language) -> str:
    first, subject = choice.options[0], clean(choice.subject)
    target = None if isinstance(first, New) else first.target
    key = {Ambiguity.TYPO: "command"}.get(choice.ambiguity, choice.ambiguity.name.lower())
    if choice.ambiguity is Ambiguity.ADDRESS:
        subject, key = _shown(choice.subject), key if choice.subject else "address_alone"
    elif choice.ambiguity is not Ambiguity.PERSON and target and f"{key}_for" in QUESTIONS:
        key = f"{key}_for"
    return language.say(QUESTIONS[key], subject=subject, person=mention(target or ""))


def _label(choice: Choice, place: int, language: Language) -> str:
    option, ambiguity = choice.options[place], choice.ambiguity
    if isinstance(option, New):
        return language.say(OPTIONS["new"])
    if isinstance(option, Query):
        key = option.kind.value
        return language.say(OPTIONS[f"{key}_for" if option.target and f"{key}_for" in OPTIONS else key])
    if ambiguity is Ambiguity.PERSON:
        if option.target and choice.subject.startswith("@"):
            return _cut(language, "for_person", person=clean(choice.subject))
        return language.say(OPTIONS["for_them" if option.target else "for_me"])
    if option.send_to:
        return language.say(OPTIONS["start_and_send"])
    if ambiguity is Ambiguity.ADDRESS:
        return language.say(OPTIONS["start_without"])
    if option.name and place:
        return _cut(language, "start_named", name=option.name)
    return language.say(OPTIONS["start_for" if option.target else "start"])


def _cut(language: Language, key: str, **field: str) -> str:
    """Fill in the placeholder of a button's label. Cut the value so that the label fits into LABEL_LENGTH.

    - `key`: selects the label in OPTIONS.
    - `field`: exactly one keyword argument, the placeholder's name and value.
    """
    ((name, value),) = field.items()
    room = LABEL_LENGTH - len(language.say(OPTIONS[key], **{name: ""}))
    return language.say(OPTIONS[key], **{name: value if len(value) <= room else f"{value[: room - 1]}…"})


def _packed(reference: RequestId, option: Option) -> str:
    """Encode an option of a question as the value of its button.

    `reference`: the id of the question, which all buttons of the question carry. This id has the form of a request's
    id, although a question is no request.
    """
    fields: list[str | None]
    if isinstance(option, New):
        fields = [reference, "new", "", "", "", ""]
    elif isinstance(option, Query):
        fields = [reference, option.kind.value, option.target or "", "", option.argument or "", ""]
    else:
        named = (option.name or "", option.send_to or "", option.conversation_id or "")
        fields = [reference, RequestKind.START.value, option.target or "", *named]
    return json.dumps(fields, ensure_ascii=False)


def _not_sent(rejected: SendRejectedError) -> Sentence:
    if rejected.code == "country_not_allowed":
        return OFFER_REFUSALS[rejected.code]
    if rejected.code == "sending_off":
        return OFFER_REFUSALS["sending_off.email" if rejected.detail == "email" else "sending_off.sms"]
    return OFFER_REFUSALS.get(f"invalid_address.{rejected.detail}", OFFER_REFUSALS["invalid_address.number"])


def _shown(address: str) -> str:
    try:
        return read_address(address).shown
    except SendRejectedError:
        return clean(address)


def _plain(text: str) -> Message:
    return Message(text, [section(text)])
