"""The .po files are up to date with the code, and a catalogue that somebody has begun is complete."""

import re
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog

from bot.slack.messages.catalogue import sentence
from bot.slack.messages.catalogue.languages import DOMAIN, translated
from tests.support.app import ROOT
from tests.support.catalogue import every_sentence
from tests.support.translations import (
    KEYWORDS,
    compile_all,
    current,
    has_begun,
    lacks,
    placeholders,
    read,
    source_of,
    template,
    updated,
    written,
)


def made(*messages: tuple[str | tuple[str, str], str, str | tuple[str, ...]]) -> Catalog:
    """Return a German catalogue of these keys, texts and translations."""
    catalog = Catalog(locale="de", domain=DOMAIN)
    for text, key, said in messages:
        catalog.add(text, said, context=key, auto_comments=["a text"])
    return catalog


def entry(key: str, part: str = "TEXT") -> sentence.Sentence:
    return sentence.CATALOGUE[key, sentence.Part[part]]


def test_babel_finds_every_sentence() -> None:
    texts = {(str(each.context), each.id) for each in template() if each.id}
    wanted = {(each.key, (each.text, each.plural) if each.plural else each.text) for each in every_sentence()}
    assert texts == wanted
    assert all(keyword in re.sub(r"\s+", " ", sentence.__doc__ or "") for keyword in KEYWORDS)


def test_template_says_where_an_entry_stands_and_how_long_it_may_be() -> None:
    comments = {str(each.context): each.auto_comments for each in template() if each.id}
    assert comments["form.title"] == ["a label, at most 24 characters"]
    assert comments["warning.not_encrypted"] == ["what is broken, for administrators"]


@pytest.mark.parametrize("code", translated())
def test_po_file_is_up_to_date(code: str) -> None:
    path = source_of(code)
    assert path.read_bytes() == current(code, template()), "run: make messages"


@pytest.mark.parametrize("code", translated())
def test_po_file_that_somebody_works_on_lacks_nothing(code: str) -> None:
    catalog = read(code)
    if not has_begun(catalog):
        pytest.skip("nobody has translated a sentence yet")
    assert lacks(catalog, template()) == []


@pytest.mark.parametrize("code", translated())
def test_preposition_of_a_day_stands_before_no_time(code: str) -> None:
    """A time that is hours away has its day: “beendet um {time}” would become “beendet um gestern um 22:18”."""
    found = read(code).get(sentence.DAY_AND_TIME.text, sentence.DAY_AND_TIME.key)
    assert found is not None
    texts = {each.context: str(each.string) for each in read(code) if each.context != sentence.DAY_AND_TIME.key}
    for preposition in re.findall(r"\{day\} (\w+) \{time\}", str(found.string)):
        doubled = re.compile(rf"(?<![\w’]){preposition} \{{(?:time|at|since|until)\}}")
        assert [key for key, text in texts.items() if doubled.search(text)] == []


@pytest.mark.parametrize("code", translated())
def test_items_that_contain_commas_are_separated_by_more(code: str) -> None:
    comma, semicolon = (read(code).get(each.text, each.key) for each in (sentence.LISTED, sentence.LISTED_LONG))
    assert comma is not None
    assert semicolon is not None
    assert comma.string != semicolon.string


def test_french_says_which_client_is_meant() -> None:
    """*client* alone is the customer."""
    texts = {str(each.string) for each in read("fr") if "client" in str(each.id) and "customer" not in str(each.id)}
    found = {text for text in texts if re.search(r"\bclient\b(?! OAuth)", text.replace("Client Credentials", ""))}
    assert found == set()


def test_update_changes_nothing_the_second_time() -> None:
    once = written(updated(made((entry("card.ends").text, "card.ends", "endet {time}")), template(), "de"))
    assert b'msgstr "endet {time}"' in once
    assert not re.search(rb"Date|Generated|\.py|fuzzy", once)


