"""docs/run/upgrade.md: what each version changes for an operator stands in a table, the newest version first."""

from pathlib import Path

from bot import __version__
from bot.storage.schema import USABLE_FROM, VERSION
from tests.support.app import ROOT

PAGE = (Path(ROOT) / "docs" / "run" / "upgrade.md").read_text(encoding="utf-8")
COLUMNS = [
    "Version",
    "Schema",
    "Programs that can use it",
    "Slack scopes and manifest",
    "Settings",
    "Order",
    "Rollback",
]


def versions() -> list[list[str]]:
    table = PAGE.partition("## Versions")[2].partition("\n## ")[0]
    rows = [line for line in table.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


def test_each_version_says_what_an_operator_needs() -> None:
    head, *rows = versions()
    assert head == COLUMNS
    for row in rows:
        assert len(row) == len(COLUMNS)
        assert "" not in row


def test_the_newest_version_is_this_one_with_its_schema() -> None:
    newest = dict(zip(COLUMNS, versions()[1], strict=True))
    assert newest["Version"] == __version__
    assert newest["Schema"] == str(VERSION)
    assert newest["Programs that can use it"] == f"schema {USABLE_FROM} and newer"
