"""Access rules that name user groups, one of which Slack does not let the bot read."""

from datetime import UTC, datetime

import pytest

from bot.core.access import AccessPolicy, AccessRules, Allowlist, Workspace
from bot.core.errors import PersonNotAllowedError, RoleRequiredError, SlackUnavailableError
from bot.core.models import MembershipStatus, Request, RequestKind, SlackUser

ANA, BEN, SUE = "U0ANA", "U0BEN", "U0SUE"
READABLE, BROKEN = "S0LEADS", "S0BROKEN"


class People:
    """Everybody is a full member; one group can be read, the other cannot."""

    async def person(self, user_id: str) -> SlackUser:
        return SlackUser("T0HOME", user_id, user_id.title(), MembershipStatus.MEMBER)

    async def in_group(self, user_id: str, group_id: str, team_id: str) -> bool:
        if group_id == BROKEN:
            raise SlackUnavailableError("no_such_subteam")
        return user_id == SUE

    def peek_person(self, user_id: str) -> SlackUser | None:
        return None

    def peek_in_group(self, user_id: str, group_id: str, team_id: str) -> bool | None:
        return None


def access(**rules: Allowlist) -> AccessPolicy:
    return AccessPolicy(AccessRules(**rules), Workspace("T0HOME"), People())


def request(
    requester: str = ANA, target: str | None = None, *, number: int = 1, accepted_at: datetime | None = None
) -> Request:
    return Request(
        id=f"r{number}",
        key=f"command:{number}",
        kind=RequestKind.START,
        team_id="T0HOME",
        enterprise_id=None,
        channel_id="C0DESK",
        requester=requester,
        target=target,
        accepted_at=accepted_at or datetime.now(UTC),
    )


def allowlist(*ids: str, groups: tuple[str, ...] = ()) -> Allowlist:
    return Allowlist(frozenset(ids), groups)


@pytest.mark.parametrize(
    "rules",
    [
        {"members": allowlist(ANA, groups=(BROKEN,))},
        {"members": allowlist(groups=(BROKEN,)), "supervisors": allowlist(ANA)},
        {"members": allowlist(groups=(BROKEN,)), "admins": allowlist(ANA)},
        {"members": allowlist(groups=(BROKEN,)), "supervisors": allowlist(groups=(BROKEN,)), "admins": allowlist(ANA)},
    ],
)
async def test_unreadable_group_does_not_lock_out_a_named_person(rules: dict[str, Allowlist]) -> None:
    assert (await access(**rules).authorize_start(request())).user_id == ANA


async def test_readable_group_admits_its_members() -> None:
    rules = {"members": allowlist(groups=(BROKEN, READABLE))}
    assert (await access(**rules).authorize_start(request(SUE))).user_id == SUE


@pytest.mark.parametrize("others", [allowlist(), allowlist(BEN), allowlist(groups=(READABLE,))])
async def test_unreadable_group_admits_nobody(others: Allowlist) -> None:
    with pytest.raises(SlackUnavailableError):
        await access(members=allowlist(groups=(BROKEN,)), supervisors=others).authorize_start(request())


async def test_unreadable_group_makes_no_supervisor() -> None:
    broken = allowlist(groups=(BROKEN,))
    with pytest.raises(SlackUnavailableError):
        await access(supervisors=broken).authorize_start(request(target=BEN))
    assert (await access(supervisors=broken, admins=allowlist(ANA)).authorize_start(request(target=BEN))).user_id == BEN


async def test_readable_groups_still_refuse() -> None:
    readable = allowlist(groups=(READABLE,))
    with pytest.raises(PersonNotAllowedError, match=r"^not_listed$"):
        await access(members=readable).authorize_start(request())
    with pytest.raises(RoleRequiredError, match=r"^may_not_act_for_others$"):
        await access(supervisors=readable).authorize_start(request(target=BEN))
