"""A direct-message channel that Slack no longer knows: the bot asks for the new one and posts again."""

import asyncio

import pytest

from bot.core.errors import CobrowseError, SharingError
from bot.sandbox.slack.server import Message
from bot.slack.api.direct_messages import GONE
from tests.support import session_messages
from tests.support.app import ANA, BEN, Journey, link, open_journey, words
from tests.support.session_buttons import confirms
from tests.support.session_messages import World
from tests.support.views import opens_home

world = session_messages.world


@pytest.fixture
async def posted(journey: Journey) -> tuple[Journey, Message]:
    """Return a card whose session is also shown in Ana's direct messages, so that the bot has cached their channel."""
    card = await journey.asks()
    before = len(journey.slack.messages)
    await journey.slack.press(ANA, card, "session_menu", chosen="copy")
    await journey.slack.until(lambda: len(journey.slack.messages) == before + 1)
    return journey, card


def directs(journey: Journey, before: int) -> list[Message]:
    workspace = journey.slack.workspace
    return [each for each in journey.slack.messages[before:] if workspace.im_owner(each.channel) == ANA]


async def test_send_to_me_arrives_in_the_new_channel(posted: tuple[Journey, Message]) -> None:
    journey, card = posted
    moved, before = journey.slack.workspace.move_im(ANA), len(journey.slack.messages)
    made = len(journey.slack.calls)
    await journey.slack.press(ANA, card, "session_menu", chosen="copy")
    (message,) = await journey.slack.until(lambda: directs(journey, before))
    assert (message.channel, link(message)) == (moved, link(card))
    calls = [call.method for call in journey.slack.calls[made:] if call.method.startswith(("conversations", "chat"))]
    assert calls == ["chat.postMessage", "conversations.open", "chat.postMessage"]
    await journey.slack.press(ANA, card, "session_menu", chosen="copy")
    await journey.slack.until(lambda: len(directs(journey, before)) == 2)
    assert journey.slack.count("conversations.open") == 2  # the new one is kept


async def test_form_outcome_is_told_in_the_new_channel(posted: tuple[Journey, Message]) -> None:
    """A form's outcome has no other way to the person."""
    journey, _ = posted
    moved, before = journey.slack.workspace.move_im(ANA), len(journey.slack.messages)
    await journey.slack.command(ANA, "new")
    view = await journey.slack.until(lambda: next((v for v in journey.slack.views_of(ANA) if "submit" in v.body), None))
    assert (await journey.slack.submit(ANA, view, {"name": "Form"})).acked
    message = await journey.reads(ANA, before)
    assert message.channel == moved
    assert "Form" in words(message)


async def test_home_tab_press_is_told_in_the_new_channel(posted: tuple[Journey, Message]) -> None:
    journey, _ = posted
    home = await opens_home(journey, ANA)
    moved, before = journey.slack.workspace.move_im(ANA), len(journey.slack.messages)
    await confirms(journey.slack, ANA, home, "row_menu", chosen="end")
    message = await journey.reads(ANA, before)
    assert (message.channel, "Ended" in message.text) == (moved, True)


@pytest.mark.parametrize("word", GONE)
async def test_each_of_slacks_words_for_it_is_understood(world: World, word: str) -> None:
    record = await world.made()
    await world.session_messages.send_direct(record, ANA)
    world.servers.slack.inject_fault("chat.postMessage", word, times=1)
    await world.session_messages.send_direct(record, ANA)
    slack = world.servers.slack
    assert (slack.count("conversations.open"), slack.count("chat.postMessage")) == (2, 3)


@pytest.mark.parametrize(
    ("word", "opened", "tried"),
    [("channel_not_found", 2, 3), ("restricted_action", 1, 2), ("msg_too_long", 1, 2)],
)
async def test_a_channel_that_is_refused_again_is_given_up(world: World, word: str, opened: int, tried: int) -> None:
    record = await world.made()
    await world.session_messages.send_direct(record, ANA)
    slack = world.servers.slack
    slack.inject_fault("chat.postMessage", word)
    with pytest.raises(SharingError, match=r"^message_not_posted$"):
        await world.session_messages.send_direct(record, ANA)
    assert (slack.count("conversations.open"), slack.count("chat.postMessage")) == (opened, tried)


async def test_a_channel_that_has_just_been_opened_is_not_opened_again(world: World) -> None:
    slack = world.servers.slack
    slack.inject_fault("chat.postMessage", "channel_not_found")
    with pytest.raises(CobrowseError):
        await world.session_messages.send_direct(await world.made(), ANA)
    assert (slack.count("conversations.open"), slack.count("chat.postMessage")) == (1, 1)


async def test_a_message_that_moved_says_that_its_session_is_over(world: World) -> None:
    record = await world.made(target=BEN)
    for who in (ANA, BEN):
        await world.session_messages.send_direct(record, who)
    messages = [each for each in world.servers.slack.messages if each.visible_to is None]
    for who in (ANA, BEN):
        world.servers.slack.workspace.move_im(who)
    await world.store.sessions.end_session("s-1", None)  # type: ignore[arg-type]
    await world.update_ended()
    assert [" · ended " in words(message) for message in messages] == [True, True]
    assert await world.store.sessions.posts("s-1") == []  # type: ignore[arg-type]


async def test_a_message_that_is_gone_with_its_channel_is_dropped() -> None:
    """This happens after a reset of the sandbox's Slack."""
    async with open_journey() as journey:
        card = await journey.asks()
        before = len(journey.slack.messages)
        await journey.slack.press(ANA, card, "session_menu", chosen="copy")
        await journey.slack.until(lambda: len(journey.slack.messages) == before + 1)
        (message,) = directs(journey, before)
        journey.slack.workspace.move_im(ANA)
        journey.slack.workspace.delete(message)
        before = len(journey.slack.messages)
        await journey.slack.command(ANA, "end")
        await journey.reads(ANA, before)
        async with asyncio.timeout(5):
            while journey.slack.count("chat.update") < 2:  # noqa: ASYNC110 - it has no event
                await asyncio.sleep(0.05)
        await journey.finish()
        assert journey.slack.count("chat.update") == 2  # where it was, and where it would be now
        assert "ended by" not in words(message)
