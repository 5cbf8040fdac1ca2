"""The pages for people have short sentences and plain words. tests/support/prose.py measures them."""

import re
from pathlib import Path

from tests.support.app import ROOT
from tests.support.cases import each_case
from tests.support.prose import CODE, measure, sentences, syllables

HOUSE = Path(ROOT)
GENERATED = ("cli.md", "commands.md", "messages.md", "metrics.md", "scopes.md", "settings.md")
PAGES = sorted(
    str(path.relative_to(HOUSE))
    for path in (*(HOUSE / "docs").rglob("*.md"), *HOUSE.glob("*.md"))
    if path.name not in GENERATED and path.parent.name not in ("decisions", "glossaries")
)
AGENT = "docs/use/agent.md"
LEADERS = [page for page in PAGES if page.startswith(("docs/start/", "docs/use/", "docs/run/")) and page != AGENT]
MAX_MEAN_LENGTH = 15
OUT = re.compile(
    r"\b(anew|at hand|of (?:its|their|his|her) own|so long as|is told so|are told so|whoever|whomever|heralds?|"
    r"tellers?|thereof|hereby|whilst|upon|thus|hence|henceforth|shall|utili[sz]e|leverage|in order to|"
    r"organisations?|authoris\w+|colours?|favours?|behaviours?|cent(?:re|res)|e-mails?|mend(?:s|ed|ing)?|"
    r"is away|are away|is no more|not once|to and fro)\b",
    re.IGNORECASE,
)
"""Words that a reader would look up or read twice, and British forms beside Slack's American ones."""
JARGON = re.compile(r"\b(hosts?|tokens?|oauth|offers?|ephemeral|api|endpoint|scopes?|http \d+)\b", re.IGNORECASE)
"""Words that mean nothing to an agent."""


def text_of(page: str) -> str:
    return (HOUSE / page).read_text(encoding="utf-8")


def found_in(pattern: re.Pattern[str], page: str) -> list[str]:
    """Return each match with its line, in tables too. Leave out code and the addresses of links."""
    text = re.sub(r"^ *```.*?^ *```", "", text_of(page), flags=re.MULTILINE | re.DOTALL)
    text = re.sub(r"`[^`\n]+`|(?<=\])\([^)\s]*\)", "", text)
    return [f"{found[0]}: {line}" for line in text.splitlines() for found in pattern.finditer(line)]


@each_case("page", PAGES)
def test_sentences_of_a_page_are_short(page: str) -> None:
    assert measure(text_of(page)).mean_length <= MAX_MEAN_LENGTH


@each_case("page", PAGES)
def test_words_that_stay_out_are_in_no_page(page: str) -> None:
    assert found_in(OUT, page) == []


def test_agents_page_reads_easily_and_has_no_jargon() -> None:
    assert measure(text_of(AGENT)).ease >= 65
    assert found_in(JARGON, AGENT) == []


@each_case("page", LEADERS)
def test_pages_for_supervisors_and_admins_read_well(page: str) -> None:
    assert measure(text_of(page)).ease >= 50


def test_prose_is_told_from_all_else() -> None:
    left_out = "# A title\n\n| a | b |\n|---|---|\n| It is. | No. |\n\n```sh\nNot this. Nor this.\n```\n\n"
    page = left_out + "Type `it is`. Press *Start*, now!\n\n- One\n- Two [words](x.md)\n"
    assert sentences(page) == [f"Type {CODE} .", f"Press {CODE} , now!", "One", "Two words"]


def test_measures_tell_hard_prose_from_easy() -> None:
    easy = measure("The bot is on. You type a word. It gives you a link.")
    hard = measure(
        "Notwithstanding organizational considerations, authentication necessitates administrative participation."
    )
    assert easy.ease > 90
    assert hard.ease < 0
    assert easy.mean_length == 13 / 3
    counted = {"link": 1, "used": 1, "agent": 2, "session": 2, "table": 2, "customer": 3, "co-worker": 3}
    assert {word: syllables(word) for word in counted} == counted
