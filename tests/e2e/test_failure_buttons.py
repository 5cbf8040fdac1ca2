"""The buttons below an error with the real bot: each press does what its label says, for the requester only."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot.core.timing import CoreTiming, NoticeTiming
from bot.sandbox.slack.server import Message
from tests.support.accounts import BENS
from tests.support.app import (
    ADA,
    ANA,
    ANSWER_TIMEOUT,
    BEN,
    BILLING,
    GUS,
    SAM,
    UNA,
    Journey,
    buttons,
    is_failure,
    is_notice,
    link,
    open_journey,
    words,
)
from tests.support.conversations import KEY, talk
from tests.support.message_buttons import labels
from tests.support.session_buttons import POST
from tests.support.session_buttons import presses as posts
from tests.support.views import filled, said

LATE = NoticeTiming(poll_seconds=0.05, edit_pause_seconds=0.05, retry_seconds=0.1, report_timeout=0.0)
"""The bot answers before the administrators' message is stored."""
ADMINS = {"COBROWSE_ADMINS": ADA, "COBROWSE_HELP_CONTACT": ADA}


@pytest.fixture
async def late() -> AsyncIterator[Journey]:
    """Yield a bot that knows the administrator's name. Else it asks Slack for it, and stores the message meanwhile."""
    async with open_journey(timing=CoreTiming(notices=LATE), **ADMINS) as opened:
        assert labels(await opened.asks(who=UNA)) == ["Ask Ada Admin to connect me"]
        yield opened


async def notice(journey: Journey, says: str, reader: str = ADA) -> Message:
    """Wait until a notice to this reader contains these words, and return it."""

    def found() -> Message | None:
        seen = [one for one in journey.slack.messages if is_notice(one) and says in words(one)]
        return next((one for one in seen if journey.slack.workspace.can_see(reader, one)), None)

    return await journey.slack.until(found, ANSWER_TIMEOUT)


async def answer(journey: Journey, message: Message, action: str, *, who: str = ANA, **how: Any) -> Message:
    """Press a button, and return the message that answers it."""
    before = len(journey.slack.messages)
    delivery = await journey.slack.press(who, message, action, **how)
    assert delivery.acked, delivery.error
    return await journey.reads(who, before)


async def test_person_tells_the_administrator_of_a_fault_by_one_press(late: Journey) -> None:
    await late.genesys.inject_fault("401")
    failed = await late.asks("One")
    assert f"Please tell <@{ADA}>" in words(failed)
    assert labels(failed) == ["Tell Ada Admin"]
    assert words(await answer(late, failed, "tell_administrators")) == f":white_check_mark: I’ve told <@{ADA}>."
    await notice(late, "failing for 1 person")
    await late.genesys.inject_fault(None)
    assert link(await late.asks("Two"))
    await notice(late, "Working again")
    assert words(await answer(late, failed, "tell_administrators")) == "It works again."


async def test_nobody_passes_on_the_request_of_somebody_else(late: Journey) -> None:
    await late.genesys.inject_fault("401")
    failed = await late.asks("One")
    assert "Only the person who asked" in words(await answer(late, failed, "tell_administrators", who=BEN))
    assert "Guests can’t use co-browse" in words(await answer(late, failed, "tell_administrators", who=GUS))
    assert f"<@{BEN}>" not in words(await notice(late, "failing for 1 person"))


async def test_administrators_are_asked_to_connect_somebody_once_a_day() -> None:
    async with open_journey(timing=CoreTiming(notices=LATE), **ADMINS) as journey:
        refused = await journey.asks("link @ben name@example.com")
        assert labels(refused) == ["Ask Ada Admin"]
        assert "I’ve told" in words(await answer(journey, refused, "tell_administrators"))
        asked = await notice(journey, f"<@{ANA}> asks to connect <@{BEN}> to Genesys.")
        assert list(buttons(asked)) == ["connect_person"]
        assert "I’ve told" in words(await answer(journey, refused, "tell_administrators"))
        assert sum(is_notice(one) for one in journey.slack.messages) == 1


@pytest.mark.parametrize("text", ["why", "status", "last", "end", "send name@example.com", "whoami", "help", "Deal"])
async def test_agent_without_a_user_reads_the_same_card_everywhere(text: str) -> None:
    async with open_journey(**ADMINS) as journey:
        card = await journey.asks(text, who=UNA)
        assert "Your Slack account isn’t connected to Genesys yet." in words(card)
        assert labels(card) == ["Ask Ada Admin to connect me"]


