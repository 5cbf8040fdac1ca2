"""Sending the link to a customer: the bot asks first, sends once, and keeps no phone number."""

import asyncio
import json
import logging
import re
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.genesys.api.customer_messages import EMAIL, SMS
from tests.support.app import ANA, ANSWER_TIMEOUT, BEN, SAM, Journey, buttons, is_failure, link, open_journey, words
from tests.support.customer_messages import EMAIL_ADDRESS, NUMBER, sent
from tests.support.message_buttons import presses


@pytest.fixture(params=["socket", "http"])
async def either(request: pytest.FixtureRequest) -> AsyncIterator[Journey]:
    async with open_journey(http=request.param == "http") as opened:
        yield opened


async def test_sms_is_asked_about_with_its_number_before_it_is_sent(either: Journey) -> None:
    card = await either.asks("Checkout")
    question = await either.asks("send +1 (415) 555-0123")
    assert "“Checkout”" in words(question)
    assert "+1 415-555-0123" in words(question)
    assert not re.search(r"555\D{0,2}0123", question.text)
    assert question.visible_to == ANA
    assert sent(either) == []
    await presses(either, question, "send_link")
    (sms,) = either.genesys.outbox.sent
    assert (sms.kind, sms.sender, sms.to) == ("SMS", "+14155550100", NUMBER)
    assert sms.text == f"Here is your link to share your screen with us: {link(card)}"
    assert "Texted the link of “Checkout” to …0123." in question.text
    assert "send_link" not in buttons(question)


async def test_an_email_is_sent_with_its_subject(either: Journey) -> None:
    card = await either.asks()
    question = await either.asks(f"send {EMAIL_ADDRESS}")
    await presses(either, question, "send_link")
    (mail,) = either.genesys.outbox.sent
    assert (mail.sender, mail.to, mail.subject) == (
        "care@example.com",
        EMAIL_ADDRESS,
        "Your link to share your screen with us",
    )
    assert link(card) in mail.text


async def test_the_cards_button_asks_and_sends_in_one_dialog(either: Journey) -> None:
    card = await either.asks("Checkout")
    url, before = link(card), len(either.slack.messages)
    await either.slack.press(ANA, card, "send_to_customer")
    (form,) = await either.slack.workspace.until(lambda: either.slack.views_of(ANA), ANSWER_TIMEOUT)
    assert form.body["title"]["text"] == buttons(card)["send_to_customer"]["text"]["text"]
    await either.slack.submit(ANA, form, {"to": "0170 123"})
    assert "country code" in form.errors["to"]
    await either.slack.submit(ANA, form, {"to": "+81 90 1234 5678"})
    assert "I don’t text numbers in this country" in form.errors["to"]
    await either.slack.submit(ANA, form, {"to": "+49 170 1234567"})
    assert form.is_open
    assert "Text this to *+49 170 1234567*?" in str(form.blocks)
    assert "“Checkout”" in str(form.blocks)
    assert form.body["submit"]["text"] == "Send"
    assert sent(either) == []
    submitted = await either.slack.submit(ANA, form)
    assert not form.is_open
    await either.slack.workspace.until(lambda: "✓ Texted to …4567" in words(card) or None, ANSWER_TIMEOUT)
    assert link(card) == url
    assert (await either.slack.redeliver(submitted)).acked
    await either.finish()
    assert sent(either) == [("SMS", "+491701234567")]
    assert len(either.slack.messages) == before


@pytest.mark.parametrize(
    ("off", "button", "field"),
    [
        ("COBROWSE_EMAIL_FROM", "Text link", "Customer’s mobile number"),
        ("COBROWSE_SMS_FROM", "Email link", "Customer’s email"),
    ],
)
async def test_button_and_dialog_name_the_way_that_is_set_up(off: str, button: str, field: str) -> None:
    async with open_journey(**{off: ""}) as journey:
        card = await journey.asks()
        assert buttons(card)["send_to_customer"]["text"]["text"] == button
        await journey.slack.press(ANA, card, "send_to_customer")
        (form,) = await journey.slack.workspace.until(lambda: journey.slack.views_of(ANA), ANSWER_TIMEOUT)
        assert form.body["title"]["text"] == button
        assert form.blocks[0]["label"]["text"] == field


async def test_closed_dialog_sends_nothing(journey: Journey) -> None:
    card = await journey.asks()
    await journey.slack.press(ANA, card, "send_to_customer")
    (form,) = await journey.slack.workspace.until(lambda: journey.slack.views_of(ANA), ANSWER_TIMEOUT)
    await journey.slack.submit(ANA, form, {"to": NUMBER})
    await journey.slack.close(ANA, form)
    await journey.finish()
    assert sent(journey) == []


