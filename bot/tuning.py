"""Tune Python's garbage collector for speed. docs/develop/decisions/0001-garbage-collector.md has the measurements."""

import gc

GC_THRESHOLD = 50_000
"""How many new objects start a collection. A command leaves almost no reference cycles."""


def pause_collector() -> None:
    """Disable the garbage collector until `freeze_loaded`, since the modules that load meanwhile stay in memory."""
    gc.disable()


def freeze_loaded() -> None:
    """Exclude all existing objects from garbage collection, and enable the collector for later objects."""
    gc.freeze()
    gc.set_threshold(GC_THRESHOLD)
    gc.enable()
