"""Decide what people may do: who may start a session, for which agent, and in which channel.

The rules come from the settings. Slack says who is a full member of the workspace and who is in a user group. The bot
refuses everything that the rules do not allow.
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
"""The maximum number of people that `AccessPolicy.administrators` returns. If there are more, it leaves out the
administrators whose ids sort last."""


@dataclass(frozen=True, slots=True)
class Allowlist:
    """A list of people: user ids (`U…`, `W…`) and ids of user groups (`S…`). `bool()` of an empty list is False."""

    users: frozenset[UserId] = frozenset()
    groups: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.users or self.groups)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessRules:
    """The settings that say what people may do.

    - `supervisors`, `admins`: the supervisors and the administrators.
    - `members`: the people who may start sessions, in addition to supervisors and administrators. Empty means every
      full member.
    - `channels`: the channels in which people may start sessions. Empty means every channel.
    - `workflow_steps`: whether workflows may start sessions.
    """

    supervisors: Allowlist = Allowlist()
    admins: Allowlist = Allowlist()
    members: Allowlist = Allowlist()
    channels: Collection[ChannelId] = ()
    workflow_steps: bool = False

    @property
    def uses_groups(self) -> bool:
        """Return whether one of the lists of people holds a user group."""
        return any(allowlist.groups for allowlist in (self.supervisors, self.admins, self.members))


@dataclass(frozen=True, slots=True)
class Workspace:
    """The Slack workspace or organization to which the bot token belongs, as Slack's auth.test returns it.

    - `team_id`: the id of the Slack workspace; the id of the organization if `org_wide` is True.
    - `enterprise_id`: the id of the workspace's Enterprise Grid organization; None if there is none.
    - `org_wide`: whether the bot is installed in the whole organization and serves all its Slack workspaces.
    """

    team_id: TeamId
    enterprise_id: TeamId | None = None
    org_wide: bool = False

    def serves(self, team_id: TeamId, enterprise_id: TeamId | None) -> bool:
        """Return whether the bot serves commands from the Slack workspace `team_id`.

        `enterprise_id`: the id of this workspace's Enterprise Grid organization; None if there is none.
        """
        if self.org_wide:
            return enterprise_id is not None and enterprise_id == self.enterprise_id
        return team_id == self.team_id


_NO_TEAM = TeamId("")


@dataclass(frozen=True, slots=True)
class _Question:
    """A question to Slack that a rule needs answered: who is the user, or is the user in a user group?

    - `group_id`: the id of the user group; "" to ask who the user is.
    - `team_id`: the id of the Slack workspace from which the request came; "" to ask who the user is.
    """

    user_id: UserId
    group_id: str = ""
    team_id: TeamId = _NO_TEAM


class _UnansweredError(Exception):
    """A rule needs the answer to the look-up `question`, and the answer is not known yet."""

    def __init__(self, question: _Question) -> None:
        self.question = question


Answer = SlackUser | bool | SlackUnavailableError
Ask = Callable[[_Question], Answer]
"""A function that returns the answer to a look-up without a call to Slack: the user, whether the user is in the group,
or the SlackUnavailableError of a failed look-up. It raises _UnansweredError if the answer is not known."""


class AccessPolicy:
    """Decides what a person may do, by the rules of the settings and Slack's answers about the person."""

    def __init__(self, rules: AccessRules, home: Workspace, people: MemberDirectory) -> None:
        self._rules = rules
        self._home = home
        self._people = people

    async def authorize_start(self, request: Request) -> SlackUser:
        """Return the agent of a start, if the start is allowed.

        Raises PermissionDeniedError if a rule refuses the start, NobodyNamedError if a workflow step names nobody, and
        SlackUnavailableError if a look-up in Slack fails.
        """
        return await self._decide(lambda ask: self._start(request, ask))

    def peek_start(self, request: Request) -> SlackUser | None:
        """Return the agent of a start, if the start is allowed. Make no call to Slack.

        Return None if the cache lacks the answer to a look-up that the rules need. Raises PermissionDeniedError if a
        rule refuses the start, and NobodyNamedError if a workflow step names nobody.
        """
        try:
            return self._start(request, self._cached)
        except _UnansweredError:
            return None

    async def require_member(self, request: Request) -> SlackUser:
        """Check that the requester may start sessions, and return the requester. Do not check the channel.

        Raises PermissionDeniedError if the requester may not start sessions, or if the bot does not serve the Slack
        workspace of the request. Raises SlackUnavailableError if a look-up in Slack fails.
        """
        self._check_home(request)
        return await self._decide(lambda ask: self._member(request.requester, request.team_id, ask, is_target=False))

    def check_channel_allowed(self, request: Request, *, is_sharing: bool = False) -> None:
        """Check that people may start sessions in the request's channel, and post their links there.

        For a workflow step, which has no channel, check that workflows may start sessions. `is_sharing`: whether the
        requester wants to post a link.

        Raises PermissionDeniedError if the channel or the workflow is not allowed, or if the bot does not serve the
        Slack workspace of the request. Raises NobodyNamedError if a workflow step names nobody.
        """
        self._check_home(request)
        if request.kind is RequestKind.STEP:  # it comes from no channel
            self._check_step(request)
        elif self._rules.channels and request.channel_id not in self._rules.channels:
            raise ChannelNotAllowedError(request.channel_id, tuple(self._rules.channels), is_sharing)

    async def check_member(self, user_id: UserId) -> SlackUser:
        """Return the user with this id, who must be a full member of the workspace.

        Raises PersonNotAllowedError if the user is not a full member, and SlackUnavailableError if the look-up in Slack
        fails.
        """
        person = await self._people.person(user_id)
        if person.standing is not MembershipStatus.MEMBER:
            raise PersonNotAllowedError("not_a_member", user_id, person.standing, is_target=True)
        return person

    async def look_up(self, subject: str) -> None:
        """Look up a user or a user group in Slack. Raises SlackUnavailableError if the look-up fails.

        `subject`: the id of the user or the user group. If it is another text, look up nothing.
        """
        if subject.startswith("S"):
            await self._people.members(subject)
        elif subject.startswith(("U", "W")):
            await self._people.person(UserId(subject))

    async def ids(self, user_id: UserId) -> tuple[UserId, ...]:
        """Return all Slack ids of a person; only `user_id` if Slack does not answer."""
        return (await self.keys(user_id))[1]

    async def keys(self, user_id: UserId) -> tuple[tuple[TeamId, ...], tuple[UserId, ...]]:
        """Return the team ids and the user ids under which the database can hold rows about a person.

        If Slack does not answer, return only `user_id` and the id of the team to which the bot token belongs.
        """
        try:
            person = await self._people.person(user_id)
        except SlackUnavailableError:
            return (self._home.team_id,), (user_id,)
        return person.team_ids, person.ids

    def known_id(self, user_id: UserId) -> UserId:
        """Return the main id of the person who has this Slack id, without a call to Slack.

        Return `user_id` unchanged if the bot knows no other id of the person.
        """
        return self._people.known_id(user_id)

    def with_known_ids(self, request: Request) -> Request:
        """Return the request with the main ids of its requester and target, without a call to Slack.

        Leave an id unchanged if the bot knows no other id of the person.
        """
        requester, target = self._people.known_id(request.requester), request.target
        target = self._people.known_id(target) if target else None
        if (requester, target) == (request.requester, request.target):
            return request
        return replace(request, requester=requester, target=target)

    async def role(self, user_id: UserId, team_id: TeamId) -> Role:
        """Return a user's role. A person who is no supervisor or administrator gets MEMBER, even a guest.

        `team_id`: the Slack workspace from which the request came. Raises SlackUnavailableError if a look-up in Slack
        fails.
        """
        return await self._decide(lambda ask: self._role(user_id, team_id, ask))

    def is_known_admin(self, user_id: UserId) -> bool:
        """Return True if the settings or cached look-ups show that a user is an administrator. Make no call to Slack.

        Return False if the user is no administrator, or if the cache lacks an answer.
        """
        if user_id in self._rules.admins.users:
            return True
        try:
            return self._role(user_id, self._home.team_id, self._cached) is Role.ADMIN
        except (_UnansweredError, SlackUnavailableError):
            return False

    async def administrators(self, *also: UserId) -> tuple[tuple[UserId, ...], bool]:
        """Return the main ids of the administrators and of the users `also`, and a flag.

        Leave out users who are not full members of the workspace. Return at most MAX_ADMINISTRATORS ids in total. If
        there are more, leave out administrators rather than users in `also`.

        The flag is False if ids can be missing, because a look-up in Slack failed and can succeed later. Otherwise, the
        flag is True.
        """
        user_ids, are_all = set(self._rules.admins.users), True
        for group_id in self._rules.admins.groups:
            try:
                user_ids |= await self._people.members(group_id)
            except SlackUnavailableError as error:
                are_all &= not error.passes
        found: dict[UserId, None] = {}  # in this order; a person may be listed by both ids
        for user_id in (*also, *sorted(user_ids)):
            try:
                found[(await self.check_member(user_id)).user_id] = None
            except PersonNotAllowedError:
                continue
            except SlackUnavailableError as error:
                are_all &= not error.passes
        return tuple(sorted([*found][:MAX_ADMINISTRATORS])), are_all

    async def _decide(self, rule: Callable[[Ask], T]) -> T:
        """Call `rule` and return its result. Make the look-ups in Slack that `rule` needs.

        `rule`: a function that gets an Ask. If it raises _UnansweredError, make the missing look-up and call it again.
        Raises the other exceptions of `rule`.
        """
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
        """Return whether one of the lists contains the person, by id or by user group.

        Raises SlackUnavailableError if `ask` returns this error for a group, and no other entry of the lists contains
        the person. Raises _UnansweredError if `ask` raises it.
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
