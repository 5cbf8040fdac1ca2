"""The messages of a notification channel are untrusted: what the bot takes from them, and what it leaves."""

import json
from typing import Any

import pytest

from bot.genesys.notifications.messages import OTHER, ChannelMessage, MessageKind, read_message
from tests.support.cases import each_case

HOST, CONVERSATION = "11111111-1111-4111-8111-111111111111", "ABCDEF00-0000-4000-8000-000000000001"
TOPIC = f"v2.users.{HOST}.conversations"


def event(state: str = "connected", **body: Any) -> dict[str, Any]:
    share = {"id": "s1", "cobrowseSessionId": "o1", "state": state}
    customer = {"id": "p1", "messages": [{"id": "m1", "state": "connected"}], "cobrowsesessions": [share]}
    return {"topicName": TOPIC, "version": "2", "eventBody": {"id": CONVERSATION, "participants": [customer]} | body}


def read(message: object) -> ChannelMessage:
    return read_message(json.dumps(message))


def test_event_names_its_conversation_in_lower_case() -> None:
    message = read(event())
    assert (message.kind, message.conversation_id) == (MessageKind.CHANGED, CONVERSATION.lower())


def test_fingerprint_differs_where_a_session_may_change() -> None:
    same = event()
    same["eventBody"]["participants"][0] |= {"attributes": {"note": "new"}, "wrapupRequired": True}
    same["eventBody"]["participants"][0]["messages"][0]["messages"] = [{"messageId": "one more"}]
    assert read(same) == read(event())
    assert read(event("disconnected")) != read(event())
    gone = event()
    gone["eventBody"]["participants"][0]["messages"][0]["state"] = "disconnected"
    assert read(gone) != read(event())
    assert read(event(participants=[])) != read(event())


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ({"topicName": "v2.system.socket_closing", "eventBody": {"message": "soon"}}, MessageKind.CLOSING),
        ({"result": "404", "status": "failure"}, MessageKind.GONE),
        ({"result": 404}, MessageKind.GONE),
        ({"topicName": "channel.metadata", "eventBody": {"message": "WebSocket Heartbeat"}}, MessageKind.OTHER),
        ({"topicName": "channel.metadata", "eventBody": {"message": "pong"}}, MessageKind.OTHER),
    ],
)
def test_other_messages_are_told_apart(message: object, kind: MessageKind) -> None:
    assert read(message).kind is kind


@each_case(
    "text",
    [
        "",
        "not JSON",
        "[" * 100_000,
        "[]",
        "null",
        '"v2.system.socket_closing"',
        *map(
            json.dumps,
            (
                {},
                event(id=None),
                event(id="../../etc"),
                event(id=7),
                event() | {"topicName": None},
                event() | {"topicName": ["v2.users."]},
                event() | {"topicName": "v2.routing.queues.x.conversations"},
                event() | {"eventBody": "text"},
            ),
        ),
    ],
    ids=lambda text: text[:40],
)
def test_malformed_message_is_nothing(text: str) -> None:
    assert read_message(text) == OTHER


@pytest.mark.parametrize("participants", [None, 7, [None, 7, "x"], [{"cobrowsesessions": {"state": 1}, "calls": [1]}]])
def test_event_with_malformed_participants_is_still_a_hint(participants: Any) -> None:
    assert read(event(participants=participants)).conversation_id == CONVERSATION.lower()
