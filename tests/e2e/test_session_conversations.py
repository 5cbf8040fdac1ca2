"""A session in a conversation after its start: its code can be shown again and shared, and is gone when it is over."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from bot.sandbox.slack.server import Message
from bot.slack.messages.session_card import spoken
from tests.support.app import ANA, Journey, buttons, open_journey, words
from tests.support.conversations import KEY, codes, talk
from tests.support.customer_messages import NUMBER, sent
from tests.support.message_buttons import presses as sends
from tests.support.session_buttons import COPY, END, POST, opens, presses, says
from tests.support.timing import FRESH_STATUS
from tests.support.views import said


@pytest.fixture(params=["with a page of one's own", "with the code alone"])
async def journey(request: pytest.FixtureRequest) -> AsyncIterator[Journey]:
    bare: dict[str, Any] = {"COBROWSE_JOIN_URL_TEMPLATE": ""} if "alone" in request.param else {}
    async with open_journey(**KEY | bare) as opened:
        talk(opened)
        yield opened


def handed_over(message: Message) -> list[Any]:
    """Return what the customer gets: the code, and the link if there is one."""
    return [
        block.get("text") or block["elements"] for block in message.blocks if block["type"] in ("header", "rich_text")
    ]


async def test_code_comes_again_by_last_status_and_direct_message(journey: Journey) -> None:
    card = await journey.asks("Checkout")
    (code,) = codes(journey)
    message, listed = await journey.asks("last"), await journey.asks("status")
    shown = await presses(journey, listed, "row_menu", chosen="show")
    for each in (message, shown):
        assert handed_over(each) == handed_over(card)
        assert spoken(code) in words(each)
        assert "join by" in words(each)
        assert code not in each.text
    assert code not in words(listed)
    await presses(journey, card, COPY)
    (message,) = [each for each in journey.slack.seen_by(ANA) if each.visible_to is None]
    assert handed_over(message) == handed_over(card)


async def test_a_shared_code_is_gone_when_its_offer_is_withdrawn(journey: Journey) -> None:
    card = await journey.asks("Checkout")
    await presses(journey, card, POST)
    (code,) = codes(journey)
    (message,) = [each for each in journey.slack.messages if each.visible_to is None]
    assert spoken(code) in words(message)
    assert list(buttons(message)) == [END]
    await presses(journey, card, END)
    await says(journey, message, f"closed by <@{ANA}>")
    assert spoken(code) not in words(message) + words(card)
    assert next(iter(journey.genesys.conversations.offers.values())).is_withdrawn


async def test_help_speaks_of_conversations_and_not_of_applications(journey: Journey) -> None:
    told = said(await opens(journey, await journey.asks("help"), "help_all"))
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
        assert re.search("(link|code) used or expired", words(message))
        assert spoken(offer.join_code) not in words(message)
        assert not {"session_menu", "row_menu", "send_to_customer"} & set(buttons(message))
    before = len(journey.slack.messages)
    await presses(journey, card, COPY)
    assert "*Checkout* · code used or expired" in words(card)
    assert len(journey.slack.messages) == before


@pytest.mark.parametrize("action", [POST, COPY])
async def test_press_on_a_card_whose_code_is_used_up_changes_the_card(journey: Journey, action: str) -> None:
    await changes_when_used_up(journey, action)


async def test_address_is_not_asked_for_where_the_link_is_used_up() -> None:
    async with open_journey(**KEY) as opened:
        talk(opened)
        await changes_when_used_up(opened, "send_to_customer")


async def changes_when_used_up(journey: Journey, action: str) -> None:
    """Press a button on a card whose code is used up: the card says so, and no dialog opens."""
    card = await journey.asks("Checkout")
    (offer,) = journey.genesys.conversations.offers.values()
    offer.is_withdrawn = True
    before = len(journey.slack.messages)
    await presses(journey, card, action)
    assert "*Checkout* · code used or expired" in words(card)
    assert spoken(offer.join_code) not in words(card)
    assert list(buttons(card)) == ["start_new_session"]
    assert journey.slack.views_of(ANA) == []  # no dialog asked for anything
    assert len(journey.slack.messages) == before
    await journey.slack.press(ANA, card, "start_new_session")
    await says(journey, card, "join by")
    new = [each for each in journey.genesys.conversations.offers.values() if not each.is_withdrawn]
    assert [spoken(each.join_code) in words(card) for each in new] == [True]


@pytest.mark.parametrize("live", ["off", "poll"])
@pytest.mark.parametrize("fault", ["502", "dropped"])
async def test_session_is_ended_although_the_answer_was_lost(fault: str, live: str) -> None:
    async with open_journey(**KEY | {"GENESYS_LIVE": live}) as journey:
        talk(journey)
        await journey.asks("Checkout")
        await journey.genesys.inject_fault(fault, on="end", times=1)
        assert "Closed *Checkout*" in words(await journey.asks("end"))
        assert journey.genesys.count("end") == 2
        assert "Checkout" not in words(await journey.asks("status"))


async def test_session_whose_code_is_used_up_can_still_be_ended(journey: Journey) -> None:
    card = await journey.asks("Checkout")
    (offer,) = journey.genesys.conversations.offers.values()
    offer.joined = True
    dialog = await opens(journey, card, END)
    assert "End *Checkout*?" in str(dialog.blocks)
    offer.is_withdrawn = True  # Genesys no longer knows the offer
    dialog = await opens(journey, card, END)
    assert "End *Checkout*?" in str(dialog.blocks)


async def test_last_offers_a_new_session_where_the_code_is_used_up(journey: Journey) -> None:
    await journey.asks("Checkout")
    (offer,) = journey.genesys.conversations.offers.values()
    offer.is_withdrawn = True
    message = await journey.asks("last")
    assert "*Checkout* · code used or expired" in words(message)
    assert list(buttons(message)) == ["start_new_session"]
    await presses(journey, message, "start_new_session")
    assert "join by" in words(message)


async def test_unanswered_status_does_not_keep_a_dialog_closed() -> None:
    """The service does not answer within Slack's three seconds, so the session counts as open."""
    timing = replace(FRESH_STATUS, press_status_timeout=0.2)
    async with open_journey(timing=timing, **KEY) as journey:
        talk(journey)
        card = await journey.asks("Checkout")
        await journey.genesys.inject_fault("silent", on="read")
        dialog = await opens(journey, card, POST)
        assert "Post the" in str(dialog.blocks)


async def test_closed_session_is_not_called_ended(journey: Journey) -> None:
    await journey.asks("Checkout")
    (code_id,) = journey.genesys.conversations.offers
    await journey.asks("end")
    told = words(await journey.asks(f"end {code_id}"))
    assert "This session is already closed. Nobody else can join." in told


@pytest.mark.parametrize("sender", ["", "+14155550100"])
async def test_session_with_a_code_alone_speaks_of_no_link(sender: str) -> None:
    """No sender and no other address would help: there is nothing to send."""
    off = {"COBROWSE_JOIN_URL_TEMPLATE": "", "COBROWSE_EMAIL_FROM": "", "COBROWSE_SMS_FROM": sender}
    async with open_journey(**KEY | off) as journey:
        talk(journey)
        card = words(await journey.asks("+442079460000 Warranty"))
        asked = words(await journey.asks("send +442079460000"))
    assert "This session has a code and no link, so there is nothing to send." in card
    assert "This session has a code and no link." in asked
    assert [each for each in (card, asked) if "the link yourself" in each or "can’t get texts" in each] == []
