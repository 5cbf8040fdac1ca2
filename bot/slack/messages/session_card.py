"""Render the card of a session: its link or code, its buttons, and later its end (pure).

listeners/cards.py handles the buttons and checks who pressed.
"""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from bot.core.models import (
    ChannelId,
    OtherSession,
    Request,
    RequestKind,
    Session,
    SessionId,
    SessionPhase,
    SessionRecord,
    SlackUser,
    UserId,
)
from bot.core.results import ListKind, ListPage
from bot.core.validation.contact import ContactAddress, ContactChannel
from bot.core.validation.display import url_host
from bot.slack.messages.blocks import (
    CODE_BLOCK,
    OPEN_ACTION,
    SESSION_BLOCK,
    Block,
    Message,
    button,
    buttons,
    context,
    header,
    option,
    overflow,
    section,
)
from bot.slack.messages.catalogue.sentence import (
    TITLE_LENGTH,
    Language,
    Markup,
    Sentence,
    Value,
    channel_mention,
    counted,
    label,
    mention,
    said,
)
from bot.slack.messages.catalogue.session_states import (
    CUSTOMER_OF,
    NOBODY,
    OPEN_VIEWER,
    YOUR_CUSTOMER,
    ended,
    joined,
)
from bot.slack.messages.help import SESSIONS_BUTTON, Capabilities

END_ACTION, SHARE_ACTION, DIRECT_ACTION = "end_session", "share_session", "send_session"
"""The action ids of buttons on cards of earlier versions of the bot.

Current messages use END_ACTION, too. It is the id of buttons that end a session without a question: in the list that
asks which session to end, and on a card that mentions another open session of its reader.
"""
OTHERS_ACTION = "list_others"
"""The action id of the button on a card that lists all open sessions of the agent. Its value is a ListPage as text."""
SEND_TO_ACTION, ASK_END_ACTION, MENU_ACTION, START_NEW_ACTION = (
    "send_to_customer",
    "ask_end_session",
    "session_menu",
    "start_new_session",
)
POST, COPY, PREVIEW, GENESYS, DETAILS = "post", "copy", "preview", "genesys", "details"
"""The values of the options in the menu of a card."""
CARD = "card-"
"""The block id of the row of buttons on a card is this prefix and the id of the card's session."""
OTHER = "other-"
"""A card can mention another open session in a block. Its block id is this prefix and the id of the card's session."""
BUTTON_URL_LENGTH = 3000

