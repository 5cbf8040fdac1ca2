"""Tune the process: the garbage collector, for speed, and the limit for open files.

docs/develop/decisions/0001-garbage-collector.md says why the collector is tuned.
"""

import gc
import sys

GC_THRESHOLD = 50_000
"""The number of new objects after which the garbage collector runs. The number is high, because a command leaves almost
no cycles of objects to free."""


def pause_collector() -> None:
    """Disable the garbage collector until `freeze_loaded` is called.

    While modules load, a collection would find almost nothing to free.
    """
    gc.disable()


def freeze_loaded() -> None:
    """Exclude all existing objects from garbage collection, and enable the garbage collector for new objects."""
    gc.freeze()
    gc.set_threshold(GC_THRESHOLD)
    gc.enable()


def allow_open_files(count: int) -> None:
    """Let the process open this many files and connections, or as many as the system allows it to allow itself.

    Many systems set a limit of 1024 that each process may raise: https://0pointer.net/blog/file-descriptor-limits.html
    """
    if sys.platform == "win32":
        return
    import resource  # noqa: PLC0415 - not on Windows

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = count if hard == resource.RLIM_INFINITY else min(count, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
