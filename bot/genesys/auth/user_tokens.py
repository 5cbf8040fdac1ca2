"""The tokens of people who have signed in as themselves: in memory, renewed ahead under the lock of their row.

Whether somebody is connected is looked up again each minute, so that who disconnects on one replica is soon forgotten
by the others. How Genesys is asked is for user_login.py.
"""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Callable

import httpx
from cachetools import LRUCache

from bot.core.cache import Cache
from bot.core.errors import (
    ServiceBusyError,
    ServiceError,
    ServiceUnreachableError,
    SignInExpiredError,
    StorageUnavailableError,
)
from bot.core.models import HostId, LinkedAccount, LockedAccount, PersonKey
from bot.core.ports import AccountRepository
from bot.genesys import client
from bot.genesys.auth.authorization_code import AuthorizationCodeClient, Grant, nothing_made
from bot.genesys.auth.client_credentials import Token
from bot.genesys.client import TokenSource

log = logging.getLogger(__name__)

KNOWN_SECONDS = 60.0
CACHE_SIZE = 20_000
CLOSE_SECONDS = 5.0
AT_ONCE = 3
"""So many renew at once: each holds a connection to the database meanwhile, of which there are ten."""


class UserTokens:
    """Of everybody who is connected. `off`: why nobody can connect now, one of errors.OFF, else ""."""

    def __init__(
        self,
        login: AuthorizationCodeClient,
        book: AccountRepository,
        *,
        off: str = "",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.off = off
        self._login, self._book, self._clock = login, book, clock
        self._known: Cache[PersonKey, HostId | None] = Cache(seconds=KNOWN_SECONDS, size=CACHE_SIZE, clock=clock)
        self._tokens: LRUCache[PersonKey, tuple[HostId, Token]] = LRUCache(CACHE_SIZE)
        self._renewing: dict[PersonKey, tuple[HostId, asyncio.Task[Token]]] = {}
        self._few = asyncio.Semaphore(AT_ONCE)

    async def gate(self, person: PersonKey, host_id: HostId, *, anew: bool = False) -> TokenSource | None:
        """What lets calls out as this person; None unless they are connected as this host.

        Raises StorageUnavailableError.

        `anew`: they may have connected a moment ago, on another replica.
        """
        if anew:
            self._known.forget(person)
        if await self._known.get(person, lambda: self._look_up(person)) != host_id:
            return None
        return UserTokenSource(self, person, host_id)

    async def close(self) -> None:
        """Sees renewals under way through: what they bring replaces what they have used up."""
        if under_way := [task for _, task in self._renewing.values()]:
            _, late = await asyncio.wait(under_way, timeout=CLOSE_SECONDS)
            for task in late:
                task.cancel()

    # -- StoredRequest to desk.connecting.Accounts --

    def address(self, state: str, verifier: str) -> str:
        return self._login.address(state, verifier)

    async def sign_in(self, code: str, verifier: str) -> tuple[Grant, HostId | None, str | None]:
        grant = await self._login.exchange(code, verifier)
        try:
            return grant, *await self._login.host_of(grant.token)
        except ServiceError:
            await self.give_back(grant)
            raise

    def refresh_token_of(self, grant: Grant) -> str:
        return grant.refresh_token

    async def give_back(self, grant: Grant) -> None:
        await self._login.revoke(grant.token)

    def keep(self, person: PersonKey, host_id: HostId, grant: Grant) -> None:
        self._forget(person)
        self._tokens[person] = host_id, grant.token

    async def sign_out(self, was: LinkedAccount) -> None:
        token = self._forget(was.person)
        if token is None and was.refresh_token and not self.off:
            try:  # the refresh token is used up by this, and what it brings is given back
                token = (await self._login.refresh(was.refresh_token)).token
            except ServiceError:
                return
        if token:
            await self._login.revoke(token)

    # -- What a call takes --

    async def current(self, person: PersonKey, host_id: HostId) -> Token:
        """A token that is good for a call. Raises SignInExpiredError, other ServiceErrors, StorageUnavailableError."""
        (whose, token), now = self._tokens.get(person) or (None, None), self._clock()
        token = token if whose == host_id else None  # they may have connected as another one meanwhile
        if token and now < token.renew_at:
            return token
        renewing = self._renew_once(person, host_id)
        if token and now < token.useless_at:
            return token
        # Shielded: one who stops waiting must not take the token from the others.
        return await asyncio.shield(renewing)

    def drop(self, person: PersonKey, token: Token) -> None:
        """Genesys refused this one."""
        _, kept = self._tokens.get(person) or (None, None)
        if kept is token:  # else somebody has renewed it already
            del self._tokens[person]

    def _forget(self, person: PersonKey) -> Token | None:
        """They are connected no more, or in another way; the token there was."""
        self._known.forget(person)
        self._renewing.pop(person, None)
        _, token = self._tokens.pop(person, None) or (None, None)
        return token if token and self._clock() < token.useless_at else None

    async def _look_up(self, person: PersonKey) -> HostId | None:
        found = await self._book.connection(person)
        if found is None:
            self._tokens.pop(person, None)
        return found.host_id if found else None

    def _renew_once(self, person: PersonKey, host_id: HostId) -> "asyncio.Task[Token]":
        whose, task = self._renewing.get(person) or (None, None)
        if task is None or whose != host_id:
            task = asyncio.create_task(self._renew(person, host_id))
            self._renewing[person] = host_id, task
            task.add_done_callback(lambda done: self._renewed(person, done))
        return task

    def _renewed(self, person: PersonKey, task: "asyncio.Task[Token]") -> None:
        if not task.cancelled():
            task.exception()  # seen, even if nobody waits
        if self._is_renewing(person, task):
            del self._renewing[person]

    def _is_renewing(self, person: PersonKey, task: "asyncio.Task[Token] | None") -> bool:
        """Whether it is still the one: not if they have disconnected, or connected anew, meanwhile."""
        _, under_way = self._renewing.get(person) or (None, None)
        return under_way is task

    async def _renew(self, person: PersonKey, host_id: HostId) -> Token:
        mine, answer = asyncio.current_task(), await self._answer(person, host_id)
        for delay in (client.FIRST_DELAY_SECONDS, 2 * client.FIRST_DELAY_SECONDS):
            if (
                not isinstance(answer, ServiceUnreachableError | ServiceBusyError)
                or (getattr(answer, "retry_after", None) or 0) > delay
            ):
                break
            await asyncio.sleep(delay)  # outside of the lock; Genesys did not act
            answer = await self._answer(person, host_id)
        if isinstance(answer, SignInExpiredError) and self._is_renewing(person, mine):
            self._forget(person)
        if isinstance(answer, ServiceError):
            raise nothing_made(answer)
        if self._is_renewing(person, mine):
            self._tokens[person] = host_id, answer.token
        return answer.token

    async def _answer(self, person: PersonKey, host_id: HostId) -> Grant | ServiceError:
        """What Genesys says; read anew under the lock, so that no refresh token is used twice."""
        said: list[Grant | ServiceError] = []
        try:
            async with self._few, self._book.holding(person) as held:
                if held and held.connection.host_id == host_id and held.connection.refresh_token:
                    await self._renew_held(held, said)
        except StorageUnavailableError:
            if not said:
                raise
            log.warning("a renewed sign-in was not written down", extra={"fields": {"requester": person[1]}})
        return said[0] if said else SignInExpiredError()

    async def _renew_held(self, held: LockedAccount, said: list[Grant | ServiceError]) -> None:
        """Raises no ServiceError, since the row is held; what is said stays known if it cannot be written down."""
        try:
            grant = await self._login.refresh(held.connection.refresh_token)
        except ServiceError as error:
            said.append(error)
            if isinstance(error, SignInExpiredError):
                await held.drop()
            return
        said.append(grant)
        if not await held.renew(grant.refresh_token):  # connected anew, or disconnected, where rows are not locked
            said[:] = [SignInExpiredError()]
            await self._login.revoke(grant.token)


class UserTokenSource(TokenSource):
    """Adds one person's token to requests."""

    requires_response_body = True

    def __init__(self, tokens: UserTokens, person: PersonKey, host_id: HostId) -> None:
        self._tokens, self._person, self._host_id = tokens, person, host_id

    async def ready(self) -> None:
        await self._tokens.current(self._person, self._host_id)

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        token = await self._tokens.current(self._person, self._host_id)
        request.headers["Authorization"] = f"Bearer {token.value}"
        response = yield request
        if response.status_code in (401, 403):
            self._tokens.drop(self._person, token)
