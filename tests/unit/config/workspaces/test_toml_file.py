"""A file of workspaces that cannot be used as a whole is refused with one sentence that names the line."""

from pathlib import Path

import pytest

from bot.config.workspaces.toml_file import WorkspacesFileError, read_tables
from tests.support.workspaces import ACME


def refused(path: Path) -> tuple[str, str]:
    """Return the sentence and the code with which the file is refused."""
    with pytest.raises(WorkspacesFileError) as caught:
        read_tables(str(path))
    (fault,) = caught.value.faults
    assert fault.startswith(f"{path}: ")
    assert "hush" not in fault
    return fault.removeprefix(f"{path}: "), caught.value.code


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "has no table. Begin one"),
        ("# nothing\n", "has no table."),
        (f"{ACME}slack_app_token = xoxb-hush\n", "line 7 is no TOML (column 19)."),
        (f"{ACME}slack_app_token\n", "line 7 is no TOML"),
        (f'{ACME}slack_app_token = "hush', "the file ends in the middle of a value."),
        (f"{ACME}{ACME}", "line 7 begins a table that the file has already."),
        (f'{ACME}genesys_region = "hush"\n', "line 7 sets a key that its table has already."),
        ('genesys_region = "us-west-2"\n', "line 1: genesys_region stands in no table."),
        (f'\nslack_bot_token = "xoxb-hush"\n{ACME}', "line 2: slack_bot_token stands in no table."),
        ("[[acme]]\n", "line 1: [[acme]] is a list of tables. Write [acme], once"),
        (f"{ACME}\n[Globex Corp.]\n", "line 8 is no TOML"),
        (f'{ACME}\n["Globex Corp."]\n', "line 8: [Globex Corp.] is no short name of a workspace: "),
        (f"{ACME}\n[ACME]\n", "line 8: [ACME] is no short name"),
        ("[a_b]\n", "line 1: [a_b] is no short name"),
        (f"[{'a' * 32}]\n", "line 1: ["),
        ("[-a]\n", "line 1: [-a] is no short name"),
        ("['']\n", "line 1: [] is no short name"),
        ("[Acme.slack]\nx = 1\n", "line 1: [Acme] is no short name"),
    ],
)
def test_unusable_file_is_refused_with_the_line(text: str, told: str, tmp_path: Path) -> None:
    path = tmp_path / "workspaces.toml"
    path.write_text(text, encoding="utf-8")
    sentence, code = refused(path)
    assert sentence.startswith(told)
    assert code == "settings_invalid"


@pytest.mark.parametrize(
    ("name", "better"), [("Globex Corp.", "[globex-corp]"), ("ACME", "[acme]"), ("💡", "[acme]"), ("a" * 40, "[aaaa")]
)
def test_wrong_name_is_told_with_a_better_one(name: str, better: str, tmp_path: Path) -> None:
    path = tmp_path / "workspaces.toml"
    path.write_text(f'["{name}"]\n', encoding="utf-8")
    assert f"Write {better}" in refused(path)[0]


def test_missing_or_unreadable_file_has_a_code(tmp_path: Path) -> None:
    path = tmp_path / "workspaces.toml"
    assert refused(path) == ("the file is missing. Make it, or correct COBROWSE_WORKSPACES.", "file_missing")
    path.write_bytes("[acme]\n".encode("utf-16"))
    assert refused(path) == ("the file is not UTF-8 text. It is UTF-16. Save it as UTF-8.", "file_unreadable")
    path.write_bytes(b"[\xff]\n")
    assert refused(path) == ("the file is not UTF-8 text. Save it as UTF-8.", "file_unreadable")
    assert refused(tmp_path) == ("the file cannot be read (Is a directory).", "file_unreadable")
    assert refused(Path("~nobody-has-this-name/x.toml"))[1] == "file_unreadable"


def test_file_of_a_windows_editor_is_read(tmp_path: Path) -> None:
    path = tmp_path / "workspaces.toml"
    path.write_bytes(f"\ufeff{ACME}".replace("\n", "\r\n").encode())
    assert list(read_tables(str(path))) == ["acme"]


@pytest.mark.parametrize("name", ["a", "7", "acme-2", "a" * 31])
def test_short_names_stay_in_the_order_of_the_file(name: str, tmp_path: Path) -> None:
    path = tmp_path / "workspaces.toml"
    path.write_text(f"[zeta]\n[{name}]\n", encoding="utf-8")
    assert list(read_tables(str(path))) == ["zeta", name]
