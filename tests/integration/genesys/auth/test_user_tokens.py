"""Test users' tokens: renewed under the lock of their row on any number of replicas, and encrypted at rest."""

import asyncio
import sqlite3

import asyncpg
import pytest

from bot.core.errors import LoginRefusedError, ServiceUnreachableError, SignInExpiredError
from bot.core.models import LinkedAccount, PendingAuthorization
from bot.genesys.auth.authorization_code import AuthorizationCodeClient
from bot.genesys.auth.user_tokens import UserTokens
from tests.support import storage, user_tokens
from tests.support.accounts import BENS
from tests.support.app import QUICK_GENESYS
from tests.support.conversations import HOST
from tests.support.settings import FERNET
from tests.support.storage import TEAM, Database, run_sql
from tests.support.user_tokens import WHO, Replicas, under_way

servers, replicas, database = user_tokens.servers, user_tokens.replicas, storage.database
PENDING = PendingAuthorization(WHO, TEAM, None, "v" * 64)


async def test_no_refresh_token_is_used_twice_on_two_replicas(replicas: Replicas) -> None:
    one, other = await replicas.one(), await replicas.one()
    first = await replicas.connect()
    tokens = await asyncio.gather(*(each.current(WHO, HOST) for each in (one, other) for _ in range(20)))
    used = replicas.genesys.user_login.used_refresh_tokens
    assert len(tokens) == 40
    assert used[0] == first
    assert len(used) == len(set(used)) == 2  # one renewal each
    assert await replicas.kept() in replicas.genesys.user_login.refresh_tokens
    for each in (one, other):
        replicas.clock.now += 4000  # past the end of all of them
        await each.current(WHO, HOST)
    assert len(used) == len(set(used)) == 4


async def test_a_users_token_is_renewed_ahead_and_no_call_waits(replicas: Replicas) -> None:
    tokens = await replicas.one()
    await replicas.connect()
    first = await tokens.current(WHO, HOST)
    replicas.clock.now += 3400
    assert await tokens.current(WHO, HOST) is first
    async with asyncio.timeout(5):
        while await tokens.current(WHO, HOST) is first:  # noqa: ASYNC110 - it has no event
            await asyncio.sleep(0.01)
    assert len(replicas.genesys.user_login.used_refresh_tokens) == 2


async def test_late_refusal_of_an_old_token_keeps_the_new_one(replicas: Replicas) -> None:
    tokens = await replicas.one()
    await replicas.connect()
    old = await tokens.current(WHO, HOST)
    tokens.drop(WHO, old)
    new = await tokens.current(WHO, HOST)
    assert new is not old
    tokens.drop(WHO, old)
    assert await tokens.current(WHO, HOST) is new
    assert len(replicas.genesys.user_login.used_refresh_tokens) == 2


async def test_a_refused_refresh_token_takes_the_connection_with_it(replicas: Replicas) -> None:
    tokens = await replicas.one()
    await replicas.connect()
    replicas.genesys.user_login.sign_out(HOST)
    with pytest.raises(SignInExpiredError) as again:
        await tokens.current(WHO, HOST)
    assert again.value.reference
    assert await replicas.kept() is None
    assert await tokens.token_source(WHO, HOST) is None


@pytest.mark.parametrize("fault", ["500", "dropped", "502"])
async def test_other_renewal_errors_leave_the_account_linked(replicas: Replicas, fault: str) -> None:
    tokens = await replicas.one()
    await replicas.connect()
    how = {"processes": False} if fault == "502" else {}
    await replicas.genesys.inject_fault(fault, on="token", **how)
    with pytest.raises(Exception, match=r"service_unreachable|service_fault"):
        await tokens.current(WHO, HOST)
    assert await replicas.kept()


async def test_a_busy_or_absent_login_is_asked_again(replicas: Replicas) -> None:
    tokens = await replicas.one()
    await replicas.connect()
    await replicas.genesys.inject_fault("503", on="token", times=2, retry_after=0)
    assert await tokens.current(WHO, HOST)
    await replicas.genesys.inject_fault("down")
    replicas.clock.now += 4000
    with pytest.raises(ServiceUnreachableError):
        await tokens.current(WHO, HOST)
    await replicas.genesys.inject_fault(None)
    assert await tokens.current(WHO, HOST)


