"""Clean and check texts that people typed or pasted, such as settings, keys and region names (pure).

`docker run --env-file` keeps the quotes around values. Word processors replace hyphens and quotes by typographic ones.
"""

import re
import unicodedata

_PAIRS = (('"', '"'), ("'", "'"), ("`", "`"), ("“", "”"), ("„", "“"), ("‘", "’"), ("«", "»"))
_OPENING = frozenset(opening for opening, _ in _PAIRS)
_DASHES = dict.fromkeys(map(ord, "‐‑‒–—―−﹘﹣－"), "-")
_QUOTES = frozenset("\"'`“”„‘’«»")
_UNSEEN = frozenset("\u034f\u115f\u1160\u2800\u3164\uffa0") | {chr(code) for code in range(0xFE00, 0xFE10)}
_NAMES = {"\n": "a line break", "\r": "a line break", " ": "a space", "\t": "a tab", "\ufeff": "a byte order mark"}


def unquoted(text: str) -> str:
    """Return the text without white space around it, and without one pair of quotation marks around it."""
    text = text.strip()
    if text[:1] not in _OPENING:
        return text
    for opening, closing in _PAIRS:
        inner = text[1:-1]
        if len(text) > 1 and text[0] == opening and text[-1] == closing and not {opening, closing} & set(inner):
            return inner.strip()
    return text


def plain(text: str) -> str:
    """Replace dashes by hyphens, and each white-space character by a space. Remove invisible characters.

    Then remove the spaces at both ends of the text.

    Never use this function for a secret: a secret may contain any character.
    """
    spaced = "".join(" " if letter.isspace() else letter for letter in text.translate(_DASHES))
    return "".join(letter for letter in spaced if not is_unseen(letter)).strip()


def is_unseen(letter: str) -> bool:
    """Return whether a character is a control character or invisible, such as U+200B."""
    return unicodedata.category(letter) in ("Cf", "Cc") or letter in _UNSEEN


def straight(text: str) -> str:
    """Replace dashes by hyphens, and remove invisible characters. Keep line breaks and tabs."""
    return "".join(letter for letter in text.translate(_DASHES) if letter in "\r\n\t" or not is_unseen(letter))


def odd_character(text: str) -> str:
    """Describe the first character that makes a text invalid as a token, with the character's position from 1.

    Return "" if the text is valid. A token is printable ASCII without spaces, and neither begins nor ends with a
    quotation mark. The text is a secret, so the description contains only this one character.
    """
    for place, letter in enumerate(text, 1):
        at_an_end = place in (1, len(text))
        if not "!" <= letter <= "~" or (at_an_end and letter in _QUOTES):
            return f"{_named(letter)} at character {place}"
    return ""


def hidden_character(text: str) -> str:
    """Describe the first hidden character of a text, with the character's position from 1; "" if there is none.

    Hidden are control characters, invisible characters, and all white space except the normal space.
    """
    for place, letter in enumerate(text, 1):
        if is_unseen(letter) or (letter.isspace() and letter != " "):
            return f"{_named(letter)} at character {place}"
    return ""


def _named(letter: str) -> str:
    code = f"U+{ord(letter):04X}"
    if letter in _NAMES:
        return _NAMES[letter] if letter.isascii() else f"{_NAMES[letter]} ({code})"
    if letter.translate(_DASHES) == "-":
        return f"a typographic dash ({code})"
    if letter in _QUOTES:
        return "a quotation mark" if letter.isascii() else f"a typographic quotation mark ({code})"
    if letter.isspace():
        return f"an unusual space ({code})"
    if is_unseen(letter):
        return f"an invisible character ({code})"
    return f"a letter that is not ASCII ({code})"


_BASE64 = re.compile(r"[A-Za-z0-9+/_-]+={0,2}")


def is_base64(text: str) -> bool:
    """Return whether the text consists of base64 characters, standard or URL-safe, and at most two `=` at the end.

    Ignore white space. Return False for an empty text.
    """
    return bool(_BASE64.fullmatch("".join(text.split())))
