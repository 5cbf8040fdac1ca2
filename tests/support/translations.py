"""Bring the .po files of bot/locales up to date with the code, and list what each of them lacks.

`make messages` runs it. docs/develop/translating.md explains it to translators.
"""

import io
import os
import re
import string
import sys
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from babel import Locale, UnknownLocaleError
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_keywords
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

import bot
from bot.slack.messages.catalogue.languages import DOMAIN, LOCALES, translated
from bot.slack.messages.catalogue.sentence import Part, Reader, Sentence
from tests.support.catalogue import every_sentence

KEYWORDS = (
    "problem:1c,2",
    "next_step:1c,2",
    "fault:1c,2",
    "fix:1c,2",
    "label:1c,2",
    "said:1c,2",
    "counted:1c,2,3",
)
"""What Babel extracts: the functions of sentence.py, each with the places of context, text and plural."""
FOLDERS = ("slack", "web")
"""Of bot/: where sentences are that people read. The command line stays English."""
MARKUP = re.compile(r"`|\*|\n|:[a-z_]+:|<|>")
"""What Slack or the bot reads in a text: it has to be in the translation as often."""
PARTS = {
    Part.PROBLEM: "an error: what happened",
    Part.NEXT_STEP: "an error: what to do",
    Part.FAULT: "what is broken",
    Part.FIX: "how to fix it",
    Part.LABEL: "a label",
    Part.TEXT: "a text",
}


def source_of(code: str) -> Path:
    """Return the path of a language's .po file."""
    return LOCALES / code / "LC_MESSAGES" / f"{DOMAIN}.po"


@cache
def template() -> Catalog:
    """Return all sentences of the code, as Babel finds them, in a fixed order.

    Each has a comment on where it is used.
    """
    sentences, keywords = {(each.key, each.text): each for each in every_sentence()}, parse_keywords(KEYWORDS)
    found = {}
    for folder in FOLDERS:
        for _, _, text, _, key in extract_from_dir(Path(bot.__file__).parent / folder, keywords=keywords):
            found[str(key), text if isinstance(text, str) else text[0]] = text
    catalog = Catalog(domain=DOMAIN)
    for key, first in sorted(found, key=lambda each: (each[0], list(PARTS).index(sentences[each].part), each[1])):
        catalog.add(found[key, first], context=key, auto_comments=[_about(sentences[key, first])])
    return catalog


def _about(sentence: Sentence) -> str:
    parts = [PARTS[sentence.part]]
    if sentence.reader is Reader.ADMINISTRATOR:
        parts.append("for administrators")
    if sentence.limit:
        parts.append(f"at most {sentence.limit} characters")
    return ", ".join(parts)


def updated(old: Catalog, new: Catalog, locale: str) -> Catalog:
    """Return the sentences of `new` with the translations of `old`.

    A changed sentence keeps the translation of its key and part, else that of its text. It is marked fuzzy: somebody
    has to check it, and the bot does not use it until then.
    """
    translated_ones = [each for each in old if each.id and _is_translated(each)]
    by_place = {_place(each): each for each in translated_ones}
    by_text = {_first(each): each for each in translated_ones}
    catalog = new_catalog(locale)
    for message in new:
        if not message.id:
            continue
        same = old.get(message.id, message.context)
        kept = same or by_place.get(_place(message)) or by_text.get(_first(message))
        fits = kept is not None and _is_translated(kept) and isinstance(kept.string, str) == isinstance(message.id, str)
        is_fuzzy = kept is not None and fits and (same is None or kept.fuzzy or same.id != message.id)
        catalog.add(
            message.id,
            kept.string if kept and fits else None,
            context=message.context,
            auto_comments=message.auto_comments,
            user_comments=kept.user_comments if kept else (),
            flags={"fuzzy"} if is_fuzzy else set(),
        )
    return catalog


def _place(message: Message) -> tuple[str, str]:
    """Return the key of a sentence and what the comment says about its part, such as "an error: what to do"."""
    about = message.auto_comments[0] if message.auto_comments else ""
    return str(message.context), about.partition(",")[0]


def new_catalog(code: str) -> Catalog:
    """Return an empty catalogue. Its plurals have no separate form for millions, because no count reaches a million."""
    catalog = Catalog(locale=code, domain=DOMAIN)
    if "1000000" in catalog.plural_forms:
        plural = "(n > 1)" if "n == 0" in catalog.plural_forms else "(n != 1)"
        catalog.mime_headers = [("Plural-Forms", f"nplurals=2; plural={plural};")]
    return catalog


def written(catalog: Catalog) -> bytes:
    """Return a catalogue as the text of its .po file, without dates and line numbers."""
    body = io.BytesIO()
    write_po(body, catalog, width=0, no_location=True, omit_header=True, ignore_obsolete=True)
    assert catalog.locale  # each language has one
    name = catalog.locale.get_display_name("en")
    head = (
        f"# cobrowse-bot in {name}. docs/develop/translating.md says how to translate and how to correct a sentence.",
        'msgid ""',
        'msgstr ""',
        f'"Language: {catalog.locale}\\n"',
        '"MIME-Version: 1.0\\n"',
        '"Content-Type: text/plain; charset=utf-8\\n"',
        '"Content-Transfer-Encoding: 8bit\\n"',
        f'"Plural-Forms: {catalog.plural_forms}\\n"',
        "",
    )
    return ("\n".join(head) + "\n").encode() + body.getvalue().strip() + b"\n"


