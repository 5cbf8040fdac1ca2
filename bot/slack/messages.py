"""A result or an error -> text and blocks: how every message looks. Step 5 of five (pure).

The words about failures are in sentences.py. The join URL is the customer's: it stands in preformatted text, which
Slack neither links nor crawls, never in the top-level text, which notifications show.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.desk.errors import CobrowseError, ServiceError
from bot.desk.models import Host, Identity, Note, Request, RequestId, Session, Started
from bot.slack.grammar import Help, NotUnderstood, NotYet, Reason
from bot.slack.sentences import escape, sentence

Block = dict[str, Any]
OPEN_ACTION, TRY_AGAIN_ACTION = "open", "try_again"
FAILURE_BLOCK, SESSION_BLOCK = "failure", "session"
BUTTON_URL_LENGTH = 3000
SOMEBODY = "the person who looks after this bot"


@dataclass(frozen=True, slots=True)
class Message:
    """`text` is what a notification shows, readable alone; `blocks` what Slack shows."""

    text: str
    blocks: list[Block]

    def payload(self) -> dict[str, Any]:
        """For an ack, a response_url or chat.post…: nothing is unfurled."""
        return {"text": self.text, "blocks": self.blocks, "unfurl_links": False, "unfurl_media": False}


@dataclass(frozen=True, slots=True)
class Words:
    """What the messages of one installation have in common: its command, and whom refusals name (mrkdwn)."""

    command: str = "/cobrowse"
    contact: str = SOMEBODY

    def answer(self, request: Request, outcome: Started | Identity | CobrowseError) -> Message:
        """What the requester reads in the end."""
        if isinstance(outcome, Started):
            return self.card(request, outcome)
        if isinstance(outcome, Identity):
            return self.identity(request, outcome)
        return self.failure(outcome, request.id)

    def card(self, request: Request, started: Started) -> Message:
        """The session, for whoever asked for it."""
        session, host = started.session, started.host
        name, agent = escape(session.name), f"<@{request.agent}>"
        whose = f" for {agent}" if request.for_another else ""
        host_line = f"{agent} is the host" if request.for_another else f"You ({agent}) are already the host"
        told = []
        if started.agent_told is True:
            told = [_context(f"{agent} has got the link too, and knows that you started it.")]
        elif started.agent_told is False:
            told = [_section(f":warning: {agent} could not be told. Pass the link on yourself.")]
        return Message(
            f"Co-browse session “{name}”{whose} is ready. The link for your customer is in this message.",
            [
                _section(f":white_check_mark: *Co-browse session ready{whose}*\n{name}", SESSION_BLOCK),
                *_link("Send this link to your customer:", session),
                *told,
                *_small_print(host_line, host, session, request.id),
            ],
        )

    def agent_note(self, request: Request, started: Started) -> Message:
        """The same session, for the agent it was started for."""
        name, starter = escape(started.session.name), f"<@{request.requester}>"
        return Message(
            f"{starter} started a co-browse session for you: “{name}”. The customer's link is in this message.",
            [
                _section(f":white_check_mark: *{starter} started a co-browse session for you*\n{name}", SESSION_BLOCK),
                *_link(f"Send this link to your customer ({starter} has it too):", started.session),
                *_small_print("You are already the host", started.host, started.session, request.id),
            ],
        )

    def identity(self, request: Request, identity: Identity) -> Message:
        """The answer to whoami."""
        host = identity.host
        text = f"You host co-browse sessions as Genesys user `{host.id}`, by the rule “{escape(host.rule)}”."
        return Message(text, [_section(text), _reference(request.id)])

    def failure(self, error: CobrowseError, request_id: RequestId, *, kept: bool = True) -> Message:
        """What happened, what to do, a reference, and Try again where it makes sense: for a request that was kept."""
        said = sentence(error, self.contact)
        service = error.reference if isinstance(error, ServiceError) else None
        blocks = [_section(f":warning: *{said.what}*\n{said.next}", FAILURE_BLOCK)]
        if error.try_again and kept:
            blocks.append(_buttons(_button("Try again", TRY_AGAIN_ACTION, value=request_id)))
        return Message(f"{said.what} {said.next}", [*blocks, _reference(request_id, service)])

    def note(self, request: Request, note: Note) -> Message:
        """A word while they wait."""
        text = "Still working on your co-browse session…"
        if note.wait_seconds is not None:
            text = f"Genesys is busy, so your session waits its turn: about {_duration(note.wait_seconds)} more."
        return Message(text, [_section(f":hourglass_flowing_sand: {text}"), _reference(request.id)])

    def help(self, command: Help) -> Message:
        """What can be typed."""
        lines = [
            f"`{self.command}` starts a session with you as the host",
            f'`{self.command} Checkout help` gives it a name; quotes force one: `{self.command} "help"`',
            f"`{self.command} @agent` or `{self.command} for @agent Checkout help` starts one for somebody else "
            "(supervisors)",
            f"`{self.command} whoami` tells which Genesys host you are",
        ]
        text = f"Type {self.command} to get a co-browse link for your customer."
        if command.instead_of:
            name = escape(command.instead_of)
            text = f"No session was started: “{name}” looks like a command that does not exist."
            lines.insert(0, f'If “{name}” was meant as a name: `{self.command} "{name.replace("`", "")}"`')
        return Message(text, [_section(f"*{text}*"), _section("\n".join(f"• {line}" for line in lines))])

    def not_yet(self, command: NotYet) -> Message:
        """A word that is kept for later."""
        text = f"`{self.command} {command.word}` is not available in this version, so nothing was done."
        hint = f"`{self.command} help` shows what is. As a session's name, put it in quotes."
        return Message(text, [_section(f":warning: *{text}*\n{hint}", FAILURE_BLOCK)])

    def not_understood(self, command: NotUnderstood) -> Message:
        """Nobody gets a session they did not mean."""
        what, then = _REASONS[command.reason]
        text = f"No session was started: {what}."
        hint = f'{then} As a session\'s name, put it in quotes: `{self.command} "…"`.'
        return Message(text, [_section(f":warning: *{text}*\n{hint}", FAILURE_BLOCK)])


_REASONS = {
    Reason.UNRESOLVED: (
        "that looks like a person, but Slack knows nobody by that name",
        "Pick the person from the list that Slack shows while you type the @.",
    ),
    Reason.NO_PERSON: ("a group or a channel cannot host one", "Name one person instead."),
    Reason.TWO_PEOPLE: ("it can be for one person only", "Name one person, and then the session's name."),
    Reason.PERSON_LATER: (
        "it was not clear whether it is for you or for the person you mention",
        "Put the person first, or leave them out.",
    ),
}


def contact_markup(contact: str) -> str:
    """COBROWSE_HELP_CONTACT as mrkdwn: an id becomes a mention, anything else stays text."""
    if re.fullmatch(r"[UWCGS](?=[A-Z]*[0-9])[A-Z0-9]{3,}", contact):
        return {"C": "<#{}>", "G": "<#{}>", "S": "<!subteam^{}>"}.get(contact[0], "<@{}>").format(contact)
    return escape(contact) or SOMEBODY


def _link(label: str, session: Session) -> list[Block]:
    preformatted = {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": session.join_url}]}
    blocks: list[Block] = [_section(label), {"type": "rich_text", "elements": [preformatted]}]
    if len(session.join_url) <= BUTTON_URL_LENGTH:
        blocks.append(_buttons(_button("Open link", OPEN_ACTION, url=session.join_url)))
    return blocks


def _small_print(host_line: str, host: Host, session: Session, request_id: RequestId) -> list[Block]:
    return [
        _context(f"{host_line} · ends about {_clock(session.ends_at)}"),
        _context(f"Session `{escape(session.id)}` · Genesys host `{host.id}` · Reference `{request_id}`"),
    ]


def _reference(request_id: RequestId, service: str | None = None) -> Block:
    return _context(f"Reference `{request_id}`" + (f" · Genesys `{escape(service)}`" if service else ""))


def _clock(at: datetime) -> str:
    """In the reader's zone: https://docs.slack.dev/messaging/formatting-message-text#date-formatting"""
    return f"<!date^{int(at.timestamp())}^{{time}}|{at:%H:%M} UTC>"


def _duration(seconds: float) -> str:
    return f"{max(1, round(seconds))} seconds" if seconds < 90 else f"{round(seconds / 60)} minutes"


def _section(text: str, block_id: str | None = None) -> Block:
    # verbatim: Slack must not look for links and mentions of its own in what people wrote
    block: Block = {"type": "section", "text": {"type": "mrkdwn", "text": text[:3000], "verbatim": True}}
    return block | {"block_id": block_id} if block_id else block


def _context(text: str) -> Block:
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": text, "verbatim": True}]}


def _buttons(*buttons: Block) -> Block:
    return {"type": "actions", "elements": list(buttons)}


def _button(label: str, action_id: str, **how: str) -> Block:
    return {"type": "button", "text": {"type": "plain_text", "text": label}, "action_id": action_id, **how}
