"""The sessions there are: who sees which, who reads whose link, who ends which, and where it was told.

Every answer is given anew from the store and the access rules, so a button decides nothing by being there. Ending,
sharing and sending are each said to have been done when they are asked for twice.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from bot.core.access import AccessPolicy
from bot.core.errors import (
    EndedAlreadyError,
    LeadsOnlyError,
    LinkUsedUpError,
    MayNotEndError,
    MayNotReadError,
    NoOpenSessionError,
    SessionNotFoundError,
    SeveralOpenSessionsError,
    StorageUnavailableError,
    UnknownSessionError,
)
from bot.core.models import (
    Request,
    RequestId,
    RequestKind,
    Role,
    Session,
    SessionId,
    SessionRecord,
    SessionStatus,
    SlackUser,
    team_of,
)
from bot.core.ports import SessionMessages, SessionRepository, SessionsApi
from bot.core.requests.events import EventLog, SessionClosed
from bot.core.requests.handlers import Handlers, QueryHandler
from bot.core.results import LastSession, SentDirect, SessionEnded, SessionList, SessionShared
from bot.core.timing import CoreTiming
from bot.core.use_cases.session_status import Freshness, SessionStatusCache

MOST_OWN, MOST_EVERYBODYS = 8, 40
"""How many are shown: a message of Slack's holds fifty blocks."""


