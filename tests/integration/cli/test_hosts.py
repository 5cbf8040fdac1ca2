"""`cobrowse-bot hosts`, as somebody types it: links are set, removed, listed, imported and exported, all or none."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import asyncpg
import pytest
from click.testing import CliRunner, Result

from bot.cli.commands import main
from bot.core.hosts.resolver import LINK
from tests.support import cli
from tests.support.app import BEN, HOSTS, UNA, ended, open_servers, start
from tests.support.bot_processes import Bots, outcomes

ONE, TWO = "2f7b0c9e-0000-4000-8000-00000000000a", "2f7b0c9e-0000-4000-8000-00000000000b"
HEADER = "slack_user_id,genesys_user_id,team_id\n"
Typed = Callable[..., Awaitable[Result]]
database = cli.database


@pytest.fixture
def hosts(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Typed:
    """Return a function that runs a command of `hosts` in a directory without .env."""
    monkeypatch.chdir(tmp_path)

    async def typed(*arguments: str, **environ: str) -> Result:
        given = {"DATABASE_URL": database} | environ
        return await asyncio.to_thread(lambda: CliRunner().invoke(main, ["hosts", *arguments], env=given))

    return typed


async def listed(hosts: Typed) -> list[str]:
    result = await hosts("list")
    assert (result.exit_code, result.stderr) == (0, "" if result.stdout else "There are no links.\n")
    return result.stdout.splitlines()


async def test_a_link_is_set_listed_changed_and_removed(hosts: Typed) -> None:
    result = await hosts("set", "U0ANA", ONE.upper())
    assert (result.exit_code, result.stdout, result.stderr) == (0, f"U0ANA is linked to {ONE}.\n", "")
    await hosts("set", "U0ANA", TWO, "--team", "T0TWO")
    assert await listed(hosts) == [f"U0ANA\t{ONE}\tany workspace", f"U0ANA\t{TWO}\tT0TWO"]
    await hosts("set", "U0ANA", TWO)
    assert await listed(hosts) == [f"U0ANA\t{TWO}\tany workspace", f"U0ANA\t{TWO}\tT0TWO"]
    removed = await hosts("remove", "U0ANA")
    assert (removed.exit_code, removed.stdout) == (0, "U0ANA is linked no more.\n")
    assert await listed(hosts) == [f"U0ANA\t{TWO}\tT0TWO"]


@pytest.mark.parametrize("database", ["postgres"], indirect=True)
async def test_a_slow_database_is_waited_for(hosts: Typed, database: str) -> None:
    """A running bot gives up a read after 1.5 s. Nobody in Slack waits for a command."""
    await hosts("set", "U0ANA", ONE)
    blocker = await asyncpg.connect(database)
    async with blocker.transaction():
        await blocker.execute("LOCK TABLE links")
        listing = asyncio.create_task(listed(hosts))
        await asyncio.sleep(1.8)
    assert await listing == [f"U0ANA\t{ONE}\tany workspace"]
    await blocker.close()


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("arguments", [["list"], ["export"], ["remove", "U0ANA"]])
async def test_a_database_that_is_not_there_is_told_and_not_made(
    hosts: Typed, tmp_path: Path, arguments: list[str]
) -> None:
    result = await hosts(*arguments)
    assert (result.exit_code, result.stdout) == (1, "")
    (line,) = result.stderr.splitlines()
    assert line.startswith(f"There is no database {tmp_path / 'bot.db'}. Run this where the bot runs")
    assert line.endswith(" [database_file_missing]")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("where", [[], ["--team", "T0TWO"]])
async def test_a_link_that_is_not_there_cannot_be_removed(hosts: Typed, where: list[str]) -> None:
    await hosts("set", "U0ANA", ONE, "--team", "T0ONE")
    result = await hosts("remove", "U0ANA", *where)
    assert (result.exit_code, result.stdout) == (1, "")
    (line,) = result.stderr.splitlines()
    assert "There is no link of U0ANA" in line
    assert len(await listed(hosts)) == 1


@pytest.mark.parametrize(
    ("arguments", "wrong"),
    [
        (["ana", ONE], ["'ana' is no Slack user id"]),
        (["U0ANA", "42"], ["'42' is no UUID"]),
        (["U0ANA", ONE, "--team", "C0DESK"], ["'C0DESK' is no Slack team id"]),
        (["", "x", "--team", "y"], ["'' is no Slack user id", "'x' is no UUID", "'y' is no Slack team id"]),
        ([f"U0ANA,{ONE}\nU0BEN", TWO], ["is no Slack user id"]),
    ],
)
async def test_unusable_link_is_refused_with_all_its_faults(
    hosts: Typed, arguments: list[str], wrong: list[str]
) -> None:
    result = await hosts("set", *arguments)
    assert (result.exit_code, result.stdout) == (1, "")
    lines = result.stderr.splitlines()
    assert len(lines) == len(wrong)
    for line, phrase in zip(lines, wrong, strict=True):
        assert phrase in line
        assert not line.startswith("line")
    await hosts("set", "U0BEN", ONE)
    assert await listed(hosts) == [f"U0BEN\t{ONE}\tany workspace"]


async def test_file_is_imported_with_progress_and_exported_again(hosts: Typed, tmp_path: Path) -> None:
    many = HEADER + "".join(f"U{number:05d},{ONE},\n" for number in range(1200)) + f"U01199,{TWO},T0TWO\n"
    (tmp_path / "hosts.csv").write_text(many)
    result = await hosts("import", "hosts.csv")
    assert (result.exit_code, result.stdout) == (0, "1201 links imported.\n")
    assert "Importing" in result.stderr
    assert (await hosts("export")).stdout == many
    assert (await hosts("export", "again.csv")).stdout == ""
    assert (tmp_path / "again.csv").read_text() == many
    await hosts("remove", "U00000")
    await hosts("import", "again.csv")
    assert (await hosts("export")).stdout == many


async def test_export_without_a_database_keeps_the_old_file(hosts: Typed, tmp_path: Path) -> None:
    (tmp_path / "hosts.csv").write_text(f"{HEADER}U0ANA,{ONE},\n")
    result = await hosts("export", "hosts.csv", DATABASE_URL="sqlite:////nowhere/bot.db")
    assert (result.exit_code, result.stdout) == (1, "")
    assert (tmp_path / "hosts.csv").read_text() == f"{HEADER}U0ANA,{ONE},\n"
    await hosts("export", "new.csv", DATABASE_URL="sqlite:////nowhere/bot.db")
    assert not (tmp_path / "new.csv").exists()


@pytest.mark.parametrize("path", ["nowhere/hosts.csv", "."])
async def test_a_file_that_cannot_be_written_is_one_sentence(hosts: Typed, path: str) -> None:
    await hosts("set", "U0ANA", ONE)
    result = await hosts("export", path)
    assert (result.exit_code, result.stdout) == (1, "")
    (line,) = result.stderr.splitlines()
    assert line.startswith(f"{path} cannot be written: ")


async def test_a_single_link_of_a_file_is_called_one(hosts: Typed, tmp_path: Path) -> None:
    (tmp_path / "hosts.csv").write_text(f"{HEADER}U0ANA,{ONE},\n")
    assert (await hosts("import", "hosts.csv")).stdout == "1 link imported.\n"


async def test_every_bad_line_is_reported_and_none_is_imported(hosts: Typed, tmp_path: Path) -> None:
    await hosts("set", "U0BEN", ONE)
    bad = f"{HEADER}ana,{ONE},\nU0BEN,{TWO},\nU0CAT,not-a-uuid,\nU0DOG,{ONE},C0DESK\nU0ELK,{ONE},,x\nU0BEN,{TWO},\n"
    (tmp_path / "hosts.csv").write_text(bad)
    result = await hosts("import", "hosts.csv")
    assert (result.exit_code, result.stdout) == (1, "")
    first, *lines = result.stderr.splitlines()
    assert first == "Nothing was imported:"
    assert [line.partition(":")[0] for line in lines] == [f"  line {number}" for number in (2, 4, 5, 6, 7)]
    assert await listed(hosts) == [f"U0BEN\t{ONE}\tany workspace"]


@pytest.mark.parametrize("path", ["nowhere.csv", "binary.csv", "."])
async def test_a_file_that_cannot_be_read_is_one_sentence(hosts: Typed, tmp_path: Path, path: str) -> None:
    (tmp_path / "binary.csv").write_bytes(b"\xff\xfe")
    result = await hosts("import", path)
    assert (result.exit_code, result.stdout) == (1, "")
    (line,) = result.stderr.splitlines()
    assert line.startswith(f"{path} cannot be read: ")


@pytest.mark.parametrize(
    ("environ", "told", "code"),
    [
        ({"DATABASE_URL": "memory:"}, "DATABASE_URL is memory:", "database_memory"),
        ({"DATABASE_URL": "mysql://bot:hush@db"}, "DATABASE_URL: must be", "settings_invalid"),
        ({"DATABASE_URL": "postgresql://bot:hush#1@db/bot"}, "DATABASE_URL: has a # in it", "settings_invalid"),
        (
            {"DATABASE_URL": "postgresql://bot:hush@127.0.0.1:1/bot"},
            "Nothing takes connections at the host and port",
            "database_connection_refused",
        ),
        (
            {"DATABASE_URL": "sqlite:////nowhere/bot.db"},
            "The database /nowhere/bot.db cannot be made: there is no directory /nowhere.",
            "database_directory_missing",
        ),
        ({"STORE_ENCRYPTION_KEY": "hush"}, "STORE_ENCRYPTION_KEY: must hold Fernet keys", "settings_invalid"),
    ],
)
async def test_unusable_database_is_one_sentence_and_sets_no_link(
    hosts: Typed, environ: dict[str, str], told: str, code: str
) -> None:
    result = await hosts("set", "U0ANA", ONE, **environ)
    assert (result.exit_code, result.stdout) == (1, "")
    (line,) = result.stderr.splitlines()
    assert line.startswith(told)
    assert line.endswith(f" [{code}]")
    assert "hush" not in line


@pytest.fixture
async def bots(database: str, tmp_path: Path) -> AsyncIterator[Bots]:
    async with open_servers(http=False) as servers:
        opened = Bots(servers, database, tmp_path)
        yield opened
        await opened.close()


async def test_link_takes_effect_at_once_in_a_running_bot(hosts: Typed, bots: Bots) -> None:
    host = HOSTS[BEN] + "-2222-4222-8222-222222222222"
    slack, told = bots.servers.slack, []
    bots.environ["COBROWSE_HELP_CONTACT"] = UNA  # the contact reads the Genesys user and the rule
    await bots.start()
    for number, command in enumerate((None, ("set", UNA, host), ("remove", UNA)), 1):
        assert (
            command is None
            or (await hosts(*command, STORE_ENCRYPTION_KEY=bots.environ["STORE_ENCRYPTION_KEY"])).exit_code == 0
        )
        await slack.command(UNA, "whoami")
        told.append((await outcomes(bots, UNA, number))[-1])
    assert ["isn’t connected to Genesys" in each for each in told] == [True, False, True]
    assert host in told[1]
    assert LINK in told[1]


async def test_import_takes_effect_for_the_next_session(hosts: Typed, bots: Bots, tmp_path: Path) -> None:
    host = HOSTS[BEN] + "-2222-4222-8222-222222222222"
    (tmp_path / "hosts.csv").write_text(f"{HEADER}{UNA},{host},\n")
    await bots.start()
    key = bots.environ["STORE_ENCRYPTION_KEY"]
    assert (await hosts("import", "hosts.csv", STORE_ENCRYPTION_KEY=key)).exit_code == 0
    await bots.servers.slack.command(UNA, "Deal")
    await outcomes(bots, UNA, 1)
    assert [create.body["hostUserId"] for create in bots.servers.genesys.creates] == [host]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_a_second_run_on_one_file_ends_with_one_sentence(bots: Bots, tmp_path: Path) -> None:
    bots.environ["COBROWSE_HELP_CONTACT"] = BEN  # the contact reads the Genesys user
    await bots.start()
    code, out, err = await ended(await start(tmp_path, {**bots.environ, "LOG_LEVEL": "ERROR"}))
    assert (code, out) == (1, "")
    assert err.startswith("Another bot runs on the database ")
    assert err.endswith(". Stop it first. [database_file_in_use]\n")  # `check` would find no error
    assert err.count("\n") == 1
    await bots.servers.slack.command(BEN, "whoami")  # the first one goes on
    assert HOSTS[BEN] in (await outcomes(bots, BEN, 1))[0]
