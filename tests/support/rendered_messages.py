"""Render messages in plain English with untrusted text, and check them against Slack's limits."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st

from bot.core.models import Request, RequestKind
from bot.slack.messages.blocks import Message
from bot.slack.messages.catalogue.sentence import Markup
from bot.slack.messages.renderer import MessageRenderer

JOIN_URL = "https://join.example/s/7f3a?k=a&b=c"
ENDS = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
DATE = "<!date^1767268800^{time} ({date_short_pretty})|01 Jan 12:00 UTC>"
OURS = ("<@U0ANA>", "<@U0BEN>", "<#C0HELP>", "<#C0DESK>", DATE)
"""All the markup that the bot itself writes."""
WORDS = MessageRenderer("/cobrowse", Markup("<#C0HELP>"))

PIECES = [*"&<>`*\n|”", "<!channel>", "<@U0EVIL>", "<https://evil.example|x>", "&lt;", "a" * 40]
unsafe = st.text(max_size=300) | st.lists(st.sampled_from(PIECES), max_size=40).map("".join)
"""Any text, and pieces of markup in any order."""
some = settings(max_examples=60)


def request(**more: Any) -> Request:
    """Make a request for a session in a channel; `more` replaces its fields."""
    parts: dict[str, Any] = {
        "id": "ref7ref7ref7",
        "key": "command:1",
        "kind": RequestKind.START,
        "team_id": "T0",
        "enterprise_id": None,
        "channel_id": "C0DESK",
        "requester": "U0ANA",
        "accepted_at": ENDS,
    }
    return Request(**(parts | more))


def texts(message: Message) -> Iterator[str]:
    """Yield all texts that Slack reads as mrkdwn: the text of the notification, and each mrkdwn object."""
    yield message.text
    for block in message.blocks:
        for part in [block.get("text"), *block.get("elements", ())]:
            if part and part.get("type") == "mrkdwn":
                yield part["text"]


def assert_fit_for_slack(message: Message) -> None:
    """Fail the test if untrusted text became markup, or if the message exceeds Slack's limits."""
    for text in texts(message):
        theirs = re.sub("|".join(map(re.escape, OURS)), "", text)
        assert not re.search(r"[<>]|&(?!(?:amp|lt|gt);)", theirs), text
        assert len(text.strip()) >= 1
    assert 1 <= len(message.blocks) <= 50
    ids = [block["block_id"] for block in message.blocks if "block_id" in block]
    assert len(set(ids)) == len(ids)
    for block in message.blocks:
        assert block["type"] in ("section", "context", "actions", "rich_text", "header")
        assert len(block.get("block_id", "")) <= 255
        if block["type"] == "section":
            assert len(block["text"]["text"]) <= 3000
        for element in block.get("elements", ()):
            if block["type"] == "context":
                assert len(element["text"]) <= 3000
            elif element.get("type") == "overflow":
                assert_fit_menu(element)
            elif block["type"] == "actions":
                assert len(element["text"]["text"]) <= 75
                assert len(element["action_id"]) <= 255
                assert len(element.get("value", "")) <= 2000
                assert len(element.get("url", "")) <= 3000


def assert_fit_menu(element: dict[str, Any]) -> None:
    """Fail the test unless a menu has two to five options.

    https://docs.slack.dev/reference/block-kit/block-elements/overflow-menu-element
    """
    assert 2 <= len(element["options"]) <= 5
    assert "confirm" not in element  # it would hold for all options
    for option in element["options"]:
        assert len(option["text"]["text"]) <= 75
        assert len(option["value"]) <= 150
        assert len(option.get("url", "")) <= 3000
