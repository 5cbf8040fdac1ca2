"""Answers to what is asked about sessions, people and the set-up -> text and blocks (pure).

The answer to a start is in renderer.py, the sentences about errors are in catalogue/.
"""

from bot.core.models import Identity, Request, SessionRecord
from bot.core.results import (
    AccessReport,
    AccessRequested,
    AccountLinked,
    AccountUnlinked,
    Applications,
    CustomerMessageSent,
    FaultChecked,
    Help,
    HostLinked,
    LastSession,
    SendPreview,
    SentDirect,
    SessionEnded,
    SessionList,
    SessionShared,
    SignInOffered,
)
from bot.core.validation.display import clean
from bot.slack.messages.blocks import OPEN_ACTION, Message, button, buttons, context, escape, section
from bot.slack.messages.catalogue.errors import Situation
from bot.slack.messages.catalogue.host_rules import explain_miss
from bot.slack.messages.catalogue.sentence import ENGLISH, channel_mention, mention, said
from bot.slack.messages.customer_message import question, sent
from bot.slack.messages.error_copy import Addressee, error_copy
from bot.slack.messages.help import ALL, PLAIN, Capabilities, all_commands, short_help
from bot.slack.messages.notices.access import DONE_AS, access_requested
from bot.slack.messages.notices.faults import fault_checked
from bot.slack.messages.session_card import COPIED, POSTED, CardRenderer, place_of
from bot.slack.messages.session_list import list_message

ALLOWED = "It lets me offer co-browse in your conversations as you; I do nothing else in your name."


def connecting(command: str, outcome: SignInOffered | AccountLinked | AccountUnlinked) -> Message:
    """The message for it."""
    match outcome:
        case SignInOffered(address=address, until=until, already=already):
            text = "Sign in to Genesys to connect your account."
            if already:
                text = "You are connected to Genesys already. Sign in again if something is wrong with it."
            return Message(
                text,
                [
                    section(f":link: *{text}*\n{ALLOWED} `{command} disconnect` takes it back."),
                    buttons(button("Sign in to Genesys", OPEN_ACTION, url=address, style="primary")),
                    context(f"The link is for you alone, good once, and until {ENGLISH.moment(until)}."),
                ],
            )
        case AccountLinked(host_id=host_id):
            text = f"You are connected to Genesys as user `{host_id}`."
            then = f"{ALLOWED} Was that not you? `{command} disconnect` takes it back."
            return Message(text.replace("`", ""), [section(f":white_check_mark: *{text}*\n{then}")])
        case AccountUnlinked():
            text = "You are not connected to Genesys any more: your sign-in is forgotten here."
            then = "Another server of mine may go on using it for a minute."
            return Message(text, [section(f"{text} {then}")])


Answer = (
    LastSession
    | SessionList
    | SessionEnded
    | SessionShared
    | SentDirect
    | Applications
    | HostLinked
    | AccessReport
    | Identity
)
Reply = (
    Answer
    | Help
    | SendPreview
    | CustomerMessageSent
    | FaultChecked
    | AccessRequested
    | SignInOffered
    | AccountLinked
    | AccountUnlinked
)


MAX_APPLICATIONS = 20
ENDED = said("session.ended", "Ended *{name}*. The link no longer works.")
WITHDRAWN = said("session.withdrawn", "Closed *{name}*. Nobody else can join by its link or code.")
LINK_GONE = said("session.link_gone", "The link of *{name}* was used, or it has expired.")


def reply(to: Addressee, outcome: Reply, request: Request, features: Capabilities = PLAIN) -> Message:
    """Render a result."""
    command = to.command
    if isinstance(outcome, SendPreview):
        message = question(outcome, request.id, to.language)
    elif isinstance(outcome, CustomerMessageSent):
        message = sent(outcome, to.language)
    elif isinstance(outcome, SignInOffered | AccountLinked | AccountUnlinked):
        message = connecting(command, outcome)
    elif isinstance(outcome, AccessRequested):
        message = access_requested(outcome, to, for_another=request.for_another)
    elif isinstance(outcome, FaultChecked):
        message = fault_checked(outcome, to.language)
    elif isinstance(outcome, Help):
        if request.argument == ALL:
            message = all_commands(command, outcome.role, features, to.language)
        else:
            message = short_help(command, to.language)
    else:
        message = _message(to, outcome, request, features)
    return message


