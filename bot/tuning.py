"""Tune the process: pause the garbage collector for speed, and raise the limit for open files.

docs/develop/decisions/0001-garbage-collector.md says why the garbage collector is tuned.
"""

import gc
import sys

GC_THRESHOLD = 50_000
"""The number of new objects after which the garbage collector runs. The number is high, because a command leaves almost
no cycles of objects to free."""


def pause_collector() -> None:
    """Disable the garbage collector until `freeze_loaded` is called.

    A collection while modules load costs time, and finds almost nothing to free.
    """
    gc.disable()


def freeze_loaded() -> None:
    """Exclude all existing objects from garbage collection, and enable the garbage collector for later objects."""
    gc.freeze()
    gc.set_threshold(GC_THRESHOLD)
    gc.enable()


def allow_open_files(count: int) -> None:
    """Raise the process's limit for open files and connections to `count`, or as near to it as the system allows.

    Never lower the limit. Do nothing on Windows. Many systems start each process with a limit of 1024, which the
    process may raise: https://0pointer.net/blog/file-descriptor-limits.html
    """
    if sys.platform == "win32":
        return
    import resource  # noqa: PLC0415 - not on Windows

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = count if hard == resource.RLIM_INFINITY else min(count, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
