"""Messages about sessions are updated when the sessions end.

Each is updated once, by one replica, and later if Slack has problems.
"""

from dataclasses import replace
from typing import Any

import pytest

from bot.core.errors import SharingError
from bot.core.models import RequestState, SessionRecord
from bot.core.requests.recovery import update_ended_messages
from bot.sandbox.slack.server import Message
from tests.support import session_messages
from tests.support.app import ANA, QUICK_SLACK, SAM, buttons, words
from tests.support.session_buttons import END
from tests.support.session_messages import World
from tests.support.storage import request, session

world = session_messages.world


async def shown(world: World) -> tuple[SessionRecord, list[Message]]:
    """Return a session that is shown in a channel and in a direct message."""
    record = await world.made()
    assert await world.shares(record) is None
    await world.session_messages.send_direct(record, ANA)
    return record, world.public()


async def ended(world: World) -> None:
    await world.store.sessions.end_session("s-1", None)  # type: ignore[arg-type]
    await world.update_ended()


async def test_ended_session_is_told_wherever_it_stands_once(world: World) -> None:
    record, messages = await shown(world)
    await ended(world)
    for message in messages:
        assert " · ended " in words(message)
        assert record.session.join_url not in str(message.blocks)
        assert END not in buttons(message)
    assert f"with <@{record.agent}> · ended" in words(messages[0])
    assert await world.store.sessions.posts("s-1") == []  # type: ignore[arg-type]
    calls = len(world.servers.slack.calls)
    await world.update_ended()
    assert len(world.servers.slack.calls) == calls


async def test_one_whose_time_is_up_is_told_without_anybody_ending_it(world: World) -> None:
    _, messages = await shown(world)
    await world.update_ended()
    assert not any(message.replaced for message in messages)
    world.later_seconds = 31 * 60
    await world.update_ended()
    assert all(" · ended " in words(message) for message in messages)


@pytest.mark.parametrize("fault", ["ratelimited", "internal_error", "drop", "502"])
async def test_while_slack_is_not_well_it_is_left_for_later(world: World, fault: str) -> None:
    _, messages = await shown(world)
    world.servers.slack.inject_fault("chat.update", fault, retry_after=60)
    await ended(world)
    tried = sum(call.method == "chat.update" for call in world.servers.slack.calls)
    await world.update_ended()  # not again, for a minute
    assert sum(call.method == "chat.update" for call in world.servers.slack.calls) == tried <= 3
    world.servers.slack.inject_fault("chat.update", None)
    world.later_seconds = 61
    await world.update_ended()
    assert all(" · ended " in words(message) for message in messages)


@pytest.mark.parametrize("slack_timing", [replace(QUICK_SLACK, direct_cache_seconds=0.0)])
@pytest.mark.parametrize("fault", ["ratelimited", "internal_error", "drop"])
async def test_message_whose_reader_is_unknown_is_left_for_later(world: World, fault: str) -> None:
    record = await world.made(requester=SAM, target=ANA)
    await world.session_messages.send_direct(record, SAM)
    (message,) = world.public()
    world.servers.slack.inject_fault("conversations.open", fault, retry_after=60)
    await ended(world)
    assert not message.replaced
    world.servers.slack.inject_fault("conversations.open", None)
    world.later_seconds = 61
    await world.update_ended()
    assert " · ended " in words(message)


@pytest.mark.parametrize("slack_timing", [replace(QUICK_SLACK, direct_cache_seconds=0.0)])
async def test_agents_message_is_told_when_the_requester_has_left(world: World) -> None:
    record = await world.made(requester=SAM, target=ANA)
    await world.session_messages.send_direct(record, ANA)
    (message,) = world.public()
    world.servers.slack.inject_fault("conversations.open", "user_disabled")
    await ended(world)
    assert " · ended " in words(message)


async def test_a_message_that_is_gone_does_not_keep_the_others_from_it(world: World) -> None:
    _, (first, second) = await shown(world)
    world.servers.slack.workspace.delete(first)
    await ended(world)
    assert " · ended " in words(second)
    assert await world.store.sessions.posts("s-1") == []  # type: ignore[arg-type]


async def test_one_that_could_not_be_changed_for_a_day_stays_as_it_is(world: World) -> None:
    record, messages = await shown(world)
    old = replace(
        record, is_over=True, session=replace(record.session, ends_at=record.session.ends_at.replace(year=2020))
    )

    class Old:
        """A store whose session ended long ago."""

        async def session(self, session_id: str) -> SessionRecord:
            return old

        def __getattr__(self, name: str) -> Any:
            return getattr(world.store.sessions, name)

    await world.store.sessions.end_session("s-1", None)  # type: ignore[arg-type]
    await update_ended_messages(Old(), world.session_messages)  # type: ignore[arg-type]
    assert not any(message.replaced for message in messages)
    assert await world.store.sessions.posts("s-1") == []  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("ahead_days", "later_seconds", "is_told"),
    [(-2, 0, True), (2, 0, True), (0, 2 * 86_400, False), (-2, 86_400 + 31 * 60, False)],
    ids=["ours ahead", "ours behind", "a day later", "a day later, ours ahead"],
)
async def test_message_is_given_up_by_the_stores_clock(
    world: World, ahead_days: int, later_seconds: int, is_told: bool
) -> None:
    """This machine's clock may be wrong by days."""
    world.later_seconds = ahead_days * 86_400
    asked = request(team_id="T0SANDBOX")
    await world.store.accept(asked)
    one = replace(session(), lasts_seconds=1800)
    await world.store.advance(asked.id, RequestState.ACCEPTED, RequestState.CREATED, session=one)
    await world.session_messages.send_direct(await world.record(), ANA)
    if later_seconds:
        world.later_seconds += later_seconds
        await world.update_ended()
    else:
        await ended(world)
    (message,) = world.public()
    assert (" · ended " in words(message)) is is_told
    assert await world.store.sessions.posts("s-1") == []  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("method", "fault", "error"),
    [
        ("conversations.open", "user_disabled", "message_not_posted"),
        ("conversations.open", "drop", "message_not_posted"),
        ("chat.postMessage", "restricted_action", "message_not_posted"),
        ("chat.postMessage", "drop", "share_outcome_unknown"),
        ("chat.postMessage", "internal_error", "share_outcome_unknown"),
    ],
)
async def test_a_direct_message_that_does_not_arrive_is_told_so(
    world: World, method: str, fault: str, error: str
) -> None:
    world.servers.slack.inject_fault(method, fault)
    with pytest.raises(SharingError, match=f"^{error}$") as told:
        await world.session_messages.send_direct(await world.made(), ANA)
    assert told.value.is_direct is (error == "share_outcome_unknown")
