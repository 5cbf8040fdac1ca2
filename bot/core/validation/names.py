"""Names that people and services write, made fit to be shown and stored: on one line, with nothing hidden (pure).

Every name of anybody goes through here: sessions, people, customers, applications, roles.
"""

import re
import unicodedata

from bot.core.models import NAME_LENGTH

_JOINERS = "\u200c\u200d"
"""Emoji, Persian and the scripts of India need them; at the edge of a name they show nothing."""
_VISIBLE_FORMATS = re.compile("[\u0600-\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd]")
"""Format characters that show something (Unicode: Prepended_Concatenation_Mark)."""
_BLANK = re.compile(
    "[\u034f\u17b4\u17b5\u2065\u2800\u3164\uffa0\ufff0-\ufff8\U000e0000-\U000e00ff\U000e01f0-\U000e0fff]"
)
"""Characters of other categories that show nothing; the tag letters among them (U+E0000 and on) can carry a message."""


def one_line(text: str) -> str:
    """The text without controls, bidi characters, tag letters and what else is invisible; line breaks become spaces."""
    return text if text.isascii() and text.isprintable() else "".join(map(_shown, text))


def clean(text: str, most: int = NAME_LENGTH) -> str:
    """A name: one line, one space between words, at most so many characters; "" when nothing is left.

    The result is plain text: escape it wherever it is shown.
    """
    return " ".join(one_line(text).split()).strip(_JOINERS + " ")[:most].strip(_JOINERS + " ")


def _shown(character: str) -> str:
    if character.isspace():
        return " "
    category = unicodedata.category(character)
    if category in ("Cc", "Cs") or _BLANK.match(character):
        return ""
    if category == "Cf" and character not in _JOINERS and not _VISIBLE_FORMATS.match(character):
        return ""
    return character