USUAL_NAME = label("card.usual_name", "Co-browse with {name}", limit=60)
NEUTRAL_NAME = label("card.neutral_name", "Co-browse session", limit=60)
TITLE = said("card.title", "*{name}* · {ends}")
TITLE_FOR = said("card.title_for", "*For {agent}* · {name} · {ends}")
TITLE_FROM = said("card.title_from", "*{name}* · from {starter} · {ends}")
TITLE_FROM_WORKFLOW = said("card.title_from_workflow", "*{name}* · from a workflow · {ends}")
ENDS = said("card.ends", "ends {time}")
JOIN_BY = said("card.join_by", "join by {time}")
ASK_ADDRESS = said("card.ask_address", "Ask them to open *{address}* and type:")
ASK_MESSENGER = said(
    "card.ask_messenger", "Ask them to open the Messenger on your website, choose to share their screen, and type:"
)
OR_CODE = said("card.or_code", "Or they open *{address}* and type *{code}*.")
SEE_SCREEN = said("card.see_screen", "You’ll see their screen in Genesys as soon as they join.")
ON_PHONE = said("card.on_phone", "On a phone call? Email this link yourself, or read it out.")
READY = said("card.ready", "“{name}” is ready. The link for your customer is in this message.")
READY_CODE = said("card.ready_code", "“{name}” is ready. The code for your customer is in this message.")
READY_FOR = said("card.ready_for", "“{name}” for {agent} is ready. The link for the customer is in this message.")
READY_CODE_FOR = said(
    "card.ready_code_for", "“{name}” for {agent} is ready. The code for the customer is in this message."
)
STARTED_FOR_YOU = said(
    "card.started_for_you", "{starter} started “{name}” for you. What your customer needs is in here."
)
WORKFLOW_STARTED = said(
    "card.workflow_started", "A workflow started “{name}” for you. What your customer needs is in here."
)
COPY_OF = said("card.copy_of", "“{name}”: what your customer needs is in this message.")
SHARED_BY = said("card.shared_by", "{person} posted “{name}” in this channel.")
AGENT_HAS_LINK = said("card.agent_has_link", "{agent} has this link too.")
AGENT_HAS_CODE = said("card.agent_has_code", "{agent} has this code too.")
AGENT_NOT_TOLD = said("card.agent_not_told", "I couldn’t reach {agent}. Please pass this on yourself.")
SEND_LINK = label("card.send_link", "Text or email link", limit=TITLE_LENGTH)
TEXT_LINK = label("card.text_link", "Text link", limit=TITLE_LENGTH)
EMAIL_LINK = label("card.email_link", "Email link", limit=TITLE_LENGTH)
END = label("card.end", "End session")
START_NEW = label("card.start_new", "Start a new one")
MENU_POST = label("card.menu_post", "Post in this channel")
MENU_COPY = label("card.menu_copy", "Send me a copy")
MENU_PREVIEW = label("card.menu_preview", "Preview customer page")
MENU_GENESYS = label("card.menu_genesys", "Open in Genesys")
MENU_DETAILS = label("card.menu_details", "Details for support")
TEXTED = said("card.texted", "✓ Texted to …{digits} · {time}")
EMAILED = said("card.emailed", "✓ Emailed to {address} · {time}")
POSTED = said("card.posted", "✓ Posted in {channel}")
STILL_OPEN = said("card.still_open", "*{name}* is still open, until {time}.")
STILL_OPEN_OF = said("card.still_open_of", "*{name}* of {agent} is still open, until {time}.")
STILL_OPEN_AND = counted(
    "card.still_open_and",
    "*{name}* is still open, until {time}, and so is {count} more.",
    "*{name}* is still open, until {time}, and so are {count} more.",
)
STILL_OPEN_OF_AND = counted(
    "card.still_open_of_and",
    "*{name}* of {agent} is still open, until {time}, and so is {count} more.",
    "*{name}* of {agent} is still open, until {time}, and so are {count} more.",
)
STILL_JOINED = said("card.still_joined", "*{name}* is still open, with your customer in it.")
STILL_JOINED_OF = said("card.still_joined_of", "*{name}* of {agent} is still open, with a customer in it.")
STILL_JOINED_AND = counted(
    "card.still_joined_and",
    "*{name}* is still open, with your customer in it. {count} more is open.",
    "*{name}* is still open, with your customer in it. {count} more are open.",
)
STILL_JOINED_OF_AND = counted(
    "card.still_joined_of_and",
    "*{name}* of {agent} is still open, with a customer in it. {count} more is open.",
    "*{name}* of {agent} is still open, with a customer in it. {count} more are open.",
)
OWN_OPEN, OPEN_OF = (STILL_OPEN, STILL_OPEN_AND), (STILL_OPEN_OF, STILL_OPEN_OF_AND)
OWN_JOINED, JOINED_OF = (STILL_JOINED, STILL_JOINED_AND), (STILL_JOINED_OF, STILL_JOINED_OF_AND)
"""Sentences on a card which say that the agent has another open session, and that the customer has joined it.

The agent reads those of OWN_JOINED, other people read those of JOINED_OF. The second sentence of each pair also says
how many more open sessions the agent has.
"""
END_IT = label("card.end_it", "End it")
THEIR_SESSIONS = label("card.their_sessions", "Their sessions")
OTHER_ENDED = said("card.other_ended", "✓ Ended {name} · {time}")
OTHER_CLOSED = said("card.other_closed", "✓ Closed {name} · {time}, nobody else can join")
COPIED = said("card.copied", "✓ Sent to your direct messages with me")
ENDED = said("card.ended", "*{name}* · ended {time}")
ENDED_BY = said("card.ended_by", "*{name}* · ended by {person}, {time}")
ENDED_WITH = said("card.ended_with", "*{name}* with {agent} · ended {time}")
ENDED_BY_WITH = said("card.ended_by_with", "*{name}* with {agent} · ended by {person}, {time}")
CLOSED = said("card.closed", "*{name}* · closed {time}, nobody else can join")
CLOSED_BY = said("card.closed_by", "*{name}* · closed by {person}, {time}")
CLOSED_WITH = said("card.closed_with", "*{name}* with {agent} · closed {time}, nobody else can join")
CLOSED_BY_WITH = said("card.closed_by_with", "*{name}* with {agent} · closed by {person}, {time}")
LINK_USED = said("card.link_used", "*{name}* · link used or expired")
CODE_USED = said("card.code_used", "*{name}* · code used or expired")
USED_NEXT = said("card.used_next", "Is your customer in the session? Then go on. Otherwise, start a new one.")
HAS_ENDED = said("card.has_ended", "“{name}” has ended.")
IS_CLOSED = said("card.is_closed", "Nobody else can join “{name}”.")
_ENDINGS = {
    (True, False, False): ENDED,
    (True, True, False): ENDED_BY,
    (True, False, True): ENDED_WITH,
    (True, True, True): ENDED_BY_WITH,
    (False, False, False): CLOSED,
    (False, True, False): CLOSED_BY,
    (False, False, True): CLOSED_WITH,
    (False, True, True): CLOSED_BY_WITH,
}
"""The title of a session that is over. The flags of a key:

- The session has ended for all participants. If not, nobody else can join, but those who have joined continue.
- The person who ended the session is known.
- The title names the agent.
"""


