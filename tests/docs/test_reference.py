"""The generated files are up to date with the code: the pages of docs/reference, and .env.example."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from bot.config.variables import VARIABLES
from bot.slack.command_languages import without_marks
from bot.slack.command_words import ALIASES
from bot.slack.manifest import NEEDED
from docs.generate.__main__ import FILES
from tests.support.app import ROOT

HOUSE = Path(ROOT)


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder with all generated files.

    A separate process generates them, because tests add sentences and errors to this one.
    """
    folder = tmp_path_factory.mktemp("generated")
    command = [sys.executable, "-m", "docs.generate", "--into", str(folder)]
    subprocess.run(command, cwd=HOUSE, capture_output=True, check=True)
    return folder


@pytest.mark.parametrize("name", FILES)
def test_generated_file_is_what_the_code_says(generated: Path, name: str) -> None:
    path, _ = FILES[name]
    assert (HOUSE / path).read_bytes() == (generated / path).read_bytes(), f"run: make reference NAMES={name}"


def page(name: str) -> str:
    return (HOUSE / "docs" / "reference" / f"{name}.md").read_text(encoding="utf-8")


def test_each_sentence_says_when_it_is_read() -> None:
    assert page("messages").count("\n### ") > 80
    assert page("messages").count(" an administrator.\n") > 20
    assert page("messages").count("Who acts: the reader") > 50


def test_each_setting_has_one_row_with_default_and_purpose() -> None:
    rows = re.findall(
        r"^\| `([A-Z_]+)`( 🔑| 📄)? \| (?:`([^`]*)`)?[^|]* \| (.+) \| (?:`(.*)`)? \|$", page("settings"), re.MULTILINE
    )
    shown = [(name, mark.strip(), default, about.partition(" **Required")[0]) for name, mark, default, about, _ in rows]
    wanted = [
        (name, "🔑" if each.secret else "📄" * each.in_file, each.default, each.about.replace("|", "\\|"))
        for name, each in VARIABLES.items()
    ]
    assert shown == wanted
    assert {name for name, *_, example in rows if example} == {name for name, each in VARIABLES.items() if each.example}


def test_required_settings_come_first() -> None:
    first = page("settings").partition("## Required")[2].partition("\n## ")[0]
    listed = re.findall(r"^\| `([A-Z_]+)`", first, re.MULTILINE)
    assert set(listed) == {name for name, each in VARIABLES.items() if each.required}
    assert {"SLACK_BOT_TOKEN", "GENESYS_CLIENT_ID"} <= set(listed[:4])


def test_every_setting_has_a_sentence_and_a_value_to_copy() -> None:
    for name, each in VARIABLES.items():
        assert each.about[0].isupper() or each.about[0] == "`", name
        assert each.about.endswith("."), name
        assert each.default or each.example, name
        assert not each.unit or each.default.isdigit() or each.example.isdigit(), name


def test_the_page_of_commands_has_every_word_and_each_scope_its_reason() -> None:
    shown = without_marks(page("commands"))
    for word in ALIASES:
        assert f"`{word}`" in shown, word
    for scope, why in NEEDED.items():
        assert f"| `{scope}` | {why} |" in page("scopes")
