"""What can go wrong when a session belongs to a live conversation: one class each, as in errors.py."""

from dataclasses import dataclass

from bot.core.errors import ServiceError
from bot.core.models import ConversationId
from bot.core.validation.conversations import LiveConversation


class NoConversation(ServiceError):
    """The host is in no conversation now, as far as Genesys knows; its list runs some seconds behind."""

    code = "no_conversation"
    try_again = True


@dataclass(eq=False, kw_only=True)
class NotInConversation(ServiceError):
    """The conversation that was asked for is over, or unknown, or the host is not connected to it."""

    code = "not_in_conversation"
    conversation_id: ConversationId


@dataclass(eq=False, kw_only=True)
class SeveralConversations(ServiceError):
    """The host is in more than one, so somebody has to choose; the latest comes first."""

    code = "several_conversations"
    candidates: tuple[LiveConversation, ...]


INTERNAL = "internal"
"""The kind of a conversation in which no customer takes part."""


@dataclass(eq=False, kw_only=True)
class CannotCobrowse(ServiceError):
    """The host is in a conversation of a kind that Genesys co-browses in never: `kinds`, such as "chat" or INTERNAL."""

    code = "conversation_kind_not_supported"
    kinds: tuple[str, ...]
