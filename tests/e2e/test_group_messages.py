"""Group messages, to which no app can post: the bot offers no Share there, and a press of an old Share says why."""

import pytest

from bot.sandbox.slack.server import SlackChannel
from tests.support.app import ANA, CARE, Journey, buttons, link, words
from tests.support.session_buttons import POST, confirms

NAME = "mpdm-ana--ben--sam-1"


@pytest.mark.parametrize("channel_id", ["C0GROUP", "G0GROUP"])
@pytest.mark.parametrize("text", ["", "status", "last"])
async def test_group_message_offers_no_share(journey: Journey, channel_id: str, text: str) -> None:
    await journey.asks(channel_id=CARE)
    journey.slack.workspace.channels[channel_id] = SlackChannel(channel_id, NAME, bot_is_member=False)
    message = await journey.asks(text, channel_id=channel_id)
    assert link(message) if text != "status" else words(message)
    assert "End session" in str(message.blocks)
    assert "Post in this channel" not in str(message.blocks)


async def test_share_pressed_in_a_group_message_says_what_to_do(journey: Journey) -> None:
    card = await journey.asks(channel_id=CARE)
    channels = journey.slack.workspace.channels
    channels[CARE] = SlackChannel(CARE, NAME, bot_is_member=False)  # a button that an earlier version left there
    before = len(journey.slack.messages)
    await confirms(journey.slack, ANA, card, POST)
    message = await journey.reads(ANA, before)
    assert "Copy the link or code and paste it here yourself." in words(message)
    assert "Invite me" not in words(message)
    assert "try_again" not in buttons(message)


async def test_try_again_in_a_group_message_offers_no_share(journey: Journey) -> None:
    journey.slack.workspace.channels["C0GROUP"] = SlackChannel("C0GROUP", NAME, bot_is_member=False)
    await journey.genesys.inject_fault("500")
    message = await journey.asks(channel_id="C0GROUP")
    await journey.genesys.inject_fault(None)
    await journey.tries_again(message)
    assert "End session" in str(message.blocks)
    assert "Post in this channel" not in str(message.blocks)