@dataclass(frozen=True, slots=True)
class Place:
    """The features of a card that depend on where Slack shows the card.

    - `posts`: whether the card has a button that posts the session in the channel.
    - `copies`: whether the card has a button that sends a copy of the card as a direct message.
    - `is_public`: whether everybody in the channel can read the card.
    """

    posts: bool = False
    copies: bool = False
    is_public: bool = False


DIRECT_MESSAGE, CHANNEL = Place(), Place(is_public=True)


def place_of(request: Request) -> Place:
    """Return the Place of the card that answers a request. The Place says which buttons the card has."""
    return Place(posts=can_share(request), copies=bool(request.reply_url))


def can_share(request: Request) -> bool:
    """Return whether a button in the answer can post the session in the channel of the request.

    Return True if the request has a response_url and comes from a channel, not from a direct or group message.
    """
    return bool(request.reply_url) and request.channel_id.startswith(("C", "G")) and not request.is_group_message


@dataclass(frozen=True, slots=True)
class UsualNames:
    """Makes names for sessions that the requester has not named, in the agent's language.

    `of_agent` returns a name that contains the agent's name. `neutral` returns a name that contains no person's name.

    `language_of`: returns the language of a person, by the person's Slack id.
    """

    language_of: Callable[[str | None], Language]

    def of_agent(self, agent: SlackUser) -> str:
        return self.language_of(agent.user_id).say(USUAL_NAME, name=agent.name)

    def neutral(self, agent: SlackUser) -> str:
        return self.language_of(agent.user_id).say(NEUTRAL_NAME)


