"""Read the messages of a notification channel (pure). The messages are untrusted input.

A message about a changed conversation contains the whole conversation, in the form that Genesys's SDK names
ConversationEventTopicConversation. No log line contains a message.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from bot.core.models import ConversationId
from bot.core.validation.conversations import conversation_id
from bot.genesys.parsing import objects

PING = '{"message": "ping"}'
_CLOSING = "v2.system.socket_closing"
_MEDIA = ("calls", "messages")


class MessageKind(StrEnum):
    """The kinds of messages that a notification channel sends."""

    CHANGED = "changed"
    """The message is about a changed conversation of a host."""
    CLOSING = "closing"
    """Genesys will close the WebSocket within a minute."""
    GONE = "gone"
    """The channel no longer exists."""
    OTHER = "other"
    """A heartbeat, an answer to a ping, or an unknown message."""


@dataclass(frozen=True, slots=True)
class ChannelMessage:
    """A message of a notification channel.

    - `conversation_id`: the id of the changed conversation; None for a message of another kind.
    - `fingerprint`: a hash of the conversation's participants, co-browse sessions, calls and messages. If two
      messages about a conversation have the same hash, the second one gives no reason for a hint. 0 for a message of
      another kind.
    """

    kind: MessageKind
    conversation_id: ConversationId | None = None
    fingerprint: int = 0


OTHER = ChannelMessage(MessageKind.OTHER)


def read_message(text: str) -> ChannelMessage:
    """Parse the text of a channel's message. A malformed or unknown message gets the kind OTHER."""
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        return OTHER
    if not isinstance(message, dict):
        return OTHER
    topic, body = message.get("topicName"), message.get("eventBody")
    if topic == _CLOSING:
        return ChannelMessage(MessageKind.CLOSING)
    if str(message.get("result")) == "404":
        return ChannelMessage(MessageKind.GONE)
    if not isinstance(topic, str) or not topic.startswith("v2.users.") or not isinstance(body, dict):
        return OTHER
    changed = conversation_id(str(body.get("id")))
    if changed is None:
        return OTHER
    return ChannelMessage(MessageKind.CHANGED, changed, hash(tuple(_marks(body))))


def _marks(conversation: dict[str, object]) -> Iterator[tuple[str, ...]]:
    """Yield the values that `ChannelMessage.fingerprint` is a hash of.

    Each tuple describes a participant, a co-browse session, a call or a message.
    """
    for person in objects(conversation.get("participants")):
        yield "person", str(person.get("id")), str(person.get("endTime"))
        for share in objects(person.get("cobrowsesessions")):
            names = ("id", "cobrowseSessionId", "state", "disconnectType")
            yield "share", *(str(share.get(name)) for name in names)
        for media in _MEDIA:
            for communication in objects(person.get(media)):
                yield media, str(communication.get("id")), str(communication.get("state"))
