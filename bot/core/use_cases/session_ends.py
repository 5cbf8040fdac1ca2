"""Tell agents that somebody else has ended their session.

One notice for each session tells its agent in a new direct message, since the update of a card notifies nobody.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from bot.core.models import Notice, NoticeKind, Request, SessionId, SessionRecord, UserId
from bot.core.notices import NoticeBoard


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionEnd:
    """What the notice says. `for_all`: nobody is in the session any more; else those who have joined may go on."""

    session_id: SessionId
    name: str
    agent: UserId
    ender: UserId
    at: datetime
    for_all: bool


def read_end(data: Mapping[str, Any]) -> SessionEnd:
    """Return what the data of a notice say (pure)."""
    return SessionEnd(
        session_id=SessionId(data["session_id"]),
        name=str(data["name"]),
        agent=UserId(data["agent"]),
        ender=UserId(data["ender"]),
        at=datetime.fromtimestamp(data["at"], UTC),
        for_all=bool(data["for_all"]),
    )


def with_end(notice: Notice, record: SessionRecord, request: Request) -> Notice | None:
    """Return the notice about a session that this request ended; None when it is stored already (pure)."""
    if notice.version:
        return None
    data = {
        "session_id": record.session.id,
        "name": record.session.name,
        "agent": record.agent,
        "ender": request.requester,
        "at": notice.read_at.timestamp(),
        "for_all": bool(record.session.application_id),
    }
    return replace(notice, team_id=request.team_id, over_at=notice.read_at, data=data)


class SessionEnds:
    """Tell the agent of a session who ended it."""

    def __init__(self, board: NoticeBoard) -> None:
        self._board = board

    async def tell_agent(self, record: SessionRecord, request: Request) -> None:
        """Store the notice before the request counts as answered: a crash loses none. Never raises."""
        await self._board.change_surely(
            NoticeKind.ENDED, record.session.id, lambda notice: with_end(notice, record, request)
        )
