"""Suggest a session's name from the message whose shortcut opened the form (pure).

https://docs.slack.dev/messaging/formatting-message-text
"""

import html
import re
from collections.abc import Collection

from bot.core.models import NAME_LENGTH
from bot.core.validation.contact import find_addresses
from bot.core.validation.display import clean

MAX_LINE_LENGTH = 4000
"""Slack cuts a message's text at 40,000 characters; a longer first line suggests no name."""
_STEP = 200
"""find_addresses reads a little over 350 characters: windows that begin this far apart overlap."""
_REFERENCE = re.compile(r"<([^<>|]*)(?:\|([^<>]*))?>")
_ADDRESS_SCHEMES = ("mailto:", "tel:", "sms:")
_EMOJI = re.compile(r":[a-z0-9_+'-]+(?:::skin-tone-[2-6])?:")
_STYLED = re.compile(r"(?<!\w)([*_~`]{1,3})(?=\S)(.+?)(?<=\S)\1(?!\w)")
_BULLET = re.compile(r"\A(?:(?:>+|[•◦▪▫*-])\s+|>+)+")
_DATE = re.compile(r"\b\d{4}-\d\d-\d\d\b")
_LONG_NUMBER = re.compile(r"\d(?:[\s()./-]{0,3}\d){6,}")
"""Seven digits or more, with what people write between them: a phone number of any country, perhaps."""


def suggested_name(text: str, countries: Collection[str] = ()) -> str:
    """Return the first line of a message in mrkdwn as a name: plain text, "" for none.

    A line with an e-mail address or what may be a phone number suggests nothing: a name holds no address. `countries`
    (ISO codes): whose phone numbers count without a plus.
    """
    first = next((line for line in text.splitlines() if _plain(line)), "")
    if len(first) > MAX_LINE_LENGTH or any(scheme in first for scheme in _ADDRESS_SCHEMES):
        return ""
    name = _plain(first)
    return "" if _may_hold_address(name, countries) else _cut(name)


def _plain(line: str) -> str:
    """Return a line without Slack's markup."""
    line = _BULLET.sub("", _EMOJI.sub(" ", html.unescape(_REFERENCE.sub(_shown, line.strip()))), count=1)
    for _ in range(3):  # bold in italics in a strike-through
        line = _STYLED.sub(r"\2", line)
    return clean(line, MAX_LINE_LENGTH)


def _shown(reference: re.Match[str]) -> str:
    """Return what people see of a mention, a channel, a link or a date; nothing where only an id is known."""
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
    """Return at most NAME_LENGTH characters, whole words if there are several."""
    if len(name) <= NAME_LENGTH:
        return name
    whole, _, _ = name[: NAME_LENGTH + 1].rpartition(" ")
    return clean(whole or name)
