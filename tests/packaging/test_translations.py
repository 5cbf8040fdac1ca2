"""Every way to get the bot compiles the translations: the build of a package, and `make` in a clone."""

import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest

from bot.slack.messages.catalogue.languages import load_languages, translated
from tests.support.app import ROOT
from tests.support.translations import source_of

HOUSE = Path(ROOT)
MAKEFILE = (HOUSE / "Makefile").read_text(encoding="utf-8")
LOCK = (HOUSE / "requirements-build.txt").read_text(encoding="utf-8")
CODES = {"en", *translated()}


def copy_sources(directory: Path) -> Path:
    """Copy the sources of the package, without compiled files. Return the folder of the translations."""
    for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE"):
        shutil.copy(HOUSE / name, directory / name)
    shutil.copytree(HOUSE / "bot", directory / "bot", ignore=shutil.ignore_patterns("__pycache__", "*.mo"))
    locales = directory / "bot" / "locales"
    assert set(load_languages(locales)) == {"en"}
    return locales


@pytest.mark.skipif(int(version("setuptools").partition(".")[0]) < 77, reason="`make test` installs setuptools 77")
def test_the_build_compiles_them(tmp_path: Path) -> None:
    copy_sources(tmp_path)
    assert "recursive-include bot/locales *.po" in (HOUSE / "MANIFEST.in").read_text()  # a source package builds, too
    command = [sys.executable, "setup.py", "-q", "build_py", "--build-lib", "made"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    made = tmp_path / "made" / "bot" / "locales"
    assert set(load_languages(made)) == CODES
    assert list(made.rglob("*.po")) == []


def test_make_compiles_them_in_a_clone(tmp_path: Path) -> None:
    """The test runs the command of the Makefile unchanged."""
    locales = copy_sources(tmp_path)
    (command,) = re.findall(r"^\t@\$\(BIN\)/(pybabel .+)$", MAKEFILE, re.MULTILINE)
    pybabel = Path(sys.executable).with_name("pybabel")
    subprocess.run([pybabel, *shlex.split(command)[1:]], cwd=tmp_path, check=True, capture_output=True)
    assert set(load_languages(locales)) == CODES


def test_make_compiles_them_before_the_bot_runs_or_is_tested() -> None:
    for target in ("sandbox", "test", "test-fast"):
        (needs,) = re.findall(rf"^{target}: (.+)$", MAKEFILE, re.MULTILINE)
        assert ".venv/locales.stamp" in needs.split()
    (needs,) = re.findall(r"^\.venv/locales\.stamp: (.+?) \|", MAKEFILE, re.MULTILINE)
    assert needs.split() == ["$(LOCALES)", "requirements-build.txt"]
    assert source_of("de").match("bot/locales/*/LC_MESSAGES/cobrowse.po")


def test_what_builds_the_package_is_pinned_by_hash() -> None:
    with (HOUSE / "pyproject.toml").open("rb") as file:
        needed = tomllib.load(file)["build-system"]["requires"]
    names = {re.split(r"[<>=]", each)[0] for each in needed}
    assert names == {"setuptools", "babel"}
    assert set(re.findall(r"^(\w+)==", LOCK, re.MULTILINE)) == names
    assert "://" not in LOCK
    (made,) = re.findall(r"printf '%s\\n' (.+?) \|.* -o requirements-build", MAKEFILE)
    assert shlex.split(made) == needed


def test_compiled_files_are_not_in_the_repository() -> None:
    tracked = subprocess.run(["git", "ls-files", "*.mo"], cwd=HOUSE, check=True, capture_output=True, text=True)
    assert tracked.stdout == ""
