"""Build the Block Kit objects that the messages use (pure). https://docs.slack.dev/reference/block-kit/blocks"""

import re
from dataclasses import dataclass
from typing import Any

from bot.core.validation.display import one_line

Block = dict[str, Any]
View = dict[str, Any]
FAILURE_BLOCK, SESSION_BLOCK, NOTICE_BLOCK = "failure", "session", "notice"
"""The block id of the first block in an error message, in a message about a session, and in a notice."""
CODE_BLOCK = "code"
"""The id of the block that shows the customer's join code."""
OPEN_ACTION = "open"
START_ACTION = "home_start"
"""The action id of the button that opens the form to start a session."""
START_FOR_ACTION = "home_start_for"
"""The action id of the button that opens the form to start a session for another agent."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message to post.

    - `text`: what Slack shows in notifications, as mrkdwn. It must be understandable without `blocks`.
    - `blocks`: what Slack shows in the channel.
    """

    text: str
    blocks: list[Block]

    def payload(self) -> dict[str, Any]:
        """Return the fields for an acknowledgement, a response_url or a `chat.*` call. Link previews are off."""
        return {"text": self.text, "blocks": self.blocks, "unfurl_links": False, "unfurl_media": False}


def escape(text: str) -> str:
    """Return the text on one line, with `&`, `<` and `>` escaped and without invisible characters.

    https://docs.slack.dev/messaging/formatting-message-text#escaping
    """
    return one_line(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def section(text: str, block_id: str | None = None) -> Block:
    """Build a section block: a paragraph of mrkdwn, cut to Slack's limit of 3000 characters."""
    # verbatim: Slack must not turn words that people wrote into links and mentions
    block: Block = {"type": "section", "text": {"type": "mrkdwn", "text": cut(text), "verbatim": True}}
    return block | {"block_id": block_id} if block_id else block


def cut(text: str, max_length: int = 3000) -> str:
    """Cut a text to `max_length` characters. A text that is cut ends with "…".

    The text must be escaped already. The cut never splits an HTML entity such as `&amp;`.
    """
    return text if len(text) <= max_length else re.sub(r"&[a-z]*$", "", text[: max_length - 1]) + "…"


def context(text: str) -> Block:
    """Build a context block: a line of small print in mrkdwn, cut to Slack's limit of 3000 characters."""
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": cut(text), "verbatim": True}]}


def buttons(*row: Block) -> Block:
    """Build an actions block: a row of buttons."""
    return {"type": "actions", "elements": list(row)}


def button(label: str, action_id: str, **fields: Any) -> Block:
    """Build a button. `fields` are further fields of the element: `url`, `value` or `style`."""
    return {"type": "button", "text": {"type": "plain_text", "text": label}, "action_id": action_id, **fields}


def header(text: str, block_id: str) -> Block:
    """Build a header block: a line of large plain text."""
    return {"type": "header", "block_id": block_id, "text": _plain(text) | {"emoji": False}}


def option(text: str, value: str, **fields: Any) -> Block:
    """Build an option of a menu. `fields` are further fields of the option, such as `url`.

    https://docs.slack.dev/reference/block-kit/composition-objects
    """
    return {"text": _plain(text), "value": value, **fields}


def overflow(action_id: str, *options: Block) -> Block:
    """Build an overflow menu, which opens from a button with three dots. Slack requires two to five options."""
    return {"type": "overflow", "action_id": action_id, "options": list(options)}


def users_select(action_id: str, placeholder: str, initial_user: str | None = None) -> Block:
    """Build a menu to select one person. `initial_user` is selected at first; None selects nobody."""
    element = {"type": "users_select", "action_id": action_id, "placeholder": _plain(placeholder)}
    return element | {"initial_user": initial_user} if initial_user else element


def _plain(text: str) -> Block:
    return {"type": "plain_text", "text": text}
