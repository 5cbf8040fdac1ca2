"""Tell a session's requester when the customer joins and when the session is over.

The requester gets at most one message for each of these states, from the replica that stored the state. Other modules
update the session cards.
"""

import asyncio
import logging

from bot.core.errors import StorageUnavailableError
from bot.core.models import SessionRecord
from bot.core.ports import StateMessages, WatchRepository
from bot.core.requests.events import SessionStateChanged
from bot.core.timing import LiveTiming

log = logging.getLogger(__name__)


class StateTelling:
    """Posts each new state of a session to the response_url of the request that started the session."""

    def __init__(self, store: WatchRepository, messages: StateMessages, timing: LiveTiming) -> None:
        self._store, self._messages, self._timing = store, messages, timing
        self._tasks: set[asyncio.Task[None]] = set()

    def record_event(self, event: SessionStateChanged) -> None:
        """Post the session's new state to the requester, in the background.

        Post nothing if the session has no response_url, or if the URL accepts no more messages.
        """
        task = asyncio.create_task(self._tell(event.record))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def stop(self) -> None:
        """Wait up to `LiveTiming.stop_seconds` for the messages that are being sent."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=self._timing.stop_seconds)

    async def _tell(self, record: SessionRecord) -> None:
        """Post the session's state to the session's response_url, if the URL accepts one more message.

        Count the message in the database first, so that the bot does not repeat it after a crash. Log all errors, and
        raise none.
        """
        try:
            reply_url = await self._store.take_reply(record.session.id, is_last=record.state.is_final)
            if reply_url:
                await self._messages.tell_state(record, reply_url)
        except StorageUnavailableError:
            log.warning("a requester was not told", extra={"fields": {"session": record.session.id}})
        except Exception:
            log.exception("telling a requester failed", extra={"fields": {"session": record.session.id}})
