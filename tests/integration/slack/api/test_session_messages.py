"""Sessions shared in channels: once for each request, and never where outsiders can read them."""

import asyncio

import pytest

from bot.core.errors import (
    CobrowseError,
    SharingError,
    SlackUnavailableError,
)
from bot.core.models import PostedMessage, PostedMessageKind, RequestKind
from bot.sandbox.slack.server import SlackChannel
from tests.support import session_messages
from tests.support.app import ANA, BILLING, CARE, SHARED, buttons, link, words
from tests.support.session_messages import JOINED, PRIVATE, World
from tests.support.storage import request

world = session_messages.world


@pytest.mark.parametrize("channel", [CARE, BILLING, JOINED])
async def test_a_shared_session_says_who_shares_what_and_how_to_join(world: World, channel: str) -> None:
    """Billing is a public channel, and the bot is not a member."""
    record = await world.made()
    assert await world.shares(record, channel) is None
    (message,) = world.public()
    assert (message.channel, link(message)) == (channel, record.session.join_url)
    assert f"<@{ANA}> posted “" in words(message)
    assert set(buttons(message)) == {"ask_end_session"}
    assert "join.example" not in message.text
    (post,) = await world.store.sessions.posts(record.session.id)
    assert (post.channel_id, post.ts, post.kind) == (channel, message.ts, PostedMessageKind.SHARED)


@pytest.mark.parametrize(
    ("channel", "why"),
    [(SHARED, "outside"), (PRIVATE, "uninvited"), ("C0NONE", "uninvited"), ("D00ANA", "direct"), ("", "direct")],
)
async def test_session_is_not_shared_with_outsiders_or_unseen_channels(world: World, channel: str, why: str) -> None:
    error = await world.shares(await world.made(), channel)
    assert isinstance(error, SharingError)
    assert error.code == "share_refused"
    assert error.why == why
    assert world.public() == []
    assert await world.store.sessions.posts("s-1") == []


async def test_channel_opened_to_others_is_seen_at_once(world: World) -> None:
    record = await world.made()
    assert await world.shares(record) is None
    world.servers.slack.workspace.channels[CARE] = SlackChannel(CARE, "care", is_ext_shared=True)
    assert (await world.shares(await world.made("s-2"))).code == "share_refused"


async def test_share_stands_in_a_channel_once_and_in_many_channels(world: World) -> None:
    record = await world.made()
    asked = request(kind=RequestKind.SHARE, channel_id=CARE)
    assert await world.shares(record, asked=asked) is None
    assert (await world.shares(record)).code == "already_shared"
    assert await world.shares(record, asked=asked) is None  # the same, worked again after a crash
    assert await world.shares(record, BILLING) is None
    assert [message.channel for message in world.public()] == [CARE, BILLING]


async def test_of_two_who_share_it_at_once_one_does(world: World) -> None:
    record = await world.made()
    world.servers.slack.inject_fault("chat.postMessage", "slow", times=1, seconds=0.1)
    both = await asyncio.gather(world.shares(record), world.shares(record))
    assert sorted(one.code if one else "shared" for one in both) == ["already_shared", "shared"]
    assert len(world.public()) == 1


async def test_post_of_unknown_outcome_is_not_repeated(world: World) -> None:
    """This happens after a crash between Slack's post and the bot's record of it."""
    record, asked = await world.made(), request(kind=RequestKind.SHARE, channel_id=CARE)
    await world.store.sessions.add_post(PostedMessage(record.session.id, CARE, "", PostedMessageKind.SHARED, asked.id))
    assert (await world.shares(record)).code == "already_shared"  # perhaps it is on its way
    assert (await world.shares(record, asked=asked)).code == "share_outcome_unknown"
    assert world.public() == []
    assert await world.shares(record) is None  # who has looked presses once more
    assert len(world.public()) == 1


@pytest.mark.parametrize("fault", ["drop", "502", "internal_error"])
async def test_a_share_that_slack_did_not_answer_is_not_repeated(world: World, fault: str) -> None:
    record = await world.made()
    world.servers.slack.inject_fault("chat.postMessage", fault, processes=True)
    assert (await world.shares(record)).code == "share_outcome_unknown"
    assert len(world.public()) == 1
    world.servers.slack.inject_fault("chat.postMessage", None)
    assert await world.shares(record) is None


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("not_in_channel", SharingError("share_refused", "uninvited")),
        ("is_archived", SharingError("share_refused", "closed")),
        ("ratelimited", SharingError("message_not_posted", slack_error="ratelimited")),
    ],
)
async def test_a_share_that_slack_refuses_can_be_asked_for_again(
    world: World, fault: str, error: CobrowseError
) -> None:
    record = await world.made()
    world.servers.slack.inject_fault("chat.postMessage", fault, retry_after=60)
    told = await world.shares(record)
    assert (type(told), vars(told or error)) == (type(error), vars(error))
    world.servers.slack.inject_fault("chat.postMessage", None)
    assert await world.shares(record) is None


@pytest.mark.parametrize("fault", ["drop", "internal_error", "ratelimited"])
async def test_channel_of_unknown_readers_gets_no_share(world: World, fault: str) -> None:
    world.servers.slack.inject_fault("conversations.info", fault, retry_after=60)
    assert isinstance(await world.shares(await world.made()), SlackUnavailableError)
    assert world.public() == []


async def test_without_the_scope_it_is_not_shared_either(world: World) -> None:
    world.servers.slack.api.scopes = "chat:write,chat:write.public"
    assert (await world.shares(await world.made())).code == "share_refused"
