"""`check` reports who could change the files that the bot trusts, and variables that only look like settings."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot import check
from bot.check.configuration import _unknown_variables
from bot.check.files import open_files
from bot.check.results import CheckResult, Status
from tests.support.app import Servers, open_servers
from tests.support.check import right_environ, run_checks

HEADER = "slack_user_id,genesys_user_id\n"


@pytest.fixture
async def servers() -> AsyncIterator[Servers]:
    async with open_servers() as started:
        yield started


def believed(directory: Path) -> dict[str, Path]:
    """Return a trusted file of each kind, each in a separate folder. Nobody else can write them."""
    found = {}
    for name in ("env", "hosts", "key", "token", "ca"):
        folder = directory / name
        folder.mkdir(mode=0o700)
        found[name] = folder / "file"
        found[name].write_text(HEADER)
        found[name].chmod(0o600)
    return found


def of_files(files: dict[str, Path]) -> list[CheckResult]:
    environ = {"COBROWSE_HOSTS_FILE": str(files["hosts"]), "GENESYS_PRIVATE_KEY_PATH": f'"{files["key"]}"'}
    environ |= {"SLACK_BOT_TOKEN_FILE": str(files["token"]), "SSL_CERT_FILE": str(files["ca"])}
    return open_files(environ, files["env"])


@pytest.mark.parametrize("name", ["env", "hosts", "key", "token", "ca"])
@pytest.mark.parametrize(("mode", "mark"), [(0o622, Status.FAILED), (0o602, Status.FAILED), (0o620, Status.WARNING)])
def test_a_file_that_others_can_write_does_not_pass(tmp_path: Path, name: str, mode: int, mark: Status) -> None:
    files = believed(tmp_path)
    assert of_files(files) == []
    files[name].chmod(mode)
    (found,) = of_files(files)
    assert (found.name, found.status) == ("files", mark)
    assert str(files[name]) in found.message
    assert found.fix.startswith("Run: chmod ")
    os.system(found.fix.removeprefix("Run: "))  # noqa: S605 - ours
    assert of_files(files) == []


@pytest.mark.parametrize("name", ["env", "hosts", "key"])
@pytest.mark.parametrize(("mode", "mark"), [(0o777, Status.FAILED), (0o1777, Status.WARNING), (0o770, Status.WARNING)])
def test_a_folder_that_others_can_write_does_not_pass(tmp_path: Path, name: str, mode: int, mark: Status) -> None:
    files = believed(tmp_path)
    files[name].parent.chmod(mode)
    (found,) = of_files(files)
    assert (found.name, found.status) == ("files", mark)
    assert f"the folder {files[name].parent}" in found.message or f"to the folder {files[name].parent}" in found.message


def test_a_link_is_as_good_as_the_folder_it_leads_to(tmp_path: Path) -> None:
    files = believed(tmp_path)
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    files["hosts"].rename(tmp_path / "open" / "hosts.csv")
    files["hosts"].symlink_to(tmp_path / "open" / "hosts.csv")
    (found,) = of_files(files)
    assert str(tmp_path / "open") in found.message


async def test_check_fails_for_a_hosts_file_that_all_can_write(servers: Servers, tmp_path: Path) -> None:
    hosts = tmp_path / "hosts.csv"
    hosts.write_text(HEADER)
    environ = right_environ(servers, tmp_path) | {"COBROWSE_HOSTS_FILE": str(hosts)}
    hosts.chmod(0o644)
    assert "files" not in await run_checks(environ)
    hosts.chmod(0o666)
    found = await check.run_checks(environ, env_file="nowhere")
    assert not check.passed(found)
    assert (await run_checks(environ))["files"].status is Status.FAILED


# What Kubernetes sets for a Service: https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables
SERVICE = {
    "SERVICE_HOST": "10.0.0.11",
    "SERVICE_PORT": "6379",
    "SERVICE_PORT_HTTP_WEB": "6379",
    "PORT": "tcp://10.0.0.11:6379",
    "PORT_6379_TCP": "tcp://10.0.0.11:6379",
    "PORT_6379_TCP_PROTO": "tcp",
    "PORT_6379_TCP_PORT": "6379",
    "PORT_6379_TCP_ADDR": "10.0.0.11",
}


@pytest.mark.parametrize("service", ["COBROWSE", "SLACK", "GENESYS", "COBROWSE_BOT", "SLACK_RELAY"])
async def test_kubernetes_service_variables_are_no_warning(servers: Servers, tmp_path: Path, service: str) -> None:
    links = {f"{service}_{name}": value for name, value in SERVICE.items()}
    found = await run_checks(right_environ(servers, tmp_path) | links)
    assert found["settings"].status is Status.OK


def test_variable_that_looks_like_a_service_is_a_warning() -> None:
    for name, value in (("COBROWSE_PORT", "3000x"), ("SLACK_SERVICE_HOST", "db.example"), ("COBROWSE_PORTS", "1")):
        assert _unknown_variables({name: value}), name


@pytest.mark.parametrize("name", ["SLACK_BOT_TOKEN", "GENESYS_PRIVATE_KEY_NEXT", "GENESYS_PRIVATE_KEY_PASSPHRASE"])
def test_secret_file_that_everybody_can_read_is_a_warning(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "secrets"
    folder.mkdir(mode=0o700)
    path = folder / "file"
    path.write_text("secret")
    path.chmod(0o604)
    (found,) = open_files({f"{name}_FILE": str(path)}, None)
    assert (found.name, found.status, found.fix) == ("secrets", Status.WARNING, f"Run: chmod 600 {path}")
