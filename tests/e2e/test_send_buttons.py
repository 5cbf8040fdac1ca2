"""The button *Send to customer* is on every session that its reader may send, and nowhere else."""

import pytest

from bot.slack.messages.session_card import SEND_LINK
from tests.support.app import ANA, ANSWER_TIMEOUT, BEN, SAM, Journey, buttons, link, open_journey, words
from tests.support.customer_messages import NUMBER, sent
from tests.support.session_buttons import POST, confirms
from tests.support.views import home_says, opens_home
from tests.support.views import presses as presses_of


async def fills_in(journey: Journey, who: str) -> None:
    """Fill in the address in the dialog that was just opened, and confirm."""
    form = await journey.slack.workspace.until(
        lambda: next((each for each in journey.slack.views_of(who) if each.is_open), None), ANSWER_TIMEOUT
    )
    await journey.slack.submit(who, form, {"to": NUMBER})
    assert (await journey.slack.submit(who, form)).acked
    await journey.slack.workspace.until(lambda: journey.genesys.outbox.sent, ANSWER_TIMEOUT)


@pytest.mark.parametrize("text", ["status", "last", "list"])
async def test_button_stands_wherever_a_reader_sees_the_session(either: Journey, text: str) -> None:
    card = await either.asks("Deal", who=SAM)
    if text == "list":
        await either.asks("Theirs", who=BEN)
    answer = await either.asks(text, who=SAM)
    if text == "last":
        await either.slack.press(SAM, answer, "send_to_customer")
    else:
        rows = [row for row in answer.blocks if SEND_LINK.text in str(row)]
        assert len(rows) == 1  # and none beside Ben's, in the list of all
        await either.slack.press(SAM, answer, "row_menu", chosen="send", block_id=rows[0]["block_id"])
    await fills_in(either, SAM)
    (sms,) = either.genesys.outbox.sent
    assert (sms.to, link(card) in sms.text) == (NUMBER, True)


async def test_send_in_the_home_tab_is_answered_in_a_direct_message(either: Journey) -> None:
    card = await either.asks("Deal")
    await opens_home(either, ANA)
    home = await home_says(either, ANA, "*Deal*")
    before = len(either.slack.messages)
    await either.slack.press(ANA, home, "row_menu", chosen="send")
    await fills_in(either, ANA)
    told = await either.reads(ANA, before)
    assert either.slack.workspace.im_owner(told.channel) == ANA
    assert "Texted the link of “Deal” to …0123" in words(told)
    (sms,) = either.genesys.outbox.sent
    assert link(card) in sms.text


async def test_share_stands_in_a_direct_message_to_oneself(either: Journey) -> None:
    card = await either.asks("Deal")
    before = len(either.slack.messages)
    await either.slack.press(ANA, card, "session_menu", chosen="copy")
    await either.slack.workspace.until(lambda: len(either.slack.messages) == before + 1, ANSWER_TIMEOUT)
    (kept,) = [each for each in either.slack.messages if either.slack.workspace.im_owner(each.channel) == ANA]
    await either.slack.press(ANA, kept, "send_to_customer")
    await fills_in(either, ANA)
    assert sent(either) == [("SMS", NUMBER)]
    await either.slack.workspace.until(lambda: "✓ Texted to …0123" in words(kept) or None, ANSWER_TIMEOUT)
    assert link(kept) == link(card)
    await either.asks("end")  # the copy still follows the session
    await either.slack.workspace.until(lambda: "ended by" in words(kept) or None, ANSWER_TIMEOUT)


async def test_nobody_gets_it_in_what_a_channel_reads(journey: Journey) -> None:
    card = await journey.asks("Deal")
    before = len(journey.slack.messages)
    await confirms(journey.slack, ANA, card, POST)
    shared = await journey.slack.workspace.until(
        lambda: next((m for m in journey.slack.messages[before:] if m.visible_to is None), None), ANSWER_TIMEOUT
    )
    assert link(shared) == link(card)
    assert "send_to_customer" not in buttons(shared)


async def test_without_a_sender_it_stands_nowhere() -> None:
    async with open_journey(COBROWSE_SMS_FROM="", COBROWSE_EMAIL_FROM="") as journey:
        await journey.asks("Deal")
        for text in ("status", "last"):
            assert "send_to_customer" not in buttons(await journey.asks(text))
        assert "send_to_customer" not in presses_of(await opens_home(journey, ANA))
