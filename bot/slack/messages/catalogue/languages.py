"""Load the languages of the bot's messages, and choose one of them by a person's locale in Slack.

Each language but English has a folder in `bot/locales` with a gettext catalogue. The build and `make` compile its .po
file. The sentences in the code are English. docs/develop/translating.md says how to add a language.
"""

import gettext
import logging
import struct
from collections.abc import Collection, Mapping
from functools import cache
from pathlib import Path

import bot
from bot.slack.messages.catalogue.sentence import CATALOGUE, ENGLISH, Language

log = logging.getLogger(__name__)

LOCALES = Path(bot.__file__).parent / "locales"
DOMAIN = "cobrowse"


def translated(directory: Path = LOCALES) -> tuple[str, ...]:
    """Return the codes of the languages that have a catalogue, such as `de` and `pt_BR`."""
    return tuple(sorted(each.parent.name for each in directory.glob("*/LC_MESSAGES")))


def load_languages(directory: Path = LOCALES) -> Mapping[str, Language]:
    """Load English and the translated languages, and return them by code.

    Leave out a language if its compiled catalogue is missing or unreadable.
    Log a warning about catalogues that are not compiled, not readable, or older than their .po files.
    """
    languages, faulty = {ENGLISH.code: ENGLISH}, []
    for code in translated(directory):
        source = directory / code / "LC_MESSAGES" / f"{DOMAIN}.po"
        compiled = source.with_suffix(".mo")
        try:
            written = compiled.stat()
            languages[code] = _read(code, compiled, (written.st_mtime_ns, written.st_size))
        except (OSError, ValueError, struct.error):  # there is none, or it is damaged
            faulty.append(code)
            continue
        if source.exists() and source.stat().st_mtime_ns > written.st_mtime_ns:
            faulty.append(code)
    if faulty:
        log.warning(
            "translations are not compiled, or have changed since",
            extra={"fields": {"languages": " ".join(faulty), "hint": "make sandbox compiles them"}},
        )
    return languages


@cache
def _read(code: str, compiled: Path, _version: tuple[int, int]) -> Language:
    """Read a compiled catalogue and return the language. Read the same file again only if `_version` has changed.

    `_version`: the modification time and the size of the file.

    Raises OSError, ValueError or struct.error if the catalogue cannot be read.
    """
    with compiled.open("rb") as file:
        language = Language(code, gettext.GNUTranslations(file))
    language.prepare(tuple(CATALOGUE.values()))
    return language


def choose(locale: str, codes: Collection[str]) -> str:
    """Return the code in `codes` that suits a locale such as `es-MX` best; "" if none does (pure).

    The order of preference: the same language and country, the language alone, the language with another country. For
    example, `pt-PT` gets `pt_BR`.
    """
    language, _, country = locale.replace("-", "_").partition("_")
    language = language.lower()
    exact = f"{language}_{country.upper()}" if country else language
    for code in (exact, language):
        if code in codes:
            return code
    return next((code for code in sorted(codes) if code.startswith(f"{language}_")), "") if language else ""
