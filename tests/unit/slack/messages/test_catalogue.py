"""Every sentence of the catalogue: its length, words and placeholders, Slack's limits, no markup from outside."""

import ast
import re
import string
from datetime import UTC, datetime
from gettext import NullTranslations
from pathlib import Path

import pytest

import bot
from bot.slack.messages.catalogue.sentence import (
    BUTTON_LENGTH,
    ENGLISH,
    HINT_LENGTH,
    PLAIN_ENGLISH,
    Language,
    Markup,
    Part,
    Reader,
    Sentence,
)
from tests.support.cases import each_case
from tests.support.catalogue import every_sentence

SENTENCES = every_sentence()
MAX_WORDS = 25
TECHNICAL = re.compile(
    r"COBROWSE_|GENESYS_|SLACK_|STORE_|BOT_MODE|\bscopes?\b|\btokens?\b|OAuth|\bhosts?\b|\boffers?\b(?! to)|database|"
    r"\bAPI\b|HTTP|JSON|UUID|\b[45][0-9]{2}\b|\bregion\b|\brules?\b|\bdivision\b|permission `"
)
"""Words that an agent with a customer on the line does not need."""
STIFF = re.compile(r"\b(shall|whom|anew|thereof|upon|hence|cannot)\b", re.IGNORECASE)
KEY = re.compile(r"[a-z0-9_]+(\.[a-z0-9_]+)*(@[a-z_]+)?")
IN_CATALOGUE = ("said", "label", "problem", "next_step", "fault", "fix", "counted")
CALLED = re.compile(rf"\b(?:{'|'.join(IN_CATALOGUE)})\s*\(")
"""In a file that calls one of these: quicker than to parse it."""
EVERYBODY = [each for each in SENTENCES if each.reader is Reader.EVERYBODY]


def ids(sentence: Sentence) -> str:
    return f"{sentence.key}-{sentence.part.name.lower()}"


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def test_the_catalogue_is_loaded() -> None:
    assert len(SENTENCES) > 300


@each_case("sentence", SENTENCES, ids=ids)
def test_sentence_is_whole_and_its_placeholders_have_names(sentence: Sentence) -> None:
    assert KEY.fullmatch(sentence.key), sentence.key
    for text in filter(None, (sentence.text, sentence.plural)):
        assert text == text.strip()
        assert "  " not in text
        assert "'" not in text.replace("`", ""), "use the typographic apostrophe ’"
        assert all(name.isidentifier() for name in placeholders(text))
    if sentence.plural:
        assert "count" in placeholders(sentence.text) | placeholders(sentence.plural)
        assert placeholders(sentence.text) | {"count"} == placeholders(sentence.plural) | {"count"}


@each_case("sentence", EVERYBODY, ids=ids)
def test_what_everybody_reads_is_short_and_plain(sentence: Sentence) -> None:
    for text in filter(None, (sentence.text, sentence.plural)):
        assert len(text.split()) <= MAX_WORDS, text
        assert not TECHNICAL.search(text), text
        assert not STIFF.search(text), text


@each_case("sentence", [each for each in SENTENCES if each.part is Part.LABEL], ids=ids)
def test_label_is_plain_text_within_slacks_limits(sentence: Sentence) -> None:
    assert not re.search(r"[*`<>]|&(amp|lt|gt);|:[a-z_]+:", sentence.text)
    is_hint = re.search(r"hint|placeholder|wrong|note|empty|error", sentence.key)
    assert 0 < sentence.limit <= (HINT_LENGTH if is_hint else BUTTON_LENGTH)
    assert len(re.sub(r"\{[^}]*\}", "", sentence.text)) <= sentence.limit


def test_no_value_becomes_markup() -> None:
    hostile = "<!channel> & <https://evil.example|x>"
    for sentence in SENTENCES:
        names = placeholders(sentence.text) | placeholders(sentence.plural)
        told = ENGLISH.say(sentence, **({"count": 2} | dict.fromkeys(names - {"count"}, hostile)))
        if sentence.part is not Part.LABEL:
            assert "<!channel>" not in told
            assert "<https" not in told
        assert "{" not in told


