"""Who is connected to Genesys, and who is just connecting: the same statements for both databases.

Of a link's state there is a hash alone; verifiers and refresh tokens are sealed. How a row is locked is for sqlite.py
and postgres.py.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Protocol

from bot.core.models import (
    HostId,
    LinkedAccount,
    LockedAccount,
    PendingAuthorization,
    PersonKey,
    TeamId,
    UserId,
)
from bot.storage.encryption import Encryptor

BEGIN = """INSERT INTO connects (team_id, user_id, state_hash, from_team, enterprise_id, verifier, good_until)
    VALUES (:team_id, :user_id, :state_hash, :from_team, :enterprise_id, :verifier, :now + :seconds)
    ON CONFLICT (team_id, user_id) DO UPDATE SET state_hash = excluded.state_hash, from_team = excluded.from_team,
    enterprise_id = excluded.enterprise_id, verifier = excluded.verifier, good_until = excluded.good_until"""
TAKE = """DELETE FROM connects WHERE state_hash = :state_hash AND good_until > :now
    RETURNING team_id, user_id, from_team, enterprise_id, verifier"""
"""One statement: of two who come with the same state at once, one gets the row."""
CONNECT = """INSERT INTO connections (team_id, user_id, host_id, refresh_token, connected_at, used_at)
    VALUES (:team_id, :user_id, :host_id, :refresh_token, :now, :now)
    ON CONFLICT (team_id, user_id) DO UPDATE SET host_id = excluded.host_id, refresh_token = excluded.refresh_token,
    connected_at = excluded.connected_at, used_at = excluded.used_at"""
_WHO = "team_id = :team_id AND user_id = :user_id"
_SAME = f"{_WHO} AND refresh_token = :was"
ONE = f"SELECT * FROM connections WHERE {_WHO}"  # noqa: S608 - all of it is written here, and so below
DISCONNECT = f"DELETE FROM connections WHERE {_WHO} RETURNING *"  # noqa: S608
RENEW = f"UPDATE connections SET refresh_token = :refresh_token, used_at = :now WHERE {_SAME} RETURNING user_id"  # noqa: S608
DROP = f"DELETE FROM connections WHERE {_SAME} RETURNING user_id"  # noqa: S608

Fetch = Callable[[str, Mapping[str, Any]], Awaitable[Sequence[Mapping[str, Any]]]]


class Database(Protocol):
    """A store, as far as this file needs it. Raises StorageUnavailableError."""

    async def fetch(self, statement: str, values: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
        """Runs one statement, committed before it returns; `:now` is the database's clock."""

    def locking(
        self, statement: str, values: Mapping[str, Any]
    ) -> AbstractAsyncContextManager[tuple[Mapping[str, Any] | None, Fetch]]:
        """The one row that the SELECT finds, locked, and what runs statements beside it."""


class AccountTable:
    """Keeps to desk.connections.AccountRepository."""

    def __init__(self, database: Database, sealer: Encryptor) -> None:
        self._database, self._sealer = database, sealer

    async def begin(self, pending: PendingAuthorization, state_hash: str, seconds: float) -> None:
        values = _who(pending.person) | {"state_hash": state_hash, "seconds": seconds, "from_team": pending.team_id}
        values |= {"enterprise_id": pending.enterprise_id, "verifier": self._sealer.seal(pending.verifier)}
        await self._database.fetch(BEGIN, values)

    async def take(self, state_hash: str) -> PendingAuthorization | None:
        for row in await self._database.fetch(TAKE, {"state_hash": state_hash}):
            enterprise = TeamId(row["enterprise_id"]) if row["enterprise_id"] else None
            verifier = self._sealer.open(row["verifier"])
            return (
                PendingAuthorization(_person(row), TeamId(row["from_team"]), enterprise, verifier) if verifier else None
            )
        return None

    async def connect(self, connection: LinkedAccount) -> None:
        values = _who(connection.person) | {"host_id": connection.host_id}
        await self._database.fetch(CONNECT, values | {"refresh_token": self._sealer.seal(connection.refresh_token)})

    async def connection(self, person: PersonKey) -> LinkedAccount | None:
        return next(map(self._connection, await self._database.fetch(ONE, _who(person))), None)

    async def disconnect(self, person: PersonKey) -> LinkedAccount | None:
        return next(map(self._connection, await self._database.fetch(DISCONNECT, _who(person))), None)

    @asynccontextmanager
    async def holding(self, person: PersonKey) -> AsyncIterator[LockedAccount | None]:
        async with self._database.locking(ONE, _who(person)) as (row, fetch):
            if row is None:
                yield None
                return
            same = _who(person) | {"was": row["refresh_token"]}

            async def renew(refresh_token: str) -> bool:
                return bool(await fetch(RENEW, same | {"refresh_token": self._sealer.seal(refresh_token)}))

            async def drop() -> bool:
                return bool(await fetch(DROP, same))

            yield LockedAccount(self._connection(row), renew, drop)

    def _connection(self, row: Mapping[str, Any]) -> LinkedAccount:
        return LinkedAccount(_person(row), HostId(row["host_id"]), self._sealer.open(row["refresh_token"]) or "")


def _who(person: PersonKey) -> dict[str, Any]:
    return {"team_id": person[0], "user_id": person[1]}


def _person(row: Mapping[str, Any]) -> PersonKey:
    return TeamId(row["team_id"]), UserId(row["user_id"])
