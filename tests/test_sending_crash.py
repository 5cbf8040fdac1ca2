"""kill -9 while a message to a customer is under way: nobody gets it twice, and the person is told so."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from journey import ANA, Servers, buttons, open_servers, words
from test_crash import SECONDS, Bots

from bot.sandbox.slack import Message

NUMBER = "+14155550123"


@pytest.fixture
async def bots(tmp_path: Path) -> AsyncIterator[Bots]:
    async with open_servers() as servers:
        opened = Bots(servers, f"sqlite:///{tmp_path / 'bot.db'}", tmp_path)
        yield opened
        await opened.close()


async def asked(servers: Servers) -> Message:
    """A session, and the question whether its link is to be sent."""
    await servers.slack.command(ANA, "Checkout")
    await servers.slack.next_message(ANA, timeout=SECONDS)
    await servers.slack.command(ANA, f"send {NUMBER}")
    return await servers.slack.next_message(ANA, after=1, timeout=SECONDS)


async def test_a_message_that_may_have_gone_out_is_not_sent_by_the_next_process(bots: Bots) -> None:
    servers = bots.servers
    process = await bots.start()
    question = await asked(servers)
    await servers.genesys.misbehave("silent", on="sms")
    await servers.slack.press(ANA, question, "send_link")
    await servers.slack.until(lambda: servers.genesys.count("sms"), SECONDS)
    process.kill()
    await process.wait()
    await servers.genesys.misbehave(None)
    await bots.start()
    await servers.slack.until(lambda: "Nobody knows" in question.text, SECONDS)
    assert "whether the link was sent" in words(question)
    assert buttons(question) == {}
    assert servers.genesys.count("sms") == 1


async def test_a_press_that_was_written_down_before_anything_went_out_is_seen_through(bots: Bots) -> None:
    """Genesys's answer to the look at the session never comes, so that nothing has been sent when the process dies."""
    servers = bots.servers
    process = await bots.start()
    question = await asked(servers)
    looked = servers.genesys.count("read")
    await servers.genesys.misbehave("silent", on="read")
    await servers.slack.press(ANA, question, "send_link")
    await servers.slack.until(lambda: servers.genesys.count("read") > looked, SECONDS)
    process.kill()
    await process.wait()
    await servers.genesys.misbehave(None)
    await bots.start()
    await servers.slack.until(lambda: servers.genesys.outbox.sent, SECONDS)
    assert [sent.to for sent in servers.genesys.outbox.sent] == [NUMBER]
