"""Access: who may start sessions, for whom and where; every refusal, and who is allowed."""

from datetime import UTC, datetime
from typing import Any

import pytest

from bot.core.access import (
    AccessPolicy,
    AccessRules,
    Allowlist,
    Workspace,
)
from bot.core.errors import (
    ChannelNotAllowedError,
    OtherWorkspaceError,
    PermissionDeniedError,
    PersonNotAllowedError,
    RoleRequiredError,
    SlackUnavailableError,
)
from bot.core.models import MembershipStatus, Request, RequestKind, SlackUser

ANA, BEN, SUE, GUS = "U0ANA", "U0BEN", "W0SUE", "U0GUS"
HOME = Workspace("T0HOME", "E0ORG")


class People:
    """A directory of Slack users in a dictionary. Everybody unknown is a full member. It records each look-up."""

    def __init__(self, standings: dict[str, MembershipStatus] | None = None, **groups: set[str]) -> None:
        self.standings = standings or {}
        self.groups = groups
        self.asked: list[str] = []
        self.cached: dict[tuple[str, str], Any] = {}

    def known_id(self, user_id: str) -> str:
        return user_id

    async def person(self, user_id: str) -> SlackUser:
        self.asked.append(user_id)
        status = self.standings.get(user_id, MembershipStatus.MEMBER)
        found = self.cached[user_id, ""] = SlackUser("T0HOME", user_id, user_id.title(), status)
        return found

    async def in_group(self, user_id: str, group_id: str, team_id: str) -> bool:
        if group_id not in self.groups:
            raise SlackUnavailableError("no_such_subteam")
        found = self.cached[user_id, group_id] = user_id in self.groups[group_id]
        return found

    def peek_person(self, user_id: str) -> SlackUser | None:
        return self.cached.get((user_id, ""))

    def peek_in_group(self, user_id: str, group_id: str, team_id: str) -> bool | None:
        return self.cached.get((user_id, group_id))


def users(*ids: str) -> Allowlist:
    return Allowlist(frozenset(ids))


def access(people: People | None = None, home: Workspace = HOME, **rules: Any) -> AccessPolicy:
    return AccessPolicy(AccessRules(**rules), home, people or People())


def request(requester: str = ANA, target: str | None = None, **more: Any) -> Request:
    fields: dict[str, Any] = {"team_id": "T0HOME", "enterprise_id": "E0ORG", "channel_id": "C0DESK"} | more
    now = datetime(2026, 1, 1, tzinfo=UTC)
    common = {"id": "r", "key": "k", "kind": RequestKind.START, "accepted_at": now}
    return Request(**common, requester=requester, target=target, **fields)


NOT_MEMBERS = [standing for standing in MembershipStatus if standing is not MembershipStatus.MEMBER]


async def test_a_full_member_may_start_their_own():
    assert (await access().authorize_start(request())).user_id == ANA


@pytest.mark.parametrize("standing", NOT_MEMBERS)
async def test_only_full_members_are_admitted(standing):
    people = People({ANA: standing})
    with pytest.raises(PersonNotAllowedError, match=r"^not_a_member$") as caught:
        await access(people, supervisors=users(ANA), members=users(ANA)).authorize_start(request(target=BEN))
    assert (caught.value.user_id, caught.value.standing, caught.value.is_target) == (ANA, standing, False)
    assert people.asked == [ANA]


@pytest.mark.parametrize("rank", ["supervisors", "admins"])
@pytest.mark.parametrize("allowlist", [users(SUE), Allowlist(groups=("S0NONE", "S0LEADS"))], ids=["by id", "by group"])
async def test_supervisor_starts_a_session_that_is_the_agents(rank, allowlist):
    people = People(S0NONE=set(), S0LEADS={SUE})
    assert (await access(people, **{rank: allowlist}).authorize_start(request(SUE, BEN))).user_id == BEN
    with pytest.raises(RoleRequiredError, match=r"^may_not_act_for_others$") as caught:
        await access(people, **{rank: allowlist}).authorize_start(request(ANA, BEN))
    assert caught.value.target == BEN


async def test_with_nobody_listed_nobody_may_start_for_others():
    with pytest.raises(RoleRequiredError, match=r"^may_not_act_for_others$"):
        await access(members=users(ANA, BEN)).authorize_start(request(ANA, BEN))


async def test_a_mention_of_oneself_needs_no_rank():
    assert (await access().authorize_start(request(ANA, ANA))).user_id == ANA


@pytest.mark.parametrize("standing", NOT_MEMBERS)
async def test_the_target_is_checked_like_the_requester(standing):
    with pytest.raises(PersonNotAllowedError, match=r"^not_a_member$") as caught:
        await access(People({GUS: standing}), supervisors=users(SUE)).authorize_start(request(SUE, GUS))
    assert (caught.value.user_id, caught.value.standing, caught.value.is_target) == (GUS, standing, True)


async def test_person_without_rank_learns_nothing_of_the_target():
    people = People({GUS: MembershipStatus.GUEST})
    with pytest.raises(RoleRequiredError, match=r"^may_not_act_for_others$"):
        await access(people).authorize_start(request(ANA, GUS))
    assert people.asked == [ANA]


