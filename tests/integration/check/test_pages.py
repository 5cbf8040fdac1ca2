"""Each problem that `check` reports names the page of the documentation about it."""

import ast
import json
from pathlib import Path

import pytest

from bot.check.results import PAGES, PAGES_BY_CODE, as_json, as_text, failed, ok, skipped, warning
from bot.check.slack import app, connection, directory

ROOT = Path(__file__).parents[3]
BUILDERS = ("ok", "warning", "failed", "skipped", "setup_failed", "reach")
CONSTANTS = {name: value for module in (connection, app, directory) for name, value in vars(module).items()}


def named() -> set[str]:
    """Return the areas that the code of `check` names."""
    found = set()
    for path in (ROOT / "bot" / "check").rglob("*.py"):
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in BUILDERS:
                name = call.args[0]
                if isinstance(name, ast.Constant):
                    found.add(name.value)
                elif isinstance(name, ast.Name) and name.id.isupper():
                    found.add(CONSTANTS[name.id])
    return found


def test_every_area_has_a_page_that_exists() -> None:
    areas = named()
    assert len(areas) > 25
    assert areas <= set(PAGES)
    assert [page for page in (*PAGES.values(), *PAGES_BY_CODE.values()) if not (ROOT / page).is_file()] == []


@pytest.mark.parametrize("build", [warning, failed])
def test_problem_shows_its_page(build: object) -> None:
    found = build("clock", "It is late.", "Set it.")  # type: ignore[operator]
    assert "More: docs/run/troubleshoot.md" in as_text([found])
    assert json.loads(as_json([found]))["findings"][0]["page"] == "docs/run/troubleshoot.md"


def test_key_that_does_not_fit_leads_to_the_page_about_keys() -> None:
    found = failed("database", "It does not fit.", "Put the old key behind it.", "database_key_mismatch")
    assert found.page == "docs/run/backup.md"
    assert "## Change the encryption key" in (ROOT / found.page).read_text(encoding="utf-8")


def test_what_is_right_or_was_left_out_shows_none() -> None:
    assert "More:" not in as_text([ok("clock", "It is right."), skipped("token", "no key")])