async def test_a_wrong_client_secret_leaves_the_account_linked(replicas: Replicas) -> None:
    tokens = await replicas.one(secret="another")
    await replicas.connect()
    with pytest.raises(LoginRefusedError) as refused:
        await tokens.current(WHO, HOST)
    assert refused.value.oauth_error == "invalid_client"
    assert await replicas.kept()


async def test_a_stop_sees_a_renewal_through(replicas: Replicas) -> None:
    tokens = await replicas.one()
    first = await replicas.connect()
    await replicas.genesys.inject_fault("slow", on="token", seconds=0.3)
    asked = asyncio.create_task(tokens.current(WHO, HOST))
    await under_way(replicas)
    await tokens.close()
    assert await replicas.kept() not in (first, None)
    assert await asked


@pytest.mark.parametrize("database", ["postgres"], indirect=True)  # only there is a connection that can be cut
async def test_a_renewed_token_is_used_though_the_database_fails(replicas: Replicas, database: Database) -> None:
    tokens = await replicas.one()
    await replicas.connect()
    await replicas.genesys.inject_fault("slow", on="token", seconds=0.3, times=1)
    asked = asyncio.create_task(tokens.current(WHO, HOST))
    await under_way(replicas)
    admin = await asyncpg.connect(database.url)
    cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%FOR UPDATE%' AND pid <> $1"
    assert await admin.fetch(cut, admin.get_server_pid())
    await admin.close()
    token = await asked
    assert await tokens.current(WHO, HOST) is token
    assert len(replicas.genesys.user_login.used_refresh_tokens) == 1
    assert (
        await replicas.kept() == replicas.genesys.user_login.used_refresh_tokens[0]
    )  # so in the end they have to connect again


async def test_a_disconnect_on_one_replica_soon_reaches_the_other(replicas: Replicas) -> None:
    one, other = await replicas.one(), await replicas.one()
    await replicas.connect()
    for each in (one, other):
        assert await each.token_source(WHO, HOST)
        await each.current(WHO, HOST)
    was = await replicas.book.disconnect(WHO)
    assert was
    await one.sign_out(was)
    assert await one.token_source(WHO, HOST) is None
    assert await other.token_source(WHO, HOST)  # for as long as it believes what it has read
    replicas.clock.now += QUICK_GENESYS.account_cache_seconds + 1
    assert await other.token_source(WHO, HOST) is None
    with pytest.raises(SignInExpiredError):
        await other.current(WHO, HOST)


async def test_a_new_link_on_one_replica_is_found_by_the_other(replicas: Replicas) -> None:
    tokens = await replicas.one()
    assert await tokens.token_source(WHO, HOST) is None
    await replicas.connect()
    assert await tokens.token_source(WHO, HOST) is None
    assert await tokens.token_source(WHO, HOST, reload=True)
    assert await tokens.token_source(WHO, "22222222-2222-4222-8222-222222222222") is None


async def test_a_token_of_one_host_is_never_used_for_another(replicas: Replicas) -> None:
    """A person is linked to another host, and connects again on another replica."""
    tokens = await replicas.one()
    await replicas.connect()
    await tokens.current(WHO, HOST)
    replicas.genesys.user_login.refresh_tokens["of-ben"] = BENS
    await replicas.book.connect(LinkedAccount(WHO, BENS, "of-ben"))
    replicas.clock.now += QUICK_GENESYS.account_cache_seconds + 1
    assert await tokens.token_source(WHO, HOST) is None
    assert await tokens.token_source(WHO, BENS)
    token = await tokens.current(WHO, BENS)
    assert replicas.genesys.login._grants[token.value].user_id == BENS
    with pytest.raises(SignInExpiredError):
        await tokens.current(WHO, HOST)


