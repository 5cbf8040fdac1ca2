"""The hosts file as spreadsheets write it: it is read if it is unambiguous, else an error names the place."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from bot.check import configuration
from bot.cli.commands import main
from tests.support.settings import SOCKET

ANA, BEN = "2f7b0c9e-0000-4000-8000-00000000000a", "2f7b0c9e-0000-4000-8000-00000000000b"
HEADER = "slack_user_id,genesys_user_id"
LISTED = [f"U0ANA\t{ANA}\tany workspace", f"U0BEN\t{BEN}\tT0TWO"]


def typed(tmp_path: Path, *arguments: str) -> tuple[int, str, str]:
    """Run a command of `hosts` on a database in this folder."""
    environ = {"DATABASE_URL": f"sqlite:///{tmp_path / 'bot.db'}"}
    result = CliRunner().invoke(main, ["hosts", *arguments], env=environ)
    return result.exit_code, result.stdout, result.stderr


def imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: bytes) -> tuple[int, str, str]:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "hosts.csv").write_bytes(data)
    return typed(tmp_path, "import", "hosts.csv")


def with_separator(separator: str, first: str = "", end: str = "\r\n") -> str:
    rows = [("slack_user_id", "genesys_user_id", "team_id"), ("U0ANA", ANA, ""), ("U0BEN", BEN, "T0TWO")]
    return first + end.join(separator.join(row) for row in rows) + end


@pytest.mark.parametrize(
    "text",
    [
        f"{HEADER},team_id,\nU0ANA,{ANA},,\nU0BEN,{BEN},T0TWO,\n",
        f"{HEADER},team_id,,,\nU0ANA,{ANA},,,,\nU0BEN,{BEN},T0TWO,,,\n",
        f"{HEADER},team_id\nU0ANA,{ANA},\n,\n,,\n , ,\nU0BEN,{BEN},T0TWO\n,,,,\n",
        f',,\n"",""\n{HEADER},team_id\nU0ANA,{ANA}\nU0BEN,{BEN},T0TWO\n',
        f"Slack_User_ID,GENESYS_USER_ID,Team_Id\nU0ANA,{ANA},\nU0BEN,{BEN},T0TWO\n",
        with_separator(";"),
        with_separator("\t"),
        with_separator("|"),
        with_separator(";", end="\r"),
        with_separator(",", "sep=,\r\n"),
        with_separator(";", "sep=;\r\n"),
        with_separator(";", "\ufeffSEP=;\r\n"),
        with_separator(";", '"sep=;"\r\n'),
        with_separator(";", "sep=;;;\r\n"),
        with_separator("\t", "sep=\t\r\n"),
        with_separator(";", "sep=;\r", end="\r"),
        with_separator(";", "sep=,\r\n"),
    ],
    ids=lambda text: repr(text[:40]),
)
def test_spreadsheets_leftovers_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    assert imported(tmp_path, monkeypatch, text.encode())[:2] == (0, "2 links imported.\n")
    assert typed(tmp_path, "list")[1].splitlines() == LISTED


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", ["line 1: ", HEADER, "the file is empty"]),
        (b"\r\n,,\r\n", ["line 1: ", HEADER, "the file is empty"]),
        (b"sep=;\r\n", ["line 2: ", "the file is empty"]),
        (b"Name,Genesys\n", ["line 1: ", HEADER, "not 'Name,Genesys'"]),
        (b"Name;Genesys\n", ["line 1: ", HEADER, "not 'Name;Genesys'"]),
        (b"\n\nslack_user_id\n", ["line 3: ", "not 'slack_user_id'"]),
        (b"genesys_user_id,slack_user_id\n", ["'genesys_user_id,slack_user_id'", "another order"]),
        (b"team_id;slack_user_id;genesys_user_id\n", ["line 1: ", "another order"]),
        (
            b"sep=;\r\ngenesys_user_id;slack_user_id\r\n",
            ["line 2: ", "'genesys_user_id;slack_user_id'", "another order"],
        ),
        (f"U0ANA,{ANA}\n".encode(), ["line 1: ", "'U0ANA,", "the header is missing"]),
        (f"sep=;\r\nslack_user_id;genesys_user_id\r\nana;{ANA}\r\n".encode(), ["line 3: 'ana' is no Slack user id"]),
        (f"{HEADER}\n,,\nU0ANA,{ANA},T0TWO\n".encode(), ["line 3: too many columns"]),
        (f"{HEADER}\nU0ANA,2.30E+35\n".encode(), ["line 2: '2.30E+35'", "made a number of it", "as text"]),
        (f"{HEADER}\n1,2E+05,{ANA}\n".encode(), ["line 2: too many columns"]),
        (f"{HEADER}\nU0ANA,#N/A\n".encode(), ["line 2: '#N/A'", "a formula"]),
    ],
    ids=lambda value: repr(value[:40]) if isinstance(value, bytes) else "",
)
def test_unclear_file_is_refused_and_the_place_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: bytes, told: list[str]
) -> None:
    code, out, errors = imported(tmp_path, monkeypatch, data)
    assert (code, out) == (1, "")
    assert errors.startswith("Nothing was imported:\n")
    assert [part for part in told if part not in errors] == []
    assert typed(tmp_path, "list")[1] == ""


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (f"{HEADER}\nU0ANA,{ANA}\n".encode("utf-16"), "the file is UTF-16 text, not UTF-8. "),
        (f"{HEADER}\nU0ANA,{ANA}\nU0BEN,Zoë\n".encode("cp1252"), "the file is not UTF-8 text (line 3). "),
        (b"PK\x03\x04\x14\x00\x06\x00", "the file is a workbook, not CSV. "),
    ],
)
def test_another_encoding_is_named_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: bytes, told: str
) -> None:
    code, out, errors = imported(tmp_path, monkeypatch, data)
    assert (code, out) == (1, "")
    assert errors == f"hosts.csv cannot be read: {told}Save it as “CSV UTF-8” in the spreadsheet\n"


def test_check_names_the_encoding_and_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "hosts.csv").write_bytes(f"{HEADER}\nU0BEN,Zoë\n".encode("cp1252"))
    environ = SOCKET | {"COBROWSE_HOSTS_FILE": str(tmp_path / "hosts.csv")}
    (found,) = (one for one in configuration.read_setup(environ, tmp_path / ".env").results if one.name == "hosts file")
    assert found.message == "COBROWSE_HOSTS_FILE: the file is not UTF-8 text (line 2)."
    assert found.fix == "Save it as “CSV UTF-8” in the spreadsheet. Example: COBROWSE_HOSTS_FILE=hosts.csv"


@pytest.mark.parametrize("arguments", [("", ""), (" ", ANA)])
def test_an_empty_link_is_refused(tmp_path: Path, arguments: tuple[str, str]) -> None:
    code, out, errors = typed(tmp_path, "set", *arguments)
    assert (code, out) == (1, "")
    assert "'' is no Slack user id" in errors
