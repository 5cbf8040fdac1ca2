"""Co-browse in conversations when the rate limit makes people wait: whose turn the look-ups take, and what is told."""

import asyncio
from typing import Any

import pytest

from bot import upstream
from bot.core.errors import PermissionMissingError
from bot.genesys.api.users import UsersApi
from tests.support import conversations as conversations_support
from tests.support.app import Servers
from tests.support.conversations import offer, opened, talk

servers = conversations_support.servers


class Turnstile:
    """Keeps to Pace: lets so many calls through. Each that waits is told a second, and ten more for each before it."""

    def __init__(self) -> None:
        self.free = 0

    def take(self) -> bool:
        took = self.free > 0
        self.free -= took
        return took

    def wait_seconds(self, ahead: int) -> float:
        return 0.0 if self.free > ahead else 1.0 + 10.0 * ahead

    def shut_seconds(self) -> float:
        return 0.005

    def came_back(self, headers: Any = None, *, reached: bool = True) -> None: ...

    def give_back(self) -> None:
        self.free += 1


class Waits:
    """Call hooks that record for how long they were told to wait; `stands` says that a call of its waits its turn."""

    def __init__(self, requester: str) -> None:
        self.fairness_key = requester
        self.told: list[float] = []
        self.stands = asyncio.Event()

    async def before_send(self) -> None: ...

    async def on_wait(self, seconds: float) -> None:
        self.told.append(seconds)
        self.stands.set()

    async def joins(self) -> None:
        async with asyncio.timeout(5):
            await self.stands.wait()
        self.stands.clear()


@pytest.fixture
def turnstile(monkeypatch: pytest.MonkeyPatch) -> Turnstile:
    made = Turnstile()
    monkeypatch.setattr(upstream, "RateLimiter", lambda _per_minute: made)
    return made


def kinds(servers: Servers) -> list[str]:
    return [call.kind for call in servers.genesys.calls if call.kind != "token"]


async def test_whose_look_up_had_a_turn_has_the_next_ones_too_before_others_begin(
    servers: Servers, turnstile: Turnstile
) -> None:
    talk(servers)
    people = [Waits("ana"), Waits("ben"), Waits("sam")]
    async with opened(servers) as conversations:
        search = asyncio.create_task(UsersApi(conversations._client).by_email("ana@example.com"))
        making = []
        for person in people:
            making.append(asyncio.create_task(offer(conversations, person)))
            await person.joins()
        assert [person.told for person in people] == [[1.0], [31.0], [61.0]], "a session is three calls"
        for person, made in zip(people, making, strict=True):
            for _ in ("query", "conversation"):
                turnstile.free = 1
                await person.joins()
            turnstile.free = 1
            assert (await made).join_code
        turnstile.free = 1
        await search
    assert kinds(servers) == ["query", "conversation", "create"] * 3 + ["search"]
    assert [person.told[1:] for person in people] == [[1.0, 1.0]] * 3


async def test_a_look_up_that_fails_leaves_no_others_in_the_queue(servers: Servers, turnstile: Turnstile) -> None:
    for customer in ("Carla", "Carl", "Chloé"):
        talk(servers, customer)
    servers.genesys.conversations.lacks.add("conversation:communication:view")
    async with opened(servers) as conversations:
        person = Waits("ana")
        made = asyncio.create_task(offer(conversations, person))
        for _ in ("query", "conversation"):
            await person.joins()
            turnstile.free = 1
        with pytest.raises(PermissionMissingError):
            await made
        turnstile.free = 5
        await UsersApi(conversations._client).by_email("ana@example.com")
    assert kinds(servers) == ["query", "conversation", "search"]
