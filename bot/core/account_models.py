"""Who has signed in to Genesys as themselves, and who is just doing so: what is kept of it, and what keeps it.

The rules of connecting are in connecting.py; how Genesys is asked is for genesys/.
"""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Protocol

from bot.core.models import HostId, TeamId, UserId

PersonKey = tuple[TeamId, UserId]


@dataclass(frozen=True, slots=True)
class PendingAuthorization:
    """A link that was given out. `team_id` and `enterprise_id`: where its command came from; `verifier`: PKCE's."""

    person: PersonKey
    team_id: TeamId
    enterprise_id: TeamId | None
    verifier: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class LinkedAccount:
    """Somebody who has signed in, as which host. `refresh_token` is "" when no key of ours opens it."""

    person: PersonKey
    host_id: HostId
    refresh_token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class LockedAccount:
    """A connection that nobody else renews meanwhile, on any replica.

    `renew` says whether the connection was still there, and unchanged; `drop` takes it away if it was. Both may raise
    StorageUnavailableError.
    """

    connection: LinkedAccount
    renew: Callable[[str], Awaitable[bool]]
    drop: Callable[[], Awaitable[bool]]


class AccountRepository(Protocol):
    """What is kept. Every method may raise StorageUnavailableError."""

    async def begin(self, pending: PendingAuthorization, state_hash: str, seconds: float) -> None:
        """Keeps it for so long, in place of any other of the same person."""

    async def take(self, state_hash: str) -> PendingAuthorization | None:
        """The one of this state, if its time is not up; only one who asks gets it, on whichever replica."""

    async def connect(self, connection: LinkedAccount) -> None:
        """Keeps it, in place of any other of the same person."""

    async def connection(self, person: PersonKey) -> LinkedAccount | None:
        """This person's."""

    async def disconnect(self, person: PersonKey) -> LinkedAccount | None:
        """Forgets this person's, and returns what it was."""

    def holding(self, person: PersonKey) -> AbstractAsyncContextManager[LockedAccount | None]:
        """This person's, under its lock. Nothing that is done in there may raise, or what was written is undone."""
