"""Faults of a moment: tokens that end in the middle of a burst, and a clock that jumps while the bot runs."""

import asyncio
import json
import time
from types import SimpleNamespace

import pytest
from journey import ANA, is_failure, link, words
from matrix_bench import World, clock, world

from bot.genesys import keys

__all__ = ["clock", "world"]

HOUR = 3600.0


async def test_tokens_that_end_in_the_middle_of_a_burst_are_renewed_once_and_nobody_notices(world: World) -> None:
    genesys, slack = world.servers.genesys, world.servers.slack
    assert await world.outcome(ANA, "before")
    genesys.latency_seconds = 0.05
    for number in range(20):
        assert (await slack.command(ANA, f"burst {number}")).acked
        if number == 9:
            genesys.revoke_tokens()
    async with asyncio.timeout(10):
        while world.ended() < 21:  # noqa: ASYNC110 - a log has no event
            await asyncio.sleep(0.01)
    links = {link(message) for message in slack.seen_by(ANA)}
    assert len(links) == len(genesys.sessions) == 21
    assert genesys.count("token") == 2
    assert sum(create.acted for create in genesys.creates) == 21


@pytest.mark.parametrize("jump", [HOUR, -HOUR])
async def test_a_clock_that_jumps_costs_no_command_until_a_new_sign_in_and_then_says_what_is_wrong(
    world: World, monkeypatch: pytest.MonkeyPatch, jump: float
) -> None:
    assert await world.outcome(ANA, "before")
    monkeypatch.setattr(keys, "time", SimpleNamespace(time=lambda: time.time() + jump))
    during = await world.outcome(ANA, "the token is still good")
    assert during
    assert link(during)
    world.clock.skipped += 200_000
    refused = await world.outcome(ANA, "a new one has to be had")
    assert refused
    assert is_failure(refused)
    assert "refuses the bot's own sign-in (invalid_client)" in words(refused)
    assert world.unforeseen() == []
    monkeypatch.setattr(keys, "time", time)
    again = await world.outcome(ANA, "the clock is right again")
    assert again
    assert link(again)


async def test_a_session_of_another_host_is_refused_and_its_link_not_shown(world: World) -> None:
    front = world.fronts["genesys"]
    other = {"id": "7", "joinUrl": "https://example.com/join/7", "status": "active"}
    front.wrong_types = json.dumps(other | {"hostUserId": "22222222-2222-4222-8222-222222222222"}).encode()
    await front.misbehave("wrong types", "/conversations/cobrowse")
    message = await world.outcome(ANA, "")
    assert message
    assert "a session for another host" in words(message)
    assert "example.com" not in str(message.blocks)
