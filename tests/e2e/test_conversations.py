"""Co-browse in conversations, as people see it: the command, the card with link and code, and what survives a crash."""

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from bot.core.timing import CoreTiming
from bot.sandbox.slack.server import Message
from bot.slack.messages.session_card import spoken
from tests.support.accounts import BENS
from tests.support.app import (
    ANA,
    BEN,
    HOSTS,
    QUICK_GENESYS,
    SAM,
    Journey,
    buttons,
    is_failure,
    link,
    open_journey,
    words,
)
from tests.support.conversations import KEY, codes, talk
from tests.support.session_buttons import COPY, menu, presses
from tests.support.timing import SHORT_WAITS_ANNOUNCED

NOWHERE = "99999999-9999-4999-8999-999999999999"


@pytest.fixture
async def journey(timing: CoreTiming) -> AsyncIterator[Journey]:
    async with open_journey(timing=timing, **KEY) as opened:
        yield opened


def kinds(message: Message) -> list[str]:
    return [block["type"] for block in message.blocks]


async def test_card_of_a_call_shows_the_code_first_and_large(journey: Journey) -> None:
    talk(journey, medium="call")
    card = await journey.asks("Checkout")
    (code,) = codes(journey)
    assert kinds(card) == ["section", "section", "header", "rich_text", "actions"]
    assert card.blocks[2]["text"]["text"] == spoken(code)
    assert "Ask them to open *help.example.com/cobrowse* and type:" in words(card)
    await presses(journey, card, COPY)  # the store knows the kind of conversation, too
    assert kinds(card) == ["section", "section", "header", "rich_text", "context", "actions"]


async def test_card_of_a_chat_shows_the_link_first_and_the_code_in_small_print(journey: Journey) -> None:
    talked = talk(journey)
    message = await journey.asks("Checkout")
    (code,) = codes(journey)
    assert kinds(message) == ["section", "rich_text", "context", "actions"]
    assert link(message) == f"https://help.example.com/cobrowse#{code}"
    assert f"Or they open *help.example.com/cobrowse* and type *{spoken(code)}*." in words(message)
    assert "You’ll see their screen in Genesys as soon as they join." in words(message)
    assert "join by" in words(message)
    assert talked.id in menu(message)["genesys"]["url"]
    assert code not in message.text
    assert message.visible_to == ANA
    await presses(journey, message, COPY)
    assert kinds(message) == ["section", "rich_text", "context", "context", "actions"]
    (copy,) = [each for each in journey.slack.seen_by(ANA) if each.visible_to is None]
    assert kinds(copy) == ["section", "rich_text", "context", "actions"]


async def test_supervisor_is_not_told_to_watch_the_screen(journey: Journey) -> None:
    talk(journey, host=BENS)
    card = await journey.asks("@ben Checkout", who=SAM)
    (shown,) = (message for message in journey.slack.seen_by(BEN))
    assert "You’ll see their screen" not in words(card)
    assert "You’ll see their screen" in words(shown)


async def test_card_without_a_template_holds_the_code() -> None:
    async with open_journey(**KEY | {"COBROWSE_JOIN_URL_TEMPLATE": ""}) as journey:
        talk(journey, host=BENS)
        message = await journey.asks("@ben Checkout", who=SAM)
        (code,) = codes(journey)
        (shown,) = (message for message in journey.slack.seen_by(BEN))
        for card in (message, shown):
            assert link(card) == code  # it stands where a link would
            assert "preview" not in menu(card)
            assert "Messenger" in words(card)
            assert "link" not in words(card)
            assert code not in card.text


async def test_several_customers_are_named_and_one_can_be_chosen(journey: Journey) -> None:
    old, new = talk(journey, "Carla <b>", minutes=20), talk(journey, "Carl", medium="call")
    refused = await journey.asks()
    assert is_failure(refused)
    assert "try_again" not in buttons(refused)
    for part in ("Carla &lt;b&gt;", "*Carl* · since", "ID or address"):
        assert part in words(refused)
    choices = [block["accessory"]["value"].split()[1] for block in refused.blocks if "accessory" in block]
    assert sorted(choices) == sorted([old.id, new.id])
    assert link(await journey.asks(old.id))
    address = f"https://apps.mypurecloud.com/directory/#/engage/admin/interactions/{new.id}"
    chosen = await journey.asks(f"{address} Refund")
    assert "Refund" in words(chosen)
    made = [offer.conversation.id for offer in journey.genesys.conversations.offers.values()]
    assert made == [old.id, new.id]


@pytest.mark.parametrize(
    "text",
    [
        f"https://apps.mypurecloud.de/directory/#/interactions/{NOWHERE}",
        f"https://evil.example/apps.mypurecloud.com/{NOWHERE}",
    ],
)
async def test_an_address_from_elsewhere_starts_nothing(journey: Journey, text: str) -> None:
    talk(journey)
    message = await journey.asks(text)
    assert is_failure(message)
    assert "I don’t know that interaction." in words(message)
    assert journey.genesys.calls == []


