"""The SQL files: every statement is used, has one definition, and agrees between both databases."""

import ast
import re
from pathlib import Path

import pytest

from bot.core.results import INQUIRIES
from bot.storage import statements
from bot.storage.encryption import SECRET_COLUMNS
from bot.storage.postgres.statements import NOW, number_parameters
from bot.storage.repositories import people
from bot.storage.schema import TABLES, VERSION, scripts_from
from bot.storage.statements import SQL_FOLDER, SWEEP, DatabaseKind, load_statements, read_script
from tests.support.app import ROOT

DATABASES: tuple[DatabaseKind, ...] = ("sqlite", "postgres")
STORAGE = Path(ROOT) / "bot" / "storage"


def literals(folder: Path) -> set[str]:
    """Return every string literal in the code."""
    return {
        node.value
        for path in folder.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def test_every_statement_is_used() -> None:
    whats = ("secrets_of", "encrypt", "page_of", "rotate")
    by_table = {f"{what}_{table}" for what in whats for table in SECRET_COLUMNS}
    by_table |= {f"{table}_of_person" for table in people.TABLES}
    by_table |= {f"forget_{table}" for table in (*people.FORGOTTEN_AT_ONCE, *people.FORGOTTEN_IN_BATCHES)}
    used = literals(STORAGE) | by_table
    for database in DATABASES:
        assert set(load_statements(database)) <= used, database


def test_every_statement_says_what_it_does_at_its_start() -> None:
    for database in DATABASES:
        for name, text in load_statements(database).items():
            assert re.match(r"(SELECT|INSERT|UPDATE|DELETE|WITH)\b", text), name
            assert not re.search(r"--|/\*|;", text), name


def test_code_holds_no_sql_but_that_of_a_connection() -> None:
    """The only SQL in Python code is for transactions and pragmas."""
    sql = re.compile(r"\s*(SELECT|INSERT|UPDATE|DELETE FROM|WITH|(CREATE|ALTER|DROP) (TABLE|INDEX))\s+[\w*:]")
    found = [text for text in literals(STORAGE) if sql.match(text)]
    assert found == []


def test_sweep_runs_every_statement_of_its_file_in_order() -> None:
    text = SQL_FOLDER.joinpath("sweep.sql").read_text(encoding="utf-8")
    assert re.findall(r"^-- name: (\w+)$", text, re.MULTILINE) == list(SWEEP)


def test_sweep_deletes_every_kind_of_inquiry() -> None:
    (kinds,) = re.findall(r"kind IN \((.*?)\)", load_statements("sqlite")["delete_inquiries"])
    assert set(re.findall(r"'(\w+)'", kinds)) == {kind.value for kind in INQUIRIES}


def test_both_databases_store_a_session_in_the_same_way() -> None:
    """The rest of the two statements differs, because SQLite has no INSERT within WITH."""

    def update(text: str) -> str:
        (found,) = re.findall(r"ON CONFLICT \(id\) DO UPDATE SET(.*?)RETURNING created_at", text, re.DOTALL)
        return " ".join(found.split())

    postgres, sqlite = load_statements("postgres"), load_statements("sqlite")
    assert update(postgres["advance_with_session"]) == update(sqlite["store_session"])


def test_both_databases_find_a_duplicate_in_the_same_way() -> None:
    def condition(text: str) -> str:
        (found,) = re.findall(r"SELECT r\.id FROM requests r(.*?) LIMIT 1\) AS same_as", text, re.DOTALL)
        return " ".join(found.split())

    postgres, sqlite = load_statements("postgres"), load_statements("sqlite")
    assert condition(postgres["accept"]) == condition(sqlite["find_duplicate"])


@pytest.mark.parametrize("database", DATABASES)
def test_schema_and_migration_set_the_version_of_the_code(database: DatabaseKind) -> None:
    for version in (0, VERSION - 1):
        text = "\n".join(scripts_from(version, database))
        assert re.findall(r"'version', '(\d+)'|value = '(\d+)' WHERE name = 'version'", text) in (
            [(str(VERSION), "")],
            [("", str(VERSION))],
        )
    assert list(scripts_from(VERSION, database)) == []


def test_unique_index_of_replicas_is_for_postgres_alone() -> None:
    assert "requests_wish" in "".join(read_script("schema", "postgres"))
    assert "requests_wish" not in "".join(read_script("schema", "sqlite"))


def test_tables_are_those_of_the_schema() -> None:
    assert TABLES == (
        "requests",
        "sessions",
        "posts",
        "watches",
        "found_hosts",
        "links",
        "connects",
        "connections",
        "notices",
    )


def test_names_become_numbers_and_now_the_clock_of_the_server() -> None:
    found = number_parameters("SELECT :a, :b_c, :a, x::text, :now FROM t WHERE t = ':' || :ab")
    assert found.text == f"SELECT $1, $2, $1, x::text, {NOW} FROM t WHERE t = ':' || $3"
    assert found.names == ("a", "b_c", "ab")
    assert found.arguments({"ab": 3, "a": 1, "b_c": 2, "unused": 4}) == [1, 2, 3]


def test_statement_that_stands_twice_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("one", "two"):
        (tmp_path / f"{name}.sql").write_text("-- name: same\nSELECT 1;\n")
    monkeypatch.setattr(statements, "SQL_FOLDER", tmp_path)
    with pytest.raises(ValueError, match="same"):
        load_statements.__wrapped__("sqlite")
