"""A session in a conversation, after it was made: its code comes again, is shared, and is gone when it is over."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.support.app import ANA, Journey, buttons, link, open_journey, words
from tests.support.conversations import KEY, codes, talk
from tests.support.customer_messages import NUMBER, sent
from tests.support.message_buttons import presses as sends
from tests.support.session_buttons import presses, says
from tests.support.timing import FRESH_STATUS


@pytest.fixture(params=["with a page of one's own", "with the code alone"])
async def journey(request: pytest.FixtureRequest) -> AsyncIterator[Journey]:
    bare: dict[str, Any] = {"COBROWSE_JOIN_URL_TEMPLATE": ""} if "alone" in request.param else {}
    async with open_journey(**KEY | bare) as opened:
        talk(opened)
        yield opened


async def test_code_comes_again_by_last_status_and_direct_message(journey: Journey) -> None:
    card = await journey.asks("Checkout")
    (code,) = codes(journey)
    for text in ("last", "status"):
        message = await journey.asks(text)
        assert link(message) == link(card)
        assert code in str(message.blocks)
        assert "can be joined until about" in words(message)
        assert code not in message.text
    await presses(journey, card, "send_session")
    (message,) = [each for each in journey.slack.seen_by(ANA) if each.visible_to is None]
    assert link(message) == link(card)


async def test_a_shared_code_is_gone_when_its_offer_is_withdrawn(journey: Journey) -> None:
    card = await journey.asks("Checkout")
    await presses(journey, card, "share_session")
    (code,) = codes(journey)
    (message,) = [each for each in journey.slack.messages if each.visible_to is None]
    assert code in str(message.blocks)
    assert set(buttons(message)) <= {"open", "end_session"}
    await presses(journey, card, "end_session")
    await says(journey, message, "can be joined no more")
    assert code not in str(message.blocks) + str(card.blocks)
    assert next(iter(journey.genesys.conversations.offers.values())).is_withdrawn


async def test_help_speaks_of_conversations_and_not_of_applications(journey: Journey) -> None:
    told = words(await presses(journey, await journey.asks("help"), "help_all"))
    assert "an interaction’s address or id" in told
    assert "apps" not in told
    assert "apps" not in words(await journey.asks("hepl"))


async def test_there_are_no_applications_to_choose_from(journey: Journey) -> None:
    assert "lists no co-browse applications" in words(await journey.asks("apps"))


async def test_link_of_an_unknown_offer_is_not_sent_to_a_customer() -> None:
    async with open_journey(timing=FRESH_STATUS, **KEY) as journey:
        talk(journey)
        await journey.asks("Checkout")
        question = await journey.asks(f"send {NUMBER}")
        (offer,) = journey.genesys.conversations.offers.values()
        offer.is_withdrawn = True
        await sends(journey, question, "send_link")
        assert "The link was used, or it has expired" in words(question)
        assert "type `/cobrowse` for a new one" in words(question)
        assert sent(journey) == []
        offer.is_withdrawn = False
        await sends(journey, await journey.asks(f"send {NUMBER}"), "send_link")
        assert sent(journey) == [("SMS", NUMBER)]


async def test_reader_of_an_unknown_offer_is_told(journey: Journey) -> None:
    card = await journey.asks("Checkout")
    (offer,) = journey.genesys.conversations.offers.values()
    offer.is_withdrawn = True
    for text in ("status", "last"):
        message = await journey.asks(text)
        assert "Genesys knows its offer no more: somebody has joined by it, or it is over" in words(message)
        assert offer.join_code not in str(message.blocks)
        assert not {"share_session", "send_session", "send_to_customer", "open"} & set(buttons(message))
    before = len(journey.slack.messages)
    for action in ("share_session", "send_session"):
        await presses(journey, card, action)
    assert ["The link was used, or it has expired" in words(each) for each in journey.slack.messages[before:]] == [
        True,
        True,
    ]
    assert not [each for each in journey.slack.messages if each.visible_to is None]
