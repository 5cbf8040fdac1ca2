"""Messages that speak of a session where they can be changed later: each is told once that the session is over."""

from typing import Protocol

from bot.desk.remembered import Post, PostBook, SessionRecord

MOST_AT_ONCE = 50


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
