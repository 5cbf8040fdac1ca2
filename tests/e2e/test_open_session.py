"""A second start in a conversation shows its open session, because a new offer would invalidate the first link."""

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.support.app import (
    ANA,
    ANSWER_TIMEOUT,
    SAM,
    Journey,
    buttons,
    is_failure,
    is_notice,
    link,
    open_bot_between,
    open_journey,
    open_servers,
    words,
)
from tests.support.conversations import KEY, codes, talk
from tests.support.session_buttons import COPY, presses
from tests.support.timing import FRESH_STATUS

CUSTOMER = "Carla Customer"


@pytest.fixture
async def journey() -> AsyncIterator[Journey]:
    async with open_journey(timing=FRESH_STATUS, **KEY) as opened:
        talk(opened)
        yield opened


def offers(journey: Journey) -> list[bool]:
    """Return for each offer whether it is withdrawn."""
    return [offer.is_withdrawn for offer in journey.genesys.conversations.offers.values()]


async def test_second_start_gives_the_open_session_back(journey: Journey) -> None:
    first = await journey.asks("Checkout")
    second = await journey.asks("Refund")
    assert f"You already have a link for *{CUSTOMER}*." in words(second)
    assert link(second) == link(first)
    assert "Checkout" in words(second)
    assert CUSTOMER not in second.text
    assert "replace_session" in buttons(second)
    assert len(codes(journey)) == 1
    assert link(await journey.asks("Third")) == link(first)


async def test_new_one_replaces_the_old_one_once_when_it_is_asked_for(journey: Journey) -> None:
    first = await journey.asks("Checkout")
    second = await journey.asks("Refund")
    card = await presses(journey, second, "replace_session")
    assert link(card) != link(first)
    assert "Refund" in words(card)
    assert len(codes(journey)) == 2
    listed = words(await journey.asks("status"))
    assert "Refund" in listed
    assert "Checkout" not in listed
    assert [one for one in journey.slack.messages if is_notice(one)] == []
    third = await journey.asks("Third")
    assert link(third) == link(card)


async def test_direct_message_of_the_old_one_says_that_it_is_over(journey: Journey) -> None:
    card = await journey.asks("Checkout")
    await presses(journey, card, COPY)
    copy = next(one for one in journey.slack.seen_by(ANA) if one.visible_to is None)
    assert link(copy) == link(card)
    await presses(journey, await journey.asks("Refund"), "replace_session")
    await journey.slack.workspace.until(lambda: link_is_gone(copy), ANSWER_TIMEOUT)


def link_is_gone(message: object) -> bool:
    return "rich_text" not in str(getattr(message, "blocks", ""))


async def test_supervisor_reads_that_the_agent_has_one_and_no_link(journey: Journey) -> None:
    first = await journey.asks("Checkout")
    message = await journey.asks("@ana Refund", who=SAM)
    assert f"<@{ANA}> already has an open session with *{CUSTOMER}*." in words(message)
    assert link(first) not in str(message.blocks)
    assert codes(journey)[0] not in str(message.blocks)
    card = await presses(journey, message, "replace_session", who=SAM)
    assert "Refund" in words(card)

    def told() -> list[str]:
        return [words(one) for one in journey.slack.seen_by(ANA) if is_notice(one)]

    await journey.slack.workspace.until(told, ANSWER_TIMEOUT)
    assert f"<@{SAM}> closed your session *Checkout*" in told()[0]


async def test_link_that_was_used_is_not_given_back(journey: Journey) -> None:
    first = await journey.asks("Checkout")
    (offer,) = journey.genesys.conversations.offers.values()
    offer.is_withdrawn = True
    second = await journey.asks("Refund")
    assert link(second) != link(first)
    assert "You already" not in words(second)