async def test_send_that_fails_leaves_the_card_and_says_so(journey: Journey) -> None:
    card = await journey.asks()
    url, before = link(card), len(journey.slack.messages)
    await journey.slack.press(ANA, card, "send_to_customer")
    (form,) = await journey.slack.workspace.until(lambda: journey.slack.views_of(ANA), ANSWER_TIMEOUT)
    await journey.slack.submit(ANA, form, {"to": NUMBER})
    await journey.genesys.inject_fault("403", on="sms")
    await journey.slack.submit(ANA, form)
    assert is_failure(await journey.reads(ANA, before))
    assert link(card) == url


async def test_two_presses_send_one_message(journey: Journey) -> None:
    await journey.asks()
    question = await journey.asks(f"send {NUMBER}")
    await asyncio.gather(*(journey.slack.press(ANA, question, "send_link") for _ in range(3)))
    await journey.finish()
    assert sent(journey) == [("SMS", NUMBER)]


async def test_cancel_sends_nothing_and_takes_the_buttons_away(journey: Journey) -> None:
    await journey.asks()
    question = await journey.asks(f"send {NUMBER}")
    await presses(journey, question, "cancel_sending")
    assert question.text == "Nothing was sent."
    assert buttons(question) == {}
    assert sent(journey) == []


async def test_cancel_after_send_does_not_read_as_unsent(journey: Journey) -> None:
    await journey.asks()
    question = await journey.asks(f"send {NUMBER}")
    await journey.genesys.inject_fault("slow", on="sms", seconds=0.7)
    await journey.slack.press(ANA, question, "send_link")
    await presses(journey, question, "cancel_sending")
    assert "to …0123" in question.text
    assert sent(journey) == [("SMS", NUMBER)]


async def test_with_several_sessions_open_the_person_says_whose_link(journey: Journey) -> None:
    await journey.asks("One")
    second = await journey.asks("Two")
    question = await journey.asks(f"send {NUMBER}")
    rows = [block for block in question.blocks if "accessory" in block]
    (row,) = (block for block in rows if "Two" in block["text"]["text"])
    await presses(journey, question, "send_link", block_id=row["block_id"])
    (sms,) = journey.genesys.outbox.sent
    assert link(second) in sms.text


async def test_without_an_open_session_there_is_nothing_to_send(journey: Journey) -> None:
    message = await journey.asks(f"send {NUMBER}")
    assert is_failure(message)
    assert "no open session" in words(message) or "no session" in words(message)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("+81 90 1234 5678", "I don’t text numbers in this country (JP)"),
        ("+1 900 555 0123", "number can’t get texts"),
        ("+49 30 123456", "number can’t get texts"),
        ("+1 415 555", "That phone number doesn’t exist"),
        ("999 999 9999", "The country code is missing"),
        ("carla@localhost.local", "That doesn’t look like an email address"),
    ],
)
async def test_unusable_address_is_told_and_nothing_is_sent(journey: Journey, text: str, told: str) -> None:
    await journey.asks()
    message = await journey.asks(f"send {text}")
    assert is_failure(message)
    assert told in words(message)
    assert "Nothing was sent" in words(message)
    assert "try_again" not in buttons(message)
    assert sent(journey) == []


async def test_without_a_sender_it_is_off_and_no_button_is_there() -> None:
    async with open_journey(COBROWSE_SMS_FROM="", COBROWSE_EMAIL_FROM="") as journey:
        card = await journey.asks()
        assert "send_to_customer" not in buttons(card)
        message = await journey.asks(f"send {NUMBER}")
        assert "Sending texts isn’t set up here" in words(message)
        await journey.asks(who=SAM)
        assert "`COBROWSE_SMS_FROM`" in words(await journey.asks(f"send {NUMBER}", who=SAM))


async def test_only_the_agent_of_a_session_may_send_it(journey: Journey) -> None:
    card = await journey.asks("@ben Checkout", who=SAM)
    (note,) = journey.slack.seen_by(BEN)
    assert "send_to_customer" in buttons(note)
    question = await journey.asks(f"send {EMAIL_ADDRESS}", who=BEN)
    await presses(journey, question, "send_link", who=BEN)
    assert sent(journey) == [("Email", EMAIL_ADDRESS)]
    assert link(card) in journey.genesys.outbox.sent[0].text


