"""Run replicas on one database, with caches of users' tokens and a Genesys that renews these tokens."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot.core.models import LinkedAccount
from bot.genesys.auth.authorization_code import AuthorizationCodeClient
from bot.genesys.auth.credentials import SecretCredentials
from bot.genesys.auth.user_tokens import UserTokens
from bot.genesys.http import HttpClient
from bot.sandbox.genesys.api.user_login import UserLoginClient
from tests.support.app import QUICK_GENESYS, Servers, open_servers
from tests.support.clock import Clock
from tests.support.conversations import HOST
from tests.support.storage import ANA, TEAM, Database

WHO = (TEAM, ANA)
BACK = "http://127.0.0.1:3000/genesys/callback"


class Replicas:
    """Replicas with separate caches. On SQLite, they share one store, because one process uses the file."""

    def __init__(self, servers: Servers, database: Database) -> None:
        self.genesys, self._database = servers.genesys, database
        self.clock = Clock()
        self.book: Any = None
        self._store: Any = None

    async def one(self, secret: str = "people-secret", **how: Any) -> UserTokens:
        if self._store is None or self._database.url:
            self._store = await self._database.open(**how)
        self.book = self._store.connections
        http = await self._database.stack.enter_async_context(HttpClient())
        login = AuthorizationCodeClient(
            http,
            login_url=self.genesys.url,
            api_url=self.genesys.url,
            credentials=SecretCredentials("people-client", secret),
            redirect_uri=BACK,
            clock=self.clock,
        )
        return UserTokens(login, self.book, timing=QUICK_GENESYS, clock=self.clock)

    async def connect(self) -> str:
        """Link Ana's account, and return the stored refresh token."""
        refresh_token = "a-refresh-token-that-nobody-may-read"
        self.genesys.user_login.refresh_tokens[refresh_token] = HOST
        await self.book.connect(LinkedAccount(WHO, HOST, refresh_token))
        return refresh_token

    async def kept(self) -> str | None:
        """Return the stored refresh token of Ana; None if her account is not linked."""
        found = await self.book.connection(WHO)
        return found.refresh_token if found else None


async def under_way(replicas: Replicas, before: int = 0) -> None:
    """Wait until Genesys has got a token request. `before` is the number of earlier token requests."""
    async with asyncio.timeout(5):
        while replicas.genesys.count("token") == before:  # noqa: ASYNC110 - it has no event
            await asyncio.sleep(0.01)


@pytest.fixture
async def servers() -> AsyncIterator[Servers]:
    """Start a Genesys where users can sign in."""
    async with open_servers(token_seconds=3600) as started:
        started.genesys.user_login.client = UserLoginClient("people-client", "people-secret", (BACK,))
        yield started


@pytest.fixture
def replicas(servers: Servers, database: Database) -> Replicas:
    """Make replicas, none of which is started yet."""
    return Replicas(servers, database)
