"""The button *Try again*: only its requester can use it, once, and the answer replaces the error.

Also the ways by which an answer is sent.
"""

import asyncio
import json
import logging
from dataclasses import replace
from typing import Any

import pytest

from bot.sandbox.slack.server import Delivery, Message
from tests.support.app import (
    ANA,
    BEN,
    BILLING,
    HOSTS,
    OUTSIDER,
    QUICK_SLACK,
    SAM,
    SHARED,
    Journey,
    buttons,
    is_failure,
    link,
    open_journey,
    words,
)


async def failed(journey: Journey, text: str = "", *, who: str = ANA, **how: Any) -> Message:
    """Return the error message of a command that failed. Genesys works again."""
    await journey.genesys.inject_fault("dropped", times=1)
    message = await journey.asks(text, who=who, **how)
    assert is_failure(message)
    return message


async def test_the_link_takes_the_place_of_the_failure(either: Journey) -> None:
    message = await failed(either, "Checkout help")
    pressed = await either.tries_again(message)
    await either.finish()
    assert not pressed.body
    assert link(message)
    assert message.replaced
    assert "try_again" not in buttons(message)
    assert either.slack.seen_by(ANA) == [message]
    assert [create.body["sessionName"] for create in either.genesys.creates] == ["Checkout help"] * 2


async def test_retry_is_for_the_same_agent(journey: Journey) -> None:
    message = await failed(journey, "@ben Checkout help", who=SAM)
    await journey.tries_again(message, who=SAM)
    await journey.finish()
    assert [create.body["hostUserId"][:8] for create in journey.genesys.creates] == [HOSTS[BEN]] * 2
    (note,) = journey.slack.seen_by(BEN)
    assert link(note) == link(message)


async def test_second_failure_can_be_tried_again(journey: Journey) -> None:
    message = await failed(journey)
    for _ in range(3):
        before = buttons(message)["try_again"]["value"]
        await journey.genesys.inject_fault("500")
        await journey.tries_again(message)
        assert is_failure(message)
        assert buttons(message)["try_again"]["value"] != before
        await journey.genesys.inject_fault(None)
        await journey.genesys.inject_fault("dropped", times=1)
        await journey.slack.workspace.until(lambda: message.replaced, 1)
        await journey.tries_again(message)
    await journey.tries_again(message)
    assert link(message)


@pytest.mark.parametrize("other", [BEN, SAM, OUTSIDER])
async def test_nobody_else_can_press_it(either: Journey, other: str) -> None:
    message = await failed(either, channel_id=SHARED)
    text, creates = message.text, len(either.genesys.creates)
    await either.tries_again(message, who=other)
    (told,) = either.slack.seen_by(other)
    assert "Only the person who asked" in words(told)
    assert told.visible_to == other
    assert message.text == text
    assert len(either.genesys.creates) == creates
    await either.tries_again(message)
    assert link(message)


async def test_pressed_twice_it_works_once(either: Journey) -> None:
    message = await failed(either)
    either.genesys.latency_seconds = 0.1
    both = await asyncio.gather(*(either.slack.press(ANA, message, "try_again") for _ in range(2)))
    await either.finish()
    assert all(press.acked for press in both)
    assert len(either.genesys.creates) == 2
    assert link(message)
    assert [
        words(each) for each in either.slack.seen_by(ANA)[1:] if "This was already tried again" not in words(each)
    ] == []


async def test_pressed_later_once_more_it_says_so(either: Journey) -> None:
    message = await failed(either)
    pressed = await either.tries_again(message)
    before = len(either.slack.messages)
    again = await _send(either, pressed, actions=pressed.payload["actions"], trigger_id="another")
    assert again.acked
    assert "This was already tried again" in words(await either.reads(ANA, before))
    assert link(message)
    assert len(either.genesys.creates) == 2


