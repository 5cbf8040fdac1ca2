"""Compute the figures of a measured window, and medians and ratios over many windows (pure)."""

from collections.abc import Iterable, Mapping, Sequence
from math import ceil
from statistics import median
from typing import Any

from benchmarks.load import ACK_SECONDS, Window

Figures = dict[str, Any]
EXACT = ("lost", "late", "refused")
"""Figures of which the worst round counts instead of the median."""


def of_window(window: Window) -> Figures:
    """Return latencies in ms; CPU in ms, calls and connections per command; and `others_percent`.

    This is the share of time in which the servers' core was busy with other processes.
    """
    commands, before, after = window.commands, window.before, window.after
    acks = sorted((one.acked - one.due) * 1000 for one in commands if one.acked and not one.refused)
    ends = sorted((one.answered - one.due) * 1000 for one in commands if one.answered)
    connections = after.connections - before.connections
    seconds, answered = after.at - before.at, max(after.answers - before.answers, 1)
    cpu_seconds, driver_seconds = after.cpu_seconds - before.cpu_seconds, after.driver_seconds - before.driver_seconds
    figures: Figures = {
        "commands": len(commands),
        "lost": sum(one.answered is None for one in commands),
        "refused": sum(one.refused for one in commands),
        "late": sum(one.acked is None or one.acked - one.due > ACK_SECONDS for one in commands),
        "delivered_per_s": (after.answers - before.answers) / seconds,
        "cpu_ms": cpu_seconds * 1000 / answered,
        "core_percent": cpu_seconds * 100 / seconds,
        "others_percent": max(after.core_seconds - before.core_seconds - cpu_seconds, 0.0) * 100 / seconds,
        "driver_core_percent": driver_seconds * 100 / seconds,
    }
    figures |= {f"ack_{name}_ms": at(acks, share) for name, share in SHARES.items()}
    figures |= {f"end_{name}_ms": at(ends, share) for name, share in SHARES.items()}
    figures["calls"] = {name: round(count / window.sent, 4) for name, count in sorted(window.calls.items())}
    figures["connections"] = {name: round(count / answered, 4) for name, count in sorted(connections.items())}
    return figures


SHARES = {"p50": 0.5, "p99": 0.99, "max": 1.0}


def at(values: Sequence[float], share: float) -> float | None:
    """Return the nearest-rank percentile of sorted values, None if there are none. `share` is 0 to 1."""
    return values[max(0, ceil(len(values) * share) - 1)] if values else None


def summary(rounds: Iterable[Figures]) -> Figures:
    """Return medians over the rounds; for EXACT figures, which have to be 0, the worst value."""
    each = list(rounds)
    return {name: _together(name, [one[name] for one in each]) for name in each[0]}


def _together(name: str, values: list[Any]) -> Any:
    if isinstance(values[0], Mapping):
        names = sorted({key for value in values for key in value})
        return {key: median(value.get(key, 0.0) for value in values) for key in names}
    there = [value for value in values if value is not None]
    if not there:
        return None
    if isinstance(there[0], str):
        return there[0]
    if name in EXACT or name.endswith("_max_ms"):
        return max(there)
    return median(there)


def ratio(mine: Sequence[Figures], others: Sequence[Figures], name: str = "cpu_ms") -> tuple[float, float, float]:
    """Return median, minimum and maximum of `mine` divided by `others`, round by round."""
    ratios = [one[name] / other[name] for one, other in zip(mine, others, strict=True) if other[name]]
    return (median(ratios), min(ratios), max(ratios)) if ratios else (0.0, 0.0, 0.0)
