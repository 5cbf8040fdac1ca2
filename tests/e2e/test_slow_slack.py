"""A Slack that asks for later retries or does not answer: the person waits no longer than it is worth."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from bot.core.timing import SLACK_TIMING
from tests.support.app import (
    ANA,
    BEN,
    BILLING,
    QUICK_SLACK,
    SAM,
    Journey,
    buttons,
    is_failure,
    link,
    open_journey,
    words,
)

SOON_SECONDS = 3.0
LATER = 600
"""Slack's Retry-After, in seconds: somebody who waits for that time has phoned in the meantime."""


@pytest.fixture
async def patient() -> AsyncIterator[Journey]:
    """Yield a journey with the retries that the real bot uses."""
    async with open_journey() as opened:
        yield opened


@pytest.mark.parametrize("retry_after", [LATER, 6, "Fri, 31 Dec 2099 23:59:59 GMT", "soon", ""])
async def test_late_response_url_is_followed_by_the_next_way(patient: Journey, retry_after: object) -> None:
    patient.slack.inject_fault("response_url", "ratelimited", retry_after=retry_after)
    async with asyncio.timeout(SOON_SECONDS):
        message = await patient.asks()
    assert message.via == "chat.postEphemeral"
    assert link(message)
    assert patient.slack.count("response_url") == 1


async def test_so_is_an_ephemeral_message(patient: Journey) -> None:
    for method in ("response_url", "chat.postEphemeral"):
        patient.slack.inject_fault(method, "ratelimited", retry_after=LATER)
    async with asyncio.timeout(SOON_SECONDS):
        message = await patient.asks()
    assert message.via == "chat.postMessage"
    assert link(message)


async def test_a_short_wait_is_still_waited_for(patient: Journey) -> None:
    patient.slack.inject_fault("response_url", "ratelimited", times=1, retry_after=1)
    assert (await patient.asks()).via == "response_url"
    assert patient.slack.count("response_url") == 2


async def test_unknown_person_is_refused_soon(patient: Journey) -> None:
    patient.slack.inject_fault("users.info", "ratelimited", retry_after=LATER)
    async with asyncio.timeout(SOON_SECONDS):
        message = await patient.asks()
    assert is_failure(message)
    assert "try_again" in buttons(message)
    assert patient.genesys.creates == []


async def test_agents_waiting_direct_message_does_not_hold_up_the_rest(patient: Journey) -> None:
    patient.slack.inject_fault("conversations.open", "ratelimited", retry_after=LATER)
    async with asyncio.timeout(SOON_SECONDS):
        message = await patient.asks("@ben", who=SAM)
    assert link(message)
    assert "I couldn’t reach" in words(message)


async def test_an_agent_who_cannot_be_told_holds_nothing_up() -> None:
    assert SLACK_TIMING.agent_timeout <= 3.0
    async with open_journey(slack_timing=replace(QUICK_SLACK, agent_timeout=0.3)) as journey:
        journey.slack.inject_fault("conversations.open", "slow", seconds=20)
        began = time.monotonic()
        message = await journey.asks("@ben", who=SAM)
        assert time.monotonic() - began < 2
        assert link(message)
        assert f"I couldn’t reach <@{BEN}>" in words(message)
        assert journey.slack.seen_by(BEN) == []
        assert len(journey.genesys.creates) == 1


async def test_a_way_that_takes_too_long_as_a_whole_is_given_up() -> None:
    async with open_journey(slack_timing=replace(QUICK_SLACK, post_timeout=0.3)) as journey:
        journey.slack.inject_fault("response_url", "slow", seconds=20)
        journey.slack.inject_fault("chat.postEphemeral", "slow", seconds=20)
        async with asyncio.timeout(SOON_SECONDS):
            message = await journey.asks(who=ANA, channel_id=BILLING)
        assert message.via == "chat.postMessage"
        assert link(message)
