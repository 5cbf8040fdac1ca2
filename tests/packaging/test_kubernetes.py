"""deploy/kubernetes: the rendered overlays and component fit the schemas of Kubernetes and the real bot."""

import asyncio
import contextlib
import re
import shutil
import subprocess
import warnings
from functools import cache
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from bot import __version__
from bot.config import settings
from bot.config.variables import VARIABLES
from bot.storage.encryption import new_key
from tests.support.app import ANA, ROOT, ended, free_port, healthy, link, open_servers, start
from tests.support.kustomize import Object, key, render
from tests.support.monitoring import ALERTS, get
from tests.support.postgres import new_database

KUBERNETES = Path(ROOT) / "deploy" / "kubernetes"
PAGE = (Path(ROOT) / "docs" / "run" / "deploy.md").read_text(encoding="utf-8")
EXAMPLE = "example"
"""The kustomization of docs/run/deploy.md: overlay, component, image and settings of an operator."""
WAYS = ["sqlite", "postgres", EXAMPLE]
SECRETS = "/run/secrets/cobrowse-bot/"
OLDEST, NEWEST = "1.27", kubernetes_validate.latest_version()
NOT_OF_KUBERNETES = {"ServiceMonitor", "PrometheusRule"}


def folder_of(way: str, directory: Path) -> Path:
    """Return the folder to render. For the example of the page, write it beside a link to this repository."""
    if way != EXAMPLE:
        return KUBERNETES / "overlays" / way
    (block,) = re.findall(r"```yaml\n( +apiVersion: kustomize.*?)```", PAGE, re.DOTALL)
    shutil.copytree(KUBERNETES, directory / "cobrowse-bot" / "deploy" / "kubernetes")
    (directory / "kustomization.yaml").write_text(re.sub(r"^    ", "", block, flags=re.MULTILINE))
    return directory


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def folder(way: str, tmp_path: Path) -> Path:
    return folder_of(way, tmp_path)


@pytest.fixture
def objects(folder: Path) -> list[Object]:
    return render(folder)


def the(objects: list[Object], kind: str, name: str = "cobrowse-bot") -> Object:
    (found,) = [each for each in objects if key(each) == (kind, name)]
    return found


def pod(objects: list[Object]) -> dict[str, Any]:
    return dict(the(objects, "Deployment")["spec"]["template"]["spec"])


def bot_of(objects: list[Object]) -> dict[str, Any]:
    (container,) = pod(objects)["containers"]
    return dict(container)


