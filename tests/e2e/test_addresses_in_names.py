"""A customer's address is never in a session's name: the card offers to send the link there, or the bot asks."""

import logging
import re
import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.core.models import RequestKind
from bot.sandbox.slack.server import Message
from bot.slack.messages.ambiguity import CHOOSE_ACTIONS, OFFER_ACTION
from bot.slack.messages.catalogue.questions import NAME_ERROR_HERE, OFFER_REFUSALS, OPTIONS, SENT_ALREADY
from bot.slack.messages.catalogue.sentence import ENGLISH
from bot.storage.encryption import new_key
from tests.support.app import ANA, BEN, NO_KEY, SAM, Journey, buttons, is_failure, link, open_journey, words
from tests.support.conversations import KEY, talk
from tests.support.message_buttons import labels, presses

NUMBER, EMAIL_ADDRESS = "+14155550123", "carla.customer@example.com"
FIRST, SECOND = CHOOSE_ACTIONS
ANSWER_TIMEOUT = 6
SECRETS = ("4155550123", "555-0123", "carla.customer")


def offered(message: Message) -> dict[str, Any] | None:
    """Return the button that sends the link if the card has one."""
    rows = [block["accessory"] for block in message.blocks if block.get("accessory")]
    return next((row for row in rows if row["action_id"] == OFFER_ACTION), None)


def elements(message: Message) -> list[dict[str, Any]]:
    """Return all buttons and menus of a message."""
    beside = [block["accessory"] for block in message.blocks if block.get("accessory")]
    return [*beside, *(each for block in message.blocks for each in block.get("elements", ()))]


def sent(journey: Journey) -> list[tuple[str, str]]:
    return [(each.kind, each.to) for each in journey.genesys.outbox.sent]


def names(journey: Journey) -> list[str]:
    return [create.body["sessionName"] for create in journey.genesys.creates]


async def takes_offer(journey: Journey, card: Message, *, who: str = ANA) -> Message:
    before, was = len(journey.slack.messages), str(card.blocks)
    assert (await journey.slack.press(who, card, OFFER_ACTION)).acked

    def told() -> Message | None:
        return card if str(card.blocks) != was else next(iter(journey.slack.messages[before:]), None)

    return await journey.slack.workspace.until(told, ANSWER_TIMEOUT)


async def test_number_starts_a_session_and_one_press_sends_its_link(either: Journey) -> None:
    card = await either.asks(f"{NUMBER} Refund")
    assert names(either) == ["Refund"]
    assert "Send this link to *+1 415-555-0123*?" in words(card)
    assert not re.search(r"555\D{0,2}0123", card.text)
    assert [each.get("style") for each in elements(card)].count("primary") == 1
    assert sent(either) == []
    assert await takes_offer(either, card) is card
    assert "✓ Texted to …0123 · <!date" in words(card)
    assert not re.search(r"555\D{0,2}0123", words(card))
    assert "send_to_customer" in buttons(card)  # to send it again
    assert sent(either) == [("SMS", NUMBER)]
    assert link(card) in either.genesys.outbox.sent[0].text


async def test_email_address_alone_starts_an_unnamed_session(journey: Journey) -> None:
    card = await journey.asks(EMAIL_ADDRESS)
    assert names(journey) == ["Co-browse with Ana Agent"]
    await takes_offer(journey, card)
    assert sent(journey) == [("Email", EMAIL_ADDRESS)]


async def test_second_press_of_the_offer_sends_nothing(journey: Journey) -> None:
    card = await journey.asks(NUMBER)
    was = card.blocks
    await takes_offer(journey, card)
    card.blocks = was  # as if the card had not changed in time
    assert words(await takes_offer(journey, card)) == ENGLISH.say(SENT_ALREADY)
    assert sent(journey) == [("SMS", NUMBER)]
    assert link(card)


async def test_supervisor_offers_the_link_of_an_agents_session(journey: Journey) -> None:
    card = await journey.asks(f"@ben {NUMBER} Refund", who=SAM)
    (note,) = journey.slack.seen_by(BEN)
    assert not any(secret in f"{note.text}{note.blocks}" for secret in SECRETS)
    await takes_offer(journey, card, who=SAM)
    assert sent(journey) == [("SMS", NUMBER)]


