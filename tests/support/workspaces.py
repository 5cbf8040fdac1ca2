"""Write files of workspaces, and read them as the command `run` does."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from bot.config import settings
from bot.config.process import ProcessSettings
from bot.config.settings import Settings, SettingsError
from bot.config.workspaces.load import Workspaces, WorkspaceSettings, read_workspaces
from tests.support.settings import GENESYS, SOCKET

ACME = """\
[acme]
slack_bot_token = {env = "ACME_BOT_TOKEN"}
slack_signing_secret = {env = "ACME_SIGNING_SECRET"}
genesys_region = "us-west-2"
genesys_client_id = "client-1"
genesys_client_secret = {env = "ACME_CLIENT_SECRET"}
"""
GLOBEX = ACME.replace("[acme]", "[globex]").replace("ACME", "GLOBEX")
KEPT = {
    f"{name}_{secret}": f"{start}{name.lower()}-hush"
    for name in ("ACME", "GLOBEX")
    for secret, start in {"BOT_TOKEN": "xoxb-", "SIGNING_SECRET": "signing-", "CLIENT_SECRET": "genesys-"}.items()
}
"""The secrets of both workspaces, in variables that the tables name."""


def toml(value: object) -> str:
    """Return a value as TOML."""
    match value:
        case Mapping():
            return "{" + ", ".join(f"{key} = {toml(each)}" for key, each in value.items()) + "}"
        case list():
            return f"[{', '.join(map(toml, value))}]"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")


def table(name: str, values: Mapping[str, object]) -> str:
    return f"[{name}]\n" + "".join(f"{key} = {toml(value)}\n" for key, value in values.items())


def written(path: Path, text: str, environ: Mapping[str, str] = KEPT) -> ProcessSettings:
    """Write the file. Return the settings of a process that has it."""
    path.write_text(text, encoding="utf-8")
    return process_of(path, environ)


def process_of(path: Path, environ: Mapping[str, str] = KEPT) -> ProcessSettings:
    return settings.load_part(settings.read_process, {**environ, "COBROWSE_WORKSPACES": str(path)})


def only(workspaces: Workspaces) -> WorkspaceSettings:
    (workspace,) = workspaces.values()
    return workspace


def settings_of(workspace: WorkspaceSettings) -> Settings:
    assert workspace.settings, workspace.error
    return workspace.settings


def faults_of(workspace: WorkspaceSettings) -> list[str]:
    assert workspace.error
    assert workspace.settings is None
    return workspace.error.faults


def fault_of_file(process: ProcessSettings) -> str:
    """Return the only sentence with which the file is refused as a whole, without the path before it."""
    with pytest.raises(SettingsError) as caught:
        read_workspaces(process)
    (fault,) = caught.value.faults
    return fault.removeprefix(f"{process.workspaces_file}: ")


def socket_table(name: str, folder: Path, **more: object) -> str:
    """Return a table for Socket Mode whose secrets are in files of the folder, which this function writes."""
    secrets = {key: value for key, value in SOCKET.items() if key not in GENESYS or key == "GENESYS_CLIENT_SECRET"}
    values: dict[str, object] = {"genesys_region": "us-west-2", "genesys_client_id": "client-1"}
    for key, value in secrets.items():
        file = folder / f"{name}-{key.lower()}"
        file.write_text(f"{value}-{name}\n", encoding="utf-8")
        values[key.lower()] = {"file": str(file)}
    return table(name, values | more)
