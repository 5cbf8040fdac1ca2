"""Check lengths, types, keys, texts and URLs against Slack's limits.

In this module, `at` is the JSON pointer of the checked value, for the text of the error.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from urllib.parse import urlsplit


class BlockError(Exception):
    """A message or view is invalid. The text has the reason and the JSON pointer of the invalid value.

    `code`: Slack's error code.
    """

    def __init__(self, message: str, pointer: str = "", code: str = "invalid_blocks") -> None:
        super().__init__(f"{message} [json-pointer:{pointer}]" if pointer else message)
        self.code = code


def require(condition: bool, message: str, at: str) -> None:
    """Raise BlockError if `condition` is False.

    - `message`: the reason in the text of the error.
    - `at`: the JSON pointer of the checked value, for the text of the error.
    """
    if not condition:
        raise BlockError(message, at)


def check_length(value: Any, minimum: int, maximum: int, at: str) -> None:
    """Check that a value is a string of `minimum` to `maximum` characters. Raises BlockError if not.

    `at`: the JSON pointer of the value, for the text of the error.
    """
    require(isinstance(value, str), "must be a string", at)
    require(len(value) >= minimum, f"must be more than {minimum - 1} characters", at)
    require(len(value) <= maximum, f"must be less than {maximum + 1} characters", at)


def check_keys(value: Any, keys: str, at: str) -> None:
    """Check that a value is an object without unknown keys. Raises BlockError if not.

    - `keys`: the allowed keys, separated by spaces.
    - `at`: the JSON pointer of the value, for the text of the error.
    """
    require(isinstance(value, dict), "must be an object", at)
    for key in value:
        require(key in keys.split(), f"invalid additional property: {key}", at)


def check_flags(value: dict[str, Any], keys: Collection[str], at: str) -> None:
    """Check that each of `keys` is a boolean in the object `value`, or is missing. Raises BlockError if not.

    `at`: the JSON pointer of the object, for the text of the error.
    """
    for key in keys:
        require(isinstance(value.get(key, False), bool), "must be a boolean", f"{at}/{key}")


def check_text(value: Any, maximum: int, at: str, *, plain: bool = False) -> None:
    """Check that a value is a text object of Slack with 1 to `maximum` characters. Raises BlockError if not.

    - `at`: the JSON pointer of the value, for the text of the error.
    - `plain`: True to allow only the type plain_text, False to allow mrkdwn, too.
    """
    require(isinstance(value, dict), "must be an object", at)
    kind = value.get("type")
    require(kind == "plain_text" or (kind == "mrkdwn" and not plain), f"unsupported type: {kind}", f"{at}/type")
    check_keys(value, "type text emoji" if kind == "plain_text" else "type text verbatim", at)
    check_length(value.get("text"), 1, maximum, f"{at}/text")


def check_url(url: Any, at: str) -> None:
    """Check that a value is an absolute URL of at most 3000 characters without white space. Raises BlockError if not.

    `at`: the JSON pointer of the value, for the text of the error.
    """
    check_length(url, 1, 3000, at)
    try:
        parts = urlsplit(url)
    except ValueError:
        raise BlockError("invalid url", at) from None
    require(bool(parts.scheme) and (bool(parts.netloc) or parts.scheme in ("mailto", "tel")), "invalid url", at)
    require(not any(character.isspace() for character in url), "invalid url", at)


def items_of(value: dict[str, Any], key: str, maximum: int, at: str) -> list[tuple[Any, str]]:
    """Return the items of the array `value[key]`, each with its JSON pointer.

    `at`: the JSON pointer of `value`.

    Raises BlockError unless the array has 1 to `maximum` items.
    """
    items = value.get(key)
    require(isinstance(items, list) and bool(items), f"must provide at least one of {key}", f"{at}/{key}")
    assert isinstance(items, list)  # noqa: S101 - tells the type checker what the line above made sure
    require(len(items) <= maximum, f"no more than {maximum} items allowed", f"{at}/{key}")
    return [(item, f"{at}/{key}/{index}") for index, item in enumerate(items)]