async def test_address_within_a_name_is_asked_about(journey: Journey) -> None:
    question = await journey.asks(f"Refund for {EMAIL_ADDRESS}")
    assert question.text.startswith("A name can’t hold a phone number or email address.")
    assert labels(question) == [ENGLISH.say(OPTIONS["start_and_send"]), ENGLISH.say(OPTIONS["start_without"])]
    assert journey.genesys.calls == []
    await presses(journey, question, FIRST)
    assert offered(question)
    assert names(journey) == ["Refund"]


async def test_address_can_be_left_out(journey: Journey) -> None:
    question = await journey.asks(f"Refund for {EMAIL_ADDRESS}")
    await presses(journey, question, SECOND)
    assert link(question)
    assert offered(question) is None
    assert names(journey) == ["Refund"]


async def test_national_number_of_an_allowed_country_is_no_name(journey: Journey) -> None:
    question = await journey.asks("415 555 0123")
    assert "+1 415-555-0123" in words(question)
    await presses(journey, question, FIRST)
    await takes_offer(journey, question)
    assert sent(journey) == [("SMS", NUMBER)]


async def test_other_number_stays_a_name(journey: Journey) -> None:
    await journey.asks("Customer 4711")
    assert names(journey) == ["Customer 4711"]


@pytest.mark.parametrize(("address", "medium"), [(NUMBER, "text message"), (EMAIL_ADDRESS, "email")])
async def test_without_a_sender_the_session_starts_and_the_card_says_so(
    address: str, medium: str, tmp_path: Path
) -> None:
    file = tmp_path / "store.db"
    async with open_journey(**NO_KEY, DATABASE_URL=f"sqlite:///{file}") as journey:
        await journey.genesys.inject_fault("slow", on="create", seconds=1.0)
        delivery = await journey.slack.command(ANA, f"{address} Refund")
        assert delivery.acked
        with sqlite3.connect(file) as store:  # under way
            under_way = str(store.execute("SELECT * FROM requests").fetchall())
        store.close()
        card = await journey.reads(ANA, 0)
        assert f"I can’t send {medium}s here" in words(card)
        assert link(card)
        assert offered(card) is None
        assert names(journey) == ["Refund"]
    assert "Refund" in under_way
    assert not any(secret in under_way for secret in SECRETS)


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("+81 90 1234 5678", "country_not_allowed"),
        ("+49 30 123456", "invalid_address.sms"),
        ("+1415555012", "invalid_address.number"),
        ("a@localhost.local", "invalid_address.email"),
    ],
)
async def test_address_of_no_use_is_told_on_the_card(journey: Journey, address: str, key: str) -> None:
    card = await journey.asks(f"{address} Refund")
    assert ENGLISH.say(OFFER_REFUSALS[key]) in words(card)
    assert offered(card) is None
    assert "send_to_customer" in buttons(card)
    assert names(journey) == ["Refund"]


async def test_two_customers_within_seconds_get_two_sessions(journey: Journey) -> None:
    cards = [await journey.asks(f"+1415555012{digit} Refund") for digit in (3, 4, 3)]
    assert len(journey.genesys.creates) == 2
    assert link(cards[0]) == link(cards[2]) != link(cards[1])


async def test_two_customers_without_a_sender_get_two_sessions() -> None:
    async with open_journey(**NO_KEY) as journey:
        cards = [await journey.asks(f"+1415555012{digit} Refund") for digit in (3, 4)]
        assert link(cards[0]) != link(cards[1])


async def test_repeated_start_still_offers_the_link(journey: Journey) -> None:
    await journey.genesys.inject_fault("500", times=4)
    message = await journey.asks(f"{NUMBER} Refund")
    assert is_failure(message)
    await journey.genesys.inject_fault(None)
    await journey.tries_again(message)
    await takes_offer(journey, message)
    assert sent(journey) == [("SMS", NUMBER)]