@pytest.mark.parametrize("members", [users(BEN), Allowlist(groups=("S0TEAM",))], ids=["by id", "by group"])
async def test_unlisted_requester_and_target_are_both_refused(members):
    people = People(S0TEAM={BEN})
    gate = access(people, members=members, supervisors=users(SUE))
    assert (await gate.authorize_start(request(BEN))).user_id == BEN
    assert (await gate.authorize_start(request(SUE, BEN))).user_id == BEN
    for asked, who, is_target in ((request(ANA), ANA, False), (request(SUE, ANA), ANA, True)):
        with pytest.raises(PersonNotAllowedError, match=r"^not_listed$") as caught:
            await gate.authorize_start(asked)
        assert (caught.value.user_id, caught.value.is_target) == (who, is_target)


@pytest.mark.parametrize("rank", ["supervisors", "admins"])
async def test_supervisor_counts_as_member_and_as_target(rank):
    gate = access(People(S0LEADS={SUE}), members=users(BEN), **{rank: Allowlist(frozenset({ANA}), ("S0LEADS",))})
    assert (await gate.authorize_start(request(SUE))).user_id == SUE
    assert (await gate.authorize_start(request(ANA, SUE))).user_id == SUE


async def test_no_group_is_asked_about_who_is_listed_by_id():
    gate = access(People(), supervisors=Allowlist(frozenset({SUE}), ("S0UNKNOWN",)))
    assert (await gate.authorize_start(request(SUE, BEN))).user_id == BEN


async def test_unreadable_groups_admit_nobody():
    for rules in ({"members": Allowlist(groups=("S0UNKNOWN",))}, {"admins": Allowlist(groups=("S0UNKNOWN",))}):
        with pytest.raises(SlackUnavailableError):
            await access(People(), **rules).authorize_start(request(ANA, BEN))


async def test_outside_the_listed_channels_nobody_starts_anything():
    people = People()
    gate = access(people, channels=("C0DESK", "C0CARE"), admins=users(ANA))
    assert await gate.authorize_start(request(channel_id="C0CARE"))
    people.asked.clear()
    for place in ("C0LOUNGE", "D0ANA", ""):
        with pytest.raises(ChannelNotAllowedError) as caught:
            await gate.authorize_start(request(channel_id=place))
        assert (caught.value.channel_id, caught.value.allowed) == (place, ("C0DESK", "C0CARE"))
    assert people.asked == []


@pytest.mark.parametrize("rank", ["supervisors", "admins"])
async def test_channel_list_holds_for_sessions_for_another(rank):
    people = People()
    gate = access(people, channels=("C0CARE",), **{rank: users(SUE)})
    assert (await gate.authorize_start(request(SUE, BEN, channel_id="C0CARE"))).user_id == BEN
    people.asked.clear()
    with pytest.raises(ChannelNotAllowedError):
        await gate.authorize_start(request(SUE, BEN, channel_id="C0LOUNGE"))
    assert people.asked == []


@pytest.mark.parametrize(
    ("home", "team", "enterprise", "served"),
    [
        (Workspace("T0HOME"), "T0HOME", None, True),
        (Workspace("T0HOME"), "T0OTHER", None, False),
        (Workspace("T0HOME"), "", None, False),
        (Workspace("T0HOME", "E0ORG"), "T0OTHER", "E0ORG", False),
        (Workspace("T0HOME", "E0ORG"), "T0HOME", "E0ORG", True),
        (Workspace("T0HOME", "E0ORG", org_wide=True), "T0OTHER", "E0ORG", True),
        (Workspace("T0HOME", "E0ORG", org_wide=True), "T0HOME", "E0ELSE", False),
        (Workspace("T0HOME", "E0ORG", org_wide=True), "T0HOME", None, False),
        (Workspace("T0HOME", None, org_wide=True), "T0HOME", None, False),
    ],
)
async def test_command_of_another_workspace_is_refused_without_look_up(home, team, enterprise, served):
    people = People()
    asked = request(team_id=team, enterprise_id=enterprise)
    if served:
        assert await access(people, home).authorize_start(asked)
        return
    with pytest.raises(OtherWorkspaceError) as caught:
        await access(people, home, admins=users(ANA)).authorize_start(asked)
    assert caught.value.team_id == team
    assert people.asked == []


def test_empty_allowlist_names_nobody():
    assert [bool(allowlist) for allowlist in (Allowlist(), users(ANA), Allowlist(groups=("S0SUP",)))] == [
        False,
        True,
        True,
    ]


@pytest.mark.parametrize("asked", [request(ANA), request(SUE, BEN), request(ANA, BEN), request(GUS)])
async def test_peek_start_decides_as_admit_once_all_answers_are_cached(asked):
    people = People({GUS: MembershipStatus.GUEST}, S0LEADS={SUE})
    policy = access(people, supervisors=Allowlist(groups=("S0LEADS",)))
    assert policy.peek_start(asked) is None
    try:
        expected: SlackUser | type[PermissionDeniedError] = await policy.authorize_start(asked)
    except PermissionDeniedError as error:
        expected = type(error)
    lookups = len(people.asked)
    if isinstance(expected, SlackUser):
        assert policy.peek_start(asked) == expected
    else:
        with pytest.raises(expected):
            policy.peek_start(asked)
    assert len(people.asked) == lookups


async def test_peek_start_allows_nobody_while_a_group_is_not_cached():
    people = People(S0LEADS={SUE})
    policy = access(people, members=Allowlist(groups=("S0LEADS",)))
    await people.person(SUE)
    assert policy.peek_start(request(SUE)) is None
    assert (await policy.authorize_start(request(SUE))).user_id == SUE
    assert policy.peek_start(request(SUE)).user_id == SUE
