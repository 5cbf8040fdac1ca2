"""Start a measured server as a process pinned to one core, read its use from /proc, and kill it."""

import contextlib
import os
import random
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


@cache
def cores() -> tuple[int, int]:
    """Return the driver's core and the servers' core.

    They are the same if the machine has only one. Call this before pinning a process.
    """
    there = sorted(os.sched_getaffinity(0))
    return there[0], there[-1]


class Server:
    """A process that is measured. Its output goes to a file in its directory."""

    def __init__(self, command: Sequence[str], environ: Mapping[str, str], directory: Path, core: int) -> None:
        self.log = directory / f"{time.monotonic_ns()}.log"
        with _pinned(core), self.log.open("wb") as log:
            self.started_at = time.monotonic()
            self._process = subprocess.Popen(
                command, env=dict(environ), cwd=directory, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        self.pid = self._process.pid

    def cpu_seconds(self) -> float:
        """Return the user and system time of all its threads so far, in seconds."""
        return _cpu_seconds(self.pid)

    def rss_mb(self) -> float:
        """Return its resident memory in MB (1,000,000 bytes)."""
        return self._memory_mb("status", "VmRSS:")

    def pss_mb(self) -> float:
        """Return its resident memory in MB, with its share of the pages that other processes have, too."""
        return self._memory_mb("smaps_rollup", "Pss:")

    def _memory_mb(self, file: str, start: str) -> float:
        for line in Path(f"/proc/{self.pid}/{file}").read_text(encoding="ascii").splitlines():
            if line.startswith(start):
                return int(line.split()[1]) * 1024 / 1e6
        raise ProcessEndedError(self)

    def check(self) -> None:
        """Check that the process runs. Raises ProcessEndedError if it does not."""
        if self._process.poll() is not None:
            raise ProcessEndedError(self)

    def kill(self) -> None:
        """Kill the process; its shutdown is not measured."""
        self._process.kill()
        self._process.wait()


class ProcessEndedError(Exception):
    """A server ended by itself. The text holds the end of its output."""

    def __init__(self, server: Server) -> None:
        super().__init__(server.log.read_text(encoding="utf-8", errors="replace")[-2000:])


def own_cpu_seconds() -> float:
    """Return the CPU time of this process, driver and upstream, in seconds."""
    return _cpu_seconds(os.getpid())


def busy_seconds(core: int) -> float:
    """Return how many seconds a core was busy so far, for any process or for the host of a virtual machine."""
    for line in Path("/proc/stat").read_text(encoding="ascii").splitlines():
        name, *ticks = line.split()
        if name == f"cpu{core}":
            user, nice, system, _idle, _iowait, irq, softirq, steal, *_ = map(int, ticks)
            return (user + nice + system + irq + softirq + steal) / TICKS
    return 0.0


def free_port() -> int:
    """Return a free port below the range from which the system picks ephemeral ports."""
    while True:
        port = random.randrange(15_000, 30_000)
        with socket.socket() as bound, contextlib.suppress(OSError):
            bound.bind(("127.0.0.1", port))
            return port


def _cpu_seconds(pid: int) -> float:
    """Read the clock of a process's CPU time, whose steps are smaller than those of /proc: clock_getcpuclockid(3)."""
    return time.clock_gettime((~pid << 3) | 2)


@contextlib.contextmanager
def _pinned(core: int) -> Iterator[None]:
    """Pin this thread to a core in a `with` block, so that child processes start there, with all their threads."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
