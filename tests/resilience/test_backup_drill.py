"""A drill: back up while requests are in progress, lose the machine, restore elsewhere, and continue."""

import asyncio
import json
import os
import subprocess
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner

from bot.cli.commands import main
from tests.support import bot_processes
from tests.support.app import ANA, BEN, is_failure, is_note, link, words
from tests.support.bot_processes import SECONDS, Bots, outcomes
from tests.support.postgres import new_database, server
from tests.support.replicas import replica

bots, database = bot_processes.bots, bot_processes.database


@dataclass(frozen=True, slots=True)
class Operator:
    """Runs commands of `cobrowse-bot db` with the bot's key, and for Postgres the commands that they print."""

    key: str
    folder: Path

    async def types(self, url: str, *arguments: str) -> None:
        environ = {"DATABASE_URL": url, "STORE_ENCRYPTION_KEY": self.key}
        result = await asyncio.to_thread(lambda: CliRunner().invoke(main, ["db", *arguments], env=environ))
        if url.startswith("sqlite"):
            assert result.exit_code == 0, result.stderr
            return
        assert result.exit_code == 1
        environ["PATH"] = f"{server().bin_path}:{os.environ['PATH']}"
        for line in result.stdout.splitlines():
            await asyncio.to_thread(
                subprocess.run, ["bash", "-c", line], env=environ, check=True, cwd=self.folder, capture_output=True
            )

    async def counts_secrets(self, url: str) -> dict[str, int]:
        environ = {"DATABASE_URL": url, "STORE_ENCRYPTION_KEY": self.key}
        result = await asyncio.to_thread(lambda: CliRunner().invoke(main, ["db", "status", "--json"], env=environ))
        counts: dict[str, int] = json.loads(result.stdout)["secrets"]
        return counts


@pytest.fixture
async def elsewhere(database: str, tmp_path: Path) -> AsyncIterator[str]:
    """Yield the URL of an empty database of the same kind on another machine."""
    async with AsyncExitStack() as stack:
        if database.startswith("sqlite"):
            (tmp_path / "elsewhere").mkdir()
            yield f"sqlite:///{tmp_path / 'elsewhere' / 'bot.db'}"
        else:
            yield await stack.enter_async_context(new_database())


async def test_bot_goes_on_from_a_backup_that_was_made_under_load(
    bots: Bots, database: str, elsewhere: str, tmp_path: Path
) -> None:
    slack, genesys = bots.servers.slack, bots.servers.genesys
    operator = Operator(bots.environ["STORE_ENCRYPTION_KEY"], tmp_path)
    lost = await bots.start()
    await slack.command(BEN, "Before the backup")
    await outcomes(bots, BEN, 1)
    (before,) = slack.seen_by(BEN)

    await genesys.inject_fault("slow", seconds=6.0)
    deliveries = [await slack.command(ANA, f"Deal {number}") for number in range(3)]
    backing_up = asyncio.create_task(operator.types(database, "backup", str(tmp_path / "copy")))
    while not backing_up.done():
        deliveries.append(await slack.command(BEN, "help"))
        await asyncio.sleep(0.1)
    await backing_up
    assert [delivery.error for delivery in deliveries if not delivery.acked] == []
    assert len(genesys.sessions) == 1  # those of Ana were under way during the whole backup
    cards = await slack.workspace.until(
        lambda: len(found := [each for each in slack.seen_by(ANA) if not is_note(each)]) == 3 and found, SECONDS
    )
    assert len({link(card) for card in cards}) == 3
    lost.kill()
    await lost.wait()
    await genesys.inject_fault(None)

    await operator.types(elsewhere, "restore", str(tmp_path / "copy"))
    creates = len(genesys.creates)
    async with replica(bots.servers, elsewhere):
        told = await slack.workspace.until(
            lambda: len(found := [*filter(is_failure, slack.seen_by(ANA))]) >= 3 and found, SECONDS
        )
        assert ["I was restarted" in words(message) for message in told] == [True] * 3
        await slack.command(BEN, "end")
        await slack.workspace.until(lambda: genesys.sessions[genesys.creates[0].session_id].status != "active", SECONDS)
        await asyncio.sleep(0.5)  # nothing else is to come
    assert len(genesys.creates) == creates == 4  # no session was created a second time
    assert link(before) == genesys.sessions[genesys.creates[0].session_id].join_url
    assert len([*filter(is_failure, slack.seen_by(ANA))]) == 3


async def test_restored_backup_keeps_what_was_answered(
    bots: Bots, database: str, elsewhere: str, tmp_path: Path
) -> None:
    """`last` reads the session, whose link only the key decrypts."""
    operator = Operator(bots.environ["STORE_ENCRYPTION_KEY"], tmp_path)
    lost = await bots.start()
    await bots.servers.slack.command(ANA, "Checkout help")
    await outcomes(bots, ANA, 1)
    (first,) = bots.servers.slack.seen_by(ANA)
    async with asyncio.timeout(SECONDS):
        while (await operator.counts_secrets(database))["newest_key"] != 1:  # noqa: ASYNC110 - the store tells nobody
            await asyncio.sleep(0.05)
    lost.kill()
    await lost.wait()
    await operator.types(database, "backup", str(tmp_path / "copy"))
    await operator.types(elsewhere, "restore", str(tmp_path / "copy"))
    assert await operator.counts_secrets(elsewhere) == {"newest_key": 1, "older_key": 0, "unreadable": 0}
    async with replica(bots.servers, elsewhere):
        await bots.servers.slack.command(ANA, "last")
        assert "Checkout help" in (await outcomes(bots, ANA, 2))[1]
        assert link(bots.servers.slack.seen_by(ANA)[1]) == link(first)
