"""Render the answers to requests about sessions, people and the set-up (pure).

renderer.py renders the answer to a start. The sentences about errors are in catalogue/.
"""

from bot.core.models import Identity, Request, Role
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
    SendCancelled,
    SendPreview,
    SentDirect,
    SessionEnded,
    SessionList,
    SessionShared,
    SignInOffered,
)
from bot.core.validation.display import clean
from bot.slack.command_parser import ALL
from bot.slack.messages.blocks import OPEN_ACTION, Block, Message, button, buttons, context, section
from bot.slack.messages.catalogue.errors import Situation
from bot.slack.messages.catalogue.host_rules import explain_miss, rule_name
from bot.slack.messages.catalogue.sentence import (
    Language,
    Markup,
    Value,
    channel_mention,
    counted,
    fault,
    label,
    mention,
    said,
)
from bot.slack.messages.customer_message import cancelled, question, sent
from bot.slack.messages.error_copy import Addressee, error_copy
from bot.slack.messages.help import PLAIN, Capabilities, all_commands, short_help
from bot.slack.messages.notices.access import CONNECTED_ALREADY, DONE_AS, access_requested
from bot.slack.messages.notices.faults import fault_checked
from bot.slack.messages.session_card import COPIED, POSTED, CardRenderer, place_of
from bot.slack.messages.session_list import OWN, list_message, time_left

SIGN_IN = said("connect.sign_in", "Sign in to Genesys with your own account.")
SIGN_IN_AGAIN = said(
    "connect.sign_in_again", "You’re signed in to Genesys already. Sign in again if something is wrong with it."
)
SIGN_IN_BUTTON = label("connect.sign_in_button", "Sign in to Genesys")
SIGN_IN_LINK = said("connect.sign_in_link", "The link is for you alone. It works once, until {until}.")
ALLOWED = said("connect.allowed", "I use it to start co-browse in your conversations, and for nothing else.")
TAKE_BACK = said("connect.take_back", "`{command} disconnect` takes it back.")
LINKED = said("connect.linked", "You’re signed in to Genesys.")
NOT_YOU = said("connect.not_you", "Was that not you? `{command} disconnect` takes it back.")
UNLINKED = said("connect.unlinked", "You’re signed out of Genesys here. I’ve forgotten your sign-in.")
UNLINKED_NEXT = said("connect.unlinked_next", "It can take a minute until I stop using it everywhere.")
SIGNED_IN = said("who.signed_in", "You signed in to Genesys yourself. `{command} disconnect` takes it back.")
CONNECTED = said("who.connected", "You’re connected to Genesys.")
NOT_SIGNED_IN = said(
    "who.not_signed_in", "You haven’t signed in to Genesys yourself. If a start needs it, type `{command} connect`."
)
NOT_SIGNED_IN_OTHER = said(
    "who.not_signed_in.other",
    "{person} hasn’t signed in to Genesys. If a start needs it, they type `{command} connect`.",
)
LINK_REMOVED = said(
    "who.link_removed",
    "{person} is no longer connected by hand. `{command} why @agent` shows whether they can still start sessions.",
)
CONNECTED_AS = fault("who.connected_as", "{person} hosts as Genesys user `{host}` from now on.")
YOU_ARE = fault("who.you_are", "You host co-browse sessions as Genesys user `{host}`, by the rule “{rule}”.")
REFUSED = said("who.refused", "{person} would be refused.")
CAN_START = said("who.can_start", "{person} can start co-browse.")
YOU_CAN_START = said("who.you_can_start", "You can start co-browse. Type `{command}`.")
CAN_START_AS = fault(
    "who.can_start_as",
    "{person} may start sessions ({role}), and hosts as Genesys user `{host}`, by the rule “{rule}”.",
)
ROLES = {
    Role.MEMBER: fault("role.member", "member"),
    Role.SUPERVISOR: fault("role.supervisor", "supervisor"),
    Role.ADMIN: fault("role.administrator", "administrator"),
}
NO_USER = said("who.no_user", "{person} isn’t connected to Genesys yet.")
NO_USER_RULES = fault("who.no_user_rules", "{person} may start sessions ({role}), but no rule leads to a Genesys user.")
NO_RULE_SET = fault("who.no_rule", "No rule is set up.")
APPLICATIONS = said("apps.title", "The co-browse applications that Genesys has:")
NO_APPLICATIONS = said("apps.none", "Genesys lists no co-browse applications for me.")
APPLICATION = said("apps.application", "`{id}` {name}")
APPLICATION_USED = said("apps.used", "`{id}` {name} (used here)")
MORE_APPLICATIONS = counted("apps.more", "… and {count} more", "… and {count} more")
UNLISTED = said("apps.unlisted", "I use `{id}`, which Genesys doesn’t list.")


def connecting(to: Addressee, outcome: SignInOffered | AccountLinked | AccountUnlinked) -> Message:
    """Render the answer to the command `connect` or `disconnect`, or the message after a sign-in."""
    say, command = to.language.say, to.command
    match outcome:
        case SignInOffered(address=address, until=until, already=already):
            text = say(SIGN_IN_AGAIN if already else SIGN_IN)
            below = f"{say(ALLOWED)} {say(TAKE_BACK, command=command)}"
            sign_in = button(say(SIGN_IN_BUTTON), OPEN_ACTION, url=address, style="primary")
            link = context(say(SIGN_IN_LINK, until=until))
            return Message(text, [section(f":link: *{text}*\n{below}"), buttons(sign_in), link])
        case AccountLinked():
            text = say(LINKED)
            below = f"{say(ALLOWED)} {say(NOT_YOU, command=command)}"
            return Message(text, [section(f":white_check_mark: *{text}*\n{below}")])
        case AccountUnlinked():
            text = say(UNLINKED)
            return Message(text, [section(f"{text} {say(UNLINKED_NEXT)}")])


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
    | SendCancelled
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


