"""A result or an error -> text and blocks: how every message looks. Step 5 of five (pure).

The sentences about failures are in error_copy.py; the link and the code are in session_card.py.
"""

import re
from dataclasses import dataclass

from bot.core.errors import CobrowseError, ConversationActiveError, ServiceError, SeveralConversationsError
from bot.core.models import Request, RequestId, RequestKind, SessionStarted, WaitNotice
from bot.core.results import Result
from bot.slack.messages.blocks import (
    FAILURE_BLOCK,
    SESSION_BLOCK,
    Message,
    button,
    buttons,
    context,
    duration,
    escape,
    section,
)
from bot.slack.messages.conversation_choice import picker
from bot.slack.messages.error_copy import error_copy
from bot.slack.messages.help import PLAIN, Capabilities
from bot.slack.messages.replies import reply
from bot.slack.messages.session_card import (
    can_share,
    controls,
    join_blocks,
    join_label,
    link_alone,
    reference_line,
    small_print,
)

TRY_AGAIN_ACTION = "try_again"
NOT_REPEATABLE = (
    RequestKind.LINK,
    RequestKind.PROPOSE,
    RequestKind.SEND,
)  # what takes an address, which is gone when it could be tried again
DEFAULT_CONTACT = "the person who looks after this bot"


@dataclass(frozen=True, slots=True)
class MessageRenderer:
    """What the messages of one installation have in common: its command, whom refusals name, what it can do besides."""

    command: str = "/cobrowse"
    contact: str = DEFAULT_CONTACT
    features: Capabilities = PLAIN

    def answer(self, request: Request, outcome: Result) -> Message:
        """What the requester reads in the end."""
        if isinstance(outcome, SessionStarted):
            return self.card(request, outcome)
        if isinstance(outcome, CobrowseError):
            starting, sending = request.kind is RequestKind.START, request.kind is RequestKind.SEND
            return self.failure(
                outcome, request.id, kept=request.kind not in NOT_REPEATABLE, starting=starting, sending=sending
            )
        return reply(self.command, self.contact, outcome, request, self.features)

    def card(self, request: Request, started: SessionStarted) -> Message:
        """The session, for whoever asked for it."""
        session = started.session
        name, agent = escape(session.name), f"<@{request.agent}>"
        whose = f" for {agent}" if request.for_another else ""
        host_line = f"{agent} is the host" if request.for_another else f"You ({agent}) are already the host"
        agent_note = []
        if started.agent_told is True:
            agent_note = [context(f"{agent} has got the {join_label(session)} too, and knows that you started it.")]
        elif started.agent_told is False:
            agent_note = [section(f":warning: {agent} could not be told. Pass the {join_label(session)} on yourself.")]
        return Message(
            f"Co-browse session “{name}”{whose} is ready. "
            f"The {join_label(session)} for your customer is in this message.",
            [
                section(f":white_check_mark: *Co-browse session ready{whose}*\n{name}", SESSION_BLOCK),
                *join_blocks(session),
                *agent_note,
                controls(session, share=can_share(request), direct=bool(request.reply_url), send=self.features.sends),
                *small_print(host_line, session, request.id),
            ],
        )

    def failure(
        self,
        error: CobrowseError,
        request_id: RequestId,
        *,
        kept: bool = True,
        starting: bool = True,
        sending: bool = False,
    ) -> Message:
        """What happened, what to do, a reference, and Try again where it makes sense: for a request that was kept."""
        if isinstance(error, SeveralConversationsError):
            return picker(error, self.command, request_id)
        copy = error_copy(error, self.contact, command=self.command, starting=starting, sending=sending)
        service = error.reference if isinstance(error, ServiceError) else None
        blocks = [section(f":warning: *{copy.what}*\n{copy.next}", FAILURE_BLOCK)]
        if isinstance(error, ConversationActiveError):
            blocks += link_alone(error.join_url)
        if error.try_again and kept:
            blocks.append(buttons(button("Try again", TRY_AGAIN_ACTION, value=request_id)))
        return Message(f"{copy.what} {copy.next}", [*blocks, reference_line(request_id, service)])

    def note(self, request: Request, note: WaitNotice) -> Message:
        """A word while they wait."""
        text = (
            "Still working on your co-browse session…" if request.kind is RequestKind.START else "Still working on it…"
        )
        if note.wait_seconds is not None:
            what = "session" if request.kind is RequestKind.START else "request"
            text = f"Genesys is busy, so your {what} waits its turn: about {duration(note.wait_seconds)} more."
        return Message(text, [section(f":hourglass_flowing_sand: {text}"), reference_line(request.id)])


def contact_markup(contact: str) -> str:
    """COBROWSE_HELP_CONTACT as mrkdwn: an id becomes a mention, anything else stays text."""
    if re.fullmatch(r"[UWCG](?:[0-9][A-Z0-9]{2,}|(?=[A-Z]*[0-9])[A-Z0-9]{8,})", contact):
        return {"C": "<#{}>", "G": "<#{}>"}.get(contact[0], "<@{}>").format(contact)
    return escape(contact) or DEFAULT_CONTACT
