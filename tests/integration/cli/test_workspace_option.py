"""The option --workspace of each command that reads a workspace's settings or rows."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from bot.cli.commands import main
from tests.support import cli
from tests.support.app import Servers, open_servers
from tests.support.cli import ANA
from tests.support.several import Tables
from tests.support.workspaces import ACME, GLOBEX, KEPT

HOST = "2f7b0c9e-0000-4000-8000-00000000000a"
NEEDING = (
    ["hosts", "set", "U0ANA", HOST],
    ["hosts", "remove", "U0ANA"],
    ["hosts", "list"],
    ["hosts", "import", "links.csv"],
    ["hosts", "export"],
    ["export", "U0ANA"],
    ["forget", "U0ANA"],
    ["manifest"],
    ["start"],
    ["applications"],
)
WHOLE = (["db", "status"], ["keygen", "encryption"])
Typed = Callable[..., Awaitable[Result]]
database = cli.database
sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def typed(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Typed:
    """Return a function that runs a command in a directory with a file of the workspaces acme and globex."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file.toml").write_text(ACME + GLOBEX)
    (tmp_path / "links.csv").write_text(f"slack_user_id,genesys_user_id\nU0ANA,{HOST}\n")

    async def run(*arguments: str, **environ: str) -> Result:
        usual = {"DATABASE_URL": database, "COBROWSE_WORKSPACES": "file.toml", "AUDIT_LOG": "audit.jsonl"}
        given = {**KEPT, **usual, **environ}
        return await asyncio.to_thread(lambda: CliRunner().invoke(main, arguments, env=given))

    return run


@pytest.fixture
async def servers() -> AsyncIterator[Servers]:
    async with open_servers() as started:
        yield started


def sentence(result: Result) -> str:
    """Return the sentence about a mistake on the command line."""
    assert (result.exit_code, result.stdout) == (2, "")
    return result.stderr.splitlines()[-1].removeprefix("Error: ")


async def listed(typed: Typed, workspace: str) -> str:
    result = await typed("hosts", "list", "--workspace", workspace)
    assert result.exit_code == 0, result.stderr
    return result.stdout


@sqlite
@pytest.mark.parametrize("command", NEEDING, ids=" ".join)
async def test_command_names_the_workspaces_that_there_are(typed: Typed, command: list[str], tmp_path: Path) -> None:
    assert sentence(await typed(*command)) == "--workspace is needed: acme or globex."
    wanted = "--workspace must be acme or globex, not 'initech'."
    assert sentence(await typed(*command, "--workspace", "initech")) == wanted
    assert "bot.db" not in os.listdir(tmp_path)


@sqlite
@pytest.mark.parametrize("command", [*NEEDING, ["check"]], ids=" ".join)
async def test_single_workspace_has_no_name(typed: Typed, command: list[str]) -> None:
    result = await typed(*command, "--workspace", "acme", COBROWSE_WORKSPACES="")
    wanted = "Leave out --workspace: COBROWSE_WORKSPACES is not set, so there is a single workspace."
    assert sentence(result) == wanted


@sqlite
@pytest.mark.parametrize("command", WHOLE, ids=" ".join)
async def test_command_about_the_whole_bot_needs_no_workspace(typed: Typed, command: list[str]) -> None:
    assert (await typed(*command)).exit_code == 0


@sqlite
async def test_unusable_file_is_said_with_its_code(typed: Typed, tmp_path: Path) -> None:
    result = await typed("hosts", "list", "--workspace", "acme", COBROWSE_WORKSPACES="missing.toml")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == (
        "missing.toml: the file is missing. Make it, or correct COBROWSE_WORKSPACES. [file_missing]\n"
    )
    (tmp_path / "file.toml").write_text("[acme]\nslack_bot_token = xoxb-hush\n")
    result = await typed("hosts", "list")
    assert (result.exit_code, "line 2" in result.stderr, "hush" in result.stderr) == (1, True, False)


