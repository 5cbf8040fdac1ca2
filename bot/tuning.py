"""Tune Python's garbage collector for speed; see docs/develop/decisions/0001-garbage-collector.md."""

import gc

GC_THRESHOLD = 50_000
"""The number of new objects after which the collector runs. This number is high, because a command leaves almost no
cycles of objects to free."""


def pause_collector() -> None:
    """Disable the garbage collector until `freeze_loaded` is called.

    Loading modules creates many objects that stay, so a collection would find almost nothing to free.
    """
    gc.disable()


def freeze_loaded() -> None:
    """Exclude all existing objects from garbage collection, and enable the collector for new objects."""
    gc.freeze()
    gc.set_threshold(GC_THRESHOLD)
    gc.enable()