async def test_supervisor_without_sessions_reads_that_there_are_none() -> None:
    async with open_journey(COBROWSE_SUPERVISORS=UNA, COBROWSE_ADMINS=ADA, COBROWSE_HELP_CONTACT=ADA) as journey:
        refused = await journey.asks("last", who=UNA)
        assert "No sessions yet" in words(refused)
        assert labels(refused) == ["Start one"]


async def test_start_one_starts_a_session(journey: Journey) -> None:
    refused = await journey.asks("end")
    assert labels(refused) == ["Start one"]
    assert link(await answer(journey, refused, "help_start"))


async def test_unknown_session_leads_to_ones_own(journey: Journey) -> None:
    card = await journey.asks("Checkout")
    assert link(card)
    refused = await journey.asks("end 12345678-unknown")
    assert labels(refused) == ["My sessions"]
    assert "Checkout" in words(await answer(journey, refused, "help_sessions"))


async def test_message_that_is_shared_already_is_one_press_away(journey: Journey) -> None:
    card = await journey.asks("Checkout", channel_id=BILLING)
    await posts(journey, card, POST)
    again = await posts(journey, card, POST)
    assert "already posted" in words(again)
    (shown,) = [one for one in journey.slack.messages if one.via == "chat.postMessage" and one.channel == BILLING]
    assert buttons(again)["open"]["text"]["text"] == "Go to message"
    assert buttons(again)["open"]["url"] == f"https://sandbox.slack.com/archives/{BILLING}/p{shown.ts.replace('.', '')}"


async def test_start_goes_on_with_an_application_that_exists() -> None:
    async with open_journey(COBROWSE_APPLICATION_ID="gone", **ADMINS) as journey:
        refused = await journey.asks("Checkout")
        assert f"I’m telling <@{ADA}> now." in words(refused)
        first = labels(refused)[0]
        assert first.startswith("Start with ")
        assert "Only the person who asked" in words(await answer(journey, refused, "start_with_first", who=BEN))
        await journey.slack.press(ANA, refused, "start_with_first")
        await journey.slack.until(lambda: "is ready" in refused.text, ANSWER_TIMEOUT)
        (session,) = journey.genesys.sessions.values()
        assert (session.name, session.application_id) == ("Checkout", "web")


async def test_interaction_is_pasted_into_the_form() -> None:
    async with open_journey(**KEY | ADMINS) as journey:
        refused = await journey.asks("Checkout")
        assert labels(refused) == ["Paste the interaction link…", "Try again"]
        delivery = await journey.slack.press(ANA, refused, "paste_interaction")
        assert delivery.acked
        assert "Interaction" in said(await filled(journey, ANA))


async def test_refused_host_reads_the_same_in_a_conversation() -> None:
    async with open_journey(**KEY | ADMINS) as journey:
        talk(journey)
        await journey.genesys.inject_fault("invalid-host")
        refused = await journey.asks("Checkout")
        assert "Genesys won’t let you co-browse. Nothing was started." in words(refused)
        assert "Usually a license is missing." in words(refused)
        assert labels(refused) == ["Open Genesys"]
        assert buttons(refused)["open"]["url"] == "https://apps.mypurecloud.com/directory/"
        talk(journey, host=BENS)
        refused = await journey.asks("@ben Checkout", who=SAM)
        assert "Genesys won’t let this agent co-browse." in words(refused)


async def test_organization_without_the_create_call_is_named_to_administrators() -> None:
    async with open_journey(**ADMINS) as journey:
        await journey.genesys.inject_fault("404")
        refused = await journey.asks("Checkout")
        assert "my setup doesn’t fit your Genesys" in words(refused)
        assert "GENESYS" not in words(refused)
        fix = "Set `GENESYS_COBROWSE_API=conversations` and restart the bot."
        assert fix in words(await notice(journey, "does not have the call that creates sessions"))
        assert fix in words(await journey.asks("Checkout", who=ADA))


async def test_user_group_of_administrators_is_named() -> None:
    async with open_journey(COBROWSE_ADMINS="S0LEADS", COBROWSE_HELP_CONTACT="") as journey:
        refused = await journey.asks("Checkout", who=UNA)
        assert is_failure(refused)
        assert "Ask <!subteam^S0LEADS> to connect you." in words(refused)
        await journey.genesys.inject_fault("401")
        assert f"I’m telling <@{BEN}> now." in words(await journey.asks("Checkout"))


async def test_question_which_link_to_send_counts_those_it_leaves_out(journey: Journey) -> None:
    for number in range(11):
        assert link(await journey.asks(f"Session {number}"))
    question = await journey.asks("send name@example.com")
    assert "3 more open sessions aren’t shown." in words(question)
    assert "11 open sessions" in words(await answer(journey, question, "help_sessions"))
