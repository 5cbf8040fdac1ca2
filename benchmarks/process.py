"""A server under test as a process of its own, pinned to one core: started, read through /proc, killed."""

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
    """The driver's core and the servers'; the same one where there is no second. Asked before anybody is pinned."""
    there = sorted(os.sched_getaffinity(0))
    return there[0], there[-1]


class Server:
    """One process. What it prints goes into a file in its directory."""

    def __init__(self, command: Sequence[str], environ: Mapping[str, str], directory: Path, core: int) -> None:
        self.log = directory / f"{time.monotonic_ns()}.log"
        with _pinned(core), self.log.open("wb") as log:
            self.started_at = time.monotonic()
            self._process = subprocess.Popen(
                command, env=dict(environ), cwd=directory, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        self.pid = self._process.pid

    def cpu_seconds(self) -> float:
        """User and system time of all its threads so far."""
        return _cpu_seconds(self.pid)

    def rss_mb(self) -> float:
        """Resident memory in MB of a million bytes."""
        for line in Path(f"/proc/{self.pid}/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024 / 1e6
        raise ProcessEndedError(self)

    def check(self) -> None:
        """Raises ProcessEndedError when it is no longer there."""
        if self._process.poll() is not None:
            raise ProcessEndedError(self)

    def kill(self) -> None:
        """Nothing is measured of how it ends."""
        self._process.kill()
        self._process.wait()


class ProcessEndedError(Exception):
    """A server ended by itself; its text is the last of what it printed."""

    def __init__(self, server: Server) -> None:
        super().__init__(server.log.read_text(encoding="utf-8", errors="replace")[-2000:])


def own_cpu_seconds() -> float:
    """As Server.cpu_seconds, of this process: driver and upstream."""
    return _cpu_seconds(os.getpid())


def busy_seconds(core: int) -> float:
    """For how long a core has worked so far, for whomever, or was taken away by the machine's host."""
    for line in Path("/proc/stat").read_text(encoding="ascii").splitlines():
        name, *ticks = line.split()
        if name == f"cpu{core}":
            user, nice, system, _idle, _iowait, irq, softirq, steal, *_ = map(int, ticks)
            return (user + nice + system + irq + softirq + steal) / TICKS
    return 0.0


def free_port() -> int:
    """A port nobody listens on, below those that the system gives to whoever asks for any."""
    while True:
        port = random.randrange(15_000, 30_000)
        with socket.socket() as bound, contextlib.suppress(OSError):
            bound.bind(("127.0.0.1", port))
            return port


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


@contextlib.contextmanager
def _pinned(core: int) -> Iterator[None]:
    """A child inherits this from its first instruction on, and so do its threads."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
