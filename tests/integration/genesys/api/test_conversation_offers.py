"""Test offers in conversations against the sandbox's public API: errors, retries, and the lifetime of an offer."""

import asyncio
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import groupby

import pytest

from bot.core.errors import (
    BadRequestError,
    NoUsableConversationError,
    OutcomeUnknownError,
    PermissionMissingError,
    ServiceBusyError,
    ServiceFailedError,
    ServiceUnreachableError,
    SignInRequiredError,
    UnknownSessionError,
    UnusableAnswerError,
)
from bot.core.models import Session, SessionId
from bot.genesys.api.conversations import ConversationSessions
from tests.support import conversations as conversations_support
from tests.support.app import Servers
from tests.support.conversations import offer, opened, talk
from tests.support.sessions_api import RecordingHooks, record_of

servers, conversations = conversations_support.servers, conversations_support.conversations


async def open_offer(servers: Servers, conversations: ConversationSessions) -> Session:
    """Begin a conversation, and return an open offer in it."""
    talk(servers)
    session = await offer(conversations)
    assert (await conversations.read(session.id)).status == "open"
    return session


# -- what goes wrong --


async def test_look_ups_are_retried_but_an_unknown_offer_is_not(
    servers: Servers, conversations: ConversationSessions
) -> None:
    talk(servers)
    for call in ("query", "conversation"):
        await servers.genesys.inject_fault("dropped", on=call, times=1)
        assert (await offer(conversations)).join_code
    await servers.genesys.inject_fault("dropped", on="query")
    with pytest.raises(ServiceUnreachableError):
        await offer(conversations)
    await servers.genesys.inject_fault(None)
    for fault in ("dropped", "reset", "cut", "502", "504", "408"):
        before = servers.genesys.count("create")
        await servers.genesys.inject_fault(fault)
        with pytest.raises(OutcomeUnknownError):
            await offer(conversations)
        assert servers.genesys.count("create") == before + 1, fault
        await servers.genesys.inject_fault(None)


async def test_public_endpoints_are_called_without_a_token(
    servers: Servers, conversations: ConversationSessions
) -> None:
    talk(servers)
    made, before = await offer(conversations), servers.genesys.count("token")
    async with opened(servers) as another:  # one that has not signed in yet
        await another.read(made.id)
        await another.end(record_of(made))
    assert (servers.genesys.count("token"), servers.genesys.count("end")) == (before, 1)


async def test_hooks_hear_of_the_offer_alone_and_of_every_wait(
    servers: Servers, conversations: ConversationSessions
) -> None:
    talk(servers)
    await servers.genesys.inject_fault("429", on="query", times=1, retry_after=0)
    await servers.genesys.inject_fault("500-twice")
    hooks = RecordingHooks()
    await offer(conversations, hooks)
    events = [event for event, _ in groupby(hooks.events)]  # after a 429 it may wait for its turn, too
    assert events == ["on_wait", "before_send"] * 3


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("429", ServiceBusyError),
        ("503", ServiceBusyError),
        ("500", ServiceFailedError),
        ("down", ServiceUnreachableError),
    ],
)
async def test_failures_have_the_names_they_have_elsewhere(
    servers: Servers, conversations: ConversationSessions, fault: str, error: type[Exception]
) -> None:
    talk(servers)
    how = {"retry_after": 181} if error is ServiceBusyError else {}
    await servers.genesys.inject_fault(fault, on="query", **how)
    with pytest.raises(error):
        await offer(conversations)


@pytest.mark.parametrize(
    ("medium", "lacks"),
    [
        ("message", ["analytics:conversationDetail:view", "analytics:agentConversationDetail:view"]),
        ("message", ["conversation:communication:view"]),
        ("message", ["conversation:cobrowse:add"]),
        ("call", ["conversation:cobrowseVoice:add"]),
    ],
)
async def test_a_permission_that_is_missing_is_named(
    servers: Servers, conversations: ConversationSessions, medium: str, lacks: list[str]
) -> None:
    talk(servers, medium=medium)
    servers.genesys.conversations.missing_permissions |= set(lacks)
    with pytest.raises(PermissionMissingError) as forbidden:
        await offer(conversations)
    assert forbidden.value.needs == lacks[0]
    servers.genesys.conversations.missing_permissions.clear()
    assert await offer(conversations)


