"""Test a renewal during which its user links again or disconnects: the newer action wins, and no token remains."""

import asyncio

import pytest

from bot.core.errors import SignInExpiredError
from bot.core.models import LinkedAccount
from tests.support import storage, user_tokens
from tests.support.conversations import HOST
from tests.support.user_tokens import WHO, Replicas, under_way

servers, replicas, database = user_tokens.servers, user_tokens.replicas, storage.database


def good_tokens(replicas: Replicas) -> list[str]:
    """Return the users' tokens that Genesys still accepts."""
    return [token for token, grant in replicas.genesys.login._grants.items() if grant.user_id]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)  # on Postgres the other waits for the row's lock
async def test_a_disconnect_during_a_renewal_leaves_no_token(replicas: Replicas) -> None:
    tokens = await replicas.one()
    await replicas.connect()
    first = await tokens.current(WHO, HOST)
    await replicas.genesys.inject_fault("slow", on="token", seconds=0.3, times=1)
    replicas.clock.now += 3400  # it is renewed ahead of its end
    before = replicas.genesys.count("token")
    assert await tokens.current(WHO, HOST) is first
    await under_way(replicas, before)
    was = await replicas.book.disconnect(WHO)
    assert was
    await tokens.sign_out(was)
    async with asyncio.timeout(5):
        while len(replicas.genesys.user_login.used_refresh_tokens) < 2 or good_tokens(replicas):  # noqa: ASYNC110 - it has no event
            await asyncio.sleep(0.01)
    assert good_tokens(replicas) == []


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_a_refusal_of_the_old_sign_in_keeps_the_new_one(replicas: Replicas) -> None:
    tokens = await replicas.one()
    await replicas.connect()
    replicas.genesys.user_login.sign_out(HOST)
    await replicas.genesys.inject_fault("slow", on="token", seconds=0.3, times=1)
    asked = asyncio.create_task(tokens.current(WHO, HOST))
    await under_way(replicas)
    replicas.genesys.user_login.refresh_tokens["newer"] = HOST
    grant = await tokens._login.refresh("newer")
    await replicas.book.connect(LinkedAccount(WHO, HOST, grant.refresh_token))
    tokens.keep(WHO, HOST, grant)
    with pytest.raises(SignInExpiredError):
        await asked
    assert await tokens.current(WHO, HOST) is grant.token


@pytest.mark.parametrize("refused", [False, True], ids=["renewed", "refused"])
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_newer_sign_in_survives_a_renewal_of_the_old_one(replicas: Replicas, refused: bool) -> None:
    tokens = await replicas.one()
    await replicas.connect()
    if refused:
        replicas.genesys.user_login.sign_out(HOST)
    await replicas.genesys.inject_fault("slow", on="token", seconds=0.3, times=1)
    asked = asyncio.create_task(tokens.current(WHO, HOST))
    await under_way(replicas)
    await replicas.book.connect(LinkedAccount(WHO, HOST, "newer"))
    with pytest.raises(SignInExpiredError):
        await asked
    assert await replicas.kept() == "newer"
    assert good_tokens(replicas) == []
