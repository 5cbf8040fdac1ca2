"""Build the Home tab: the reader's Genesys user, open sessions and buttons; for administrators also the set-up.

listeners/home_tab.py loads the data and publishes the tab. https://docs.slack.dev/reference/views/home-tab-views
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from bot.core.errors import ChannelNotAllowedError, CobrowseError, HostNotFoundError
from bot.core.models import Identity, Notice, PersonKey, Role
from bot.core.requests.events import ServiceFailure
from bot.core.results import SessionList
from bot.core.use_cases.access_requests import Unconnected
from bot.core.use_cases.start_counts import StartCounts
from bot.slack.messages.blocks import (
    START_ACTION,
    START_FOR_ACTION,
    Block,
    View,
    button,
    buttons,
    context,
    section,
)
from bot.slack.messages.catalogue.errors import Situation
from bot.slack.messages.catalogue.sentence import Language, Markup, Sentence, counted, fault, label, mention, said
from bot.slack.messages.catalogue.setup_warnings import SetupWarning
from bot.slack.messages.error_copy import Addressee, error_copy
from bot.slack.messages.notices.access import ASKED_BEFORE, START, connect_button, connect_people_button
from bot.slack.messages.notices.faults import fault_notice
from bot.slack.messages.session_card import END, CardRenderer
from bot.slack.messages.session_list import YOUR_SESSIONS, has_sessions_for_others, list_blocks, list_rows

REFRESH_ACTION = "home_refresh"
PEOPLE_BLOCK = "people"
MAX_WARNINGS = 10
MAX_FAULTS, MAX_UNCONNECTED = 3, 5
TITLE = label("home.title", "Co-browse")
LOADING = said("home.loading", "One moment…")
REFRESH = label("home.refresh", "Refresh")
START_FOR = label("button.start_for", "Start for someone…")
ONE_STEP_LEFT = said("home.one_step_left", "One step left: your Slack isn’t connected to Genesys.")
CONNECTED_AS = said("home.connected_as", "Connected to Genesys as *{name}*")
CONNECTED = said("home.connected", "Connected to Genesys")
AS_OF = said("home.as_of", "As of {at} · `{command} help` shows what you can type")
NOT_CONNECTED = said("home.not_connected", "These people tried to start a session and aren’t connected to Genesys")
PEOPLE = said("home.people", "People")
CONNECT_ANYBODY = said("home.connect_anybody", "Connect anybody here to their Genesys user.")
TRIED_AT = said("home.tried_at", "{person} · tried at {at}")
MORE_PEOPLE = said("home.more_people", "There are more. They appear here as you connect these.")
MORE_FAULTS = counted(
    "home.more_faults",
    "… and {count} more fault. It appears here as you fix these.",
    "… and {count} more faults. They appear here as you fix these.",
)
MORE_WARNINGS = counted(
    "home.more_warnings",
    "… and {count} more warning. It appears here as you fix these.",
    "… and {count} more warnings. They appear here as you fix these.",
)
SET_UP = said("home.set_up", "Set-up")
ALL_GOOD = said("home.all_good", "Everything looks good.")
NEWEST_FAILURE = fault("home.newest_failure", "The newest failure of Genesys ({at}, `{code}`): {what} {since}")
PASSED_SINCE = fault("home.passed_since", "A session was started after it.")
NONE_SINCE = fault("home.none_since", "No session was started after it.")
IDENTITY_UNKNOWN = said("home.identity_unknown", "I can’t tell which Genesys user you are right now.")
TYPE_THERE = said("home.type_there", "Type `{command}` there.")
NONE_OPEN = said("home.none_open", "No open sessions.")
HOW_IT_WORKS = said("home.how_it_works", "How it works")
STEP_TYPE = said("home.step_type", "1. Type `{command}` while you talk to your customer.")
STEP_GIVE = said("home.step_give", "2. Send your customer the link that I show you, or read out the code.")
STEP_END = said("home.step_end", "3. Press *{end}* when you’re done.")
LIVE = said("home.live", "Live now")
LAST_DAY = said("home.last_day", "*Last 24 hours:* {started}, {failed}.")
STARTED = counted("home.started", "{count} session started", "{count} sessions started")
FAILED = counted("home.failed", "{count} start failed", "{count} starts failed")
MORE_OWN = said("home.more_own", "… and more: `{command} status` shows them.")
SESSIONS_NOT_LOADED = said("home.sessions_not_loaded", "I can’t show them right now. {reason}")


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeTabData:
    """The content of the Home tab of one reader. `identity`, `own` and `live` are errors if they could not be loaded.

    For all readers:

    - `visitor`: the ids of the reader and of the reader's team.
    - `identity`: the reader's Genesys user; a HostNotFoundError if there is none.
    - `role`: the reader's role. Supervisors and administrators can also start sessions for others.
    - `is_newcomer`: whether the reader has a Genesys user and has never had a session.
    - `host_name`: the name of the reader's Genesys user; "" if unknown.
    - `asked_at`: when the reader asked the administrators for a connection to a Genesys user; None if the reader did
      not ask.
    - `channel_refusal`: the reason why no session can start from the Home tab; None if a session can start.
    - `own`: the reader's open sessions.

    For supervisors and administrators; None for other readers:

    - `live`: a page of the workspace's open sessions.

    For administrators; None or empty for other readers:

    - `config_warnings`: the warnings about the set-up.
    - `faults`: the notices about present faults.
    - `failure`: the newest failure of Genesys; None if there is none, or if there are `faults`.
    - `unconnected`: the people without a Genesys user who tried to start a session.
    - `starts`: the numbers of starts in the last 24 hours; None if unknown.
    """

    visitor: PersonKey
    identity: Identity | CobrowseError
    role: Role = Role.MEMBER
    is_newcomer: bool = False
    host_name: str = ""
    asked_at: datetime | None = None
    channel_refusal: ChannelNotAllowedError | None
    own: SessionList | CobrowseError
    live: SessionList | CobrowseError | None = None
    config_warnings: Sequence[SetupWarning] | None = None
    failure: ServiceFailure | None = None
    faults: Sequence[Notice] = ()
    unconnected: Sequence[Unconnected] = ()
    starts: StartCounts | None = None


def loading(language: Language) -> View:
    """Build the view that the Home tab shows while its data loads."""
    return _home([section(language.say(LOADING))])


def error_view(error: CobrowseError, to: Addressee) -> View:
    """Build a Home tab that shows only an error, because the reader has no access or the access cannot be checked."""
    copy = error_copy(error, Situation.QUERY, to)
    return _home([section("\n".join((f":no_entry: *{copy.problem}*", *copy.lines)))])


def home(data: HomeTabData, to: Addressee, cards: CardRenderer, *, access: Sequence[Block] = ()) -> View:
    """Build the complete Home tab.

    - `to`: the reader.
    - `access`: the buttons that the tab shows if the reader has no Genesys user, and has not asked the administrators
      for a connection yet.
    """
    say = to.language.say
    blocks: list[Block] = [{"type": "header", "text": {"type": "plain_text", "text": say(TITLE)}}]
    blocks += [*_faults(data.faults, to, cards.features.runbook_url), *_identity(data, to, access)]
    if _is_unconnected(data) and data.role is Role.MEMBER:
        has_sessions = isinstance(data.own, SessionList) and data.own.records
        return _home([*blocks, *(_own(data.own, data.visitor, cards, to) if has_sessions else [])])
    blocks += _start(data, to)
    blocks += _how_it_works(to) if data.is_newcomer else _own(data.own, data.visitor, cards, to)
    if data.live is not None:
        blocks += _live(data.live, data.visitor, cards, to)
    if data.config_warnings is not None:
        blocks += _people(data.unconnected, to)
        blocks += _service_status(data.config_warnings, data.failure, to, has_faults=bool(data.faults))
        blocks += _last_day(data.starts, to)
    lines = [say(AS_OF, at=datetime.now(UTC), command=to.command)]
    if isinstance(data.identity, Identity):
        lines.insert(0, say(CONNECTED_AS, name=data.host_name) if data.host_name else say(CONNECTED))
    return _home([*blocks, context(" · ".join(lines))])


def _is_unconnected(data: HomeTabData) -> bool:
    return isinstance(data.identity, HostNotFoundError)


def _identity(data: HomeTabData, to: Addressee, access: Sequence[Block]) -> list[Block]:
    """Build the blocks for a reader who has no Genesys user, or whose Genesys user the bot could not look up.

    Return [] if the bot found the reader's Genesys user.

    `access`: the buttons for a reader who has no Genesys user, and has not asked the administrators for a connection
    yet; empty for none.
    """
    identity, say = data.identity, to.language.say
    match identity:
        case Identity():
            return []
        case HostNotFoundError() if data.asked_at:
            asked = say(ASKED_BEFORE, contact=to.contact, at=data.asked_at)
            return [section(f":hourglass_flowing_sand: *{say(ONE_STEP_LEFT)}*\n{asked}")]
        case HostNotFoundError():
            copy = error_copy(identity, Situation.QUERY, to)
            head = section("\n".join((f":wave: *{say(ONE_STEP_LEFT)}*", *copy.lines)))
            return [head, *([buttons(*access)] if access else [])]
        case _:
            return [section(f":warning: *{say(IDENTITY_UNKNOWN)}* {_explanation(identity, to)}")]


def _faults(faults: Sequence[Notice], to: Addressee, runbook_url: str) -> list[Block]:
    """Build the blocks about the present faults, each with the button *Check again*. Return [] if there are no faults.

    Show at most MAX_FAULTS faults, and the number of the others.
    """
    administrator = replace(to, can_repair=True)
    messages = [fault_notice(each, administrator, each.opened_at, runbook_url) for each in faults[:MAX_FAULTS]]
    blocks = [block for message in messages for block in message.blocks]
    for number, block in enumerate(blocks):
        block["block_id"] = f"fault-{number}"  # all notices have the same id, and a view must have each id once
    blocks += _more(MORE_FAULTS, len(faults) - MAX_FAULTS, to)
    return [*blocks, {"type": "divider"}] if blocks else []


def _more(sentence: Sentence, count: int, to: Addressee) -> list[Block]:
    """Build the line that says that `count` more items exist. Return [] if `count` is 0 or less."""
    return [context(to.language.say(sentence, count=count))] if count > 0 else []


def _people(people: Sequence[Unconnected], to: Addressee) -> list[Block]:
    """Build the list of people without a Genesys user who tried to start a session, at most MAX_UNCONNECTED.

    Each row has a button that connects the person. Another button connects a person who is not in the list. If
    `people` is empty, build only this other button.
    """
    say, anybody = to.language.say, {"accessory": connect_people_button(to.language)}
    if not people:
        text = f"*{say(PEOPLE)}*\n{say(CONNECT_ANYBODY)}"
        return [{"type": "divider"}, section(text, PEOPLE_BLOCK) | anybody]
    rows = [
        section(to.language.say(TRIED_AT, person=mention(each.person[1]), at=each.last_at))
        | {"block_id": f"connect-{each.person[1]}", "accessory": connect_button(each.person, to.language)}
        for each in people[:MAX_UNCONNECTED]
    ]
    more = [context(to.language.say(MORE_PEOPLE))] if len(people) > MAX_UNCONNECTED else []
    return [{"type": "divider"}, section(f"*{say(NOT_CONNECTED)}*", PEOPLE_BLOCK) | anybody, *rows, *more]


def _start(data: HomeTabData, to: Addressee) -> list[Block]:
    refresh = button(to.language.say(REFRESH), REFRESH_ACTION)
    if data.channel_refusal:
        copy = error_copy(data.channel_refusal, Situation.START, to)
        return [section(f"{copy.text} {to.language.say(TYPE_THERE, command=to.command)}"), buttons(refresh)]
    row = []
    if not _is_unconnected(data):
        row.append(button(to.language.say(START), START_ACTION, style="primary"))
    if data.role is not Role.MEMBER:
        style = {} if row else {"style": "primary"}
        row.append(button(to.language.say(START_FOR), START_FOR_ACTION, **style))
    return [buttons(*row, refresh)]


def _how_it_works(to: Addressee) -> list[Block]:
    say = to.language.say
    steps = (say(STEP_TYPE, command=to.command), say(STEP_GIVE), say(STEP_END, end=END))
    return [{"type": "divider"}, section("\n".join((f"*{say(HOW_IT_WORKS)}*", *steps)))]


def _own(found: SessionList | CobrowseError, viewer: PersonKey, cards: CardRenderer, to: Addressee) -> list[Block]:
    """Build the list of the viewer's open sessions, including those that the viewer started for others.

    `found`: the sessions; an error if they could not be read. If it is an error, build a line with the reason instead.
    """
    say, divider = to.language.say, {"type": "divider"}
    head: list[Block] = [divider, section(f"*{say(YOUR_SESSIONS)}*")]
    if isinstance(found, CobrowseError):
        return [*head, _not_loaded(found, to)]
    if not found.total:
        return [*head, section(say(NONE_OPEN))]
    if has_sessions_for_others(found, viewer):  # the rows have headings then
        head = [divider]
    more = [context(say(MORE_OWN, command=to.command))] if found.total > len(found.records) else []
    return [*head, *list_rows(found, viewer, cards), *more]


def _live(found: SessionList | CobrowseError, viewer: PersonKey, cards: CardRenderer, to: Addressee) -> list[Block]:
    divider: Block = {"type": "divider"}
    if isinstance(found, CobrowseError):
        return [divider, section(f"*{to.language.say(LIVE)}*"), _not_loaded(found, to)]
    _, blocks = list_blocks(found, viewer, cards, to.command)
    return [divider, *blocks]


def _not_loaded(error: CobrowseError, to: Addressee) -> Block:
    text = to.language.say(SESSIONS_NOT_LOADED, reason=Markup(_explanation(error, to)))
    return section(f":warning: {text}")


def _service_status(
    config_warnings: Sequence[SetupWarning], failure: ServiceFailure | None, to: Addressee, *, has_faults: bool
) -> list[Block]:
    shown = config_warnings[:MAX_WARNINGS]
    lines = [f":small_orange_diamond: {warning.words(to.language)}" for warning in shown]
    if failure:
        copy = error_copy(failure.error, Situation.QUERY, replace(to, can_repair=True))
        name = failure.error.code
        mark = ":white_circle:" if failure.passed else ":red_circle:"
        since = PASSED_SINCE if failure.passed else NONE_SINCE
        told = to.language.say(NEWEST_FAILURE, at=failure.at, code=name, what=Markup(copy.text), since=since)
        lines.append(f"{mark} {told}")
    if not lines and has_faults:
        return []
    text = "\n".join(lines) or f":white_check_mark: {to.language.say(ALL_GOOD)}"
    more = _more(MORE_WARNINGS, len(config_warnings) - len(shown), to)
    return [{"type": "divider"}, section(f"*{to.language.say(SET_UP)}*"), section(text), *more]


def _last_day(starts: StartCounts | None, to: Addressee) -> list[Block]:
    """Build the line about the successful and failed starts of the last 24 hours. Return [] if `starts` is None."""
    if starts is None:
        return []
    say = to.language.say
    started, failed = say(STARTED, count=starts.started), say(FAILED, count=starts.failed)
    return [{"type": "divider"}, section(say(LAST_DAY, started=started, failed=failed))]


def _explanation(error: CobrowseError, to: Addressee) -> str:
    return error_copy(error, Situation.QUERY, to).text


def _home(blocks: list[Block]) -> View:
    return {"type": "home", "blocks": blocks}