async def test_endpoints_for_users_only_are_reported_as_such(
    servers: Servers, conversations: ConversationSessions
) -> None:
    talk(servers)
    servers.genesys.conversations.requires_user = True
    with pytest.raises(SignInRequiredError) as needed:
        await offer(conversations)
    assert needed.value.reference
    assert servers.genesys.count("create") == 1


async def test_a_conversation_that_just_ended_gets_no_offer(
    servers: Servers, conversations: ConversationSessions
) -> None:
    live = talk(servers)

    class Ends(RecordingHooks):
        async def before_send(self) -> None:
            live.end()

    with pytest.raises(BadRequestError):
        await offer(conversations, Ends())

    class Vanishes(RecordingHooks):
        async def before_send(self) -> None:
            servers.genesys.conversations.live.clear()

    talk(servers)
    with pytest.raises(NoUsableConversationError, match=r"^not_in_conversation$"):
        await offer(conversations, Vanishes())


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        ("no-id", "without a usable id"),
        ("no-join-code", "without a usable join code"),
        ("not-json", "not JSON"),
        ("not-object", "unknown form"),
    ],
)
async def test_an_offer_that_cannot_be_used_is_named_and_may_exist(
    servers: Servers, conversations: ConversationSessions, fault: str, why: str
) -> None:
    talk(servers)
    await servers.genesys.inject_fault(fault)
    with pytest.raises(UnusableAnswerError, match="unusable_answer") as unusable:
        await offer(conversations)
    assert why in unusable.value.why
    assert unusable.value.acted


@pytest.mark.parametrize("call", ["query", "conversation"])
@pytest.mark.parametrize("fault", ["not-json", "not-object"])
async def test_a_look_up_that_cannot_be_read_is_named(
    servers: Servers, conversations: ConversationSessions, call: str, fault: str
) -> None:
    talk(servers)
    await servers.genesys.inject_fault(fault, on=call)
    with pytest.raises(UnusableAnswerError) as unusable:
        await offer(conversations)
    assert not unusable.value.acted


# -- the offer's life --


async def test_an_offer_is_open_then_gone_when_it_is_withdrawn(
    servers: Servers, conversations: ConversationSessions
) -> None:
    session = await open_offer(servers, conversations)
    await conversations.end(record_of(session))
    assert servers.genesys.conversations.offers[session.id].is_withdrawn
    assert (await conversations.read(session.id)).status == "gone"
    with pytest.raises(UnknownSessionError):
        await conversations.end(record_of(session))


async def test_an_offer_that_a_lost_call_withdrew_is_ended(
    servers: Servers, conversations: ConversationSessions
) -> None:
    session = await open_offer(servers, conversations)
    await servers.genesys.inject_fault("dropped", on="end", times=1)
    await conversations.end(record_of(session))
    assert [each.status for each in servers.genesys.calls if each.method == "DELETE"][-1] == 404
    assert servers.genesys.conversations.offers[session.id].is_withdrawn


@pytest.mark.parametrize("fault", ["502", "dropped", "reset"])
async def test_a_lost_call_that_ends_a_joined_session_is_sent_again(
    servers: Servers, conversations: ConversationSessions, fault: str
) -> None:
    session = await open_offer(servers, conversations)
    servers.genesys.conversations.offers[session.id].join()
    await servers.genesys.inject_fault(fault, on="end", times=1)
    await conversations.end(record_of(session))
    assert servers.genesys.count("end") == 2


@pytest.mark.parametrize("other_id", [False, True])
async def test_a_session_with_a_customer_in_it_is_not_ended(
    servers: Servers, conversations: ConversationSessions, other_id: bool
) -> None:
    conversation = talk(servers)
    session = await offer(conversations)
    assert (await conversations.read(session.id)).status == "open"
    servers.genesys.conversations.offers[session.id].is_withdrawn = True  # Genesys knows an offer no more once accepted
    conversation.start_cobrowse("another-id" if other_id else session.id)
    await servers.genesys.inject_fault("502", on="end", times=1, processes=False)
    with pytest.raises(UnknownSessionError):
        await conversations.end(record_of(session))


async def test_end_waits_for_no_pause_to_ask_for_a_customer(
    servers: Servers, conversations: ConversationSessions
) -> None:
    session = await open_offer(servers, conversations)
    await servers.genesys.inject_fault("dropped", on="end", times=1)
    await servers.genesys.inject_fault("503", on="conversation", retry_after=60)
    async with asyncio.timeout(5):
        with pytest.raises(UnknownSessionError):
            await conversations.end(record_of(session))


