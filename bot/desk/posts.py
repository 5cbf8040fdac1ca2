"""Messages that speak of a session where they can be changed later: each is told once that the session is over."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from bot.desk.models import ChannelId, SessionId, SessionRecord

log = logging.getLogger(__name__)

MOST_AT_ONCE = 50


class PostKind(StrEnum):
    """For whom it is."""

    SHARED = "shared"
    DIRECT = "direct"


@dataclass(frozen=True, slots=True)
class Post:
    """One message: `ts` is Slack's name of it within its channel."""

    session_id: SessionId
    channel_id: ChannelId
    ts: str
    kind: PostKind


class PostBook(Protocol):
    """Where sessions were told. Every method may raise StoreUnavailable."""

    async def add_post(self, post: Post) -> None: ...

    async def posts(self, session_id: SessionId) -> Sequence[Post]: ...

    async def due_posts(self, most: int) -> Sequence[Post]:
        """Those of sessions that are over."""

    async def drop_post(self, post: Post) -> None:
        """It has been told, or cannot be."""

    async def session(self, session_id: SessionId) -> SessionRecord | None: ...


class Editor(Protocol):
    """Changes messages."""

    async def close(self, post: Post, record: SessionRecord) -> bool:
        """Makes it say that the session is over; False when that is worth another try later. Raises nothing."""


async def close_posts(book: PostBook, editor: Editor) -> None:
    """Tells the messages of sessions that are over so. Raises StoreUnavailable."""
    for post in await book.due_posts(MOST_AT_ONCE):
        record = await book.session(post.session_id)
        if record is None or await editor.close(post, record):
            await book.drop_post(post)
