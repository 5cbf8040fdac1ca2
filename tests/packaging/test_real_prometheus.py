"""A real Prometheus with the configuration of deploy/, a bot that works, and a bot that fails at once."""

import asyncio
import json
import os
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml

from tests.support.app import ANA, ROOT, Journey, free_port
from tests.support.monitoring import ALERTS, DASHBOARD

RUNBOOK = "https://wiki.example.com/cobrowse"
needs_prometheus = pytest.mark.skipif(not shutil.which("prometheus"), reason="no prometheus on the path")


@asynccontextmanager
async def prometheus(folder: Path, target: str) -> AsyncIterator[str]:
    """Yield the URL of a Prometheus that scrapes `target` each second, with the alerts of deploy/."""
    config = yaml.safe_load((Path(ROOT) / "deploy" / "prometheus.yml").read_text(encoding="utf-8"))
    config["global"] |= {"scrape_interval": "1s", "evaluation_interval": "1s"}
    (job,) = config["scrape_configs"]
    del job["dns_sd_configs"]
    job["static_configs"] = [{"targets": [target]}]
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    shutil.copy(ALERTS, folder)
    address = f"127.0.0.1:{free_port()}"
    process = await asyncio.create_subprocess_exec(
        *("prometheus", f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={folder / 'data'}"),
        *(f"--web.listen-address={address}", "--enable-feature=expand-external-labels"),  # Prometheus 3 does so anyway
        env=os.environ | {"COBROWSE_RUNBOOK_URL": RUNBOOK},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        yield f"http://{address}"
    finally:
        process.kill()
        await process.wait()


async def asked(url: str, **query: str) -> Any:
    """Return the data of Prometheus's answer, None if it does not answer."""
    try:
        async with aiohttp.ClientSession() as http, http.get(url, params=query) as response:
            return (await response.json())["data"] if response.status == 200 else None
    except (aiohttp.ClientError, json.JSONDecodeError):
        return None


async def firing(url: str) -> dict[str, Any]:
    """Return the alerts that fire, by name."""
    found = await asked(f"{url}/api/v1/alerts")
    alerts = found["alerts"] if found else []
    return {each["labels"]["alertname"]: each for each in alerts if each["state"] == "firing"}


@needs_prometheus
async def test_a_failure_before_the_first_scrape_raises_its_alert(over_http: Journey, tmp_path: Path) -> None:
    await over_http.genesys.inject_fault("invalid_client", on="token")
    await over_http.asks("Deal", who=ANA)
    async with prometheus(tmp_path, over_http.url.removeprefix("http://")) as url, asyncio.timeout(60):
        while not (alerts := await firing(url)):  # noqa: ASYNC110 - it has no event
            await asyncio.sleep(0.2)
    assert set(alerts) == {"CobrowseSignInRefused"}
    (alert,) = alerts.values()
    assert alert["labels"]["hits"] == "everybody"
    assert alert["annotations"]["runbook_url"] == f"{RUNBOOK}#cobrowsesigninrefused"


@needs_prometheus
async def test_all_is_well_raises_nothing_and_fills_each_panel(over_http: Journey, tmp_path: Path) -> None:
    await over_http.asks("Deal", who=ANA)
    panels = json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]
    queries = [target["expr"] for panel in panels for target in panel.get("targets", [])]
    ready = "count_over_time(cobrowse_build_info[1m]) > 3"
    async with prometheus(tmp_path, over_http.url.removeprefix("http://")) as url, asyncio.timeout(60):
        while not ((found := await asked(f"{url}/api/v1/query", query=ready)) and found["result"]):  # noqa: ASYNC110
            await asyncio.sleep(0.2)
        for query in queries:
            chosen = query.replace("$job", "cobrowse-bot").replace("$workspace", ".*")
            plain = re.sub(r"\$__rate_interval", "1m", chosen)
            values = [each["value"][1] for each in (await asked(f"{url}/api/v1/query", query=plain))["result"]]
            assert values, query
            assert "NaN" not in values, query
        assert await firing(url) == {}
