"""Suggest a session's name from the message whose shortcut opened the form (pure).

https://docs.slack.dev/messaging/formatting-message-text describes the markup of a message.
"""

import html
import re
from collections.abc import Collection

from bot.core.models import NAME_LENGTH
from bot.core.validation.contact import find_addresses
from bot.core.validation.display import clean

MAX_LINE_LENGTH = 1000
"""The maximum length, in characters, of a line from which the bot suggests a name. Slack allows 40,000 characters in a
message.

The search for styles takes quadratic time in a line whose marks never close. A line of this length takes about 25 ms.
"""
_STEP = 200
"""The bot searches a long line for addresses in windows. Each window starts this many characters after the one before.
`find_addresses` reads a little over 350 characters of a window, so the windows overlap."""
_REFERENCE = re.compile(r"<([^<>|]*)(?:\|([^<>]*))?>")
_ADDRESS_SCHEMES = ("mailto:", "tel:", "sms:")
_EMOJI = re.compile(r":[a-z0-9_+'-]+(?:::skin-tone-[2-6])?:")
_STYLED = re.compile(r"(?<!\w)([*_~`]{1,3})(?=\S)(.+?)(?<=\S)\1(?!\w)")
_BULLET = re.compile(r"\A(?:(?:>+|[•◦▪▫*-])\s+|>+)+")
_DATE = re.compile(r"\b\d{4}-\d\d-\d\d\b")
_LONG_NUMBER = re.compile(r"\d(?:[\s()./-]{0,3}\d){6,}")
"""Matches seven or more digits, also with separators between them, such as spaces. They may be a phone number of any
country."""


def suggested_name(text: str, countries: Collection[str] = ()) -> str:
    """Return the first non-empty line of a message as a session's name. Cut the name to NAME_LENGTH characters.

    Return "" in three cases:

    - The message has no line with text.
    - The line, or an empty line before it, is longer than MAX_LINE_LENGTH.
    - The line contains an email address or a phone number. Any number of at least seven digits counts as a phone
      number, but an ISO date does not.

    `text`: the message as mrkdwn. `countries`: ISO codes. A shorter number counts as a phone number if it is valid in
    one of these countries.
    """
    first = next((line for line in text.splitlines() if len(line) > MAX_LINE_LENGTH or _plain(line)), "")
    if len(first) > MAX_LINE_LENGTH or any(scheme in first for scheme in _ADDRESS_SCHEMES):
        return ""
    name = _plain(first)
    return "" if _may_hold_address(name, countries) else _cut(name)


def _plain(line: str) -> str:
    """Convert a line of mrkdwn to plain text."""
    line = _BULLET.sub("", _EMOJI.sub(" ", html.unescape(_REFERENCE.sub(_shown, line.strip()))), count=1)
    for _ in range(3):  # styles can be nested: bold in italics in a strike-through
        line = _STYLED.sub(r"\2", line)
    return clean(line, MAX_LINE_LENGTH)


def _shown(reference: re.Match[str]) -> str:
    """Return the text that Slack shows for a mention, a channel, a link or a date; "" if the markup has only an id."""
    target, text = reference[1], reference[2]
    if target.startswith(("@", "#")):
        return f"{target[0]}{text.lstrip('@#')}" if text else ""
    if target.startswith("!"):
        return text or ""
    return text or target


def _may_hold_address(line: str, countries: Collection[str]) -> bool:
    if "@" in line and re.search(r"\S@\S", line):
        return True
    if _LONG_NUMBER.search(_DATE.sub(" ", line)):
        return True
    return any(find_addresses(line[start:], countries) for start in range(0, len(line), _STEP))


def _cut(name: str) -> str:
    """Cut a name to at most NAME_LENGTH characters: at the last space, or inside a word if there is no space."""
    if len(name) <= NAME_LENGTH:
        return name
    whole, _, _ = name[: NAME_LENGTH + 1].rpartition(" ")
    return clean(whole or name)
