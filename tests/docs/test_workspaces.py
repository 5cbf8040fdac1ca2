"""The page about several workspaces: its examples are settings that the bot takes."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml

from bot.config import settings
from bot.config.accounts import CALLBACK
from bot.config.variables import PROCESS_ONLY
from bot.config.workspaces.file import open_file
from bot.config.workspaces.load import read_workspaces
from bot.slack.manifest import EVENTS_PATH, below
from tests.support.app import ROOT
from tests.support.kustomize import render
from tests.support.workspaces import settings_of

PAGE = (Path(ROOT) / "docs" / "run" / "workspaces.md").read_text(encoding="utf-8")
KUBERNETES = Path(ROOT) / "deploy" / "kubernetes" / "overlays"
TOKENS = {"bot-token": "xoxb-hush", "app-token": "xapp-hush"}


def block(language: str, part: str = "") -> str:
    """Return the first block of code in this language, below the text `part`."""
    found = re.search(
        rf"^```{language}\n(.*?)^```", PAGE.partition(part)[2] if part else PAGE, re.MULTILINE | re.DOTALL
    )
    assert found
    return found[1]


def environment(folder: Path) -> dict[str, str]:
    """Return the environment of the example, with its file and its secrets in a folder."""
    text = block("toml").replace("/run/secrets/", f"{folder}/").replace("/etc/cobrowse-bot/", f"{folder}/")
    (folder / "globex-hosts.csv").write_text("slack_user_id,genesys_user_id\n")
    for name in re.findall(rf'file = "{folder}/(?:acme|globex)-([\w-]+)"', text):
        for workspace in ("acme", "globex"):
            secret = f"{TOKENS.get(name, 'hush')}-{workspace}-{name}"
            (folder / f"{workspace}-{name}").write_text(secret)
    (folder / "workspaces.toml").write_text(text)
    given = dict(line.split("=", 1) for line in block("sh").splitlines())
    assert set(given) <= PROCESS_ONLY | {"AUDIT_LOG", "STORE_ENCRYPTION_KEY_FILE"}
    (folder / "store-encryption-key").write_text("A" * 43 + "=")
    return {
        **given,
        "COBROWSE_WORKSPACES": str(folder / "workspaces.toml"),
        "STORE_ENCRYPTION_KEY_FILE": str(folder / "store-encryption-key"),
        "GLOBEX_CLIENT_SECRET": "hush-globex",
    }


def test_example_has_two_workspaces_that_can_be_served(tmp_path: Path) -> None:
    process = settings.load_part(settings.read_process, environment(tmp_path))
    found = read_workspaces(process)
    assert {name: settings_of(each).slack.mode for name, each in found.items()} == {"acme": "socket", "globex": "http"}


def test_addresses_are_those_at_which_the_bot_listens(tmp_path: Path) -> None:
    file = open_file(environment(tmp_path))
    features = file.load_part(settings.read_features, "globex")
    assert f"`{features.url}`" in PAGE
    assert f"`https://bot.example.com{below(CALLBACK, 'globex')}`" in PAGE
    assert below(EVENTS_PATH, "globex") == features.path


def of_one_workspace(environ: dict[str, str], folder: Path) -> list[str]:
    """Return the faults about settings that stand in the environment, though they belong in a table."""
    path = folder / "file.toml"
    path.write_text("[acme]\n")
    try:
        open_file({**environ, "COBROWSE_WORKSPACES": str(path)})
    except settings.SettingsError as error:
        return error.faults
    return []


@pytest.mark.parametrize("way", ["sqlite", "postgres"])
def test_literals_take_back_what_an_overlay_sets_for_one(way: str, tmp_path: Path) -> None:
    made = next(each for each in render(KUBERNETES / way) if each["kind"] == "ConfigMap")["data"]
    generator = yaml.safe_load(block("yaml", "With Kubernetes"))["configMapGenerator"][0]
    literals = dict(each.split("=", 1) for each in generator["literals"])
    assert of_one_workspace(made, tmp_path) != []
    assert of_one_workspace({**made, **literals}, tmp_path) == []
    assert literals["COBROWSE_WORKSPACES"].startswith("/run/secrets/cobrowse-bot/")


def test_override_of_compose_takes_back_what_is_for_one(tmp_path: Path) -> None:
    composed = yaml.safe_load((Path(ROOT) / "compose.yaml").read_text(encoding="utf-8"))["services"]["bot"]
    override = yaml.safe_load(block("yaml", "With Compose"))["services"]["bot"]
    environ = {**composed["environment"], **override["environment"]}
    assert of_one_workspace(composed["environment"], tmp_path) != []
    assert of_one_workspace(environ, tmp_path) == []
    (mount,) = override["volumes"]
    assert environ["COBROWSE_WORKSPACES"].startswith(mount.split(":")[1])


def test_commands_of_the_table_take_a_workspace() -> None:
    from bot.cli.commands import main

    rows = dict(re.findall(r"^\| ((?:`\w+`(?:, )?)+) \| (yes|no)", PAGE, re.MULTILINE))
    told = {name: answer == "yes" for names, answer in rows.items() for name in re.findall(r"\w+", names)}
    assert set(told) | {"run"} == set(main.commands)
    for name, command in main.commands.items():
        group = getattr(command, "commands", {"": command})
        takes = {any(each.name == "workspace" for each in one.params) for one in group.values()}
        assert takes == {told.get(name, False) or name == "check"}, name


def test_example_is_toml_without_a_secret() -> None:
    for table in tomllib.loads(block("toml")).values():
        assert not any("xox" in str(value) or "xapp" in str(value) for value in table.values())