def read(code: str) -> Catalog:
    """Return a language's catalogue; an empty one if it has no file yet."""
    path = source_of(code)
    if not path.exists():
        return new_catalog(code)
    with path.open("rb") as file:
        return read_po(file, locale=code, domain=DOMAIN)


def current(code: str, new: Catalog | None = None) -> bytes:
    """Return what a language's .po file should be."""
    return written(updated(read(code), new or template(), code))


def lacks(catalog: Catalog, new: Catalog) -> list[str]:
    """Return what is missing or wrong in a catalogue, one line for each entry: its key, then what to do."""
    limits = {(each.key, each.text): each for each in every_sentence()}
    lines = []
    for message in new:
        if not message.id:
            continue
        found = catalog.get(message.id, message.context)
        problems = list(_problems(message, found, limits[str(message.context), _first(message)]))
        lines += [f"{message.context}: {problem} English: {_first(message)!r}" for problem in problems]
    known = {(str(each.context), each.id) for each in new}
    lines += [
        f"{each.context}: the bot has no such sentence; `make messages` removes it."
        for each in catalog
        if each.id and (str(each.context), each.id) not in known
    ]
    return lines


def _problems(message: Message, found: Message | None, sentence: Sentence) -> Iterator[str]:
    if found is None or not _is_translated(found):
        yield "translate it."
        return
    if found.fuzzy:
        yield "the English has changed: check the translation, and take away the line `#, fuzzy`."
        return
    forms = (found.string,) if isinstance(found.string, str) else tuple(found.string or ())
    originals = (message.id,) if isinstance(message.id, str) else tuple(message.id)
    for form in forms:
        yield from _problems_of_form(form, originals, sentence)


def _problems_of_form(form: str, originals: Sequence[str], sentence: Sentence) -> Iterator[str]:
    wanted = set().union(*map(placeholders, originals))
    try:
        has = placeholders(form)
    except ValueError:
        yield f"“{form}” has a brace that belongs to no placeholder."
        return
    optional = {"count"} if sentence.plural else set()
    if has - optional != wanted - optional or not has <= wanted:
        yield f"“{form}” needs the placeholders {_listed(wanted)}, and has {_listed(has)}."
    if not any(_markup(form) == _markup(original) for original in originals):
        yield f"“{form}” needs the same `, *, line breaks and :emoji: as the English."
    if form != form.strip():
        yield f"“{form}” begins or ends with a space."
    length = len(re.sub(r"\{[^}]*\}", "", form))
    if sentence.limit and length > sentence.limit:
        yield f"“{form}” has {length} characters, and may have {sentence.limit}."


def placeholders(text: str) -> set[str]:
    """Return the names in braces. Raises ValueError for an unpaired brace."""
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def _markup(text: str) -> list[str]:
    return sorted(MARKUP.findall(text))


def _listed(names: set[str]) -> str:
    return ", ".join(f"{{{name}}}" for name in sorted(names)) or "none"


def _first(message: Message) -> str:
    return message.id if isinstance(message.id, str) else message.id[0]


def _is_translated(message: Message) -> bool:
    return all([message.string] if isinstance(message.string, str) else message.string or [""])


def has_begun(catalog: Catalog) -> bool:
    """Return whether somebody has translated a sentence."""
    return any(each.id and _is_translated(each) for each in catalog)


def compile_all(directory: Path = LOCALES) -> None:
    """Compile the catalogues whose .mo file is missing or older than the .po file."""
    for code in translated(directory):
        source = directory / code / "LC_MESSAGES" / f"{DOMAIN}.po"
        compiled = source.with_suffix(".mo")
        if compiled.exists() and compiled.stat().st_mtime >= source.stat().st_mtime:
            continue
        with source.open("rb") as file:
            write_catalogue(read_po(file, locale=code, domain=DOMAIN), compiled)


def write_catalogue(catalog: Catalog, path: Path) -> None:
    """Write a compiled catalogue in one step, because another process may read the file at the same time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    body = io.BytesIO()
    write_mo(body, catalog)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.write_bytes(body.getvalue())
    beside.replace(path)


def main(codes: Sequence[str]) -> int:
    """Update all catalogues and those of `codes`, which may be new. List all that `codes` lack, and count the rest."""
    new, is_complete = template(), True
    for code in sorted({*translated(), *codes}):
        try:
            Locale.parse(code)
        except (UnknownLocaleError, ValueError):
            _print(f"{code} is no language, such as it or pt_BR.")
            return 1
        path = source_of(code)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(current(code, new))
        found = lacks(read(code), new)
        _print(f"{code}: {f'{len(found)} entries need work' if found else 'complete'}")
        if code in codes:
            _print(*(f"  {line}" for line in found))
            is_complete = is_complete and not found
    compile_all()
    return 0 if is_complete else 1


def _print(*lines: Any) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
