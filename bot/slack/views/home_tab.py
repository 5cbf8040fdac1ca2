"""Build the Home tab: the user's host, open sessions and buttons (pure). listeners/home_tab.py loads and publishes it.

https://docs.slack.dev/reference/views/home-tab-views
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from bot.core.errors import ChannelNotAllowedError, CobrowseError, HostNotFoundError
from bot.core.models import Identity
from bot.core.requests.events import ServiceFailure
from bot.core.results import SessionList
from bot.slack.messages.blocks import Block, View, button, buttons, context, escape, section
from bot.slack.messages.catalogue.errors import Situation
from bot.slack.messages.catalogue.sentence import said
from bot.slack.messages.error_copy import Addressee, error_copy
from bot.slack.messages.session_card import listed

START_ACTION, REFRESH_ACTION = "home_start", "home_refresh"
MAX_OWN, MAX_OTHERS = 8, 15
"""A view may have a hundred blocks; an own session takes six at limit, any other one."""
MAX_SESSIONS_LENGTH = 18_000
"""Characters of all sessions as JSON: Slack sends the tab back on each open, and the HTTP receiver bounds bodies."""
MAX_WARNINGS = 10
IDENTITY_UNKNOWN = said("home.identity_unknown", "I can’t tell which Genesys user you are right now.")
TYPE_THERE = said("home.type_there", "Type `{command}` there.")


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeTabData:
    """Hold what the tab shows to a member: each part is a result, or the error that kept it from loading.

    `channel_refusal`: why no session can start without a channel. `others` is None for members, `config_warnings` is
    None for all but administrators.
    """

    identity: Identity | CobrowseError
    channel_refusal: ChannelNotAllowedError | None
    own: SessionList | CobrowseError
    others: SessionList | CobrowseError | None = None
    config_warnings: Sequence[str] | None = None
    failure: ServiceFailure | None = None


def loading() -> View:
    """Return the view shown while the data loads."""
    return _home([section("One moment…")])


def error_view(error: CobrowseError, to: Addressee) -> View:
    """Return a view with one error: for users without access, or whose access cannot be checked now."""
    copy = error_copy(error, Situation.QUERY, to)
    return _home([section("\n".join((f":no_entry: *{copy.problem}*", *copy.lines)))])


def home(data: HomeTabData, to: Addressee, *, sends: bool = False) -> View:
    """Return the complete tab. `sends`: links can be sent to customers."""
    command = to.command
    blocks = [*_identity(data.identity, to), *_start(data, to)]
    more = f"… and more: `{command} status` shows them."
    blocks += _sessions("Your open sessions", data.own, MAX_OWN, more, to, own=True, send=sends)
    if data.others is not None:
        more = f"… and more: `{command} list` shows them."
        blocks += _sessions("Open sessions of others", data.others, MAX_OTHERS, more, to)
    if data.config_warnings is not None:
        blocks += _service_status(data.config_warnings, data.failure, to)
    return _home(
        [*blocks, context(f"As of {to.language.moment(datetime.now(UTC))} · `{command} help` shows what can be typed")]
    )


def _identity(identity: Identity | CobrowseError, to: Addressee) -> list[Block]:
    match identity:
        case Identity(host=host):
            text = f"You host co-browse sessions as Genesys user `{host.id}`, by the rule “{escape(host.rule)}”."
            return [section(f":white_check_mark: {text}")]
        case HostNotFoundError():
            copy = error_copy(identity, Situation.QUERY, to)
            return [section("\n".join((f":warning: *{copy.problem}*", *copy.lines)))]
        case _:
            text = to.language.say(IDENTITY_UNKNOWN)
            return [section(f":warning: *{text}* {_explanation(identity, to)}")]


def _start(data: HomeTabData, to: Addressee) -> list[Block]:
    refresh = button("Refresh", REFRESH_ACTION)
    if data.channel_refusal:
        copy = error_copy(data.channel_refusal, Situation.START, to)
        return [section(f"{copy.text} {to.language.say(TYPE_THERE, command=to.command)}"), buttons(refresh)]
    return [buttons(button("Start a session…", START_ACTION, style="primary"), refresh)]


def _sessions(
    title: str,
    found: SessionList | CobrowseError,
    limit: int,
    more: str,
    to: Addressee,
    *,
    own: bool = False,
    send: bool = False,
) -> list[Block]:
    head: list[Block] = [{"type": "divider"}, section(f"*{title}*")]
    if isinstance(found, CobrowseError):
        return [*head, section(f":warning: They cannot be seen now. {_explanation(found, to)}")]
    if not found.records and not found.cut:
        return [*head, section("There is none.")]
    shown, room = 0, MAX_SESSIONS_LENGTH
    for record in found.records[:limit]:
        line = listed(record, everybodys=not own, elsewhere=True, send=send)
        room -= len(json.dumps(line))
        if room < 0:
            break
        head += line
        shown += 1
    return [*head, context(more)] if found.cut or len(found.records) > shown else head


def _service_status(config_warnings: Sequence[str], failure: ServiceFailure | None, to: Addressee) -> list[Block]:
    lines = [f":small_orange_diamond: {escape(warning)}" for warning in config_warnings[:MAX_WARNINGS]]
    if failure:
        copy = error_copy(failure.error, Situation.QUERY, replace(to, can_repair=True))
        name = failure.error.code
        mark = ":white_circle:" if failure.passed else ":red_circle:"
        since = "Since then a session was made." if failure.passed else "Since then none was made."
        lines.append(
            f"{mark} The newest failure of Genesys ({to.language.moment(failure.at)}, `{name}`): {copy.text} {since}"
        )
    text = "\n".join(lines) or ":white_check_mark: Nothing that I know of."
    return [{"type": "divider"}, section("*What is wrong with the set-up*"), section(text)]


def _explanation(error: CobrowseError, to: Addressee) -> str:
    return error_copy(error, Situation.QUERY, to).text


def _home(blocks: list[Block]) -> View:
    return {"type": "home", "blocks": blocks}
