"""The stored form of identifiers: each workspace reads its own ones back, and no two workspaces store an equal one."""

import pytest

from bot.genesys.parsing import is_usable_id
from bot.storage.scope import SEPARATOR, Scope, WholeDatabase

NAMES = ("", "eu", "e", "eu-1")
IDENTIFIERS = (
    "",
    "eu",
    "s-1",
    "eu|s-1",
    "|s-1",
    "u|s-1",
    "eu||s-1",
    "||",
    "T0 U0",
    "eu/s-1",
    "1|s-1",
    "eu|",
    "|eu|s-1",
)


def test_identifiers_come_back_as_they_were() -> None:
    for scope in map(Scope, NAMES):
        for identifier in IDENTIFIERS:
            assert scope.from_stored(scope.to_stored(identifier)) == identifier


def test_no_two_workspaces_store_an_equal_text() -> None:
    stored = [Scope(name).to_stored(identifier) for name in NAMES for identifier in IDENTIFIERS]
    assert len(set(stored)) == len(stored)


def test_stored_text_of_another_workspace_is_refused() -> None:
    for scope in map(Scope, NAMES):
        for other in (name for name in NAMES if name != scope.name):
            for identifier in IDENTIFIERS:
                with pytest.raises(ValueError, match="another workspace"):
                    scope.from_stored(Scope(other).to_stored(identifier))


def test_bot_with_one_workspace_stores_what_it_always_stored() -> None:
    values = {"id": "r-1", "key": "command:1", "team_id": "T0", "by": None, "name": "eu|x", "owner": 3}
    assert Scope().to_values(dict(values)) == values | {"workspace": "", "every_team": ""}
    rows = [{"id": "r-1", "name": "eu|x", "ended_by": None}]
    assert Scope().to_rows("find_session", rows) is rows


def test_parameters_of_a_workspace_carry_its_name() -> None:
    values = {"id": "r-1", "team_id": "T0", "by": None, "user_id": "U0", "session_id": "s-1"}
    expected = {"id": "eu|r-1", "team_id": "eu|T0", "by": None, "user_id": "U0", "session_id": "eu|s-1"}
    assert Scope("eu").to_values(dict(values)) == expected | {"workspace": "eu", "every_team": "eu|"}


@pytest.mark.parametrize("name", NAMES)
def test_row_of_another_workspace_is_left_out_and_logged(name: str, caplog: pytest.LogCaptureFixture) -> None:
    own, other = Scope(name).to_stored("s-1"), Scope("us").to_stored("s-2")
    rows = [{"id": other, "name": "a"}, {"id": own, "name": "b"}]
    assert Scope(name).to_rows("find_session", rows) == [{"id": "s-1", "name": "b"}]
    assert [record.fields["table"] for record in caplog.records] == ["find_session"]


def test_whole_database_is_read_as_it_is_stored() -> None:
    rows = [{"id": "eu|s-1"}]
    assert WholeDatabase().to_rows("page_of_sessions", rows) is rows
    assert WholeDatabase().to_values({"id": "eu|s-1"}) == {"id": "eu|s-1"}


def test_no_id_of_genesys_holds_the_separator() -> None:
    assert is_usable_id("eu/s-1")
    assert not is_usable_id(f"eu{SEPARATOR}s-1")
