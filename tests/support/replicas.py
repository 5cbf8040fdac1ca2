"""Start several replicas in this process on any database, and find out who was told what."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from bot import server as serve
from bot.app import Bot, open_bot
from bot.config import settings
from bot.core.timing import CoreTiming
from bot.sandbox.slack.server import Delivery
from tests.support.app import QUICK_GENESYS, QUICK_SLACK, Servers, is_failure, is_note, link, words

SECONDS = 15.0


@asynccontextmanager
async def replica(
    servers: Servers, database: str, *, timing: CoreTiming | None = None, **environ: str
) -> AsyncIterator[Bot]:
    """Yield a connected bot. Stop it at the end, as SIGTERM does."""
    loaded = settings.load(servers.environ | {"DATABASE_URL": database, "SHUTDOWN_SECONDS": "1"} | environ)
    stop, ready = asyncio.Event(), asyncio.Event()
    opened: list[Bot] = []

    async def serving() -> None:
        async with open_bot(loaded, timing, genesys_timing=QUICK_GENESYS, slack_timing=QUICK_SLACK) as bot:
            opened.append(bot)
            await serve.run(bot, stop, on_ready=lambda port: ready.set())

    task = asyncio.create_task(serving())
    try:
        async with asyncio.timeout(SECONDS):
            await ready.wait()
        yield opened[0]
    finally:
        stop.set()
        await task


def told(servers: Servers, delivery: Delivery) -> list[str]:
    """Return each outcome that answers this command: its link, or the texts of its error without the reference.

    Wait notices are no outcomes. Texts in the acknowledgement are none, either.
    """
    mine = [one for one in servers.slack.messages if one.trigger_id == delivery.trigger_id]
    ends = [one for one in mine if one.via not in ("slackbot", "ack") and not is_note(one)]
    return [words(one).split("Reference")[0] if is_failure(one) else link(one) for one in ends]


def is_refused(delivery: Delivery) -> bool:
    """Return whether the acknowledgement says that the bot may not have saved the request."""
    return isinstance(delivery.body, dict) and "I’m not sure that I saved your request" in str(
        delivery.body.get("text")
    )


async def until(is_so: Callable[[], object], seconds: float = SECONDS) -> None:
    """Wait until `is_so` returns a true value, which depends on other tasks or processes."""
    async with asyncio.timeout(seconds):
        while not is_so():  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0.02)
