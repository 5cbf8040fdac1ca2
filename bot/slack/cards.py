"""A session as people see it after it was made: in lists, in direct messages, in a channel, and when it is over (pure).

The card that answers a start is in messages.py. What a button does is for actions.py, which checks its presser anew.
"""

from bot.desk.models import RequestId, Session, UserId
from bot.desk.remembered import SessionRecord
from bot.slack.blocks import Block, Message, button, buttons, confirm, context, escape, section
from bot.slack.joining import thing, ways_in
from bot.slack.sentences import clock

END_ACTION, SHARE_ACTION, DIRECT_ACTION = "end_session", "share_session", "send_session"
SEND_TO_ACTION = "send_to_customer"


def controls(session: Session, *, share: bool = True, direct: bool = True, send: bool = False) -> Block:
    """The buttons of one session."""
    row = []
    if send and session.join_url:
        row.append(button("Send to customer…", SEND_TO_ACTION, value=session.id))
    if share:
        asked = f"Everybody in this channel will see the customer's {thing(session)}, and who shared it."
        sure = confirm("Share it?", asked, "Share")
        row.append(button("Share to channel", SHARE_ACTION, value=session.id, confirm=sure))
    if direct:
        row.append(button("Send to me", DIRECT_ACTION, value=session.id))
    asked = "The customer's page stops being shared at once. This cannot be taken back."
    row.append(
        button("End", END_ACTION, value=session.id, style="danger", confirm=confirm("End the session?", asked, "End"))
    )
    return buttons(*row)


def listed(record: SessionRecord, *, everybodys: bool, elsewhere: bool = False) -> list[Block]:
    """One line of a list, with its link for whom it is, and its buttons: `elsewhere` than in a channel, End alone."""
    session, name = record.session, escape(record.session.name)
    whose = f" · host <@{record.agent}>" if everybodys or record.agent != record.requester else ""
    given = f" · started by <@{record.requester}>" if record.agent != record.requester else ""
    head = section(f"*{name}*{whose}{given} · ends about {clock(session.ends_at)}")
    link = ways_in(session) if session.join_url and not everybodys else []
    here = not everybodys and not elsewhere
    return [head, *link, controls(session, share=here, direct=here)]


def direct_card(record: SessionRecord) -> Message:
    """A session in a direct message to its host or requester."""
    session, name = record.session, escape(record.session.name)
    return Message(
        f"Your co-browse session “{name}”. The link for your customer is in this message.",
        [
            section(f":link: *Co-browse session*\n{name}"),
            *ways_in(session),
            controls(session, share=False, direct=False),
            _small_print(record),
        ],
    )


def shared_card(record: SessionRecord, sharer: UserId) -> Message:
    """A session in a channel, for all in it: who shares what, and with whom as host."""
    session, name = record.session, escape(record.session.name)
    return Message(
        f"<@{sharer}> shares the co-browse session “{name}” with this channel.",
        [
            section(f":link: *<@{sharer}> shares a co-browse session with this channel*\n{name}"),
            *ways_in(session),
            controls(session, share=False, direct=False),
            _small_print(record),
        ],
    )


def closed_card(record: SessionRecord, *, shared: bool) -> Message:
    """What stands in place of a session that is over."""
    name = escape(record.session.name)
    text = f"The co-browse session “{name}” is over. Its link works no more."
    host = f"<@{record.agent}> was the host" if shared else "Start a new one when you need it"
    return Message(text, [section(f":white_circle: *Co-browse session over*\n{name}"), context(f"{host}.")])


def reference_line(request_id: RequestId, service: str | None = None) -> Block:
    """What somebody who helps will ask for: our reference, and the service's where there is one."""
    return context(f"Reference `{request_id}`" + (f" · Genesys `{escape(service)}`" if service else ""))


def _small_print(record: SessionRecord) -> Block:
    session = record.session
    given = f" · started by <@{record.requester}>" if record.agent != record.requester else ""
    return context(
        f"<@{record.agent}> is the host{given} · ends about {clock(session.ends_at)} · `{escape(session.id)}`"
    )
