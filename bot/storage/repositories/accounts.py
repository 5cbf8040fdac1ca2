"""Store the linked Genesys accounts of people, and their pending sign-ins.

The OAuth state is stored as a hash. Code verifiers and refresh tokens are stored encrypted.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from bot.core.models import HostId, LinkedAccount, LockedAccount, PendingAuthorization, PersonKey, TeamId, UserId
from bot.storage.database import Database, Row
from bot.storage.encryption import Encryptor


class AccountTable:
    """Stores pending sign-ins and linked accounts, in SQLite or Postgres.

    AccountRepository in bot/core/ports.py describes the methods.
    """

    def __init__(self, database: Database, encryptor: Encryptor) -> None:
        self._database, self._encryptor = database, encryptor

    async def begin(self, pending: PendingAuthorization, state_hash: str, seconds: float) -> None:
        values = _key(pending.person) | {"state_hash": state_hash, "seconds": seconds, "from_team": pending.team_id}
        values |= {"enterprise_id": pending.enterprise_id, "verifier": self._encryptor.encrypt(pending.verifier)}
        await self._database.fetch("begin_sign_in", values)

    async def take(self, state_hash: str) -> PendingAuthorization | None:
        for row in await self._database.fetch("take_sign_in", {"state_hash": state_hash}):
            enterprise = TeamId(row["enterprise_id"]) if row["enterprise_id"] else None
            if verifier := self._encryptor.decrypt(row["verifier"]):
                return PendingAuthorization(_person(row), TeamId(row["from_team"]), enterprise, verifier)
        return None

    async def connect(self, connection: LinkedAccount) -> None:
        token = self._encryptor.encrypt(connection.refresh_token)
        values = _key(connection.person) | {"host_id": connection.host_id, "refresh_token": token}
        await self._database.fetch("connect_account", values)

    async def connection(self, person: PersonKey) -> LinkedAccount | None:
        return next(map(self._account, await self._database.fetch("find_account", _key(person))), None)

    async def disconnect(self, person: PersonKey) -> LinkedAccount | None:
        return next(map(self._account, await self._database.fetch("disconnect_account", _key(person))), None)

    @asynccontextmanager
    async def holding(self, person: PersonKey) -> AsyncIterator[LockedAccount | None]:
        async with self._database.locking("lock_account", _key(person)) as (row, fetch):
            if row is None:
                yield None
                return
            unchanged = _key(person) | {"was": row["refresh_token"]}

            async def renew(refresh_token: str) -> bool:
                values = unchanged | {"refresh_token": self._encryptor.encrypt(refresh_token)}
                return bool(await fetch("renew_account", values))

            async def drop() -> bool:
                return bool(await fetch("drop_account", unchanged))

            yield LockedAccount(self._account(row), renew, drop)

    def _account(self, row: Row) -> LinkedAccount:
        token = self._encryptor.decrypt(row["refresh_token"]) or ""
        return LinkedAccount(_person(row), HostId(row["host_id"]), token)


def _key(person: PersonKey) -> dict[str, Any]:
    return {"team_id": person[0], "user_id": person[1]}


def _person(row: Row) -> PersonKey:
    return TeamId(row["team_id"]), UserId(row["user_id"])
