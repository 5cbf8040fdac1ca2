"""Measure the prose of Markdown pages: sentences, words, syllables. Code, tables and headings are left out."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import pyphen

CODE = "codecode"
"""A word that stands for inline code: it counts as a word of its sentence, and not in the reading ease."""
TERMS = frozenset(
    [
        *("slack", "genesys", "workspace", "messenger", "oauth", "co-browse", "cobrowse", "administrator"),
        *("administrators", "supervisor", "supervisors", "organization", "permission", "permissions", "division"),
        *("conversation", "conversations", "interaction", "interactions", "deployment", "authorization", "credentials"),
    ]
)
"""Terms of Slack and Genesys, which the pages cannot choose."""
_FENCE = re.compile(r"^ *(```|~~~).*?^ *\1 *$", re.MULTILINE | re.DOTALL)
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_IMAGE = re.compile(r"!\[[^\]]*\]\([^)]*\)(\{[^}]*\})?")
_LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")
_LABEL = re.compile(r"(?<![*\w])\*(?![*\s])[^*\n]+?\*(?![*\w])|\S+(?: \S+)? ›(?: [^\s.,;:]+)+")
"""What Slack and Genesys call a button or a menu: in italics, or a path of menus."""
_ITEM = re.compile(r"^\s*(?:[-*+]|\d+\.)\s+(?:\[[ x]\]\s+)?")
_WORD = re.compile(r"[A-Za-z][A-Za-z’'-]*|\d[\d.,:]*")


@dataclass(frozen=True, slots=True)
class Measures:
    """The measures of a page's prose. `ease` is Flesch's reading ease for English: 206.8 − 1.015 wps − 84.6 spw."""

    sentences: int
    mean_length: float
    ease: float


def sentences(markdown: str) -> list[str]:
    """Return the sentences of a page, with CODE in place of inline code."""
    text = _COMMENT.sub("", _FENCE.sub("\n", markdown))
    text = _LINK.sub(r"\1", _IMAGE.sub("", text))
    found: list[str] = []
    for block in _blocks(text):
        plain = re.sub(r"`[^`]+`", f" {CODE} ", block)
        plain = re.sub(r"<https?:[^>]*>|https?://\S+", f" {CODE} ", plain)
        plain = _LABEL.sub(f" {CODE} ", plain).replace("*", "")
        parts = re.split(r"(?<=[.!?])[)”\"]*\s+(?=[A-Z“(\d])|:\s*$", " ".join(plain.split()))
        found += [part for part in parts if _WORD.search(part.replace(CODE, ""))]
    return found


def measure(markdown: str) -> Measures:
    """Return the measures of a page. A page without prose has the best reading ease."""
    found = sentences(markdown)
    if not found:
        return Measures(0, 0.0, 121.0)
    lengths = [len(_WORD.findall(each)) for each in found]
    words = [word for each in found for word in _WORD.findall(each) if _counts(word)]
    per_sentence = len(words) / len(found)
    per_word = sum(map(syllables, words)) / max(1, len(words))
    return Measures(len(found), sum(lengths) / len(found), 206.835 - 1.015 * per_sentence - 84.6 * per_word)


@cache
def syllables(word: str) -> int:
    """Return the number of syllables of an English word, at least 1.

    Hyphenation never breaks near the ends of a word, so the result is at least the number of groups of vowels. A silent
    `e` is no group.
    """
    return sum(max(len(_english().positions(part)) + 1, _vowel_groups(part)) for part in re.split(r"[-’']", word))


def _vowel_groups(word: str) -> int:
    said = re.sub(r"(?<![laeiouy])e$|(?<=[^aeioudt])ed$|(?<=[^aeiouscxzgh])es$", "", word.lower())
    return len(re.findall(r"[aeiouy]+", said))


@cache
def _english() -> pyphen.Pyphen:
    return pyphen.Pyphen(lang="en_US")


def _counts(word: str) -> bool:
    return word != CODE and word.lower().removesuffix("’s").removesuffix("'s") not in TERMS and not word[0].isdigit()


def _blocks(text: str) -> Iterator[str]:
    """Yield each paragraph and each item of a list. Leave out tables, headings, rules and quotes' marks."""
    block: list[str] = []
    for line in [*text.splitlines(), ""]:
        bare = line.strip()
        if not bare or bare.startswith(("#", "|", "---", "<")) or _ITEM.match(line):
            if block:
                yield " ".join(block)
            block = [_ITEM.sub("", line)] if _ITEM.match(line) else []
        else:
            block.append(bare.removeprefix("> "))