def reply(to: Addressee, outcome: Reply, request: Request, features: Capabilities = PLAIN) -> Message:
    """Render the result of a request for the reader `to`.

    `outcome`: one of the results in the union Reply. renderer.py renders all other results, such as a started session
    or an error.
    """
    command = to.command
    if isinstance(outcome, SendPreview):
        message = question(outcome, request.id, to.language, features)
    elif isinstance(outcome, SendCancelled):
        message = cancelled(to.language)
    elif isinstance(outcome, CustomerMessageSent):
        message = sent(outcome, to.language)
    elif isinstance(outcome, SignInOffered | AccountLinked | AccountUnlinked):
        message = connecting(to, outcome)
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
    command, say, viewer = to.command, to.language.say, (request.team_id, request.requester)
    match outcome:
        case LastSession(record=record):
            return CardRenderer(features, to.language).of_record(record, request.requester, place_of(request))
        case SessionList() as found:
            return list_message(found, viewer, CardRenderer(features, to.language), command)
        case SessionEnded(listing=found) if found:
            return list_message(found, viewer, CardRenderer(features, to.language), command)
        case SessionEnded(record=record):
            return _text(say(ENDED if record.session.application_id else WITHDRAWN, name=record.session.name))
        case SessionShared(channel_id=channel_id):
            return _text(say(POSTED, channel=channel_mention(channel_id)))
        case SentDirect():
            return _text(say(COPIED))
        case Applications():
            return _applications(outcome, to.language)
        case HostLinked(user_id=user_id, host_id=None):
            return _text(say(LINK_REMOVED, person=mention(user_id), command=command))
        case HostLinked(user_id=user_id, name=name) if name:
            return _text(say(DONE_AS, person=mention(user_id), name=name))
        case HostLinked(user_id=user_id, host_id=host_id):
            return _text(say(CONNECTED_AS, person=mention(user_id), host=host_id or ""))
        case Identity():
            return _text(_identity(to, outcome))
        case AccessReport():
            return _access_report(to, outcome, is_own=not request.for_another)


def _identity(to: Addressee, outcome: Identity) -> str:
    say, host = to.language.say, outcome.host
    if to.can_repair:
        told = say(YOU_ARE, host=host.id, rule=rule_name(host.rule))
    else:
        told = say(CONNECTED if outcome.connected is False else CONNECTED_ALREADY, command=to.command)
    if outcome.connected is None:
        return told
    return f"{told} {say(SIGNED_IN if outcome.connected else NOT_SIGNED_IN, command=to.command)}"


def _applications(outcome: Applications, language: Language) -> Message:
    say = language.say
    if not outcome.found:
        return _text(say(NO_APPLICATIONS))
    lines = [
        "• "
        + say(APPLICATION_USED if found == outcome.used else APPLICATION, id=clean(found, 60), name=clean(name, 60))
        for found, name in outcome.found[:MAX_APPLICATIONS]
    ]
    if (more := len(outcome.found) - MAX_APPLICATIONS) > 0:
        lines.append(say(MORE_APPLICATIONS, count=more))
    if outcome.used not in [found for found, _ in outcome.found]:
        lines.insert(0, f":warning: {say(UNLISTED, id=outcome.used[:60])}")
    text = say(APPLICATIONS)
    return Message(text, [section("\n".join([f"*{text}*", *lines]))])


def _access_report(to: Addressee, outcome: AccessReport, *, is_own: bool) -> Message:
    say, person = to.language.say, mention(outcome.user_id)
    if outcome.refusal:
        copy, text = error_copy(outcome.refusal, Situation.QUERY, to), say(REFUSED, person=person)
        return Message(text, [section("\n".join((f":no_entry: *{text}*", copy.problem, *copy.lines)))])
    role: Value = ROLES[outcome.role] if outcome.role else ""
    if outcome.host is None:
        if not to.can_repair:
            text = say(NO_USER, person=person)
            return Message(text, [section(f":warning: *{text}*")])
        misses = "".join(f"\n• {explain_miss(to.language, miss)}" for miss in outcome.missed)
        tried = misses or f" {say(NO_RULE_SET)}"
        text = say(NO_USER_RULES, person=person, role=role)
        return Message(text, [section(f":warning: *{text}*{tried}")])
    if to.can_repair:
        rule = rule_name(outcome.host.rule)
        text = say(CAN_START_AS, person=person, role=role, host=outcome.host.id, rule=rule)
    else:
        text = say(YOU_CAN_START if is_own else CAN_START, person=person, command=to.command)
    return Message(text, [section(f":white_check_mark: {text}"), *_below(to, outcome, is_own=is_own)])


def _below(to: Addressee, outcome: AccessReport, *, is_own: bool) -> list[Block]:
    """Build the lines below the sentence that a person can start: a missing sign-in, and the open session."""
    say, blocks = to.language.say, []
    if outcome.connected is False:
        sentence = NOT_SIGNED_IN if is_own else NOT_SIGNED_IN_OTHER
        blocks.append(context(say(sentence, person=mention(outcome.user_id), command=to.command)))
    if record := outcome.session:
        blocks.append(context(say(OWN, name=record.session.name, left=Markup(time_left(record, to.language)))))
    return blocks


def _text(text: str) -> Message:
    """Return a message of one paragraph.

    Slack's notifications cannot show bold text. So the text for the notification has no asterisks.
    """
    return Message(text.replace("*", ""), [section(text)])
