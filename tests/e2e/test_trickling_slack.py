"""A Slack that answers byte by byte: each call ends in time, people get an answer, and nobody else waits."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from bot.core.errors import SharingError
from bot.core.requests import recovery
from bot.core.stored_errors import from_record, to_record
from bot.core.timing import SLACK_TIMING, RecoveryTiming, SlackTiming
from bot.sandbox.slack.server import Message
from bot.slack.api.identity import SlackUnreachableError, identify
from tests.support import session_messages as session_messages_support
from tests.support.app import ANA, CARE, SAM, Journey, buttons, link, open_journey, words
from tests.support.session_buttons import END, POST, confirms
from tests.support.session_messages import World

world = session_messages_support.world
BYTE_SECONDS = 0.1
"""Shorter than each deadline below, so that a time-out which begins again with each byte never ends."""


SHORT = SlackTiming(
    repeat_seconds=0.01,
    post_timeout=0.5,
    edit_timeout=0.5,
    open_timeout=0.5,
    channel_timeout=0.5,
    view_timeout=0.5,
    trigger_seconds=0.5,
    identify_timeout=0.5,
    identify_retry_seconds=0.0,
)
"""Half a second for each call as a whole, except look-ups of people: most tests begin with one that has to succeed."""


def test_the_real_deadlines_keep_people_waiting_for_seconds() -> None:
    assert max(SLACK_TIMING.post_timeout, SLACK_TIMING.open_timeout) <= 12
    assert recovery.MAX_SILENT * SLACK_TIMING.edit_timeout + RecoveryTiming().ended_poll_seconds < 60


async def reads(journey: Journey, act: Callable[[], Any]) -> Message:
    """Return the message that Ana gets within the time of one or two calls."""
    before = len(journey.slack.messages)
    await act()
    async with asyncio.timeout(4):
        return await journey.reads(ANA, before)


@pytest.mark.parametrize("acted", [False, True])
async def test_a_share_without_an_answer_is_told_as_unknown(acted: bool) -> None:
    async with open_journey(slack_timing=SHORT) as journey:
        card = await journey.asks()
        journey.slack.inject_fault("chat.postMessage", "trickle", seconds=BYTE_SECONDS, processes=acted)
        before = len(journey.slack.messages)
        await confirms(journey.slack, ANA, card, POST)
        until = journey.slack.workspace.until

        def answer() -> Message | None:
            new = journey.slack.messages[before:]
            return next((message for message in new if message.visible_to == ANA), None)

        message = await until(answer, 4)
        assert "may or may not be in the channel" in words(message)
        public = [each for each in journey.slack.messages if each.visible_to is None]
        assert len(public) == int(acted)  # and never twice
        assert journey.slack.count("chat.postMessage") == 1


async def test_send_to_me_without_an_answer_is_told_as_unknown() -> None:
    async with open_journey(slack_timing=SHORT) as journey:
        card = await journey.asks()
        journey.slack.inject_fault("chat.postMessage", "trickle", times=1, seconds=BYTE_SECONDS)
        message = await reads(journey, lambda: journey.slack.press(ANA, card, "session_menu", chosen="copy"))
        assert "may or may not be in your messages" in words(message)
        message = await reads(journey, lambda: journey.slack.press(ANA, card, "session_menu", chosen="copy"))
        assert journey.slack.workspace.im_owner(message.channel) == ANA


async def test_send_to_me_without_a_channel_is_told_as_not_posted() -> None:
    async with open_journey(COBROWSE_HELP_CONTACT=ANA, slack_timing=SHORT) as journey:
        card = await journey.asks()
        journey.slack.inject_fault("conversations.open", "trickle", seconds=BYTE_SECONDS)
        message = await reads(journey, lambda: journey.slack.press(ANA, card, "session_menu", chosen="copy"))
        assert "Slack didn’t accept my message" in words(message)
        assert "(`no answer`)" in words(message)


@pytest.mark.parametrize(
    ("trickling", "via"),
    [
        (("response_url",), "chat.postEphemeral"),
        (("response_url", "chat.postEphemeral"), "chat.postMessage"),
    ],
)
async def test_an_answer_comes_the_next_way(trickling: tuple[str, ...], via: str) -> None:
    async with open_journey(slack_timing=SHORT) as journey:
        for method in trickling:
            journey.slack.inject_fault(method, "trickle", seconds=BYTE_SECONDS)
        message = await reads(journey, lambda: journey.slack.command(ANA, ""))
        assert message.via == via
        assert link(message)


@pytest.mark.parametrize("method", ["users.info", "usergroups.users.list"])
async def test_a_look_up_without_an_answer_refuses(method: str) -> None:
    timing = replace(SHORT, lookup_timeout=0.5)
    async with open_journey(COBROWSE_MEMBERS="S0LEADS", COBROWSE_HELP_CONTACT=ANA, slack_timing=timing) as journey:
        journey.slack.inject_fault(method, "trickle", seconds=BYTE_SECONDS)
        message = await reads(journey, lambda: journey.slack.command(ANA, ""))
        assert "Slack didn’t answer my question. Nothing was started." in words(message)
        assert "(`no answer`)" in words(message)


async def test_a_channel_without_an_answer_gets_no_share() -> None:
    async with open_journey(COBROWSE_HELP_CONTACT=ANA, slack_timing=SHORT) as journey:
        card = await journey.asks()
        journey.slack.inject_fault("conversations.info", "trickle", seconds=BYTE_SECONDS)
        message = await reads(journey, lambda: confirms(journey.slack, ANA, card, POST))
        assert "(`no answer`)" in words(message)


async def test_a_form_that_does_not_open_is_told() -> None:
    async with open_journey(slack_timing=SHORT) as journey:
        journey.slack.inject_fault("views.open", "trickle", seconds=BYTE_SECONDS)
        message = await reads(journey, lambda: journey.slack.command(ANA, "new"))
        assert "I couldn’t open the form." in words(message)


async def test_form_without_an_answer_is_told_and_holds_nothing_up() -> None:
    async with open_journey(slack_timing=SHORT) as journey:
        journey.slack.inject_fault("views.update", "trickle", seconds=BYTE_SECONDS)
        message = await reads(journey, lambda: journey.slack.command(ANA, "new"))
        assert "I couldn’t open the form." in words(message)
        assert link(await journey.asks())


async def test_home_tab_without_an_answer_holds_nothing_up(caplog: pytest.LogCaptureFixture) -> None:
    async with open_journey(slack_timing=SHORT) as journey:
        journey.slack.inject_fault("views.publish", "trickle", seconds=BYTE_SECONDS)
        await journey.slack.open_home(ANA)
        async with asyncio.timeout(4):
            while "a view was not shown" not in caplog.text:  # noqa: ASYNC110 - it has no event
                await asyncio.sleep(0.05)
        assert link(await journey.asks())


async def test_a_workflow_step_is_completed_all_the_same() -> None:
    timing = replace(SHORT, step_retry_seconds=(0.1,))
    async with open_journey(COBROWSE_WORKFLOW_STEPS="on", slack_timing=timing) as journey:
        journey.slack.inject_fault("functions.completeSuccess", "trickle", times=1, seconds=BYTE_SECONDS)
        execution = await journey.slack.function_executed("start_cobrowse_session", {"agent": ANA, "name": "Deal"})
        await journey.slack.workspace.until(lambda: execution.status == "succeeded", 5)


@pytest.mark.parametrize("slack_timing", [SHORT])
async def test_a_start_that_hears_no_end_is_given_up(world: World) -> None:
    world.servers.slack.inject_fault("auth.test", "trickle", seconds=BYTE_SECONDS)
    began = time.monotonic()
    with pytest.raises(SlackUnreachableError):
        await identify(world.session_messages._web, tries=2, timing=SHORT)
    assert time.monotonic() - began < 3


async def told_in_many_places(world: World, count: int) -> list[Message]:
    """Make `count` sessions that have ended, each with a message in a channel."""
    for number in range(count):
        assert await world.shares(await world.made(f"s-{number}"), CARE) is None
    for number in range(count):
        await world.store.sessions.end_session(f"s-{number}", None)  # type: ignore[arg-type]
    return world.public()


def over(messages: list[Message]) -> int:
    return sum(" · ended " in words(message) for message in messages)


@pytest.mark.parametrize("trickling", [1, recovery.MAX_SILENT - 1])
@pytest.mark.parametrize("slack_timing", [SHORT])
async def test_messages_that_do_not_change_keep_no_others_from_it(world: World, trickling: int) -> None:
    messages = await told_in_many_places(world, 8)
    world.servers.slack.inject_fault("chat.update", "trickle", times=trickling, seconds=BYTE_SECONDS)
    async with asyncio.timeout(5):
        await world.update_ended()
    assert over(messages) == 8 - trickling
    world.later_seconds = 61
    await world.update_ended()
    assert over(messages) == 8


@pytest.mark.parametrize("slack_timing", [SHORT])
async def test_a_slack_that_answers_no_edit_is_left_alone_for_a_while(world: World) -> None:
    messages = await told_in_many_places(world, 8)
    world.servers.slack.inject_fault("chat.update", "trickle", seconds=BYTE_SECONDS)
    async with asyncio.timeout(5):
        await world.update_ended()
    assert world.servers.slack.count("chat.update") == recovery.MAX_SILENT
    assert over(messages) == 0
    world.servers.slack.inject_fault("chat.update", None)
    world.later_seconds = 61
    await world.update_ended()
    assert over(messages) == 8


@pytest.mark.parametrize("slack_timing", [SHORT])
async def test_messages_that_never_change_do_not_starve_the_others(world: World) -> None:
    """After a few rounds the bot has tried all messages, whichever it tries first."""
    messages = await told_in_many_places(world, 7)
    stuck = [message.ts for message in messages[: recovery.MAX_SILENT]]
    methods = world.servers.slack.api._methods
    update = methods["chat.update"]

    def some(args: dict[str, Any]) -> dict[str, Any]:
        if args["ts"] in stuck:
            raise RuntimeError("no answer")  # a 500
        return update(args)

    methods["chat.update"] = some
    for rounds in range(1, 80):
        world.later_seconds = 61.0 * rounds
        await world.update_ended()
        if over(messages) == 7 - len(stuck):
            return
    raise AssertionError(over(messages))


async def test_an_agent_of_a_supervisor_is_told_or_not_within_seconds() -> None:
    async with open_journey(slack_timing=SHORT) as journey:
        journey.slack.inject_fault("chat.postMessage", "trickle", seconds=BYTE_SECONDS)
        before = len(journey.slack.messages)
        await journey.slack.command(SAM, "@ana")
        async with asyncio.timeout(4):
            message = await journey.reads(SAM, before)
        assert "I couldn’t reach" in words(message)
        assert END in buttons(message)


async def test_the_unknown_share_survives_in_the_store(world: World) -> None:
    for error in (SharingError("share_outcome_unknown"), SharingError("share_outcome_unknown", is_direct=True)):
        again = from_record(to_record(error))
        assert isinstance(again, SharingError)
        assert again.code == "share_outcome_unknown"
        assert again.is_direct == error.is_direct
