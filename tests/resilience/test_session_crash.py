"""kill -9 while a session is ended, shared or linked: the next start completes the request, once."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.sandbox.slack.server import Message
from bot.storage.encryption import Encryptor
from bot.storage.sqlite.store import SQLiteStore
from tests.support.app import ANA, HOSTS, SAM, UNA, buttons, open_servers, words
from tests.support.bot_processes import SECONDS, Bots, outcomes
from tests.support.session_buttons import END, POST, confirms

HOST = HOSTS[ANA] + "-1111-4111-8111-111111111111"


@pytest.fixture
async def bots(tmp_path: Path) -> AsyncIterator[Bots]:
    async with open_servers(http=False) as servers:
        servers.environ["COBROWSE_ADMINS"] = SAM
        opened = Bots(servers, f"sqlite:///{tmp_path / 'bot.db'}", tmp_path)
        yield opened
        await opened.close()


async def card_and_crash(bots: Bots, dies: str, action: str) -> tuple[Message, list[Message]]:
    """Press a button of a card that kills the process. Return the card, and Ana's messages after the takeover."""
    slack = bots.servers.slack
    dead = await bots.start(dies)
    await slack.command(ANA, "Deal")
    await outcomes(bots, ANA, 1)
    (card,) = slack.seen_by(ANA)
    await asyncio.sleep(0.3)  # that it was answered is written down, too: else it would be told once more
    pressing = asyncio.create_task(confirms(slack, ANA, card, action))
    await dead.wait()
    was, before = str(card.blocks), len(slack.messages)
    await bots.start()
    await pressing

    def told() -> bool:
        return str(card.blocks) != was or any(each.visible_to == ANA for each in slack.messages[before:])

    await slack.workspace.until(told, SECONDS)
    await asyncio.sleep(0.3)  # nothing else is to come
    return card, [each for each in slack.messages[before:] if each.visible_to == ANA]


def public(bots: Bots) -> list[Message]:
    return [each for each in bots.servers.slack.messages if each.visible_to is None]


@pytest.mark.parametrize("dies", ["before:end_session", "after:end_session", "before:answered:end"])
async def test_an_end_is_told_as_one_however_far_it_had_come(bots: Bots, dies: str) -> None:
    card, told = await card_and_crash(bots, dies, END)
    assert f"ended by <@{ANA}>" in words(card)
    assert told == []
    assert [session.status for session in bots.servers.genesys.sessions.values()] == ["ended"]


async def test_end_by_name_of_none_spares_what_started_after_the_crash(bots: Bots) -> None:
    slack, genesys = bots.servers.slack, bots.servers.genesys
    dead = await bots.start("after:end_session")
    await slack.command(ANA, "One")
    await outcomes(bots, ANA, 1)
    await asyncio.sleep(0.3)
    await slack.command(ANA, "end")
    await dead.wait()
    genesys.latency_seconds = 0.3
    await bots.start()
    await slack.command(ANA, "Two")
    assert any("Ended *One*" in said for said in await outcomes(bots, ANA, 3))
    assert [session.status for session in genesys.sessions.values()] == ["ended", "active"]


@pytest.mark.parametrize("dies", ["before:add_post:intended", "after:add_post:posted", "before:answered:share"])
async def test_a_share_stands_in_the_channel_once(bots: Bots, dies: str) -> None:
    card, told = await card_and_crash(bots, dies, POST)
    assert "✓ Posted in" in words(card)
    assert told == []
    assert len(public(bots)) == 1


@pytest.mark.parametrize(("dies", "posted"), [("after:add_post:intended", 0), ("before:add_post:posted", 1)])
async def test_a_share_of_which_nobody_knows_is_not_repeated_but_told(bots: Bots, dies: str, posted: int) -> None:
    card, (told,) = await card_and_crash(bots, dies, POST)
    assert "may or may not be in the channel" in words(told)
    assert "try_again" not in buttons(told)
    assert len(public(bots)) == posted
    await confirms(bots.servers.slack, ANA, card, POST)  # who has looked, and does not see it
    await bots.servers.slack.workspace.until(lambda: len(public(bots)) == posted + 1, SECONDS)


async def test_link_by_address_survives_a_crash_its_address_does_not(bots: Bots, tmp_path: Path) -> None:
    slack = bots.servers.slack
    dead = await bots.start("after:accepted:link")
    await slack.command(SAM, "link @una ana@example.com")
    await dead.wait()
    alive = await bots.start()
    said = (await outcomes(bots, SAM, 1))[-1]  # before it there may be Slack's own, about the missing ack
    assert f"<@{UNA}> is connected to Genesys as" in said
    alive.terminate()
    await alive.wait()
    encryptor = Encryptor([bots.servers.environ["STORE_ENCRYPTION_KEY"]])
    store = SQLiteStore(str(tmp_path / "bot.db"), encryptor=encryptor)
    assert list(await store.links()) == [("T0SANDBOX", UNA, HOST)]
    await store.close()
    assert "ana@example.com" not in (tmp_path / "bots.log").read_text()