async def test_an_offer_of_an_unreadable_conversation_is_not_ended(
    servers: Servers, conversations: ConversationSessions
) -> None:
    session = await open_offer(servers, conversations)
    await servers.genesys.inject_fault("dropped", on="end", times=1)
    await servers.genesys.inject_fault("403", on="conversation")
    with pytest.raises(UnknownSessionError):
        await conversations.end(record_of(session))


async def test_an_offer_at_another_deployment_is_not_ended(servers: Servers) -> None:
    talk(servers)
    async with opened(servers, GENESYS_DEPLOYMENT_ID="de910c0b-0000-4000-8000-000000000002") as conversations:
        session = await offer(conversations)
        await servers.genesys.inject_fault("502", on="end", times=1, processes=False)
        with pytest.raises(UnknownSessionError):
            await conversations.end(record_of(session))
        assert servers.genesys.conversations.offers[session.id].is_valid


@pytest.mark.parametrize("fault", ["429", "503"])
async def test_a_look_in_the_background_does_not_wait(
    servers: Servers, conversations: ConversationSessions, fault: str
) -> None:
    talk(servers)
    session = await offer(conversations)
    before = servers.genesys.count("conversation")
    await servers.genesys.inject_fault(fault, on="conversation", times=1, retry_after=30)
    began = time.monotonic()
    with pytest.raises(ServiceBusyError) as busy:
        await conversations.look(record_of(session), live=True)
    assert busy.value.retry_after == 30
    if fault == "429":  # the bot sends no more calls that need this permission for a while
        with pytest.raises(ServiceBusyError) as busy:
            await conversations.look(record_of(session), live=True)
        assert 25 < (busy.value.retry_after or 0) <= 30
    assert servers.genesys.count("conversation") == before + 1
    assert time.monotonic() - began < 5


async def test_an_offer_whose_time_is_up_is_gone_or_ended(
    servers: Servers, conversations: ConversationSessions
) -> None:
    talk(servers)
    session = await offer(conversations)
    made = servers.genesys.conversations.offers[session.id]
    made.ends_at = time.time() - 1
    assert (await conversations.read(session.id)).status == "gone"
    made.joined = True  # the service still knows it, and says that nobody can join any more
    assert (await conversations.read(session.id)).status == "ended"


async def test_offers_are_looked_at_and_withdrawn_without_permissions(
    servers: Servers, conversations: ConversationSessions
) -> None:
    talk(servers)
    session = await offer(conversations)
    servers.genesys.conversations.missing_permissions |= {
        "conversation:cobrowse:add",
        "conversation:communication:view",
    }
    assert (await conversations.read(session.id)).status == "open"
    await conversations.end(record_of(session))


async def test_without_a_deployment_nobody_can_be_asked(servers: Servers) -> None:
    talk(servers)
    async with opened(servers, GENESYS_DEPLOYMENT_ID="") as conversations:
        session = await offer(conversations)
        with pytest.raises(UnknownSessionError):
            await conversations.read(session.id)
        with pytest.raises(UnknownSessionError):
            await conversations.end(record_of(session))


async def test_a_strange_id_leads_nowhere_else(servers: Servers, conversations: ConversationSessions) -> None:
    talk(servers)
    session = await offer(conversations)
    for strange in ("../../../users/me", "a/b?c#d", "%2e%2e"):
        with pytest.raises(UnknownSessionError):
            await conversations.read(SessionId(strange))
        with pytest.raises(UnknownSessionError):
            await conversations.end(record_of(replace(session, id=SessionId(strange))))
    assert servers.genesys.count("users-me") == 0


async def test_an_offer_without_a_stated_end_lasts_ten_minutes(
    servers: Servers, conversations: ConversationSessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bot.sandbox.genesys.api.conversations import Offer

    whole = Offer.as_json
    monkeypatch.setattr(Offer, "as_json", lambda one, url: {**whole(one, url), "dateOfferEnds": "soon"})
    talk(servers)
    left = (await offer(conversations)).ends_at - datetime.now(UTC)
    assert timedelta(minutes=9) < left <= timedelta(minutes=10, seconds=1)
