"""What `sandbox --once` prints: a message's blocks as lines."""

import re
from pathlib import Path

import bot.slack
from bot.sandbox.plain_text import lines
from bot.sandbox.slack.server import Message


def test_every_emoji_of_the_bots_messages_is_printed_as_itself() -> None:
    code = "".join(path.read_text() for path in Path(bot.slack.__file__).parent.rglob("*.py"))
    names = set(re.findall(r":[a-z]+(?:_[a-z]+)*:(?= )", code))
    assert {":envelope:", ":white_check_mark:"} <= names
    for name in names:
        text = {"type": "mrkdwn", "text": f"{name} said"}
        message = Message("1.0", "C0", "U0", None, "", [{"type": "section", "text": text}], "chat.postMessage")
        (line,) = lines(message, {})
        assert ":" not in line, name
