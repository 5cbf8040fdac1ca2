"""If somebody else ends an agent's session, the agent reads who did it, in a new direct message."""

import asyncio

import pytest

from bot.core.timing import CoreTiming, NoticeTiming
from bot.sandbox.slack.server import Message
from tests.support.app import (
    ADA,
    ANA,
    ANSWER_TIMEOUT,
    BEN,
    CARE,
    SAM,
    Journey,
    is_failure,
    is_notice,
    link,
    open_journey,
    words,
)
from tests.support.conversations import KEY, talk


def told(journey: Journey, who: str = ANA) -> list[Message]:
    """Return the messages to this person about ended sessions."""
    found = [one for one in journey.slack.messages if is_notice(one) and "your session" in words(one)]
    return [one for one in found if journey.slack.workspace.can_see(who, one)]


async def told_once(journey: Journey, who: str = ANA) -> Message:
    """Wait for the message. Then wait for a second one, which must not come."""
    await journey.slack.workspace.until(lambda: told(journey, who), ANSWER_TIMEOUT)
    await asyncio.sleep(0.2)
    (message,) = told(journey, who)
    return message


@pytest.mark.parametrize("ender", [SAM, ADA])
async def test_agent_reads_who_ended_the_session_and_when(journey: Journey, ender: str) -> None:
    await journey.asks("Checkout help")
    (session,) = journey.genesys.sessions.values()
    assert "Checkout help" in words(await journey.asks(f"end {session.id}", who=ender))
    message = await told_once(journey)
    assert f"<@{ender}> ended your session *Checkout help* at <!date^" in words(message)
    assert message.text.startswith(f"<@{ender}> ended your session Checkout help")
    assert message.visible_to is None
    assert journey.slack.workspace.im_owner(message.channel) == ANA
    assert told(journey, SAM) == []


async def test_requester_who_ends_what_they_started_for_another_is_named(journey: Journey) -> None:
    await journey.asks("@ben Deal", who=SAM)
    await journey.asks("@ben end", who=SAM)
    assert f"<@{SAM}> ended your session *Deal*" in words(await told_once(journey, BEN))


async def test_own_end_and_end_by_the_agent_tell_nobody(journey: Journey) -> None:
    await journey.asks("Deal")
    await journey.asks("end")
    await journey.asks("@ben Deal", who=SAM)
    await journey.asks("end", who=BEN)
    await asyncio.sleep(0.3)
    assert [one for one in journey.slack.messages if is_notice(one)] == []


async def test_session_that_was_over_already_tells_nobody(journey: Journey) -> None:
    await journey.asks("Deal")
    (session,) = journey.genesys.sessions.values()
    await journey.asks("end")
    assert "already ended" in words(await journey.asks(f"end {session.id}", who=SAM))
    await asyncio.sleep(0.3)
    assert told(journey) == []


async def test_button_starts_a_session_of_the_same_name_once(journey: Journey) -> None:
    await journey.asks("Checkout help")
    (session,) = journey.genesys.sessions.values()
    await journey.asks(f"end {session.id}", who=SAM)
    message = await told_once(journey)
    before = len(journey.slack.messages)
    await journey.slack.press(ANA, message, "start_new_session")
    card = await journey.reads(ANA, before)
    assert link(card)
    assert "Checkout help" in words(card)
    before = len(journey.slack.messages)
    await journey.slack.press(ANA, message, "start_new_session")
    await journey.reads(ANA, before)
    assert len(journey.genesys.creates) == 2


@pytest.mark.parametrize("ahead", [0, 2, -60])
async def test_button_counts_again_after_a_failure_without_effect(
    journey: Journey, ahead: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`ahead`: by how many seconds Slack's clock differs from the bot's."""
    next_ts = journey.slack.workspace.next_ts
    monkeypatch.setattr(journey.slack.workspace, "next_ts", lambda: f"{float(next_ts()) + ahead:.6f}")
    await journey.asks("Checkout help")
    (session,) = journey.genesys.sessions.values()
    await journey.asks(f"end {session.id}", who=SAM)
    message = await told_once(journey)
    await journey.genesys.inject_fault("bad-request")
    before = len(journey.slack.messages)
    delivery = await journey.slack.press(ANA, message, "start_new_session")
    assert is_failure(await journey.reads(ANA, before))
    await journey.genesys.inject_fault(None)
    before = len(journey.slack.messages)
    assert (await journey.slack.redeliver(delivery)).acked  # no press of a person
    assert is_failure(await journey.reads(ANA, before))
    before = len(journey.slack.messages)
    await journey.slack.press(ANA, message, "start_new_session")
    assert link(await journey.reads(ANA, before))
    before = len(journey.slack.messages)
    await journey.slack.press(ANA, message, "start_new_session")
    assert "chosen already" in words(await journey.reads(ANA, before))
    assert len(journey.genesys.creates) == 3


async def test_try_again_and_the_button_above_start_one_session(journey: Journey) -> None:
    await journey.asks("Checkout help")
    (session,) = journey.genesys.sessions.values()
    await journey.asks(f"end {session.id}", who=SAM)
    message = await told_once(journey)
    await journey.genesys.inject_fault("500", times=3)
    before = len(journey.slack.messages)
    await journey.slack.press(ANA, message, "start_new_session")
    failed = await journey.reads(ANA, before)
    await journey.tries_again(failed)
    before = len(journey.slack.messages)
    await journey.slack.press(ANA, message, "start_new_session")
    assert "chosen already" in words(await journey.reads(ANA, before))
    assert len(journey.genesys.sessions) == 2


async def test_message_that_slack_did_not_take_comes_later() -> None:
    timing = CoreTiming(notices=NoticeTiming(poll_seconds=0.05, retry_seconds=0.1))
    async with open_journey(timing=timing) as journey:
        await journey.asks("Checkout help")
        (session,) = journey.genesys.sessions.values()
        journey.slack.inject_fault("conversations.open", "fatal_error", times=3)
        await journey.asks(f"end {session.id}", who=SAM)
        await told_once(journey)


async def test_closed_offer_in_a_conversation_says_that_nobody_else_can_join() -> None:
    async with open_journey(**KEY) as journey:
        talk(journey)
        await journey.asks("Checkout")
        (offer,) = journey.genesys.conversations.offers.values()
        await journey.asks(f"end {offer.id}", who=SAM)
        assert f"<@{SAM}> closed your session *Checkout*" in words(await told_once(journey))
        assert "Nobody else can join it." in words(await told_once(journey))


async def test_button_works_where_channels_are_set() -> None:
    async with open_journey(COBROWSE_CHANNELS=CARE) as journey:
        await journey.asks("Checkout help")
        (session,) = journey.genesys.sessions.values()
        await journey.asks(f"end {session.id}", who=SAM)
        message = await told_once(journey)
        before = len(journey.slack.messages)
        await journey.slack.press(ANA, message, "start_new_session")
        assert link(await journey.reads(ANA, before))
        assert "ended your session" in words(message)  # who ended it can still be read
