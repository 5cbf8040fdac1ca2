"""Format results as Markdown tables of medians and ratios, as docs/develop/performance.md shows them (pure)."""

from collections.abc import Iterable, Sequence
from statistics import median
from typing import Any

from benchmarks.figures import Figures, ratio, summary
from benchmarks.peers import BOT, FLOOR, PEERS
from benchmarks.replicas import TRIALS
from benchmarks.startup import IMPORT
from benchmarks.tracing import OFF

COLUMNS = {
    "ack_p50_ms": "ack p50 ms",
    "ack_p99_ms": "ack p99",
    "ack_max_ms": "ack max",
    "end_p50_ms": "answer p50",
    "end_p99_ms": "answer p99",
    "delivered_per_s": "delivered/s",
    "cpu_ms": "CPU ms/command",
    "late": "late",
    "lost": "lost",
}
SERVERS = ("slack", "response_url", "genesys", "login")
OVERLOADED = 0.01
"""If a peer lost a larger share of its commands, its CPU per command is not shown."""


def report(results: dict[str, Any]) -> str:
    """Return every table for which there are results."""
    loads = results.get("loads") or []
    parts = [_loads(scenario, _of(loads, scenario=scenario)) for scenario in _names(loads, "scenario")]
    if loads:
        parts += [_ratios(loads), _counts([one for one in loads if one["peer"] == BOT.name]), _remarks(loads)]
    if results.get("starts"):
        parts.append(_starts(results["starts"]))
    if results.get("replicas"):
        parts.append(_replicas(results["replicas"]))
    if results.get("tracing"):
        parts.append(_tracing(results["tracing"]))
    if results.get("memory"):
        parts.append(_memory(results["memory"]))
    return "\n\n".join(parts) + "\n"


def _loads(title: str, rounds: Sequence[Figures]) -> str:
    rows = []
    for peer in _names(rounds, "peer"):
        mine, floor = _of(rounds, peer=peer), _of(rounds, peer=FLOOR.name)
        found = summary(mine)
        overloaded = found["lost"] > OVERLOADED * found["commands"]
        cells = {name: _number(found[name]) for name in COLUMNS}
        if overloaded:
            cells["cpu_ms"] = "–"
        times = f"{ratio(mine, floor)[0]:.2f}" if floor and not overloaded else "–"
        rows.append([PEERS[peer].label, *cells.values(), times])
    return table([title, *COLUMNS.values(), "× floor"], rows)


def _ratios(loads: Sequence[Figures]) -> str:
    others = [peer for peer in _names(loads, "peer") if peer != BOT.name]
    rows = []
    for scenario in _names(loads, "scenario"):
        mine = _of(loads, scenario=scenario, peer=BOT.name)
        cells = []
        for other in others if mine else ():
            theirs = _of(loads, scenario=scenario, peer=other)
            if any(one["lost"] > OVERLOADED * one["commands"] for one in theirs):
                cells.append("– (overloaded)")
            else:
                middle, least, most = ratio(mine, theirs)
                cells.append(f"{middle:.2f} ({least:.2f}–{most:.2f})")
        rows.append([scenario, *cells])
    head = [f"× {PEERS[other].label}" for other in others]
    return table(["This bot's CPU a command, median and range of the rounds", *head], rows)


def _counts(loads: Sequence[Figures]) -> str:
    rows = []
    for scenario in _names(loads, "scenario"):
        found = summary(_of(loads, scenario=scenario))
        calls = [found["calls"].pop(name, 0.0) for name in ("create", "answer")]
        numbers = [*calls, sum(found["calls"].values()), *[found["connections"].get(name, 0.0) for name in SERVERS]]
        rows.append([scenario, *[f"{number:.3f}" for number in numbers]])
    connections = [f"connections: {name}" for name in SERVERS]
    return table(["What this bot asks upstream, a command", "creates", "answers", "other calls", *connections], rows)


def _remarks(loads: Sequence[Figures]) -> str:
    driver = max(one["driver_core_percent"] for one in loads if one["scenario"].endswith("in flight"))
    others = sorted(one["others_percent"] for one in loads)
    return (
        f"Driver and upstreams used at most {driver:.0f} % of their core in the closed loops. Something else used "
        f"{median(others):.1f} % of the servers' core in the median window, {others[-1]:.0f} % in the worst."
    )


def _starts(starts: Sequence[Figures]) -> str:
    rows = []
    base = summary(_of(starts, peer=IMPORT))
    for peer in _names(starts, "peer"):
        found = summary(_of(starts, peer=peer))
        label = PEERS[peer].label if peer in PEERS else f"`{peer}`"
        times = [f"{found[name] / base[name]:.2f}" for name in ("ready_ms", "rss_mb")]
        rows.append([label, _number(found["ready_ms"]), times[0], _number(found["rss_mb"]), times[1]])
    return table(["Start", "ready ms", "× import", "idle MB", "× import"], rows)


def _replicas(rounds: Sequence[Figures]) -> str:
    rows = []
    for scenario in _names(rounds, "scenario"):
        one, two, half = (_of(rounds, scenario=scenario, processes=count, share=part) for count, part in TRIALS)
        for label, mine in (("one process", one), ("two processes", two), ("one process with half the load", half)):
            found = summary(mine)
            names = ("ack_p99_ms", "end_p99_ms", "delivered_per_s", "cpu_ms", "lost")
            times = [f"{ratio(mine, other)[0]:.2f}" for other in (one, half)]
            rows.append([scenario, label, *[_number(found[name]) for name in names], *times])
    head = [
        "Postgres",
        "",
        "ack p99",
        "answer p99",
        "delivered/s",
        "CPU ms/command",
        "lost",
        "× one process",
        "× one with half",
    ]
    return table(head, rows)


def _tracing(rounds: Sequence[Figures]) -> str:
    rows, off = [], _of(rounds, peer=OFF)
    for peer in _names(rounds, "peer"):
        mine = _of(rounds, peer=peer)
        middle, least, most = ratio(mine, off)
        found = summary(mine)
        cells = [_number(found[name]) for name in ("cpu_ms", "ack_p99_ms", "end_p99_ms")]
        rows.append([peer, *cells, f"{middle:.2f} ({least:.2f}–{most:.2f})"])
    head = [f"Traces, {rounds[0]['scenario']}", "CPU ms/command", "ack p99", "answer p99", "CPU, × without traces"]
    return table(head, rows)


def _memory(found: Figures) -> str:
    names = ("answered", "delivered_per_s", "ready_mb", "warm_mb", "end_mb")
    head = ["Memory", "answered", "delivered/s", "ready MB", "warm MB", "end MB"]
    return table(head, [[f"{found['commands']} commands", *[_number(found[name]) for name in names]]])


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table. All columns but the first hold numbers."""
    rule = "|".join(["---", *["--:"] * (len(head) - 1)])
    lines = [" | ".join(head), *[" | ".join(row) for row in rows]]
    lines = [f"| {line} |" for line in lines]
    return "\n".join([lines[0], f"|{rule}|", *lines[1:]])


def _number(value: float | None) -> str:
    if value is None:
        return "–"
    if isinstance(value, int) or value >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _of(rounds: Iterable[Figures], **wanted: Any) -> list[Figures]:
    return [one for one in rounds if all(one[name] == value for name, value in wanted.items())]


def _names(rounds: Iterable[Figures], name: str) -> list[str]:
    return list(dict.fromkeys(one[name] for one in rounds))
