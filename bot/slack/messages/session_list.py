"""Render lists of sessions: a row with a button or menu for each session, and buttons to turn the page (pure).

listeners/lists.py handles the buttons that turn the page. listeners/cards.py handles the buttons and menus of the rows.
"""

from collections.abc import Sequence
from itertools import groupby
from urllib.parse import urlencode

from bot.core.models import PersonKey, SessionId, SessionPhase, SessionRecord, TeamId, UserId
from bot.core.results import ON_CARD, ListKind, ListPage, SessionList
from bot.slack.messages.blocks import Block, Message, button, buttons, context, option, overflow, section, users_select
from bot.slack.messages.catalogue.sentence import (
    Language,
    Markup,
    counted,
    label,
    mention,
    said,
)
from bot.slack.messages.catalogue.session_states import WAITING, joined
from bot.slack.messages.session_card import ASK_END_ACTION, END, END_ACTION, OTHER, CardRenderer

ROW, LISTED = "row-", "listed-"
"""Prefixes of the block id of a row. The list's page and the session's id follow the prefix.

Rows that earlier versions of the bot posted have LISTED.
"""
ROW_MENU_ACTION = "row_menu"
ROW_SHOW, ROW_SEND, ROW_MESSAGE, ROW_END, SCREEN = "show", "send", "message", "end", "screen"
"""The values of the options in a row's menu."""
PREVIOUS_ACTION, NEXT_ACTION, AGENT_ACTION, EVERYBODY_ACTION = (
    "list_previous",
    "list_next",
    "list_agent",
    "list_everybody",
)
FILTER = "filter-"
"""The prefix of a block id: of the block with the menu that filters a list by person. The rest of the id is the text of
the ListPage."""

SHOW_LINK = label("row.show_link", "Show link")
SHOW_CODE = label("row.show_code", "Show code")
MESSAGE_AGENT = label("row.message_agent", "Message agent")
END_ROW = label("row.end", "End")
OWN = said("row.own", "*{name}* · {left}")
OWN_FOR = said("row.own_for", "*{name}* · for {agent} · {left}")
OWN_FROM = said("row.own_from", "*{name}* · from {starter} · {left}")
LIVE = said("row.live", "*{name}* · since {since} · {ends}")
LIVE_FROM = said("row.live_from", "*{name}* · from {starter} · since {since} · {ends}")
LIVE_FROM_YOU = said("row.live_from_you", "*{name}* · from you · since {since} · {ends}")
MINUTES_LEFT = counted("row.minutes_left", "{count} minute left", "{count} minutes left")
HOURS_LEFT = counted("row.hours_left", "{count} hour left", "{count} hours left")
LINK_USED = said("row.link_used", "since {since}, link used or expired")
YOUR_SESSIONS = said("list.your_sessions", "Your open sessions")
FOR_OTHERS = said("list.for_others", "You started for others")
NONE_OPEN = said("list.none_open", "No open sessions. Type `{command}` to start one.")
NONE_LIVE = said("list.none_live", "Nobody has an open session.")
NONE_OF = said("list.none_of", "{agent} has no open session.")
OWN_OPEN = counted("list.own", "{count} open session", "{count} open sessions")
LIVE_NOW = counted("list.live", "Live now: {count}", "Live now: {count}")
LIVE_OF = counted("list.live_of", "Live now, {agent}: {count}", "Live now, {agent}: {count}")
WHICH = said("list.which", "Which session should I end?")
WHICH_OF = said("list.which_of", "Which session of {agent} should I end?")
PAGE = said("list.page", "Page {number} of {pages}")
PREVIOUS = label("list.previous", "Previous")
NEXT = label("list.next", "Next")
FILTER_BY = label("list.filter", "Filter by person")
EVERYBODY = label("list.everybody", "Show everybody")


def list_message(found: SessionList, viewer: PersonKey, cards: CardRenderer, command: str) -> Message:
    """Render a list of sessions as a message.

    - `viewer`: the reader of the list, as team id and user id.
    - `command`: the slash command.
    """
    text, blocks = list_blocks(found, viewer, cards, command)
    return Message(text.replace("*", ""), blocks)


def list_blocks(found: SessionList, viewer: PersonKey, cards: CardRenderer, command: str) -> tuple[str, list[Block]]:
    """Render a list of sessions. Return its title and its blocks.

    - `viewer`: the reader of the list, as team id and user id.
    - `command`: the slash command.
    """
    page = found.page
    title = _title(found, cards.language, command)
    head = section(f"*{title}*" if found.total else title)
    if page.is_live and page.kind is not ListKind.END and (found.total > 1 or page.agent):
        head |= {"block_id": f"{FILTER}{page}", "accessory": _filter(page, cards.language)}
    has_headings = page.kind is ListKind.OWN and has_sessions_for_others(found, viewer)
    rows = [*list_rows(found, viewer, cards), *_pager(found, cards.language)]
    return title, rows if has_headings else [head, *rows]


