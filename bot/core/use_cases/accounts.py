"""Connecting one's own Genesys account: who gets a link, whose sign-in counts, and how it is taken back.

A link is good once, for ten minutes, and connects nobody but the one it was made for: whoever signs in by it has to be
the host that the chain gives that person. How Genesys is asked is for the Protocol's owner.
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
    CobrowseError,
    ConnectDeniedError,
    ConnectLinkGoneError,
    ConnectOffError,
    NotConnectedError,
    NotThatPersonError,
    ServiceUnreachableError,
    SignInFailedError,
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
CODE_LENGTH = 2000
_WORD = re.compile(r"[a-z_]{1,40}")
G = TypeVar("G")


class AccountLinking(Generic[G]):
    """Sees to it."""

    def __init__(
        self,
        access: AccessPolicy,
        hosts: HostResolver,
        book: AccountRepository,
        accounts: OAuthClient[G],
        events: EventLog,
        timing: CoreTiming,
    ) -> None:
        self._access, self._hosts, self._book = access, hosts, book
        self._accounts, self._events, self._timing = accounts, events, timing

    def handlers(self) -> Handlers:
        """By kind of request."""
        return {RequestKind.CONNECT: QueryHandler(self.connect), RequestKind.DISCONNECT: QueryHandler(self.disconnect)}

    async def connected(self, person: SlackUser, host_id: HostId) -> bool | None:
        """Whether somebody is connected as this host; None where nobody can be. Raises StorageUnavailableError."""
        if self._accounts.off:
            return None
        found = await self._book.connection(_key(person))
        return found is not None and found.host_id == host_id

    async def connect(self, request: Request) -> SignInOffered:
        person = await self._access.enter(request)
        if self._accounts.off:
            raise ConnectOffError(self._accounts.off)
        host = await self._hosts.find(person)
        already = await self.connected(person, host.id)
        state, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(48)
        pending = PendingAuthorization(_key(person), request.team_id, request.enterprise_id, verifier)
        await self._book.begin(pending, _hash(state), self._timing.link_lifetime_seconds)
        until = datetime.now(UTC) + timedelta(seconds=self._timing.link_lifetime_seconds)
        return SignInOffered(self._accounts.address(state, verifier), until, bool(already))

    async def disconnect(self, request: Request) -> AccountUnlinked:
        was = await self._book.disconnect(_key(await self._access.enter(request)))
        if was is None:
            raise ConnectOffError(self._accounts.off) if self._accounts.off else NotConnectedError()
        await self._accounts.sign_out(was)
        return AccountUnlinked(was.host_id)

    async def come_back(self, state: str, code: str, error: str) -> tuple[Request | None, Result]:
        """Somebody's browser is back from the sign-in, with a code or an error: whose request it was, and its outcome.

        Never raises; nothing that comes in is trusted."""
        began = time.monotonic()
        try:
            pending = await self._book.take(_hash(state)) if STATE.fullmatch(state) else None
        except CobrowseError as trouble:
            return None, trouble
        if pending is None:
            return None, ConnectLinkGoneError()
        request = _request(pending)
        outcome: Result
        try:
            outcome = await self._signed_in(request, pending, code, error)
        except CobrowseError as trouble:
            outcome = trouble
        except Exception:
            log.exception("unexpected", extra={"fields": {"request": request.id}})
            outcome = UnexpectedError()
        seconds = time.monotonic() - began
        self._events.emit(RequestFinished(request, outcome, True, seconds, is_sign_in=True))
        return request, outcome

    async def _signed_in(self, request: Request, pending: PendingAuthorization, code: str, error: str) -> AccountLinked:
        if error == "access_denied":
            raise ConnectDeniedError
        if error or not (0 < len(code) <= CODE_LENGTH and code.isascii() and code.isprintable()):
            raise SignInFailedError(oauth_error=error if _WORD.fullmatch(error) else "an error without a name")
        host = await self._host_of(request)
        grant, signed_in, reference = await self._accounts.sign_in(code, pending.verifier)
        try:
            if signed_in is None or signed_in != host.id:
                raise NotThatPersonError(reference)
            refresh_token = self._accounts.refresh_token_of(grant)
            await self._book.connect(LinkedAccount(pending.person, host.id, refresh_token))
        except CobrowseError:
            await self._accounts.give_back(grant)
            raise
        self._accounts.keep(pending.person, host.id, grant)
        return AccountLinked(host.id)

    async def _host_of(self, request: Request) -> Host:
        """Anew, since they may have left meanwhile; and soon, since a browser waits, and a code soon goes off."""
        try:
            async with asyncio.timeout(self._timing.lookup_timeout):
                person = await self._access.enter(request)
        except TimeoutError:
            raise SlackUnavailableError("no answer in time") from None
        try:
            async with asyncio.timeout(self._timing.lookup_timeout):
                return await self._hosts.find(person)
        except TimeoutError:
            raise ServiceUnreachableError from None


def _key(person: SlackUser) -> PersonKey:
    return person.team_id, person.user_id


def _hash(state: str) -> str:
    return hashlib.sha256(state.encode()).hexdigest()


def _request(pending: PendingAuthorization) -> Request:
    """The sign-in as a request of who asked for the link, so that the same rules and the same journal hold."""
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
