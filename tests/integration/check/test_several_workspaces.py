"""`check` with several workspaces: the file, what they share, and each workspace under its name."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from bot.check import as_text, passed
from bot.check.results import SHARED, CheckResult, Status
from bot.check.workspaces import check_workspaces
from bot.cli import host_links
from bot.config import settings
from bot.core.models import HostId, UserId
from tests.support.app import ANA, CONFIG_TOKEN, QUICK_GENESYS, QUICK_SLACK, Servers, open_servers
from tests.support.check import checked, untouched
from tests.support.several import Tables
from tests.support.workspaces import ACME, KEPT

HOST = "11111111-1111-4111-8111-111111111111"
NAMES = ("acme", "globex")
SERVICES = {"token", "permissions", "application", "users", "slack token", "slack scopes", "slack delivery", "clock"}
OF_PROCESS = {"address", "database", "encryption"}


@dataclass(slots=True)
class World:
    """Two workspaces with a Slack and a Genesys each, and the variables of their process."""

    servers: dict[str, Servers]
    tables: Tables
    environ: dict[str, str]

    async def check(
        self, only: str | None = None, person: str | None = None, **environ: str
    ) -> dict[tuple[str, str], CheckResult]:
        """Return the worst result of each area of each workspace."""
        found = await results({**self.environ, **environ}, only, person)
        order = [Status.FAILED, Status.WARNING, Status.SKIPPED, Status.OK]
        worst_last = sorted(found, key=lambda each: -order.index(each.status))
        return {(each.workspace, each.name): each for each in worst_last}


async def results(environ: dict[str, str], only: str | None = None, person: str | None = None) -> list[CheckResult]:
    return await check_workspaces(
        environ,
        only,
        user_id=UserId(person) if person else None,
        env_file="nowhere",
        genesys_timing=QUICK_GENESYS,
        slack_timing=QUICK_SLACK,
    )


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with AsyncExitStack() as stack:
        tables = Tables(tmp_path)
        servers = {name: await stack.enter_async_context(open_servers()) for name in NAMES}
        for name, each in servers.items():
            tables.put(name, {**each.environ, "COBROWSE_HELP_CONTACT": "U0ADA"})
        for path in list(tmp_path.iterdir()):  # noqa: ASYNC240 - a few small files
            path.chmod(0o600)
        environ = {
            "COBROWSE_WORKSPACES": str(tables.path),
            "DATABASE_URL": f"sqlite:///{tmp_path / 'bot.db'}",
            "STORE_ENCRYPTION_KEY": Fernet.generate_key().decode(),
            "PORT": "0",
        }
        yield World(servers, tables, environ)


def wrong(found: dict[tuple[str, str], CheckResult]) -> dict[tuple[str, str], Status]:
    return {key: each.status for key, each in found.items() if each.status is not Status.OK}


async def test_what_is_shared_is_checked_once_and_each_workspace_for_itself(world: World) -> None:
    found = await world.check()
    assert wrong(found) == {}
    assert {area for workspace, area in found if not workspace} >= OF_PROCESS
    assert "has 2 workspaces: acme, globex" in as_text(list(await results(world.environ)))
    for name in NAMES:
        areas = {area for workspace, area in found if workspace == name}
        assert areas >= SERVICES
        assert not areas & OF_PROCESS
        assert untouched(world.servers[name])
    assert not list(world.tables.folder.glob("bot.db*"))


async def test_fault_of_one_table_is_under_its_name_beside_the_others(world: World) -> None:
    table = world.tables.texts["globex"].replace("slack_bot_token", "slack_bot_tokn")
    world.tables.texts["globex"] = f"{table}\ncobrowse_admin = 'U0ADA'"
    world.tables.write()
    found = await results(world.environ)
    failures = [each for each in found if each.status is Status.FAILED]
    assert {(each.workspace, each.name, each.code) for each in failures} == {("globex", "settings", "settings_invalid")}
    assert any(each.fix == "Did you mean slack_bot_token?" for each in failures)
    shown = {(each.workspace, each.name): each.status for each in found}
    assert shown["globex", "slack token"] is Status.SKIPPED
    assert shown["globex", "token"] is Status.OK  # Genesys does not need what is wrong
    assert shown["acme", "slack token"] is Status.OK
    assert not passed(found)


async def test_text_has_the_name_of_each_workspace_as_a_heading(world: World) -> None:
    lines = as_text(await results(world.environ)).splitlines()
    headings = [line for line in lines if line == SHARED or line.startswith("[")]
    assert headings == [SHARED, "[acme]", "[globex]"]
    assert lines[lines.index("[acme]") - 1] == ""
    only = as_text(await results(world.environ, "acme")).splitlines()
    assert only[0] == "[acme]"


async def test_one_workspace_can_be_checked_alone(world: World) -> None:
    found = await world.check("globex")
    assert {workspace for workspace, _ in found} == {"globex"}
    assert not world.servers["acme"].slack.calls


async def test_configuration_token_may_be_given_to_one_check(world: World) -> None:
    lines = world.tables.texts["acme"].splitlines()
    world.tables.texts["acme"] = "\n".join(line for line in lines if not line.startswith("slack_config_token"))
    world.tables.write()
    app = "acme", "slack app"
    assert (await world.check("acme"))[app].status is Status.SKIPPED
    assert (await world.check("acme", SLACK_CONFIG_TOKEN=CONFIG_TOKEN))[app].status is Status.OK
    everything = await world.check(SLACK_CONFIG_TOKEN=CONFIG_TOKEN)
    assert "SLACK_CONFIG_TOKEN: belongs in a table of" in everything["", "settings"].message


async def test_person_is_one_of_the_workspace_and_its_links(world: World) -> None:
    database = settings.load_part(settings.read_database, world.environ)
    await host_links.add(database, [(None, UserId(ANA), HostId(HOST))], workspace="globex")
    await world.servers["globex"].genesys.inject_fault(None)
    with_link = await world.check("globex", ANA)
    assert HOST in with_link["globex", "host"].message
    assert "link" in with_link["globex", "host"].message
    without = await world.check("acme", ANA)
    assert "link" not in without["acme", "host"].message
    other = await world.check("acme", "U0UNA")
    assert other["acme", "host"].fix.endswith(" --workspace acme.")


async def test_same_app_in_two_tables_is_wrong_in_the_second(world: World) -> None:
    world.tables.texts["globex"] = world.tables.texts["acme"].replace("[acme]", "[globex]")
    world.tables.write()
    found = await world.check()
    assert "slack_bot_token is the same as that of [acme]" in found["globex", "settings"].message
    assert found["acme", "settings"].status is Status.OK


async def test_open_and_missing_files_of_tables_are_reported(world: World) -> None:
    world.tables.secret("acme", "SLACK_BOT_TOKEN").chmod(0o644)
    world.tables.secret("globex", "SLACK_BOT_TOKEN").unlink()
    world.tables.path.chmod(0o666)
    found = await results(world.environ)
    told = {(each.workspace, each.name, each.message) for each in found if each.status is not Status.OK}
    token, file = world.tables.secret("acme", "SLACK_BOT_TOKEN"), world.tables.path
    assert ("acme", "secrets", f"everybody on this machine can read {token}.") in told
    assert ("", "files", f"everybody on this machine can write {file}, and so change what the bot does.") in told
    missing = "[globex] slack_bot_token: the file cannot be read (No such file or directory)."
    assert ("globex", "settings", missing) in told


async def test_open_folder_of_all_secrets_is_reported_once(world: World) -> None:
    world.tables.folder.chmod(0o770)
    found = [each for each in await results(world.environ) if each.name == "files"]
    assert len(found) == 1
    assert [each.workspace for each in await results(world.environ, "globex") if each.name == "files"] == ["globex"]


async def test_variable_that_a_table_names_is_not_called_unknown(world: World) -> None:
    world.tables.texts["acme"] += '\nslack_signing_secret_next = {env = "SLACK_NEXT_OF_ACME"}'
    world.tables.write()
    more = {"SLACK_NEXT_OF_ACME": "next-hush", "SLACK_NEXT_OF_OTHER": "hush"}
    told = [each.message for each in await results({**world.environ, **more}) if each.status is Status.WARNING]
    assert [message for message in told if "OF_ACME" in message] == []
    assert "SLACK_NEXT_OF_OTHER is set, but nothing reads it." in told


@pytest.mark.parametrize(
    ("text", "environ", "told"),
    [
        ("[acme]\nslack_bot_token = xoxb-hush\n", {}, "line 2 is no TOML"),
        (ACME, {"SLACK_BOT_TOKEN": "xoxb-hush"}, "SLACK_BOT_TOKEN: belongs in a table of"),
        (ACME, {"PORT": "many"}, "PORT: must be a whole number"),
        (ACME, {"COBROWSE_WORKSPACES": "/nowhere/hush.toml"}, "the file is missing"),
    ],
    ids=["syntax", "misplaced", "process", "missing"],
)
async def test_unusable_process_or_file_is_said_and_ends_the_check(
    tmp_path: Path, text: str, environ: dict[str, str], told: str
) -> None:
    path = tmp_path / "file.toml"
    path.write_text(text)
    found: Sequence[CheckResult] = await results({**KEPT, "COBROWSE_WORKSPACES": str(path), **environ})
    assert [each.name for each in found] == ["settings", "everything else"]
    assert told in found[0].message
    assert found[0].fix
    assert (found[0].status, found[0].code) == (Status.FAILED, "settings_invalid")
    assert "xoxb-hush" not in as_text(found)


async def test_command_prints_workspace_in_json_and_exits_with_1_for_a_fault(world: World) -> None:
    code, out, _ = await checked(world.tables.folder, world.environ, "--json")
    report = json.loads(out)
    assert (code, report["ok"]) == (0, True)
    assert [*dict.fromkeys(each["workspace"] for each in report["findings"])] == ["", *NAMES]
    world.tables.texts["globex"] += "\nnonsense = 7"
    world.tables.write()
    assert (await checked(world.tables.folder, world.environ))[0] == 1
    assert (await checked(world.tables.folder, world.environ, "--workspace", "acme"))[0] == 0


async def test_person_needs_a_workspace_and_a_name_has_to_exist(world: World) -> None:
    code, out, error = await checked(world.tables.folder, world.environ, "--person", ANA)
    assert (code, out) == (2, "")
    assert error.endswith("Error: --person needs --workspace, too: acme or globex.\n")
    code, out, error = await checked(world.tables.folder, world.environ, "--workspace", "initech")
    assert (code, out) == (2, "")
    assert error.endswith("Error: --workspace must be acme or globex, not 'initech'.\n")
