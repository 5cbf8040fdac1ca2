"""What is done now and then: requests of dead processes are taken up again, what is over is cleaned up and told."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from bot.core.errors import StorageUnavailableError
from bot.core.ports import Kept, RequestRepository
from bot.core.requests.events import EventLog

log = logging.getLogger(__name__)

ORPHANS_SECONDS = 2.0
SWEEP_SECONDS = 3600.0


async def recover_orphans_forever(store: RequestRepository, journal: EventLog, begin: Callable[[Kept], None]) -> None:
    """For ever: hands each request that a dead process left to `begin`, at once and whenever another replica dies."""
    while True:
        try:
            for kept in await store.orphans():
                journal.resumed(kept)
                begin(kept)
        except StorageUnavailableError:
            log.warning("the store is away")
        except Exception:
            log.exception("housekeeping failed")
        await asyncio.sleep(ORPHANS_SECONDS)


async def sweep_forever(store: RequestRepository) -> None:
    """For ever: cleans up, at once and every hour. Beside the others, since there may be much of it."""
    while True:
        seconds = ORPHANS_SECONDS
        try:
            await store.sweep()
            seconds = SWEEP_SECONDS
        except StorageUnavailableError:
            log.warning("the store is away")
        except Exception:
            log.exception("housekeeping failed")
        await asyncio.sleep(seconds)


async def update_messages_forever(close_posts: Callable[[], Awaitable[None]]) -> None:
    """For ever: messages about sessions that are over say so. Beside the other, since it waits for Slack.

    `close_posts` returns when there may have been some.
    """
    while True:
        try:
            await close_posts()
        except StorageUnavailableError:
            log.warning("the store is away")
        except Exception:
            log.exception("housekeeping failed")
            await asyncio.sleep(ORPHANS_SECONDS)
