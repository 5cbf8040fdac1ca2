"""Tune the interpreter for speed.

docs/develop/decisions/0001-garbage-collector.md says what they buy.
"""

import gc

GC_THRESHOLD = 50_000
"""New objects after which the garbage collector runs. A command leaves hardly any cycle."""


def pause_collector() -> None:
    """Disable garbage collection until `freeze_loaded`: what loads now stays."""
    gc.disable()


def freeze_loaded() -> None:
    """Exempt all existing objects from garbage collection, and collect later objects."""
    gc.freeze()
    gc.set_threshold(GC_THRESHOLD)
    gc.enable()
