"""Make catalogues of a pseudo-language, to find texts that no translation reaches.

Each letter becomes a full-width one, and each sentence stands between marks that name its language.
"""

import re
from collections.abc import Iterator, Mapping
from gettext import NullTranslations
from pathlib import Path
from typing import Any

from bot.slack.messages.catalogue.languages import DOMAIN, load_languages
from bot.slack.messages.catalogue.sentence import CATALOGUE, Language, Part
from tests.support.catalogue import every_sentence
from tests.support.translations import new_catalog, template, write_catalogue

MARKS = {"de": "⟨⟩", "es": "⟦⟧", "fr": "⟪⟫", "ja": "「」", "pt_BR": "〖〗"}
WIDE = str.maketrans({chr(code): chr(code + 0xFEE0) for code in (*range(65, 91), *range(97, 123))})
KEPT = re.compile(r"(\{[^}]*\}|:[a-z_]+:|`[^`]*`|\n)")
"""Placeholders, emoji and commands, which no translation changes."""
NO_WORDS = re.compile(r"<[^>]*>|`[^`]*`|:[a-z_]+:|https?://\S+")
"""Mentions, times, commands, emoji and links."""


def say(text: str, code: str) -> str:
    """Return a text in the pseudo-language with this code."""
    marks = MARKS[code]
    wide = (part if KEPT.fullmatch(part) else part.translate(WIDE) for part in KEPT.split(text))
    return f"{marks[0]}{''.join(wide)}{marks[1]}"


def write_languages(directory: Path) -> None:
    """Write the compiled catalogue of each language below a directory."""
    new = template()
    for code in MARKS:
        catalog = new_catalog(code)
        for message in new:
            if isinstance(message.id, str):
                text: str | tuple[str, ...] = say(message.id, code)
            else:
                text = tuple(say(message.id[-1], code) for _ in range(catalog.num_plurals))
            if message.id:
                catalog.add(message.id, text, context=message.context)
        write_catalogue(catalog, directory / code / "LC_MESSAGES" / f"{DOMAIN}.mo")


def pseudo_languages(directory: Path) -> Mapping[str, Language]:
    """Write the catalogues below a directory, and load them as the bot does."""
    write_languages(directory)
    return load_languages(directory)


def shown(node: object) -> Iterator[str]:
    """Yield each text in a message or view that a person reads."""
    if isinstance(node, Mapping):
        if node.get("type") in ("mrkdwn", "plain_text"):
            yield str(node["text"])
        for value in node.values():
            yield from shown(value)
    elif isinstance(node, list | tuple):
        for value in node:
            yield from shown(value)


def english_in(texts: Iterator[str] | list[str], *known: str) -> list[str]:
    """Return the texts that contain an English word, apart from the `known` values."""
    values = re.compile("|".join(map(re.escape, sorted(known, key=len, reverse=True))) or r"(?!)")
    return [text for text in texts if re.search("[A-Za-z]{2,}", values.sub("", NO_WORDS.sub("", text)))]


def languages_in(node: Any) -> set[str]:
    """Return the codes of the languages that a message or view contains."""
    text = str(node)
    return {code for code, marks in MARKS.items() if marks[0] in text}


def longest_language() -> Language:
    """Return English with each label lengthened to its limit."""

    class Longest(NullTranslations):
        def pgettext(self, context: str, message: str) -> str:
            sentence = CATALOGUE.get((context, Part.LABEL))
            room = (
                sentence.limit - len(re.sub(r"\{[^}]*\}", "", message)) if sentence and sentence.text == message else 0
            )
            return message + "x" * room

    every_sentence()
    return Language("en", Longest())
