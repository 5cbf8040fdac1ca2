"""The dialog of a form shows the outcome. A direct message holds a copy, or the only answer if the dialog is closed."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from bot.sandbox.slack.server import View
from tests.support.app import (
    ANA,
    BILLING,
    CARE,
    HOSTS,
    QUICK_GENESYS,
    QUICK_SLACK,
    Journey,
    is_failure,
    link,
    open_journey,
    words,
)
from tests.support.conversations import KEY
from tests.support.session_buttons import DETAILS, END, confirms, opens
from tests.support.timing import SHORT_WAITS_ANNOUNCED
from tests.support.views import START, asks_for_a_form, complaints, presses, said, sends, shown


async def submitted(journey: Journey, view: View, **values: Any) -> dict[str, Any]:
    """Submit a form as Ana, and return the body of the acknowledgement."""
    delivery = await journey.slack.submit(ANA, view, values)
    assert delivery.acked, delivery.error
    assert isinstance(delivery.body, dict)
    return delivery.body


def dialog_link(view: View) -> str:
    """Return the customer's link in a dialog."""
    (rich,) = [block for block in view.blocks if block["type"] == "rich_text"]
    return str(rich["elements"][0]["elements"][0]["text"])


async def test_submitted_form_waits_and_then_shows_link_and_buttons(either: Journey) -> None:
    either.genesys.latency_seconds = 0.5
    view = await asks_for_a_form(either, ANA)
    body = await submitted(either, view, name="Deal")
    assert body["response_action"] == "update"
    assert "Starting your session…" in said(view)
    assert "submit" not in view.body
    await shown(either, view, "Deal")
    (session,) = either.genesys.sessions.values()
    assert dialog_link(view) == session.join_url
    assert set(presses(view)) == {"send_to_customer", END, "session_menu"}
    assert link(await either.slack.next_message(ANA)) == session.join_url


async def test_refusal_that_comes_at_once_stays_in_the_dialog() -> None:
    """Slack applies the acknowledgement a little later, and it must not replace the refusal."""
    timing = replace(QUICK_SLACK, view_settle_seconds=0.6)
    async with open_journey(slack_timing=timing, COBROWSE_CHANNELS=CARE) as journey:
        journey.slack.views.ack_delay_seconds = 0.2
        view = await asks_for_a_form(journey, ANA)
        view.body["private_metadata"] = f'["{BILLING}", ""]'  # as of a form from before the rule
        message = await sends(journey, ANA, view)
        assert is_failure(message)
        await asyncio.sleep(0.3)
        assert words(message) in said(view)


async def test_closed_dialog_leaves_the_direct_message_alone(either: Journey, caplog: pytest.LogCaptureFixture) -> None:
    either.genesys.latency_seconds = 0.5
    view = await asks_for_a_form(either, ANA)
    await submitted(either, view)
    await either.slack.close(ANA, view)
    assert link(await either.slack.next_message(ANA))
    await either.finish()
    assert complaints(caplog) == []
    assert len(either.slack.seen_by(ANA)) == 1
    assert [call.error for call in either.slack.calls if call.method == "views.update"][-1] == "not_found"


async def test_failed_update_of_a_dialog_still_brings_the_direct_message(journey: Journey) -> None:
    view = await asks_for_a_form(journey, ANA)
    journey.slack.inject_fault("views.update", "internal_error")
    await submitted(journey, view)
    assert link(await journey.slack.next_message(ANA))
    assert "direct messages" in said(view)


async def test_wait_is_told_in_the_dialog() -> None:
    timing, genesys_timing = SHORT_WAITS_ANNOUNCED, replace(QUICK_GENESYS, rate_window_seconds=2.0)
    async with open_journey(timing=timing, genesys_timing=genesys_timing) as journey:
        journey.genesys.allowed_per_minute, journey.genesys.minute_seconds = 1, 2.0  # the search uses it up
        view = await asks_for_a_form(journey, ANA)
        await submitted(journey, view, name="Deal")
        await shown(journey, view, "Genesys is busy. Your link comes in about")
        await shown(journey, view, "Deal")


