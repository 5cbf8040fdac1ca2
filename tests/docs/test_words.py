"""Names and docstrings use the terms of Slack, Genesys, HTTP, Postgres and job queues, not a private language."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest

from tests.support.app import ROOT

IN_NAMES = frozenset(
    [
        "anew",
        "be_watched",
        "bench",
        "benches",
        "coalescer",
        "courier",
        "couriers",
        "deed",
        "deeds",
        "desk",
        "desks",
        "door",
        "doors",
        "doubt",
        "doubts",
        "gatekeeper",
        "herald",
        "heralds",
        "hurry",
        "journal",
        "keep_house",
        "misbehave",
        "mortal",
        "patience",
        "roll",
        "rolls",
        "sealer",
        "stray",
        "strays",
        "tails",
        "teller",
        "tellers",
        "whoever",
        "wish",
        "wishes",
    ]
)
"""One or two words that stay out of identifiers and file names. The glossary has the domain's own words."""
IN_DOCSTRINGS = re.compile(
    r"\b(anew|at hand|of (?:its|their) own|so long|is told so|whoever|coalescer|couriers?|deeds?|the (?:bench|desk|door"
    r"|roll)|doubts?|gatekeeper|heralds?|hurry|journal|mortal|patience|sealer|strays?|tails|tellers?|wish|wishes)\b"
)
BRITISH = re.compile(
    r"\b\w*(?:e-mail|organis(?:ation|e)|colour|favour|behaviour|authoris|recognis|licence)\w*|\bcentre\w*",
    re.IGNORECASE,
)
"""Spellings beside the American ones of Slack and Genesys. We write email and organization."""
SPELLED = ("*.py", "*.md", "*.js", "*.css", "*.html", "*.sql", "*.y*ml", "*.toml", "*.txt", "Makefile", "Caddyfile")
OTHERS = ("locales", "glossaries", "images", "node_modules", Path(__file__).name, "test_language.py")
"""Other languages, other people's code, and lists of such words."""
UNDERSTOOD = ("bot/slack/command_words.py", "docs/reference/commands.md", "bot/core/errors.py")
"""Where a spelling is what other people write: a word for a command, or the words of Genesys."""
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


@cache
def private_words(name: str) -> set[str]:
    """Return the private words in an identifier: `_StoreBench2` has "bench"."""
    words = re.findall(r"[a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower())
    return IN_NAMES & {*words, *map("_".join, pairwise(words))}


def faults(place: str, source: str) -> Iterator[str]:
    """Yield `file:line: words in text` for each private word in the names and docstrings of a file."""
    yield from (f"{place}: {word} in the file's name" for word in private_words(Path(place).stem))
    suspects = {word for word in re.findall(r"\w+", source) if private_words(word)}  # quicker than to read all tokens
    for token in tokenize.generate_tokens(io.StringIO(source).readline) if suspects else ():
        if token.type == tokenize.NAME and token.string in suspects:
            yield from (f"{place}:{token.start[0]}: {word} in {token.string}" for word in private_words(token.string))
    suspicious = IN_DOCSTRINGS.search(" ".join(source.lower().split()))
    for node in ast.walk(ast.parse(source)) if suspicious else ():
        text = " ".join(((ast.get_docstring(node) if isinstance(node, DOCUMENTED) else None) or "").lower().split())
        line = getattr(node, "lineno", 1)
        yield from (f"{place}:{line}: {found[0]} in a docstring" for found in IN_DOCSTRINGS.finditer(text))


def test_private_words_stay_out_of_names_and_docstrings() -> None:
    root, found = Path(ROOT), []
    for path in sorted((*(root / "bot").rglob("*.py"), *(root / "tests").rglob("*.py"))):
        if path != Path(__file__):
            found += faults(str(path.relative_to(root)), path.read_text(encoding="utf-8"))
    assert not found, "\n".join(["Use a standard term instead:", *found])


def test_private_words_are_found_in_each_place() -> None:
    source = 'class StoreBench:\n    """Ask anew, so long as\n    nobody is asked."""\n\ndef keep_house_2(): ...\n'
    assert sorted(faults("bot/desk.py", source)) == [
        "bot/desk.py: desk in the file's name",
        "bot/desk.py:1: anew in a docstring",
        "bot/desk.py:1: bench in StoreBench",
        "bot/desk.py:1: so long in a docstring",
        "bot/desk.py:5: keep_house in keep_house_2",
    ]


def spelled(root: Path) -> Iterator[Path]:
    """Yield the files whose spelling we decide."""
    yield from (path for pattern in SPELLED for path in root.glob(pattern))
    for folder in ("bot", "tests", "docs", "benchmarks", "deploy", "examples"):
        for path in (path for pattern in SPELLED for path in (root / folder).rglob(pattern)):
            if not {*path.parts} & {*OTHERS} and str(path.relative_to(root)) not in UNDERSTOOD:
                yield path


def test_code_and_documents_are_in_american_spelling() -> None:
    root = Path(ROOT)
    paths = list(spelled(root))
    assert len(paths) > 700
    found = [
        f"{path.relative_to(root)}: {word[0]}"
        for path in paths
        for word in BRITISH.finditer(path.read_text(encoding="utf-8"))
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("word", ["e-mail", "E-mails", "organisations", "disorganised", "licence_key", "Centres"])
def test_british_spelling_is_found(word: str) -> None:
    found = BRITISH.search(f"Of the {word}, say.")
    assert found
    assert found[0] == word


def test_parts_of_longer_words_are_left_alone() -> None:
    assert list(faults("tests/doorway.py", 'benchmark = rollback = "bench"\n"""Say details, indoors."""\n')) == []