class SessionService:
    """Answers what is asked about sessions that exist."""

    def __init__(
        self,
        book: SessionRepository,
        access: AccessPolicy,
        service: SessionsApi,
        messages: SessionMessages,
        events: EventLog,
        timing: CoreTiming,
    ) -> None:
        self._book, self._access, self._service = book, access, service
        self._messages, self._events = messages, events
        self._looks = SessionStatusCache(service, timing)

    def handlers(self) -> Handlers:
        """By kind of request; `argument` is the session's id where there is one."""
        return {
            RequestKind.LAST: QueryHandler(self.last),
            RequestKind.STATUS: QueryHandler(self.status),
            RequestKind.LIST: QueryHandler(self.everybodys),
            RequestKind.END: QueryHandler(self.end),
            RequestKind.SHARE: QueryHandler(self.share),
            RequestKind.DIRECT: QueryHandler(self.send_direct),
        }

    async def last(self, request: Request) -> LastSession:
        person = await self._access.enter(request)
        newest = [await self._book.last_session(team_of(request), each) for each in person.ids]
        records = _newest_first([[record] if record else [] for record in newest])
        if not records:
            raise NoOpenSessionError(ever=False)
        return LastSession(await self._looked_at(records[0]))

    async def status(self, request: Request, *, freshness: Freshness = Freshness.RECENT) -> SessionList:
        """The requester's open sessions."""
        person = await self._access.enter(request)
        team_id = team_of(request)
        of_each = [await self._book.open_sessions(team_id, each, MOST_OWN + 1) for each in person.ids]
        found = _newest_first(of_each)
        records: Sequence[SessionRecord] = found[:MOST_OWN]
        if freshness is not Freshness.KNOWN:
            records = await self._still_open(records, fresh=freshness is Freshness.NOW)
        return SessionList(tuple(records), cut=len(found) > MOST_OWN)

    async def everybodys(self, request: Request) -> SessionList:
        person = await self._access.enter(request)
        if await self._access.role(request.requester, request.team_id) is Role.MEMBER:
            raise LeadsOnlyError
        found = await self._book.open_sessions(team_of(request), None, MOST_EVERYBODYS + 1)
        seen = [record.seen_by(*person.ids) for record in found[:MOST_EVERYBODYS]]
        by_host = sorted(seen, key=lambda record: record.agent)  # and each host's stay in their order
        return SessionList(tuple(by_host), everybodys=True, cut=len(found) > MOST_EVERYBODYS)

    async def end(self, request: Request) -> SessionEnded:
        person = await self._access.enter(request)
        record = await self._named(request) if request.argument else await self._only_one(request, person)
        if (
            not record.concerns(*person.ids)
            and await self._access.role(request.requester, request.team_id) is Role.MEMBER
        ):
            raise MayNotEndError(record.agent, record.requester)
        reference = None
        if not record.is_over:
            reference = await self._end(record)
            try:
                record = await self._close(record, request.id)
            except StorageUnavailableError:  # it is over all the same, and whoever looks next finds that out
                return SessionEnded(record, reference)
        if record.ended_by != request.id:
            raise EndedAlreadyError
        return SessionEnded(record, reference)

    async def share(self, request: Request) -> SessionShared:
        self._access.check_place(request)
        record = await self.readable(request)
        await self._messages.share(record, request)
        return SessionShared(record, request.channel_id)

    async def send_direct(self, request: Request) -> SentDirect:
        record = await self.readable(request)
        await self._messages.send_direct(record, request.requester)
        return SentDirect(record)

    async def readable(self, request: Request) -> SessionRecord:
        """The session that was named, which can be joined, for one who may read its link."""
        person = await self._access.enter(request)
        record = await self._named(request)
        if not record.concerns(*person.ids):
            raise MayNotReadError(record.agent, record.requester)
        record = await self._looked_at(record, fresh=True)
        if record.is_over:
            raise EndedAlreadyError
        if record.is_gone:
            raise LinkUsedUpError
        return record

    async def known(self, session_id: SessionId) -> SessionRecord | None:
        """That session, over or not, for whom nothing is to be looked at anew."""
        return await self._book.session(session_id)

    async def _named(self, request: Request) -> SessionRecord:
        record = await self._book.session(SessionId(request.argument or ""))
        if record is None or record.team_id != team_of(request):
            raise SessionNotFoundError
        return record

    async def _only_one(self, request: Request, person: SlackUser) -> SessionRecord:
        """The one session that was open when the request came in, also when it is worked again after a crash."""
        of_each = [await self._book.meant_by(replace(request, requester=each), MOST_OWN) for each in person.ids]
        found = _newest_first(of_each)
        if ended := [record for record in found if record.ended_by == request.id]:
            return ended[0]
        still_open = await self._still_open(found, fresh=True)
        if not still_open:
            raise NoOpenSessionError
        if len(still_open) > 1:
            raise SeveralOpenSessionsError(tuple((record.session.id, record.session.name) for record in still_open))
        return still_open[0]

    async def _still_open(self, found: Sequence[SessionRecord], *, fresh: bool = False) -> list[SessionRecord]:
        records = await asyncio.gather(*(self._looked_at(record, fresh=fresh) for record in found))
        return [record for record in records if not record.is_over]

    async def _looked_at(self, record: SessionRecord, *, fresh: bool = False) -> SessionRecord:
        """As the service says it is; the service is asked only here, when somebody looks."""
        look = SessionStatus.OVER if record.is_over else await self._looks.look(record.session.id, fresh=fresh)
        if look is SessionStatus.GONE:
            return replace(record, is_gone=True, session=_without_ways_in(record.session))
        return record if record.is_over or look is SessionStatus.OPEN else await self._close(record, None)

    async def _end(self, record: SessionRecord) -> str | None:
        """At the service, which need not know it any more: somebody may have ended it this very moment."""
        try:
            return await self._service.end(record.session.id)
        except UnknownSessionError as error:
            now = await self._book.session(record.session.id)
            if (
                not (now and now.is_over)
                and await self._looks.look(record.session.id, fresh=True) is not SessionStatus.OVER
            ):
                raise
            return error.reference

    async def _close(self, record: SessionRecord, by: RequestId | None) -> SessionRecord:
        self._looks.drop(record.session.id)
        ours = await self._book.end_session(record.session.id, by)
        self._events.emit(SessionClosed(record.session.id))
        over = _without_ways_in(record.session)
        return replace(record, is_over=True, ended_by=by if ours else None, session=over)


def _newest_first(of_each_id: Sequence[Sequence[SessionRecord]]) -> list[SessionRecord]:
    """The records of all ids of a person, each once. With one id they stay in their order."""
    found = {record.session.id: record for records in of_each_id for record in records}
    records = list(found.values())
    return records if len(of_each_id) < 2 else sorted(records, key=lambda one: one.session.ends_at, reverse=True)


def _without_ways_in(session: Session) -> Session:
    return replace(session, join_url="", join_code="")
