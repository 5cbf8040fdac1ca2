"""The wait notice after a press whose answer replaces the message: it replaces the message until the answer does."""

import asyncio

import pytest

from bot.core.timing import CoreTiming, RunTiming
from bot.sandbox.slack.server import Message
from tests.support.app import ANA, ANSWER_TIMEOUT, Journey, buttons, is_failure, is_note, link, open_journey, words
from tests.support.conversations import KEY, talk
from tests.support.customer_messages import NUMBER, sent
from tests.support.session_buttons import confirms, opens, presses
from tests.support.timing import EARLY_NOTICES
from tests.support.views import asks_for_a_form, said, sends

LATE_NOTICES = CoreTiming(run=RunTiming(first_notice_seconds=0.1, stop_notice_seconds=0.05))


async def failed(journey: Journey, text: str = "") -> Message:
    """Return the error message of a command that failed. Genesys works again."""
    await journey.genesys.inject_fault("dropped", times=1)
    message = await journey.asks(text)
    assert is_failure(message)
    return message


async def says(journey: Journey, message: Message, text: str) -> None:
    await journey.slack.workspace.until(lambda: text in words(message) or None, ANSWER_TIMEOUT)


@pytest.mark.parametrize("timing", [EARLY_NOTICES], ids=["early"])
async def test_waiting_note_takes_the_place_of_the_failure_and_makes_way_for_the_card(either: Journey) -> None:
    message = await failed(either, "Checkout help")
    seen = either.slack.seen_by(ANA)  # on a slow machine, the failure had a note, too
    used = either.slack.count("response_url")
    await either.genesys.inject_fault("slow", seconds=1.5)
    await either.slack.press(ANA, message, "try_again")
    await says(either, message, "Starting your session…")
    assert "try_again" not in buttons(message)
    await says(either, message, "*Checkout help*")
    assert link(message)
    await either.finish()
    assert either.slack.seen_by(ANA) == seen
    assert either.slack.count("response_url") == used + 2  # of the five uses that a press has


@pytest.mark.parametrize("timing", [EARLY_NOTICES], ids=["early"])
async def test_waiting_note_makes_way_for_the_second_failure(journey: Journey) -> None:
    message = await failed(journey)
    seen = journey.slack.seen_by(ANA)
    journey.genesys.latency_seconds = 1.5
    await journey.genesys.inject_fault("dropped", times=1)
    await journey.slack.press(ANA, message, "try_again")
    await says(journey, message, "Starting your session…")
    await journey.slack.workspace.until(lambda: is_failure(message) or None, ANSWER_TIMEOUT)
    assert "try_again" in buttons(message)
    assert journey.slack.seen_by(ANA) == seen


@pytest.mark.parametrize("timing", [EARLY_NOTICES], ids=["early"])
async def test_picked_conversation_takes_the_place_of_the_question_and_the_note(timing: CoreTiming) -> None:
    async with open_journey(timing=timing, **KEY) as journey:
        for customer in ("Carla", "Carl"):
            talk(journey, customer)
        question = await journey.asks("Checkout")
        await journey.slack.workspace.until(lambda: is_failure(question) or None, ANSWER_TIMEOUT)
        before = len(journey.slack.messages)
        journey.genesys.latency_seconds = 0.7
        await journey.slack.press(ANA, question, "pick_conversation")
        await says(journey, question, "Starting your session…")
        await says(journey, question, "join by")
        await journey.finish()
        assert len(journey.slack.messages) == before


@pytest.mark.parametrize("timing", [EARLY_NOTICES], ids=["early"])
async def test_note_of_a_press_on_a_card_leaves_the_card(journey: Journey) -> None:
    card = await journey.asks("Checkout")
    await journey.genesys.inject_fault("slow", on="end", seconds=1.5)
    await confirms(journey.slack, ANA, card, "ask_end_session")
    note = await journey.slack.workspace.until(lambda: next(filter(is_note, journey.slack.seen_by(ANA)), None), 3)
    assert note is not card
    assert link(card)  # the end may fail, and then the link still counts
    await says(journey, card, f"ended by <@{ANA}>")