@sqlite
async def test_check_reports_an_unusable_file_itself(typed: Typed, tmp_path: Path) -> None:
    for arguments in ([], ["--workspace", "acme"], ["--person", "U0ANA"]):
        result = await typed("check", *arguments, COBROWSE_WORKSPACES="missing.toml")
        assert (result.exit_code, result.stderr) == (1, "")
        assert "missing.toml: the file is missing. [settings_invalid]" in result.stdout
        assert "Make it, or correct COBROWSE_WORKSPACES." in result.stdout


@sqlite
@pytest.mark.parametrize("arguments", [[], ["--workspace", "acme"]], ids=["none", "acme"])
async def test_unusable_env_file_is_said_by_the_command(typed: Typed, tmp_path: Path, arguments: list[str]) -> None:
    (tmp_path / ".env").mkdir()
    result = await typed("hosts", "list", *arguments)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith(".env: is a folder, not a file.")


async def test_links_of_a_workspace_are_apart(typed: Typed) -> None:
    await typed("hosts", "set", "U0ANA", HOST, "--workspace", "acme")
    await typed("hosts", "import", "links.csv", "--workspace", "globex")
    assert await listed(typed, "acme") == await listed(typed, "globex") == f"U0ANA\t{HOST}\tany workspace\n"
    assert (await typed("hosts", "remove", "U0ANA", "--workspace", "acme")).exit_code == 0
    assert (await typed("hosts", "remove", "U0ANA", "--workspace", "acme")).exit_code == 1
    assert await listed(typed, "acme") == ""
    exported = await typed("hosts", "export", "--workspace", "globex")
    assert "U0ANA" in exported.stdout
    alone = await typed("hosts", "list", COBROWSE_WORKSPACES="")
    assert (alone.exit_code, alone.stdout) == (0, "")


async def test_person_is_exported_and_forgotten_in_one_workspace(typed: Typed, tmp_path: Path) -> None:
    for name in ("acme", "globex"):
        await typed("hosts", "set", "U0ANA", HOST, "--workspace", name)
    exported = json.loads((await typed("export", "U0ANA", "--workspace", "acme")).stdout)
    assert (exported["workspace"], exported["person"], len(exported["links"])) == ("acme", "U0ANA", 1)
    assert "acme|" not in json.dumps(exported)
    forgotten = await typed("forget", "U0ANA", "--workspace", "acme")
    assert forgotten.stdout == "Deleted: 1 link to a Genesys user.\nNothing is stored about U0ANA in acme now.\n"
    again = await typed("forget", "U0ANA", "--workspace", "acme", "--team", "T0TWO")
    assert again.stdout == "Nothing is stored about U0ANA in T0TWO of acme now.\n"
    assert await listed(typed, "acme") == ""
    assert "U0ANA" in await listed(typed, "globex")
    lines = [json.loads(line) for line in (tmp_path / "audit.jsonl").read_text().splitlines()]
    assert [(line["workspace"], line["action"]) for line in lines] == [("acme", "export"), *[("acme", "forget")] * 2]


@sqlite
async def test_keys_of_the_table_that_name_the_person_are_listed(typed: Typed, tmp_path: Path) -> None:
    text = ACME + 'cobrowse_admins = ["U0BEN", "U0ANA"]\ncobrowse_members = "U0ANA2"\naudit_log = "acme.jsonl"\n'
    (tmp_path / "file.toml").write_text(f"{text}nonsense = 7\n{GLOBEX}cobrowse_admins = 'U0ANA'\n")
    await typed("hosts", "set", "U0BEN", HOST, "--workspace", "acme")
    result = await typed("forget", "U0ANA", "--workspace", "acme")
    assert (result.exit_code, result.stderr) == (0, "[acme] cobrowse_admins names U0ANA. Change it.\n")
    assert (tmp_path / "acme.jsonl").exists()  # the table's audit log, not the process's
    assert not (tmp_path / "audit.jsonl").exists()


