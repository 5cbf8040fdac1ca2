"""docs/reference/guarantees.md: each guarantee has a row, and each file and test that a row names exists."""

import re
from functools import cache
from pathlib import Path

from tests.support.app import ROOT

PAGE = (Path(ROOT) / "docs" / "reference" / "guarantees.md").read_text(encoding="utf-8")
GUARANTEES = (
    "Stored before the acknowledgement",
    "One request for each invocation",
    "One session for a duplicate request",
    "Fencing by state and owner",
    "`creating` before the bytes",
    "Retry by cause",
    "Told at least once",
    "Notices reach their readers",
    "Told of the customer once at most",
    "Never guessed",
    "The viewer is for the host alone",
    "Watching keeps nobody waiting",
    "A notification is only a hint",
    "What Genesys refuses to push, the bot asks for",
    "One replica listens",
    "A form answers in its own dialog",
    "A restored backup repeats nothing",
    "Never two different outcomes",
    "Wrong host impossible",
    "Links only for the requester and the host",
    "Workspaces see nothing of each other",
    "Secrets masked",
    "Secrets encrypted",
    "Secrets wiped",
    "Secrets change under load",
    "A wrong secret changes nothing",
    "Bounds on bodies",
    "Bounds on connections",
    "Bounds on concurrency and queues",
    "The next socket opens before the last one closes",
    "A killed replica costs no command",
    "Two versions in a row share a database",
    "Default deny",
    "One person, two ids",
    "Groups of the organization only",
    "No secret in any log",
    "Nobody in a trace",
    "One trace for a request",
    "Two commands in the README",
    "One create and one post for a warm command",
)


@cache
def rows() -> dict[str, list[list[str]]]:
    """Return, by guarantee, the texts in code marks in its other columns."""
    lines = [line.strip("|").split(" | ") for line in PAGE.splitlines() if line.startswith("| **")]
    return {
        first.split("**")[1].rstrip("."): [re.findall(r"`([^`]+)`", cell) for cell in rest] for first, *rest in lines
    }


def test_each_guarantee_has_a_row_with_code_and_tests() -> None:
    assert tuple(rows()) == GUARANTEES
    assert [name for name, (code, tests) in rows().items() if not (code and tests)] == []


def test_files_and_tests_in_the_rows_exist() -> None:
    for code, tests in rows().values():
        assert [path for path in code if not (Path(ROOT) / path).is_file()] == []
        for test in tests:
            path, name = test.split("::")
            assert re.search(rf"^(async )?def {name}\(", (Path(ROOT) / path).read_text(encoding="utf-8"), re.M), test