async def test_try_again_in_the_dialog_brings_the_link_there(either: Journey) -> None:
    view = await asks_for_a_form(either, ANA)
    await either.genesys.inject_fault("dropped", times=1)
    failure = await sends(either, ANA, view, name="Deal")
    assert is_failure(failure)
    assert "try_again" in presses(view)
    either.genesys.latency_seconds = 0.5
    before = len(either.slack.messages)
    await either.slack.press(ANA, view, "try_again")
    await shown(either, view, "Trying again…")
    copy = await either.reads(ANA, before)
    await shown(either, view, words(copy))
    assert dialog_link(view) == link(copy)
    before = len(either.slack.messages)
    await either.slack.press(ANA, failure, "try_again")  # the copy of the failure
    assert "already" in words(await either.reads(ANA, before))
    assert len(either.genesys.creates) == 2


async def test_session_that_is_ended_in_the_dialog_is_over_there(journey: Journey) -> None:
    view = await asks_for_a_form(journey, ANA)
    copy = await sends(journey, ANA, view, name="Deal")
    await confirms(journey.slack, ANA, view, END)
    await shown(journey, view, "*Deal* · ended by")
    assert presses(view) == ["start_new_session"]
    assert journey.slack.views_of(ANA) == [view]
    await journey.slack.until(lambda: "has ended" in copy.text or None)
    await journey.finish()
    assert journey.slack.seen_by(ANA) == [copy]  # what the dialog shows needs no message


async def test_ended_session_in_the_dialog_makes_way_for_a_new_one(either: Journey) -> None:
    view = await asks_for_a_form(either, ANA)
    await sends(either, ANA, view, name="Deal")
    await confirms(either.slack, ANA, view, END)
    await shown(either, view, "*Deal* · ended by")
    before = len(either.slack.messages)
    await either.slack.press(ANA, view, "start_new_session")
    copy = await either.reads(ANA, before)
    await shown(either, view, words(copy))
    assert dialog_link(view) == link(copy)
    assert [create.body["sessionName"] for create in either.genesys.creates] == ["Deal", "Deal"]


async def test_details_stand_above_the_dialog(journey: Journey) -> None:
    view = await asks_for_a_form(journey, ANA)
    await sends(journey, ANA, view, name="Deal")
    details = await opens(journey, view, DETAILS)
    assert details.previous_view_id == view.id
    (session,) = journey.genesys.sessions
    assert session in said(details)


async def test_link_is_sent_from_the_dialog_above_it(either: Journey) -> None:
    view = await asks_for_a_form(either, ANA)
    copy = await sends(either, ANA, view, name="Deal")
    form = await opens(either, view, "send_to_customer")
    assert (form.previous_view_id, form.body["title"]["text"]) == (view.id, "Text or email link")
    assert (await submitted(either, form, to="+14155550123"))["response_action"] == "update"
    assert "+1 415-555-0123" in said(form)
    assert (await submitted(either, form))["response_action"] == "update"
    await shown(either, form, "Texted to …0123")
    await either.slack.redeliver(either.slack.deliveries[-1])
    assert "Texted to" not in said(form)  # the acknowledgement says to wait
    await shown(either, form, "Texted to …0123")
    assert [sent.to for sent in either.genesys.outbox.sent] == ["+14155550123"]
    assert either.slack.seen_by(ANA) == [copy]
    await either.slack.close(ANA, form)
    assert either.slack.views_of(ANA) == [view]
    assert dialog_link(view) == link(copy)


async def test_cancelled_question_in_a_dialog_sends_nothing(journey: Journey) -> None:
    view = await asks_for_a_form(journey, ANA)
    copy = await sends(journey, ANA, view)
    form = await opens(journey, view, "send_to_customer")
    await submitted(journey, form, to="+14155550123")
    assert "+1 415-555-0123" in said(form)
    await journey.slack.close(ANA, form)
    await journey.finish()
    assert journey.genesys.outbox.sent == []
    assert dialog_link(view) == link(copy)


async def test_choice_among_conversations_is_made_in_the_dialog() -> None:
    async with open_journey(**KEY) as journey:
        host = f"{HOSTS[ANA]}-1111-4111-8111-111111111111"
        for name in ("Carla", "Carl"):
            journey.genesys.conversations.begin(host, name)
        view = await asks_for_a_form(journey, ANA)
        await sends(journey, ANA, view)
        before = len(journey.slack.messages)
        await journey.slack.press(ANA, view, "pick_conversation")
        await shown(journey, view, words(await journey.reads(ANA, before)))


async def test_refused_form_has_a_close_button() -> None:
    async with open_journey(COBROWSE_CHANNELS=BILLING) as journey:
        await journey.slack.shortcut(ANA, START)
        view = await journey.slack.until(lambda: next(iter(journey.slack.views_of(ANA)), None))
        await shown(journey, view, "You can’t start co-browse from here")