def list_rows(found: SessionList, viewer: PersonKey, cards: CardRenderer) -> list[Block]:
    """Build the rows of the list `found`, one for each session.

    `found.ended`, the session that the viewer has just ended in this list, also has a row. The row says that the
    session is over.
    """
    is_live, records = found.page.is_live, found.records
    if ended := found.ended:
        open_ones = (each for each in records if each.session.id != ended.session.id)
        records = tuple(sorted((*open_ones, ended), key=_live_order if is_live else _own_order))
    if is_live:
        return _by_agent(records, found, viewer, cards)
    if found.page.kind is ListKind.OWN:
        return _by_starter(records, found, viewer, cards)
    return [_own_row(each, found, viewer, cards) for each in records]


def row_id(page: ListPage, session_id: SessionId) -> str:
    """Return the block id of a session's row on a page of a list."""
    return f"{ROW}{page}-{session_id}"


def read_row(block_id: str) -> tuple[str, str]:
    """Decode the id of a block with buttons. Return a pair of texts, which says where the pressed button is.

    - In a row of a list: the page of the list, and the id of the row's session.
    - In the part of a session card that offers to end another session: ON_CARD + the id of the card's session, and "".
    - In any other block: "", and the unchanged `block_id`.
    """
    if block_id.startswith(OTHER):
        return f"{ON_CARD}{block_id.removeprefix(OTHER)}", ""
    page, dash, session_id = block_id.removeprefix(ROW).partition("-")
    return (page, session_id) if block_id.startswith(ROW) and dash else ("", block_id)


def _title(found: SessionList, language: Language, command: str) -> str:
    say, page = language.say, found.page
    agent = mention(page.agent or "")
    if not found.total:
        if page.agent:
            return say(NONE_OF, agent=agent)
        return say(NONE_LIVE) if page.kind in (ListKind.LIVE, ListKind.HOME) else say(NONE_OPEN, command=command)
    if page.kind is ListKind.END:
        return say(WHICH_OF, agent=agent) if page.agent else say(WHICH)
    if page.kind in (ListKind.LIVE, ListKind.HOME):
        return say(LIVE_OF, agent=agent, count=found.total) if page.agent else say(LIVE_NOW, count=found.total)
    return say(OWN_OPEN, count=found.total)


def _own_row(record: SessionRecord, found: SessionList, viewer: PersonKey, cards: CardRenderer) -> Block:
    """Build the row of a session in a list of the viewer's own sessions."""
    session, say = record.session, cards.language.say
    if record.is_over:
        return section(cards.ended(record))
    sentence = OWN
    if not _is_hosted(record, found, viewer):
        sentence = OWN_FOR
    elif record.agent != record.requester:
        sentence = OWN_FROM
    text = say(
        sentence,
        name=session.name,
        agent=mention(record.agent),
        starter=mention(record.requester),
        left=Markup(time_left(record, cards.language)),
    )
    return section(text, row_id(found.page, session.id)) | {"accessory": _control(record, found, viewer, cards)}


def _by_starter(
    records: Sequence[SessionRecord], found: SessionList, viewer: PersonKey, cards: CardRenderer
) -> list[Block]:
    """Build the rows in two groups: sessions that the viewer hosts, and sessions that the viewer started for others.

    If there are sessions for others, each group that is not empty has a heading.
    """
    own = [record for record in records if _is_hosted(record, found, viewer)]
    others = [record for record in records if not _is_hosted(record, found, viewer)]
    blocks = []
    for heading, part in ((YOUR_SESSIONS, own), (FOR_OTHERS, others)):
        if part and others:
            blocks.append(section(f"*{cards.language.say(heading)}*"))
        blocks += [_own_row(each, found, viewer, cards) for each in part]
    return blocks


def has_sessions_for_others(found: SessionList, viewer: PersonKey) -> bool:
    """Return whether the list `found` has a session that the viewer started for another person."""
    return not all(_is_hosted(record, found, viewer) for record in found.records)


def _is_hosted(record: SessionRecord, found: SessionList, viewer: PersonKey) -> bool:
    """Return whether the viewer is the agent of the session, under any of the viewer's Slack ids."""
    return record.agent in (found.viewer_ids or (viewer[1],))


def _by_agent(
    records: Sequence[SessionRecord], found: SessionList, viewer: PersonKey, cards: CardRenderer
) -> list[Block]:
    """Build the rows of `records` in groups. A mention of the agent heads each group.

    `records` must be sorted by agent.
    """
    blocks = []
    for agent, theirs in groupby(records, key=lambda record: record.agent):
        blocks.append(section(mention(agent)))
        blocks += [_live_row(record, found, viewer, cards) for record in theirs]
    return blocks


