"""kill -9 while a new session replaces the open one of its conversation: the old session still ends."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.app import ANA, buttons, link, open_servers
from tests.support.bot_processes import SECONDS, Bots
from tests.support.conversations import KEY, talk


@pytest.fixture
async def bots(tmp_path: Path) -> AsyncIterator[Bots]:
    async with open_servers(http=False) as servers:
        servers.environ.update(KEY)
        opened = Bots(servers, f"sqlite:///{tmp_path / 'bot.db'}", tmp_path)
        yield opened
        await opened.close()


@pytest.mark.parametrize("dies", ["after:created:Refund", "before:end_session", "after:end_session"])
async def test_replaced_session_is_over_after_a_kill(bots: Bots, dies: str) -> None:
    slack = bots.servers.slack
    talk(bots.servers)
    dead = await bots.start(dies)
    await slack.command(ANA, "Checkout")
    await slack.workspace.until(lambda: len(slack.seen_by(ANA)) == 1, SECONDS)
    await asyncio.sleep(0.3)
    await slack.command(ANA, "Refund")
    await slack.workspace.until(lambda: len(slack.seen_by(ANA)) == 2, SECONDS)
    await asyncio.sleep(0.3)
    first, second = slack.seen_by(ANA)
    assert link(second) == link(first)
    assert json.loads(buttons(second)["replace_session"]["value"])[1] == "Refund"
    pressing = asyncio.create_task(slack.press(ANA, second, "replace_session"))
    await dead.wait()
    await bots.resume()
    await pressing
    await slack.workspace.until(lambda: link(first) not in str([one.blocks for one in slack.seen_by(ANA)[1:]]), SECONDS)
    before = len(slack.messages)
    await slack.command(ANA, "status")
    await slack.workspace.until(lambda: len(slack.messages) > before, SECONDS)
    listed = str(slack.messages[-1].blocks)
    assert "Refund" in listed
    assert "Checkout" not in listed