@dataclass(frozen=True, slots=True)
class CardRenderer:
    """Renders session cards for one reader, in the reader's language."""

    features: Capabilities
    language: Language

    @property
    def send_label(self) -> Sentence:
        """Return the label of the button that sends the link to a customer.

        The label names the media that are set up: SMS, email or both.
        """
        if not self.features.emails:
            return TEXT_LINK
        return SEND_LINK if self.features.texts else EMAIL_LINK

    def started(
        self, request: Request, session: Session, *, agent_told: bool | None = None, offered: Sequence[Block] = ()
    ) -> Message:
        """Render the card of a new session for its requester.

        - `agent_told`: whether the agent has got the link in a direct message; None if the requester is the agent.
        - `offered`: the blocks of the offer to send the link to the customer, from `ambiguity.offer`.
        """
        say, agent = self.language.say, mention(request.agent)
        below = list(offered)
        if agent_told is True:
            below.append(context(say(AGENT_HAS_LINK if session.join_url else AGENT_HAS_CODE, agent=agent)))
        elif agent_told is False:
            below.append(section(f":warning: {say(AGENT_NOT_TOLD, agent=agent)}"))
        if request.other_open and request.other_open.id != session.id:
            below += self._still_open(session, request.other_open, request.agent, is_own=not request.for_another)
        title = self._title(session, agent=request.agent, starter=request.requester, viewer=request.requester)
        has_offer = any("accessory" in block for block in offered)
        hints = not request.for_another and not offered
        blocks = self._blocks(
            session, title, place_of(request), below, is_primary=not has_offer, sends=not has_offer, hints=hints
        )
        if request.for_another:
            ready = say(READY_FOR if session.join_url else READY_CODE_FOR, name=session.name, agent=agent)
        else:
            ready = say(READY if session.join_url else READY_CODE, name=session.name)
        return Message(ready, blocks)

    def for_agent(self, request: Request, session: Session) -> Message:
        """Render the card for an agent whose session was started by another person or by a workflow."""
        say, starter = self.language.say, mention(request.requester)
        if request.kind is RequestKind.STEP:
            title = say(TITLE_FROM_WORKFLOW, name=session.name, ends=self.ends(session))
            told = say(WORKFLOW_STARTED, name=session.name)
        else:
            title = self._title(session, agent=request.agent, starter=request.requester, viewer=request.agent)
            told = say(STARTED_FOR_YOU, starter=starter, name=session.name)
        return Message(told, self._blocks(session, title, DIRECT_MESSAGE, hints=True))

    def _still_open(self, session: Session, other: OtherSession, agent: UserId, *, is_own: bool) -> list[Block]:
        """Build the part of a card that names another open session of the agent and has a button to end that session.

        - `session`: the session of the card.
        - `other`: the session to name, which is the agent's newest other open session. If the agent has more than one
          other open session, the text has their count, and a second button lists them.
        - `is_own`: whether the reader is the agent. If True, the button ends `other` at once. If False, the bot asks
          the reader first.
        """
        say, place, more = self.language.say, f"{OTHER}{session.id}", other.count - 1
        if other.ends_at:
            alone, with_more = OWN_OPEN if is_own else OPEN_OF
        else:
            alone, with_more = OWN_JOINED if is_own else JOINED_OF
        ends = {"time": other.ends_at} if other.ends_at else {}
        text = say(with_more if more > 0 else alone, name=other.name, agent=mention(agent), count=more, **ends)
        end = button(say(END_IT), END_ACTION if is_own else ASK_END_ACTION, value=other.id)
        if more <= 0:
            return [section(text, place) | {"accessory": end}]
        page = ListPage(ListKind.OWN) if is_own else ListPage(ListKind.LIVE, agent=agent)
        shows_all = button(say(SESSIONS_BUTTON if is_own else THEIR_SESSIONS), OTHERS_ACTION, value=str(page))
        return [section(text), buttons(end, shows_all) | {"block_id": place}]

    def of_record(
        self,
        record: SessionRecord,
        viewer: UserId,
        place: Place,
        *,
        done: str = "",
        other: OtherSession | None = None,
    ) -> Message:
        """Render the card of a stored session for `viewer`, with the buttons that `place` allows.

        - `done`: a line about the result of the last press on the card; "" for none.
        - `other`: the agent's newest other open session, which the card names with a button to end it; None for none.

        If the session is over, or its link or code no longer works, render the message that replaces the card.
        """
        if record.is_over:
            return self.closed(record)
        if record.is_gone:
            return self.joined(record, viewer) if _has_joined(record) else self.used_up(record)
        session, title = record.session, self.title(record, viewer)
        below = [context(done)] if done else []
        if other:
            below += self._still_open(session, other, record.agent, is_own=record.agent == viewer)
        blocks = self._blocks(session, title, place, below, hints=record.agent == viewer)
        return Message(self.language.say(COPY_OF, name=session.name), blocks)

    def joined(self, record: SessionRecord, viewer: UserId | None = None, *, is_public: bool = False) -> Message:
        """Render the card of a session that the customer has joined. The card shows no link and no code.

        - `viewer`: the reader; None if unknown.
        - `is_public`: whether everybody in a channel reads the card. Then no button leads to the customer's screen.
        """
        say, session = self.language.say, record.session
        about = self._about(record)
        title = self.title(record, viewer) if viewer else say(TITLE_FOR if is_public else TITLE, **about)
        row = [] if is_public else self.screen_buttons(record, viewer)
        row.append(button(say(END), ASK_END_ACTION, value=session.id))
        if not is_public:
            row += self._menu(replace(session, join_url="", conversation_id=None), DIRECT_MESSAGE)
        block_id = {"block_id": f"{CARD}{session.id}"}
        blocks = [section(f":large_green_circle: {title}", SESSION_BLOCK), buttons(*row) | block_id]
        return Message(self._customer_joined(record, viewer).replace("*", ""), blocks)

    def state_told(self, record: SessionRecord, viewer: UserId) -> Message:
        """Render the message about the new state of a session: the customer has joined, or the session is over.

        `viewer`: the reader.
        """
        if record.state.phase is SessionPhase.JOINED:
            text = self._customer_joined(record, viewer)
            row = self.screen_buttons(record, viewer, is_primary=True)
            blocks = [section(f":large_green_circle: {text}"), *([buttons(*row)] if row else [])]
            return Message(text.replace("*", ""), blocks)
        return self.closed(record)

    def screen_buttons(self, record: SessionRecord, viewer: UserId | None, *, is_primary: bool = False) -> list[Block]:
        """Build the button that leads to the customer's screen. Return a list with the button, or an empty list.

        For the agent, the button opens the page that shows the screen, if Genesys has reported the page's URL. In all
        other cases, it opens the session's conversation in Genesys. Return [] if the conversation's URL is unknown.

        - `viewer`: the reader; None if unknown.
        - `is_primary`: whether the button is highlighted.
        """
        say, style = self.language.say, {"style": "primary"} if is_primary else {}
        if record.state.viewer_url and viewer == record.agent:
            return [button(say(OPEN_VIEWER), OPEN_ACTION, url=record.state.viewer_url, **style)]
        app, conversation_id = self.features.genesys_app, record.session.conversation_id
        if app and conversation_id and (address := app.address(conversation_id)):
            return [button(say(MENU_GENESYS), OPEN_ACTION, url=address, **style)]
        return []

    def _customer_joined(self, record: SessionRecord, viewer: UserId | None) -> str:
        sentence = YOUR_CUSTOMER if viewer == record.agent else CUSTOMER_OF
        return self.language.say(sentence, name=record.session.name, agent=mention(record.agent))

    def _about(self, record: SessionRecord) -> dict[str, Value]:
        ends = Markup(joined(record, self.language)) if _has_joined(record) else self.ends(record.session)
        return {"name": record.session.name, "agent": mention(record.agent), "ends": ends}

    def shared(self, record: SessionRecord, sharer: UserId | None) -> Message:
        """Render the card of a session that everybody in a channel can read.

        `sharer`: the user who posted the session; None to leave out the line that names this user.
        """
        say, session = self.language.say, record.session
        title = say(TITLE_FOR, **self._about(record))
        if sharer is None:
            return Message(say(COPY_OF, name=session.name), self._blocks(session, title, CHANNEL))
        told = say(SHARED_BY, person=mention(sharer), name=session.name)
        return Message(told, self._blocks(session, title, CHANNEL, [context(told)]))

    def closed(self, record: SessionRecord, *, is_public: bool = False) -> Message:
        """Render the message that replaces the card when the session is over.

        `is_public`: whether everybody in a channel reads the message. If so, the message names the agent, and has no
        button.
        """
        blocks = [section(self.ended(record, is_public=is_public))]
        if not is_public:
            blocks.append(self._start_new(record))
        sentence = IS_CLOSED if record.may_continue else HAS_ENDED
        if record.state.phase is SessionPhase.UNUSED:
            sentence = NOBODY
        told = self.language.say(sentence, name=record.session.name)
        return Message(told, blocks)

    def used_up(self, record: SessionRecord) -> Message:
        """Render the message that replaces the card when the session's link or code is used or expired."""
        say, name = self.language.say, record.session.name
        text = say(CODE_USED if self.features.in_conversations else LINK_USED, name=name)
        blocks = [section(f":white_circle: {text}\n{say(USED_NEXT)}"), self._start_new(record)]
        return Message(say(IS_CLOSED, name=name), blocks)

    def _start_new(self, record: SessionRecord) -> Block:
        """Build a row with a button that starts a new session with the name and the agent of `record`."""
        session = record.session
        value = start_new_value(session.id, session.name, record.agent, record.channel_id)
        return buttons(button(self.language.say(START_NEW), START_NEW_ACTION, value=value))

    def ended(self, record: SessionRecord, *, is_public: bool = False) -> str:
        """Render a line about the end of a session: when it ended, and who or what ended it, if known.

        `is_public`: whether everybody in a channel reads the line. Then the line names the agent.
        """
        if not record.ended_by and (reported := ended(record, self.language, names_agent=is_public)):
            return f":white_circle: {reported}"
        sentence = _ENDINGS[bool(record.session.application_id), record.ender is not None, is_public]
        text = self.language.say(
            sentence,
            name=record.session.name,
            agent=mention(record.agent),
            person=mention(record.ender or ""),
            time=record.ended_at or record.session.ends_at,
        )
        return f":white_circle: {text}"

    def sent(self, address: ContactAddress) -> str:
        """Render the line which tells the reader of a card that the link was sent to the customer.

        The line shows the last four digits of a phone number, or a masked email address.
        """
        now = self.language.now()
        if address.medium is ContactChannel.SMS:
            return self.language.say(TEXTED, digits=address.text[-4:], time=now)
        return self.language.say(EMAILED, address=address.masked, time=now)

    def posted(self, channel_id: ChannelId) -> str:
        """Render the line which tells the reader of a card that the session was posted in this channel."""
        return self.language.say(POSTED, channel=channel_mention(channel_id))

    def other_ended(self, record: SessionRecord) -> str:
        """Render the line which tells the reader of a card that a press has ended another session, `record`."""
        sentence = OTHER_ENDED if record.session.application_id else OTHER_CLOSED
        return self.language.say(sentence, name=record.session.name, time=self.language.now())

    def copied(self) -> str:
        """Render the line which tells the reader of a card that the bot has sent a copy as a direct message."""
        return self.language.say(COPIED)

    def ends(self, session: Session) -> Markup:
        """Render when the session ends, such as "ends 14:05", or "join by 14:05" for a session with a join code."""
        return Markup(self.language.say(JOIN_BY if session.join_code else ENDS, time=session.ends_at))

    def join_blocks(self, session: Session, *, hints: bool = False) -> list[Block]:
        """Build the blocks with the link and the join code for the customer.

        If the session belongs to a conversation without a phone call, the link comes first, because the agent pastes
        the link. Otherwise the code comes first, because the agent reads the code out.

        `hints`: whether to add a line of advice to the agent in small print.
        """
        say, address = self.language.say, _address(session)
        if session.join_code and address and session.is_call is False:
            line = say(OR_CODE, address=address, code=spoken(session.join_code))
            line = f"{line} {say(SEE_SCREEN)}" if hints else line
            return [*link_alone(session.join_url), context(line)]
        blocks: list[Block] = []
        if session.join_code:
            ask = say(ASK_ADDRESS, address=address) if address else say(ASK_MESSENGER)
            blocks += [section(ask), header(spoken(session.join_code), CODE_BLOCK)]
        blocks += link_alone(session.join_url)
        if hints and not session.join_code and not self.features.sends:
            blocks.append(context(say(ON_PHONE)))
        return blocks

    def title(self, record: SessionRecord, viewer: UserId) -> str:
        """Render the first line of a card: the session's name, and when it ends or that the customer has joined.

        If the reader `viewer` is the agent, the line also names the requester, unless the agent is the requester. For
        any other reader, the line names the agent.
        """
        ends = Markup(joined(record, self.language)) if _has_joined(record) else None
        return self._title(record.session, agent=record.agent, starter=record.requester, viewer=viewer, ends=ends)

    def _title(
        self, session: Session, *, agent: UserId, starter: UserId, viewer: UserId, ends: Markup | None = None
    ) -> str:
        say, name, ends = self.language.say, session.name, ends or self.ends(session)
        if agent == starter == viewer:
            return say(TITLE, name=name, ends=ends)
        if viewer == agent:
            return say(TITLE_FROM, name=name, starter=mention(starter), ends=ends)
        return say(TITLE_FOR, agent=mention(agent), name=name, ends=ends)

    def _blocks(
        self,
        session: Session,
        title: str,
        place: Place,
        below: Sequence[Block] = (),
        *,
        sends: bool = True,
        is_primary: bool = True,
        hints: bool = False,
    ) -> list[Block]:
        """Build all blocks of a card.

        - `place`: where the card is shown.
        - `below`: the blocks between the link and the buttons.
        - `sends`: whether the card may have the button that sends the link to a customer.
        - `is_primary`: whether the button that sends the link is highlighted.
        - `hints`: whether to add a line of advice to the agent in small print.
        """
        say, row = self.language.say, []
        if sends and self.features.sends and session.join_url and not place.is_public:
            style = {"style": "primary"} if is_primary else {}
            row.append(button(say(self.send_label), SEND_TO_ACTION, value=session.id, **style))
        row.append(button(say(END), ASK_END_ACTION, value=session.id))
        row += self._menu(session, place)
        head = section(f":large_green_circle: {title}", SESSION_BLOCK)
        return [
            head,
            *self.join_blocks(session, hints=hints),
            *below,
            buttons(*row) | {"block_id": f"{CARD}{session.id}"},
        ]

    def _menu(self, session: Session, place: Place) -> list[Block]:
        say, options = self.language.say, []
        if place.is_public:
            return []
        if place.posts:
            options.append(option(say(MENU_POST), POST))
        if place.copies:
            options.append(option(say(MENU_COPY), COPY))
        if session.join_url and len(session.join_url) <= BUTTON_URL_LENGTH:
            options.append(option(say(MENU_PREVIEW), PREVIEW, url=session.join_url))
        app = self.features.genesys_app
        if app and session.conversation_id and (address := app.address(session.conversation_id)):
            options.append(option(say(MENU_GENESYS), GENESYS, url=address))
        details = option(say(MENU_DETAILS), DETAILS)
        if not options:  # Slack accepts no menu with fewer than two options
            return [button(say(MENU_DETAILS), MENU_ACTION, value=DETAILS)]
        return [overflow(MENU_ACTION, *options, details)]


