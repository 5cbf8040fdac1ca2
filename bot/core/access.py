"""Decide what people may do: who may start a session, for which agent, and in which channel.

The bot refuses everything that no rule allows. The rules come from the settings. Users and user groups are read from
Slack.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from bot.core.errors import (
    ChannelNotAllowedError,
    NobodyNamedError,
    OtherWorkspaceError,
    PersonNotAllowedError,
    RoleRequiredError,
    SlackUnavailableError,
    StepsOffError,
)
from bot.core.models import (
    ChannelId,
    MembershipStatus,
    Request,
    RequestKind,
    Role,
    SlackUser,
    TeamId,
    UserId,
    is_unasked,
)
from bot.core.ports import MemberDirectory

T = TypeVar("T")
MAX_ADMINISTRATORS = 20
"""The maximum number of administrators who get the messages about faults: those whose ids sort first."""


@dataclass(frozen=True, slots=True)
class Allowlist:
    """A list of people: user ids `U…`/`W…` and user groups `S…`. An empty list allows nobody."""

    users: frozenset[UserId] = frozenset()
    groups: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.users or self.groups)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessRules:
    """The access settings. Empty `members` means every full member; empty `channels` means every channel.

    Supervisors and administrators count as members. `workflow_steps`: whether workflows may start sessions.
    """

    supervisors: Allowlist = Allowlist()
    admins: Allowlist = Allowlist()
    members: Allowlist = Allowlist()
    channels: Collection[ChannelId] = ()
    workflow_steps: bool = False

    @property
    def uses_groups(self) -> bool:
        """Return whether one of the lists holds a user group."""
        return any(allowlist.groups for allowlist in (self.supervisors, self.admins, self.members))


@dataclass(frozen=True, slots=True)
class Workspace:
    """The Slack workspace of the bot's token, as Slack's auth.test returns it.

    `enterprise_id` is the workspace's Enterprise Grid organization, None if there is none. `org_wide`: whether the bot
    is installed in the whole organization and serves all its workspaces.
    """

    team_id: TeamId
    enterprise_id: TeamId | None = None
    org_wide: bool = False

    def serves(self, team_id: TeamId, enterprise_id: TeamId | None) -> bool:
        """Return whether the bot serves commands from a workspace.

        `enterprise_id` is its Enterprise Grid organization or None. With an org-wide installation the organizations
        must match, else the workspaces.
        """
        if self.org_wide:
            return enterprise_id is not None and enterprise_id == self.enterprise_id
        return team_id == self.team_id


_NO_TEAM = TeamId("")


@dataclass(frozen=True, slots=True)
class _Question:
    """A look-up in Slack about one user.

    Without a `group_id`, the look-up reads the user. With one, it asks whether the user is in this user group.
    """

    user_id: UserId
    group_id: str = ""
    team_id: TeamId = _NO_TEAM


class _UnansweredError(Exception):
    """Raised when a rule needs an answer from Slack that the bot has not got yet. `question` is the look-up to make."""

    def __init__(self, question: _Question) -> None:
        self.question = question


Answer = SlackUser | bool | SlackUnavailableError
Ask = Callable[[_Question], Answer]
"""A function that returns Slack's answer to a question, or Slack's failure. Raises _UnansweredError without either."""


class AccessPolicy:
    """Checks what a person may do. A method raises an error with the reason if the person may not do it.

    The rules are synchronous functions of Slack's answers. When a rule needs an answer that is not known, `_decide`
    asks Slack and runs the rule again. `peek_start` runs the rules of `authorize_start` on cached answers only.
    """

    def __init__(self, rules: AccessRules, home: Workspace, people: MemberDirectory) -> None:
        self._rules = rules
        self._home = home
        self._people = people

    async def authorize_start(self, request: Request) -> SlackUser:
        """Return the agent of a start if the start is allowed: the requester, or the person whom the requester named.

        Raises PermissionDeniedError if a rule refuses the start, NobodyNamedError if a workflow step names nobody, and
        SlackUnavailableError if a look-up in Slack fails.
        """
        return await self._decide(lambda ask: self._start(request, ask))

    def peek_start(self, request: Request) -> SlackUser | None:
        """Return the agent as `authorize_start` does, but only from cached answers of Slack.

        Return None when an answer is not cached. Raises the errors of `authorize_start`.
        """
        try:
            return self._start(request, self._cached)
        except _UnansweredError:
            return None

    async def require_member(self, request: Request) -> SlackUser:
        """Return the requester of a request that starts no session, if the requester may use the bot.

        Such a request may come from any channel. Raises PermissionDeniedError if the requester is not a member or the
        bot does not serve the request's workspace. Raises SlackUnavailableError if a look-up in Slack fails.
        """
        self._check_home(request)
        return await self._decide(lambda ask: self._member(request.requester, request.team_id, ask, is_target=False))

    def check_channel_allowed(self, request: Request) -> None:
        """Check that sessions may be started from the request's workspace, and from its channel or workflow.

        Raises PermissionDeniedError if not, and NobodyNamedError if a workflow step names nobody.
        """
        self._check_home(request)
        if request.kind is RequestKind.STEP:  # it comes from no channel
            self._check_step(request)
        elif self._rules.channels and request.channel_id not in self._rules.channels:
            raise ChannelNotAllowedError(request.channel_id, tuple(self._rules.channels))

    async def check_member(self, user_id: UserId) -> SlackUser:
        """Return the user with this id if they are a full member of the workspace.

        Raises PersonNotAllowedError if they are not, and SlackUnavailableError if the look-up in Slack fails.
        """
        person = await self._people.person(user_id)
        if person.standing is not MembershipStatus.MEMBER:
            raise PersonNotAllowedError("not_a_member", user_id, person.standing, is_target=True)
        return person

    async def ids(self, user_id: UserId) -> tuple[UserId, ...]:
        """Return all Slack ids of a person; only `user_id` when Slack does not answer."""
        return (await self.keys(user_id))[1]

    async def keys(self, user_id: UserId) -> tuple[tuple[TeamId, ...], tuple[UserId, ...]]:
        """Return the ids under which the store may hold rows about a person: team ids, and all Slack ids of the person.

        Return the bot's workspace and `user_id` when Slack does not answer.
        """
        try:
            person = await self._people.person(user_id)
        except SlackUnavailableError:
            return (self._home.team_id,), (user_id,)
        return person.team_ids, person.ids

    def known_id(self, user_id: UserId) -> UserId:
        """Return the main id of the person who has this Slack id. Never call Slack.

        Return `user_id` unchanged if Slack has not yet told the bot the person's ids.
        """
        return self._people.known_id(user_id)

    def with_known_ids(self, request: Request) -> Request:
        """Return the request with the main ids of its requester and target. Never call Slack.

        An id stays unchanged if Slack has not yet told the bot the person's ids.
        """
        requester, target = self._people.known_id(request.requester), request.target
        target = self._people.known_id(target) if target else None
        if (requester, target) == (request.requester, request.target):
            return request
        return replace(request, requester=requester, target=target)

    async def role(self, user_id: UserId, team_id: TeamId) -> Role:
        """Return a member's role in this workspace. Raises SlackUnavailableError if a look-up in Slack fails."""
        return await self._decide(lambda ask: self._role(user_id, team_id, ask))

    def is_known_admin(self, user_id: UserId) -> bool:
        """Return whether a user is an administrator, as far as the settings and cached answers of Slack show.

        Never call Slack. Return False if the cache lacks a necessary answer.
        """
        if user_id in self._rules.admins.users:
            return True
        try:
            return self._role(user_id, self._home.team_id, self._cached) is Role.ADMIN
        except (_UnansweredError, SlackUnavailableError):
            return False

    async def administrators(self, team_id: TeamId, *also: UserId) -> tuple[tuple[UserId, ...], bool]:
        """Return the ids of the administrators and of the users in `also`, and whether the list is complete.

        The list holds the members of user groups, and only full members of the workspace, MAX_ADMINISTRATORS at most.
        It is incomplete if Slack does not answer now. Leave out a group or person that Slack refuses to show.
        """
        user_ids, are_all = {*self._rules.admins.users, *also}, True
        for group_id in self._rules.admins.groups:
            try:
                user_ids |= await self._people.members(group_id, team_id)
            except SlackUnavailableError as error:
                are_all &= not error.passes
        found: dict[UserId, None] = {}  # in this order; a person may be listed by both ids
        for user_id in sorted(user_ids):
            try:
                found[(await self.check_member(user_id)).user_id] = None
            except PersonNotAllowedError:
                continue
            except SlackUnavailableError as error:
                are_all &= not error.passes
        return tuple(found)[:MAX_ADMINISTRATORS], are_all

    async def _decide(self, rule: Callable[[Ask], T]) -> T:
        """Run a rule and return its result. When the rule needs an unknown answer, ask Slack and run the rule again."""
        answers: dict[_Question, Answer] = {}

        def known(question: _Question) -> Answer:
            if question not in answers:
                raise _UnansweredError(question)
            return answers[question]

        while True:
            try:
                return rule(known)
            except _UnansweredError as missing:
                answers[missing.question] = await self._ask(missing.question)

    async def _ask(self, question: _Question) -> Answer:
        try:
            if question.group_id:
                return await self._people.in_group(question.user_id, question.group_id, question.team_id)
            return await self._people.person(question.user_id)
        except SlackUnavailableError as error:
            return error

    def _cached(self, question: _Question) -> Answer:
        answer: Answer | None = (
            self._people.peek_in_group(question.user_id, question.group_id, question.team_id)
            if question.group_id
            else self._people.peek_person(question.user_id)
        )
        if answer is None:
            raise _UnansweredError(question)
        return answer

    def _start(self, request: Request, ask: Ask) -> SlackUser:
        self.check_channel_allowed(request)
        is_target = not request.for_another and is_unasked(request)
        requester = self._member(request.requester, request.team_id, ask, is_target=is_target)
        if request.agent in requester.ids:
            return requester
        if not self._is_on_any((self._rules.supervisors, self._rules.admins), requester, request.team_id, ask):
            raise RoleRequiredError("may_not_act_for_others", request.agent)
        return self._member(request.agent, request.team_id, ask, is_target=True)

    def _check_step(self, request: Request) -> None:
        if not self._rules.workflow_steps:
            raise StepsOffError
        if not request.requester:
            raise NobodyNamedError

    def _check_home(self, request: Request) -> None:
        if not self._home.serves(request.team_id, request.enterprise_id):
            raise OtherWorkspaceError(request.team_id)

    def _member(self, user_id: UserId, team_id: TeamId, ask: Ask, *, is_target: bool) -> SlackUser:
        person = _person(user_id, ask)
        if person.standing is not MembershipStatus.MEMBER:
            raise PersonNotAllowedError("not_a_member", user_id, person.standing, is_target=is_target)
        rules = self._rules
        allowlists = (rules.members, rules.supervisors, rules.admins)
        if rules.members and not self._is_on_any(allowlists, person, team_id, ask):
            raise PersonNotAllowedError("not_listed", user_id, is_target=is_target)
        return person

    def _role(self, user_id: UserId, team_id: TeamId, ask: Ask) -> Role:
        person = _person(user_id, ask)
        if self._is_on_any((self._rules.admins,), person, team_id, ask):
            return Role.ADMIN
        is_supervisor = self._is_on_any((self._rules.supervisors,), person, team_id, ask)
        return Role.SUPERVISOR if is_supervisor else Role.MEMBER

    @staticmethod
    def _is_on_any(allowlists: Sequence[Allowlist], person: SlackUser, team_id: TeamId, ask: Ask) -> bool:
        """Return whether any of the lists names the person: one of their ids, or a user group that they are in.

        Compare ids first, because a group costs a call to Slack. Raises SlackUnavailableError when a group cannot be
        read and no other list names the person.
        """
        if any(not allowlist.users.isdisjoint(person.ids) for allowlist in allowlists):
            return True
        failure: SlackUnavailableError | None = None
        for group_id in (group_id for allowlist in allowlists for group_id in allowlist.groups):
            for user_id in person.ids:
                answer = ask(_Question(user_id, group_id, team_id))
                if answer is True:
                    return True
                if isinstance(answer, SlackUnavailableError):
                    failure = answer
                    break
        if failure:
            raise failure
        return False


def _person(user_id: UserId, ask: Ask) -> SlackUser:
    answer = ask(_Question(user_id))
    if isinstance(answer, SlackUser):
        return answer
    assert isinstance(answer, SlackUnavailableError)  # noqa: S101 - a question about a person
    raise answer
