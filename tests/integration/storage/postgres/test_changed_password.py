"""User and password of Postgres change while the store is open: new connections use them, and nothing else changes."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from bot.core.timing import StorageTiming
from bot.storage.encryption import Encryptor
from bot.storage.errors import StorageSetupError
from bot.storage.postgres.address import is_same_database, is_same_user
from bot.storage.postgres.open import open_postgres
from tests.support.postgres import new_database
from tests.support.storage import request

TIMING = StorageTiming(lock_check_seconds=0.5)
RAN_LAST = (
    "FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid() AND query LIKE '%INTO requests%'"
)


@pytest.fixture
async def url() -> AsyncIterator[str]:
    """Give a database with two more superusers. The server takes any password, but no role without LOGIN."""
    async with new_database() as made:
        admin = await asyncpg.connect(made)
        await admin.execute("CREATE ROLE changed_a LOGIN SUPERUSER; CREATE ROLE changed_b LOGIN SUPERUSER")
        try:
            yield made.replace("//postgres@", "//changed_a:first@")
        finally:
            await admin.execute("DROP OWNED BY changed_a, changed_b; DROP ROLE changed_a, changed_b")
            await admin.close()


async def users(url: str) -> list[str]:
    """Return the users of the connections that have run the store's statement last."""
    connection = await asyncpg.connect(url)
    query = f"SELECT DISTINCT usename {RAN_LAST}"
    found = [row["usename"] for row in await connection.fetch(query)]
    await connection.close()
    return found


async def test_new_connections_use_the_new_user_and_password(url: str) -> None:
    admin = url.replace("changed_a:first", "postgres")
    async with open_postgres(url, Encryptor(), 30, timing=TIMING) as store:
        await store.accept(request())
        await store.use_address(url.replace("changed_a:first", "changed_b:second"))
        connection = await asyncpg.connect(admin)
        await connection.execute("ALTER ROLE changed_a NOLOGIN")
        for _ in range(5):
            await store.accept(request())
        assert await users(admin) == ["changed_b"]
        query = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'changed_a'"
        await connection.execute(query)
        await connection.close()
        while not store._replica_lock.is_held:  # noqa: ASYNC110 - another task takes it again
            await asyncio.sleep(0.05)
        await store.accept(request())


async def test_open_connections_stay_when_only_the_password_changed(url: str) -> None:
    async with open_postgres(url, Encryptor(), 30, timing=TIMING) as store:
        await store.accept(request())
        (before,) = await backends(url)
        await store.use_address(url.replace(":first@", ":second@"))
        await store.accept(request())
        assert await backends(url) == [before]


async def backends(url: str) -> list[int]:
    """Return the process ids of the connections that have run the store's statement last."""
    connection = await asyncpg.connect(url)
    found = [row["pid"] for row in await connection.fetch(f"SELECT pid {RAN_LAST}")]
    await connection.close()
    return found


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("changed_a:first", "changed_c:third", "database_user_refused"),
        ("/bot", "/another", "database_address_changed"),
        ("host=", "host=/nowhere&host=", "database_address_changed"),
        ("postgresql://changed_a:first@", "postgresql://changed_a:fi#rst@", "database_address_invalid"),
    ],
)
async def test_address_that_does_not_work_leaves_the_old_one(url: str, old: str, new: str, code: str) -> None:
    async with open_postgres(url, Encryptor(), 30, timing=TIMING) as store:
        with pytest.raises(StorageSetupError) as refused:
            await store.use_address(url.replace(old, new))
        assert refused.value.code == code
        await store.accept(request())


@pytest.mark.parametrize(
    ("other", "is_same"),
    [
        ("postgresql://a:2@db/bot", True),
        ("postgresql://db/bot?password=2&user=a", True),
        ("postgresql://db?user=a", True),
        ("postgresql://b:1@db/bot", False),
        ("postgresql://db?user=b", False),
        ("postgresql://db/bot", False),
    ],
)
def test_user_of_an_address_is_compared(other: str, is_same: bool) -> None:
    assert is_same_user("postgresql://a:1@db/bot", other) is is_same


@pytest.mark.parametrize(
    ("other", "is_same"),
    [
        ("postgresql://b:2@db:5432/bot?sslmode=require", True),
        ("postgresql://db:5432/bot?sslmode=require", True),
        ("postgresql://db:5432/bot?user=b&sslmode=require&password=2", True),
        ("postgresql://a:1@db:5433/bot?sslmode=require", False),
        ("postgresql://a:1@db:5432/bots?sslmode=require", False),
        ("postgresql://a:1@db:5432/bot", False),
    ],
)
def test_only_user_and_password_may_differ(other: str, is_same: bool) -> None:
    assert is_same_database("postgresql://a:1@db:5432/bot?sslmode=require", other) is is_same


def test_user_and_password_may_differ_without_a_path() -> None:
    assert is_same_database("postgresql://db?user=a&password=1", "postgresql://db?user=a&password=2")
    assert not is_same_database("postgresql://db?user=a&password=1", "postgresql://other?user=a&password=1")
