"""Render the question which of several conversations a session is for, and read the press that answers it (pure).

A press starts the request again; the session service checks once more that the agent is in that conversation.
"""

from bot.core.errors import SeveralConversationsError
from bot.core.models import ConversationId, RequestId
from bot.core.validation.conversations import LiveConversation, conversation_id
from bot.core.validation.display import clean
from bot.slack.messages.blocks import FAILURE_BLOCK, Block, Message, button, context, section
from bot.slack.messages.catalogue.sentence import counted, label, said
from bot.slack.messages.error_copy import CUSTOMER, Addressee
from bot.slack.messages.session_card import reference_line

PICK_ACTION = "pick_conversation"
MAX_CHOICES = 10
NAME_LENGTH = 40
"""A button's label has 75 characters at most."""

WHICH = said("choice.question", "Which customer is this for?")
CHOICE = said("choice.row", "*{customer}* · since {since}")
START_WITH = label("choice.start_with", "Start with {name}")
START = label("choice.start", "Start")
MORE = counted("choice.more", "{count} more conversation isn’t shown.", "{count} more conversations aren’t shown.")
HINT = said("choice.hint", "Or type `{command}` with the interaction’s ID or address.")


def picker(error: SeveralConversationsError, to: Addressee, request_id: RequestId, argument: str = "") -> Message:
    """Render the question. The customers' names stand in its blocks alone: a notification shows none.

    `argument`: what the start needs of its request's argument, which is gone when the request is answered.
    """
    say = to.language.say
    rows = [_row(one, to, f"{request_id} {one.id} {argument}".strip()) for one in error.candidates[:MAX_CHOICES]]
    more = len(error.candidates) - MAX_CHOICES
    hint = " ".join([*([say(MORE, count=more)] if more > 0 else []), say(HINT, command=to.command)])
    head = section(f":speech_balloon: *{say(WHICH)}*", FAILURE_BLOCK)
    return Message(say(WHICH), [head, *rows, context(hint), reference_line(request_id, error.reference)])


def _row(one: LiveConversation, to: Addressee, value: str) -> Block:
    name = clean(one.customer, NAME_LENGTH)
    text = to.language.say(START_WITH, name=name) if name else to.language.say(START)
    shown = to.language.say(CHOICE, customer=one.customer or CUSTOMER, since=one.since)
    return section(shown) | {"accessory": button(text, PICK_ACTION, value=value)}


def read_pick(value: str) -> tuple[RequestId, ConversationId | None, str | None]:
    """Return which request to try again, for which conversation, and with which argument."""
    failed, _, rest = value.partition(" ")
    wanted, _, argument = rest.partition(" ")
    return RequestId(failed), conversation_id(wanted), argument or None
