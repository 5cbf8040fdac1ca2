"""A session as others see it, and later: in lists, in direct messages, in a channel, and when it is over (pure).

The card that answers a start is in renderer.py. listeners/actions.py carries out a button, and checks who presses it.
"""

from bot.core.models import Request, RequestId, RequestKind, Session, SessionRecord, UserId
from bot.slack.messages.blocks import (
    OPEN_ACTION,
    SESSION_BLOCK,
    Block,
    Message,
    button,
    buttons,
    confirm,
    context,
    escape,
    section,
)
from bot.slack.messages.catalogue.sentence import ENGLISH
from bot.slack.messages.catalogue.slack_errors import reason, remedy

BUTTON_URL_LENGTH = 3000


def join_blocks(session: Session, aside: str = "") -> list[Block]:
    """What to hand to the customer; `aside` follows the words that say so."""
    if not session.join_url:
        how = "On your website they open the Messenger, choose to share their screen, and type it in."
        return [section(f"Tell your customer this code{aside}. {how}"), _preformatted(session.join_code)]
    return [section(f"Send this link to your customer{aside}:"), *bare_join_blocks(session)]


def bare_join_blocks(session: Session) -> list[Block]:
    """The same without the words, where several sessions stand below each other."""
    if not session.join_url:
        return [_preformatted(session.join_code)] if session.join_code else []
    blocks = [_preformatted(session.join_url)]
    if session.join_code:  # its letters can end no mark-up: see genesys/sessions.py, ID
        blocks.append(context(f"The code alone, if your customer is asked for one: `{session.join_code}`"))
    return blocks


def link_alone(url: str) -> list[Block]:
    """A link to copy; nothing where there is none."""
    return [_preformatted(url)] if url else []


def open_button(session: Session) -> list[Block]:
    """The link once more, to press; none where there is no link, or one that is too long for a button."""
    fits = session.join_url and len(session.join_url) <= BUTTON_URL_LENGTH
    return [button("Open as customer", OPEN_ACTION, url=session.join_url)] if fits else []


def join_label(session: Session) -> str:
    """What the customer gets, in a word."""
    return "link" if session.join_url else "code"


def ended_text(session: Session) -> str:
    """What is the case when `ends_at` has passed. A session in a conversation, which has no application, may go on."""
    return "is over. Nobody can join it any more" if session.application_id else "can be joined no more"


def until(session: Session) -> str:
    """What happens at `ends_at`, in words that its time follows."""
    return "can be joined until about" if session.join_code else "ends about"


