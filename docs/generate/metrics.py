"""Write docs/reference/metrics.md from the metrics that bot/observability/metrics.py defines."""

import re

from prometheus_client import Counter, Gauge, Histogram

from bot.observability.metrics import MetricFamilies, PrometheusMetrics

INTRODUCTION = """\
# Metrics

What `GET /metrics` shows. `make reference` writes this page from `bot/observability/metrics.py`; do not edit it.
[Monitor](../run/monitor.md) says where the page is, and has the alerts.

Each replica counts on its own. No label names a person, a session or an address. In a process that serves several
workspaces, each metric but the last one has the label `workspace`, too: the short name of the workspace, or nothing for
what all workspaces share, such as the database. `kind` is what somebody asked for,
and `outcome` what
came of it: [What people read](../run/troubleshoot.md#what-people-read). `needs` is the permission that a call
needs, or its purpose.

| Metric | Type | Labels | What it counts |
|---|---|---|---|
"""
PROCESS = """
The process's own metrics stand beside them: `process_resident_memory_bytes`, `process_cpu_seconds_total`,
`process_open_fds` and others.
"""


class _Recorder(MetricFamilies):
    """Families of metrics that record the labels of each metric, by the metric's name in Prometheus."""

    def __init__(self) -> None:
        self.labels: dict[str, tuple[str, ...]] = {}
        super().__init__()

    def _counter(self, name: str, about: str, *labels: str) -> Counter:
        self.labels[f"{name}_total"] = labels
        return super()._counter(name, about, *labels)

    def _gauge(self, name: str, about: str, *labels: str, is_of_process: bool = False) -> Gauge:
        self.labels[name] = labels
        return super()._gauge(name, about, *labels, is_of_process=is_of_process)

    def _histogram(self, name: str, about: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
        self.labels[name] = labels
        return super()._histogram(name, about, buckets, *labels)


def page() -> str:
    """Return the text of docs/reference/metrics.md."""
    families = _Recorder()
    text = PrometheusMetrics(families=families).exposition().decode()
    about = dict(re.findall(r"^# HELP (cobrowse_\w+) (.*)$", text, re.MULTILINE))
    kinds = dict(re.findall(r"^# TYPE (cobrowse_\w+) (\w+)$", text, re.MULTILINE))
    rows = [
        f"| `{name}` | {kind} | {', '.join(f'`{label}`' for label in families.labels[name])} | {about[name]} |"
        for name, kind in kinds.items()
    ]
    return INTRODUCTION + "\n".join(rows) + "\n" + PROCESS
