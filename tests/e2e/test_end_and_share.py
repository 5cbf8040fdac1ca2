"""The buttons of a session, over the real sockets: each checks who presses it, and says what has become of it."""

import asyncio

import pytest

from bot.sandbox.slack.server import Message, SlackChannel
from tests.support.app import (
    ANA,
    BEN,
    BILLING,
    CARE,
    GUS,
    OUTSIDER,
    SAM,
    SHARED,
    UNA,
    Journey,
    buttons,
    is_failure,
    link,
    open_journey,
    words,
)
from tests.support.session_buttons import presses, says, status
from tests.support.timing import FRESH_STATUS

ACTIONS = ("end_session", "share_session", "send_session")


async def public(journey: Journey) -> Message:
    """The message in a channel that everybody there can read."""
    found = [each for each in journey.slack.messages if each.visible_to is None and each.via == "chat.postMessage"]
    (message,) = [each for each in found if journey.slack.workspace.im_owner(each.channel) is None]
    return message


async def direct(journey: Journey, who: str) -> Message:
    """The direct message that somebody has."""
    (message,) = [each for each in journey.slack.seen_by(who) if journey.slack.workspace.im_owner(each.channel) == who]
    return message


# -- End --


async def test_end_takes_the_place_of_the_card_and_the_link_is_gone(either: Journey) -> None:
    card = await either.asks("Deal")
    url = link(card)
    assert buttons(card)["end_session"]["confirm"]["style"] == "danger"
    told = await presses(either, card, "end_session")
    assert told is card
    assert "Co-browse session over" in words(card)
    assert url not in str(card.blocks)
    assert buttons(card) == {}
    assert status(either) == ["ended"]


async def test_end_on_a_card_whose_session_is_over_takes_its_place_too(either: Journey) -> None:
    card = await either.asks("Deal")
    await either.asks("end")
    assert "end_session" in buttons(card)  # an ephemeral message cannot be changed but by its own button
    told = await presses(either, card, "end_session")
    assert told is card
    assert "already ended" in words(card)
    assert buttons(card) == {}


async def test_end_pressed_twice_ends_once(journey: Journey) -> None:
    card = await journey.asks("Deal")
    before = len(journey.slack.messages)
    await asyncio.gather(*(journey.slack.press(ANA, card, "end_session") for _ in range(2)))
    await says(journey, card, "over")
    await journey.finish()
    assert journey.genesys.count("end") <= 2
    assert status(journey) == ["ended"]
    assert all("link" not in words(message) for message in journey.slack.messages[before:])


async def test_an_end_that_fails_leaves_the_card_and_its_link(journey: Journey) -> None:
    card = await journey.asks("Deal")
    url = link(card)
    await journey.genesys.inject_fault("500", on="end")
    told = await presses(journey, card, "end_session")
    assert is_failure(told)
    assert told is not card
    assert link(card) == url


async def test_end_in_a_list_leaves_the_others(journey: Journey) -> None:
    urls = [link(await journey.asks(name)) for name in ("One", "Two")]
    listed = await journey.asks("status")
    row = next(block for block in listed.blocks if block["type"] == "actions")
    told = await presses(journey, listed, "end_session", block_id=row["block_id"])
    assert "“Two” is over now" in words(told)
    assert urls[0] in str(listed.blocks)
    alone = await journey.asks("status")
    assert await presses(journey, alone, "end_session") is alone
    assert "Co-browse session over" in words(alone)


async def test_of_a_redelivered_press_there_is_one_end(journey: Journey) -> None:
    card = await journey.asks("Deal")
    pressed = await journey.slack.press(ANA, card, "end_session")
    await says(journey, card, "Co-browse session over")
    messages = len(journey.slack.messages)
    assert (await journey.slack.redeliver(pressed)).acked
    await journey.finish()
    assert (journey.genesys.count("end"), len(journey.slack.messages)) == (1, messages)


# -- Share and Send --


async def test_shared_message_says_who_and_ends_with_the_session(either: Journey) -> None:
    card = await either.asks("Deal")
    assert "Everybody in this channel" in str(buttons(card)["share_session"]["confirm"])
    told = await presses(either, card, "share_session")
    message = await public(either)
    assert f"everybody in <#{CARE}> sees" in words(told)
    assert (message.channel, link(message)) == (CARE, link(card))
    assert f"<@{ANA}> shares a co-browse session" in words(message)
    assert message in either.slack.seen_by(BEN)
    assert "It’s already posted in this channel" in words(await presses(either, card, "share_session"))
    url = link(card)
    await presses(either, card, "end_session")
    await says(either, message, "Co-browse session over")
    assert url not in str(message.blocks)
    assert await public(either) is message


async def test_sent_direct_message_ends_with_the_session(either: Journey) -> None:
    card = await either.asks("Deal")
    told = await presses(either, card, "send_session")
    assert "in your direct messages" in words(told)
    message = await direct(either, ANA)
    assert link(message) == link(card)
    told = await presses(either, message, "end_session")
    assert "is over now" in words(told)
    await says(either, message, "Co-browse session over")


