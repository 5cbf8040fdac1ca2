"""Test how the host's live conversation is found, against the sandbox's public API."""

from datetime import UTC, datetime
from typing import Any

import pytest

from bot.core.errors import NoUsableConversationError, SeveralConversationsError
from bot.core.models import ConversationId
from bot.genesys.api.conversations import ConversationSessions
from bot.genesys.api.live_conversations import MAX_CONVERSATIONS, read_live, read_time
from tests.support import conversations as conversations_support
from tests.support.app import Servers
from tests.support.conversations import HOST, TEMPLATE, ids, offer, opened, talk
from tests.support.sessions_api import RecordingHooks

servers, conversations = conversations_support.servers, conversations_support.conversations
BEN = "22222222-2222-4222-8222-222222222222"
NOWHERE = ConversationId("99999999-9999-4999-8999-999999999999")


async def test_the_one_conversation_there_is_gets_the_offer(
    servers: Servers, conversations: ConversationSessions
) -> None:
    live = talk(servers)
    talk(servers, "Carl Kunde", host=BEN)
    session = await offer(conversations)
    made = servers.genesys.conversations.offers[session.id]
    assert made.conversation is live
    assert session.join_code == made.join_code
    assert session.join_url == TEMPLATE.replace("{joinCode}", made.join_code)
    assert abs(session.ends_at.timestamp() - made.ends_at) < 0.01
    assert (session.status, session.host_id, session.name, session.application_id) == ("open", HOST, "Checkout", "")
    assert made.join_code not in repr(session)


@pytest.mark.parametrize("medium", ["message", "call"])
async def test_chats_and_calls_can_be_co_browsed(
    servers: Servers, conversations: ConversationSessions, medium: str
) -> None:
    talk(servers, medium=medium)
    assert (await offer(conversations)).join_code


async def test_nobody_to_talk_to_is_told_so_and_nothing_is_offered(
    servers: Servers, conversations: ConversationSessions
) -> None:
    hooks = RecordingHooks()
    with pytest.raises(NoUsableConversationError, match=r"^no_conversation$"):
        await offer(conversations, hooks)
    over, transferred = talk(servers), talk(servers)
    over.end()
    transferred.host_connected = False
    talk(servers, "not theirs", host=BEN)
    with pytest.raises(NoUsableConversationError, match=r"^no_conversation$"):
        await offer(conversations, hooks)
    assert hooks.events == []
    assert servers.genesys.count("create") == 0


async def test_several_are_told_with_the_customers_name_and_since_when(
    servers: Servers, conversations: ConversationSessions
) -> None:
    old, new = talk(servers, "Carla <b> Customer", minutes=50), talk(servers, "Carl", minutes=2)
    with pytest.raises(SeveralConversationsError) as several:
        await offer(conversations)
    first, second = several.value.candidates
    assert ids(several.value.candidates) == [new.id, old.id]
    assert (first.customer, second.customer) == ("Carl", "Carla <b> Customer")
    assert abs(second.since.timestamp() - old.since) < 0.01
    assert "Carl" not in repr(several.value) + str(several.value)
    assert servers.genesys.count("create") == 0


async def test_no_more_are_looked_at_than_somebody_could_choose_from(
    servers: Servers, conversations: ConversationSessions
) -> None:
    for number in range(MAX_CONVERSATIONS + 3):
        talk(servers, minutes=number)
    with pytest.raises(SeveralConversationsError) as several:
        await offer(conversations)
    assert len(several.value.candidates) == MAX_CONVERSATIONS
    assert servers.genesys.count("conversation") == MAX_CONVERSATIONS