@sqlite
async def test_manifest_leads_to_the_path_of_the_workspace(typed: Typed, tmp_path: Path) -> None:
    public = 'cobrowse_public_url = "https://bots.example.com"\ncobrowse_members = ["S0TEAM"]\n'
    (tmp_path / "file.toml").write_text(f"{ACME}{public}{GLOBEX}")
    result = await typed("manifest", "--workspace", "acme")
    made, url = yaml.safe_load(result.stdout), "https://bots.example.com/slack/events/acme"
    assert result.stdout.startswith("# Made by `cobrowse-bot manifest --workspace acme`.")
    assert made["features"]["slash_commands"][0]["url"] == url
    assert made["settings"]["interactivity"]["request_url"] == url
    assert made["settings"]["event_subscriptions"]["request_url"] == url
    assert "usergroups:read" in made["oauth_config"]["scopes"]["bot"]
    for given in ("https://bots.example.com", "https://bots.example.com/slack/events", url):
        again = await typed("manifest", "--workspace", "acme", "--http", given)
        assert yaml.safe_load(again.stdout) == made
    everything = await typed("manifest", "--all", "--json", "--command", "/screen", "--workspace", "acme")
    found = json.loads(everything.stdout)
    assert found["features"]["slash_commands"][0] | {"description": "", "usage_hint": ""} == {
        **{"command": "/screen", "url": url, "should_escape": True, "description": "", "usage_hint": ""}
    }
    lacking = await typed("manifest", "--workspace", "globex")
    assert (lacking.exit_code, "--http https://bot.example.com" in lacking.stderr) == (1, True)


@sqlite
@pytest.mark.parametrize("held", ['{file = "not-there-yet"}', '{env = "NOT_SET_YET"}'])
async def test_manifest_is_printed_before_the_secrets_exist(typed: Typed, tmp_path: Path, held: str) -> None:
    names = ("slack_bot_token", "slack_app_token", "slack_signing_secret", "genesys_client_secret")
    (tmp_path / "file.toml").write_text("[acme]\n" + "".join(f"{name} = {held}\n" for name in names) + GLOBEX)
    result = await typed("manifest", "--workspace", "acme")
    assert (result.exit_code, result.stderr) == (0, "")
    assert yaml.safe_load(result.stdout)["settings"]["socket_mode_enabled"] is True


@sqlite
async def test_setting_of_a_workspace_in_the_environment_is_refused(typed: Typed) -> None:
    for command in (["manifest"], ["applications"]):
        result = await typed(*command, "--workspace", "acme", COBROWSE_COMMAND="/screen")
        assert (result.exit_code, result.stdout) == (1, "")
        assert "COBROWSE_COMMAND: belongs in a table of file.toml, as cobrowse_command." in result.stderr


@sqlite
async def test_session_and_applications_are_those_of_the_workspace(
    typed: Typed, servers: Servers, tmp_path: Path
) -> None:
    tables = Tables(tmp_path)
    tables.put("acme", {**servers.environ, "GENESYS_HOST_USER_ID": ANA})
    tables.put("globex", {"GENESYS_REGION": "us-west-2"})
    servers.genesys.applications = {"web": "Web", "shop": "Web shop"}
    path = {"COBROWSE_WORKSPACES": str(tables.path)}
    found = await typed("applications", "--workspace", "acme", **path)
    assert (found.exit_code, found.stdout) == (0, "web\tWeb\nshop\tWeb shop\n")
    started = await typed("start", "--json", "--workspace", "acme", **path)
    assert json.loads(started.stdout)["hostUserId"] == ANA
    assert len(servers.genesys.creates) == 1
    wrong = await typed("applications", "--workspace", "globex", **path)
    assert (wrong.exit_code, wrong.stdout) == (1, "")
    assert "[globex] genesys_client_id is missing." in wrong.stderr
