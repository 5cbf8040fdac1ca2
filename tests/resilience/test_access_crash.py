"""kill -9 while a person asks to be connected to Genesys, or is connected: everybody concerned is still told."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.sandbox.slack.server import Message
from bot.sandbox.world import UNA_GENESYS_ID
from tests.support import bot_processes
from tests.support.app import ADA, UNA, buttons, link, open_servers, words
from tests.support.bot_processes import SECONDS, Bots
from tests.support.notices import resume
from tests.support.views import said

database = bot_processes.database


@pytest.fixture
async def bots(database: str, tmp_path: Path) -> AsyncIterator[Bots]:
    async with open_servers() as servers:
        servers.environ.update(COBROWSE_ADMINS=ADA, COBROWSE_HELP_CONTACT=ADA)
        opened = Bots(servers, database, tmp_path)
        yield opened
        await opened.close()


async def read(bots: Bots, who: str, text: str) -> Message:
    slack = bots.servers.slack
    return await slack.until(lambda: next((one for one in slack.seen_by(who) if text in words(one)), None), SECONDS)


async def presses_ask(bots: Bots) -> None:
    slack = bots.servers.slack
    await slack.command(UNA, "Deal")
    card = await read(bots, UNA, "isn’t connected to Genesys yet")
    await slack.press(UNA, card, "ask_access")


async def connects(bots: Bots, message: Message) -> None:
    """Choose Una's Genesys user in the dialog as Ada. The process may die meanwhile."""
    slack = bots.servers.slack
    await slack.press(ADA, message, "connect_person")
    view = await slack.until(lambda: next((one for one in slack.views_of(ADA) if "submit" in one.body), None), SECONDS)
    await slack.submit(ADA, view, {"text": "una"})
    await slack.until(lambda: "u.unmapped@example.net" in str(view.body), SECONDS)
    await slack.submit(ADA, view, {"user": UNA_GENESYS_ID})


@pytest.mark.parametrize(
    "dies", ["after:accepted:ask", "before:save", "after:save", "after:take", "after:store_messages"]
)
async def test_request_for_access_reaches_the_administrator_after_a_kill(bots: Bots, dies: str) -> None:
    dead = await bots.start(dies)
    pressing = asyncio.create_task(presses_ask(bots))
    await dead.wait()
    await resume(bots)
    await pressing
    await read(bots, UNA, "I’m asking")
    message = await read(bots, ADA, "asks to be connected to Genesys")
    assert list(buttons(message)) == ["connect_person"]
    await asyncio.sleep(0.3)  # nothing else is to come
    assert len([one for one in bots.servers.slack.seen_by(ADA) if "asks to be" in words(one)]) == 1


@pytest.mark.parametrize("dies", ["after:accepted:link", "before:answered:link"])
async def test_connection_is_told_to_both_after_a_kill(bots: Bots, dies: str) -> None:
    slack = bots.servers.slack
    slack.views.ack_delay_seconds = 0.1  # so that the answer can arrive before the second acknowledgement
    dead = await bots.start(dies)
    await presses_ask(bots)
    message = await read(bots, ADA, "asks to be connected to Genesys")
    connecting = asyncio.create_task(connects(bots, message))
    await dead.wait()
    await resume(bots)
    await connecting
    await slack.until(lambda: f"Connected by <@{ADA}>" in words(message), SECONDS)
    await slack.until(lambda: "is connected to Genesys as Una Unmapped" in said(slack.views_of(ADA)[-1]), SECONDS)
    await read(bots, UNA, "You’re connected to Genesys. You can start co-browse now.")
    await asyncio.sleep(0.3)  # nothing else is to come
    assert len([one for one in slack.seen_by(UNA) if "You’re connected" in words(one)]) == 1
    before = len(slack.messages)
    await slack.command(UNA, "Deal")
    assert link(await slack.until(lambda: next(iter(slack.messages[before:]), None), SECONDS))
