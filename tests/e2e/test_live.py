"""An agent learns that the customer joined and that the session is over: in the channel, in the cards, and in lists."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.support.app import (
    ANA,
    ANSWER_TIMEOUT,
    BEN,
    SAM,
    Journey,
    buttons,
    open_bot_between,
    open_journey,
    open_servers,
    words,
)
from tests.support.conversations import talk
from tests.support.live import LIVE, QUICK_LIVE, count, offers, told
from tests.support.replicas import until
from tests.support.session_buttons import COPY, END, POST, opens, presses, says
from tests.support.views import opens_home, said


@pytest.fixture
async def journey() -> AsyncIterator[Journey]:
    async with open_journey(timing=QUICK_LIVE, **LIVE) as opened:
        yield opened


async def test_agent_is_told_once_that_the_customer_joined_and_left(journey: Journey) -> None:
    talk(journey)
    card = await journey.asks("Checkout")
    (offer,) = offers(journey)
    offer.join()
    message = await told(journey, "Your customer joined *Checkout*.")
    assert (message.via, message.channel, message.visible_to) == ("response_url", card.channel, ANA)
    assert message.text == "Your customer joined Checkout."
    assert journey.genesys.url in str(message.blocks), "the host gets the viewer"
    offer.stop("client")
    over = await told(journey, "*Checkout* · ended ")
    assert "The customer left." in words(over)
    assert over.text == "“Checkout” has ended."
    assert list(buttons(over)) == ["start_new_session"]
    looks = journey.genesys.count("conversation")
    await journey.asks("status")
    assert count(journey, "Your customer joined") == count(journey, "· ended ") == 1
    assert journey.genesys.count("conversation") == looks, "a session that is over is not looked at"


@pytest.mark.parametrize(
    ("cause", "sentence"),
    [("peer", "It was ended in Genesys."), ("timeout", "It timed out."), ("error", "The connection failed.")],
)
async def test_message_says_how_the_session_ended(journey: Journey, cause: str, sentence: str) -> None:
    talk(journey)
    await journey.asks("Checkout")
    (offer,) = offers(journey)
    offer.join()
    await told(journey, "Your customer joined")
    offer.stop(cause)
    assert sentence in words(await told(journey, "*Checkout* · ended "))


async def test_pause_for_one_session_delays_no_other(journey: Journey) -> None:
    talk(journey)
    talk(journey, "Carl", host="22222222-2222-4222-8222-222222222222")
    await journey.asks("Checkout")
    await journey.asks("Refund", who=BEN)
    await journey.genesys.inject_fault("503", on="conversation", times=1, retry_after=8)
    await until(lambda: any(call.status == 503 for call in journey.genesys.calls))
    for offer in offers(journey):
        offer.join()
    began = time.monotonic()
    await journey.slack.workspace.until(lambda: count_joined(journey) == 1, ANSWER_TIMEOUT)
    assert time.monotonic() - began < 4


def count_joined(journey: Journey) -> int:
    return sum(count(journey, "Your customer joined", who=who) for who in (ANA, BEN))


async def test_agent_is_told_that_nobody_joined(journey: Journey) -> None:
    journey.genesys.conversations.offer_lifetime_seconds = 1.5
    talk(journey)
    await journey.asks("Checkout")
    message = await told(journey, "nobody joined")
    assert message.text == "Nobody joined “Checkout”."
    assert list(buttons(message)) == ["start_new_session"]
    assert count(journey, "nobody joined") == 1


async def test_supervisor_is_told_and_the_agents_card_changes(journey: Journey) -> None:
    talk(journey, host="22222222-2222-4222-8222-222222222222")
    await journey.asks("@ben Deal", who=SAM)
    (offer,) = offers(journey)
    (card,) = [each for each in journey.slack.seen_by(BEN) if "Deal" in words(each)]
    offer.join()
    message = await told(journey, f"The customer of <@{BEN}> joined *Deal*.", who=SAM)
    assert journey.genesys.url not in str(message.blocks), "the viewer is for the host alone"
    await says(journey, card, "customer joined")
    assert offer.join_code not in words(card)
    offer.stop("client")
    await told(journey, "*Deal* · ended ", who=SAM)
    await says(journey, card, "*Deal* · ended ")
    assert "The customer left." in words(card)


async def test_supervisors_copy_is_theirs_after_a_restart(tmp_path: Path) -> None:
    async with open_servers() as servers:
        users = servers.slack.workspace.users
        users[BEN] = replace(users[BEN], locale="de-DE")
        environ = servers.environ | LIVE | {"DATABASE_URL": f"sqlite:///{tmp_path / 'bot.db'}"}
        async with open_bot_between(servers, environ, http=False, timing=QUICK_LIVE) as journey:
            talk(journey, host="22222222-2222-4222-8222-222222222222")
            await presses(journey, await journey.asks("@ben Deal", who=SAM), COPY, who=SAM)
        (copy,) = [each for each in servers.slack.messages if servers.slack.workspace.im_owner(each.channel) == SAM]
        (agents,) = [each for each in servers.slack.messages if servers.slack.workspace.im_owner(each.channel) == BEN]
        async with open_bot_between(servers, environ, http=False, timing=QUICK_LIVE) as journey:
            (offer,) = offers(journey)
            offer.join()
            await says(journey, copy, "customer joined")
            await journey.slack.until(lambda: agents.text == "Dein Kunde ist Deal beigetreten." or None)
        assert copy.text == f"The customer of <@{BEN}> joined Deal."
        assert f"For <@{BEN}>" in words(copy)
        assert servers.genesys.url not in str(copy.blocks), "the viewer is for the host alone"


async def test_cards_in_a_channel_and_a_direct_message_change(journey: Journey) -> None:
    talk(journey)
    card = await journey.asks("Checkout")
    await presses(journey, card, POST)
    await presses(journey, card, COPY)
    shown = [each for each in journey.slack.messages if each.visible_to is None]
    assert len(shown) == 2
    (offer,) = offers(journey)
    offer.join()
    for each in shown:
        await says(journey, each, "customer joined")
        assert offer.join_code not in words(each)
        assert "viewer" not in str(each.blocks)
    offer.stop("client")
    for each in shown:
        await says(journey, each, "· ended ")
        assert "The customer left." in words(each)


async def test_card_beside_a_joined_session_names_no_end(journey: Journey) -> None:
    talk(journey)
    await journey.asks("Checkout")
    (offer,) = offers(journey)
    offer.join()
    await told(journey, "Your customer joined")
    other = talk(journey)
    assert "*Checkout* is still open, with your customer in it." in words(await journey.asks(f"{other.id} Refund"))


async def test_every_list_shows_who_is_waited_for_and_who_joined(journey: Journey) -> None:
    talk(journey)
    card = await journey.asks("Checkout")
    assert "waiting for the customer" in words(await journey.asks("status"))
    (offer,) = offers(journey)
    offer.join()
    await told(journey, "Your customer joined")
    listed = await journey.asks("status")
    assert "*Checkout* · customer joined " in words(listed)
    assert "waiting" not in words(listed)
    assert "customer joined " in words(await journey.asks("list", who=SAM))
    assert "customer joined " in str((await opens_home(journey, ANA)).blocks)
    assert "*Checkout* · customer joined " in words(await journey.asks("why"))
    last = await journey.asks("last")
    assert "*Checkout* · customer joined " in words(last)
    assert journey.genesys.url in str(last.blocks)
    assert offer.join_code not in words(last) + words(listed)
    assert "customer joined " in words(await presses(journey, card, POST))


async def test_press_shows_a_joined_customer_where_nobody_watches() -> None:
    async with open_journey(timing=QUICK_LIVE, **LIVE | {"GENESYS_LIVE": "off"}) as journey:
        talk(journey)
        card = await journey.asks("Checkout")
        before = journey.genesys.count("conversation")
        (offer,) = offers(journey)
        offer.join()
        message = await presses(journey, card, COPY)
        assert "*Checkout* · customer joined " in words(message)
        assert journey.genesys.count("conversation") <= before + 2
        assert count(journey, "Your customer joined") == 0
        offer.stop("client")
        assert "*Checkout* · ended " in words(await journey.asks("last"))


async def test_session_that_outlasts_its_offer_is_not_called_over(journey: Journey) -> None:
    journey.genesys.conversations.offer_lifetime_seconds = 1.0
    talk(journey)
    await journey.asks("Checkout")
    (offer,) = offers(journey)
    offer.join()
    await told(journey, "Your customer joined")
    await asyncio.sleep(max(0.0, offer.ends_at - time.time()))  # now the code has expired
    assert "customer joined " in words(await journey.asks("status"))
    offer.stop("peer")
    assert "It was ended in Genesys." in words(await told(journey, "*Checkout* · ended "))


async def test_agent_who_ends_the_session_is_not_told_of_it(journey: Journey) -> None:
    talk(journey)
    await journey.asks("Checkout")
    (offer,) = offers(journey)
    offer.join()
    await told(journey, "Your customer joined")
    assert "Closed *Checkout*" in words(await journey.asks("end"))
    await journey.asks("status")
    assert count(journey, "· ended ") == 0


async def test_words_of_a_session_service_say_that_the_customer_joined() -> None:
    environ = {"GENESYS_LIVE": "poll", "COBROWSE_JOINED_STATUSES": "connected"}
    async with open_journey(timing=QUICK_LIVE, **environ) as journey:
        await journey.asks("Checkout")
        (session,) = journey.genesys.sessions.values()
        listed = words(await journey.asks("status"))
        assert "customer" not in listed, "the service does not say that it waits"
        session.status = "connected"
        message = await told(journey, "Your customer joined *Checkout*.")
        assert list(buttons(message)) == []
        assert "customer joined" in words(await journey.asks("status"))
        assert session.join_url in words(await journey.asks("last")), "the link goes on working"
        session.status = "ended"
        assert "*Checkout* · ended " in words(await told(journey, "*Checkout* · ended "))


async def test_viewer_of_a_strange_host_is_not_offered(journey: Journey, monkeypatch: Any) -> None:
    talk(journey)
    monkeypatch.setattr(journey.genesys.conversations, "_url", lambda: "https://evil.example")
    await journey.asks("Checkout")
    (offer,) = offers(journey)
    offer.join()
    message = await told(journey, "Your customer joined")
    assert "evil" not in str(message.blocks)
    assert "apps.mypurecloud.com" in str(message.blocks), "the conversation's page instead"


async def test_card_closes_another_session_and_does_not_call_it_ended(journey: Journey) -> None:
    talk(journey)
    await journey.asks("Refund")
    (offer,) = offers(journey)
    offer.join()
    await told(journey, "Your customer joined")
    card = await journey.asks(f"{talk(journey).id} Warranty")
    assert await presses(journey, card, "end_session") is card
    assert "✓ Closed Refund" in words(card)
    assert "nobody else can join" in words(card)
    assert "✓ Ended Refund" not in words(card)


async def test_box_to_end_says_what_keeps_on_being_shared(journey: Journey) -> None:
    """Genesys keeps others from joining, and leaves the customer in the session."""
    talk(journey)
    card = await journey.asks("Checkout")
    box = said(await opens(journey, card, END))
    assert "End *Checkout*?" in box
    assert "nobody else can join" in box
    assert "If the customer’s screen is still shared, stop it in Genesys." in box


async def test_end_that_is_impossible_promises_no_end_by_itself() -> None:
    """A session with a customer in it outlasts the time until which the customer could join."""
    async with open_journey(timing=QUICK_LIVE, **LIVE | {"GENESYS_DEPLOYMENT_ID": ""}) as journey:
        talk(journey)
        await journey.asks("Checkout")
        (offer,) = offers(journey)
        offer.join()
        await told(journey, "Your customer joined")
        refused = words(await journey.asks("end"))
        assert "I can’t end this session." in refused
        assert "If the customer is in it, stop the sharing in Genesys." in refused
        assert "It ends by itself" not in refused
        assert "customer joined" in words(await journey.asks("status"))
