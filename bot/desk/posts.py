"""Messages that speak of a session where they can be changed later: each is told once that the session is over."""

from datetime import UTC, datetime, timedelta
from typing import Protocol

from bot.desk.remembered import Post, PostBook, SessionRecord

MOST_AT_ONCE = 40
GIVE_UP = timedelta(days=1)
"""A message that could not be changed for so long after its session's end stays as it is."""


class Editor(Protocol):
    """Changes messages."""

    async def close(self, post: Post, record: SessionRecord) -> bool:
        """Makes it say that the session is over; False when that is worth another try later. Raises nothing."""


async def close_posts(book: PostBook, editor: Editor) -> None:
    """Tells the messages of sessions that are over so. Raises StoreUnavailable."""
    for post in await book.take_due_posts(MOST_AT_ONCE):
        record = await book.session(post.session_id) if post.ts else None
        if record and datetime.now(UTC) - record.session.ends_at < GIVE_UP:
            if not record.is_over:
                continue
            if not await editor.close(post, record):
                return  # Slack is not well, or has had enough: this one and the rest come again
        await book.drop_post(post)
