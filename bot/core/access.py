"""Who may start what, for whom, where. Default deny: whoever is not known to be a member is refused.

Asks Slack's side, through the People Protocol, who somebody is; the rules themselves are settings.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from bot.core.errors import (
    ChannelNotAllowedError,
    MayNotActForOthersError,
    NobodyNamedError,
    NotAMemberError,
    NotListedError,
    OtherWorkspaceError,
    SlackUnavailableError,
    StepsOffError,
)
from bot.core.models import ChannelId, MembershipStatus, Request, RequestKind, Role, SlackUser, TeamId, UserId
from bot.core.workflow_steps import is_unasked


class MemberDirectory(Protocol):
    """Slack users and user groups. Both raise SlackUnavailableError when Slack cannot say."""

    async def person(self, user_id: UserId) -> SlackUser: ...

    async def in_group(self, user_id: UserId, group_id: str, team_id: TeamId) -> bool: ...


@dataclass(frozen=True, slots=True)
class Allowlist:
    """A list of people: user ids `U…`/`W…` and user groups `S…`. An empty roll names nobody."""

    users: frozenset[UserId] = frozenset()
    groups: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.users or self.groups)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessRules:
    """The settings that decide. Empty `members` means every full member, empty `channels` means everywhere.

    Supervisors and administrators need not stand among the members as well: to be listed is to be allowed.
    """

    supervisors: Allowlist = Allowlist()
    admins: Allowlist = Allowlist()
    members: Allowlist = Allowlist()
    channels: Collection[ChannelId] = ()
    workflow_steps: bool = False


@dataclass(frozen=True, slots=True)
class Workspace:
    """The workspace the bot's token belongs to (Slack's auth.test); with an org-wide install, the organisation."""

    team_id: TeamId
    enterprise_id: TeamId | None = None
    org_wide: bool = False

    def serves(self, team_id: TeamId, enterprise_id: TeamId | None) -> bool:
        """Whether a command from there is ours. Bolt does not ask."""
        if self.org_wide:
            return enterprise_id is not None and enterprise_id == self.enterprise_id
        return team_id == self.team_id


class AccessPolicy:
    """Lets a request in, or raises the PermissionDeniedError that says why not."""

    def __init__(self, rules: AccessRules, home: Workspace, people: MemberDirectory) -> None:
        self._rules = rules
        self._home = home
        self._people = people

    async def admit(self, request: Request) -> SlackUser:
        """Return whose session it may be: the requester's, or that of the agent they may act for.

        Raises PermissionDeniedError, SlackUnavailableError.
        """
        self.check_place(request)
        is_target = not request.for_another and is_unasked(request)
        requester = await self._member(request.requester, request.team_id, is_target=is_target)
        if request.agent in requester.ids:
            return requester
        if not await self._leads(requester, request.team_id):
            raise MayNotActForOthersError(request.agent)
        return await self._member(request.agent, request.team_id, is_target=True)

    async def enter(self, request: Request) -> SlackUser:
        """Return the requester of what starts nothing, in any channel.

        Raises PermissionDeniedError, SlackUnavailableError.
        """
        self._check_home(request)
        return await self._member(request.requester, request.team_id, is_target=False)

    def check_place(self, request: Request) -> None:
        """Whether there may be sessions in that channel. Raises PermissionDeniedError."""
        self._check_home(request)
        if request.kind is RequestKind.STEP:  # it comes from no channel
            self._check_step(request)
        elif self._rules.channels and request.channel_id not in self._rules.channels:
            raise ChannelNotAllowedError(request.channel_id, tuple(self._rules.channels))

    async def check_standing(self, user_id: UserId) -> SlackUser:
        """Somebody else, who is a member at all. Raises NotAMemberError, SlackUnavailableError."""
        person = await self._people.person(user_id)
        if person.standing is not MembershipStatus.MEMBER:
            raise NotAMemberError(user_id, person.standing, is_target=True)
        return person

    async def ids(self, user_id: UserId) -> tuple[UserId, ...]:
        """All ids of a person; the one that is given, when Slack cannot say."""
        try:
            return (await self._people.person(user_id)).ids
        except SlackUnavailableError:
            return (user_id,)

    async def role(self, user_id: UserId, team_id: TeamId) -> Role:
        """What a member is beyond that, for a command in this workspace. Raises SlackUnavailableError."""
        person = await self._people.person(user_id)
        if await self._on_any((self._rules.admins,), person, team_id):
            return Role.ADMIN
        return Role.SUPERVISOR if await self._on_any((self._rules.supervisors,), person, team_id) else Role.MEMBER

    def _check_step(self, request: Request) -> None:
        if not self._rules.workflow_steps:
            raise StepsOffError
        if not request.requester:
            raise NobodyNamedError

    def _check_home(self, request: Request) -> None:
        if not self._home.serves(request.team_id, request.enterprise_id):
            raise OtherWorkspaceError(request.team_id)

    async def _member(self, user_id: UserId, team_id: TeamId, *, is_target: bool) -> SlackUser:
        person = await self._people.person(user_id)
        if person.standing is not MembershipStatus.MEMBER:
            raise NotAMemberError(user_id, person.standing, is_target)
        rules = self._rules
        rolls = (rules.members, rules.supervisors, rules.admins)
        if rules.members and not await self._on_any(rolls, person, team_id):
            raise NotListedError(user_id, is_target)
        return person

    async def _leads(self, person: SlackUser, team_id: TeamId) -> bool:
        return await self._on_any((self._rules.supervisors, self._rules.admins), person, team_id)

    async def _on_any(self, rolls: Sequence[Allowlist], person: SlackUser, team_id: TeamId) -> bool:
        """Looks at names first, and asks Slack for groups only then. A group that cannot be read admits nobody.

        A person is known by any of their ids.
        """
        if any(not roll.users.isdisjoint(person.ids) for roll in rolls):
            return True
        trouble: SlackUnavailableError | None = None
        for group in (group for roll in rolls for group in roll.groups):
            try:
                for user_id in person.ids:
                    if await self._people.in_group(user_id, group, team_id):
                        return True
            except SlackUnavailableError as error:
                trouble = error
        if trouble:
            raise trouble
        return False