async def test_a_session_that_ended_before_the_press_is_not_sent(journey: Journey) -> None:
    await journey.asks()
    question = await journey.asks(f"send {NUMBER}")
    await journey.asks("end")
    await presses(journey, question, "send_link")
    assert "already ended" in words(question)
    assert sent(journey) == []


async def test_somebody_else_who_presses_is_refused(journey: Journey) -> None:
    """Nobody else sees the question. Only Slack's payload says who pressed."""
    await journey.asks()
    other, question = [await journey.asks(f"send {NUMBER}") for _ in range(2)]
    payload = (await journey.slack.press(ANA, other, "cancel_sending")).payload
    button = buttons(question)["send_link"]
    action = {**payload["actions"][0], "action_id": "send_link", "value": button["value"]}
    before = len(journey.slack.messages)
    theirs = {**payload, "user": {**payload["user"], "id": BEN}, "actions": [action], "response_url": None}
    await journey.slack.send(theirs, "interactive")
    assert f"Only <@{ANA}> can see this link" in words(await journey.reads(BEN, before))
    assert sent(journey) == []


async def test_a_sixth_message_within_a_minute_waits(journey: Journey) -> None:
    await journey.asks()
    for number in range(6):
        question = await journey.asks(f"send +1415555012{number}")
        await presses(journey, question, "send_link")
    assert len(sent(journey)) == 5
    last = journey.slack.seen_by(ANA)[-1]
    assert "You’ve sent too many links just now" in words(last)
    assert "send_link" in buttons(question)  # it can be pressed once more


@pytest.mark.parametrize(("address", "path"), [(NUMBER, SMS), (EMAIL_ADDRESS, EMAIL)], ids=["sms", "email"])
async def test_message_of_unknown_outcome_is_not_sent_again(journey: Journey, address: str, path: str) -> None:
    await journey.asks()
    question = await journey.asks(f"send {address}")
    await journey.genesys.inject_fault("dropped", on="sms" if path == SMS else "email")
    await presses(journey, question, "send_link")
    assert "may or may not be sent" in words(question)
    assert buttons(question) == {}
    assert journey.genesys.count("sms" if path == SMS else "email") == 1


async def test_call_refused_unread_is_sent_when_it_may_be(journey: Journey) -> None:
    await journey.asks()
    question = await journey.asks(f"send {NUMBER}")
    await journey.genesys.inject_fault("429", on="sms", times=1, retry_after=0)
    await presses(journey, question, "send_link")
    await journey.slack.workspace.until(lambda: sent(journey), ANSWER_TIMEOUT)
    assert sent(journey) == [("SMS", NUMBER)]


@pytest.mark.parametrize("who", [ANA, SAM], ids=["agent", "contact"])
async def test_a_missing_permission_is_named_to_the_contact(journey: Journey, who: str) -> None:
    await journey.asks(who=who)
    question = await journey.asks(f"send {NUMBER}", who=who)
    journey.genesys.conversations.missing_permissions.add("conversation:message:create")
    await presses(journey, question, "send_link", who=who)
    assert "Genesys doesn’t let me send links yet. Nothing was sent." in words(question)
    assert ("`conversation:message:create`" in words(question)) is (who == SAM)
    assert (f"<@{SAM}>" in words(question)) is (who == ANA)


async def test_numbers_and_addresses_stay_in_neither_log_nor_store(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "bot")
    file = tmp_path / "book.db"
    audit = tmp_path / "audit.log"
    async with open_journey(DATABASE_URL=f"sqlite:///{file}", AUDIT_LOG=str(audit)) as journey:
        await journey.asks()
        for address in (NUMBER, EMAIL_ADDRESS):
            question = await journey.asks(f"send {address}")
            await presses(journey, question, "send_link")
        await journey.asks("send +4930123456")
    logged = "\n".join(f"{record.getMessage()} {getattr(record, 'fields', '')}" for record in caplog.records)
    assert "…0123" in logged
    assert "…@example.com" in logged
    with sqlite3.connect(file) as book:
        stored = "\n".join(map(str, [*book.execute("SELECT * FROM requests"), *book.execute("SELECT * FROM sessions")]))
    book.close()
    audited = audit.read_text()
    assert [json.loads(line).get("sent_to") for line in audited.splitlines()][2::2] == ["…0123", "…@example.com"]
    assert all(json.loads(line)["reference"] for line in audited.splitlines()[2:5:2])
    for secret in ("4155550123", "carla", "30123456"):
        assert secret not in audited
        assert secret not in logged
        assert secret not in stored