@pytest.mark.parametrize("timing", [EARLY_NOTICES], ids=["early"])
async def test_new_session_takes_the_place_of_the_note_on_an_ended_card(journey: Journey) -> None:
    card = await journey.asks("Checkout")
    await journey.asks("end")
    (session,) = journey.genesys.sessions.values()
    assert session.status == "ended"
    await presses(journey, card, "ask_end_session")
    before = len(journey.slack.messages)
    await journey.genesys.inject_fault("slow", seconds=1.5)
    await journey.slack.press(ANA, card, "start_new_session")
    await says(journey, card, "Starting your session…")
    await journey.slack.workspace.until(lambda: buttons(card).get("ask_end_session"), ANSWER_TIMEOUT)
    assert link(card)
    assert len(journey.slack.messages) == before


@pytest.mark.parametrize("timing", [LATE_NOTICES], ids=["late"])
async def test_note_that_arrives_after_the_answer_does_not_stay(journey: Journey) -> None:
    message = await failed(journey, "Checkout help")
    seen = journey.slack.seen_by(ANA)
    used = journey.slack.count("response_url")
    await journey.genesys.inject_fault("slow", seconds=0.4)
    journey.slack.inject_fault("response_url", "slow", times=1, seconds=1.0)
    await journey.slack.press(ANA, message, "try_again")
    await journey.slack.workspace.until(lambda: journey.slack.count("response_url") == used + 3, ANSWER_TIMEOUT)
    await journey.finish()
    shown = [call.args["text"] for call in journey.slack.calls if call.method == "response_url"][used:]
    assert ["Starting" in text for text in shown] == [True, False, False]
    assert link(message)
    assert journey.slack.seen_by(ANA) == seen


@pytest.mark.parametrize("timing", [LATE_NOTICES], ids=["late"])
async def test_late_note_does_not_replace_the_answer_in_a_dialog(journey: Journey) -> None:
    view = await asks_for_a_form(journey, ANA)
    used = journey.slack.count("views.update")
    await journey.genesys.inject_fault("slow", seconds=0.6)
    journey.slack.inject_fault("views.update", "slow", times=1, seconds=1.5)
    delivery = await journey.slack.submit(ANA, view, {"name": "Checkout help"})
    assert delivery.acked, delivery.error
    await journey.slack.until(lambda: journey.slack.count("views.update") == used + 3, ANSWER_TIMEOUT)
    await journey.finish()
    assert "*Checkout help*" in said(view)


@pytest.mark.parametrize("timing", [LATE_NOTICES], ids=["late"])
async def test_late_note_does_not_replace_the_outcome_of_a_send(journey: Journey) -> None:
    form = await asks_for_a_form(journey, ANA)
    await sends(journey, ANA, form, name="Deal")
    dialog = await opens(journey, form, "send_to_customer")
    await journey.slack.submit(ANA, dialog, {"to": NUMBER})
    await journey.genesys.inject_fault("slow", on="sms", seconds=0.6)
    journey.slack.inject_fault("views.update", "ratelimited", times=1, retry_after=1)
    used = journey.slack.count("views.update")
    await journey.slack.submit(ANA, dialog)
    await journey.slack.until(lambda: journey.slack.count("views.update") == used + 4, ANSWER_TIMEOUT)
    await journey.finish()
    assert sent(journey) == [("SMS", NUMBER)]
    assert "Texted" in said(dialog)


@pytest.mark.parametrize("timing", [LATE_NOTICES], ids=["late"])
async def test_note_is_not_repeated_once_a_command_has_its_answer(journey: Journey) -> None:
    await journey.asks("Warm")
    await journey.genesys.inject_fault("slow", seconds=0.6)
    journey.slack.inject_fault("response_url", "ratelimited", times=1, retry_after=1)
    card = await journey.asks("Checkout help")
    await asyncio.sleep(1.2)
    assert link(card)
    assert journey.slack.seen_by(ANA)[-1] is card
