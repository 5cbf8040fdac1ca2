"""Open a database that a newer program has migrated: an older program uses it if that step only added something."""

from typing import Any

import pytest
from cryptography.fernet import Fernet

from bot.core.models import (
    ChannelId,
    Host,
    LinkedAccount,
    PostedMessage,
    PostedMessageKind,
    RequestState,
    SessionId,
    UserId,
)
from bot.storage.errors import StorageSetupError
from bot.storage.schema import USABLE_FROM, VERSION
from tests.support import storage as storage_support
from tests.support.storage import ANA, HOST, TEAM, Database, die, execute, request, run_sql, session

database = storage_support.database
CHANNEL = ChannelId("C0CARE")

NEWER = (
    "ALTER TABLE requests ADD COLUMN of_the_future TEXT",
    "ALTER TABLE sessions ADD COLUMN of_the_future BIGINT NOT NULL DEFAULT 7",
    "CREATE TABLE of_the_future (id TEXT PRIMARY KEY)",
)
"""What a step of the next version may do while programs of this one run."""


async def migrate(database: Database, usable_from: int | None, *statements: str) -> None:
    """Do what a program of the next version does to the tables; one before version 9 wrote no `usable_from`."""
    for statement in statements:
        await execute(database, statement)
    await execute(database, f"UPDATE facts SET value = '{VERSION + 1}' WHERE name = 'version'")
    change = f"UPDATE facts SET value = '{usable_from}'" if usable_from else "DELETE FROM facts"
    await execute(database, f"{change} WHERE name = 'usable_from'")


async def facts(store: Any) -> dict[str, str]:
    return {row["name"]: row["value"] for row in await run_sql(store, "SELECT name, value FROM facts")}


async def test_each_start_says_which_programs_can_use_the_tables(database: Database) -> None:
    store = await database.open()
    assert (await facts(store))["usable_from"] == str(USABLE_FROM)
    await die(store)
    await execute(database, "DELETE FROM facts WHERE name = 'usable_from'")
    again = await database.open(exclusive=False)
    assert (await facts(again))["usable_from"] == str(USABLE_FROM)


async def test_older_program_starts_on_tables_with_additions(database: Database) -> None:
    before = await database.open()
    unfinished = request()
    await before.accept(unfinished)
    await die(before)
    await migrate(database, VERSION, *NEWER)
    store = await database.open(exclusive=False)
    ((taken,),) = [kept for kept in await storage_support.taken_over(store) if kept]
    assert taken.request.id == unfinished.id
    asked = request()
    await store.accept(asked)
    await store.advance(asked.id, RequestState.ACCEPTED, RequestState.CREATING)
    assert await store.advance(asked.id, RequestState.CREATING, RequestState.CREATED, session=session())
    assert (await store.find(asked.id)).session == session()
    assert await store.advance(asked.id, RequestState.CREATED, RequestState.ANSWERED)
    found = await facts(store)
    assert (found["version"], found["usable_from"]) == (str(VERSION + 1), str(VERSION))


async def use_everything(store: Any, name: str) -> None:
    """Store, find and change a sign-in, a request, a session and a post."""
    asked, account = request(), LinkedAccount((TEAM, ANA), HOST, "token")
    await store.connections.connect(account)
    async with store.connections.holding(account.person) as locked:
        assert await locked.renew("another")
    assert (await store.connections.disconnect(account.person)).refresh_token == "another"
    await store.accept(asked)
    await store.advance(asked.id, RequestState.ACCEPTED, RequestState.CREATING)
    assert await store.advance(asked.id, RequestState.CREATING, RequestState.CREATED, session=session(name))
    assert (await store.find(asked.id)).session == session(name)
    await store.sessions.add_post(PostedMessage(SessionId(name), CHANNEL, "1.1", PostedMessageKind.SHARED, None))
    assert len(await store.sessions.posts(name)) == 1
    assert name in {record.session.id for record in await store.sessions.open_sessions(TEAM, ANA, 9)}
    assert await store.advance(asked.id, RequestState.CREATED, RequestState.ANSWERED)


async def test_running_program_goes_on_when_a_newer_one_adds_columns(database: Database) -> None:
    """Postgres refuses a prepared SELECT * whose columns have changed.

    The driver prepares it again, but not in a transaction. So what is in a transaction comes first here.
    """
    store = await database.open()
    await use_everything(store, "before")
    tables = ("requests", "sessions", "posts", "connects", "connections", "notices", "links", "found_hosts")
    await migrate(database, VERSION, *(f"ALTER TABLE {table} ADD COLUMN of_the_future TEXT" for table in tables))
    await use_everything(store, "after")


@pytest.mark.parametrize("usable_from", [VERSION + 1, None], ids=["contracted", "unsaid"])
async def test_newer_database_is_refused_and_left_alone(database: Database, usable_from: int | None) -> None:
    store = await database.open()
    await store.keep_found(TEAM, UserId("U0ANA"), Host(HOST, "same email"), 3600)
    await die(store)
    await migrate(database, usable_from)
    told = rf"newer version \({VERSION + 1}\) than this program \({VERSION}\)"
    for _ in range(2):  # the first refusal has changed nothing
        with pytest.raises(StorageSetupError, match=told):
            await database.open(exclusive=False)
    await execute(database, f"UPDATE facts SET value = '{VERSION}' WHERE name = 'version'")
    again = await database.open(exclusive=False)
    assert (await again.found(TEAM, UserId("U0ANA")))[0] == Host(HOST, "same email")


async def test_older_program_does_not_encrypt_tables_it_does_not_know(database: Database) -> None:
    await die(await database.open())
    await migrate(database, VERSION)
    with pytest.raises(StorageSetupError, match=r"newer version"):
        await database.open(keys=[Fernet.generate_key().decode()], exclusive=False)
    await die(await database.open(exclusive=False))
