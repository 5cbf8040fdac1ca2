"""Render the questions about an agent's conversations, and parse the values of their buttons (pure).

One question asks in which conversation to start the session. The other question asks whether a new session replaces the
open session of the conversation. A press on a button submits the start again.
"""

import json

from bot.core.errors import SeveralConversationsError
from bot.core.models import ConversationId, Request, RequestId, SessionId, UserId
from bot.core.results import OpenSession
from bot.core.validation.conversations import LiveConversation, conversation_id
from bot.core.validation.display import clean
from bot.slack.messages.blocks import FAILURE_BLOCK, Block, Message, button, buttons, context, section
from bot.slack.messages.catalogue.sentence import counted, label, mention, said
from bot.slack.messages.error_copy import CUSTOMER, Addressee

PICK_ACTION, REPLACE_ACTION = "pick_conversation", "replace_session"
OPEN_BLOCK = "open_already"
"""The block id of the first block in the message that `open_already` renders."""
MAX_CHOICES = 10
NAME_LENGTH = 40
"""The maximum length of a customer's name in a button's label, in characters. Slack limits the label to 75."""

WHICH = said("choice.question", "Which customer is this for?")
CHOICE = said("choice.row", "*{customer}* · since {since}")
START_WITH = label("choice.start_with", "Start with {name}", limit=35)
START = label("choice.start", "Start")
MORE = counted("choice.more", "{count} more conversation isn’t shown.", "{count} more conversations aren’t shown.")
HINT = said("choice.hint", "Or type `{command}` with the interaction’s ID or address.")

HAVE_LINK = said("choice.have_link", "You already have a link for *{customer}*.")
HAVE_CODE = said("choice.have_code", "You already have a code for *{customer}*.")
HAVE_ONE = said("choice.have_one", "You already have an open session in this conversation.")
AGENT_HAS_ONE = said("choice.agent_has_one", "{agent} already has an open session with *{customer}*.")
HAS_ONE = said("choice.has_one", "This conversation already has an open session.")
MAKE_NEW = label("choice.make_new", "Start a new session (the old one stops working)")


def picker(error: SeveralConversationsError, to: Addressee, request_id: RequestId, argument: str = "") -> Message:
    """Render the message that asks in which conversation the bot should start the session.

    - `error`: holds the conversations. Each of the first MAX_CHOICES conversations gets a button.
    - `request_id`: the request that a button repeats.
    - `argument`: the argument of the repeated request; "" for none. The buttons carry this argument, because the store
      deletes the argument after the answer.

    The text for notifications contains no customer's name.
    """
    say = to.language.say
    rows = [_row(one, to, f"{request_id} {one.id} {argument}".strip()) for one in error.candidates[:MAX_CHOICES]]
    more = len(error.candidates) - MAX_CHOICES
    hint = " ".join([*([say(MORE, count=more)] if more > 0 else []), say(HINT, command=to.command)])
    head = section(f":speech_balloon: *{say(WHICH)}*", FAILURE_BLOCK)
    return Message(say(WHICH), [head, *rows, context(hint)])


def open_already(request: Request, outcome: OpenSession, card: Message | None, to: Addressee) -> Message:
    """Render the answer to a start in a conversation that has an open session already.

    A button replaces the open session by a new one. The text for notifications contains no customer's name.

    - `outcome`: holds the open session and the customer's name.
    - `card`: the card of the open session; None if the requester may not read the link.
    """
    say, record, customer = to.language.say, outcome.record, outcome.customer or CUSTOMER
    if card is None and record.agent == request.requester:  # the customer has joined
        text = told = say(HAVE_ONE)
    elif card is None:
        text, told = say(AGENT_HAS_ONE, agent=mention(record.agent), customer=customer), say(HAS_ONE)
    elif record.session.join_url:
        text, told = say(HAVE_LINK, customer=customer), say(HAVE_ONE)
    else:
        text, told = say(HAVE_CODE, customer=customer), say(HAVE_ONE)
    details = [record.session.id, request.name or "", request.target or "", record.session.conversation_id or ""]
    row = buttons(button(say(MAKE_NEW), REPLACE_ACTION, value=json.dumps(details)))
    return Message(told, [section(f":information_source: {text}", OPEN_BLOCK), row, *(card.blocks if card else ())])


def read_replace(value: str) -> tuple[SessionId, str | None, UserId | None, ConversationId | None]:
    """Decode the value of the button that replaces an open session.

    Return the id of the session to replace, and the name, agent and conversation of the new session. If the name is
    None, the new session has no name. If the agent is None, the requester is the agent. If the conversation is None,
    the button names no conversation, or the conversation's id is invalid.
    """
    session_id, name, target, wanted = json.loads(value)
    return SessionId(session_id), name or None, UserId(target) if target else None, conversation_id(wanted)


def _row(one: LiveConversation, to: Addressee, value: str) -> Block:
    name = clean(one.customer, NAME_LENGTH)
    text = to.language.say(START_WITH, name=name) if name else to.language.say(START)
    shown = to.language.say(CHOICE, customer=one.customer or CUSTOMER, since=one.since)
    return section(shown) | {"accessory": button(text, PICK_ACTION, value=value)}


def read_pick(value: str) -> tuple[RequestId, ConversationId | None, str | None]:
    """Decode the value of the button that chooses a conversation.

    Return the id of the request to repeat, the chosen conversation, and the argument of the repeated request. The
    conversation is None if its id is invalid. The argument is None if the request needs none.
    """
    failed, _, rest = value.partition(" ")
    wanted, _, argument = rest.partition(" ")
    return RequestId(failed), conversation_id(wanted), argument or None
