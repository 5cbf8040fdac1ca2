"""The steps of the schema: each leaves programs of the version before it running, until a later one may take away."""

import re

import pytest

from bot.storage.schema import OLDEST_VERSION, USABLE_FROM, VERSION, scripts_from
from bot.storage.statements import DatabaseKind, read_script

FIRST_WITH_THIS_RULE = 8
ADDITIONS = (
    r"CREATE TABLE \w+ \(.*\)",
    r"CREATE INDEX \w+ ON .*",
    r"ALTER TABLE \w+ ADD COLUMN \w+ [A-Z ]+?(NOT NULL DEFAULT .+|DEFAULT .+)?",
    r"UPDATE facts SET value = '\d+' WHERE name = 'version'",
)


def is_addition(statement: str) -> bool:
    """Whether programs that do not know of it go on: they name the columns that they write and read."""
    if "ADD COLUMN" in statement and "NOT NULL" in statement and "DEFAULT" not in statement:
        return False
    return any(re.fullmatch(pattern, statement, re.DOTALL) for pattern in ADDITIONS)


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
def test_steps_since_usable_from_only_add(database: DatabaseKind) -> None:
    for number in range(USABLE_FROM, VERSION):
        statements = read_script(f"migrate-{number}-to-{number + 1}", database)
        assert [each for each in statements if not is_addition(each.strip().rstrip(";"))] == [], number


def test_the_version_before_can_use_the_tables() -> None:
    """Expand first, then contract: what a step takes away, no program of the version before it uses any more."""
    assert OLDEST_VERSION <= USABLE_FROM <= VERSION
    assert max(VERSION - 1, FIRST_WITH_THIS_RULE) >= USABLE_FROM


@pytest.mark.parametrize(
    ("statement", "adds"),
    [
        ("ALTER TABLE requests ADD COLUMN trace TEXT", True),
        ("ALTER TABLE requests ADD COLUMN tries BIGINT NOT NULL DEFAULT 0", True),
        ("ALTER TABLE requests ADD COLUMN tries BIGINT NOT NULL", False),
        ("ALTER TABLE requests DROP COLUMN view_id", False),
        ("ALTER TABLE requests RENAME COLUMN view_id TO dialog_id", False),
        ("CREATE UNIQUE INDEX one ON requests (view_id)", False),
        ("DROP TABLE notices", False),
        ("DELETE FROM notices", False),
    ],
)
def test_additions_are_told_from_other_changes(statement: str, adds: bool) -> None:
    assert is_addition(statement) == adds


def test_a_newer_database_has_no_steps() -> None:
    assert scripts_from(VERSION + 1, "sqlite") == []
