"""A command that is given a path in a folder of another user says so in a sentence, and does all else."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bot.cli.commands import main
from tests.support.cases import each_case
from tests.support.file_rights import closed, folder_for_all
from tests.support.settings import DEAD

Typed = Callable[..., Result]
WITHOUT = {"SLACK_BOT_TOKEN_FILE": {"SLACK_BOT_TOKEN": ""}, "GENESYS_PRIVATE_KEY_PATH": {"GENESYS_CLIENT_SECRET": ""}}
"""Settings that another setting takes the place of."""


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return the working directory, in which every user may write."""
    with folder_for_all() as made:
        made.chmod(0o777)
        monkeypatch.chdir(made)
        yield made


@pytest.fixture
def folder(work: Path) -> Path:
    """Return a folder with a file. Commands of `typed` may not enter the folder."""
    made = work / "of-another"
    made.mkdir()
    (made / "file").write_text("xoxb-1-2-3")
    return made


@pytest.fixture
def typed(folder: Path) -> Typed:
    """Return a function that runs a command as a user who may not enter `folder`."""

    def run(*words: str, **environ: str) -> Result:
        return CliRunner().invoke(main, words, env=DEAD | environ)

    def run_closed(*words: str, **environ: str) -> Result:
        run(*words, **environ)  # loads the modules, which another user may not be able to read
        with closed(folder):
            return run(*words, **environ)

    return run_closed


FILES = ["SLACK_BOT_TOKEN_FILE", "GENESYS_PRIVATE_KEY_PATH", "COBROWSE_HOSTS_FILE", "SSL_CERT_FILE"]


@each_case("name", FILES)
def test_check_names_a_setting_whose_file_is_out_of_reach(typed: Typed, folder: Path, name: str) -> None:
    result = typed("check", "--json", **WITHOUT.get(name, {}), **{name: str(folder / "file")})
    assert (result.exit_code, type(result.exception)) == (1, SystemExit)
    found = json.loads(result.stdout)["findings"]
    wrong = [each["what"] for each in found if each["mark"] == "wrong" and each["what"].startswith(f"{name}: ")]
    assert ["cannot be read (Permission denied)" in what for what in wrong] == [True]
    assert len({each["name"] for each in found}) > 2  # it goes on


def test_check_names_an_audit_log_that_is_out_of_reach(typed: Typed, folder: Path) -> None:
    result = typed("check", "--json", AUDIT_LOG=str(folder / "audit.log"))
    (found,) = (each for each in json.loads(result.stdout)["findings"] if each["name"] == "audit log")
    assert (found["mark"], found["what"]) == ("wrong", f"AUDIT_LOG: {folder}/audit.log cannot be written.")


def test_run_names_a_folder_of_certificates_out_of_reach(typed: Typed, folder: Path) -> None:
    (folder / "certificates").mkdir()
    result = typed("run", SSL_CERT_DIR=str(folder / "certificates"), COBROWSE_LANGUAGE="xx")
    assert result.exit_code == 1
    assert "SSL_CERT_DIR: names a folder that is not there, or that the bot may not see." in result.stderr
    assert "COBROWSE_LANGUAGE" in result.stderr  # all faults are told at once


def test_backups_out_of_reach_are_refused_in_a_sentence(typed: Typed, folder: Path, work: Path) -> None:
    outside = work / "bot.db"
    outside.touch()
    outside.chmod(0o666)
    result = typed("db", "backup", str(folder / "new.db"), DATABASE_URL=f"sqlite:///{outside}")
    assert result.stderr == f"The file {folder}/new.db.part cannot be written: Permission denied.\n"
    unread = "This user may not read the file {}. Run the command as its owner, or as root.\n"
    result = typed("db", "backup", "new.db", DATABASE_URL=f"sqlite:///{folder}/file")
    assert result.stderr == unread.format(folder / "file")
    outside.chmod(0o600)
    for backup in (folder / "file", outside):
        result = typed("db", "restore", str(backup), DATABASE_URL="sqlite:///new.db")
        assert result.stderr == unread.format(backup)


def test_answers_out_of_reach_are_told(typed: Typed, folder: Path) -> None:
    result = typed("init", "--answers", str(folder / "file"))
    assert f"{folder}/file: the file may not be read by this user." in result.stderr