def _has_joined(record: SessionRecord) -> bool:
    return record.state.phase is SessionPhase.JOINED


def spoken(code: str) -> str:
    """Split a number of six or more digits into groups of three, to read it out. Return any other code unchanged."""
    return re.sub(r"(?<=\d)(?=(?:\d{3})+$)", " ", code) if re.fullmatch(r"\d{6,}", code) else code


def _address(session: Session) -> str:
    """Return the address of the page on which the customer types the join code, without its scheme and query.

    Return "" if the session has no link.
    """
    host = url_host(session.join_url)
    if not host:
        return ""
    path = session.join_url.partition("#")[0].partition("://")[2].partition("?")[0].rstrip("/")
    return host if session.join_code in path else path


def link_alone(url: str) -> list[Block]:
    """Build a block that contains only the link, so that people can copy it. Return [] if `url` is ""."""
    if not url:
        return []
    element = {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": url}]}
    return [{"type": "rich_text", "elements": [element]}]


def start_new_value(session_id: SessionId, name: str, agent: UserId, channel_id: ChannelId) -> str:
    """Encode the value of the button that starts a new session with the name and the agent of an ended session.

    `session_id` and `channel_id` are the id and the channel of the ended session.
    """
    return json.dumps([session_id, name, agent, channel_id])


def read_start_new(value: str) -> tuple[str, str, UserId, ChannelId]:
    """Decode a value from `start_new_value`: the id, name, agent and channel of the ended session."""
    session_id, name, agent, channel_id = json.loads(value)
    return session_id, name, UserId(agent), ChannelId(channel_id)
