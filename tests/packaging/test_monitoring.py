"""compose.yaml's profile `monitoring`: Prometheus and Grafana load the alerts and the dashboard of deploy/."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from bot import __version__
from bot.config.variables import VARIABLES
from tests.support.app import ROOT
from tests.support.monitoring import DASHBOARD

HOUSE = Path(ROOT)
COMPOSE = yaml.safe_load((HOUSE / "compose.yaml").read_text(encoding="utf-8"))
PROMETHEUS, GRAFANA = COMPOSE["services"]["prometheus"], COMPOSE["services"]["grafana"]
CONFIG = yaml.safe_load((HOUSE / "deploy" / "prometheus.yml").read_text(encoding="utf-8"))


def files_of(service: dict[str, Any]) -> dict[str, str]:
    """Return the files that a service mounts: by the path in the container, the path in the repository."""
    mounts = [mount.split(":") for mount in service.get("volumes", []) if mount.startswith("./")]
    assert all(how == ["ro"] for _, _, *how in mounts)
    return {inside: outside for outside, inside, _ in mounts}


def laid_out(service: dict[str, Any], folder: Path) -> None:
    """Put the files where the container has them, below a folder."""
    for inside, outside in files_of(service).items():
        path = folder / inside.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(HOUSE / outside, path)


def test_every_mounted_file_exists() -> None:
    assert len(files_of(PROMETHEUS)) == 2
    assert len(files_of(GRAFANA)) == 3
    for name, service in COMPOSE["services"].items():
        for path in files_of(service).values():
            assert (HOUSE / path).is_file(), (name, path)


def test_monitoring_runs_when_it_is_asked_for() -> None:
    profiles = {name: service.get("profiles", []) for name, service in COMPOSE["services"].items()}
    optional = {"prometheus": ["monitoring"], "grafana": ["monitoring"]}
    assert profiles == {"bot": [], "proxy": [], "postgres": []} | optional
    for name in ("bot", "proxy", "postgres"):
        assert set(COMPOSE["services"][name].get("depends_on", {})).isdisjoint(optional)


def test_the_bots_image_is_of_this_version() -> None:
    assert COMPOSE["services"]["bot"]["image"] == f"cobrowse-bot:{__version__}"


def test_prometheus_asks_each_replica() -> None:
    (job,) = CONFIG["scrape_configs"]
    (found,) = job["dns_sd_configs"]
    bot = COMPOSE["services"]["bot"]
    assert (found["names"], found["type"]) == (
        ["bot"],
        "A",
    )  # the name service knows all replicas by the service's name
    assert str(found["port"]) == bot["environment"]["HEALTH_PORT"]
    assert "inside" in PROMETHEUS["networks"]
    assert "inside" in bot["networks"]
    assert "metrics_path" not in job  # /metrics


def test_alerts_lead_where_the_bots_own_messages_do() -> None:
    name = "COBROWSE_RUNBOOK_URL"
    assert name in VARIABLES
    assert PROMETHEUS["environment"] == {name: f"${{{name}:-}}"}
    assert CONFIG["global"]["external_labels"] == {"cobrowse_runbook_url": f"${{{name}}}"}


@pytest.mark.skipif(not shutil.which("promtool"), reason="no promtool on the path")
def test_promtool_takes_the_configuration_where_compose_puts_it(tmp_path: Path) -> None:
    laid_out(PROMETHEUS, tmp_path)
    (path,) = [each.partition("=")[2] for each in PROMETHEUS["command"] if each.startswith("--config.file=")]
    command = ["promtool", "check", "config", str(tmp_path / path.lstrip("/"))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 rule files found" in done.stdout


def test_grafana_finds_prometheus_and_the_dashboard(tmp_path: Path) -> None:
    laid_out(GRAFANA, tmp_path)
    provisioning = tmp_path / "etc" / "grafana" / "provisioning"
    (sources,) = [yaml.safe_load(path.read_text()) for path in (provisioning / "datasources").iterdir()]
    (source,) = sources["datasources"]
    (dashboards,) = [yaml.safe_load(path.read_text()) for path in (provisioning / "dashboards").iterdir()]
    (provider,) = dashboards["providers"]
    assert sources["apiVersion"] == dashboards["apiVersion"] == 1
    assert urlsplit(source["url"]).hostname in COMPOSE["services"]
    assert urlsplit(source["url"]).port == 9090
    assert source["isDefault"] is True
    assert source["jsonData"]["timeInterval"] == CONFIG["global"]["scrape_interval"]
    assert set(PROMETHEUS["networks"]) & set(GRAFANA["networks"])
    (shown,) = (tmp_path / provider["options"]["path"].lstrip("/")).iterdir()
    dashboard = json.loads(shown.read_text(encoding="utf-8"))
    assert dashboard == json.loads(DASHBOARD.read_text(encoding="utf-8"))
    (variable,) = [each for each in dashboard["templating"]["list"] if each["type"] == "datasource"]
    assert variable["query"] == source["type"] == "prometheus"


def test_grafana_is_for_this_machine_and_has_a_password_of_its_own() -> None:
    assert [port.split(":")[0] for port in GRAFANA["ports"]] == ["127.0.0.1"]
    (secret,) = GRAFANA["secrets"]
    assert GRAFANA["environment"]["GF_SECURITY_ADMIN_PASSWORD__FILE"] == f"/run/secrets/{secret}"
    assert secret in COMPOSE["secrets"]
    assert all(secret not in COMPOSE["services"][name].get("secrets", []) for name in ("bot", "proxy", "postgres"))
    assert "ports" not in PROMETHEUS
