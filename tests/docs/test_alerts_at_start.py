"""A bot that has just started: it has each series that an alert or a panel reads, so no panel shows "No data"."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from bot.core import errors
from bot.core.models import RequestKind
from bot.core.requests.events import EventLog, RequestRejected
from bot.observability.metrics import ALERTED_OUTCOMES, REFUSED_RENEWALS, PrometheusMetrics
from tests.support.app import Journey, open_journey
from tests.support.conversations import PUBLIC
from tests.support.monitoring import ALERTS, DASHBOARD, get
from tests.support.sessions import ANA
from tests.support.storage import request

needs_promtool = pytest.mark.skipif(not shutil.which("promtool"), reason="no promtool on the path")
REFUSALS = (
    errors.LoginRefusedError(oauth_error="invalid_client"),
    errors.TokenRefusedError(),
    errors.PermissionMissingError(needs="cobrowse:session:write"),
    errors.UnexpectedError(),
)
SELECTOR = re.compile(r"(cobrowse_\w+)\{([^}]*)\}")
MATCHER = re.compile(r'(\w+)=(~?)"([^"]*)"')
Series = list[tuple[str, dict[str, str], float]]


def series(text: str) -> Series:
    families = text_string_to_metric_families(text)
    return [(one.name, one.labels, one.value) for family in families for one in family.samples]


def looked_for() -> set[tuple[str, str, str]]:
    """Return the metric, the label, and each value or pattern of the label that an alert names."""
    found = set()
    for group in yaml.safe_load(ALERTS.read_text(encoding="utf-8"))["groups"]:
        for rule in group["rules"]:
            for name, matchers in SELECTOR.findall(rule["expr"]):
                for label, _, values in MATCHER.findall(matchers):
                    found |= {(name, label, value) for value in values.split("|")}
    return found


@pytest.mark.parametrize("more", [{}, PUBLIC], ids=["sessions", "conversations"])
async def test_each_label_value_that_alerts_name_is_there_at_start(more: dict[str, str]) -> None:
    async with open_journey(http=True, **more) as journey:
        _, text = await get(f"{journey.url}/metrics")
    shown, wanted = series(text), looked_for()
    assert len(wanted) >= 8
    for name, label, value in wanted:
        fitting = [number for one, labels, number in shown if one == name and re.fullmatch(value, labels[label])]
        assert fitting, (name, label, value)
        assert set(fitting) == {0.0}
        if label == "outcome" and name == "cobrowse_requests_total":
            assert len(fitting) == len(RequestKind)


@pytest.mark.parametrize("error", REFUSALS, ids=lambda error: error.code)
def test_alerts_watch_series_that_exist(error: errors.CobrowseError) -> None:
    metrics = PrometheusMetrics(RequestKind)
    before = {(name, *labels.values()) for name, labels, _ in series(metrics.exposition().decode())}
    events = EventLog()
    events.subscribe(RequestRejected, metrics.record_event)
    for kind in RequestKind:
        events.emit(RequestRejected(request(kind=kind), error))
    after = series(metrics.exposition().decode())
    assert {(name, *labels.values()) for name, labels, _ in after} == before
    assert sum(value for name, _, value in after if name == "cobrowse_requests_total") == len(RequestKind)


async def test_a_login_that_refuses_is_counted_in_a_series_there_is(over_http: Journey) -> None:
    await over_http.genesys.inject_fault("invalid_client", on="token")
    await over_http.asks()
    _, text = await get(f"{over_http.url}/metrics")
    renewals = {labels["outcome"]: value for name, labels, value in series(text) if "renewals_total" in name}
    assert set(renewals) == {"ok", *REFUSED_RENEWALS}
    assert sum(renewals.values()) == 1
    assert set(REFUSED_RENEWALS) < set(ALERTED_OUTCOMES)


def queries() -> list[tuple[str, str]]:
    """Return the title and the query of each panel."""
    panels = json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]
    asked = [(panel["title"], target["expr"]) for panel in panels for target in panel.get("targets", [])]
    plain = [(title, expr.replace("$job", "cobrowse-bot").replace("$workspace", ".*")) for title, expr in asked]
    return [(title, expr.replace("$__rate_interval", "5m")) for title, expr in plain]


def promtool(path: Path, shown: Series, expected: list[tuple[str, str, float]]) -> str:
    """Return what promtool reports about these series at minute 90; "" for nothing.

    Each expression has to have its expected value.
    """
    up: Series = [("up", {}, 1.0), *shown]
    lines = []
    for name, labels, value in up:
        said = ",".join(f'{key}="{word}"' for key, word in {"job": "cobrowse-bot", "instance": "a", **labels}.items())
        is_growing = value and name.endswith(("_total", "_bucket", "_count", "_sum"))
        lines.append({"series": f"{name}{{{said}}}", "values": f"0+{value}x120" if is_growing else f"{value}x120"})
    tests: list[dict[str, Any]] = [
        {"expr": expr, "eval_time": "90m", "exp_samples": [{"labels": "{}", "value": value}]}
        for _, expr, value in expected
    ]
    path.write_text(yaml.safe_dump({"tests": [{"interval": "1m", "input_series": lines, "promql_expr_test": tests}]}))
    done = subprocess.run(["promtool", "test", "rules", str(path)], capture_output=True, text=True, check=False)
    return done.stdout + done.stderr if done.returncode else ""


@needs_promtool
@pytest.mark.parametrize("is_used", [False, True], ids=["at start", "all is well"])
async def test_no_panel_has_no_data(over_http: Journey, tmp_path: Path, is_used: bool) -> None:
    if is_used:
        await over_http.asks("Deal", who=ANA)
    _, text = await get(f"{over_http.url}/metrics")
    asked = queries()
    assert len(asked) >= 20
    expected = [(title, f"count(({expr}) < Inf) >= bool 1", 1.0) for title, expr in asked]  # NaN draws no line
    refused = [(title, expr, 0.0) for title, expr in asked if title.startswith("Refused and failed starts")]
    assert len(refused) == 1
    assert promtool(tmp_path / "panels.yml", series(text), expected + refused) == ""
