"""When Postgres is slow to accept a request, the person is answered within Slack's time limit."""

import time
from contextlib import AsyncExitStack
from pathlib import Path

import asyncpg
import pytest

from bot.core.errors import MaybeAcceptedError
from tests.support.postgres import new_database
from tests.support.storage import Database, request


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
