"""A bot as a process that is forked from a server with the bot's modules imported, which saves a CPU second a start.

The process is real: it has an event loop, files and signals of its own, and `kill -9` ends it. Only the imports are
shared. Tests of the start itself execute `python -m bot run` (see `start` in journey.py).
"""

import asyncio
import multiprocessing
import os
import runpy
import signal
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = str(Path(__file__).parents[2])
PRELOADED = (
    "bot.app",
    "bot.cli.commands",
    "bot.observability.logging",
    "bot.server",
    "bot.config.settings",
    "asyncpg",
    "uvloop",
    "tests.support.forked",
)


class Forked:
    """A process that has started, with what these tests use of `asyncio.subprocess.Process`."""

    def __init__(self, process: Any) -> None:
        self.returncode: int | None = None
        self.pid: int = process.pid
        self._process, self._ended = process, asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(process.sentinel, self._end)

    def _end(self) -> None:
        self._loop.remove_reader(self._process.sentinel)
        self._process.join()
        self.returncode = self._process.exitcode
        self._process.close()
        self._ended.set()

    async def wait(self) -> int | None:
        """Wait until the process has ended; return its exit code, or the negative number of the signal."""
        await self._ended.wait()
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send a signal, unless the process has ended."""
        if self.returncode is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """Send SIGKILL."""
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        """Send SIGTERM."""
        self.send_signal(signal.SIGTERM)


async def forked(program: Sequence[str], *, directory: Path, environ: dict[str, str], log: Path) -> Forked:
    """Start `-m bot …` or a script in the directory with this environment alone; output and errors go to the log."""
    how = (list(program), str(directory), environ, str(log))
    return Forked(await asyncio.to_thread(_started, how))


def _started(how: tuple[Any, ...]) -> Any:
    process = _context().Process(target=_run, args=how, daemon=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "__main__", ModuleType("__main__"))  # else each process imports pytest's
        process.start()
    return process


@cache
def _context() -> Any:
    """The server starts with the first process, in the folder and with the path that find the bot and this file."""
    from multiprocessing import forkserver

    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(PRELOADED))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", ROOT)
        forkserver.ensure_running()
    return context


def _run(program: list[str], directory: str, environ: dict[str, str], log: str) -> None:
    """Become the program, as `python …` does."""
    os.chdir(directory)
    os.environ.clear()
    os.environ.update(environ)
    written = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    for number in (1, 2):
        os.dup2(written, number)
    if program[0] == "-m":
        sys.argv = program[1:]
        runpy.run_module(program[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = list(program)
        runpy.run_path(program[0], run_name="__main__")