def _message(to: Addressee, outcome: Answer, request: Request, features: Capabilities) -> Message:
    command, say = to.command, to.language.say
    match outcome:
        case LastSession(record=record):
            return _last_session(record, request, CardRenderer(features, to.language))
        case SessionList() as found:
            return list_message(found, request.requester, CardRenderer(features, to.language), command)
        case SessionEnded(listing=found) if found:
            return list_message(found, request.requester, CardRenderer(features, to.language), command)
        case SessionEnded(record=record):
            return _text(say(ENDED if record.session.application_id else WITHDRAWN, name=record.session.name))
        case SessionShared(channel_id=channel_id):
            return _text(say(POSTED, channel=channel_mention(channel_id)))
        case SentDirect():
            return _text(say(COPIED))
        case Applications():
            return _applications(outcome)
        case HostLinked(user_id=user_id, host_id=None):
            return _text(f"<@{user_id}> is not linked to a Genesys user any more; the other rules decide now.")
        case HostLinked(user_id=user_id, name=name) if name:
            return _text(to.language.say(DONE_AS, person=mention(user_id), name=name))
        case HostLinked(user_id=user_id, host_id=host_id):
            return _text(f"<@{user_id}> hosts as Genesys user `{host_id}` from now on.")
        case Identity(host=host, connected=connected):
            text = f"You host co-browse sessions as Genesys user `{host.id}`, by the rule “{escape(host.rule)}”."
            return _text(text + _connected(command, connected))
        case AccessReport():
            return _access_report(to, outcome)


def _connected(command: str, connected: bool | None) -> str:
    if connected is None:
        return ""
    if connected:
        return f" You are connected: Genesys knows you by your own sign-in. `{command} disconnect` takes it back."
    return f" You are not connected to Genesys yourself; `{command} connect` does that."


def _last_session(record: SessionRecord, request: Request, cards: CardRenderer) -> Message:
    if record.is_gone:
        return _text(cards.language.say(LINK_GONE, name=record.session.name))
    return cards.of_record(record, request.requester, place_of(request))


def _applications(outcome: Applications) -> Message:
    if not outcome.found:
        return _text("Genesys lists no co-browse applications for this bot.")
    lines = [
        f"• `{escape(clean(found, 60))}` {escape(clean(name, 60))}" + (" (used here)" if found == outcome.used else "")
        for found, name in outcome.found[:MAX_APPLICATIONS]
    ]
    if (more := len(outcome.found) - MAX_APPLICATIONS) > 0:
        lines.append(f"… and {more} more")
    if outcome.used not in [found for found, _ in outcome.found]:
        lines.insert(0, f":warning: `{escape(outcome.used[:60])}`, which is used here, is none of them.")
    text = "The co-browse applications that Genesys has:"
    return Message(text, [section("\n".join([f"*{text}*", *lines]))])


def _access_report(to: Addressee, outcome: AccessReport) -> Message:
    who = f"<@{outcome.user_id}>"
    if outcome.refusal:
        copy = error_copy(outcome.refusal, Situation.QUERY, to)
        return Message(f"{who} would be refused.", [section(f":no_entry: *{who} would be refused.*\n{copy.problem}")])
    role = outcome.role.value if outcome.role else ""
    if outcome.host is None:
        tried = "".join(f"\n• {explain_miss(to.language, miss)}" for miss in outcome.missed) or " No rule is set up."
        text = f"{who} may start sessions ({role}), but no rule leads to a Genesys user."
        return Message(text, [section(f":warning: *{text}*{tried}")])
    rule = escape(outcome.host.rule)
    text = f"{who} may start sessions ({role}), and hosts as Genesys user `{outcome.host.id}`, by the rule “{rule}”."
    return Message(text, [section(f":white_check_mark: {text}")])


def _text(text: str) -> Message:
    return Message(text, [section(text)])
