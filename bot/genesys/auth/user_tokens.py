"""Cache the access tokens of people who signed in to Genesys, and renew each token before it expires.

A renewal locks the account's row in the database, so that no two replicas use the same refresh token.

Each replica reads an account from the database again when its cached copy is `account_cache_seconds` old, because the
person may have signed out on another replica.
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
from bot.core.timing import GENESYS_TIMING, GenesysTiming
from bot.genesys.auth.authorization_code import AuthorizationCodeClient, Grant, as_unreachable
from bot.genesys.auth.client_credentials import Token
from bot.genesys.auth.credentials import SecretCredentials
from bot.genesys.http import TokenSource

log = logging.getLogger(__name__)

CACHE_SIZE = 20_000
MAX_CONCURRENT_RENEWALS = 3
"""The maximum number of token renewals of one workspace at the same time. Each renewal holds one of the process's ten
connections to the database. The database layer limits the renewals of all workspaces together."""


class UserTokens:
    """Signs people in to Genesys, and caches and renews the access tokens of their linked accounts.

    `off`: the reason why nobody can link an account, one of core.errors.OFF; "" if people can link accounts.
    """

    def __init__(
        self,
        login: AuthorizationCodeClient,
        accounts: AccountRepository,
        *,
        off: str = "",
        timing: GenesysTiming = GENESYS_TIMING,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.off = off
        self._login, self._accounts = login, accounts
        self._timing, self._clock = timing, clock
        self._hosts: Cache[PersonKey, HostId | None] = Cache(
            seconds=timing.account_cache_seconds, size=CACHE_SIZE, clock=clock
        )
        self._tokens: LRUCache[PersonKey, tuple[HostId, Token]] = LRUCache(CACHE_SIZE)
        self._renewing: dict[PersonKey, tuple[HostId, asyncio.Task[Token]]] = {}
        self._renewal_slots = asyncio.Semaphore(MAX_CONCURRENT_RENEWALS)

    async def token_source(self, person: PersonKey, host_id: HostId, *, reload: bool = False) -> TokenSource | None:
        """Return the token source of the person's linked account, if the account belongs to `host_id`; otherwise None.

        `reload`: whether to read the account from the database even if it is in the cache. The person may have linked
        the account on another replica. Raises StorageUnavailableError if the database fails.
        """
        if reload:
            self._hosts.forget(person)
        if await self._hosts.get(person, lambda: self._look_up(person)) != host_id:
            return None
        return UserTokenSource(self, person, host_id)

    async def close(self) -> None:
        """Wait up to `GenesysTiming.close_timeout` seconds for the renewals in progress. Then cancel the others."""
        if under_way := [task for _, task in self._renewing.values()]:
            _, late = await asyncio.wait(under_way, timeout=self._timing.close_timeout)
            for task in late:
                task.cancel()

    def use(self, credentials: SecretCredentials) -> None:
        """Replace the credentials of the OAuth client for people's sign-ins."""
        self._login.use(credentials)

    # -- core's OAuthClient --

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

    async def sign_out(self, account: LinkedAccount) -> None:
        token = self._forget(account.person)
        if token is None and account.refresh_token and not self.off:
            try:  # the refresh invalidates the refresh token; the new access token is revoked below
                token = (await self._login.refresh(account.refresh_token)).token
            except ServiceError:
                return
        if token:
            await self._login.revoke(token)

    # -- for UserTokenSource --

    async def current(self, person: PersonKey, host_id: HostId) -> Token:
        """Return a valid access token of a person, from the cache or from a renewal.

        `host_id`: the Genesys user who owns the token. Raises SignInExpiredError if the person has to sign in again,
        another ServiceError if the renewal fails, and StorageUnavailableError if the database fails.
        """
        (token_host, token), now = self._tokens.get(person) or (None, None), self._clock()
        token = token if token_host == host_id else None  # a token of another host that was linked before
        if token and now < token.renew_at:
            return token
        renewing = self._renew_once(person, host_id)
        if token and now < token.unusable_at:
            return token
        # Shield the renewal: a cancelled caller must not cancel it for the others.
        return await asyncio.shield(renewing)

    def drop(self, person: PersonKey, token: Token) -> None:
        """Remove `token`, which Genesys refused, from the cache. Do nothing if the cache contains a newer token."""
        _, cached = self._tokens.get(person) or (None, None)
        if cached is token:  # otherwise a newer token is cached already
            del self._tokens[person]

    def _forget(self, person: PersonKey) -> Token | None:
        """Remove a person from all caches, and return the person's cached access token.

        Return None if no token was cached, or if the token has expired.
        """
        self._hosts.forget(person)
        self._renewing.pop(person, None)
        _, token = self._tokens.pop(person, None) or (None, None)
        return token if token and self._clock() < token.unusable_at else None

    async def _look_up(self, person: PersonKey) -> HostId | None:
        found = await self._accounts.connection(person)
        if found is None:
            self._tokens.pop(person, None)
        return found.host_id if found else None

    def _renew_once(self, person: PersonKey, host_id: HostId) -> "asyncio.Task[Token]":
        renewing_host, task = self._renewing.get(person) or (None, None)
        if task is None or renewing_host != host_id:
            task = asyncio.create_task(self._renew(person, host_id))
            self._renewing[person] = host_id, task
            task.add_done_callback(lambda done: self._renewed(person, done))
        return task

    def _renewed(self, person: PersonKey, task: "asyncio.Task[Token]") -> None:
        if not task.cancelled():
            task.exception()  # retrieve it, or asyncio logs it when nobody awaits the task
        if self._is_renewing(person, task):
            del self._renewing[person]

    def _is_renewing(self, person: PersonKey, task: "asyncio.Task[Token] | None") -> bool:
        """Return whether `task` is still the person's current renewal.

        False if the person has linked or unlinked an account since `task` began.
        """
        _, under_way = self._renewing.get(person) or (None, None)
        return under_way is task

    async def _renew(self, person: PersonKey, host_id: HostId) -> Token:
        task, answer = asyncio.current_task(), await self._refresh_locked(person, host_id)
        first_backoff = self._timing.first_backoff_seconds
        for delay in (first_backoff, 2 * first_backoff):
            if not isinstance(answer, ServiceUnreachableError | ServiceBusyError):
                break
            if isinstance(answer, ServiceBusyError) and (answer.retry_after or 0) > delay:
                break
            await asyncio.sleep(delay)  # not under the row's lock; Genesys did not act
            answer = await self._refresh_locked(person, host_id)
        if isinstance(answer, SignInExpiredError) and self._is_renewing(person, task):
            self._forget(person)
        if isinstance(answer, ServiceError):
            raise as_unreachable(answer)
        if self._is_renewing(person, task):
            self._tokens[person] = host_id, answer.token
        return answer.token

    async def _refresh_locked(self, person: PersonKey, host_id: HostId) -> Grant | ServiceError:
        """Refresh a person's token while the account's row is locked, so that no refresh token is used twice.

        Return the ServiceError, without raising it, if the refresh fails. Return a SignInExpiredError if the person has
        no linked account of `host_id`. Raises StorageUnavailableError if the database fails before the refresh.
        """
        results: list[Grant | ServiceError] = []
        try:
            async with self._renewal_slots, self._accounts.holding(person) as held:
                if held and held.connection.host_id == host_id and held.connection.refresh_token:
                    await self._renew_held(held, results)
        except StorageUnavailableError:
            if not results:
                raise
            log.warning("a renewed sign-in was not stored", extra={"fields": {"requester": person[1]}})
        return results[0] if results else SignInExpiredError()

    async def _renew_held(self, held: LockedAccount, results: list[Grant | ServiceError]) -> None:
        """Refresh the token of a locked account, and store the new refresh token.

        Append the result to `results`: the Grant with the new tokens, or the error. The caller thus has the result even
        if the database fails. If the person has unlinked the account or linked it again during the refresh, the result
        is a SignInExpiredError.
        """
        try:
            grant = await self._login.refresh(held.connection.refresh_token)
        except ServiceError as error:
            results.append(error)
            if isinstance(error, SignInExpiredError):
                await held.drop()
            return
        results.append(grant)
        if not await held.renew(grant.refresh_token):  # the user unlinked or linked again meanwhile
            results[:] = [SignInExpiredError()]
            await self._login.revoke(grant.token)


class UserTokenSource(TokenSource):
    """Adds the access token of a person's linked account to HTTP requests."""

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
