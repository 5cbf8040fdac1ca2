"""What is remembered of sessions: whose they are, whether they are over, and where they were told.

How it is kept is for bot/storage.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from bot.core.models import ChannelId, Request, RequestId, Session, SessionId, TeamId, UserId


def team_of(request: Request) -> TeamId:
    """Whose sessions a request sees: the whole Enterprise Grid's, since a press there may come from another workspace
    of it than the command did, and user ids are unique in it; else the workspace's. Whom we serve is for access.py."""
    return request.enterprise_id or request.team_id


class SessionStatus(StrEnum):
    """What the service says of a session that somebody looks at."""

    OPEN = "open"
    GONE = "gone"
    """It knows the offer no more: taken up, withdrawn or over, which it does not say. So nobody else can join by it."""
    OVER = "over"


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRecord:
    """A session as it is remembered. Its join URL is "" once it is over or gone, or for who may not read it.

    `ended_by` is the request that ended it, if one of ours did.
    """

    session: Session
    team_id: TeamId
    requester: UserId
    agent: UserId
    is_over: bool
    ended_by: RequestId | None = None
    is_gone: bool = False
    read_at: datetime | None = field(default=None, compare=False)
    """When it was read, by the store's clock, on which `session.ends_at` runs."""

    def concerns(self, *user_ids: UserId) -> bool:
        """Whether it is this person's, so that they may read its link. `user_ids`: all ids that they have."""
        return self.requester in user_ids or self.agent in user_ids

    def seen_by(self, *user_ids: UserId) -> "SessionRecord":
        """As this person may see it."""
        return (
            self
            if self.concerns(*user_ids)
            else replace(self, session=replace(self.session, join_url="", join_code=""))
        )


class PostedMessageKind(StrEnum):
    """For whom it is."""

    SHARED = "shared"
    DIRECT = "direct"


@dataclass(frozen=True, slots=True)
class PostedMessage:
    """One message: `ts` is Slack's name of it within its channel, "" as long as it is only about to be posted.

    `request_id` is the request it was shared for, None for one that was not.
    """

    session_id: SessionId
    channel_id: ChannelId
    ts: str
    kind: PostedMessageKind
    request_id: RequestId | None = None


class SessionRepository(Protocol):
    """The sessions that the bot made. Every method may raise StorageUnavailableError; one that looks for one session,
    Unexpected when that cannot be read."""

    async def session(self, session_id: SessionId) -> SessionRecord | None:
        """That one, over or not."""

    async def last_session(self, team_id: TeamId, user_id: UserId) -> SessionRecord | None:
        """The newest that this person asked for or hosts."""

    async def open_sessions(self, team_id: TeamId, user_id: UserId | None, most: int) -> Sequence[SessionRecord]:
        """What is open: this person's, or (None) all of the workspace; newest first."""

    async def meant_by(self, request: Request, most: int) -> Sequence[SessionRecord]:
        """The requester's sessions that were open when the request came in, and are; and the one it has ended."""

    async def end_session(self, session_id: SessionId, by: RequestId | None) -> bool:
        """Remembers that it is over, and wipes its link. Whether it was open."""


class PostedMessageRepository(Protocol):
    """Where sessions were told. Every method may raise StorageUnavailableError."""

    async def add_post(self, post: PostedMessage) -> bool:
        """Whether it was not there yet."""

    async def posts(self, session_id: SessionId) -> Sequence[PostedMessage]: ...

    async def take_due_posts(self, most: int) -> Sequence[PostedMessage]:
        """Those of sessions that are over; to nobody else, and not again, for a minute."""

    async def drop_post(self, post: PostedMessage) -> None:
        """It has been told, or cannot be."""

    async def session(self, session_id: SessionId) -> SessionRecord | None: ...
