"""The Home tab: who I am, what is open, what to press (pure). When it is looked up and shown is for home.py.

https://docs.slack.dev/reference/views/home-tab-views
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.core.errors import ChannelNotAllowedError, CobrowseError, HostNotFoundError
from bot.core.models import Identity
from bot.core.requests.status import ServiceFailure
from bot.core.results import SessionList
from bot.slack.messages.blocks import Block, View, button, buttons, context, escape, section
from bot.slack.messages.error_copy import clock, error_copy
from bot.slack.messages.session_card import listed

START_ACTION, REFRESH_ACTION = "home_start", "home_refresh"
MOST_OWN, MOST_OTHERS = 8, 15
"""A view may have a hundred blocks; an own session takes six at most, any other one."""
MOST_LETTERS = 18_000
"""Of sessions, as JSON: Slack sends the whole tab back each time it is opened, which the HTTP door has to take."""
MOST_DOUBTS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeTabData:
    """What a member sees, each as it is or as the reason why it cannot be seen now.

    `place` is why sessions cannot be started from here. `others` and `doubts` are None for whom they are not.
    """

    identity: Identity | CobrowseError
    place: ChannelNotAllowedError | None
    own: SessionList | CobrowseError
    others: SessionList | CobrowseError | None = None
    doubts: Sequence[str] | None = None
    failure: ServiceFailure | None = None


def light() -> View:
    """What is there at once, before anything is known."""
    return _home([section("One moment…")])


def refused(error: CobrowseError, contact: str) -> View:
    """For who may do nothing here, or cannot be told apart now: the sentence alone."""
    said = error_copy(error, contact)
    return _home([section(f":no_entry: *{said.what}*\n{said.next}")])


def home(look: HomeTabData, command: str, contact: str, *, sends: bool = False) -> View:
    """The whole of it; `sends`: links are sent to customers."""
    blocks = [*_identity(look.identity, contact), *_start(look, command, contact)]
    more = f"… and more: `{command} status` shows them."
    blocks += _sessions("Your open sessions", look.own, MOST_OWN, more, contact, own=True, send=sends)
    if look.others is not None:
        more = f"… and more: `{command} list` shows them."
        blocks += _sessions("Open sessions of others", look.others, MOST_OTHERS, more, contact)
    if look.doubts is not None:
        blocks += _condition(look.doubts, look.failure, contact)
    return _home([*blocks, context(f"As of {clock(datetime.now(UTC))} · `{command} help` shows what can be typed")])


def _identity(identity: Identity | CobrowseError, contact: str) -> list[Block]:
    match identity:
        case Identity(host=host):
            text = f"You host co-browse sessions as Genesys user `{host.id}`, by the rule “{escape(host.rule)}”."
            return [section(f":white_check_mark: {text}")]
        case HostNotFoundError(tried=tried):
            lines = [f"• {escape(miss.rule)}: {escape(miss.why)}" for miss in tried] or ["• No rule is set up."]
            text = "You are not linked to a Genesys user, so there is nobody to host your sessions."
            return [section("\n".join([f":warning: *{text}*", *lines, f"Ask {contact} to set that up."]))]
        case _:
            return [section(f":warning: *Who you are to Genesys is not known now.* {_why(identity, contact)}")]


def _start(look: HomeTabData, command: str, contact: str) -> list[Block]:
    refresh = button("Refresh", REFRESH_ACTION)
    if look.place:
        said = error_copy(look.place, contact, command=command)
        return [section(f"{said.what} {said.next} Type `{command}` there."), buttons(refresh)]
    return [buttons(button("Start a session…", START_ACTION, style="primary"), refresh)]


def _sessions(
    title: str,
    found: SessionList | CobrowseError,
    most: int,
    more: str,
    contact: str,
    *,
    own: bool = False,
    send: bool = False,
) -> list[Block]:
    head: list[Block] = [{"type": "divider"}, section(f"*{title}*")]
    if isinstance(found, CobrowseError):
        return [*head, section(f":warning: They cannot be seen now. {_why(found, contact)}")]
    if not found.records and not found.cut:
        return [*head, section("There is none.")]
    shown, room = 0, MOST_LETTERS
    for record in found.records[:most]:
        line = listed(record, everybodys=not own, elsewhere=True, send=send)
        room -= len(json.dumps(line))
        if room < 0:
            break
        head += line
        shown += 1
    return [*head, context(more)] if found.cut or len(found.records) > shown else head


def _condition(doubts: Sequence[str], failure: ServiceFailure | None, contact: str) -> list[Block]:
    lines = [f":small_orange_diamond: {escape(doubt)}" for doubt in doubts[:MOST_DOUBTS]]
    if failure:
        said, name = error_copy(failure.error, contact), failure.error.code
        mark = ":white_circle:" if failure.passed else ":red_circle:"
        since = "Since then a session was made." if failure.passed else "Since then none was made."
        lines.append(f"{mark} The newest failure of Genesys ({clock(failure.at)}, `{name}`): {said.what} {since}")
    text = "\n".join(lines) or ":white_check_mark: Nothing that I know of."
    return [{"type": "divider"}, section("*What is wrong with the set-up*"), section(text)]


def _why(error: CobrowseError, contact: str) -> str:
    said = error_copy(error, contact, starting=False)
    return f"{said.what} {said.next}"


def _home(blocks: list[Block]) -> View:
    return {"type": "home", "blocks": blocks}
