"""An SMS to a customer in an active SMS conversation: the person reads why, and gets the link to paste there."""

import pytest

from bot.genesys.api.customer_messages import is_about_active_conversation
from bot.sandbox.genesys import faults
from bot.sandbox.genesys.fault_effects import refuse
from tests.support.app import ANA, SAM, Journey, buttons, is_failure, link, words
from tests.support.customer_messages import NUMBER, sent
from tests.support.message_buttons import presses

TOLD = "Your company is already texting with this customer. Nothing was sent."
ACTIVE = [
    "There is an active conversation with this address. Set useExistingActiveConversation to send the message in it.",
    "An active conversation already exists for the given addresses",
    "Unable to send an agentless message: active conversation 1234 exists",
    "The conversation is currently active.",
    "conversation already exists",
    "There is an ongoing SMS conversation with +14155550123.",
]
OTHER = [
    "There is no active conversation with this address.",
    "The number +14155550123 is not active.",
    "The toAddress has opted out.",
    "The conversation could not be created: the integration is inactive.",
    "The conversation limit is reached; open a ticket.",
    "Not an active conversation.",
]


async def question_pressed(journey: Journey, who: str = ANA, **fault: str) -> tuple[str, str, str]:
    """Press *Send*. Return the session's link, and the text and the blocks of the outcome."""
    card = await journey.asks("Checkout", who=who)
    question = await journey.asks(f"send {NUMBER}", who=who)
    await journey.genesys.inject_fault("active-conversation", on="sms", **fault)
    await presses(journey, question, "send_link", who=who)
    assert is_failure(question)
    assert question.visible_to == who
    assert "try_again" not in buttons(question)
    assert sent(journey) == []
    assert journey.genesys.count("sms") == 1
    for said in (question.text, words(question)):
        assert NUMBER not in said
        assert "0123" not in said
    shown = "".join(
        part["text"]
        for block in question.blocks
        if block["type"] == "rich_text"
        for element in block["elements"]
        for part in element["elements"]
    )
    return link(card), question.text, words(question) + shown


async def test_the_person_reads_where_to_paste_the_link(either: Journey) -> None:
    url, text, shown = await question_pressed(either)
    assert TOLD in shown
    assert "Paste the link into that conversation" in shown
    assert f"<@{SAM}>" not in shown
    assert url in shown
    assert url not in text  # notifications show it


@pytest.mark.parametrize("said", ACTIVE)
async def test_other_words_for_it_are_understood(journey: Journey, said: str) -> None:
    assert TOLD in (await question_pressed(journey, message=said))[2]


async def test_another_status_for_it_is_understood(journey: Journey, monkeypatch: pytest.MonkeyPatch) -> None:
    kind = faults._FaultType("It is in conflict.", refuse(409, ACTIVE[0], "conflict"), on=("sms",))
    monkeypatch.setitem(faults._FAULT_TYPES, "active-conversation", kind)
    assert TOLD in (await question_pressed(journey))[2]


@pytest.mark.parametrize("said", OTHER)
async def test_the_contact_reads_other_refusals_in_genesys_words(journey: Journey, said: str) -> None:
    shown = (await question_pressed(journey, SAM, message=said))[2]
    assert TOLD not in shown
    assert "Genesys didn’t accept this. Nothing was sent." in shown
    assert f"Genesys refused the request (400): “{said.replace(NUMBER, '…')}”" in shown


async def test_agent_reads_of_another_refusal_whom_to_tell(journey: Journey) -> None:
    shown = (await question_pressed(journey, message=OTHER[0]))[2]
    assert TOLD not in shown
    assert "Genesys didn’t accept this. Nothing was sent." in shown
    assert f"<@{SAM}>" in shown
    assert OTHER[0] not in shown


async def test_last_shows_the_link_that_was_not_sent(journey: Journey) -> None:
    url, _, shown = await question_pressed(journey)
    assert url in shown
    await journey.genesys.inject_fault(None)
    assert link(await journey.asks("last")) == url


def test_every_word_of_it_is_told_apart() -> None:
    assert [said for said in ACTIVE if not is_about_active_conversation(said)] == []
    assert [said for said in OTHER if is_about_active_conversation(said)] == []
