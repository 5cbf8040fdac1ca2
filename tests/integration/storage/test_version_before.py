"""A database that the version before errors had codes left behind: its requests are resumed and told as they were."""

import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest

from bot.core.errors import (
    HostNotFoundError,
    LoginRefusedError,
    MessageNotPostedError,
    NotAMemberError,
    RequestInterruptedError,
    SeveralConversationsError,
    SignInFailedError,
    SlackUnavailableError,
)
from bot.core.models import RequestState, Session
from bot.core.ports import RequestRepository, StoredRequest
from bot.core.requests.recovery import known_failure
from bot.storage.open import open_store
from bot.storage.schema import FOR_REPLICAS
from tests.support.app import ROOT
from tests.support.postgres import new_database

ROWS = (Path(ROOT) / "tests" / "support" / "data" / "version-5.sql").read_text(encoding="utf-8")
FAILURES = {
    "f-oauth": LoginRefusedError(oauth_error="invalid_scope", reference="ref-1"),
    "f-host": HostNotFoundError,
    "f-slack": SlackUnavailableError("ratelimited"),
    "f-member": NotAMemberError,
    "f-interrupted": RequestInterruptedError(maybe_created=True),
    "f-posted": MessageNotPostedError("fatal_error"),
    "f-several": SeveralConversationsError,
    "f-signin": SignInFailedError(oauth_error="invalid_grant"),
}


@asynccontextmanager
async def sqlite_file(folder: Path) -> AsyncIterator[str]:
    path = folder / "old.db"
    with sqlite3.connect(path) as connection:
        connection.executescript(ROWS.replace(":now", str(time.time() - 60)))
    connection.close()
    yield f"sqlite:///{path}"


@asynccontextmanager
async def postgres(folder: Path) -> AsyncIterator[str]:
    async with new_database() as url:
        connection = await asyncpg.connect(url)
        await connection.execute(ROWS.replace(":now", str(time.time() - 60)))
        for statement in FOR_REPLICAS:
            await connection.execute(statement)
        await connection.close()
        yield url


async def resumed(store: RequestRepository) -> dict[str, StoredRequest]:
    return {kept.request.id: kept for kept in await store.orphans()}


@pytest.mark.parametrize("database", [sqlite_file, postgres], ids=["sqlite", "postgres"])
async def test_requests_of_the_version_before_are_resumed(database, tmp_path: Path) -> None:
    async with database(tmp_path) as url, open_store(url) as store:
        kept = await resumed(store)
        assert set(kept) == {"accepted", "creating", "created", *FAILURES}
        assert kept["accepted"].state is RequestState.ACCEPTED
        assert known_failure(kept["accepted"]) is None  # it is worked
        interrupted = known_failure(kept["creating"])
        assert isinstance(interrupted, RequestInterruptedError)
        assert interrupted.maybe_created
        assert known_failure(kept["created"]) is None
        session = kept["created"].session
        assert isinstance(session, Session)
        assert session.join_url == "https://join.example.test/old"
        for name, expected in FAILURES.items():
            failure = known_failure(kept[name])
            assert type(failure) is (expected if isinstance(expected, type) else type(expected)), name
            if not isinstance(expected, type):
                assert vars(failure) == vars(expected), name
        assert await store.advance("f-oauth", RequestState.FAILED, RequestState.ANSWERED)
