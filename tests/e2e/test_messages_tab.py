"""An app whose Messages tab is off: a form shows its outcome itself, and says whom to tell."""

import pytest

from bot.sandbox.slack.server import View
from tests.support.app import ANA, CARE, SAM, Journey, link, words
from tests.support.views import HERE, START, asks_for_a_form, filled, said

TAB = f"I can’t send you direct messages here. Please tell <@{SAM}>."


@pytest.fixture
async def muted(journey: Journey) -> Journey:
    journey.slack.inject_fault("chat.postMessage", "messages_tab_disabled")
    return journey


async def window(journey: Journey, who: str, text: str) -> View:
    """Wait until a view contains this text, and return it."""
    return await journey.slack.until(
        lambda: next((view for view in journey.slack.views_of(who) if text in said(view)), None), 6
    )


async def test_answer_to_a_form_comes_in_its_channel(muted: Journey) -> None:
    view = await asks_for_a_form(muted, ANA)
    before = len(muted.slack.messages)
    await muted.slack.submit(ANA, view, {"name": "Checkout"})
    message = await muted.reads(ANA, before)
    assert (message.channel, message.visible_to, message.via) == (CARE, ANA, "chat.postEphemeral")
    assert link(message)
    assert TAB in words(message)


async def test_person_who_can_turn_the_tab_on_reads_how(muted: Journey) -> None:
    view = await asks_for_a_form(muted, SAM)
    before = len(muted.slack.messages)
    await muted.slack.submit(SAM, view, {"name": "Checkout"})
    assert "Turn on the Messages Tab under App Home" in words(await muted.reads(SAM, before))


async def test_answer_to_a_message_shortcut_comes_in_its_channel(muted: Journey) -> None:
    asked = muted.slack.post_message(SAM, CARE, "look at this")
    await muted.slack.message_shortcut(ANA, asked, HERE)
    view = await filled(muted, ANA)
    before = len(muted.slack.messages)
    await muted.slack.submit(ANA, view, {})
    message = await muted.reads(ANA, before)
    assert (message.visible_to, link(message) != "", TAB in words(message)) == (ANA, True, True)


async def test_answer_to_a_global_shortcut_comes_in_a_window(muted: Journey) -> None:
    for name in ("One", "Two"):  # at first it is not known that there are no direct messages
        await muted.slack.shortcut(ANA, START)
        await muted.slack.submit(ANA, await filled(muted, ANA), {"name": name})
        view = await window(muted, ANA, TAB)
        session = list(muted.genesys.sessions.values())[-1]
        assert session.name == name
        assert session.join_url in str(view.blocks)
        await muted.slack.close(ANA, view)


async def test_slow_answer_to_a_global_shortcut_comes_in_the_form(muted: Journey) -> None:
    await muted.slack.shortcut(ANA, START)
    await muted.slack.submit(ANA, await filled(muted, ANA), {})
    await muted.slack.close(ANA, await window(muted, ANA, TAB))
    muted.genesys.latency_seconds = 3.5  # longer than a trigger_id lives
    await muted.slack.shortcut(ANA, START)
    await muted.slack.submit(ANA, await filled(muted, ANA), {"name": "Slow"})
    assert "leave this open" in said(await window(muted, ANA, "Starting"))
    assert TAB in said(await window(muted, ANA, TAB))


async def test_failure_of_a_form_is_told_in_its_channel(muted: Journey) -> None:
    view = await asks_for_a_form(muted, ANA)
    await muted.genesys.inject_fault("403")
    before = len(muted.slack.messages)
    await muted.slack.submit(ANA, view, {})
    message = await muted.reads(ANA, before)
    assert "Genesys doesn’t let me do this yet. Nothing was started." in words(message)
    assert TAB in words(message)
