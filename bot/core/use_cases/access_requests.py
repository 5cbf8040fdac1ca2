"""Ask the administrators to connect a person to a Genesys user, and tell the person when that is done.

A notice of the kind ACCESS asks the administrators. A notice of the kind WELCOME tells the person. After one
administrator has connected the person, the bot updates the messages to all administrators.
"""

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from cachetools import TTLCache

from bot.core.access import AccessPolicy
from bot.core.errors import (
    HostNotFoundError,
    PersonNotAllowedError,
    RoleRequiredError,
    RuleMiss,
    SlackUnavailableError,
)
from bot.core.hosts.resolver import HostResolver
from bot.core.models import (
    HostId,
    Notice,
    NoticeKind,
    PersonKey,
    Request,
    RequestId,
    RequestKind,
    Role,
    SlackUser,
    TeamId,
    UserId,
)
from bot.core.notices import NoticeBoard
from bot.core.ports import HostCache, StartHistory
from bot.core.requests.events import ServiceStatus
from bot.core.requests.handlers import Handlers, QueryHandler
from bot.core.results import AccessRequested
from bot.core.timing import NoticeTiming

REPEAT_AFTER = timedelta(days=1)
"""How long a person has to wait before they can ask for access again."""
MAX_LISTED, MAX_SEEN = 10, 10_000
LISTED_SECONDS = 7 * 86_400.0
"""The list for administrators shows the people who tried to start a session within this time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessRequest:
    """A request to connect a person to a Genesys user: the content of an ACCESS or WELCOME notice.

    An ACCESS notice asks the administrators to connect the person. A WELCOME notice tells the person that they are
    connected. An ASK request asks for the connection, and an administrator's LINK request makes it.

    - `ids`: all Slack ids of the person.
    - `team_ids`: the team ids under which the person's host links may be stored; () in a notice of an earlier version.
    - `request_id`: the id of the ASK request. In a WELCOME notice to a person for whom nobody asked, the id of the LINK
      request.
    - `asked_by`: the supervisor or administrator who asked for the person; None if the person asked, or nobody did.
    - `tried`: why each host rule found no host.
    - `connected_by`: the administrator who connected the person in Slack; None if the person is not connected yet, or
      was connected in another way: by the command line, by a host rule or by the person.
    - `connected_in`: in an ACCESS notice, the id of the LINK request that connected the person; else "".
    - `host_name`: the Genesys user's name; "" if unknown.
    """

    person: PersonKey
    ids: tuple[UserId, ...]
    request_id: RequestId
    team_ids: tuple[TeamId, ...] = ()
    asked_by: UserId | None = None
    tried: tuple[RuleMiss, ...] = ()
    connected_by: UserId | None = None
    connected_in: str = ""
    host_name: str = ""


@dataclass(frozen=True, slots=True)
class Unconnected:
    """A person without a host who has tried to start a session. `last_at`: the time of the newest try."""

    person: PersonKey
    last_at: datetime


def access_key(person: PersonKey) -> str:
    """Return the `key` of the ACCESS and WELCOME notices about a person (pure)."""
    return " ".join(person)


def asked_for(person: SlackUser, request_id: RequestId) -> AccessRequest:
    """Create a request for access for a person. The other optional fields have their defaults (pure)."""
    key = (person.team_id, person.user_id)
    return AccessRequest(person=key, ids=person.ids, request_id=request_id, team_ids=person.team_ids)


def read_access(data: Mapping[str, Any]) -> AccessRequest:
    """Convert the `data` of an ACCESS or WELCOME notice to a request for access (pure)."""
    team_id, user_id = data["person"]
    return AccessRequest(
        person=(TeamId(team_id), UserId(user_id)),
        ids=tuple(map(UserId, data["ids"])),
        request_id=RequestId(data["request"]),
        team_ids=tuple(map(TeamId, data.get("teams") or ())),
        asked_by=UserId(data["asked_by"]) if data.get("asked_by") else None,
        tried=tuple(RuleMiss(rule, why, tuple(people)) for rule, why, people in data.get("tried") or ()),
        connected_by=UserId(data["connected_by"]) if data.get("connected_by") else None,
        connected_in=str(data.get("connected_in") or ""),
        host_name=str(data.get("host_name") or ""),
    )


def write_access(asked: AccessRequest) -> dict[str, Any]:
    """Return the `data` of an ACCESS or WELCOME notice about this request for access, as JSON values (pure)."""
    return {
        "person": list(asked.person),
        "ids": list(asked.ids),
        "request": asked.request_id,
        "teams": list(asked.team_ids),
        "asked_by": asked.asked_by,
        "tried": [[miss.rule, miss.why, list(miss.people)] for miss in asked.tried],
        "connected_by": asked.connected_by,
        "connected_in": asked.connected_in,
        "host_name": asked.host_name,
    }


def with_request(notice: Notice, asked: AccessRequest) -> Notice | None:
    """Return a copy of an ACCESS notice that is opened now, with the content `asked` (pure).

    Return None if the request for access in `notice` is still open.
    """
    if is_standing(notice):
        return None
    return replace(notice, team_id=asked.person[0], opened_at=notice.read_at, over_at=None, data=write_access(asked))


def is_standing(notice: Notice) -> bool:
    """Return whether the request for access in an ACCESS notice is open (pure).

    It is open if the notice is stored, is not over, and was opened less than REPEAT_AFTER ago.
    """
    return bool(notice.data) and notice.over_at is None and notice.read_at - notice.opened_at < REPEAT_AFTER


def with_connection(
    notice: Notice, by: UserId | None = None, host_name: str = "", connected_in: str = ""
) -> Notice | None:
    """Return a copy of an ACCESS notice. The copy is over, and records who connected the person (pure).

    Return None if `notice` is already over, or if it is not stored (`notice.data` is empty).

    - `by`: the administrator who connected the person; None if the command line, a host rule or the person did.
    - `host_name`: the Genesys user's name; "" if unknown.
    - `connected_in`: the id of the LINK request that connected the person; "" if there is none.
    """
    if not notice.data or notice.over_at:
        return None
    asked = replace(read_access(notice.data), connected_by=by, host_name=host_name, connected_in=connected_in)
    return replace(notice, over_at=notice.read_at, data=write_access(asked))


class AccessRequests:
    """Sends requests for access to the administrators (ASK). A request for access ends when the person is connected."""

    def __init__(
        self,
        board: NoticeBoard,
        access: AccessPolicy,
        hosts: HostResolver,
        links: HostCache,
        starts: StartHistory,
        status: ServiceStatus,
        name_of: Callable[[HostId], Awaitable[str]],
        timing: NoticeTiming,
    ) -> None:
        """Take the dependencies of the use case.

        `name_of`: returns a Genesys user's name, "" if unknown; it never raises.
        """
        self._board, self._access, self._hosts = board, access, hosts
        self._links, self._starts, self._status, self._name_of = links, starts, status, name_of
        self._timing = timing
        self._linked_since: TTLCache[str, float] = TTLCache(MAX_SEEN, LISTED_SECONDS)
        board.follow(NoticeKind.ACCESS, self._update, self._prepare)

    def handlers(self) -> Handlers:
        """Return the handlers by kind of request. The `target` of ASK is the person for whom a supervisor asks."""
        return {RequestKind.ASK: QueryHandler(self.ask)}

    async def ask(self, request: Request) -> AccessRequested:
        """Ask the administrators to connect a person to a Genesys user.

        The person is the request's `target`, or the requester if there is no target. Ask nobody if the person has a
        host or an open request for access.

        Raises PermissionDeniedError if the requester or the person may not use the bot. Also raises it if the requester
        asks for somebody else and is neither supervisor nor administrator. Raises ServiceError if a call to Genesys
        fails, SlackUnavailableError if a look-up in Slack fails, and StorageUnavailableError if the database fails.
        """
        person = await self._access.require_member(request)
        if request.for_another and request.agent not in person.ids:
            if await self._access.role(request.requester, request.team_id) is Role.MEMBER:
                raise RoleRequiredError("supervisors_only")
            person = await self._access.check_member(request.agent)
        try:
            await self._hosts.find(person)
        except HostNotFoundError as missed:
            tried = missed.tried
        else:
            return AccessRequested(person.user_id, is_connected=True)
        asked_by = request.requester if request.for_another else None
        asked = replace(asked_for(person, request.id), asked_by=asked_by, tried=tried)
        key = access_key(asked.person)
        changed = await self._board.change(NoticeKind.ACCESS, key, lambda notice: with_request(notice, asked))
        standing = changed or await self._board.find(NoticeKind.ACCESS, key)
        is_new = bool(standing.data) and read_access(standing.data).request_id == request.id  # also after a crash
        return AccessRequested(person.user_id, is_new=is_new, asked_at=standing.opened_at)

    async def asked_at(self, person: SlackUser) -> datetime | None:
        """Return when a person asked for access, if their request for access is open; else None.

        Raises StorageUnavailableError if the database fails.
        """
        notice = await self._board.find(NoticeKind.ACCESS, access_key((person.team_id, person.user_id)))
        return notice.opened_at if is_standing(notice) else None

    async def connected(self, person: SlackUser, host_id: HostId, request: Request, *, is_answer: bool) -> str:
        """Tell `person` and the administrators that an administrator linked `person` to the host `host_id`.

        - If the person has a request for access that is not over: end it, update the administrators' messages about
          it, and send the person a message.
        - If not: send the person a message only if `is_answer` is True.
        - Never send a message to a person who linked themselves.

        Return the host's name; "" if unknown. Raises StorageUnavailableError if the database fails.

        - `request`: the administrator's LINK request.
        - `is_answer`: True if the request came from the dialog that connects a person, False if it was typed.
        """
        name = await self._name_of(host_id)
        by = request.requester if request.requester not in person.ids else None
        key = access_key((person.team_id, person.user_id))
        notice = await self._board.find(NoticeKind.ACCESS, key)
        asked = read_access(notice.data) if notice.data else None
        if asked and asked.connected_in == request.id:  # before a crash
            return name
        is_asked = asked is not None and notice.over_at is None
        if (is_answer or is_asked) and by:
            told = asked if asked and is_asked else asked_for(person, request.id)
            await self._welcome(key, told, by, name)
        edit = partial(with_connection, by=by, host_name=name, connected_in=request.id)
        await self._board.change(NoticeKind.ACCESS, key, edit)
        return name

    async def unconnected(self, team_id: TeamId) -> Sequence[Unconnected]:
        """Return the people for whom the bot found no host in the last LISTED_SECONDS, newest first.

        Leave out people who have a host now. Return at most MAX_LISTED people. Raises StorageUnavailableError if the
        database fails.
        """
        found = await self._starts.without_host(team_id, LISTED_SECONDS, 2 * MAX_LISTED)
        missing: list[Unconnected] = []
        for user_id, last_at in found:
            with suppress(PersonNotAllowedError, SlackUnavailableError):  # who left, or whom Slack does not show now
                person = await self._access.check_member(user_id)
                age = datetime.now(UTC) - last_at
                key = (person.team_id, person.user_id)
                if await self._is_linked(person.team_ids, person.ids) or self._has_worked(person.ids, age):
                    continue
                if all(each.person != key for each in missing):  # a person may have tried by both ids
                    missing.append(Unconnected(key, last_at))
        return missing[:MAX_LISTED]

    async def _welcome(self, key: str, asked: AccessRequest, by: UserId | None, name: str) -> None:
        """Store a WELCOME notice, which tells a person that they are connected.

        Do nothing if the request for access already has a WELCOME notice. `by`: the administrator who connected the
        person; None if unknown. `name`: the Genesys user's name; "" if unknown.
        """
        told = replace(asked, connected_by=by, host_name=name)

        def edit(notice: Notice) -> Notice | None:
            if notice.data and read_access(notice.data).request_id == told.request_id:
                return None  # a crash interrupted this request
            now = notice.read_at
            return replace(notice, team_id=told.person[0], opened_at=now, over_at=now, data=write_access(told))

        await self._board.change(NoticeKind.WELCOME, key, edit)

    async def _update(self, notice: Notice) -> bool:
        """Mark an ACCESS notice as over if the person is connected now. Return whether the notice changed.

        The person is connected in two cases:

        - The person has a host link. Wait `NoticeTiming.grace_seconds` after this replica first sees the link, because
          the administrator's replica stores who did it. Then store a WELCOME notice, too.
        - The person has no host link, but a START, STEP or WHOAMI request for the person has succeeded since the
          request for access.
        """
        asked = read_access(notice.data)
        if await self._is_linked(asked.team_ids or asked.person[:1], asked.ids):
            seen_at = self._linked_since.setdefault(notice.key, time.monotonic())
            if time.monotonic() - seen_at < self._timing.grace_seconds:
                return False  # `connected` may be about to say who did it
            await self._welcome(notice.key, asked, None, "")
        elif not self._has_worked(asked.ids, notice.read_at - notice.opened_at):  # else the person knows it already
            return False
        change = self._board.change(NoticeKind.ACCESS, notice.key, with_connection)
        return await change is not None

    async def _is_linked(self, teams: Sequence[TeamId], ids: Sequence[UserId]) -> bool:
        return any([await self._links.linked(team_id, each) for team_id in teams for each in ids])

    def _has_worked(self, ids: Sequence[UserId], age: timedelta) -> bool:
        """Return whether a START, STEP or WHOAMI request of one of these Slack ids succeeded less than `age` ago."""
        worked = [at for each in ids if (at := self._status.worked_for.get(each))]
        return any(timedelta(seconds=time.monotonic() - at) < age for at in worked)

    async def _prepare(self) -> None:
        """Do nothing before a pass of the background task. `NoticeBoard.follow` requires a function for this."""
