"""Share a store with a clock, people, and a directory of Genesys users for the tests of host rules."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from bot.core.models import DirectoryUser, MembershipStatus, SlackUser, TeamId, UserId
from bot.storage.sqlite.store import SQLiteStore
from tests.support.clock import Clock


def uuid_of(number: int) -> str:
    return str(uuid.UUID(int=number, version=4))


def person(number: int = 1, team: str = "T0ONE", email: str | None = "") -> SlackUser:
    address = f"p{number}@{team}.example" if email == "" else email
    return SlackUser(TeamId(team), UserId(f"U{number}"), f"Person {number}", MembershipStatus.MEMBER, address)


def user(number: int, email: str, *, active: bool = True) -> DirectoryUser:
    return DirectoryUser(uuid_of(number), active, email)


class Directory:
    """Genesys users by email address.

    `users` maps an address to the answer, `asked` holds the addresses of all look-ups.
    """

    def __init__(self, *users: DirectoryUser) -> None:
        self.users = {user.email.lower(): [user] for user in users}
        self.asked: list[str] = []

    async def by_email(self, email: str) -> Sequence[DirectoryUser]:
        self.asked.append(email)
        await asyncio.sleep(0)
        return self.users.get(email.lower(), [])


@pytest.fixture
def clock() -> Clock:
    """Return the clock that the store and the test share."""
    return Clock(now=0.0)


@pytest.fixture
async def book(tmp_path: Path, clock: Clock) -> AsyncIterator[SQLiteStore]:
    """Yield a store for hosts that a rule found, and for host links."""
    store = SQLiteStore(str(tmp_path / "book.db"), clock=clock)
    yield store
    await store.close()
