"""The question whether to send a link in a dialog of an earlier version: the dialog shows the outcome."""

import pytest

from bot.sandbox.slack.server import View
from bot.slack.messages.customer_message import CANCEL_ACTION, SEND_ACTION
from tests.support.app import ANA, BEN, Journey, words
from tests.support.customer_messages import NUMBER, ask_in, sent
from tests.support.views import asks_for_a_form, presses, said, sends, shown


async def asked(journey: Journey) -> View:
    """Return a dialog that asks whether to send the link of Ana's session."""
    view = await asks_for_a_form(journey, ANA)
    await sends(journey, ANA, view, name="Deal")
    (session_id,) = journey.genesys.sessions
    ask_in(view, session_id)
    assert presses(view) == [SEND_ACTION, CANCEL_ACTION]
    return view


async def test_send_shows_its_answer_in_the_dialog(either: Journey) -> None:
    view = await asked(either)
    await either.slack.press(ANA, view, SEND_ACTION)
    await shown(either, view, "Texted the link of “Deal” to …0123.")
    assert sent(either) == [("SMS", NUMBER)]
    assert presses(view) == []
    assert len(either.slack.seen_by(ANA)) == 1  # the copy of the card


async def test_failed_send_is_told_in_the_dialog(journey: Journey) -> None:
    view = await asked(journey)
    await journey.genesys.inject_fault("403", on="sms")
    await journey.slack.press(ANA, view, SEND_ACTION)
    await shown(journey, view, "Genesys doesn’t let me send links yet. Nothing was sent.")
    assert sent(journey) == []


async def test_closed_dialog_leaves_the_answer_to_a_direct_message(journey: Journey) -> None:
    view = await asked(journey)
    before = len(journey.slack.messages)
    await journey.genesys.inject_fault("slow", on="sms", seconds=0.5)
    await journey.slack.press(ANA, view, SEND_ACTION)
    await journey.slack.close(ANA, view)
    assert "Texted the link of “Deal” to …0123." in words(await journey.reads(ANA, before))


async def test_cancel_shows_in_the_dialog_that_nothing_was_sent(either: Journey) -> None:
    view = await asked(either)
    await either.slack.press(ANA, view, CANCEL_ACTION)
    await shown(either, view, "Nothing was sent.")
    assert presses(view) == []
    await either.finish()
    assert sent(either) == []


@pytest.mark.parametrize("first", [SEND_ACTION, CANCEL_ACTION])
async def test_first_press_of_send_and_cancel_counts(journey: Journey, first: str) -> None:
    """The second press comes before the bot has changed the dialog, and has no effect."""
    view = await asked(journey)
    (other,) = {SEND_ACTION, CANCEL_ACTION} - {first}
    blocks = view.blocks
    await journey.slack.press(ANA, view, first)
    view.body["blocks"] = blocks
    await journey.slack.press(ANA, view, other)
    await shown(journey, view, "to …0123." if first == SEND_ACTION else "Nothing was sent.")
    await journey.finish()
    assert len(sent(journey)) == (first == SEND_ACTION)
    assert ("Nothing was sent" in said(view)) is (first == CANCEL_ACTION)


async def test_press_by_somebody_else_sends_nothing(journey: Journey) -> None:
    view = await asked(journey)
    payload = (await journey.slack.press(ANA, view, CANCEL_ACTION)).payload
    (session_id,) = journey.genesys.sessions
    action = {**payload["actions"][0], "action_id": SEND_ACTION, "value": f"anotherasked {session_id} {NUMBER}"}
    before = len(journey.slack.messages)
    theirs = {**payload, "user": {**payload["user"], "id": BEN}, "actions": [action], "view": None}
    await journey.slack.send(theirs, "interactive")
    assert f"Only <@{ANA}> can see this link" in words(await journey.reads(BEN, before))
    assert sent(journey) == []
