"""Draw the results: CPU per command, one group of bars for each load.

It writes SVG itself: a plotting library would be the benchmark's largest dependency, for one bar chart.
"""

from collections.abc import Sequence
from html import escape

from benchmarks.figures import Figures, summary
from benchmarks.peers import PEERS

WIDTH, LEFT, RIGHT, BAR, GAP, TOP = 860, 250, 70, 16, 14, 40
COLORS = {"floor": "#9aa5b1", "bot": "#2f6fde", "bolt-js": "#d9a521", "bolt-python": "#b0543c"}


def chart(loads: Sequence[Figures]) -> str:
    """Return an SVG document. A peer that lost commands has no bar."""
    groups: dict[str, dict[str, Figures]] = {}
    for scenario in dict.fromkeys(one["scenario"] for one in loads):
        for peer in dict.fromkeys(one["peer"] for one in loads):
            mine = [one for one in loads if one["scenario"] == scenario and one["peer"] == peer]
            groups.setdefault(scenario, {})[peer] = summary(mine)
    good = [found["cpu_ms"] for group in groups.values() for found in group.values() if not found["lost"]]
    scale = (WIDTH - LEFT - RIGHT) / max(good, default=1.0)
    parts, y = [], TOP
    for scenario, group in groups.items():
        parts.append(_text(10, y + BAR * len(group) / 2 + 4, scenario))
        for peer, found in group.items():
            parts += _bar(y, peer, found, scale)
            y += BAR
        y += GAP
    head = _text(10, 22, "CPU ms a command, medians; shorter is better", weight="bold")
    style = "font-family: system-ui, sans-serif; font-size: 12px"
    size = f'width="{WIDTH}" height="{y}" viewBox="0 0 {WIDTH} {y}"'
    frame = f'<rect width="{WIDTH}" height="{y}" fill="#fff"/>'
    return "\n".join(
        [f'<svg xmlns="http://www.w3.org/2000/svg" {size} style="{style}">', frame, head, *parts, "</svg>", ""]
    )


def _bar(y: float, peer: str, found: Figures, scale: float) -> list[str]:
    width = 0.0 if found["lost"] else found["cpu_ms"] * scale
    value = f"{found['lost']} lost" if found["lost"] else f"{found['cpu_ms']:.2f}"
    label = f"{value}  {PEERS[peer].label}"
    inside = width > 0.7 * (WIDTH - LEFT - RIGHT)
    at = LEFT + width - 6 if inside else LEFT + width + 6
    anchor, color = ("end", "#fff") if inside else ("start", "#222")
    return [
        f'<rect x="{LEFT}" y="{y}" width="{width:.1f}" height="{BAR - 2}" fill="{COLORS[peer]}"/>',
        _text(at, y + BAR - 5, label, anchor=anchor, color=color),
    ]


def _text(x: float, y: float, words: str, *, anchor: str = "start", color: str = "#222", weight: str = "normal") -> str:
    look = f'text-anchor="{anchor}" fill="{color}" font-weight="{weight}"'
    return f'<text x="{x:.1f}" y="{y:.1f}" {look}>{escape(words)}</text>'
