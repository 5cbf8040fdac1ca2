"""The pages, the dashboard and the alerts name only existing metrics. promtool tests the rules."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.observability.metrics import PrometheusMetrics
from tests.support.app import ROOT
from tests.support.monitoring import ALERTS, DASHBOARD

HOUSE = Path(ROOT)
MONITOR = "docs/run/monitor.md"
HIT = {
    "everybody": "Hits everybody.",
    "some": "Hits some people.",
    "one": "Hits one person.",
    "nobody": "Hits nobody yet.",
}
"""How the page says whom an alert is about, by the value of its label `hits`."""
needs_promtool = pytest.mark.skipif(not shutil.which("promtool"), reason="no promtool on the path")


def families() -> set[str]:
    """Return the name of each metric of the bot, as a query names it."""
    return set(re.findall(r"^# TYPE (cobrowse_\w+) ", PrometheusMetrics().exposition().decode(), re.MULTILINE))


def named_in(text: str) -> set[str]:
    found = re.findall(r"\bcobrowse_(?!runbook_url\b)[a-z_]+", text)  # that is a label of Prometheus itself
    return {re.sub(r"_(bucket|sum|count)$", "", name) for name in found}


def test_every_metric_has_a_row_and_nothing_else_has_one() -> None:
    table = (HOUSE / "docs" / "reference" / "metrics.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `(cobrowse_\w+)", table, re.MULTILINE)) == families()


@pytest.mark.parametrize("path", [ALERTS, DASHBOARD])
def test_every_metric_that_is_looked_at_exists(path: Path) -> None:
    named = named_in(path.read_text(encoding="utf-8"))
    assert named
    assert named <= families()


def rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load(ALERTS.read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def test_every_alert_says_its_meaning_and_leads_to_its_section() -> None:
    page = (HOUSE / MONITOR).read_text(encoding="utf-8")
    assert len(rules()) >= 6
    for rule in rules():
        assert rule["annotations"]["summary"]
        name, severity = rule["alert"], rule["labels"]["severity"]
        page_link, _, section = rule["annotations"]["runbook_url"].partition("#")
        assert page_link == "{{ or $externalLabels.cobrowse_runbook_url `docs/run/monitor.md` }}"
        assert section == name.lower()
        assert f"\n### {name}\n\n*{severity.capitalize()}.*" in page, name
    sections = re.findall(r"^### (Cobrowse\w+)$", page, re.MULTILINE)
    assert sections == [rule["alert"] for rule in rules()]


def test_an_alert_wakes_somebody_when_it_hits_everybody() -> None:
    page = (HOUSE / MONITOR).read_text(encoding="utf-8")
    assert {rule["labels"]["hits"] for rule in rules()} == {"everybody", "some", "one", "nobody"}
    for rule in rules():
        severity, hits = rule["labels"]["severity"], rule["labels"]["hits"]
        assert severity == ("page" if hits == "everybody" else "ticket"), rule["alert"]
        assert f"\n### {rule['alert']}\n\n*{severity.capitalize()}.* {HIT[hits]}" in page, rule["alert"]


def test_every_alert_is_tried_to_be_raised_and_not_to_be() -> None:
    tests = yaml.safe_load((HOUSE / "tests" / "docs" / "alerts_test.yml").read_text(encoding="utf-8"))["tests"]
    tried = [(each["alertname"], bool(each["exp_alerts"])) for test in tests for each in test["alert_rule_test"]]
    for rule in rules():
        assert {(rule["alert"], True), (rule["alert"], False)} <= set(tried), rule["alert"]


@needs_promtool
def test_promtool_takes_the_alerts_and_what_they_are_tried_with(tmp_path: Path) -> None:
    for command in (
        ["check", "rules", str(ALERTS)],
        ["test", "rules", str(HOUSE / "tests" / "docs" / "alerts_test.yml")],
    ):
        done = subprocess.run(["promtool", *command], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


@needs_promtool
def test_promtool_takes_every_query_of_the_dashboard(tmp_path: Path) -> None:
    panels = json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]
    queries = [target["expr"] for panel in panels for target in panel.get("targets", [])]
    assert len(queries) >= 10
    rules = [{"record": f"panel:{n}", "expr": re.sub(r"\$__rate_interval", "5m", q)} for n, q in enumerate(queries)]
    path = tmp_path / "rules.yml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))
    done = subprocess.run(["promtool", "check", "rules", str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@needs_promtool
def test_promtool_finds_nothing_wrong_with_what_is_shown() -> None:
    shown = PrometheusMetrics().exposition()
    done = subprocess.run(["promtool", "check", "metrics"], input=shown, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout.decode() + done.stderr.decode()
