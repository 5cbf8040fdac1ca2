"""Read what a bot serves for monitoring, and say where the alerts and the dashboard stand."""

from pathlib import Path
from typing import Any

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from tests.support.app import ROOT

ALERTS = Path(ROOT) / "deploy" / "prometheus-alerts.yml"
DASHBOARD = Path(ROOT) / "deploy" / "grafana-dashboard.json"

Samples = dict[tuple[str, ...], float]
"""Values by the name of a metric and the values of its labels."""


async def get(url: str) -> tuple[int, Any]:
    """Return the status and the body of a response. The body is an object if it is JSON, else a text."""
    async with aiohttp.ClientSession() as http, http.get(url) as response:
        if response.content_type == "application/json":
            return response.status, await response.json()
        return response.status, await response.text()


def parsed(text: str) -> Samples:
    """Return the samples in the text of /metrics."""
    families = text_string_to_metric_families(text)
    return {(each.name, *each.labels.values()): each.value for family in families for each in family.samples}