@pytest.mark.parametrize("known", ["recorded", "not recorded"])
@pytest.mark.parametrize("offer_is", ["open", "over", "unknown"])
async def test_session_with_a_customer_in_it_is_not_replaced(known: str, offer_is: str) -> None:
    async with open_journey(timing=FRESH_STATUS, **KEY) as journey:
        talk(journey)
        await journey.asks("Checkout")
        (offer,) = journey.genesys.conversations.offers.values()
        offer.join()
        if known == "recorded":
            assert "customer joined" in words(await journey.asks("status"))
        if offer_is == "over":
            offer.ends_at = time.time() - 1
        offer.is_withdrawn = offer_is == "unknown"
        second = await journey.asks("Refund")
        assert "You already have an open session in this conversation." in words(second)
        assert list(buttons(second)) == ["replace_session"]
        assert offer.join_code not in str(second.blocks)
        assert f"<@{ANA}> already has an open session" in words(await journey.asks("@ana Refund", who=SAM))
        assert len(codes(journey)) == 1


async def test_session_that_the_customer_left_is_not_given_back(journey: Journey) -> None:
    first = await journey.asks("Checkout")
    (offer,) = journey.genesys.conversations.offers.values()
    offer.join()
    assert "customer joined" in words(await journey.asks("status"))
    offer.stop("client")
    second = await journey.asks("Refund")
    assert link(second) != link(first)
    assert "You already" not in words(second)


async def test_session_of_another_conversation_is_not_given_back() -> None:
    async with open_journey(timing=FRESH_STATUS, **KEY) as journey:
        first = talk(journey)
        one = await journey.asks("Checkout")
        first.ended_at = datetime.now(UTC)
        talk(journey, "Dan Customer")
        other = await journey.asks("Refund")
        assert "You already" not in words(other)
        assert link(other) != link(one)


async def test_session_is_given_back_after_a_restart(tmp_path: Path) -> None:
    kept = KEY | {"DATABASE_URL": f"sqlite:///{tmp_path / 'bot.db'}"}
    async with open_servers() as servers:
        async with open_bot_between(servers, servers.environ | kept, http=False) as journey:
            talk(journey)
            first = await journey.asks("Checkout")
        async with open_bot_between(servers, servers.environ | kept, http=False) as journey:
            assert link(await journey.asks("Refund")) == link(first)


async def test_failed_replacement_can_be_tried_again(journey: Journey) -> None:
    first = await journey.asks("Checkout")
    second = await journey.asks("Refund")
    await journey.genesys.inject_fault("500", times=3)
    failed = await presses(journey, second, "replace_session")
    assert is_failure(failed)
    await journey.tries_again(failed)
    await asyncio.sleep(0.2)
    assert link(failed) != link(first)
    assert "You already" not in words(failed)


async def test_failed_replacement_can_be_pressed_again(journey: Journey) -> None:
    first = await journey.asks("Checkout")
    second = await journey.asks("Refund")
    await journey.genesys.inject_fault("403", on="create")
    assert is_failure(await presses(journey, second, "replace_session"))
    await journey.genesys.inject_fault(None)
    third = await journey.asks("Refund")
    fourth = await journey.asks("Refund")
    assert link(await presses(journey, third, "replace_session")) != link(first)
    assert "chosen already" in words(await presses(journey, fourth, "replace_session"))  # only one press counts


async def test_replacement_with_an_unknown_outcome_is_no_second_one(journey: Journey) -> None:
    await journey.asks("Checkout")
    second, third = await journey.asks("Refund"), await journey.asks("Refund")
    await journey.genesys.inject_fault("dropped", on="create")
    failed = words(await presses(journey, second, "replace_session"))
    await journey.genesys.inject_fault(None)
    before = len(journey.genesys.creates)
    assert words(await presses(journey, third, "replace_session")) == failed
    assert len(journey.genesys.creates) == before


async def test_code_alone_is_given_back_as_a_code() -> None:
    async with open_journey(timing=FRESH_STATUS, **KEY | {"COBROWSE_JOIN_URL_TEMPLATE": ""}) as journey:
        talk(journey)
        await journey.asks("Checkout")
        message = await journey.asks("Refund")
        assert f"You already have a code for *{CUSTOMER}*." in words(message)
        assert link(message) == codes(journey)[0]
