"""Block Kit, as far as the messages need it (pure). https://docs.slack.dev/reference/block-kit/blocks"""

import re
from dataclasses import dataclass
from typing import Any

from bot.core.validation.display import one_line

Block = dict[str, Any]
View = dict[str, Any]
FAILURE_BLOCK, SESSION_BLOCK, NOTICE_BLOCK = "failure", "session", "notice"
"""The first block's id says what kind of answer a message is."""
CODE_BLOCK = "code"
"""The id of the block with a customer's code."""
OPEN_ACTION = "open"
START_ACTION = "home_start"
"""Opens the form that starts a session."""


@dataclass(frozen=True, slots=True)
class Message:
    """`text` is what a notification shows, readable alone; `blocks` what Slack shows."""

    text: str
    blocks: list[Block]

    def payload(self) -> dict[str, Any]:
        """For an ack, a response_url or chat.post…: nothing is unfurled."""
        return {"text": self.text, "blocks": self.blocks, "unfurl_links": False, "unfurl_media": False}


def escape(text: str) -> str:
    """Return the text on one line, with `&`, `<` and `>` escaped and without invisible characters.

    https://docs.slack.dev/messaging/formatting-message-text#escaping
    """
    return one_line(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def section(text: str, block_id: str | None = None) -> Block:
    """Return a paragraph of mrkdwn."""
    # verbatim: Slack must not look for links and mentions of its own in what people wrote
    block: Block = {"type": "section", "text": {"type": "mrkdwn", "text": cut(text), "verbatim": True}}
    return block | {"block_id": block_id} if block_id else block


def cut(text: str, max_length: int = 3000) -> str:
    """Return as much of an escaped text as Slack takes; the cut is never inside an entity."""
    return text if len(text) <= max_length else re.sub(r"&[a-z]*$", "", text[: max_length - 1]) + "…"


def context(text: str) -> Block:
    """Return a line of small print, in mrkdwn."""
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": cut(text), "verbatim": True}]}


def buttons(*row: Block) -> Block:
    """Return a row of buttons."""
    return {"type": "actions", "elements": list(row)}


def confirm(title: str, text: str, yes: str) -> Block:
    """A question before a button does something. https://docs.slack.dev/reference/block-kit/composition-objects"""
    plain = {name: {"type": "plain_text", "text": words} for name, words in (("title", title), ("text", text))}
    return {**plain, "confirm": {"type": "plain_text", "text": yes}, "deny": {"type": "plain_text", "text": "Cancel"}}


def button(label: str, action_id: str, **fields: Any) -> Block:
    """A button; `fields` is its `url`, `value`, `style` or `confirm`."""
    return {"type": "button", "text": {"type": "plain_text", "text": label}, "action_id": action_id, **fields}


def header(text: str, block_id: str) -> Block:
    """Return a line of large plain text."""
    return {"type": "header", "block_id": block_id, "text": _plain(text) | {"emoji": False}}


def option(text: str, value: str, **fields: Any) -> Block:
    """Return an option of a menu; `fields` is its `url`. https://docs.slack.dev/reference/block-kit/composition-objects"""
    return {"text": _plain(text), "value": value, **fields}


def overflow(action_id: str, *options: Block) -> Block:
    """Return a menu behind three dots, of two to five options."""
    return {"type": "overflow", "action_id": action_id, "options": list(options)}


def users_select(action_id: str, placeholder: str, initial_user: str | None = None) -> Block:
    """Return a choice of one person."""
    element = {"type": "users_select", "action_id": action_id, "placeholder": _plain(placeholder)}
    return element | {"initial_user": initial_user} if initial_user else element


def _plain(text: str) -> Block:
    return {"type": "plain_text", "text": text}
