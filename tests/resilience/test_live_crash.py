"""kill -9 around the news that a customer joined or left: nobody is told twice, and the cards are right in the end."""

import sqlite3
import time
from contextlib import closing

import asyncpg
import pytest

from bot.sandbox.slack.server import Message
from tests.support import bot_processes
from tests.support.app import ANA, ANSWER_TIMEOUT, SAM, open_servers, words
from tests.support.bot_processes import SECONDS, Bots
from tests.support.conversations import talk
from tests.support.live import LIVE, QUICK_LIVE, offers
from tests.support.postgres import new_database
from tests.support.replicas import replica, until

bots, database = bot_processes.bots, bot_processes.database
JOINED, OVER = "Your customer joined *Deal*.", "*Deal* · ended "


def told(bots: Bots, text: str) -> list[Message]:
    """Return the messages by response_url that say this."""
    seen = bots.servers.slack.seen_by(ANA)
    return [each for each in seen if each.via == "response_url" and text in words(each)]


async def resume(bots: Bots) -> None:
    """Start a bot in this process that does not wait for what the dead one reserved."""
    url = bots.environ["DATABASE_URL"]
    statements = "UPDATE watches SET next_at = 0", "UPDATE posts SET due_at = 0 WHERE due_at < {now} + 61"
    statements = tuple(each.format(now=time.time()) for each in statements)
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as file, file:
            for statement in statements:
                file.execute(statement)
    else:
        connection = await asyncpg.connect(url)
        for statement in statements:
            await connection.execute(statement)
        await connection.close()
    await bots.after.enter_async_context(replica(bots.servers, url, timing=QUICK_LIVE, **LIVE))


async def card_says(bots: Bots, card: Message, text: str) -> None:
    await bots.servers.slack.workspace.until(lambda: text in words(card), SECONDS)


async def copied(bots: Bots) -> Message:
    """Start a session, and return its card in Ana's direct messages."""
    slack = bots.servers.slack
    await slack.command(ANA, "Deal")
    card = await slack.workspace.until(
        lambda: next((each for each in slack.seen_by(ANA) if "session_menu" in str(each.blocks)), None), ANSWER_TIMEOUT
    )
    await slack.press(ANA, card, "session_menu", chosen="copy")
    return await slack.workspace.until(
        lambda: next((each for each in slack.seen_by(ANA) if each.visible_to is None), None), ANSWER_TIMEOUT
    )


@pytest.mark.parametrize(
    ("dies", "times"),
    [
        ("before:record_joined", 1),
        ("after:record_joined", 0),
        ("before:take_reply", 0),
        ("after:take_reply", 0),
    ],
)
async def test_join_is_told_once_at_most_after_a_kill(bots: Bots, dies: str, times: int) -> None:
    bots.environ |= LIVE
    talk(bots.servers)
    dead = await bots.start(dies)
    card = await copied(bots)
    (offer,) = offers(bots.servers)
    offer.join()
    await dead.wait()
    assert told(bots, JOINED) == []
    await resume(bots)
    await card_says(bots, card, "customer joined")
    offer.stop("client")
    await card_says(bots, card, OVER)
    await until(lambda: told(bots, OVER))
    assert (len(told(bots, JOINED)), len(told(bots, OVER))) == (times, 1)


@pytest.mark.parametrize(("dies", "times"), [("before:record_over", 1), ("after:record_over", 0)])
async def test_end_is_told_of_once_at_most_after_a_kill(bots: Bots, dies: str, times: int) -> None:
    bots.environ |= LIVE
    talk(bots.servers)
    dead = await bots.start(dies)
    card = await copied(bots)
    (offer,) = offers(bots.servers)
    offer.join()
    await card_says(bots, card, "customer joined")
    await until(lambda: told(bots, JOINED))
    offer.stop("timeout")
    await dead.wait()
    await resume(bots)
    await card_says(bots, card, "It timed out.")
    if times:
        await until(lambda: told(bots, OVER))
    assert (len(told(bots, JOINED)), len(told(bots, OVER))) == (1, times)


async def test_two_replicas_tell_once(tmp_path) -> None:
    async with new_database() as url, open_servers() as servers:
        bots = Bots(servers, url, tmp_path)
        talk(servers)
        async with (
            replica(servers, url, timing=QUICK_LIVE, **LIVE),
            replica(servers, url, timing=QUICK_LIVE, **LIVE),
        ):
            card = await copied(bots)
            (offer,) = offers(servers)
            offer.join()
            for _ in range(3):
                await servers.slack.command(ANA, "status")
                await servers.slack.command(SAM, "list")
            await card_says(bots, card, "customer joined")
            offer.stop("client")
            await card_says(bots, card, OVER)
            await until(lambda: told(bots, OVER))
        assert [len(told(bots, text)) for text in (JOINED, OVER)] == [1, 1]
