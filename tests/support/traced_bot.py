"""Run the bot, and record which of its modules run between the signals SIGUSR1 and SIGUSR2.

Usage: python -m tests.support.traced_bot FILE. Each trace is a line of FILE: the names of the modules, separated by
spaces.
"""

import runpy
import signal
import sys
import threading
from pathlib import Path
from types import FrameType
from typing import Any

BOT = Path(__file__).parents[2] / "bot"


class Trace:
    """Records the files of all functions that are called while it runs."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._files: set[str] = set()
        self._is_on = False

    def profile(self, frame: FrameType, event: str, _: Any) -> None:
        """Record a call; for sys.setprofile."""
        if self._is_on and event == "call":
            self._files.add(frame.f_code.co_filename)

    def start(self, *_: Any) -> None:
        """Forget the last trace and record."""
        self._files.clear()
        self._is_on = True

    def stop(self, *_: Any) -> None:
        """Append the recorded modules of `bot` to the file."""
        self._is_on = False
        files = [Path(name) for name in self._files if name.startswith(f"{BOT}/")]
        modules = sorted(".".join(file.relative_to(BOT.parent).with_suffix("").parts) for file in files)
        with self._path.open("a", encoding="utf-8") as lines:
            lines.write(" ".join(modules) + "\n")


def main() -> None:
    """Install the trace in all threads, and run the bot."""
    trace = Trace(Path(sys.argv[1]))
    signal.signal(signal.SIGUSR1, trace.start)
    signal.signal(signal.SIGUSR2, trace.stop)
    sys.argv = ["cobrowse-bot", "run"]
    threading.setprofile(trace.profile)
    sys.setprofile(trace.profile)
    runpy.run_module("bot", run_name="__main__")


if __name__ == "__main__":
    main()
