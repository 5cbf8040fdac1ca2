"""Settings of the interpreter that exist only for speed.

docs/develop/decisions/0001-garbage-collector.md says what they buy.
"""

import gc

COLLECT_AFTER = 50_000
"""Objects that may be made before the garbage collector looks for cycles; a command leaves hardly any."""


def pause_collector() -> None:
    """Collect nothing until `spare_loaded`: what loads now stays."""
    gc.disable()


def spare_loaded() -> None:
    """Exempt all that is loaded from collection, and collect the rest from now on."""
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER)
    gc.enable()
