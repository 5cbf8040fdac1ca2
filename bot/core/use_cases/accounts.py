"""Link and unlink a person's own Genesys account: create a sign-in link, and finish the sign-in.

A sign-in link works once, for ten minutes and for one person. The Genesys user who signs in must be the host of this
person.
"""

import asyncio
import hashlib
import logging
import re
import secrets
import time
from datetime import UTC, datetime, timedelta
from typing import Generic, TypeVar

from bot.core.access import AccessPolicy
from bot.core.errors import (
    AccountLinkError,
    CobrowseError,
    LoginRefusedError,
    ServiceUnreachableError,
    SignInRejectedError,
    SlackUnavailableError,
    UnexpectedError,
)
from bot.core.hosts.resolver import HostResolver
from bot.core.models import (
    ChannelId,
    Host,
    HostId,
    LinkedAccount,
    PendingAuthorization,
    PersonKey,
    Request,
    RequestKind,
    SlackUser,
    new_request_id,
)
from bot.core.ports import AccountRepository, OAuthClient
from bot.core.requests.events import EventLog, RequestFinished
from bot.core.requests.handlers import Handlers, QueryHandler
from bot.core.results import AccountLinked, AccountUnlinked, Result, SignInOffered
from bot.core.timing import CoreTiming

log = logging.getLogger(__name__)

STATE = re.compile(r"[A-Za-z0-9_-]{43}")
MAX_CODE_LENGTH = 2000
_ERROR_CODE = re.compile(r"[a-z_]{1,40}")
G = TypeVar("G")


class AccountLinking(Generic[G]):
    """Links and unlinks people's own Genesys accounts (CONNECT and DISCONNECT)."""

    def __init__(
        self,
        access: AccessPolicy,
        hosts: HostResolver,
        store: AccountRepository,
        accounts: OAuthClient[G],
        events: EventLog,
        timing: CoreTiming,
    ) -> None:
        self._access, self._hosts, self._store = access, hosts, store
        self._accounts, self._events, self._timing = accounts, events, timing

    def handlers(self) -> Handlers:
        """Return the handlers by kind of request."""
        return {RequestKind.CONNECT: QueryHandler(self.connect), RequestKind.DISCONNECT: QueryHandler(self.disconnect)}

    async def connected(self, person: SlackUser, host_id: HostId) -> bool | None:
        """Return whether a person has linked the account of the host `host_id`.

        Return None if nobody can link an account, because the settings do not allow it.

        Raises StorageUnavailableError if the database fails.
        """
        if self._accounts.off:
            return None
        found = [await self._store.connection(key) for key in _keys(person)]
        return any(each is not None and each.host_id == host_id for each in found)

    async def connect(self, request: Request) -> SignInOffered:
        person = await self._access.require_member(request)
        if self._accounts.off:
            raise AccountLinkError("connect_off", self._accounts.off)
        host = await self._hosts.find(person)
        already = await self.connected(person, host.id)
        state, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(48)
        pending = PendingAuthorization(_key(person), request.team_id, request.enterprise_id, verifier)
        await self._store.begin(pending, _hash(state), self._timing.link_lifetime_seconds)
        until = datetime.now(UTC) + timedelta(seconds=self._timing.link_lifetime_seconds)
        return SignInOffered(self._accounts.address(state, verifier), until, bool(already))

    async def disconnect(self, request: Request) -> AccountUnlinked:
        person = await self._access.require_member(request)
        found = [account for key in _keys(person) if (account := await self._store.disconnect(key))]
        if not found:
            raise (
                AccountLinkError("connect_off", self._accounts.off)
                if self._accounts.off
                else AccountLinkError("not_connected")
            )
        for account in found:
            await self._accounts.sign_out(account)
        return AccountUnlinked(found[0].host_id)

    async def handle_callback(self, state: str, code: str, error: str) -> tuple[Request | None, Result]:
        """Finish a sign-in when the browser returns from Genesys. Never raises: the result can be an error.

        Return a CONNECT request that the bot makes for the sign-in, and its result. The request is None if the bot does
        not know whose sign-in this is: the sign-in link is unknown, used or expired, or the database fails.

        `state`, `code`, `error`: query parameters of the browser's URL; "" for a missing one. They can be forged.
        """
        began = time.monotonic()
        try:
            pending = await self._store.take(_hash(state)) if STATE.fullmatch(state) else None
        except CobrowseError as failure:
            return None, failure
        if pending is None:
            return None, AccountLinkError("connect_link_expired")
        request = _request(pending)
        result: Result
        try:
            result = await self._signed_in(request, pending, code, error)
        except CobrowseError as failure:
            result = failure
        except Exception:
            log.exception("unexpected", extra={"fields": {"request": request.id}})
            result = UnexpectedError()
        seconds = time.monotonic() - began
        self._events.emit(RequestFinished(request, result, True, seconds, is_sign_in=True))
        return request, result

    async def _signed_in(self, request: Request, pending: PendingAuthorization, code: str, error: str) -> AccountLinked:
        if error == "access_denied":
            raise SignInRejectedError("connect_denied")
        if error or not (0 < len(code) <= MAX_CODE_LENGTH and code.isascii() and code.isprintable()):
            oauth_error = error if _ERROR_CODE.fullmatch(error) else "an error without a name"
            raise LoginRefusedError(code="connect_failed", oauth_error=oauth_error)
        host = await self._host_of(request)
        grant, signed_in, reference = await self._accounts.sign_in(code, pending.verifier)
        try:
            if signed_in is None or signed_in != host.id:
                raise SignInRejectedError("connect_wrong_user", reference)
            refresh_token = self._accounts.refresh_token_of(grant)
            await self._store.connect(LinkedAccount(pending.person, host.id, refresh_token))
        except CobrowseError:
            await self._accounts.give_back(grant)
            raise
        self._accounts.keep(pending.person, host.id, grant)
        return AccountLinked(host.id)

    async def _host_of(self, request: Request) -> Host:
        """Check again that the person who signs in may use the bot. Return the person's host.

        Raises PermissionDeniedError if the person may not use the bot, and HostNotFoundError if they have no host.
        Raises SlackUnavailableError if the check takes longer than `CoreTiming.lookup_timeout`, and
        ServiceUnreachableError if the search for the host does.
        """
        # A browser waits for the result, and the authorization code expires soon.
        try:
            async with asyncio.timeout(self._timing.lookup_timeout):
                person = await self._access.require_member(request)
        except TimeoutError:
            raise SlackUnavailableError("no answer in time") from None
        try:
            async with asyncio.timeout(self._timing.lookup_timeout):
                return await self._hosts.find(person)
        except TimeoutError:
            raise ServiceUnreachableError from None


def _key(person: SlackUser) -> PersonKey:
    return person.team_id, person.user_id


def _keys(person: SlackUser) -> tuple[PersonKey, ...]:
    """Return the keys by which to search the database for a person's linked accounts: one for each Slack id."""
    return tuple((person.team_id, each) for each in person.ids)


def _hash(state: str) -> str:
    return hashlib.sha256(state.encode()).hexdigest()


def _request(pending: PendingAuthorization) -> Request:
    """Make a CONNECT request for a sign-in in the browser.

    Slack sends no request when the browser returns from Genesys, but the access rules and the events need one.
    """
    request_id = new_request_id()
    return Request(
        id=request_id,
        key=request_id,
        kind=RequestKind.CONNECT,
        team_id=pending.team_id,
        enterprise_id=pending.enterprise_id,
        channel_id=ChannelId(""),
        requester=pending.person[1],
        accepted_at=datetime.now(UTC),
    )
