"""The site: its pages are those of the tree, and each link, anchor and setting that a page names exists.

`make docs` builds the site in strict mode. These tests also check links out of docs/, which readers of the repository
follow.
"""

import re
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from bot.config.variables import VARIABLES
from tests.support.app import ROOT
from tests.support.cases import each_case

HOUSE = Path(ROOT)
DOCS = HOUSE / "docs"
PAGES = sorted(
    str(path.relative_to(HOUSE))
    for path in (*DOCS.rglob("*.md"), *HOUSE.glob("*.md"), *(HOUSE / "examples").rglob("*.md"))
)
LINK = re.compile(r"\]\((?![a-z]+:)([^)#\s]*)(?:#([^)\s]+))?\)")
IMAGE = re.compile(r"!\[([^\]]*)\]\(([^)\s]+)\)")
TREE = {
    "start": ["try-it", "which-genesys", "slack-app", "genesys-client", "first-session"],
    "use": ["agent", "supervisor", "admin", "customer-page", "connect-account"],
    "run": ["deploy", "workspaces", "sizing", "upgrade", "backup", "monitor", "troubleshoot", "secrets"],
    "reference": ["commands", "settings", "messages", "cli", "scopes", "metrics", "genesys-calls", "guarantees"],
    "security": ["model", "data"],
    "develop": ["architecture", "testing", "release", "performance", "translating", "glossary", "decisions/index"],
}
"""The pages by folder, in the order of the site. Each is for one reader, with one purpose."""
ARGUMENTS = ("SLACK_USER_ID", "GENESYS_USER_ID")
"""What `hosts set` calls its arguments."""
FOLDERS = (
    "bot",
    "tests",
    "docs",
    "deploy",
    "examples",
    "benchmarks",
    r"\.github",
    r"\.devcontainer",
    r"\.ci",
    r"\.slack",
)
RETIRED = ("docs/runbook.md", "docs/security.md", "docs/messages.py")
"""Files that have become others. Nothing leads to them any more."""


class Loader(yaml.SafeLoader):
    """Reads mkdocs.yml, which names functions of Python."""


Loader.add_multi_constructor("tag:yaml.org,2002:python/", lambda loader, suffix, node: suffix)
CONFIG: dict[str, Any] = yaml.load((HOUSE / "mkdocs.yml").read_text(encoding="utf-8"), Loader)  # noqa: S506


@cache
def prose(page: str) -> str:
    """Return a page without its blocks of code."""
    text = (HOUSE / page).read_text(encoding="utf-8")
    return re.sub(r"^ *```.*?^ *```", "", text, flags=re.MULTILINE | re.DOTALL)


@cache
def anchors(page: str) -> set[str]:
    """Return the anchors of a page's headings, as GitHub and the site make them."""
    titles = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    plain = [re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", title).lower().strip() for title in titles]
    return {re.sub(r"[^\w\s-]", "", title).replace(" ", "-") for title in plain}


def test_the_site_has_the_pages_of_the_tree() -> None:
    first, *sections = CONFIG["nav"]
    assert first == "index.md"
    shown = {title.lower(): pages for section in sections for title, pages in section.items()}
    assert shown == {folder: [f"{folder}/{name}.md" for name in names] for folder, names in TREE.items()}
    assert list(shown) == list(TREE)


def test_every_page_is_in_the_tree() -> None:
    there = {str(path.relative_to(DOCS)) for path in DOCS.rglob("*.md")}
    wanted = {"index.md", *(f"{folder}/{name}.md" for folder, names in TREE.items() for name in names)}
    assert {
        page for page in there if not page.startswith(("develop/decisions/0", "develop/glossaries/", "generate/"))
    } == wanted


def test_every_decision_is_in_their_list() -> None:
    listed = re.findall(r"\]\((\d{4}-[\w-]+\.md)\)", prose("docs/develop/decisions/index.md"))
    assert listed == sorted(path.name for path in (DOCS / "develop" / "decisions").glob("0*.md"))


@each_case("page", PAGES)
def test_each_link_leads_to_a_file_and_a_heading(page: str) -> None:
    broken = []
    for target, anchor in LINK.findall(prose(page)):
        path = ((HOUSE / page).parent / target).resolve() if target else HOUSE / page
        exists = path.exists() and path.is_relative_to(HOUSE)
        if exists and anchor and path.suffix == ".md":
            exists = anchor in anchors(str(path.relative_to(HOUSE)))
        if not exists:
            broken.append(f"{target}#{anchor}" if anchor else target)
    assert broken == []


@each_case("page", PAGES)
def test_each_setting_that_a_page_names_exists(page: str) -> None:
    named = re.findall(r"\b(?:COBROWSE|GENESYS|SLACK)_[A-Z_]+[A-Z]\b", (HOUSE / page).read_text(encoding="utf-8"))
    known = {*VARIABLES, *(f"{name}_FILE" for name, each in VARIABLES.items() if each.takes_file), *ARGUMENTS}
    assert [name for name in named if name not in known and page != "CHANGELOG.md"] == []


@each_case("page", PAGES)
def test_each_file_that_a_page_names_exists(page: str) -> None:
    named = re.findall(rf"`((?:{'|'.join(FOLDERS)})/[\w./-]+|\w[\w-]*\.(?:toml|yaml|txt))`", prose(page))
    missing = [name for name in named if not (HOUSE / name).exists()]
    assert [name for name in missing if page != "CHANGELOG.md"] == []


@each_case("page", PAGES)
def test_commands_can_be_pasted_into_any_shell(page: str) -> None:
    """The shell of macOS takes a comment behind a command as its arguments, unless somebody has set an option."""
    blocks = re.findall(r"^ *```sh\n(.*?)^ *```", (HOUSE / page).read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert [line for block in blocks for line in block.splitlines() if re.search(r"(^|\s)#\s", line)] == []


def test_every_picture_is_shown_with_words_for_it() -> None:
    shown = {(HOUSE / page).parent / path: words for page in PAGES for words, path in IMAGE.findall(prose(page))}
    assert {path.resolve() for path in shown} == set((DOCS / "images").glob("*.png"))
    assert [str(path) for path, words in shown.items() if len(words.split()) < 3] == []


def test_readme_and_index_lead_every_reader_to_a_page() -> None:
    for page, folder in (("README.md", "docs/"), ("docs/index.md", "")):
        for section in ("use/agent", "use/supervisor", "use/admin", "run/deploy", "security/model", "start/try-it"):
            assert f"]({folder}{section}.md)" in prose(page), (page, section)


def test_nothing_names_a_page_that_has_moved() -> None:
    paths = [path for folder in ("bot", "docs", "deploy", "examples") for path in (HOUSE / folder).rglob("*.*")]
    paths += [*HOUSE.glob("*.md"), *HOUSE.glob("*.y*ml"), HOUSE / "Makefile", HOUSE / "Dockerfile"]
    for path in paths:
        if path.suffix in (".py", ".md", ".yml", ".yaml", ".json", ".html", "") and path.name != "CHANGELOG.md":
            text = path.read_text(encoding="utf-8")
            assert [name for name in RETIRED if name in text] == [], path
