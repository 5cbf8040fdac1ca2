"""A customer's address in the form: the session starts, and its card has a button that sends the link."""

import logging
import re
import sqlite3
from pathlib import Path

import pytest

from bot.sandbox.slack.server import Message, View
from bot.slack.messages.ambiguity import OFFER_ACTION
from bot.slack.messages.catalogue.questions import SENT_ALREADY
from bot.slack.messages.catalogue.sentence import ENGLISH
from bot.storage.encryption import new_key
from tests.support.app import ANA, ANSWER_TIMEOUT, BEN, CARE, NO_KEY, SAM, Journey, link, open_journey, words
from tests.support.customer_messages import EMAIL_ADDRESS, NUMBER, sent
from tests.support.session_buttons import END, confirms, says
from tests.support.views import HERE, asks_for_a_form, fields, filled, presses, said, sends, shown, with_all_fields

SECRETS = ("4155550123", "555-0123", "carla")


def is_offered(thing: Message | View) -> bool:
    return OFFER_ACTION in str(thing.blocks)


async def test_link_is_sent_from_the_dialog_with_one_press(either: Journey) -> None:
    view = await asks_for_a_form(either, ANA)
    copy = await sends(either, ANA, view, send_to="+1 (415) 555-0123", name="Refund")
    assert [create.body["sessionName"] for create in either.genesys.creates] == ["Refund"]
    assert "Send this link to *+1 415-555-0123*?" in said(view)
    assert not re.search(r"555\D{0,2}0123", copy.text)
    assert sent(either) == []
    await either.slack.press(ANA, view, OFFER_ACTION)
    await shown(either, view, "✓ Texted to …0123")
    assert sent(either) == [("SMS", NUMBER)]
    assert link(copy) in said(view)
    assert link(copy) in either.genesys.outbox.sent[0].text
    assert not is_offered(view)
    assert "send_to_customer" in presses(view)  # to send it again
    before = len(either.slack.messages)
    await either.slack.press(ANA, copy, OFFER_ACTION)
    assert words(await either.reads(ANA, before)) == ENGLISH.say(SENT_ALREADY)
    assert len(sent(either)) == 1


@pytest.mark.parametrize("fault", ["403", "bad-request"])
async def test_link_that_was_not_sent_can_be_sent_by_another_press(journey: Journey, fault: str) -> None:
    card = await journey.asks(f"{NUMBER} Deal")
    for _ in range(2):
        await journey.genesys.inject_fault(fault, on="sms")
        before = len(journey.slack.messages)
        await journey.slack.press(ANA, card, OFFER_ACTION)
        assert "Nothing was sent" in words(await journey.reads(ANA, before))
    await journey.genesys.inject_fault(None)
    await journey.slack.press(ANA, card, OFFER_ACTION)
    await says(journey, card, "✓ Texted to …0123")
    assert sent(journey) == [("SMS", NUMBER)]


async def test_link_that_may_be_sent_is_not_sent_by_another_press(journey: Journey) -> None:
    card = await journey.asks(f"{NUMBER} Deal")
    await journey.genesys.inject_fault("502", on="sms")
    told = []
    for _ in range(2):
        before = len(journey.slack.messages)
        await journey.slack.press(ANA, card, OFFER_ACTION)
        told.append(words(await journey.reads(ANA, before)))
        await journey.genesys.inject_fault(None)
    assert "may or may not be sent" in told[0]
    assert told[1] == told[0]
    assert sent(journey) == [("SMS", NUMBER)]


async def test_copy_offers_the_link_where_the_dialog_is_closed(either: Journey) -> None:
    view = await asks_for_a_form(either, ANA)
    copy = await sends(either, ANA, view, send_to=EMAIL_ADDRESS)
    await either.slack.close(ANA, view)
    await either.slack.press(ANA, copy, OFFER_ACTION)
    await says(either, copy, "✓ Emailed to …@example.com")
    assert sent(either) == [("Email", EMAIL_ADDRESS)]
    await confirms(either.slack, ANA, copy, END)
    await says(either, copy, "ended by")


async def test_customers_language_is_chosen_in_the_dialog() -> None:
    texts = {"COBROWSE_EMAIL_TEXT_FR": "Partagez votre écran : {joinUrl}", "COBROWSE_EMAIL_SUBJECT_FR": "Votre lien"}
    async with open_journey(**texts) as journey:
        view = await asks_for_a_form(journey, ANA)
        copy = await sends(journey, ANA, view, send_to=EMAIL_ADDRESS)
        await journey.slack.press(ANA, view, OFFER_ACTION, values={"customer_language": "fr"})
        await shown(journey, view, "✓ Emailed to …@example.com")
        (mail,) = journey.genesys.outbox.sent
        assert (mail.subject, mail.text) == ("Votre lien", f"Partagez votre écran : {link(copy)}")


