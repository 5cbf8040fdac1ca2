"""The sessions there are: who sees which, who reads whose link, who ends which, and where it was told.

Every answer is given anew from the store and the access rules, so a button decides nothing by being there. Ending,
sharing and sending are each said to have been done when they are asked for twice.
"""

import asyncio
from contextlib import suppress
from dataclasses import replace
from typing import Protocol

from bot.desk.access import Access
from bot.desk.errors import NoSuchSession, ServiceError
from bot.desk.models import ChannelId, Kind, Request, Role, SessionId, UserId
from bot.desk.outcomes import Ended, Handlers, Listed, Recalled, SentDirect, Shared
from bot.desk.press_errors import EndedAlready
from bot.desk.remembered import SessionBook, SessionRecord
from bot.desk.session_errors import LeadsOnly, MayNotEnd, MayNotRead, NothingOpen, SessionNotFound, SeveralOpen

MOST_LISTED = 20
LOOK_SECONDS = 5.0


class SessionControl(Protocol):
    """What the service can do about a session."""

    async def is_over(self, session_id: SessionId) -> bool:
        """Whether the service says so. Raises ServiceError."""

    async def end(self, session_id: SessionId) -> None:
        """Raises NoSuchSession when it cannot be ended, ServiceError."""


class Herald(Protocol):
    """Tells about a session in places where it can be changed later."""

    async def share(self, record: SessionRecord, channel_id: ChannelId, sharer: UserId) -> None:
        """A public message. Raises ShareRefused, SharedAlready, SlackUnavailable."""

    async def send_direct(self, record: SessionRecord, user_id: UserId) -> None:
        """A direct message. Raises SlackUnavailable."""

    async def retire(self, record: SessionRecord) -> None:
        """Every message about it says from now on that it is over. Raises nothing."""


class Register:
    """Answers what is asked about sessions that exist."""

    def __init__(self, book: SessionBook, access: Access, service: SessionControl, herald: Herald) -> None:
        self._book, self._access, self._service, self._herald = book, access, service, herald

    def handlers(self) -> Handlers:
        """By kind of request; `argument` is the session's id where there is one."""
        return {
            Kind.LAST: self.last,
            Kind.STATUS: self.status,
            Kind.LIST: self.everybodys,
            Kind.END: self.end,
            Kind.SHARE: self.share,
            Kind.DIRECT: self.send_direct,
        }

    async def last(self, request: Request) -> Recalled:
        await self._access.enter(request)
        record = await self._book.last_session(request.team_id, request.requester)
        if record is None:
            raise NothingOpen(ever=False)
        return Recalled(await self._looked_at(record))

    async def status(self, request: Request) -> Listed:
        await self._access.enter(request)
        return Listed(tuple(await self._own(request)))

    async def everybodys(self, request: Request) -> Listed:
        await self._access.enter(request)
        if await self._access.role(request.requester) is Role.MEMBER:
            raise LeadsOnly
        found = await self._book.open_sessions(request.team_id, None, MOST_LISTED + 1)
        return Listed(tuple(record.seen_by(request.requester) for record in found), everybodys=True)

    async def end(self, request: Request) -> Ended:
        await self._access.enter(request)
        record = await self._named(request) if request.argument else await self._only_one(request)
        if not record.concerns(request.requester) and await self._access.role(request.requester) is Role.MEMBER:
            raise MayNotEnd(record.agent, record.requester)
        if record.is_over:
            raise EndedAlready
        try:
            await self._service.end(record.session.id)
        except NoSuchSession:
            if not await self._is_over(record):
                raise
        return Ended(await self._close(record))

    async def share(self, request: Request) -> Shared:
        record = await self.readable(request)
        await self._herald.share(record, request.channel_id, request.requester)
        return Shared(record, request.channel_id)

    async def send_direct(self, request: Request) -> SentDirect:
        record = await self.readable(request)
        await self._herald.send_direct(record, request.requester)
        return SentDirect(record)

    async def readable(self, request: Request) -> SessionRecord:
        """The session that was named, open, for one who may read its link. Raises CobrowseError."""
        await self._access.enter(request)
        record = await self._named(request)
        if not record.concerns(request.requester):
            raise MayNotRead(record.agent, record.requester)
        record = await self._looked_at(record)
        if record.is_over:
            raise EndedAlready
        return record

    async def _named(self, request: Request) -> SessionRecord:
        record = await self._book.session(SessionId(request.argument or ""))
        if record is None or record.team_id != request.team_id:
            raise SessionNotFound
        return record

    async def _only_one(self, request: Request) -> SessionRecord:
        found = await self._own(request)
        if not found:
            raise NothingOpen
        if len(found) > 1:
            raise SeveralOpen(tuple((record.session.id, record.session.name) for record in found))
        return found[0]

    async def _own(self, request: Request) -> list[SessionRecord]:
        found = await self._book.open_sessions(request.team_id, request.requester, MOST_LISTED)
        return [record for record in await asyncio.gather(*map(self._looked_at, found)) if not record.is_over]

    async def _looked_at(self, record: SessionRecord) -> SessionRecord:
        """As the service says it is now; the service is asked only here, when somebody looks."""
        if record.is_over or not await self._is_over(record):
            return record
        return await self._close(record)

    async def _is_over(self, record: SessionRecord) -> bool:
        """What the service says; if it cannot say now, the session is taken to be as it was."""
        with suppress(ServiceError, TimeoutError):
            async with asyncio.timeout(LOOK_SECONDS):
                return await self._service.is_over(record.session.id)
        return False

    async def _close(self, record: SessionRecord) -> SessionRecord:
        await self._book.end_session(record.session.id)
        over = replace(record, is_over=True, session=replace(record.session, join_url="", join_code=""))
        await self._herald.retire(over)
        return over