def test_markup_and_times_stay_what_they_are() -> None:
    sentence = next(each for each in SENTENCES if placeholders(each.text) == {"person"} and each.part is Part.TEXT)
    assert "<@U0ANA>" in ENGLISH.say(sentence, person=Markup("<@U0ANA>"))
    assert "<!date^" in ENGLISH.say(sentence, person=datetime.now(UTC))
    assert "UTC" in PLAIN_ENGLISH.say(sentence, person=datetime.now(UTC))


def test_every_entry_is_a_literal_that_babel_can_extract() -> None:
    """The key and the texts are string literals: a name, an f-string or a sum would not be found."""
    for path in sorted(Path(bot.__file__).parent.rglob("*.py")):
        source = path.read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(source)) if CALLED.search(source) else ():
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in IN_CATALOGUE:
                if len(node.args) < 2:
                    continue
                literal = all(isinstance(each, ast.Constant) and isinstance(each.value, str) for each in node.args)
                assert literal, f"{path}:{node.lineno}"


LOGGED = ("debug", "info", "warning", "error", "exception")
SPOKEN = re.compile(r"[A-Za-z][\w’']* [a-z]+|[A-Z][a-z]+…")


def english_in(source: str) -> list[tuple[int, str]]:
    """Return the texts of several words that are no docstring, no entry of the catalogue and no log message."""
    tree = ast.parse(source)
    known: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr):
            known.add(id(node.value))
        if isinstance(node, ast.Raise):
            known |= {id(each) for each in ast.walk(node)}
        if isinstance(node, ast.Call):
            name = getattr(node.func, "id", "") or getattr(node.func, "attr", "")
            if name in (*IN_CATALOGUE, *LOGGED):
                known |= {id(each) for each in ast.walk(node)}
    texts = [each for each in ast.walk(tree) if isinstance(each, ast.Constant) and id(each) not in known]
    return [(each.lineno, each.value) for each in texts if isinstance(each.value, str) and SPOKEN.search(each.value)]


def test_no_text_for_people_stands_outside_the_catalogue() -> None:
    slack = Path(bot.__file__).parent / "slack"
    found = [
        f"{path.name}:{line} {text}"
        for folder in ("messages", "views", "listeners")
        for path in sorted((slack / folder).rglob("*.py"))
        for line, text in english_in(path.read_text(encoding="utf-8"))
    ]
    assert found == []


def test_english_outside_the_catalogue_is_found() -> None:
    assert english_in('def f():\n    """Say it."""\n    return f"You have {n} open sessions"') != []
    assert english_in('TEXT = said("a.b", "You have open sessions.")\nlog.info("nothing to do")') == []


class Broken(NullTranslations):
    """Translations of which each has a placeholder that no caller fills."""

    def pgettext(self, context: str, message: str) -> str:
        return "`{unknown}`"

    def npgettext(self, context: str, msgid1: str, msgid2: str, n: int) -> str:
        return "`{unknown}`"


@pytest.mark.parametrize("plural", ["", "run `{count}` times"])
@pytest.mark.parametrize("translations", [None, Broken()], ids=["english", "broken translation"])
def test_plain_text_and_labels_have_no_backquotes(plural: str, translations: NullTranslations | None) -> None:
    said = Sentence("test", "run `{count}`", Part.TEXT, plural)
    label = Sentence("test", "run `{count}`", Part.LABEL, plural)
    count = 2 if plural else 1
    expected = "run 2 times" if plural else "run 1"
    language = Language("de", translations)
    assert language.plain.say(said, count=count) == expected
    assert language.plain.say(label, count=count) == language.say(label, count=count) == expected
    assert language.say(said, count=count) == (plural or "run `{count}`").format(count=count)


def test_sentence_without_values_has_no_backquotes_in_plain_text() -> None:
    assert Language(plain=True).say(Sentence("test", "run `check`", Part.TEXT)) == "run check"
    assert Language().say(Sentence("test", "run `check`", Part.LABEL)) == "run check"
    assert Language().say(Sentence("test", "run `check`", Part.TEXT)) == "run `check`"
