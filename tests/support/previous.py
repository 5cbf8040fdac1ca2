"""The bot of the version before, from its wheel in tests/resilience/previous, as a process."""

import asyncio
import hashlib
import os
import re
import sys
import zipfile
from asyncio.subprocess import PIPE, Process
from pathlib import Path

from tests.support.app import ROOT

FOLDER = Path(ROOT) / "tests" / "resilience" / "previous"
(WHEEL,) = FOLDER.glob("*.whl")
ABOUT = (FOLDER / "README.md").read_text(encoding="utf-8")
COMMIT = re.findall(r"^\| Built from \| commit `([0-9a-f]{40})`", ABOUT, re.MULTILINE)[0]


def sha256() -> str:
    """Return the hash of the wheel."""
    return hashlib.sha256(WHEEL.read_bytes()).hexdigest()


def files() -> dict[str, bytes]:
    """Return the files of the package in the wheel, by path."""
    with zipfile.ZipFile(WHEEL) as wheel:
        return {name: wheel.read(name) for name in wheel.namelist() if name.startswith("bot/")}


def schema() -> tuple[int, bool]:
    """Return the schema of the version before, and whether it knows the rule by which it may use a newer one."""
    with zipfile.ZipFile(WHEEL) as wheel:
        text = wheel.read("bot/storage/schema.py").decode()
    return int(re.findall(r"^VERSION = (\d+)$", text, re.MULTILINE)[0]), "usable_from" in text


def unpack(folder: Path) -> None:
    """Unpack the wheel. The first bot that starts from it compiles it for all others."""
    with zipfile.ZipFile(WHEEL) as wheel:
        wheel.extractall(folder)


class PreviousBot:
    """The version before. It runs in a directory, from the unpacked wheel in the folder `packages`."""

    def __init__(self, directory: Path, packages: Path) -> None:
        self._directory, self._packages = directory, packages

    async def start(self, environ: dict[str, str], *arguments: str) -> Process:
        """Start `python -m bot run`, or with other arguments, with no other environment."""
        given = {"PATH": os.environ["PATH"], "PYTHONPATH": str(self._packages), **environ}
        program = ("-P", "-m", "bot", *(arguments or ("run",)))
        return await asyncio.create_subprocess_exec(
            sys.executable, *program, cwd=self._directory, env=given, stdout=PIPE, stderr=PIPE, limit=2**24
        )  # the log of a whole test has room in the buffer

    async def place(self) -> str:
        """Return the folder from which such a process imports the bot."""
        given = {"PATH": os.environ["PATH"], "PYTHONPATH": str(self._packages)}
        program = ("-P", "-c", "import bot; print(bot.__path__[0])")
        process = await asyncio.create_subprocess_exec(sys.executable, *program, env=given, stdout=PIPE)
        out, _ = await process.communicate()
        return out.decode().strip()
