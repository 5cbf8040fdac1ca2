"""Run a command under a pseudo-terminal, and type an answer when it asks."""

import asyncio
import contextlib
import os
import pty
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.support.app import ROOT, BotProcess
from tests.support.forked import forked

SECONDS = 30.0


async def converse(
    directory: Path,
    environ: dict[str, str],
    arguments: Sequence[str],
    answers: Sequence[tuple[str, str]],
    *,
    interpreter: bool = False,
) -> tuple[int | None, str]:
    """Run `python -m bot`; when the screen ends with a prompt, type its answer. Return exit code and screen.

    `answers`: pairs of a part of the prompt and what to type, in order. `interpreter`: start a new interpreter.
    """
    mine, its = pty.openpty()
    given = {"PATH": os.environ["PATH"], "PYTHONPATH": ROOT, "TERM": "dumb", **environ}
    program = ["-m", "bot", *arguments]
    process: BotProcess
    if interpreter:
        process = await asyncio.create_subprocess_exec(
            sys.executable, *program,
            cwd=directory, env=given, stdin=its, stdout=its, stderr=its, start_new_session=True,
        )  # fmt: skip
    else:
        process = await forked(program, directory=directory, environ=given, terminal=os.ttyname(its))
    screen = bytearray()
    loop = asyncio.get_running_loop()
    changed = asyncio.Event()

    def read() -> None:
        try:
            screen.extend(os.read(mine, 4096))
        except OSError:  # the terminal is closed
            loop.remove_reader(mine)
        changed.set()

    loop.add_reader(mine, read)
    seen = 0
    try:
        async with asyncio.timeout(SECONDS):
            for prompt, typed in answers:
                while (found := screen.decode(errors="replace").find(prompt, seen)) < 0 or not screen.endswith(b": "):
                    if process.returncode is not None:
                        raise AssertionError(f"It ended before {prompt!r}:\n{screen.decode(errors='replace')}")
                    changed.clear()
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(changed.wait(), 0.5)
                seen = found + len(prompt)
                screen.extend(b"\n")  # so that the same prompt is not answered twice
                os.write(mine, f"{typed}\n".encode())
            code = await process.wait()
            await asyncio.sleep(0.05)
    except TimeoutError:
        raise AssertionError(f"It waits for something else:\n{screen.decode(errors='replace')}") from None
    finally:
        loop.remove_reader(mine)
        os.close(mine)
        os.close(its)
        with contextlib.suppress(ProcessLookupError):
            process.kill()
    return code, screen.decode(errors="replace").replace("\r\n", "\n")