def _live_row(record: SessionRecord, found: SessionList, viewer: PersonKey, cards: CardRenderer) -> Block:
    session, say = record.session, cards.language.say
    if record.is_over:
        return section(cards.ended(record))
    sentence = LIVE if record.agent == record.requester else LIVE_FROM
    if sentence is LIVE_FROM and record.requester == viewer[1]:
        sentence = LIVE_FROM_YOU
    has_joined = record.state.phase is SessionPhase.JOINED
    text = say(
        sentence,
        name=session.name,
        starter=mention(record.requester),
        since=record.started_at or session.ends_at,
        ends=Markup(joined(record, cards.language)) if has_joined else cards.ends(session),
    )
    return section(text, row_id(found.page, session.id)) | {"accessory": _control(record, found, viewer, cards)}


def _control(record: SessionRecord, found: SessionList, viewer: PersonKey, cards: CardRenderer) -> Block:
    """Build the button or the menu at the end of a session's row.

    - In a list that asks which session to end, build a button that ends the session at once.
    - In other lists, build a menu. If *End session* would be the only item of the menu, build a button instead. This
      button asks before it ends the session.
    """
    session, say = record.session, cards.language.say
    if found.page.kind is ListKind.END:
        return button(say(END_ROW), END_ACTION, value=session.id)
    options = []
    if session.join_url or session.join_code:  # the viewer may read it
        options.append(option(say(SHOW_LINK if session.join_url else SHOW_CODE), ROW_SHOW))
    if cards.features.sends and session.join_url:
        options.append(option(say(cards.send_label), ROW_SEND))
    team_id, user_id = viewer
    if record.state.phase is SessionPhase.JOINED:
        options += [
            option(each["text"]["text"], SCREEN, url=each["url"]) for each in cards.screen_buttons(record, user_id)
        ]
    if record.agent != user_id:
        options.append(option(say(MESSAGE_AGENT), ROW_MESSAGE, url=direct_message_url(team_id, record.agent)))
    if not options:
        return _end_button(record, cards)
    return overflow(ROW_MENU_ACTION, *options, option(say(END), ROW_END))


def _end_button(record: SessionRecord, cards: CardRenderer) -> Block:
    return button(cards.language.say(END_ROW), ASK_END_ACTION, value=record.session.id)


def direct_message_url(team_id: TeamId, user_id: UserId) -> str:
    """Return the URL that opens the reader's direct message with a person in Slack, in the app or the browser.

    `team_id`: the id of a Slack workspace or an organization. For an organization, the URL names no workspace.
    https://docs.slack.dev/interactivity/deep-linking
    """
    team = {"team": team_id} if team_id.startswith("T") else {}
    return f"https://slack.com/app_redirect?{urlencode({**team, 'channel': user_id})}"


def _filter(page: ListPage, language: Language) -> Block:
    return users_select(AGENT_ACTION, language.say(FILTER_BY), page.agent)


def _pager(found: SessionList, language: Language) -> list[Block]:
    """Build the blocks below a list: the page number, and the buttons *Previous*, *Next* and *Show everybody*.

    - If there is only one page, the page number, *Previous* and *Next* are left out.
    - *Show everybody* appears in a list that shows the sessions of one person. It does not appear in a list from which
      the reader chooses the session to end.
    """
    say, page, pages = language.say, found.page, -(-found.total // found.page.size)
    row = []
    if page.number:
        row.append(button(say(PREVIOUS), PREVIOUS_ACTION, value=str(_at(page, page.number - 1))))
    if page.number + 1 < pages:
        row.append(button(say(NEXT), NEXT_ACTION, value=str(_at(page, page.number + 1))))
    if page.agent and page.kind is not ListKind.END:
        row.append(button(say(EVERYBODY), EVERYBODY_ACTION, value=str(ListPage(page.kind))))
    where = [context(say(PAGE, number=page.number + 1, pages=pages))] if pages > 1 else []
    return [*where, *([buttons(*row)] if row else [])]


def _at(page: ListPage, number: int) -> ListPage:
    return ListPage(page.kind, number, page.agent)


def _own_order(record: SessionRecord) -> float:
    return -(record.started_at or record.session.ends_at).timestamp()


def _live_order(record: SessionRecord) -> tuple[str, float]:
    return record.agent, _own_order(record)


def time_left(record: SessionRecord, language: Language) -> str:
    """Render a phrase about an open session, such as "5 minutes left".

    - If the customer has joined, the phrase says only that the customer has joined, and when, if the time is known.
    - If the link no longer works, the phrase has the start of the session and "link used or expired" in place of the
      time left.
    - If Genesys reports that the customer can join and has not joined yet, the phrase begins with "waiting for the
      customer".
    """
    if record.state.phase is SessionPhase.JOINED:
        return joined(record, language)
    left = _left(record, language)
    return language.say(WAITING, left=Markup(left)) if record.state.phase is SessionPhase.WAITING else left


def _left(record: SessionRecord, language: Language) -> str:
    if record.is_gone or record.read_at is None:
        return language.say(LINK_USED, since=record.started_at or record.session.ends_at)
    minutes = max(1, round((record.session.ends_at - record.read_at).total_seconds() / 60))
    if minutes < 120:
        return language.say(MINUTES_LEFT, count=minutes)
    return language.say(HOURS_LEFT, count=round(minutes / 60))
