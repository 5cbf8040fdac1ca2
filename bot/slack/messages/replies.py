"""Answers to what is asked about sessions, people and the set-up -> text and blocks (pure).

The answer to a start is in renderer.py, the sentences about errors are in catalogue/.
"""

from bot.core.models import Identity, Request
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
from bot.slack.messages.blocks import OPEN_ACTION, Block, Message, button, buttons, context, escape, section
from bot.slack.messages.catalogue.errors import Situation
from bot.slack.messages.catalogue.host_rules import explain_miss
from bot.slack.messages.catalogue.sentence import ENGLISH, mention
from bot.slack.messages.customer_message import question, sent
from bot.slack.messages.error_copy import Addressee, error_copy
from bot.slack.messages.help import ALL, PLAIN, Capabilities, all_commands, short_help
from bot.slack.messages.notices.access import DONE_AS, access_requested
from bot.slack.messages.notices.faults import fault_checked
from bot.slack.messages.session_card import (
    GONE,
    can_share,
    closed_card,
    controls,
    ended_text,
    join_blocks,
    join_label,
    listed,
    reference_line,
    until,
)

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
MAX_SEND_BUTTONS = 6
"""So many links can be sent from a list of everybody's: one that can takes two blocks. See desk/register.py."""


def reply(to: Addressee, outcome: Reply, request: Request, features: Capabilities = PLAIN) -> Message:
    """Render a result."""
    command = to.command
    if isinstance(outcome, SendPreview):
        message = question(outcome, request.id)
    elif isinstance(outcome, CustomerMessageSent):
        message = sent(outcome)
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
        message = _message(to, outcome, request, features.sends)
    return Message(message.text, [*message.blocks, reference_line(request.id)])


def _message(to: Addressee, outcome: Answer, request: Request, sends: bool) -> Message:
    command = to.command
    match outcome:
        case LastSession():
            return _last_session(outcome, request, sends)
        case SessionList():
            return _session_list(command, outcome, request, sends)
        case SessionEnded(record=record) if request.replaces:
            return closed_card(record)
        case SessionEnded(record=record):
            return _text(f"The session “{escape(record.session.name)}” is over now. Nobody can join it any more.")
        case SessionShared(record=record, channel_id=channel_id):
            return _text(f"Shared: everybody in <#{channel_id}> sees the session “{escape(record.session.name)}” now.")
        case SentDirect(record=record):
            name = escape(record.session.name)
            return _text(f"The session “{name}” is in your direct messages with me now.")
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


def _last_session(outcome: LastSession, request: Request, sends: bool) -> Message:
    record, session, name = outcome.record, outcome.record.session, escape(outcome.record.session.name)
    if record.is_over:
        return _text(f"Your last session, “{name}”, {ended_text(session)}.")
    if record.is_gone:
        return _text(f"Your last session is “{name}”. {GONE}.")
    text = f"Your last session is “{name}”. The {join_label(session)} for your customer is in this message."
    head = section(f":link: *{name}* · {until(session)} {ENGLISH.moment(session.ends_at)}")
    row = controls(session, share=can_share(request), direct=bool(request.reply_url), send=sends)
    return Message(text, [head, *join_blocks(session), row])


def _session_list(command: str, outcome: SessionList, request: Request, sends: bool) -> Message:
    count, everybodys = len(outcome.records), outcome.everybodys
    if not count:
        whose = "There is no open session in this workspace." if everybodys else "You have no open session."
        return _text(f"{whose} `{command}` starts one.")
    counted = f"{'more than ' if outcome.cut else ''}{count} open session{'' if count == 1 else 's'}"
    text = f"This workspace has {counted}." if everybodys else f"You have {counted}."
    blocks: list[Block] = [section(f"*{text}*")]
    share, alone, elsewhere = can_share(request), count == 1 and not everybodys, not request.reply_url
    for number, record in enumerate(outcome.records):  # five blocks each at most, or one, or two of MAX_SEND_BUTTONS
        if not everybodys and len(blocks) > 1:
            blocks.append({"type": "divider"})
        send = sends and (not everybodys or len(blocks) - number <= MAX_SEND_BUTTONS)
        blocks += listed(record, everybodys=everybodys, elsewhere=elsewhere, share=share, alone=alone, send=send)
    more = [context(f"These are the newest {count}.")] if outcome.cut else []
    return Message(text, [*blocks, *more])


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
