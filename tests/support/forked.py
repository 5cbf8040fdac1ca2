"""Start `python -m bot …` as a fork of a process that has imported the bot. This saves a CPU second for each start.

The process is real: it has its own event loop, files and signals, and `kill -9` ends it. Only the imports are shared.
Each command also has a test that starts a new interpreter (`interpreter=True` in app.py).
"""

import asyncio
import multiprocessing
import os
import runpy
import signal
import sys
from collections.abc import Sequence
from functools import cache
from io import TextIOWrapper
from pathlib import Path
from tempfile import mkstemp
from types import ModuleType
from typing import Any

import pytest

ROOT = str(Path(__file__).parents[2])
PRELOADED = (
    "bot.app",
    "bot.check",
    "bot.cli.commands",
    "bot.cli.health",
    "bot.sandbox.run",
    "bot.observability.logging",
    "bot.server",
    "bot.config.settings",
    "asyncpg",
    "uvloop",
    "tests.support.forked",
    "tests.support.preloaded",
)


class Forked:
    """A started process, with the part of `asyncio.subprocess.Process` that tests use."""

    def __init__(self, process: Any, files: Sequence[Path]) -> None:
        self._files = files
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

    def errors(self) -> str:
        """Return what the process has written to standard error so far."""
        return self._files[1].read_text(encoding="utf-8")

    async def communicate(self) -> tuple[bytes, bytes]:
        """Wait until the process has ended. Return its standard output and standard error, and remove their files."""
        await self.wait()
        out, err = (file.read_bytes() if file.exists() else b"" for file in self._files)
        for file in self._files:
            file.unlink(missing_ok=True)
        return out, err

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


async def forked(
    program: Sequence[str], *, directory: Path, environ: dict[str, str], log: Path | None = None, terminal: str = ""
) -> Forked:
    """Start `-m bot …` or a script in a directory, with exactly this environment.

    The output goes to the file `log`. Without it, standard output and standard error go to temporary files, which
    `communicate` reads. With `terminal`, the path of a pseudo-terminal, the process has no files: it runs there.
    """
    files = [log, log] if log else [] if terminal else [_temporary_file(), _temporary_file()]
    arguments = (list(program), str(directory), environ, [str(file) for file in files], terminal)
    return Forked(await asyncio.to_thread(_started, arguments), files)


def _temporary_file() -> Path:
    number, name = mkstemp(prefix="cobrowse-bot-")
    os.close(number)
    return Path(name)


def _started(arguments: tuple[Any, ...]) -> Any:
    process = _context().Process(target=_run, args=arguments, daemon=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "__main__", ModuleType("__main__"))  # else each process imports pytest's
        process.start()
    return process


@cache
def _context() -> Any:
    """Return the context of the fork server.

    The server starts with the first process. Its directory and path make the bot and this file importable.
    """
    from multiprocessing import forkserver

    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(PRELOADED))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", ROOT)
        forkserver.ensure_running()
    return context


def _run(program: list[str], directory: str, environ: dict[str, str], files: list[str], terminal: str) -> None:
    """Run the program in this process, as `python …` does."""
    os.chdir(directory)
    os.environ.clear()
    os.environ.update(environ)
    for number, file in enumerate(files, 1):
        os.dup2(os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), number)
    if terminal:
        _use_terminal(terminal)
    _apply_environment()
    if program[0] == "-m":
        sys.argv = program[1:]
        runpy.run_module(program[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = list(program)
        runpy.run_path(program[0], run_name="__main__")


def _use_terminal(path: str) -> None:
    """Make this process the leader of a session on a terminal, with the terminal as its standard streams."""
    os.setsid()
    opened = os.open(path, os.O_RDWR)  # the first terminal that a leader opens controls the session
    streams = []
    for number, mode in enumerate("rww"):
        os.dup2(opened, number)
        streams.append(open(number, mode, closefd=False, encoding="utf-8"))  # noqa: SIM115 - open until the end
    sys.stdin, sys.stdout, sys.stderr = streams


def _apply_environment() -> None:
    """Repeat what the interpreter and aiohttp do with the environment when they start."""
    encoding, _, errors = os.environ.get("PYTHONIOENCODING", "").partition(":")
    if encoding and isinstance(sys.stdout, TextIOWrapper) and isinstance(sys.stderr, TextIOWrapper):
        sys.stdout.reconfigure(encoding=encoding, errors=errors or "strict")
        sys.stderr.reconfigure(encoding=encoding)
    if {"SSL_CERT_FILE", "SSL_CERT_DIR"} & os.environ.keys():
        from aiohttp import connector

        connector._SSL_CONTEXT_VERIFIED = connector._make_ssl_context(True)
