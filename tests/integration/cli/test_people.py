"""`cobrowse-bot export` and `forget`, as somebody types them, on both databases and beside a running bot."""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bot.cli.commands import main
from tests.support import bot_processes, cli
from tests.support.app import ANA
from tests.support.bot_processes import Bots, outcomes

HOST = "2f7b0c9e-0000-4000-8000-00000000000a"
Typed = Callable[..., Awaitable[Result]]
database = cli.database
bots = bot_processes.bots


@pytest.fixture
def typed(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Typed:
    """Return a function that runs a command in a directory without .env."""
    monkeypatch.chdir(tmp_path)

    async def run(*arguments: str, **environ: str) -> Result:
        given = {"DATABASE_URL": database, "AUDIT_LOG": "audit.jsonl"} | environ
        return await asyncio.to_thread(lambda: CliRunner().invoke(main, arguments, env=given))

    return run


def audited(directory: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (directory / "audit.jsonl").read_text().splitlines()]


async def test_person_is_exported_forgotten_and_in_the_audit_log(typed: Typed, tmp_path: Path) -> None:
    await typed("hosts", "set", "U0ANA", HOST)
    await typed("hosts", "set", "U0BEN", HOST)
    exported = await typed("export", "U0ANA")
    assert exported.exit_code == 0, exported.stderr
    found = json.loads(exported.stdout)
    assert (found["person"], found["team"], len(found["links"]), found["requests"]) == ("U0ANA", None, 1, [])
    result = await typed("forget", "U0ANA", "--team", "T0TWO")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == "Deleted: 1 link to a Genesys user.\nNothing is stored about U0ANA in T0TWO now.\n"
    assert (await typed("forget", "U0ANA")).stdout == "Nothing is stored about U0ANA now.\n"
    assert json.loads((await typed("export", "U0ANA")).stdout)["links"] == []
    assert len(json.loads((await typed("export", "U0BEN")).stdout)["links"]) == 1
    first, second, *_ = lines = audited(tmp_path)
    assert len(lines) == 5
    assert [first[name] for name in ("action", "person", "outcome", "by")] == [
        *("export", "U0ANA", "person_exported", "command line")
    ]
    assert first["rows"] == {"links": 1}
    assert (second["action"], second["team"], second["outcome"]) == ("forget", "T0TWO", "person_forgotten")
    assert (second["deleted"], second["anonymized"]) == ({"links": 1}, {})


async def test_person_with_an_open_session_is_forgotten_afterwards(typed: Typed, bots: Bots, tmp_path: Path) -> None:
    """A bot runs at the same time and keeps the open session."""
    slack, key = bots.servers.slack, {"STORE_ENCRYPTION_KEY": bots.environ["STORE_ENCRYPTION_KEY"]}
    await bots.start()
    await slack.command(ANA, "Checkout help")
    await outcomes(bots, ANA, 1)
    first = await typed("forget", ANA, **key)
    assert first.exit_code == 1
    told = r"Not everything is forgotten yet\. 1 session .*stays? until \d{4}-\d\d-\d\d \d\d:\d\d UTC\."
    assert re.search(told, first.stderr)  # the answer is out a moment before the request counts as answered
    assert len(json.loads((await typed("export", ANA, **key)).stdout)["sessions"]) == 1
    await slack.command(ANA, "end")
    await outcomes(bots, ANA, 2)
    async with asyncio.timeout(20):
        while (last := await typed("forget", ANA, **key)).exit_code:  # noqa: ASYNC110 - the bot tells of it in Slack
            await asyncio.sleep(0.2)
    assert "Nothing is stored about U0ANA now." in last.stdout
    left = json.loads((await typed("export", ANA, **key)).stdout)
    assert [name for name, rows in left.items() if rows] == ["person", "exported_at"]
    assert audited(tmp_path)[0]["outcome"] == "person_partly_forgotten"
    await slack.command(ANA, "Again")  # nothing keeps the person from using the bot
    assert "isn’t connected" not in (await outcomes(bots, ANA, 3))[-1]


async def test_settings_that_name_the_person_are_listed(typed: Typed) -> None:
    await typed("hosts", "set", "U0BEN", HOST)
    result = await typed("forget", "U0ANA", COBROWSE_ADMINS="U0BEN,U0ANA", COBROWSE_MEMBERS="U0ANA2")
    assert (result.exit_code, result.stderr) == (
        0,
        "COBROWSE_ADMINS names U0ANA. Change it, and start the bot again.\n",
    )


@pytest.mark.parametrize("command", ["export", "forget"])
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("arguments", "environ", "told"),
    [
        (["ana"], {}, "take a Slack user's id (U…)"),
        (["U0ANA", "--team", "C0DESK"], {}, "take a Slack workspace's id (T…)"),
        (["U0ANA"], {"DATABASE_URL": "memory:"}, "[database_memory]"),
        (["U0ANA"], {"DATABASE_URL": "sqlite:////nowhere/bot.db"}, "[database_directory_missing]"),
        (["U0ANA"], {"DATABASE_URL": "sqlite:///wrong.db"}, "[database_file_missing]"),
        (["U0ANA"], {"AUDIT_LOG": "/nowhere/audit.jsonl"}, "AUDIT_LOG cannot be written"),
        (["U0ANA"], {"STORE_ENCRYPTION_KEY": "hush"}, "[settings_invalid]"),
    ],
)
async def test_unusable_call_is_refused_and_forgets_nothing(
    typed: Typed, command: str, arguments: list[str], environ: dict[str, str], told: str
) -> None:
    await typed("hosts", "set", "U0ANA", HOST)
    result = await typed(command, *arguments, **environ)
    assert (result.exit_code != 0, result.stdout) == (True, "")
    assert told in result.stderr
    assert "U0ANA" in (await typed("hosts", "list")).stdout


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_audit_line_for_standard_output_is_apart_from_the_export(typed: Typed) -> None:
    await typed("hosts", "set", "U0BEN", HOST)
    result = await typed("export", "U0ANA", AUDIT_LOG="-")
    assert json.loads(result.stdout)["person"] == "U0ANA"
    assert json.loads(result.stderr)["action"] == "export"