async def test_an_unknown_request_is_not_tried_again(either: Journey) -> None:
    message = await failed(either)
    pressed = await either.tries_again(message)
    for value in ("aaaaaaaaaaaa", "", "x" * 2000, "<!channel>"):
        before = len(either.slack.messages)
        action = {**pressed.payload["actions"][0], "value": value}
        assert (await _send(either, pressed, actions=[action])).acked
        told = await either.reads(ANA, before)
        assert "I no longer have this request" in words(told)
        assert value == "" or value not in words(told)
    assert len(either.genesys.creates) == 2


async def test_a_request_that_went_well_is_not_tried_again(either: Journey) -> None:
    message = await failed(either)
    pressed = await either.tries_again(message)
    succeeded = either.genesys.creates[-1].body["metadata"]["requestId"]
    before = len(either.slack.messages)
    await _send(either, pressed, actions=[{**pressed.payload["actions"][0], "value": succeeded}])
    assert is_failure(await either.reads(ANA, before))
    assert len(either.genesys.creates) == 2


async def test_the_same_user_id_in_another_workspace_is_somebody_else(either: Journey) -> None:
    message = await failed(either)
    stranger = {
        "type": "block_actions",
        "user": {"id": ANA, "team_id": "T0OTHER"},
        "team": {"id": "T0OTHER"},
        "channel": {"id": message.channel},
        "trigger_id": "other",
        "actions": [{**buttons(message)["try_again"], "block_id": "b"}],
    }
    assert (await either.slack.send(stranger, "interactive")).acked
    assert len(either.genesys.creates) == 1
    await either.tries_again(message)  # it has not been used up
    assert link(message)
    assert len(either.genesys.creates) == 2


async def _send(journey: Journey, like: Delivery, **changes: Any) -> Delivery:
    """Send the same press with other fields, as a separate payload."""
    payload = json.loads(json.dumps(like.payload)) | changes
    return await journey.slack.send(payload, "interactive")


# -- The ways of an answer: response_url, chat.postEphemeral, a direct message --


@pytest.mark.parametrize("fault", ["expired_url", "404", "500", "drop"])
async def test_failed_response_url_is_followed_by_an_ephemeral_message(either: Journey, fault: str) -> None:
    either.slack.inject_fault("response_url", fault)
    message = await either.asks()
    assert message.via == "chat.postEphemeral"
    assert message.visible_to == ANA
    assert link(message)
    assert link(message) not in message.text


@pytest.mark.parametrize("fault", ["404", "500", "drop"])
async def test_where_the_bot_is_no_member_a_direct_message_follows(journey: Journey, fault: str) -> None:
    journey.slack.inject_fault("response_url", fault)
    message = await journey.asks(channel_id=BILLING)
    assert message.via == "chat.postMessage"
    assert journey.slack.workspace.im_owner(message.channel) == ANA
    assert link(message)
    assert journey.slack.seen_by(BEN) == []


async def test_card_in_a_direct_message_offers_what_makes_sense_there(
    journey: Journey,
) -> None:
    """The command came from a channel in which the bot could not answer. Share would have no channel here."""
    journey.slack.inject_fault("response_url", "404")
    message = await failed(journey, channel_id=BILLING)
    assert journey.slack.workspace.im_owner(message.channel) == ANA
    journey.slack.inject_fault("response_url", None)
    await journey.tries_again(message)
    assert link(message)
    assert set(buttons(message)) == {"send_to_customer", "ask_end_session", "session_menu"}
    await journey.asks("end")
    await journey.slack.workspace.until(lambda: "ended by" in words(message), 6)


@pytest.mark.parametrize("fault", ["500", "503", "drop", "ratelimited"])
async def test_a_response_url_that_recovers_is_used(journey: Journey, fault: str) -> None:
    journey.slack.inject_fault("response_url", fault, times=2, retry_after=0)
    assert (await journey.asks()).via == "response_url"