async def test_wrong_address_is_told_at_its_field_and_can_be_mended(either: Journey) -> None:
    view = await asks_for_a_form(either, ANA)
    for typed, words_of in (
        ("12 34", "The country code is missing."),
        ("+81 90 1234 5678", "I don’t text numbers in this country (JP)."),
        ("Carla", "That isn’t a phone number or an email address."),
    ):
        await either.slack.submit(ANA, view, {"send_to": typed, "name": "Refund"})
        assert view.errors["send_to"].startswith(words_of)
        assert "<" not in view.errors["send_to"]
    assert either.genesys.creates == []
    assert is_offered(await sends(either, ANA, view, send_to=NUMBER))


async def test_address_is_never_a_name_and_is_led_to_its_field(journey: Journey) -> None:
    view = await asks_for_a_form(journey, ANA)
    await journey.slack.submit(ANA, view, {"name": f"Refund {NUMBER}"})
    assert view.errors["name"].endswith("Put it into the field above.")
    assert journey.genesys.creates == []


async def test_form_asks_for_no_address_where_nothing_is_sent() -> None:
    async with open_journey(**NO_KEY) as journey:
        assert "send_to" not in fields(await asks_for_a_form(journey, ANA))


async def test_more_options_keep_what_was_typed(either: Journey) -> None:
    view = await asks_for_a_form(either, SAM)
    view.values.update({("send_to", "send_to"): NUMBER, ("name", "name"): "Refund", ("host", "host"): BEN})
    await with_all_fields(either, SAM, view)
    assert fields(view) == ["host", "send_to", "name", "duration"]
    assert view.values["name", "name"] == "Refund"
    copy = await sends(either, SAM, view, duration="3600")
    (create,) = either.genesys.creates
    assert (create.body["sessionName"], create.body["timeoutSeconds"]) == ("Refund", 3600)
    assert is_offered(copy)
    (bens,) = either.slack.seen_by(BEN)
    assert not any(secret in f"{bens.text}{bens.blocks}" for secret in SECRETS)


async def test_second_press_of_more_options_changes_nothing(journey: Journey) -> None:
    view = await asks_for_a_form(journey, ANA)
    delivery = await journey.slack.press(ANA, view, "form_more")
    await journey.slack.until(lambda: presses(view) == [], ANSWER_TIMEOUT)
    was = fields(view)
    assert (await journey.slack.redeliver(delivery)).acked
    await journey.finish()
    assert fields(view) == was


async def test_session_with_an_address_stands_in_the_thread_without_it(journey: Journey) -> None:
    message = journey.slack.post_message(BEN, CARE, "Refund for Carla")
    await journey.slack.message_shortcut(ANA, message, HERE)
    copy = await sends(journey, ANA, await filled(journey, ANA), send_to=NUMBER, thread=["thread"])
    assert "Posted in the thread." in words(copy)
    assert is_offered(copy)
    (reply,) = [each for each in journey.slack.messages if each.thread_ts == message.ts]
    assert not is_offered(reply)
    assert not any(secret in f"{reply.text}{reply.blocks}" for secret in SECRETS[:2])


async def test_repeated_start_still_offers_the_link(journey: Journey) -> None:
    view = await asks_for_a_form(journey, ANA)
    await journey.genesys.inject_fault("500", times=4)
    await sends(journey, ANA, view, send_to=NUMBER, name="Refund")
    await journey.genesys.inject_fault(None)
    await journey.slack.press(ANA, view, "try_again")
    await journey.slack.until(lambda: is_offered(view) or None, ANSWER_TIMEOUT)
    await journey.slack.press(ANA, view, OFFER_ACTION)
    await shown(journey, view, "✓ Texted to …0123")
    assert sent(journey) == [("SMS", NUMBER)]


async def test_address_stays_in_neither_store_nor_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "bot")
    file, audit = tmp_path / "store.db", tmp_path / "audit.log"
    environ = {"DATABASE_URL": f"sqlite:///{file}", "AUDIT_LOG": str(audit), "STORE_ENCRYPTION_KEY": new_key()}
    async with open_journey(**environ) as journey:
        for address in (NUMBER, EMAIL_ADDRESS):
            view = await asks_for_a_form(journey, ANA)
            await journey.slack.submit(ANA, view, {"send_to": "+1 415 555-0123 0"})
            await sends(journey, ANA, view, send_to=address, name=f"Refund {len(address)}")
            await journey.slack.press(ANA, view, OFFER_ACTION)
            await shown(journey, view, "✓ ")
        created = str([create.body for create in journey.genesys.creates])
        listed = words(await journey.asks("list", who=SAM))
    with sqlite3.connect(file) as store:
        stored = str([*store.execute("SELECT * FROM requests"), *store.execute("SELECT * FROM sessions")])
    store.close()
    logged = "\n".join(f"{record.getMessage()} {getattr(record, 'fields', '')}" for record in caplog.records)
    for text in (stored, logged, created, listed, audit.read_text()):
        assert not any(secret in text for secret in SECRETS)
