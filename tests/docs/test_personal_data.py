"""docs/security/data.md, `export` and `forget` know every table of the schema, so that a new one is not missed."""

import re
from pathlib import Path

from bot.cli.data.people import ROWS
from bot.storage.repositories import people
from bot.storage.schema import TABLES
from tests.support.app import ROOT

PAGE = (Path(ROOT) / "docs" / "security" / "data.md").read_text(encoding="utf-8")
ABOUT_SEVERAL_PEOPLE = {"notices"}


def named_in(heading: str) -> set[str]:
    """Return the tables that the first column of a section's table names."""
    section = PAGE.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    return {name for row in re.findall(r"^\| (`.*?) \|", section, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)}


def test_the_page_says_how_long_each_table_keeps_its_rows() -> None:
    assert named_in("How long each table keeps its rows") == {*TABLES, "facts"}


def test_the_page_says_what_forget_does_with_each_table() -> None:
    assert named_in("Forget a person") == {*TABLES, "facts"}


def test_export_and_forget_take_every_table() -> None:
    assert {*people.TABLES} | ABOUT_SEVERAL_PEOPLE == set(TABLES)
    assert {*people.FORGOTTEN_AT_ONCE, *people.FORGOTTEN_IN_BATCHES} == {*people.TABLES}
    assert set(ROWS) == set(TABLES)