async def test_slack_is_asked_again_when_it_says_it_may(journey: Journey) -> None:
    """The Retry-After has two digits, as it often has."""
    journey.slack.inject_fault("response_url", "ratelimited", times=1, retry_after="01")
    assert (await journey.asks()).via == "response_url"
    refused, taken = (call for call in journey.slack.calls if call.method == "response_url")
    assert taken.at - refused.at >= 1


@pytest.mark.parametrize("method", ["response_url", "users.info"])
async def test_slack_is_not_waited_for_for_ever(method: str) -> None:
    async with open_journey(slack_timing=replace(QUICK_SLACK, http_timeout=0.2, post_timeout=0.2)) as journey:
        journey.slack.inject_fault(method, "slow", seconds=20.0)
        async with asyncio.timeout(5):
            message = await journey.asks()
        assert message.via == ("chat.postEphemeral" if method == "response_url" else "response_url")
        assert is_failure(message) is (method == "users.info")


async def test_a_failure_travels_the_same_ways(journey: Journey) -> None:
    journey.slack.inject_fault("response_url", "404")
    journey.slack.inject_fault("chat.postEphemeral", "not_in_channel")
    await journey.genesys.inject_fault("dropped")
    message = await journey.asks()
    assert message.via == "chat.postMessage"
    assert is_failure(message)
    journey.slack.inject_fault("response_url", None)
    await journey.genesys.inject_fault(None)
    await journey.tries_again(message)
    assert link(message)


async def test_an_answer_that_reaches_nobody_is_an_error_in_the_log(
    journey: Journey, caplog: pytest.LogCaptureFixture
) -> None:
    for method in ("response_url", "chat.postEphemeral", "conversations.open"):
        journey.slack.inject_fault(method, "internal_error")
    await journey.slack.command(ANA, "")
    await journey.finish()
    assert journey.slack.seen_by(ANA) == []
    errors = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert errors == ["the answer reached nobody"]


ORG, OTHER_ORG = "E0ORG", "E0OTHER"


async def pressed_from(journey: Journey, enterprise: str | None, **user: str) -> str:
    """Make a command fail in one workspace of an organization. Press its button in another, and return the text."""
    path = journey.slack.response_urls.make(ANA, "C0CARE", "t")
    typed = {"command": "/cobrowse", "text": "Checkout", "team_id": "T0SANDBOX", "enterprise_id": ORG, "user_id": ANA}
    typed |= {"channel_id": "C0CARE", "trigger_id": "t", "response_url": journey.slack.url + path}
    await journey.genesys.inject_fault("dropped", times=1)
    assert (await journey.slack.send(typed, "slash_commands")).acked
    failed = await journey.reads(ANA, 0)
    assert is_failure(failed)
    before = len(journey.slack.messages)
    button = next(block for block in failed.blocks if block["type"] == "actions")["elements"][0]
    press = {
        "type": "block_actions",
        "user": {"id": ANA, "team_id": "T0SISTER"} | user,
        "team": None,
        "enterprise": {"id": enterprise} if enterprise else None,
        "channel": {"id": "C0CARE"},
        "trigger_id": "p",
        "actions": [{**button, "block_id": "b"}],
        "response_url": journey.slack.url + journey.slack.response_urls.make(user.get("id", ANA), "C0CARE", "p"),
    }
    assert (await journey.slack.send(press, "interactive")).acked
    return words(await journey.reads(user.get("id", ANA), before))


async def test_press_from_another_workspace_of_the_same_org_works(journey: Journey) -> None:
    assert "/join/" in await pressed_from(journey, ORG)
    assert len(journey.genesys.creates) == 2


@pytest.mark.parametrize(("enterprise", "user"), [(OTHER_ORG, {}), (None, {}), (ORG, {"id": BEN})])
async def test_press_from_another_organization_or_person_is_refused(
    journey: Journey, enterprise: str | None, user: dict[str, str]
) -> None:
    assert "Only the person who asked" in await pressed_from(journey, enterprise, **user)
    assert len(journey.genesys.creates) == 1
