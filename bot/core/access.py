"""Decide who may start what, for whom, where. Default deny: a person not known to be a member is refused.

The MemberDirectory tells who a person is; the rules themselves are settings.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Allowlist:
    """A list of people: user ids `U…`/`W…` and user groups `S…`. An empty list names nobody."""

    users: frozenset[UserId] = frozenset()
    groups: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.users or self.groups)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessRules:
    """The settings of access. Empty `members` means every full member, empty `channels` means everywhere.

    Supervisors and administrators need not be among the members as well.
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
        """Return whether the bot serves a command from there. Bolt does not check this."""
        if self.org_wide:
            return enterprise_id is not None and enterprise_id == self.enterprise_id
        return team_id == self.team_id


_NO_TEAM = TeamId("")


@dataclass(frozen=True, slots=True)
class _Question:
    """Something to ask Slack: who a user is, or (with a `group_id`) whether they are in a user group."""

    user_id: UserId
    group_id: str = ""
    team_id: TeamId = _NO_TEAM


class _UnansweredError(Exception):
    """A rule needs the answer to a question."""

    def __init__(self, question: _Question) -> None:
        self.question = question


Answer = SlackUser | bool | SlackUnavailableError
Ask = Callable[[_Question], Answer]
"""Return Slack's answer, or its failure. Raises _UnansweredError."""


class AccessPolicy:
    """Allows a request, or raises the StartError that says why not.

    The rules are synchronous and run on Slack's answers. A rule that needs another answer stops; `_decide` asks Slack
    for it and runs the rule again. So `peek_start` applies the rules of `authorize_start` to cached answers alone.
    """

    def __init__(self, rules: AccessRules, home: Workspace, people: MemberDirectory) -> None:
        self._rules = rules
        self._home = home
        self._people = people

    async def authorize_start(self, request: Request) -> SlackUser:
        """Return whose session it may be: the requester, or their agent. Raises StartError, SlackUnavailableError."""
        return await self._decide(lambda ask: self._start(request, ask))

    def peek_start(self, request: Request) -> SlackUser | None:
        """Return what `authorize_start` returns, from cached answers; None when one is missing.

        Raises StartError, too.
        """
        try:
            return self._start(request, self._cached)
        except _UnansweredError:
            return None

    async def require_member(self, request: Request) -> SlackUser:
        """Return the requester of a request that starts nothing, in any channel.

        Raises StartError, SlackUnavailableError.
        """
        self._check_home(request)
        return await self._decide(lambda ask: self._member(request.requester, request.team_id, ask, is_target=False))

    def check_channel_allowed(self, request: Request) -> None:
        """Check whether sessions are allowed in the request's channel. Raises StartError."""
        self._check_home(request)
        if request.kind is RequestKind.STEP:  # it comes from no channel
            self._check_step(request)
        elif self._rules.channels and request.channel_id not in self._rules.channels:
            raise ChannelNotAllowedError(request.channel_id, tuple(self._rules.channels))

    async def check_member(self, user_id: UserId) -> SlackUser:
        """Return another person, who has to be a member. Raises PersonNotAllowedError, SlackUnavailableError."""
        person = await self._people.person(user_id)
        if person.standing is not MembershipStatus.MEMBER:
            raise PersonNotAllowedError("not_a_member", user_id, person.standing, is_target=True)
        return person

    async def ids(self, user_id: UserId) -> tuple[UserId, ...]:
        """Return all ids of a person; the given one alone when Slack cannot tell."""
        try:
            return (await self._people.person(user_id)).ids
        except SlackUnavailableError:
            return (user_id,)

    async def role(self, user_id: UserId, team_id: TeamId) -> Role:
        """Return a member's role, for a command in this workspace. Raises SlackUnavailableError."""
        return await self._decide(lambda ask: self._role(user_id, team_id, ask))

    async def _decide(self, rule: Callable[[Ask], T]) -> T:
        """Run a rule; ask Slack for each answer that it needs, and run it again."""
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
        """Return whether a person, by any of their ids, is on a list. Slack is asked for groups only after the names.

        A group that cannot be read allows nobody. Raises SlackUnavailableError when no other list allows the person.
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
