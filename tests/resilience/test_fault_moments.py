"""Short faults: tokens that expire during a burst of commands, and a clock that jumps while the bot runs."""

import asyncio
import json
import time
from types import SimpleNamespace

import pytest

from bot.genesys.auth import private_keys
from tests.support.app import ANA, is_failure, is_note, link, words
from tests.support.conversations import PUBLIC
from tests.support.fault_matrix import World, clock, world

__all__ = ["clock", "world"]

HOUR = 3600.0
CHOSEN = ("GENESYS_COBROWSE_API", "GENESYS_REGION", "COBROWSE_JOIN_URL_TEMPLATE")
IN_CONVERSATIONS = {name: PUBLIC[name] for name in CHOSEN}  # signed in with a key, whose assertions a clock can spoil


both = pytest.mark.parametrize("world", [{}, IN_CONVERSATIONS], indirect=True, ids=["contract", "conversations"])


@both
async def test_tokens_that_end_in_a_burst_are_renewed_once(world: World) -> None:
    genesys, slack = world.servers.genesys, world.servers.slack
    genesys.conversations.set_live_count("one")
    assert await world.outcome(ANA, "before")
    genesys.latency_seconds = 0.05
    for number in range(20):
        genesys.conversations.set_live_count("one")  # else an open session is given back
        assert (await slack.command(ANA, f"burst {number}")).acked
        if number == 9:
            genesys.revoke_tokens()
    async with asyncio.timeout(10):
        while world.ended() < 21:  # noqa: ASYNC110 - a log has no event
            await asyncio.sleep(0.01)
    links = {link(message) for message in slack.seen_by(ANA) if not is_note(message)}  # a busy machine is told so
    assert len(links) == len(genesys.sessions) + len(genesys.conversations.offers) == 21
    assert genesys.count("token") == 2


async def test_customer_messages_outlive_a_token_without_duplicates(world: World) -> None:
    genesys, slack = world.servers.genesys, world.servers.slack
    assert await world.outcome(ANA, "before")
    wanted = [f"+14155550{number}" for number in range(110, 115)]
    asked = [await world.outcome(ANA, f"send {number}") for number in wanted]
    genesys.latency_seconds = 0.05
    before = world.ended()
    for number, message in enumerate(asked):
        assert message
        assert (await slack.press(ANA, message, "send_link")).acked
        if number == 2:
            genesys.revoke_tokens()
    await world.until_ended(before + len(wanted))
    assert sorted(sent.to for sent in genesys.outbox.sent) == wanted
    assert all("Texted the link of" in words(message) for message in asked if message)
    assert genesys.count("token") == 2


@pytest.mark.parametrize("jump", [HOUR, -HOUR])
async def test_a_message_to_a_customer_waits_for_a_clock_that_is_right(
    world: World, monkeypatch: pytest.MonkeyPatch, jump: float
) -> None:
    assert await world.outcome(ANA, "before")
    asked = await world.outcome(ANA, "send +14155550110")
    assert asked
    monkeypatch.setattr(private_keys, "time", SimpleNamespace(time=lambda: time.time() + jump))
    world.clock.skipped += 200_000
    await world.press(asked, "send_link")
    assert "My connection to Genesys is broken. Nothing was sent." in words(asked)
    monkeypatch.setattr(private_keys, "time", time)
    again = await world.outcome(ANA, "send +14155550110")
    assert again
    await world.press(again, "send_link")
    assert [sent.to for sent in world.servers.genesys.outbox.sent] == ["+14155550110"]


@both
@pytest.mark.parametrize("jump", [HOUR, -HOUR])
async def test_clock_that_jumps_costs_no_command_until_the_sign_in(
    world: World, monkeypatch: pytest.MonkeyPatch, jump: float
) -> None:
    world.servers.genesys.conversations.set_live_count("one")
    assert await world.outcome(ANA, "before")
    monkeypatch.setattr(private_keys, "time", SimpleNamespace(time=lambda: time.time() + jump))
    during = await world.outcome(ANA, "the token is still good")
    assert during
    assert link(during)
    world.clock.skipped += 200_000
    refused = await world.outcome(ANA, "a new one has to be had")
    assert refused
    assert is_failure(refused)
    assert "My connection to Genesys is broken" in words(refused)
    assert world.unforeseen() == []
    monkeypatch.setattr(private_keys, "time", time)
    again = await world.outcome(ANA, "the clock is right again")
    assert again
    assert link(again)


async def test_session_of_another_host_is_refused_without_its_link(world: World) -> None:
    front = world.fronts["genesys"]
    other = {"id": "7", "joinUrl": "https://example.com/join/7", "status": "active"}
    front.wrong_types = json.dumps(other | {"hostUserId": "22222222-2222-4222-8222-222222222222"}).encode()
    await front.inject_fault("wrong types", "/conversations/cobrowse")
    message = await world.outcome(ANA, "")
    assert message
    assert "a session for another host" in words(message)
    assert "example.com" not in str(message.blocks)
