"""Which of the host's conversations a session is for: a button for each, and what a press of one says (pure).

Whether the host is in that conversation is looked up anew by the session service when one is pressed.
"""

from bot.core.errors import SeveralConversationsError
from bot.core.models import ConversationId, RequestId
from bot.core.validation.conversations import conversation_id
from bot.core.validation.display import clean
from bot.slack.messages.blocks import FAILURE_BLOCK, Message, button, context, escape, section
from bot.slack.messages.error_copy import candidate
from bot.slack.messages.session_card import reference_line

PICK_ACTION = "pick_conversation"
MAX_CHOICES = 10
NAME_LENGTH = 40
"""A button's label has 75 characters at most."""


def picker(error: SeveralConversationsError, command: str, request_id: RequestId) -> Message:
    """The question; the customers' names stand in its blocks alone, which no notification shows."""
    text = "The host is in several conversations. Which one is the session for?"
    blocks = [section(f":speech_balloon: *{text}*", FAILURE_BLOCK)]
    for one in error.candidates[:MAX_CHOICES]:
        name = clean(one.customer, NAME_LENGTH)
        start = button(f"Start with {name}" if name else "Start", PICK_ACTION, value=f"{request_id} {one.id}")
        blocks.append(section(candidate(one)) | {"accessory": start})
    more = len(error.candidates) - MAX_CHOICES
    others = f"There {'is 1 more' if more == 1 else f'are {more} more'}. " if more > 0 else ""
    hint = (
        f"{others}No session was started yet. `{escape(command)}` with an interaction's id or address starts it there."
    )
    return Message(text, [*blocks, context(hint), reference_line(request_id, error.reference)])


def read_pick(value: str) -> tuple[RequestId, ConversationId | None]:
    """Which request is to be tried again, and for which conversation."""
    failed, _, wanted = value.partition(" ")
    return RequestId(failed), conversation_id(wanted)
