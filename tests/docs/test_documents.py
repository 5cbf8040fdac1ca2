"""The documents match the code: every log line and outcome has a row, and the tests that they name exist."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, get_args

from bot.config.variables import VARIABLES
from bot.core.errors import CobrowseError, SetupError
from bot.core.results import Success
from bot.slack.receivers.socket_mode import DEAF, DEAF_SHORT, DEAF_TOO_MANY, REFUSALS
from bot.storage.errors import SENTENCES
from tests.support.app import ROOT
from tests.support.errors import BASES

HOUSE = Path(ROOT)
TROUBLESHOOT = (HOUSE / "docs" / "run" / "troubleshoot.md").read_text(encoding="utf-8")
SECRETS = (HOUSE / "docs" / "run" / "secrets.md").read_text(encoding="utf-8")
MODEL = (HOUSE / "docs" / "security" / "model.md").read_text(encoding="utf-8")
SECURITY = MODEL + (HOUSE / "docs" / "security" / "data.md").read_text(encoding="utf-8")
LEVELS = ("debug", "info", "warning", "error", "exception", "critical")
REFUSED = ("StorageSetupError", "AuditSetupError", "SlackSetupError", "SlackUnreachableError", "StartError")


CALLED = re.compile(rf"\b(?:{'|'.join((*LEVELS, *REFUSED))})\s*\(")


@cache
def calls() -> list[tuple[str, ast.Call]]:
    """Return every call in the files that log something or refuse a start, with its path.

    This is a function, because each worker collects all tests and must not parse the code on import.
    """
    return [
        (str(path.relative_to(HOUSE)), node)
        for path in sorted((HOUSE / "bot").rglob("*.py"))
        if CALLED.search(source := path.read_text(encoding="utf-8"))  # quicker than to parse them all
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call)
    ]


def phrases(node: ast.expr) -> tuple[str, ...]:
    """Return the parts of a text between placeholders and full stops. A document can be searched for them."""
    parts = node.values if isinstance(node, ast.JoinedStr) else [node]
    texts = [part.value for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str)]
    found = [phrase.strip() for text in texts for phrase in re.split(r"[().:;]", text)]
    return tuple(phrase for phrase in found if len(phrase) >= 12)


@cache
def logged() -> list[tuple[str, str]]:
    """Return the level and the message of each log line."""
    return sorted(
        {
            (node.func.attr, node.args[0].value)
            for _, node in calls()
            if isinstance(node.func, ast.Attribute)
            and node.func.attr in LEVELS
            and node.args
            and isinstance(node.args[0], ast.Constant)
            and isinstance(node.args[0].value, str)
        }
    )


@cache
def said() -> list[tuple[str, ...]]:
    """Return the phrases of each sentence about a refused start."""
    return sorted(
        {
            words
            for path, node in calls()
            if isinstance(node.func, ast.Name | ast.Attribute)
            and (node.func.id if isinstance(node.func, ast.Name) else node.func.attr) in REFUSED
            and node.args
            and "sandbox" not in path
            and (words := phrases(node.args[0]))
        }
    )


def leaves(of: type[CobrowseError]) -> Iterator[type[CobrowseError]]:
    for below in of.__subclasses__():
        yield from leaves(below)
        if below not in BASES:
            yield below


def test_these_tests_find_what_they_look_for() -> None:
    assert ("warning", "refused") in logged()
    assert len(logged()) > 20
    assert any("Cannot listen on" in words for words in said())
    assert len(said()) > 4


def test_every_log_line_has_a_row_with_its_level() -> None:
    for level, message in logged():
        rows = re.findall(rf"^\| `{re.escape(message)}` \| (\w+) \|", TROUBLESHOOT, re.MULTILINE)
        assert rows == ["error" if level == "exception" else level], message


def test_no_row_is_about_a_line_that_is_not_logged() -> None:
    table = TROUBLESHOOT.partition("## In the log")[2].partition("\n## ")[0]
    assert set(re.findall(r"^\| `([^`]+)` \|", table, re.MULTILINE)) == {message for _, message in logged()}


def test_every_reason_not_to_start_has_a_row() -> None:
    for words in said():
        assert any(phrase in TROUBLESHOOT for phrase in words), words


def test_each_sentence_of_a_refused_socket_has_a_row() -> None:
    for sentence in (*REFUSALS.values(), DEAF, DEAF_SHORT, DEAF_TOO_MANY):
        words = re.split(r"(?<=\.) | \(|, |: ", sentence)[0]
        assert words in TROUBLESHOOT, words


def test_every_code_of_a_refused_start_has_a_row() -> None:
    table = TROUBLESHOOT.partition("## It does not start, or ends")[2].partition("\n## ")[0]
    rows = {code: says for says, code in re.findall(r"^\| (.+?) `\[(\w+)\]` \|", table, re.MULTILINE)}
    assert set(rows) == {
        *SENTENCES,
        "settings_invalid",
        *(each.code for each in below(SetupError)),
        "socket_mode_unavailable",
    }
    for code, sentence in SENTENCES.items():
        assert rows[code].rstrip(".") in sentence, code
    assert len(rows) > 40


def below(of: type[Any]) -> Iterator[type[Any]]:
    for each in of.__subclasses__():
        yield each
        yield from below(each)


def test_every_outcome_has_a_row() -> None:
    codes = [code for each in leaves(CobrowseError) for code in each.possible_codes()] + [
        each.code for each in get_args(Success)
    ]
    assert [code for code in codes if f"`{code}`" not in TROUBLESHOOT] == []


def test_every_secret_has_a_row_that_says_how_to_change_it() -> None:
    table = SECRETS.partition("## Changing a secret")[2].partition("\n## ")[0]
    for name, variable in VARIABLES.items():
        if variable.secret and name.removesuffix("_NEXT") not in (
            "GENESYS_PRIVATE_KEY",
            "GENESYS_PRIVATE_KEY_PASSPHRASE",
        ):
            assert f"`{name}`" in table, name


def test_every_test_that_the_threat_model_names_exists() -> None:
    there = {
        name
        for path in (HOUSE / "tests").rglob("test_*.py")
        for name in re.findall(r"^(?:async )?def (test_\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    named = re.findall(r"`(test_\w+)`", SECURITY)
    assert len(named) > 50
    assert [name for name in named if name not in there] == []


def test_every_part_of_the_threat_model_names_a_test() -> None:
    model = MODEL.partition("## What each of them could do")[2]
    for part in model.split("\n### ")[1:]:
        assert "`test_" in part, part.splitlines()[0]