async def test_a_session_whose_time_runs_out_is_over_where_it_stands() -> None:
    async with open_journey(timing=FRESH_STATUS, COBROWSE_TIMEOUT_SECONDS="60") as journey:
        card = await journey.asks("Deal")
        for action in ("share_session", "send_session"):
            await presses(journey, card, action)
        next(iter(journey.genesys.sessions.values())).status = "expired"
        assert "You have no open session" in words(await journey.asks("status"))
        for message in (await public(journey), await direct(journey, ANA)):
            await says(journey, message, "Co-browse session over")
        for action in ("share_session", "send_session"):
            assert "already ended" in words(await presses(journey, card, action))


@pytest.mark.parametrize(
    ("channel", "why"), [(SHARED, "people from other organizations"), ("C0SECRET", "I’m not in this channel")]
)
async def test_session_is_not_shared_where_outsiders_may_read(journey: Journey, channel: str, why: str) -> None:
    secret = SlackChannel("C0SECRET", "secret", bot_is_member=False, is_private=True)
    journey.slack.workspace.channels[secret.id] = secret
    card = await journey.asks("Deal", channel_id=channel)
    assert why in words(await presses(journey, card, "share_session"))
    assert all(message.visible_to for message in journey.slack.messages)


async def test_session_is_shared_in_a_public_channel_without_the_bot(journey: Journey) -> None:
    card = await journey.asks("Deal", channel_id=BILLING)
    await presses(journey, card, "share_session")
    assert (await public(journey)).channel == BILLING


async def test_outside_the_channels_that_are_allowed_it_is_not_shared() -> None:
    async with open_journey(COBROWSE_CHANNELS=CARE) as journey:
        await journey.asks("Deal")
        message = await journey.asks("last", channel_id=BILLING)
        assert "can’t share co-browse links in this channel" in words(await presses(journey, message, "share_session"))
        assert all(message.visible_to for message in journey.slack.messages)


async def test_in_a_direct_message_there_is_nobody_to_share_with(journey: Journey) -> None:
    await journey.asks("Deal")
    message = await journey.asks("last", channel_id=journey.slack.workspace.open_im(ANA))
    assert "share_session" not in buttons(message)


@pytest.mark.parametrize("action", ["share_session", "send_session"])
async def test_a_slack_that_takes_no_message_is_told_and_tried_again(journey: Journey, action: str) -> None:
    card = await journey.asks("Deal")
    journey.slack.inject_fault("chat.postMessage", "ratelimited", retry_after=60)
    failed = await presses(journey, card, action)
    assert "Slack didn’t accept my message" in words(failed)
    journey.slack.inject_fault("chat.postMessage", None)
    told = await presses(journey, failed, "try_again")
    assert "now" in words(told)
    assert link(card)


# -- who may --


@pytest.mark.parametrize(("who", "may"), [(BEN, True), (SAM, True), (UNA, False), (GUS, False)])
async def test_permitted_people_end_a_session_in_a_channel(journey: Journey, who: str, may: bool) -> None:
    """Ben's session, which Sam started; shared, so that everybody can press."""
    card = await journey.asks("@ben Deal", who=SAM)
    await presses(journey, card, "share_session", who=SAM)
    message = await public(journey)
    told = await presses(journey, message, "end_session", who=who)
    assert ("is over now" in words(told)) is may
    assert status(journey) == ["ended" if may else "active"]
    if who == UNA:
        assert f"Only <@{BEN}> and <@{SAM}>, supervisors and administrators" in words(told)


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("who", [GUS, OUTSIDER, UNA])
async def test_button_does_nothing_for_a_person_without_the_right(journey: Journey, who: str, action: str) -> None:
    """A card that somebody else somehow got hold of."""
    card = await journey.asks("Deal", channel_id=SHARED)
    told = await presses(journey, card, action, who=who)
    assert is_failure(told)
    assert link(card) not in str(told.blocks)
    assert status(journey) == ["active"]
    assert [each for each in journey.slack.messages if each.visible_to is None] == []


@pytest.mark.parametrize("action", ACTIONS)
async def test_a_press_for_a_session_that_is_unknown_says_so(journey: Journey, action: str) -> None:
    card = await journey.asks("Deal")
    for row in (block for block in card.blocks if block["type"] == "actions"):
        for element in row["elements"]:
            if "value" in element:
                element["value"] = "unknown"
    assert "I can’t find that session" in words(await presses(journey, card, action))


async def test_open_is_acknowledged_and_nothing_else(either: Journey) -> None:
    card = await either.asks("Deal")
    calls, messages = len(either.slack.calls), len(either.slack.messages)
    pressed = await either.slack.press(ANA, card, "open")
    assert (pressed.acked, pressed.body or None) == (True, None)
    await either.finish()
    assert (len(either.slack.calls), len(either.slack.messages)) == (calls, messages)
