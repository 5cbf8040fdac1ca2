"""Tell the requester of a session that the customer has joined, and that the session is over, each once.

The store has recorded the new state before this module hears of it, and only one replica records it. So nobody is told
twice, not even after a crash. The cards in direct messages and channels are updated separately, by any replica.
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
    """Posts each new state of a session to its requester.

    The response_url of the start request receives the message.
    """

    def __init__(self, store: WatchRepository, messages: StateMessages, timing: LiveTiming) -> None:
        self._store, self._messages, self._timing = store, messages, timing
        self._tasks: set[asyncio.Task[None]] = set()

    def record_event(self, event: SessionStateChanged) -> None:
        """Post the new state of the event's session to the requester, in the background."""
        task = asyncio.create_task(self._tell(event.record))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def stop(self) -> None:
        """Wait for the messages that are being sent, `stop_seconds` of the timing at most."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=self._timing.stop_seconds)

    async def _tell(self, record: SessionRecord) -> None:
        """Post the session's state to its response_url, unless the response_url is used up.

        Count this use before the post, so that a crash between the two does not repeat the message.
        """
        try:
            reply_url = await self._store.take_reply(record.session.id, is_last=record.state.is_final)
            if reply_url:
                await self._messages.tell_state(record, reply_url)
        except StorageUnavailableError:
            log.warning("a requester was not told", extra={"fields": {"session": record.session.id}})
        except Exception:
            log.exception("telling a requester failed", extra={"fields": {"session": record.session.id}})
