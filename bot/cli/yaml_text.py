"""Convert the manifest of a Slack app to YAML (pure). The manifest has dicts, lists, texts, integers and booleans."""

import json
import re
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

_PLAIN = re.compile(r"[A-Za-z/_](?:[\w /.,'’()&…@#?+-]|:(?! |$))*", re.ASCII)
"""Matches every text that this module writes without quotation marks. Also matches some texts that need them, such as
`true`; `_needs_quotes` finds these texts."""
_FOLDABLE = re.compile(r"[!-~]+(?: [!-~]+)*")
MAX_TEXT, LINE_WIDTH, MIN_WIDTH = 100, 110, 40
_WORDS = frozenset(("true", "false", "yes", "no", "on", "off", "y", "n", "null"))


def as_yaml(value: Mapping[str, Any], comments: Mapping[str, str] | None = None) -> str:
    """Return a manifest as YAML text.

    `comments`: comments for the ends of lines. The key of a comment is the name of the field on the line, or the text
    of the list item on the line.
    """
    return "".join(f"{line}\n" for line in _mapping(value, "", comments or {}))


def _mapping(value: Mapping[str, Any], indent: str, comments: Mapping[str, str]) -> Iterator[str]:
    for key, inner in value.items():
        comment = f" # {comments[key]}" if key in comments else ""
        if isinstance(inner, dict) and inner:
            yield f"{indent}{_scalar(key)}:{comment}"
            yield from _mapping(inner, f"{indent}  ", comments)
        elif isinstance(inner, list) and inner:
            yield f"{indent}{_scalar(key)}:{comment}"
            yield from _items(inner, f"{indent}  ", comments)
        elif isinstance(inner, str) and len(inner) > MAX_TEXT and _FOLDABLE.fullmatch(inner):
            yield f"{indent}{_scalar(key)}: >-{comment}"
            width = max(LINE_WIDTH - len(indent), MIN_WIDTH)
            for line in textwrap.wrap(inner, width, break_long_words=False, break_on_hyphens=False):
                yield f"{indent}  {line}"
        else:
            yield f"{indent}{_scalar(key)}: {_scalar(inner)}{comment}"


def _items(value: list[Any], indent: str, comments: Mapping[str, str]) -> Iterator[str]:
    for item in value:
        if isinstance(item, dict) and item:
            first, *others = _mapping(item, f"{indent}  ", comments)
            yield f"{indent}- {first.lstrip()}"
            yield from others
        else:
            comment = f" # {comments[item]}" if isinstance(item, str) and item in comments else ""
            yield f"{indent}- {_scalar(item)}{comment}"


def _scalar(value: Any) -> str:
    """Convert a text to YAML, with quotation marks if the text needs them. Convert any other value to JSON."""
    if isinstance(value, str) and not _needs_quotes(value):
        return value
    return json.dumps(value)


def _needs_quotes(text: str) -> bool:
    return not _PLAIN.fullmatch(text) or " #" in text or text.endswith((" ", ":")) or text.lower() in _WORDS