def test_changed_sentence_keeps_its_translation_until_somebody_looks() -> None:
    old = made(("It ends {time}", "card.ends", "endet {time}"), ("join by {time}", "card.gone", "beitreten bis {time}"))
    catalog = updated(old, template(), "de")
    for key, said in (("card.ends", "endet {time}"), ("card.join_by", "beitreten bis {time}")):
        found = catalog.get(entry(key).text, key)
        assert found is not None
        assert (found.string, found.fuzzy) == (said, True)
    assert catalog.get("It ends {time}", "card.ends") is None
    assert [line for line in lacks(catalog, template()) if "fuzzy" in line and line.startswith("card.ends")]


def test_changed_sentence_takes_the_translation_of_its_own_part() -> None:
    """An error has several sentences with one key."""
    old = Catalog(locale="de", domain=DOMAIN)
    for text, said, part in (("What?", "Was?", "an error: what happened"), ("Do.", "Tu.", "an error: what to do")):
        old.add(text, said, context="shutting_down", auto_comments=[part])
    catalog = updated(old, template(), "de")
    for part, said in (("PROBLEM", "Was?"), ("NEXT_STEP", "Tu.")):
        found = catalog.get(entry("shutting_down", part).text, "shutting_down")
        assert found is not None
        assert (found.string, found.fuzzy) == (said, True)


@pytest.mark.parametrize(
    ("key", "part", "said", "problem"),
    [
        ("card.ends", "TEXT", "", "translate it"),
        ("card.ends", "TEXT", "endet", "needs the placeholders {time}, and has none"),
        ("card.ends", "TEXT", "endet {zeit}", "needs the placeholders {time}, and has {zeit}"),
        ("card.ends", "TEXT", "endet {time", "has a brace"),
        ("card.ends", "TEXT", "endet {time} ", "begins or ends with a space"),
        ("card.title", "TEXT", "{name} · {ends}", "needs the same"),
        ("form.title", "LABEL", "x" * 25, "has 25 characters, and may have 24"),
        ("option.start_named", "LABEL", "{name}" + "x" * 41, "has 41 characters, and may have 40"),
        ("card.ends", "TEXT", "endet {time}", None),
        ("form.title", "LABEL", "x" * 24, None),
    ],
)
def test_faults_of_a_translation_are_listed(key: str, part: str, said: str, problem: str | None) -> None:
    catalog = updated(made((entry(key, part).text, key, said)), template(), "de")
    lines = [line for line in lacks(catalog, template()) if line.startswith(f"{key}: ")]
    assert len(lines) == (problem is not None)
    assert problem is None or problem in lines[0]


def test_each_plural_form_is_checked() -> None:
    minutes = entry("wait.minutes")
    texts = (minutes.text, minutes.plural)
    for said, is_whole in ((("eine Minute", "{count} Minuten"), True), (("{count} Minute", ""), False)):
        catalog = updated(made((texts, minutes.key, said)), template(), "de")
        assert any(line.startswith("wait.minutes") for line in lacks(catalog, template())) != is_whole


def test_entry_that_the_code_no_longer_has_is_listed() -> None:
    assert [line for line in lacks(made(("Old", "old.one", "Alt")), template()) if line.startswith("old.one: ")]


def test_sources_are_compiled_when_they_have_changed(tmp_path: Path) -> None:
    source = tmp_path / "de" / "LC_MESSAGES" / f"{DOMAIN}.po"
    source.parent.mkdir(parents=True)
    source.write_bytes(written(updated(made((entry("card.ends").text, "card.ends", "endet {time}")), template(), "de")))
    compile_all(tmp_path)
    compiled = source.with_suffix(".mo")
    assert b"endet {time}" in compiled.read_bytes()
    when = compiled.stat().st_mtime_ns
    compile_all(tmp_path)
    assert compiled.stat().st_mtime_ns == when


def test_placeholders_are_named() -> None:
    assert placeholders("{a} and {b} {a}") == {"a", "b"}


def test_the_page_for_translators_names_every_placeholder_and_language() -> None:
    page = (Path(ROOT) / "docs" / "develop" / "translating.md").read_text(encoding="utf-8")
    table = page.partition("## What fills the placeholders")[2]
    used = set().union(*(placeholders(each.text) | placeholders(each.plural) for each in every_sentence()))
    assert used - set(re.findall(r"`\{(\w+)\}`", table)) == set()
    assert [code for code in translated() if f"`{code}`" not in page] == []
