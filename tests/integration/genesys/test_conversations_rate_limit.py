"""Test sessions in conversations under a rate limit: their look-ups share the session's place in the queue."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import pytest

from bot import factories
from bot.config import settings
from bot.core.errors import PermissionMissingError
from bot.genesys.api.conversations import ConversationSessions, JoinSettings
from bot.genesys.api.users import UsersApi
from bot.genesys.client import GenesysClient
from bot.genesys.rate_limit import RateLimiter, RateWindow
from tests.support import conversations as conversations_support
from tests.support.app import Servers
from tests.support.conversations import PUBLIC, offer, talk

servers = conversations_support.servers


class Turnstile(RateWindow):
    """A window that lets `free` calls through. It estimates a wait of one second, and ten more for each call ahead."""

    def __init__(self) -> None:
        super().__init__()
        self.free = 0

    def try_acquire(self) -> bool:
        took = self.free > 0
        self.free -= took
        return took

    def estimate_wait(self, ahead: int) -> float:
        return 0.0 if self.free > ahead else 1.0 + 10.0 * ahead

    def seconds_until_open(self) -> float:
        return 0.005

    def release(self, headers: Any = None, *, reached: bool = True) -> None:
        self.free += not reached


class WaitingCaller:
    """Call hooks that record their waits. `stands` is set while a call waits in the queue."""

    def __init__(self, requester: str) -> None:
        self.fairness_key = requester
        self.waits: list[float] = []
        self.stands = asyncio.Event()

    async def before_send(self) -> None: ...

    async def on_wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.stands.set()

    async def joins(self) -> None:
        async with asyncio.timeout(5):
            await self.stands.wait()
        self.stands.clear()


@asynccontextmanager
async def opened(servers: Servers, turnstile: Turnstile) -> AsyncIterator[tuple[GenesysClient, ConversationSessions]]:
    """Yield a client whose rate limiter uses the turnstile, and its sessions."""
    loaded = settings.load_part(settings.read_service_alone, servers.environ | PUBLIC)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(factories, "RateLimiter", partial(RateLimiter, window=turnstile))
        async with factories.open_genesys(loaded) as client:
            yield client, ConversationSessions(client, JoinSettings())


def kinds(servers: Servers) -> list[str]:
    return [call.kind for call in servers.genesys.calls if call.kind != "token"]


async def test_a_session_finishes_its_look_ups_before_others_begin(servers: Servers) -> None:
    turnstile = Turnstile()
    talk(servers)
    people = [WaitingCaller("ana"), WaitingCaller("ben"), WaitingCaller("sam")]
    async with opened(servers, turnstile) as (client, conversations):
        search = asyncio.create_task(UsersApi(client).by_email("ana@example.com"))
        making = []
        for person in people:
            making.append(asyncio.create_task(offer(conversations, person)))
            await person.joins()
        assert [person.waits for person in people] == [[1.0], [31.0], [61.0]], "a session is three calls"
        for person, made in zip(people, making, strict=True):
            for _ in ("query", "conversation"):
                turnstile.free = 1
                await person.joins()
            turnstile.free = 1
            assert (await made).join_code
        turnstile.free = 1
        await search
    assert kinds(servers) == ["query", "conversation", "create"] * 3 + ["search"]
    assert [person.waits[1:] for person in people] == [[1.0, 1.0]] * 3


async def test_a_look_up_that_fails_leaves_no_others_in_the_queue(servers: Servers) -> None:
    turnstile = Turnstile()
    for customer in ("Carla", "Carl", "Chloé"):
        talk(servers, customer)
    servers.genesys.conversations.missing_permissions.add("conversation:communication:view")
    async with opened(servers, turnstile) as (client, conversations):
        person = WaitingCaller("ana")
        made = asyncio.create_task(offer(conversations, person))
        for _ in ("query", "conversation"):
            await person.joins()
            turnstile.free = 1
        with pytest.raises(PermissionMissingError):
            await made
        turnstile.free = 5
        await UsersApi(client).by_email("ana@example.com")
    assert kinds(servers) == ["query", "conversation", "search"]
