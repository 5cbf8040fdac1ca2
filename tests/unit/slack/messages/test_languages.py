"""The languages: the choice for a locale, the loading of catalogues, and how a sentence is filled in."""

import logging
import math
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog

from bot.slack.messages.catalogue.languages import DOMAIN, choose, load_languages, translated
from bot.slack.messages.catalogue.sentence import ENGLISH, Filled, Language, Markup, Part, Sentence
from tests.support.cases import each_case
from tests.support.translations import new_catalog, write_catalogue

CODES = ("de", "en", "es", "fr", "ja", "pt_BR")
HELLO = Sentence("hello", "Hello {name}, `{command}`", Part.TEXT)
BUTTON = Sentence("button", "Start {name}", Part.LABEL)
OPEN = Sentence("open", "{count} open session", Part.TEXT, "{count} open sessions")


def catalogue(code: str, sentences: Mapping[tuple[str, str], str] = {}, plural: tuple[str, ...] = ()) -> Catalog:
    made = new_catalog(code)
    for (key, text), said in sentences.items():
        made.add(text, said, context=key)
    if plural:
        made.add((OPEN.text, OPEN.plural), plural, context=OPEN.key)
    return made


def written(directory: Path, code: str, *args: object) -> Path:
    path = directory / code / "LC_MESSAGES" / f"{DOMAIN}.mo"
    write_catalogue(catalogue(code, *args), path)  # type: ignore[arg-type]
    return path


def loaded(directory: Path, code: str, *args: object) -> Language:
    written(directory, code, *args)
    return load_languages(directory)[code]


@each_case(
    ("locale", "code"),
    [
        ("es-MX", "es"),
        ("es-LA", "es"),
        ("pt-PT", "pt_BR"),
        ("pt-BR", "pt_BR"),
        ("pt_br", "pt_BR"),
        ("ja-JP", "ja"),
        ("en-GB", "en"),
        ("fr", "fr"),
        ("it-IT", ""),
        ("", ""),
        ("e", ""),
        ("-BR", ""),
        ("p_*", ""),
    ],
)
def test_locale_gets_the_nearest_language(locale: str, code: str) -> None:
    assert choose(locale, CODES) == code


def test_the_bot_has_six_languages() -> None:
    assert translated() == ("de", "es", "fr", "ja", "pt_BR")
    assert set(load_languages()) == set(CODES)


def test_sentence_is_said_in_the_language(tmp_path: Path) -> None:
    german = loaded(tmp_path, "de", {("hello", HELLO.text): "`{command}`: Hallo {name}"})
    assert german.code == "de"
    assert german.say(HELLO, name="A & B", command="/x") == "`/x`: Hallo A &amp; B"
    assert german.plain.say(HELLO, name="A & B", command="/x") == "/x: Hallo A & B"
    assert german.plain is german.plain.plain
    assert german.say(BUTTON, name="X") == "Start X"  # which has no translation


def test_values_are_said_in_the_same_language(tmp_path: Path) -> None:
    who = Sentence("who", "a customer", Part.TEXT)
    german = loaded(
        tmp_path, "de", {("who", "a customer"): "Kunde & Co", ("hello", HELLO.text): "Hallo {name} {command}"}
    )
    assert german.say(HELLO, name=who, command=Filled(HELLO, {"name": who, "command": 1})) == (
        "Hallo Kunde & Co Hallo Kunde & Co 1"
    )


@pytest.mark.parametrize(
    ("code", "forms", "said"),
    [
        ("fr", ("{count} session", "{count} sessions"), {0: "0 session", 1: "1 session", 2: "2 sessions"}),
        ("ja", ("{count}件",), {0: "0件", 1: "1件", 2: "2件"}),
        ("pl", ("jedna", "{count} sesje", "{count} sesji"), {1: "jedna", 3: "3 sesje", 5: "5 sesji"}),
    ],
)
def test_plural_is_that_of_the_language(
    tmp_path: Path, code: str, forms: tuple[str, ...], said: dict[int, str]
) -> None:
    language = loaded(tmp_path, code, {}, forms)
    assert {count: language.say(OPEN, count=count) for count in said} == said
    assert [ENGLISH.say(OPEN, count=count) for count in (0, 1)] == ["0 open sessions", "1 open session"]


