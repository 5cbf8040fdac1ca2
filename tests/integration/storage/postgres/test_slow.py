"""When Postgres or Genesys is slow, the person who types a command is answered within Slack's time limit."""

import asyncio
import time
from contextlib import AsyncExitStack
from pathlib import Path

import asyncpg
import pytest

from bot.core.errors import MaybeAcceptedError
from bot.core.models import LinkedAccount, TeamId, UserId
from bot.storage.encryption import new_key
from tests.support.postgres import new_database
from tests.support.storage import HOST, Database, request


async def test_late_request_is_refused_before_slack_gives_up(tmp_path: Path) -> None:
    async with new_database() as url, AsyncExitStack() as stack:
        store = await Database(stack, tmp_path / "unused", url).open()
        blocker = await asyncpg.connect(url)
        async with blocker.transaction():
            await blocker.execute("LOCK TABLE requests")
            began = time.monotonic()
            with pytest.raises(MaybeAcceptedError):
                await store.accept(request())
            assert time.monotonic() - began < 2.8
        await blocker.close()
        assert (await store.accept(request())).is_new


async def test_slow_renewals_of_four_workspaces_stop_no_command(tmp_path: Path) -> None:
    """Each holds the row of an account while Genesys is asked. One workspace renews three accounts at a time."""
    async with new_database() as url, AsyncExitStack() as stack:
        store = await Database(stack, tmp_path / "unused", url).open(keys=[new_key()])
        answered, held = asyncio.Event(), list[str]()

        async def renew(name: str, user: str) -> None:
            person, view = (TeamId("T0"), UserId(user)), store.in_workspace(name)
            await view.connections.connect(LinkedAccount(person, HOST, "refresh"))
            async with view.connections.holding(person):
                held.append(name)
                await answered.wait()

        names = ("acme", "globex", "initech", "umbrella")
        renewals = [asyncio.create_task(renew(name, f"U{user}")) for user in range(3) for name in names]
        await asyncio.sleep(0.5)
        assert 3 <= len(held) < 10
        began = time.monotonic()
        assert (await store.in_workspace("hooli").accept(request())).is_new
        assert time.monotonic() - began < 0.5
        answered.set()
        await asyncio.gather(*renewals)
        assert len(held) == 12
