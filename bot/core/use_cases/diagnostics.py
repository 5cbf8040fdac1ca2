"""Answer the commands help, whoami, why and apps, and add or remove host links."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from itertools import product

from bot.core.access import AccessPolicy
from bot.core.errors import (
    AccountLinkError,
    HostNotFoundError,
    PermissionDeniedError,
    PersonNotAllowedError,
    RoleRequiredError,
    SlackUnavailableError,
)
from bot.core.hosts.own_host import OwnHost
from bot.core.hosts.resolver import (
    HostResolver,
    NoMatch,
    host_id,
    only_active,
)
from bot.core.models import HostId, Identity, Request, RequestKind, Role, SessionRecord, SlackUser, TeamId
from bot.core.ports import Announce, ApplicationCatalog, HostDirectory, HostLinkRepository
from bot.core.requests.handlers import Handlers, QueryHandler
from bot.core.results import AccessReport, Applications, Help, HostLinked


async def _unannounced(person: SlackUser, host_id: HostId, request: Request, *, is_answer: bool) -> str:
    return ""


async def _nobody(person: SlackUser, host_id: HostId) -> None:
    """Return None: nobody can link a Genesys account. The default of the argument `connected` of Diagnostics."""


async def _no_session(request: Request, person: SlackUser) -> SessionRecord | None:
    return None


class Diagnostics:
    """Answers the commands help, whoami, why and apps, and adds or removes host links."""

    def __init__(
        self,
        access: AccessPolicy,
        hosts: HostResolver,
        links: HostLinkRepository,
        directory: HostDirectory,
        catalogue: ApplicationCatalog,
        application_id: str,
        connected: Callable[[SlackUser, HostId], Awaitable[bool | None]] = _nobody,
        announce: Announce = _unannounced,
        *,
        newest_open: Callable[[Request, SlackUser], Awaitable[SessionRecord | None]] = _no_session,
        help_timeout: float = 2.0,
    ) -> None:
        """Take the dependencies of the use case.

        - `connected`: returns whether a person has linked the account of a host; None if nobody can link an account.
        - `announce`: tells a person and the administrators about the person's new host link.
        - `newest_open`: returns a person's newest open session; None if there is none. If the requester of the request
          may not read the session's link, the returned session has no link.
        - `help_timeout`: the time-out for the search for the requester's host, in seconds. After it, HELP answers
          as if the requester had a host.
        """
        self._newest_open = newest_open
        self._announce, self._own_host = announce, OwnHost(access, hosts, timeout=help_timeout)
        self._access, self._hosts, self._links = access, hosts, links
        self._directory, self._catalogue, self._application_id = directory, catalogue, application_id
        self._connected = connected

    def handlers(self) -> Handlers:
        """Return the handlers by kind of request. The `argument` of LINK is the host's UUID or email address."""
        return {
            RequestKind.HELP: QueryHandler(self.help),
            RequestKind.WHOAMI: QueryHandler(self.whoami),
            RequestKind.WHY: QueryHandler(self.why),
            RequestKind.APPS: QueryHandler(self.applications),
            RequestKind.LINK: QueryHandler(self.link),
            RequestKind.UNLINK: QueryHandler(self.unlink),
        }

    async def help(self, request: Request) -> Help:
        """Return the commands that a person with the requester's role can type.

        If the role cannot be read from Slack, return the commands for a member.

        Raises PermissionDeniedError if the requester may not start sessions. Raises HostNotFoundError if the requester
        has no host and is neither supervisor nor administrator.
        """
        person = await self._access.require_member(request)
        try:
            role = await self._access.role(request.requester, request.team_id)
        except SlackUnavailableError:  # a group cannot be read: answer for a member
            return Help(Role.MEMBER)
        await self._own_host.require(request, person)
        return Help(role)

    async def whoami(self, request: Request) -> Identity:
        person = await self._access.require_member(request)
        host = await self._hosts.find(person)
        return Identity(person, host, await self._connected(person, host.id))

    async def why(self, request: Request) -> AccessReport:
        """Report whether a person could start a session in the request's channel, and why or why not. Start no session.

        The person is the request's `target`, or the requester if there is no target. Raises RoleRequiredError if the
        requester asks about somebody else and is neither supervisor nor administrator.
        """
        await self._access.require_member(request)
        if request.for_another and await self._access.role(request.requester, request.team_id) is Role.MEMBER:
            raise RoleRequiredError("supervisors_only")
        user_id = request.agent
        try:
            person = await self._access.authorize_start(replace(request, requester=user_id, target=None))
        except PermissionDeniedError as refusal:
            if isinstance(refusal, PersonNotAllowedError):
                refusal.is_target = request.for_another
            return AccessReport(user_id, None, refusal, None, ())
        role = await self._access.role(user_id, request.team_id)
        try:
            host = await self._hosts.find(person)
        except HostNotFoundError as missed:
            return AccessReport(user_id, role, None, None, missed.tried)
        session, connected = await self._newest_open(request, person), await self._connected(person, host.id)
        return AccessReport(user_id, role, None, host, (), session, connected)

    async def applications(self, request: Request) -> Applications:
        await self._access.require_member(request)
        return Applications(tuple(await self._catalogue.applications()), self._application_id)

    async def link(self, request: Request) -> HostLinked:
        team_id = await self._administered(request)
        person = await self._access.check_member(request.agent)
        user_id = person.user_id
        address = request.argument or ""
        found = host_id(address) or await self._by_email(address)
        await self._links.link([(team_id, user_id, found)])
        for where, each in product((*person.team_ids, None), person.ids):  # two links would contradict each other
            if (where, each) not in ((team_id, user_id), (None, user_id)):
                await self._links.unlink(where, each)
        name = await self._announce(person, found, request, is_answer=bool(request.view_id))
        return HostLinked(user_id, found, name)

    async def unlink(self, request: Request) -> HostLinked:
        team_id, user_id = await self._administered(request), request.agent
        teams, ids = await self._access.keys(user_id)
        places = dict.fromkeys((team_id, *teams, None))
        was_linked = [await self._links.unlink(where, each) for each in ids for where in places]
        if not any(was_linked):
            raise AccountLinkError("not_linked")
        return HostLinked(user_id, None)

    async def _administered(self, request: Request) -> TeamId:
        """Return the requester's `SlackUser.team_id`.

        Raises RoleRequiredError if the requester is not an administrator.
        """
        person = await self._access.require_member(request)
        if await self._access.role(request.requester, request.team_id) is not Role.ADMIN:
            raise RoleRequiredError("administrators_only")
        return person.team_id

    async def _by_email(self, email: str) -> HostId:
        found = only_active(await self._directory.by_email(email), email)
        if isinstance(found, NoMatch):
            raise AccountLinkError("no_such_host", found.why)
        return found
