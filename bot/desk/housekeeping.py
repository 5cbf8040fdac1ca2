"""What is done now and then: requests of dead processes are taken up again, and what is over is cleaned up."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

from bot.desk.errors import StoreUnavailable
from bot.desk.store import Kept, Store

log = logging.getLogger(__name__)

ORPHANS_SECONDS = 2.0
SWEEP_SECONDS = 3600.0


async def keep_house(store: Store, begin: Callable[[Kept], None], close_posts: Callable[[], Awaitable[None]]) -> None:
    """For ever: hands each request that a dead process left to `begin`, at once and whenever another replica dies."""
    swept = float("-inf")
    while True:
        try:
            for kept in await store.orphans():
                begin(kept)
            await close_posts()
            if time.monotonic() - swept > SWEEP_SECONDS:
                await store.sweep()
                swept = time.monotonic()
        except StoreUnavailable:
            log.warning("the store is away")
        except Exception:
            log.exception("housekeeping failed")
        await asyncio.sleep(ORPHANS_SECONDS)
