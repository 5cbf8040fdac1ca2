"""Messages that speak of a session where they can be changed later: each is told once that the session is over."""

import random
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Protocol

from bot.core.errors import UnexpectedError
from bot.core.session_models import PostedMessage, PostedMessageRepository, SessionRecord

MOST_AT_ONCE = 40
GIVE_UP = timedelta(days=1)
"""A message that could not be changed for so long after its session's end stays as it is."""


MOST_SILENT = 4
"""After so many edits without an answer the rest waits, too: together they take less than a minute, see herald.py."""


class EditResult(Enum):
    """What came of one. DONE: told, or it cannot be. SILENT: no answer in time. UNWELL: Slack is, or it limits us."""

    DONE = "done"
    SILENT = "silent"
    UNWELL = "unwell"


class MessageEditor(Protocol):
    """Changes messages."""

    async def close(self, post: PostedMessage, record: SessionRecord) -> EditResult:
        """Makes it say that the session is over. Raises nothing."""


async def close_posts(book: PostedMessageRepository, editor: MessageEditor) -> None:
    """Tells the messages of sessions that are over so. Raises StorageUnavailableError."""
    due = list(await book.take_due_posts(MOST_AT_ONCE))
    random.shuffle(due)  # else those that fail each time could come first each time
    silent = 0
    for post in due:
        record = await _session(book, post) if post.ts else None
        if record and (record.read_at or datetime.now(UTC)) - record.session.ends_at < GIVE_UP:
            if not record.is_over:
                continue
            edit = await editor.close(post, record)
            silent += edit is EditResult.SILENT
            if edit is EditResult.UNWELL or silent == MOST_SILENT:
                return  # this one and the rest come again
            if edit is EditResult.SILENT:
                continue  # this one comes again; it may be the only one
        await book.drop_post(post)


async def _session(book: PostedMessageRepository, post: PostedMessage) -> SessionRecord | None:
    """None for one that cannot be read, either: it must not keep the others from being told."""
    with suppress(UnexpectedError):
        return await book.session(post.session_id)
    return None