def validate(thing: Object, version: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # it leaves its schemas open
        kubernetes_validate.validate(thing, version, strict=True)


def test_each_object_fits_the_schema_of_kubernetes(objects: list[Object]) -> None:
    assert f"Kubernetes {OLDEST} or newer" in PAGE
    own = [each for each in objects if each["kind"] not in NOT_OF_KUBERNETES]
    assert len(own) >= 5
    for each in own:
        for version in (OLDEST, NEWEST):
            validate(each, version)


def test_the_schemas_refuse_a_field_that_does_not_exist() -> None:
    thing = the(render(KUBERNETES / "overlays" / "sqlite"), "ServiceAccount")
    with pytest.raises(kubernetes_validate.ValidationError):
        validate(thing | {"automountToken": False}, NEWEST)


@cache
def has_kubectl() -> bool:
    """Return whether there is a kubectl that supports components: 1.21 or newer."""
    if not shutil.which("kubectl"):
        return False
    done = subprocess.run(["kubectl", "version", "--client"], capture_output=True, text=True, check=False)
    found = re.search(r'(?:GitVersion:"|Client Version: )v1\.(\d+)', done.stdout)
    return bool(found and int(found[1]) >= 21)


def test_kubectl_renders_the_same_objects(folder: Path, objects: list[Object]) -> None:
    if not has_kubectl():  # each worker would ask it, were this a mark
        pytest.skip("no kubectl 1.21 or newer on the path")
    done = subprocess.run(["kubectl", "kustomize", str(folder)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    text = re.sub(r"\b(name: cobrowse-bot)-[0-9a-z]{10}$", r"\1", done.stdout, flags=re.MULTILINE)  # the hash
    rendered = list(yaml.safe_load_all(text))
    assert {key(each): each for each in rendered} == {key(each): each for each in objects}
    assert len(rendered) == len(objects)


def test_every_setting_of_the_manifests_exists(objects: list[Object]) -> None:
    data = the(objects, "ConfigMap")["data"]
    for name, value in data.items():
        setting = VARIABLES.get(name)
        if setting is None:
            assert VARIABLES[name.removesuffix("_FILE")].takes_file, name
            assert value == SECRETS + name.removesuffix("_FILE")
        elif setting.secret:
            assert (name, value) == ("DATABASE_URL", "sqlite:///cobrowse.db")  # holds no password
    bot = bot_of(objects)
    assert "env" not in bot
    assert bot["envFrom"] == [{"configMapRef": {"name": "cobrowse-bot"}}]
    ports = {each["name"]: str(each["containerPort"]) for each in bot["ports"]}
    assert ports == {"http": data["PORT"], "health": data["HEALTH_PORT"]}


def test_the_page_names_the_secrets_of_each_overlay() -> None:
    rows = re.findall(r"^    \| (`[A-Z_`, ]+`) \| (yes|) ?\| (yes|) ?\|$", PAGE, re.MULTILINE)
    for column, way in enumerate(("sqlite", "postgres"), start=1):
        named = {name for row in rows if row[column] for name in re.findall(r"`(\w+)`", row[0])}
        data = the(render(KUBERNETES / "overlays" / way), "ConfigMap")["data"]
        in_files = {name.removesuffix("_FILE") for name in data if name.endswith("_FILE")}
        assert named == {name for name in in_files if not VARIABLES[name].is_next}


def test_a_changed_secret_is_written_from_the_same_folder(tmp_path: Path) -> None:
    """kubectl takes the files of a folder, and none of the folders in it."""
    pages = (PAGE, (Path(ROOT) / "docs" / "run" / "secrets.md").read_text(encoding="utf-8"))
    first, again = (re.findall(r"^ *(kubectl create secret .*)$", page, re.MULTILINE) for page in pages)
    assert first == again  # `apply` removes only a key that an `apply` has written
    assert len(first) == 1
    (folder,) = re.findall(r"--from-file=(\S+)", first[0])
    assert f"mkdir -p -m 700 {folder}\n" in PAGE
    if not has_kubectl():
        pytest.skip("no kubectl 1.21 or newer on the path")
    (tmp_path / folder).mkdir(parents=True)
    (tmp_path / folder / "SLACK_BOT_TOKEN").write_text("xoxb-1")
    create, _, rest = first[0].partition(" | ")
    assert rest == "kubectl apply -f -"
    done = subprocess.run(create.split(), cwd=tmp_path, capture_output=True, text=True, check=True)
    assert list(yaml.safe_load(done.stdout)["data"]) == ["SLACK_BOT_TOKEN"]


def test_secrets_come_as_files_that_others_may_not_read(objects: list[Object]) -> None:
    assert "Secret" not in {each["kind"] for each in objects}
    volumes = {each["name"]: each for each in pod(objects)["volumes"]}
    assert volumes["secrets"]["secret"] == {"secretName": "cobrowse-bot", "defaultMode": 0o440}
    (mount,) = [each for each in bot_of(objects)["volumeMounts"] if each["name"] == "secrets"]
    assert mount == {"name": "secrets", "mountPath": SECRETS.rstrip("/"), "readOnly": True}


def test_the_image_is_of_this_version(way: str, objects: list[Object]) -> None:
    registry = "registry.example.org" if way == EXAMPLE else "registry.example.com"
    assert bot_of(objects)["image"] == f"{registry}/cobrowse-bot:{__version__}"
    assert f"docker push registry.example.org/cobrowse-bot:{__version__}" in PAGE


def test_the_pod_has_no_privileges(objects: list[Object]) -> None:
    """The Pod Security level `restricted` requires this, and the manifest has more."""
    it, bot = pod(objects), bot_of(objects)
    assert not {"hostNetwork", "hostPID", "hostIPC", "initContainers"} & set(it)
    assert it["securityContext"]["runAsNonRoot"] is True
    user = re.search(r"^USER (\d+):(\d+)$", (Path(ROOT) / "Dockerfile").read_text(encoding="utf-8"), re.MULTILINE)
    assert user
    assert [it["securityContext"][name] for name in ("runAsUser", "runAsGroup")] == [int(user[1]), int(user[2])]
    assert it["securityContext"]["fsGroup"] == int(user[2])
    assert it["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert bot["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "privileged": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert it["automountServiceAccountToken"] is False
    account = the(objects, "ServiceAccount", it["serviceAccountName"])
    assert account["automountServiceAccountToken"] is False
    assert it["enableServiceLinks"] is False
    assert {each["kind"] for each in objects}.isdisjoint({"Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"})


def test_a_stop_has_time_for_accepted_requests(way: str, objects: list[Object]) -> None:
    seconds = int(the(objects, "ConfigMap")["data"]["SHUTDOWN_SECONDS"])
    assert seconds == int(VARIABLES["SHUTDOWN_SECONDS"].default)
    hook = bot_of(objects).get("lifecycle", {}).get("preStop", {}).get("exec", {}).get("command", ["sleep", "0"])
    assert (way == "sqlite") == (hook[1] == "0")  # a proxy goes on sending for a moment
    assert hook[0] == "sleep"
    grace = pod(objects)["terminationGracePeriodSeconds"]
    assert grace >= seconds + int(hook[1]) + 10
    assert f"A pod may take {grace} seconds" in PAGE


def test_probes_ask_the_paths_of_health(objects: list[Object]) -> None:
    bot = bot_of(objects)
    asked = {name: bot[name]["httpGet"] for name in ("startupProbe", "livenessProbe", "readinessProbe")}
    alive, ready = {"path": "/healthz", "port": "health"}, {"path": "/readyz", "port": "health"}
    assert asked == {"startupProbe": alive, "livenessProbe": alive, "readinessProbe": ready}
    assert bot["startupProbe"]["periodSeconds"] * bot["startupProbe"]["failureThreshold"] >= 60


def test_requests_hold_the_measured_figures(objects: list[Object]) -> None:
    measured = (Path(ROOT) / "docs" / "develop" / "performance.md").read_text(encoding="utf-8")
    assert re.search(r"stands at 83 MB after 36,000\s+commands", measured)
    assert "takes 1.5 ms of CPU under load" in measured
    resources = bot_of(objects)["resources"]
    assert resources["requests"] == {"cpu": "100m", "memory": "128Mi"}
    assert resources["limits"] == {"memory": "512Mi"}
    assert "83 MB after 36,000 commands" in PAGE


def test_one_replica_has_a_volume_and_two_have_none() -> None:
    one, two = (render(KUBERNETES / "overlays" / way) for way in ("sqlite", "postgres"))
    assert the(one, "Deployment")["spec"]["replicas"] == 1
    assert the(one, "Deployment")["spec"]["strategy"] == {"type": "Recreate"}
    data = {
        "name": "data",
        "persistentVolumeClaim": {"claimName": the(one, "PersistentVolumeClaim")["metadata"]["name"]},
    }
    assert data in pod(one)["volumes"]
    assert the(two, "Deployment")["spec"]["replicas"] == 2
    assert the(two, "Deployment")["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
    assert {each["name"]: "emptyDir" in each for each in pod(two)["volumes"]} == {"data": True, "secrets": False}
    assert the(two, "PodDisruptionBudget")["spec"]["maxUnavailable"] == 1
    assert "PodDisruptionBudget" not in {each["kind"] for each in one}  # it would only hold up the node


def test_every_selector_finds_the_pods(objects: list[Object]) -> None:
    labels = the(objects, "Deployment")["spec"]["template"]["metadata"]["labels"]
    kinds = {"Deployment": "selector", "PodDisruptionBudget": "selector", "NetworkPolicy": "podSelector"}
    found = 0
    for each in objects:
        assert each["kind"] == "ConfigMap" or each["metadata"]["labels"].items() >= labels.items()
        if each["kind"] in kinds:
            assert each["spec"][kinds[each["kind"]]] == {"matchLabels": labels}
            found += 1
        if each["kind"] == "Service":
            assert each["spec"]["selector"] == labels
    assert found >= 2


def test_the_network_is_closed_but_for_what_is_named(way: str, objects: list[Object]) -> None:
    policies = [each["spec"] for each in objects if each["kind"] == "NetworkPolicy"]
    base = the(objects, "NetworkPolicy")["spec"]
    assert set(base["policyTypes"]) == {"Ingress", "Egress"}
    assert "ingress" not in base
    let_in = {
        port["port"]: rule["from"]
        for policy in policies
        for rule in policy.get("ingress", [])
        for port in rule["ports"]
    }
    assert set(let_in) == {"sqlite": set(), "postgres": {"http"}, EXAMPLE: {"http", "health"}}[way]
    assert all(sources for sources in let_in.values())
    let_out = {port["port"] for policy in policies for rule in policy.get("egress", []) for port in rule["ports"]}
    assert let_out == ({53, 443} if way == "sqlite" else {53, 443, 5432})
    public = [block["ipBlock"] for rule in base["egress"] for block in rule.get("to", [])]
    assert [block["cidr"] for block in public] == ["0.0.0.0/0", "::/0"]
    assert "169.254.0.0/16" in public[0]["except"]  # a cloud's metadata
    for policy in policies:
        for rule in policy.get("ingress", []):
            for source in rule["from"]:
                assert f"`{source['namespaceSelector']['matchLabels']['kubernetes.io/metadata.name']}`" in PAGE


def test_prometheus_finds_the_metrics_by_the_name_that_alerts_expect(tmp_path: Path) -> None:
    objects = render(folder_of(EXAMPLE, tmp_path))
    monitor, service = the(objects, "ServiceMonitor")["spec"], the(objects, "Service", "cobrowse-bot-metrics")
    assert set(monitor) == {"jobLabel", "selector", "endpoints"}
    labels = service["metadata"]["labels"]
    assert labels.items() >= monitor["selector"]["matchLabels"].items()
    others = [each for each in objects if each["kind"] == "Service" and each is not service]
    assert all(not each["metadata"]["labels"].items() >= monitor["selector"]["matchLabels"].items() for each in others)
    (job,) = set(re.findall(r'job="([^"]+)"', ALERTS.read_text(encoding="utf-8")))
    assert labels[monitor["jobLabel"]] == job
    (endpoint,) = monitor["endpoints"]
    assert endpoint["path"] == "/metrics"
    assert endpoint["port"] in [port["name"] for port in service["spec"]["ports"] if port["targetPort"] == "health"]


def test_the_component_holds_the_same_alerts(tmp_path: Path) -> None:
    """`make reference` writes the alerts."""
    rule = the(render(folder_of(EXAMPLE, tmp_path)), "PrometheusRule")
    assert rule["spec"] == yaml.safe_load(ALERTS.read_text(encoding="utf-8"))


def as_in_the_pod(data: dict[str, str], environ: dict[str, str], folder: Path) -> dict[str, str]:
    """Return an environment with the manifest's settings. Secrets are in files below a folder, and in no variable."""
    given = {name: value for name, value in environ.items() if not VARIABLES[name].secret} | data
    for name, path in data.items():
        if name.endswith("_FILE"):
            file, setting = folder / path.removeprefix(SECRETS), VARIABLES[name.removesuffix("_FILE")]
            given[name] = str(file)
            if not setting.is_next:  # those files are there only during a change
                file.write_text(environ[setting.name] + "\n")
    ports = {"PORT": str(free_port()), "HEALTH_PORT": str(free_port())}
    return given | ports | {"STATE_DIRECTORY": str(folder.parent), "SHUTDOWN_SECONDS": "4"}


SECRET = "a-client-secret"


def with_client_secret(environ: dict[str, str]) -> dict[str, str]:
    """Return an environment whose bot signs in with a client secret, and has no key."""
    keyless = {name: value for name, value in environ.items() if name not in ("GENESYS_PRIVATE_KEY", "GENESYS_ORG_ID")}
    return keyless | {"GENESYS_CLIENT_SECRET": SECRET}


def with_a_key(data: dict[str, str], environ: dict[str, str]) -> dict[str, str]:
    """Return the manifest's settings with the literals that the page adds for a private key."""
    section = PAGE.partition("\n## Kubernetes\n")[2]
    bullet = section.partition("- **A private key in place of a client secret.**")[2].partition("\n- ")[0]
    literals = dict(re.findall(r"`([A-Z_]+_FILE)=(\S*)`", bullet))
    assert set(literals) == {"GENESYS_CLIENT_SECRET_FILE", "GENESYS_PRIVATE_KEY_FILE"}
    assert "`GENESYS_ORG_ID=`" in bullet
    given = data | literals | {"GENESYS_ORG_ID": environ["GENESYS_ORG_ID"]}
    return {name: value for name, value in given.items() if value}


def test_the_example_of_the_page_has_every_setting(tmp_path: Path) -> None:
    """With a file for each secret that the page names, these are all that the bot needs."""
    data = the(render(folder_of(EXAMPLE, tmp_path)), "ConfigMap")["data"]
    values = {"DATABASE_URL": "postgresql://bot@db/bot", "STORE_ENCRYPTION_KEY": new_key()}
    values |= {
        "SLACK_BOT_TOKEN": "xoxb-1-of-the-tests",
        "SLACK_SIGNING_SECRET": "a" * 32,
        "GENESYS_CLIENT_SECRET": SECRET,
    }
    folder = tmp_path / "secrets"
    folder.mkdir()
    loaded = settings.load(as_in_the_pod(data, values, folder))
    assert loaded.slack.mode == "http"
    assert loaded.database.url == values["DATABASE_URL"]


async def listens(port: int) -> None:
    """Wait until the port takes connections: the health port may be open before it."""
    async with asyncio.timeout(20):
        while True:
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                return
            await asyncio.sleep(0.05)


@pytest.mark.parametrize(("way", "has_key"), [("sqlite", False), ("postgres", False), ("postgres", True)])
async def test_the_bot_runs_with_the_manifests_settings(way: str, has_key: bool, tmp_path: Path) -> None:
    data = the(render(KUBERNETES / "overlays" / way), "ConfigMap")["data"]
    (tmp_path / "secrets").mkdir()
    how = {} if has_key else {"client_secret": SECRET}
    async with open_servers(http=way == "postgres", **how) as servers, new_database() as database:
        environ = servers.environ | {"DATABASE_URL": database}
        data, environ = (with_a_key(data, environ), environ) if has_key else (data, with_client_secret(environ))
        given = as_in_the_pod(data, environ, tmp_path / "secrets")
        health = f"http://127.0.0.1:{given['HEALTH_PORT']}"
        process = await start(tmp_path / "secrets", given)
        try:
            await healthy(process, f"{health}/healthz")
            if way == "postgres":
                servers.slack.events_url = f"http://127.0.0.1:{given['PORT']}/slack/events"
                await listens(int(given["PORT"]))
            else:
                await servers.slack.connected(20)
            assert (await servers.slack.command(ANA, "")).acked
            assert link(await servers.slack.next_message(ANA))
            status, told = await get(f"{health}/readyz")
            assert (status, told["store"]) == (200, "ok")
        finally:
            process.terminate()
            code, _, err = await ended(process)
        assert code == 0, err
    assert (tmp_path / "cobrowse.db").exists() == (way == "sqlite")