async def test_somebody_elses_conversation_is_refused(journey: Journey) -> None:
    live = talk(journey, host=BENS)
    message = await journey.asks(live.id)
    assert "You’re not in that conversation, or it is over. Nothing was started." in words(message)
    assert codes(journey) == []


async def test_supervisor_reads_that_the_agent_has_no_customer(journey: Journey) -> None:
    told = words(await journey.asks("@ben Deal", who=SAM))
    assert "I don’t see this agent with a customer. Nothing was started." in told
    told = words(await journey.asks(f"@ben {talk(journey).id}", who=SAM))
    assert "This agent isn’t in that conversation, or it is over. Nothing was started." in told
    assert codes(journey) == []


async def test_a_supervisor_starts_it_in_the_agents_conversation(journey: Journey) -> None:
    talk(journey, host=BENS)
    live = talk(journey, host=BENS)
    assert link(await journey.asks(f"@ben {live.id}", who=SAM))
    (made,) = journey.genesys.conversations.offers.values()
    assert made.conversation is live


async def test_missing_customer_is_told_with_a_retry_button(journey: Journey) -> None:
    message = await journey.asks()
    assert "I don’t see a conversation with a customer" in words(message)
    talk(journey)
    await journey.tries_again(message)
    (answer,) = journey.slack.seen_by(ANA)
    assert link(answer)


async def test_trying_again_keeps_to_the_conversation_that_was_named(journey: Journey) -> None:
    talk(journey)
    live = talk(journey)
    await journey.genesys.inject_fault("dropped", on="conversation")
    message = await journey.asks(live.id)
    await journey.genesys.inject_fault(None)
    await journey.tries_again(message)
    (made,) = journey.genesys.conversations.offers.values()
    assert made.conversation is live


async def test_a_person_is_needed_and_the_administrator_named(journey: Journey) -> None:
    talk(journey)
    journey.genesys.conversations.requires_user = True
    message = await journey.asks()
    assert "signing in to Genesys isn’t set up" in words(message)
    assert "Nothing was started" in words(message)
    assert f"<@{SAM}>" in words(message)
    talk(journey, host=f"{HOSTS[SAM]}-3333-4333-8333-333333333333")
    repair = words(await journey.asks(who=SAM))
    assert "only for a person who has signed in" in repair
    assert "GENESYS_CONNECT_CLIENT_ID" in repair


@pytest.mark.parametrize("timing", [SHORT_WAITS_ANNOUNCED], ids=["short waits"])
async def test_wait_of_a_look_up_is_told(journey: Journey) -> None:
    talk(journey)
    await journey.genesys.inject_fault("429", on="query", times=1, retry_after=2)
    message = await journey.asks()
    note, outcome = journey.slack.seen_by(ANA)
    assert outcome is message
    assert "busy" in note.text
    assert link(message)


async def test_an_offer_nobody_knows_of_is_not_repeated(journey: Journey) -> None:
    talk(journey)
    await journey.genesys.inject_fault("dropped")
    message = await journey.asks()
    assert "Genesys didn’t answer, so I don’t have a link for you" in words(message)
    assert journey.genesys.count("create") == 1
    assert codes(journey)[0] not in words(message)


async def test_neither_code_nor_customer_gets_into_the_log(journey: Journey, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "bot")
    talk(journey, "Carla Customer")
    await journey.asks("One")
    talk(journey, "Carl Kunde")
    await journey.asks("Two")
    await journey.finish()
    logged = "\n".join(f"{record.getMessage()} {getattr(record, 'fields', '')}" for record in caplog.records)
    assert "several_conversations" in logged
    for secret in (*codes(journey), "Carla", "Kunde", "help.example.com"):
        assert secret not in logged


async def test_a_slow_look_up_creates_nothing_before_it_is_done() -> None:
    """A time-out of a look-up is no time-out of an offer, so the error says that no session exists."""
    async with open_journey(**KEY, genesys_timing=replace(QUICK_GENESYS, call_timeout=0.2)) as journey:
        talk(journey)
        await journey.genesys.inject_fault("silent", on="query")
        async with asyncio.timeout(5):
            message = await journey.asks()
        assert "can’t reach Genesys" in words(message)
        assert journey.genesys.count("create") == 0


async def test_stop_during_the_conversation_search_is_told() -> None:
    """The host is cached and no call waits. Sessions of the other service would be accepted as `creating` here."""
    async with open_journey(**KEY, SHUTDOWN_SECONDS="0") as journey:
        talk(journey)
        assert link(await journey.asks("One"))
        looked, before = journey.genesys.count("query"), len(journey.slack.messages)
        await journey.genesys.inject_fault("silent", on="query")
        await journey.slack.command(ANA, "Two")
        async with asyncio.timeout(3):
            while journey.genesys.count("query") == looked:  # noqa: ASYNC110 - it has no event
                await asyncio.sleep(0.001)
        await journey.finish()
        outcome = await journey.reads(ANA, before)
        assert "Nothing was started" in words(outcome)
        assert len(codes(journey)) == 1
