"""Conversations of kinds without co-browse: the person reads which kind it is."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot.core.models import ConversationId, HostId
from bot.genesys.api.live_conversations import read_live, read_other
from bot.sandbox.genesys.conversations import Conversation
from tests.support.app import ANA, Journey, buttons, is_failure, link, open_journey, words
from tests.support.cases import each_case
from tests.support.conversations import HOST, KEY

KINDS = [
    ("chat", "Genesys can’t co-browse in a web chat."),
    ("email", "Genesys can’t co-browse in an email."),
    ("callback", "Genesys can’t co-browse before the callback is dialed."),
    ("internal", "There is no customer in this conversation."),
]
UNTRUE = ("don’t see a conversation", "not in that conversation", "Answer it first")


@pytest.fixture
async def journey() -> AsyncIterator[Journey]:
    async with open_journey(**KEY) as opened:
        yield opened


def talk(journey: Journey, medium: str, **how: Any) -> Conversation:
    return journey.genesys.conversations.begin(HOST, "Carla Customer", medium=medium, **how)


@pytest.mark.parametrize("by_id", [False, True], ids=["found", "by id"])
@pytest.mark.parametrize(("medium", "told"), KINDS, ids=[medium for medium, _ in KINDS])
async def test_a_kind_without_co_browse_is_named(journey: Journey, medium: str, told: str, by_id: bool) -> None:
    live = talk(journey, medium)
    message = await journey.asks(live.id if by_id else "Checkout")
    assert is_failure(message)
    assert f"{told} Nothing was started." in words(message)
    assert [part for part in UNTRUE if part in words(message)] == []
    assert "try_again" not in buttons(message)
    assert journey.genesys.conversations.offers == {}


async def test_a_chat_beside_a_call_does_not_matter(journey: Journey) -> None:
    talk(journey, "chat")
    call = talk(journey, "call")
    assert link(await journey.asks())
    assert [offer.conversation for offer in journey.genesys.conversations.offers.values()] == [call]


async def test_of_several_kinds_none_is_named_alone(journey: Journey) -> None:
    talk(journey, "email", minutes=9)
    talk(journey, "chat", minutes=2)
    told = words(await journey.asks())
    assert "Genesys can’t co-browse in this kind of conversation. Nothing was started." in told
    assert [part for part in ("web chat", "email", *UNTRUE) if part in told] == []


async def test_a_chat_that_is_over_is_no_kind_of_conversation(journey: Journey) -> None:
    live = talk(journey, "chat")
    live.host_connected = False
    assert "I don’t see a conversation with a customer" in words(await journey.asks())
    assert "You’re not in that conversation, or it is over." in words(await journey.asks(live.id))
    assert len(journey.slack.seen_by(ANA)) == 2


ID, COLLEAGUE = ConversationId("99999999-9999-4999-8999-999999999999"), "22222222-2222-4222-8222-222222222222"
TALKS = [{"state": "connected"}]
AGENT = {"purpose": "agent", "userId": HOST.upper(), "calls": TALKS}
INTERNAL = {"purpose": "user", "userId": COLLEAGUE, "calls": TALKS}


def read(*people: dict[str, Any]) -> str:
    body: dict[str, object] = {"id": ID, "participants": list(people)}
    live, other = read_live(body, ID, HostId(HOST)), read_other(body, ID, HostId(HOST))
    return "live" if live else other.kind if other else "none"


@each_case(
    ("people", "kind"),
    [
        ((AGENT, INTERNAL), "internal"),
        ((AGENT, INTERNAL, {"purpose": "acd", "calls": TALKS}), "internal"),
        ((AGENT, {**AGENT, "purpose": "user", "userId": COLLEAGUE, "messages": TALKS}), "internal"),
        ((AGENT, INTERNAL, {"purpose": "external", "calls": TALKS}), "live"),
        ((AGENT, INTERNAL, {"calls": TALKS}), "live"),
        ((AGENT, {**INTERNAL, "monitoredParticipantId": "x"}), "live"),
        ((AGENT, {"purpose": "acd"}), "live"),
        (({**AGENT, "calls": [], "chats": TALKS}, {"purpose": "customer"}), "chat"),
        (({**AGENT, "calls": [{"state": "alerting"}], "callbacks": TALKS}, {"purpose": "customer"}), "callback"),
        (({**AGENT, "calls": TALKS, "callbacks": TALKS}, {"purpose": "customer"}), "live"),
        (({**AGENT, "calls": [], "chats": [{"state": "disconnected"}]}, {"purpose": "customer"}), "none"),
        (({**AGENT, "calls": [], "chats": "x"}, {"purpose": "customer"}), "none"),
        (({**AGENT, "calls": [], "videos": TALKS}, {"purpose": "customer"}), "video"),
        (({**AGENT, "calls": [], "chats": TALKS, "coachedParticipantId": "x"}, {"purpose": "customer"}), "none"),
    ],
)
def test_a_conversation_is_read_by_who_takes_part_and_how(people: tuple[dict[str, Any], ...], kind: str) -> None:
    assert read(*people) == kind