@pytest.mark.parametrize("wrong", ["Hallo {nam}", "Hallo {", "Hallo {0}", "Hallo {name!x}", "Hallo {name.x.y}"])
def test_wrong_translation_keeps_no_answer_back(tmp_path: Path, wrong: str) -> None:
    german = loaded(tmp_path, "de", {("hello", HELLO.text): wrong})
    assert german.say(HELLO, name="Ana", command="/x") == "Hello Ana, `/x`"


def test_durations_lists_and_days_are_sentences(tmp_path: Path) -> None:
    german = loaded(
        tmp_path,
        "de",
        {
            ("time.day_and_time", "{time} ({day})"): "{day}, {time}",
            ("list.comma", "{before}, {next}"): "{before}; {next}",
            ("wait.few_minutes", "a few minutes"): "ein paar Minuten",
            ("duration.together", "{longer} {shorter}"): "{longer} und {shorter}",
        },
    )
    assert german.duration(5400) == "1 hour und 30 minutes"
    assert ENGLISH.duration(0) == "0 seconds"
    assert german.listed([Markup(f"<#C{number}>") for number in (1, 2, 3)]) == "<#C1>; <#C2>; <#C3>"
    assert german.listed([]) == ""
    assert german.listed(["A & B", Markup("<#C1>")]) == "A &amp; B; <#C1>"
    assert german.plain.listed(["A & B", "C"]) == "A & B; C"
    assert ENGLISH.listed(["A, then B", "C"], long=True) == "A, then B; C"
    assert isinstance(german.listed([Markup("<#C1>")]), Markup)
    assert german.estimate(math.inf) == "ein paar Minuten"
    far = datetime(2030, 1, 2, 3, 4, tzinfo=UTC)
    assert german.moment(far) == "<!date^1893553440^{date_short_pretty}, {time}|2030-01-02 03:04 UTC>"
    assert ENGLISH.moment(far) == "<!date^1893553440^{time} ({date_short_pretty})|02 Jan 03:04 UTC>"
    assert german.plain.moment(far) == "2030-01-02 03:04 UTC"


def test_catalogue_that_is_not_compiled_is_left_out_with_one_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for code in ("de", "fr"):
        (tmp_path / code / "LC_MESSAGES").mkdir(parents=True)
    written(tmp_path, "es")
    assert set(load_languages(tmp_path)) == {"en", "es"}
    (line,) = [each for each in caplog.records if each.levelno >= logging.WARNING]
    assert line.__dict__["fields"]["languages"] == "de fr"


def test_damaged_catalogue_is_left_out_with_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    whole = written(tmp_path, "de", {("hello", HELLO.text): "Hallo {name}"})
    for damaged in (b"", b"no catalogue", whole.read_bytes()[:-20]):
        caplog.clear()
        whole.write_bytes(damaged)
        assert set(load_languages(tmp_path)) == {"en"}
        assert len(caplog.records) == 1


def test_catalogue_that_is_older_than_its_source_is_used_with_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    compiled = written(tmp_path, "de", {("hello", HELLO.text): "Hallo {name}"})
    source = compiled.with_suffix(".po")
    source.write_text("")
    os.utime(compiled, (2000, 2000))
    os.utime(source, (3000, 3000))
    assert load_languages(tmp_path)["de"].say(HELLO, name="Ana", command="") == "Hallo Ana"
    assert [record.__dict__["fields"]["languages"] for record in caplog.records] == ["de"]
    os.utime(compiled, (3000, 3000))
    caplog.clear()
    load_languages(tmp_path)
    assert caplog.records == []
