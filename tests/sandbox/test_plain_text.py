"""The output of `sandbox --once`: the blocks of a message as lines."""

import re
from pathlib import Path
from typing import Any

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


def printed(*blocks: dict[str, Any]) -> list[str]:
    return lines(Message("1.0", "C0", "U0", None, "", list(blocks), "chat.postMessage"), {})


def plain(text: str) -> dict[str, str]:
    return {"type": "plain_text", "text": text}


def test_menus_and_choices_are_printed_with_their_options() -> None:
    options = [{"text": plain("Send me a copy"), "value": "a"}, {"text": plain("End"), "value": "b"}]
    select = {"type": "static_select", "options": options}
    assert printed(
        {"type": "header", "text": plain("Live now")},
        {"type": "section", "text": plain("Checkout"), "accessory": {"type": "overflow", "options": options}},
        {"type": "section", "fields": [plain("Host"), plain("Ana")]},
        {"type": "actions", "elements": [{"type": "button", "text": plain("End")}, select]},
        {"type": "section", "text": plain("Whose?"), "accessory": {**select, "placeholder": plain("Filter by agent")}},
        {"type": "context", "elements": [{"type": "image", "alt_text": "x"}, plain("since 1:46 PM")]},
    ) == [
        "Live now", "Checkout", "[⋯ Send me a copy · End]", "Host", "Ana", "[End]  [Choose…]", "Whose?",
        "[Filter by agent]", "since 1:46 PM",
    ]  # fmt: skip