async def test_picked_conversation_still_offers_the_link() -> None:
    async with open_journey(**KEY) as journey:
        talk(journey)
        talk(journey)
        message = await journey.asks(f"{NUMBER} Refund")
        block = next(str(one["block_id"]) for one in message.blocks if "accessory" in one)
        await journey.slack.press(ANA, message, "pick_conversation", block_id=block)
        await journey.slack.workspace.until(lambda: offered(message), ANSWER_TIMEOUT)
        await takes_offer(journey, message)
        assert sent(journey) == [("SMS", NUMBER)]


async def test_form_refuses_an_address_as_a_name(journey: Journey) -> None:
    await journey.slack.command(ANA, "new")
    (form,) = await journey.slack.workspace.until(lambda: journey.slack.views_of(ANA), ANSWER_TIMEOUT)
    await journey.slack.workspace.until(lambda: "name" in str(form.blocks), ANSWER_TIMEOUT)
    for name in (EMAIL_ADDRESS, f"Refund {NUMBER}", "Carla 415 555 0123"):
        await journey.slack.submit(ANA, form, {"name": name})
        assert form.errors["name"] == ENGLISH.say(NAME_ERROR_HERE)
    await journey.slack.submit(ANA, form, {"name": "Customer 4711"})
    await journey.slack.workspace.until(lambda: journey.genesys.creates, ANSWER_TIMEOUT)
    assert names(journey) == ["Customer 4711"]


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        (f"Refund for {EMAIL_ADDRESS}", "Refund for …"),
        (f"{NUMBER}", "Co-browse with Ana Agent"),
        ("Call 415 555 0123 back", "Call … back"),
        ("Customer 4711", "Customer 4711"),
    ],
)
async def test_workflows_name_has_a_gap_for_an_address(typed: str, name: str) -> None:
    async with open_journey(COBROWSE_WORKFLOW_STEPS="on") as journey:
        run = await journey.slack.function_executed("start_cobrowse_session", {"agent": ANA, "name": typed})
        await journey.slack.workspace.until(lambda: run.outputs, ANSWER_TIMEOUT)
        assert names(journey) == [name]


async def test_addresses_stay_in_neither_store_nor_log_nor_service(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "bot")
    file, audit = tmp_path / "store.db", tmp_path / "audit.log"
    environ = {"DATABASE_URL": f"sqlite:///{file}", "AUDIT_LOG": str(audit), "STORE_ENCRYPTION_KEY": new_key()}
    async with open_journey(**environ) as journey:
        for text in (NUMBER, f"{EMAIL_ADDRESS} Refund"):
            await takes_offer(journey, await journey.asks(text))
        question = await journey.asks(f"Claim of {EMAIL_ADDRESS}")
        await presses(journey, question, FIRST)
        await presses(journey, await journey.asks(f"Fee of {NUMBER}"), SECOND)
        ending = await journey.asks(f"end {NUMBER}")
        row = next(block for block in ending.blocks if "accessory" in block)
        assert (await journey.slack.press(ANA, ending, "end_session", block_id=row["block_id"])).acked
        await journey.slack.workspace.until(lambda: row["block_id"] not in str(ending.blocks) or None, ANSWER_TIMEOUT)
        seen = str([call.body for call in journey.genesys.creates])
        listed = words(await journey.asks("list", who=SAM))
    with sqlite3.connect(file) as store:
        stored = str([*store.execute("SELECT * FROM requests"), *store.execute("SELECT * FROM sessions")])
        left = store.execute("SELECT argument FROM requests WHERE kind = ?", (RequestKind.START,)).fetchall()
    store.close()
    logged = "\n".join(f"{record.getMessage()} {getattr(record, 'fields', '')}" for record in caplog.records)
    assert [argument for (argument,) in left if argument] == []
    for text in (stored, logged, seen, listed, audit.read_text()):
        assert not any(secret in text for secret in SECRETS)


async def test_agent_who_is_called_like_an_address_gives_no_name(journey: Journey) -> None:
    users = journey.slack.workspace.users
    users[ANA] = replace(users[ANA], real_name=EMAIL_ADDRESS)
    await journey.asks()
    assert names(journey) == ["Co-browse session"]
