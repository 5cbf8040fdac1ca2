"""The small checks that Slack's limits are made of: lengths, kinds, known keys, texts, URLs, each with a JSON pointer.

`slack_blocks`, `slack_elements` and `slack_view_limits` say what is checked with them.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from urllib.parse import urlsplit


class BlockError(Exception):
    """What is wrong with a message or a view; `code` is Slack's error, the text its explanation with a JSON pointer."""

    def __init__(self, sentence: str, pointer: str = "", code: str = "invalid_blocks") -> None:
        super().__init__(f"{sentence} [json-pointer:{pointer}]" if pointer else sentence)
        self.code = code


def need(condition: bool, sentence: str, at: str) -> None:
    """Raise BlockError unless the condition holds."""
    if not condition:
        raise BlockError(sentence, at)


def check_length(value: Any, least: int, most: int, at: str) -> None:
    """Raise BlockError for anything but a string of so many characters."""
    need(isinstance(value, str), "must be a string", at)
    need(len(value) >= least, f"must be more than {least - 1} characters", at)
    need(len(value) <= most, f"must be less than {most + 1} characters", at)


def check_keys(thing: Any, keys: str, at: str) -> None:
    """Raise BlockError for anything but an object with these keys, some or all, and no other."""
    need(isinstance(thing, dict), "must be an object", at)
    for key in thing:
        need(key in keys.split(), f"invalid additional property: {key}", at)


def check_flags(thing: dict[str, Any], keys: Collection[str], at: str) -> None:
    """Raise BlockError unless each of these keys, where it is there, is true or false."""
    for key in keys:
        need(isinstance(thing.get(key, False), bool), "must be a boolean", f"{at}/{key}")


def check_text(thing: Any, most: int, at: str, *, plain: bool = False) -> None:
    """Raise BlockError for anything but a text object of up to so many characters."""
    need(isinstance(thing, dict), "must be an object", at)
    kind = thing.get("type")
    need(kind == "plain_text" or (kind == "mrkdwn" and not plain), f"unsupported type: {kind}", f"{at}/type")
    check_keys(thing, "type text emoji" if kind == "plain_text" else "type text verbatim", at)
    check_length(thing.get("text"), 1, most, f"{at}/text")


def check_url(url: Any, at: str) -> None:
    """Raise BlockError for anything but an absolute URL."""
    check_length(url, 1, 3000, at)
    try:
        parts = urlsplit(url)
    except ValueError:
        raise BlockError("invalid url", at) from None
    need(bool(parts.scheme) and (bool(parts.netloc) or parts.scheme in ("mailto", "tel")), "invalid url", at)
    need(not any(character.isspace() for character in url), "invalid url", at)


def items_of(thing: dict[str, Any], key: str, most: int, at: str) -> list[tuple[Any, str]]:
    """Return the items of an array of 1 to `most`, each with its pointer."""
    items = thing.get(key)
    need(isinstance(items, list) and bool(items), f"must provide at least one of {key}", f"{at}/{key}")
    assert isinstance(items, list)  # noqa: S101 - tells the type checker what the line above made sure
    need(len(items) <= most, f"no more than {most} items allowed", f"{at}/{key}")
    return [(item, f"{at}/{key}/{index}") for index, item in enumerate(items)]
