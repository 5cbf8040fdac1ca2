"""The message shortcut: it suggests a name, and offers to post the session in the message's thread."""

import asyncio
from dataclasses import replace

import pytest

from bot.sandbox.slack.server import Message, SlackChannel, View
from tests.support.app import ANA, BEN, CARE, SAM, SHARED, Journey, link, open_journey, words
from tests.support.session_buttons import END, confirms
from tests.support.views import HERE, complaints, fields, filled, sends

TEXT = "*Customer 4711* needs help\nand soon"


async def opens(journey: Journey, text: str = TEXT, channel_id: str = CARE) -> tuple[View, Message]:
    """Open Ana's form with the shortcut of a message by Ben."""
    message = journey.slack.post_message(BEN, channel_id, text)
    assert (await journey.slack.message_shortcut(ANA, message, HERE)).acked
    return await filled(journey, ANA), message


def replies(journey: Journey, message: Message) -> list[Message]:
    return [each for each in journey.slack.messages if each.thread_ts == message.ts]


async def test_first_line_is_the_suggested_name_and_can_be_changed(either: Journey) -> None:
    view, message = await opens(either)
    assert view.values["name", "name"] == "Customer 4711 needs help"
    await sends(either, ANA, view, name="Refund")
    assert [session.name for session in either.genesys.sessions.values()] == ["Refund"]
    assert replies(either, message) == []


async def test_suggested_name_is_taken_as_it_is(journey: Journey) -> None:
    view, _ = await opens(journey)
    await sends(journey, ANA, view)
    assert [session.name for session in journey.genesys.sessions.values()] == ["Customer 4711 needs help"]


@pytest.mark.parametrize("line", ["call +14155550199", "mail carla@example.com", "<mailto:carla@example.com|Carla>"])
async def test_line_with_an_address_suggests_no_name(journey: Journey, line: str) -> None:
    message = journey.slack.workspace.add(CARE, line, [], via="person", user=BEN)
    await journey.slack.message_shortcut(ANA, message, HERE)
    view = await filled(journey, ANA)
    assert view.values["name", "name"] is None
    assert "carla" not in str(view.body)
    assert "4155550199" not in str(view.body)


async def test_checked_box_posts_the_session_in_the_thread_once(either: Journey) -> None:
    view, message = await opens(either)
    assert "thread" in fields(view)
    copy = await sends(either, ANA, view, thread=["thread"])
    assert "Posted in the thread." in words(copy)
    (reply,) = replies(either, message)
    assert link(reply) == link(copy)
    assert f"<@{ANA}> posted “Customer 4711 needs help”" in words(reply)
    await confirms(either.slack, ANA, view, END)
    await either.slack.until(lambda: "ended by" in words(reply), 6)


async def test_reply_in_a_thread_leads_to_the_same_thread(journey: Journey) -> None:
    message = journey.slack.post_message(BEN, CARE, "look")
    reply = journey.slack.workspace.add(CARE, "me, too", [], via="person", user=BEN, thread_ts=message.ts)
    await journey.slack.message_shortcut(ANA, reply, HERE)
    await sends(journey, ANA, await filled(journey, ANA), thread=["thread"])
    assert len(replies(journey, message)) == 2


async def test_unchecked_box_posts_nothing(journey: Journey) -> None:
    view, message = await opens(journey)
    await sends(journey, ANA, view)
    assert replies(journey, message) == []


async def test_box_stands_only_where_a_session_may_be_shared(journey: Journey) -> None:
    channels = journey.slack.workspace.channels
    channels["C0PRIVATE"] = SlackChannel("C0PRIVATE", "private", bot_is_member=False, is_private=True)
    direct = journey.slack.workspace.open_im(ANA)
    for channel_id in (SHARED, "C0PRIVATE", direct):
        view, _ = await opens(journey, channel_id=channel_id)
        assert "thread" not in fields(view), channel_id
        await journey.slack.close(ANA, view)


async def test_box_is_left_out_while_slack_does_not_describe_the_channel(journey: Journey) -> None:
    journey.slack.inject_fault("conversations.info", "internal_error")
    view, _ = await opens(journey)
    assert "thread" not in fields(view)


async def test_channel_that_closes_meanwhile_is_told_beside_the_link(
    journey: Journey, caplog: pytest.LogCaptureFixture
) -> None:
    """The bot checks again before it posts whether the session may be shared."""
    view, message = await opens(journey)
    channels = journey.slack.workspace.channels
    channels[CARE] = replace(channels[CARE], is_ext_shared=True)
    copy = await sends(journey, ANA, view, thread=["thread"])
    assert link(copy)
    assert "I couldn’t post it in the thread." in words(copy)
    assert "people from other organizations" in words(copy)
    assert replies(journey, message) == []
    assert complaints(caplog) == []


async def test_deleted_message_is_told_beside_the_link(journey: Journey) -> None:
    view, message = await opens(journey)
    journey.slack.workspace.delete(message)
    copy = await sends(journey, ANA, view, thread=["thread"])
    assert "That message is gone" in words(copy)
    assert link(copy)


async def test_form_whose_channel_was_changed_is_held_to_the_channel_rules() -> None:
    async with open_journey(COBROWSE_CHANNELS=CARE) as journey:
        view, message = await opens(journey)
        view.body["private_metadata"] = f'["C0BILLING", "{message.ts}"]'
        copy = await sends(journey, ANA, view, thread=["thread"])
        assert "Nobody can start co-browse in this channel." in words(copy)
        assert replies(journey, message) == []
        assert journey.genesys.creates == []


async def test_retry_posts_in_the_thread_too(journey: Journey) -> None:
    view, message = await opens(journey)
    await journey.genesys.inject_fault("dropped", times=1)
    failure = await sends(journey, ANA, view, thread=["thread"])
    await asyncio.sleep(0.1)
    assert replies(journey, message) == []
    await journey.slack.press(ANA, failure, "try_again")
    await journey.slack.until(lambda: "Posted in the thread." in words(failure), 6)
    assert len(replies(journey, message)) == 1


async def test_supervisors_session_for_another_names_who_shared_it(journey: Journey) -> None:
    message = journey.slack.post_message(BEN, CARE, "help Ana")
    await journey.slack.message_shortcut(SAM, message, HERE)
    await sends(journey, SAM, await filled(journey, SAM), host=ANA, thread=["thread"])
    (reply,) = replies(journey, message)
    assert f"<@{SAM}> posted “help Ana”" in words(reply)
    assert f"*For <@{ANA}>*" in words(reply)
