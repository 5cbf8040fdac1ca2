"""Tell an agent that somebody else has ended the agent's session.

The bot stores a notice, and the agent gets it as a new direct message. An updated session card would not be enough,
because Slack notifies nobody of an update.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from bot.core.models import ChannelId, Notice, NoticeKind, Request, SessionId, SessionRecord, UserId
from bot.core.notices import NoticeBoard


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionEnd:
    """The end of a session by somebody other than its agent: the content of an ENDED notice.

    - `name`: the name of the session.
    - `ender`: the person who ended the session, at the time `at`.
    - `for_all`: True if the session ended for everybody. False for a session in a conversation, where a customer who
      has joined stays in the session.
    - `channel_id`: the channel in which the session was started; "" if unknown.
    """

    session_id: SessionId
    name: str
    agent: UserId
    ender: UserId
    at: datetime
    for_all: bool
    channel_id: ChannelId


def read_end(data: Mapping[str, Any]) -> SessionEnd:
    """Convert the `data` of an ENDED notice to a SessionEnd (pure)."""
    return SessionEnd(
        session_id=SessionId(data["session_id"]),
        name=str(data["name"]),
        agent=UserId(data["agent"]),
        ender=UserId(data["ender"]),
        at=datetime.fromtimestamp(data["at"], UTC),
        for_all=bool(data["for_all"]),
        channel_id=ChannelId(data.get("channel_id") or ""),
    )


def with_end(notice: Notice, record: SessionRecord, request: Request) -> Notice | None:
    """Return a copy of `notice` that says that the session `record` has ended (pure).

    Return None if `notice` is already stored (`version` is not 0): a stored notice of this kind never changes.
    `request`: the request that ended the session.
    """
    if notice.version:
        return None
    data = {
        "session_id": record.session.id,
        "name": record.session.name,
        "agent": record.agent,
        "ender": request.requester,
        "at": notice.read_at.timestamp(),
        "for_all": bool(record.session.application_id),
        "channel_id": record.channel_id,
    }
    return replace(notice, team_id=request.team_id, over_at=notice.read_at, data=data)


class SessionEnds:
    """Tells an agent that somebody else has ended the agent's session."""

    def __init__(self, board: NoticeBoard) -> None:
        self._board = board

    async def tell_agent(self, record: SessionRecord, request: Request) -> None:
        """Store a notice to the agent of the session `record`. A background task sends the message. Never raises.

        `request`: the request that ended the session.
        """
        await self._board.change_surely(
            NoticeKind.ENDED, record.session.id, lambda notice: with_end(notice, record, request)
        )