async def test_signing_out_without_a_cached_token_revokes_a_new_one(replicas: Replicas) -> None:
    tokens = await replicas.one()
    first = await replicas.connect()
    was = await replicas.book.disconnect(WHO)
    await tokens.sign_out(was)
    assert replicas.genesys.user_login.used_refresh_tokens == [first]
    assert [call.status for call in replicas.genesys.calls if call.method == "DELETE"] == [200]


async def test_of_two_replicas_that_take_a_link_at_once_one_gets_it(replicas: Replicas) -> None:
    await replicas.one()
    one = replicas.book
    await replicas.one()
    for number in range(20):
        await one.begin(PENDING, f"hash-{number}", 600)
        taken = await asyncio.gather(*(book.take(f"hash-{number}") for book in (one, replicas.book)))
        assert sorted(map(bool, taken)) == [False, True]
        assert PENDING in taken


async def test_a_link_has_its_ten_minutes_and_one_person_has_one(replicas: Replicas, database: Database) -> None:
    await replicas.one()
    book = replicas.book
    await book.begin(PENDING, "old", 600)
    await book.begin(PENDING, "new", 600)
    assert await book.take("old") is None
    await database.age(599)
    assert await book.take("new") == PENDING
    await book.begin(PENDING, "late", 600)
    await database.age(601)
    assert await book.take("late") is None


async def test_expired_links_and_unused_accounts_are_swept(replicas: Replicas, database: Database) -> None:
    tokens = await replicas.one(days=30)
    await replicas.connect()
    await replicas.book.begin(PENDING, "late", 600)
    await database.age(29 * 86400)
    await replicas._store.sweep()
    assert "late" not in await dump(database)
    await tokens.current(WHO, HOST)  # it is used
    await database.age(29 * 86400)
    await replicas._store.sweep()
    assert await replicas.kept()
    await database.age(4 * 86400)
    await replicas._store.sweep()
    assert await replicas.kept() is None


async def test_sign_in_that_is_used_with_a_long_token_is_kept(replicas: Replicas, database: Database) -> None:
    """Genesys lets a token last for two days. Until then, a use needs no renewal, and the store does not see it."""
    await replicas.one(days=1)
    await replicas.connect()
    await database.age(2.9 * 86400)
    await replicas._store.sweep()
    assert await replicas.kept()
    await database.age(0.2 * 86400)
    await replicas._store.sweep()
    assert await replicas.kept() is None


async def test_refresh_tokens_and_verifiers_are_encrypted_at_rest(replicas: Replicas, database: Database) -> None:
    tokens = await replicas.one(keys=(FERNET,))
    refresh_token = await replicas.connect()
    await replicas.book.begin(PENDING, "hash", 600)
    assert "sealed:" in await dump(database)
    for secret in (refresh_token, PENDING.verifier):
        assert secret not in await dump(database)
    await tokens.current(WHO, HOST)
    (renewed,) = replicas.genesys.user_login.refresh_tokens
    assert await replicas.kept() == renewed
    assert renewed not in await dump(database)


async def test_an_account_that_no_key_decrypts_is_not_linked(replicas: Replicas, database: Database) -> None:
    await replicas.one(keys=(FERNET,))
    await replicas.connect()
    (row,) = await run_sql(replicas._store, "SELECT refresh_token FROM connections")
    found = row["refresh_token"]
    await run_sql(replicas._store, "UPDATE connections SET refresh_token = :token", token=f"{found[:-9]}AAAAAAAA=")
    tokens = UserTokens(AuthorizationCodeClient.__new__(AuthorizationCodeClient), replicas.book)
    with pytest.raises(SignInExpiredError):
        await tokens.current(WHO, HOST)


async def dump(database: Database) -> str:
    """Return all rows of both tables as text."""
    shown: list[object] = []
    for table in ("connects", "connections"):
        if database.url:
            connection = await asyncpg.connect(database.url)
            shown += [dict(row) for row in await connection.fetch(f"SELECT * FROM {table}")]
            await connection.close()
        else:
            with sqlite3.connect(database.path) as file:
                shown += file.execute(f"SELECT * FROM {table}").fetchall()
            file.close()
    return str(shown)
