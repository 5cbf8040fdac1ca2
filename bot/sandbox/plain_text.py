"""Render Slack messages as plain text for a terminal."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.sandbox.slack.server import Message

_DATE = re.compile(r"<!date\^[^>|]*\|([^>]*)>")
_PERSON = re.compile(r"<@([A-Z0-9]+)(?:\|[^>]*)?>")
_PLACE = re.compile(r"<#([A-Z0-9]+)(?:\|[^>]*)?>")
_LINK = re.compile(r"<(https?://[^>|]+)(?:\|([^>]*))?>")
_EMOJI = {
    ":white_check_mark:": "✅",
    ":raising_hand:": "🙋",
    ":warning:": "⚠️",
    ":information_source:": "ℹ️",
    ":no_entry:": "⛔",
    ":hourglass_flowing_sand:": "⏳",
    ":link:": "🔗",
    ":envelope:": "✉️",
    ":speech_balloon:": "💬",
    ":white_circle:": "⚪",
    ":red_circle:": "🔴",
    ":large_green_circle:": "🟢",
    ":large_yellow_circle:": "🟡",
    ":telephone_receiver:": "📞",
    ":heavy_check_mark:": "✔️",
    ":x:": "❌",
    ":lock:": "🔒",
    ":wave:": "👋",
    ":bulb:": "💡",
    ":bust_in_silhouette:": "👤",
    ":busts_in_silhouette:": "👥",
    ":small_orange_diamond:": "🔸",
}


@dataclass(frozen=True)
class Answer:
    """The messages that a user sees in Slack after one command.

    - `ack_ms`: the time until the bot acknowledged the command, in milliseconds.
    - `names`: the name of each Slack user, by user id.
    """

    messages: Sequence[Message]
    ack_ms: float
    names: Mapping[str, str]

    @property
    def failed(self) -> bool:
        """Return True if there are no messages or if a message reports an error, otherwise False.

        A message reports an error if the message is an error of Slack (`via` is `slackbot`), or if the bot marked the
        message as an error (a block has the id `failure`).
        """
        return not self.messages or any(_is_failure(message) for message in self.messages)

    def as_text(self) -> str:
        """Return the messages as plain text, with a blank line between messages.

        Without messages, return the text "Nothing came back.".
        """
        paragraphs = ["\n".join(lines(message, self.names)) for message in self.messages]
        return "\n\n".join(paragraphs) or "Nothing came back."

    def as_dict(self) -> dict[str, Any]:
        """Return the answer as the JSON object that `cobrowse-bot sandbox --json` prints.

        - `failed`: whether there is no message or a message reports an error.
        - `ackMs`: the time until the acknowledgement, in milliseconds.
        - `joinUrl`: the first URL that stands alone in a preformatted block; None if there is none.
        - `messages`: one object for each message. `only_visible_to_you` is True if only the user sees the message.
          `text` is the text in Slack's markup. `lines` is the message as lines of plain text.
        """
        apart = [text for message in self.messages for text in _preformatted(message)]
        urls = [text for text in apart if text.startswith("http")]
        told = [
            {"only_visible_to_you": bool(message.visible_to), "text": message.text, "lines": lines(message, self.names)}
            for message in self.messages
        ]
        return {
            "failed": self.failed,
            "ackMs": round(self.ack_ms, 1),
            "joinUrl": urls[0] if urls else None,
            "messages": told,
        }


def lines(message: Message, names: Mapping[str, str]) -> list[str]:
    """Return the blocks of a message as lines of plain text. Without blocks, return the lines of the message's text.

    `names`: the name of each Slack user, by user id. In the text of a mention, the name replaces the user id.
    """
    if not message.blocks:
        return _plain(message.text, names).splitlines()
    return [line for block in message.blocks for line in _block(block, names)]


def _block(block: Mapping[str, Any], names: Mapping[str, str]) -> list[str]:
    match block["type"]:
        case "section":
            texts = [block["text"]] if "text" in block else block["fields"]
            beside = [_element(block["accessory"])] if "accessory" in block else []
            return [line for text in texts for line in _plain(text["text"], names).splitlines()] + beside
        case "header":
            return _plain(block["text"]["text"], names).splitlines()
        case "context":
            texts = [element["text"] for element in block["elements"] if element["type"] != "image"]
            return [" · ".join(_plain(text, names) for text in texts)]
        case "actions":
            return ["  ".join(_element(element) for element in block["elements"])]
        case "rich_text":
            return ["    " + "".join(part["text"] for part in element["elements"]) for element in block["elements"]]
    return []


def _element(element: Mapping[str, Any]) -> str:
    """Return the text of an interactive element, in square brackets.

    For a button, return the label. For an overflow menu, radio buttons or checkboxes, return the options. For any other
    element, return the placeholder, or "Choose…" if the element has none.
    """
    match element["type"]:
        case "button":
            return f"[{element['text']['text']}]"
        case "overflow" | "radio_buttons" | "checkboxes":
            return f"[⋯ {' · '.join(option['text']['text'] for option in element['options'])}]"
    return f"[{element.get('placeholder', {}).get('text', 'Choose…')}]"


def _plain(text: str, names: Mapping[str, str]) -> str:
    text = _DATE.sub(r"\1", text)
    text = _PERSON.sub(lambda found: f"@{names.get(found[1], found[1])}", text)
    text = _PLACE.sub(r"#\1", text)
    text = _LINK.sub(lambda found: found[2] or found[1], text)
    for name, sign in _EMOJI.items():
        text = text.replace(name, sign)
    text = re.sub(r"\*([^*\n]+)\*", r"\1", text).replace("`", "")
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _preformatted(message: Message) -> list[str]:
    found = [element for block in message.blocks if block["type"] == "rich_text" for element in block["elements"]]
    return [element["elements"][0]["text"] for element in found if element["type"] == "rich_text_preformatted"]


def _is_failure(message: Message) -> bool:
    return message.via == "slackbot" or any(block.get("block_id") == "failure" for block in message.blocks)
