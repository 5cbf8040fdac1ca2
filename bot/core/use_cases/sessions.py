"""List, end, share and send existing sessions.

The access rules check each request, even a request from a button.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime

from bot.core.access import AccessPolicy
from bot.core.errors import (
    CobrowseError,
    RoleRequiredError,
    SessionAccessError,
    SessionActionError,
    StorageUnavailableError,
    UnexpectedError,
    UnknownSessionError,
)
from bot.core.models import (
    ConversationId,
    OtherSession,
    Request,
    RequestId,
    RequestKind,
    Role,
    SessionId,
    SessionPhase,
    SessionRecord,
    SlackUser,
    TeamId,
    UserId,
    team_of,
)
from bot.core.ports import SessionMessages, SessionRepository, SessionsApi
from bot.core.requests.events import EventLog, SessionClosed
from bot.core.requests.handlers import Handlers, QueryHandler
from bot.core.results import (
    ON_CARD,
    LastSession,
    ListKind,
    ListPage,
    SentDirect,
    SessionEnded,
    SessionList,
    SessionShared,
)
from bot.core.timing import CoreTiming
from bot.core.use_cases.session_status import Freshness, SessionStates, without_link

MAX_OWN = 500
"""The maximum number of open sessions of one person that the bot reads from the store. Nobody has as many."""
MAX_ASKED = 10
"""Limits the search for an open session of one person. The bot reads the states of at most this many sessions from the
service. If several are open, the field `sessions` of the SessionActionError has at most this many of them."""


async def _nobody(record: SessionRecord, request: Request) -> None:
    """Tell nobody: the default for `tell_agent` of SessionService."""


async def _not_checked(request: Request, person: SlackUser) -> None:
    """Do nothing: people need no host. The default of the argument `require_host` of SessionService."""


class SessionService:
    """Carries out the requests that list, end, share or send existing sessions."""

    def __init__(
        self,
        store: SessionRepository,
        access: AccessPolicy,
        service: SessionsApi,
        messages: SessionMessages,
        events: EventLog,
        timing: CoreTiming,
        states: SessionStates,
        tell_agent: Callable[[SessionRecord, Request], Awaitable[None]] = _nobody,
        require_host: Callable[[Request, SlackUser], Awaitable[None]] = _not_checked,
    ) -> None:
        """Take the dependencies of the use case.

        - `tell_agent`: tells an agent that somebody else has ended the agent's session; never raises.
        - `require_host`: raises HostNotFoundError if the person has no host and is neither supervisor nor
          administrator.
        """
        self._tell_agent, self._require_host = tell_agent, require_host
        self._store, self._access, self._service = store, access, service
        self._messages, self._events, self._timing = messages, events, timing
        self._states = states

    def handlers(self) -> Handlers:
        """Return the handlers by kind of request. The `argument` of a request means:

        - SHARE, DIRECT: a session's id.
        - LAST: a session's id; None means the newest session.
        - END: a session's id; None means the only open session. After a press in a list: the id, a space, and the
          ListPage as text. After a press on the card of another session: the id, a space, ON_CARD, and the id of the
          card's session.
        - STATUS, LIST: the page of the list, as the text of a ListPage; None means the first page.
        """
        return {
            RequestKind.LAST: QueryHandler(self.last),
            RequestKind.STATUS: QueryHandler(self.status_or_access),
            RequestKind.LIST: QueryHandler(self.list_workspace),
            RequestKind.END: QueryHandler(self.end),
            RequestKind.SHARE: QueryHandler(self.share),
            RequestKind.DIRECT: QueryHandler(self.send_direct),
        }

    async def last(self, request: Request) -> LastSession:
        """Return the open session whose id is the request's `argument`, if the requester may read its link.

        Without an `argument`, return the requester's newest session, open or ended.

        With an `argument`, raises SessionAccessError if the requester may not read the link, and SessionActionError if
        the session is unknown or over, or if its link no longer works.

        Without an `argument`, raises SessionActionError if the requester has no session. If the requester also has no
        host, and is neither supervisor nor administrator, raises HostNotFoundError instead.
        """
        if request.argument:
            return LastSession(await self.readable(request))
        person = await self._access.require_member(request)
        newest = [await self._store.last_session(team_of(request), each) for each in person.ids]
        records = _newest_first([[record] if record else [] for record in newest])
        if not records:
            await self._require_host(request, person)
            raise SessionActionError("no_open_session", ever=False)
        return LastSession(await self._states.refresh(records[0]))

    async def status(self, request: Request, *, freshness: Freshness = Freshness.RECENT) -> SessionList:
        """Return one page of the requester's open sessions.

        The request's `argument` says which page; None means the first. `freshness`: how recent the sessions'
        states have to be.
        """
        person = await self._access.require_member(request)
        return await self._own_page(request, person.ids, ListPage.read(request.argument, ListKind.OWN), freshness)

    async def known_open(self, request: Request) -> SessionList:
        """Return the first page of the requester's open sessions, without a call to the service."""
        return await self.status(request, freshness=Freshness.KNOWN)

    async def newest_open(self, request: Request, person: SlackUser) -> SessionRecord | None:
        """Return the newest open session that a person hosts. Leave out the link if the requester may not read it.

        Return None if the person hosts no open session, or if the service reports that the MAX_ASKED newest are over.
        """
        of_each = [await self._store.open_sessions(team_of(request), each, MAX_OWN) for each in person.ids]
        hosted = [record for record in _newest_first(of_each) if record.agent in person.ids]
        for record in hosted[:MAX_ASKED]:
            if still_open := await self._still_open((record,)):
                return still_open[0].seen_by(request.requester)
        return None

    async def has_had_one(self, request: Request) -> bool:
        """Return whether the database holds a session that the requester hosts or requested, open or ended."""
        person = await self._access.require_member(request)
        return any([await self._store.last_session(team_of(request), each) for each in person.ids])

    async def status_or_access(self, request: Request) -> SessionList:
        """Return one page of the requester's open sessions.

        The request's `argument` says which page; None means the first. Raises HostNotFoundError if the
        requester has no open session and no host, and is neither supervisor nor administrator.
        """
        found = await self.status(request)
        if not found.total:
            await self._require_host(request, await self._access.require_member(request))
        return found

    async def list_workspace(self, request: Request) -> SessionList:
        """Return one page of the workspace's open sessions, sorted by agent.

        The request's `argument` says which page; None means the first. Raises RoleRequiredError if the
        requester is neither supervisor nor administrator.
        """
        person = await self._access.require_member(request)
        if await self._access.role(request.requester, request.team_id) is Role.MEMBER:
            raise RoleRequiredError("supervisors_only")
        return await self._live_page(request, person.ids, ListPage.read(request.argument, ListKind.LIVE))

    async def end(self, request: Request) -> SessionEnded:
        person = await self._access.require_member(request)
        session_id, _, listed = (request.argument or "").partition(" ")
        if session_id:
            record = await self._named(request)
        elif request.for_another and request.agent not in person.ids:
            record = await self._only_one_of_another(request)
        else:
            try:
                record = await self._only_one(request, person.ids)
            except SessionActionError as error:
                if error.code == "no_open_session":
                    await self._require_host(request, person)
                raise
        if not record.concerns(*person.ids):
            await self._check_may_end(request, record)
        reference = None
        if not record.is_over:
            if not request.argument:  # after a crash, the request names what the service may have ended already
                await self._store.name_ending(request.id, record.session.id)
            reference = await self._end(record)
            try:
                record = await self._close(record, request.id, request.requester)
            except StorageUnavailableError:  # it has ended all the same, and the next status read notices
                over = replace(record, is_over=True, ended_by=request.id, ender=request.requester)
                record = replace(over, ended_at=datetime.now(UTC), session=without_link(record.session))
        is_ours = record.ended_by == request.id
        if is_ours and record.agent not in person.ids:  # before the answer, so that a crash does not lose the notice
            await self._tell_agent(record, request)
        if listed and request.is_in_list:
            with suppress(CobrowseError):  # it has ended all the same
                return await self._ended_in(request, person.ids, listed, SessionEnded(record, reference))
        if not is_ours:
            raise SessionActionError("already_ended", record=record)
        return SessionEnded(record, reference)

    async def pressed(self, request: Request, *, reads_link: bool = True, asks_service: bool = False) -> SessionRecord:
        """Return the session whose button the requester pressed. The session can be open or ended.

        Raises SessionAccessError if the requester may not do what the button does, and SessionActionError if the
        session is not stored.

        - `reads_link`: True if the button needs the session's link, False if the button ends the session.
        - `asks_service`: True to read the session's state from the service first, for at most
          `CoreTiming.press_status_timeout`.
        """
        person = await self._access.require_member(request)
        record = await self._named(request)
        if not record.concerns(*person.ids):
            if reads_link:
                raise SessionAccessError("may_not_read_link", record.agent, record.requester)
            await self._check_may_end(request, record)
        if asks_service:
            record = await self._states.refresh(record, wait_seconds=self._timing.press_status_timeout)
        return record

    async def share(self, request: Request) -> SessionShared:
        self._access.check_channel_allowed(request, is_sharing=True)
        record = await self.readable(request)
        await self._messages.share(record, request)
        return SessionShared(record, request.channel_id)

    async def share_new(self, request: Request, session_id: SessionId) -> None:
        """Post the card of the session `session_id`, which the START request `request` has created.

        If the request names a thread, post the card in this thread, else in the request's channel. Post at most one
        message for each request. Raises a CobrowseError if the card is not posted. The error says why.
        """
        self._access.check_channel_allowed(request, is_sharing=True)
        person = await self._access.require_member(request)
        record = await self._named(replace(request, argument=session_id))
        if not record.concerns(*person.ids):
            raise SessionAccessError("may_not_read_link", record.agent, record.requester)
        if record.is_over:
            raise SessionActionError("already_ended", record=record)
        await self._messages.share(record, request)

    async def send_direct(self, request: Request) -> SentDirect:
        record = await self.readable(request)
        await self._messages.send_direct(record, request.requester)
        return SentDirect(record)

    async def readable(self, request: Request) -> SessionRecord:
        """Return the open session whose id is the request's `argument`, if the requester may read its link.

        Raises SessionAccessError if the requester may not read the link. Raises SessionActionError if the session is
        unknown or over, or if its link no longer works, for example because the customer has joined.
        """
        person = await self._access.require_member(request)
        record = await self._named(request)
        if not record.concerns(*person.ids):
            raise SessionAccessError("may_not_read_link", record.agent, record.requester)
        record = await self._states.refresh(record, fresh=True)
        if record.is_over:
            raise SessionActionError("already_ended", record=record)
        if record.is_gone:
            has_joined = record.state.phase is SessionPhase.JOINED
            raise SessionActionError("customer_joined" if has_joined else "link_used_up", record=record)
        return record

    async def check_member(self, request: Request) -> None:
        """Raise PermissionDeniedError if the requester may not use the bot."""
        await self._access.require_member(request)

    async def open_by_conversation(
        self, team_id: TeamId, user_ids: Sequence[UserId]
    ) -> Mapping[ConversationId, SessionRecord]:
        """Return an agent's open sessions by conversation. Of each conversation, return only the newest session.

        `user_ids`: all Slack ids of the agent.
        """
        return await self._store.open_by_conversation(team_id, user_ids)

    async def close_replaced(self, session_id: SessionId, request: Request) -> None:
        """Mark the session `session_id` as ended. A new session in the same conversation has replaced it.

        If another person than the agent created the new session, tell the agent. Never raises.

        `request`: the request that created the new session.
        """
        with suppress(StorageUnavailableError, UnexpectedError):  # its link is dead all the same
            record = await self._store.session(session_id)
            if record and not record.is_over and record.team_id == team_of(request):
                await self._close(record, request.id, request.requester)
                if record.agent not in await self._access.ids(request.requester):
                    await self._tell_agent(record, request)

    async def known(self, session_id: SessionId) -> SessionRecord | None:
        """Return the session with this id from the database, open or ended; None if the session is not stored."""
        return await self._store.session(session_id)

    async def _own_page(
        self, request: Request, user_ids: Sequence[UserId], page: ListPage, freshness: Freshness
    ) -> SessionList:
        of_each = [await self._store.open_sessions(team_of(request), each, MAX_OWN) for each in user_ids]
        found = _newest_first(of_each)
        if page.kind is ListKind.OWN:  # the person's own first, then those that they started for others
            found.sort(key=lambda record: record.agent not in user_ids)
        page = replace(page, number=min(page.number, max(0, len(found) - 1) // page.size))
        shown: Sequence[SessionRecord] = found[page.number * page.size : (page.number + 1) * page.size]
        total = len(found) - len(shown)
        if freshness is not Freshness.KNOWN:
            shown = await self._still_open(shown, fresh=freshness is Freshness.NOW)
        return SessionList(tuple(shown), page, total + len(shown), viewer_ids=tuple(user_ids))

    async def _live_page(
        self, request: Request, viewer_ids: Sequence[UserId], page: ListPage, *, is_asked: bool = True
    ) -> SessionList:
        team_id, size = team_of(request), page.size
        agents = await self._access.ids(page.agent) if page.agent else ()
        found, total = await self._store.live_sessions(team_id, agents, size, page.number * size)
        if not total and page.number:  # sessions have ended, and this page with them
            page = replace(page, number=0)
            found, total = await self._store.live_sessions(team_id, agents, size, 0)
        if is_asked and self._states.are_told:
            found = await self._still_open(found)
        return SessionList(tuple(record.seen_by(*viewer_ids) for record in found), page, total)

    async def _ended_in(
        self, request: Request, user_ids: Sequence[UserId], place: str, outcome: SessionEnded
    ) -> SessionEnded:
        """Return a copy of `outcome` that also holds the list or card in which the requester pressed *End*.

        Return `outcome` unchanged if the requester may not see the list or the card.

        - `user_ids`: the requester's Slack ids.
        - `place`: where the button is. In a list, this is the text of a ListPage. On a card, this is ON_CARD with the
          id of the card's session appended.
        """
        if place.startswith(ON_CARD):
            card = await self._store.session(SessionId(place.removeprefix(ON_CARD)))
            if not (card and card.team_id == team_of(request) and card.concerns(*user_ids)):
                return outcome
            return replace(outcome, card=card, other_open=await self._open_beside(card))
        page = ListPage.read(place, ListKind.OWN)
        return replace(outcome, listing=await self._page_after(request, user_ids, page, outcome.record))

    async def _open_beside(self, card: SessionRecord) -> OtherSession | None:
        """Return the newest open session of the agent of `card`, except `card` itself; None if there is none.

        `card`: the session that a session card shows.
        """
        ids = await self._access.ids(card.agent)
        found = _newest_first([await self._store.open_sessions(card.team_id, each, MAX_OWN) for each in ids])
        others = [each for each in found if each.agent in ids and each.session.id != card.session.id]
        if not others:
            return None
        newest = others[0].session
        is_joined = others[0].state.phase is SessionPhase.JOINED
        return OtherSession(newest.id, newest.name, None if is_joined else newest.ends_at, len(others))

    async def _page_after(
        self, request: Request, user_ids: Sequence[UserId], page: ListPage, ended: SessionRecord
    ) -> SessionList | None:
        """Return the page `page` of a list, after the requester has ended the session `ended` on this page.

        Read from the database only, not from the session service. Return None if the list is for supervisors and
        administrators only, and the requester is neither. `user_ids`: the requester's Slack ids.
        """
        if not page.is_live:
            return replace(await self._own_page(request, user_ids, page, Freshness.KNOWN), ended=ended)
        if await self._access.role(request.requester, request.team_id) is Role.MEMBER:
            return None
        return replace(await self._live_page(request, user_ids, page, is_asked=False), ended=ended)

    async def _named(self, request: Request) -> SessionRecord:
        """Return the session whose id is the first word of the request's `argument`.

        Raises SessionActionError if no such session is stored for the requester's workspace.
        """
        record = await self._store.session(SessionId((request.argument or "").partition(" ")[0]))
        if record is None or record.team_id != team_of(request):
            raise SessionActionError("session_not_found")
        return record

    async def _check_may_end(self, request: Request, record: SessionRecord) -> None:
        """Raise SessionAccessError if the requester is neither supervisor nor administrator.

        `record`: the session to end. The requester neither started nor hosts it.
        """
        if await self._access.role(request.requester, request.team_id) is Role.MEMBER:
            raise SessionAccessError("may_not_end", record.agent, record.requester)

    async def _only_one_of_another(self, request: Request) -> SessionRecord:
        """Return the only open session that the request's `target` hosts.

        Raises RoleRequiredError if the requester is neither supervisor nor administrator. Raises SessionActionError if
        there is no such session, or if there are several.
        """
        if await self._access.role(request.requester, request.team_id) is Role.MEMBER:
            raise RoleRequiredError("supervisors_only", request.agent)
        try:
            return await self._only_one(request, await self._access.ids(request.agent), hosted=True)
        except SessionActionError as error:
            error.agent = request.agent
            ids = await self._access.ids(request.requester)
            error.records = tuple(record.seen_by(*ids) for record in error.records)
            raise

    async def _only_one(self, request: Request, user_ids: Sequence[UserId], *, hosted: bool = False) -> SessionRecord:
        """Return a person's only open session. Ignore sessions that were created after the request.

        If the request ended a session before a crash, return the ended session. Raises SessionActionError if there is
        no open session, or if there are several.

        - `user_ids`: all Slack ids of the person.
        - `hosted`: True to leave out sessions that the person started for other agents.
        """
        of_each = [await self._store.meant_by(replace(request, requester=each), MAX_OWN) for each in user_ids]
        found = [record for record in _newest_first(of_each) if not hosted or record.agent in user_ids]
        if ended := [record for record in found if record.ended_by == request.id]:
            return replace(ended[0], ender=request.requester)
        asked, more = found[:MAX_ASKED], found[MAX_ASKED:]
        still_open = [*await self._still_open(asked, fresh=True), *more]
        if not still_open:
            raise SessionActionError("no_open_session")
        if len(still_open) > 1:
            choices = tuple((record.session.id, record.session.name) for record in still_open[:MAX_ASKED])
            raise SessionActionError("several_open_sessions", sessions=choices, records=tuple(still_open))
        return still_open[0]

    async def _still_open(self, found: Sequence[SessionRecord], *, fresh: bool = False) -> list[SessionRecord]:
        records = await asyncio.gather(*(self._states.refresh(record, fresh=fresh) for record in found))
        return [record for record in records if not record.is_over]

    async def _end(self, record: SessionRecord) -> str | None:
        """End the session at the service. Return the service's correlation id; None if the service sent none.

        Raises UnknownSessionError if the service cannot end the session, and neither the database nor the service
        reports that the session is over.
        """
        try:
            return await self._service.end(record)
        except UnknownSessionError as error:
            now = await self._store.session(record.session.id)
            if not (now and now.is_over) and not (await self._states.look(record, fresh=True)).is_final:
                raise
            return error.reference

    async def _close(self, record: SessionRecord, by: RequestId | None, ender: UserId | None = None) -> SessionRecord:
        self._states.drop(record.session.id)
        ours = await self._store.end_session(record.session.id, by)
        self._events.emit(SessionClosed(record.session.id))
        if not ours and (now := await self._store.session(record.session.id)):
            return now  # it says who was first
        over = without_link(record.session)
        ended = replace(record, is_over=True, ended_at=datetime.now(UTC), session=over)
        return replace(ended, ended_by=by, ender=ender) if ours else ended


def _newest_first(of_each_id: Sequence[Sequence[SessionRecord]]) -> list[SessionRecord]:
    """Merge lists of sessions, one for each Slack id of one person, into one list without repetitions.

    Sort the result by the start of the sessions, the newest first. If there is only one list, keep its order.
    """
    found = {record.session.id: record for records in of_each_id for record in records}
    records = list(found.values())
    return records if len(of_each_id) < 2 else sorted(records, key=_started, reverse=True)


def _started(record: SessionRecord) -> datetime:
    return record.started_at or record.session.ends_at