async def test_analytics_results_are_verified_with_the_conversation(
    servers: Servers, conversations: ConversationSessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    stale, live = talk(servers, "Stale"), talk(servers, "Live")
    shown = stale.as_analytics()

    def leaves_while_it_is_told(one: Any) -> dict[str, Any]:
        stale.host_connected = False
        return {**shown, "conversationId": one.id}

    monkeypatch.setattr(type(stale), "as_analytics", leaves_while_it_is_told)
    session = await offer(conversations)
    assert servers.genesys.count("conversation") == 2
    assert servers.genesys.conversations.offers[session.id].conversation is live


async def test_a_supervisor_who_listens_in_is_not_in_the_conversation(
    servers: Servers, conversations: ConversationSessions
) -> None:
    live = talk(servers, host=BEN)
    live.monitored_by = HOST
    with pytest.raises(NoUsableConversationError, match=r"^not_in_conversation$"):
        await offer(conversations, conversation_id=ConversationId(live.id))


async def test_a_named_conversation_needs_no_analytics(servers: Servers, conversations: ConversationSessions) -> None:
    talk(servers, "another")
    live = talk(servers, "the one")
    live.in_analytics = False
    session = await offer(conversations, conversation_id=ConversationId(live.id))
    assert servers.genesys.conversations.offers[session.id].conversation is live
    assert servers.genesys.count("query") == 0


async def test_only_a_conversation_the_host_is_connected_to_is_used(
    servers: Servers, conversations: ConversationSessions
) -> None:
    theirs, over, waiting = talk(servers, host=BEN), talk(servers), talk(servers)
    over.end()
    waiting.host_connected = False
    for wrong in (theirs.id, over.id, waiting.id, NOWHERE):
        with pytest.raises(NoUsableConversationError, match=r"^not_in_conversation$") as refused:
            await offer(conversations, conversation_id=ConversationId(wrong))
        assert refused.value.conversation_id == wrong
    assert servers.genesys.count("create") == 0


async def test_a_conversation_that_began_weeks_ago_is_found(
    servers: Servers, conversations: ConversationSessions
) -> None:
    live = talk(servers, minutes=25 * 24 * 60)
    session = await offer(conversations)
    assert servers.genesys.conversations.offers[session.id].conversation is live


async def test_without_a_template_there_is_the_code_alone(servers: Servers) -> None:
    talk(servers)
    async with opened(servers, COBROWSE_JOIN_URL_TEMPLATE="") as conversations:
        session = await offer(conversations)
    assert session.join_url == ""
    assert session.join_code


# -- what is read out of a conversation (pure) --


def test_a_conversation_in_a_shape_nobody_expected_is_nobodys() -> None:
    wanted = ConversationId(NOWHERE)
    agent = {"userId": HOST.upper(), "messages": [{"state": "CONNECTED"}]}
    good = {"id": NOWHERE.upper(), "participants": [agent]}
    assert read_live(good, wanted, HOST)
    for change in (
        {"id": "x"},
        {"id": None},
        {"endTime": "2026-01-01T00:00:00Z"},
        {"participants": None},
        {"participants": {"userId": HOST}},
        {"participants": [None, "x", 1]},
        {"participants": [{**agent, "messages": {"state": "connected"}}]},
        {"participants": [{**agent, "messages": [None, {"state": "alerting"}]}]},
        {"participants": [{**agent, "userId": None}]},
        {"participants": [{**agent, "coachedParticipantId": "x"}]},
    ):
        assert read_live({**good, **change}, wanted, HOST) is None, change


def test_a_customers_name_is_one_short_line_and_may_be_missing() -> None:
    def named(**person: object) -> str:
        people = [{"userId": HOST, "calls": [{"state": "connected"}], "purpose": "agent", "name": "Ana"}, person]
        live = read_live({"id": NOWHERE, "participants": people}, NOWHERE, HOST)
        assert live
        assert live.is_voice
        return live.conversation.customer

    assert named(purpose="customer", name=" Carla\n\u202eC\x00 ") == "Carla C"
    assert named(purpose="external", name="x" * 500) == "x" * 60
    assert named(purpose="customer") == ""
    assert named(purpose="acd", name="Queue") == ""


def test_times_are_read_as_genesys_writes_them() -> None:
    assert read_time("2026-10-01T10:42:00.123Z") == datetime(2026, 10, 1, 10, 42, 0, 123000, UTC)
    assert read_time("2026-10-01T10:42:00+02:00") == datetime(2026, 10, 1, 8, 42, tzinfo=UTC)
    assert read_time("2026-10-01T10:42:00") == datetime(2026, 10, 1, 10, 42, tzinfo=UTC)
    assert [read_time(odd) for odd in (None, "", "soon", 7, {}, "2026-13-01T00:00:00Z")] == [None] * 6