def _preformatted(text: str) -> Block:
    element = {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": text}]}
    return {"type": "rich_text", "elements": [element]}


END_ACTION, SHARE_ACTION, DIRECT_ACTION = "end_session", "share_session", "send_session"
SEND_TO_ACTION = "send_to_customer"
GONE = "Genesys knows its offer no more: somebody has joined by it, or it is over"
LISTED = "listed-"
"""How the block of a session in a list is called: its End does not take the place of the whole list."""


def controls(session: Session, *, share: bool = True, direct: bool = True, send: bool = False) -> Block:
    """The buttons of one session."""
    row = open_button(session)
    if send and session.join_url:  # what the link is for, so it comes first
        row.insert(0, _send_button(session) | {"style": "primary"})
    if direct:
        row.append(button("Send to me", DIRECT_ACTION, value=session.id))
    if share:
        asked = f"Everybody in this channel will see the customer's {join_label(session)}, and who shared it."
        sure = confirm("Share it?", asked, "Share")
        row.append(button("Share to channel", SHARE_ACTION, value=session.id, confirm=sure))
    return buttons(*row, _end_button(session))


def can_share(request: Request) -> bool:
    """Whether what answers this request stands in a channel, for its requester only."""
    return bool(request.reply_url) and request.channel_id.startswith(("C", "G")) and not request.is_group_message


def listed(
    record: SessionRecord,
    *,
    everybodys: bool,
    elsewhere: bool = False,
    share: bool = True,
    alone: bool = False,
    send: bool = False,
) -> list[Block]:
    """One line of a list; of one's own with its link and its buttons. `elsewhere` than in a message where it was asked
    for: none that leads to a channel or a direct message. `alone`: the list is this one.

    `send`: there is Send to customer, too, for who may read the link, which nobody else's record has.
    """
    session, name = record.session, escape(record.session.name)
    ends = GONE if record.is_gone else f"{until(session)} {ENGLISH.moment(session.ends_at)}"
    given = f" · started by <@{record.requester}>" if record.agent != record.requester else ""
    named = {} if alone or elsewhere else {"block_id": f"{LISTED}{session.id}"}
    if everybodys:
        line = section(f"<@{record.agent}> · *{name}* · {ends}{given}")
        if send and session.join_url:
            return [line, buttons(_send_button(session), _end_button(session)) | named]
        return [line | named | {"accessory": _end_button(session)}]
    whose = f" · host <@{record.agent}>{given}" if given else ""
    inside = not elsewhere and not record.is_gone
    row = controls(session, share=share and inside, direct=inside)
    if send and session.join_url:
        row["elements"].insert(0, _send_button(session))  # it does not stand out: there may be several
    return [section(f"*{name}* · {ends}{whose}"), *bare_join_blocks(session), row | named]


def agent_card(request: Request, session: Session, *, send: bool = False) -> Message:
    """A session that somebody else has just started, for the agent who hosts it."""
    name, starter, what = escape(session.name), f"<@{request.requester}>", join_label(session)
    aside = f" ({starter} has it too)"
    if request.kind is RequestKind.STEP:
        starter, aside = "A workflow", " (the workflow has it too)"
    return Message(
        f"{starter} started a co-browse session for you: “{name}”. The customer's {what} is in this message.",
        [
            section(f":white_check_mark: *{starter} started a co-browse session for you*\n{name}", SESSION_BLOCK),
            *join_blocks(session, aside),
            controls(session, share=False, direct=False, send=send),
            *small_print("You are already the host", session, request.id),
        ],
    )


def direct_card(record: SessionRecord, *, send: bool = False) -> Message:
    """A session in a direct message to its host or requester."""
    session, name = record.session, escape(record.session.name)
    return Message(
        f"Your co-browse session “{name}”. The {join_label(session)} for your customer is in this message.",
        [
            section(f":link: *Co-browse session*\n{name}"),
            *join_blocks(session),
            controls(session, share=False, direct=False, send=send),
            _whose(record),
        ],
    )


def shared_card(record: SessionRecord, sharer: UserId) -> Message:
    """A session in a channel, for all in it: who shares what, and with whom as host."""
    session, name = record.session, escape(record.session.name)
    return Message(
        f"<@{sharer}> shares the co-browse session “{name}” with this channel.",
        [
            section(f":link: *<@{sharer}> shares a co-browse session with this channel*\n{name}"),
            section(f"The customer's {join_label(session)}:"),
            *bare_join_blocks(session),
            controls(session, share=False, direct=False),
            _whose(record),
        ],
    )


def closed_card(record: SessionRecord, *, shared: bool = False) -> Message:
    """What stands in place of a session that is over."""
    name = escape(record.session.name)
    title = "over" if record.session.application_id else "can be joined no more"
    host = f"<@{record.agent}> was the host." if shared else "Start a new one when you need it."
    blocks = [section(f":white_circle: *Co-browse session {title}*\n{name}"), context(host)]
    return Message(f"The co-browse session “{name}” {ended_text(record.session)}.", blocks)


TAB_OFF = "messages_tab_disabled"
"""Slack's error code when the app's Messages tab is off."""


def with_direct_off(message: Message) -> Message:
    """The message, and why it is not in the direct messages."""
    why = f"{reason(ENGLISH, TAB_OFF)} {remedy(ENGLISH, TAB_OFF)}"
    return Message(message.text, [*message.blocks, context(f":information_source: {why}")])


def reference_line(request_id: RequestId, service: str | None = None) -> Block:
    """What somebody who helps will ask for: our reference, and the service's where there is one."""
    return context(f"Reference `{request_id}`" + (f" · Genesys `{escape(service)}`" if service else ""))


def small_print(host_line: str, session: Session, request_id: RequestId) -> list[Block]:
    """What can be read and need not be."""
    return [
        context(f"{host_line} · {until(session)} {ENGLISH.moment(session.ends_at)}"),
        context(f"Session `{escape(session.id)}` · Host `{session.host_id}` · Reference `{request_id}`"),
    ]


def _send_button(session: Session) -> Block:
    return button("Send to customer…", SEND_TO_ACTION, value=session.id)


def _end_button(session: Session) -> Block:
    asked = "The customer's page stops being shared at once. This cannot be taken back."
    sure = confirm("End the session?", asked, "End") | {"style": "danger"}
    return button("End", END_ACTION, value=session.id, style="danger", confirm=sure)


def _whose(record: SessionRecord) -> Block:
    session = record.session
    given = f" · started by <@{record.requester}>" if record.agent != record.requester else ""
    ends = f"{until(session)} {ENGLISH.moment(session.ends_at)}"
    return context(f"<@{record.agent}> is the host{given} · {ends} · `{escape(session.id)}`")
