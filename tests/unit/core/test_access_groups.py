"""Access rules that name user groups, one of which Slack does not let the bot read."""

from datetime import UTC, datetime
from typing import Any

import pytest

from bot.core.access import MAX_ADMINISTRATORS, AccessPolicy, AccessRules, Allowlist, Workspace
from bot.core.errors import PersonNotAllowedError, RoleRequiredError, SlackUnavailableError
from bot.core.models import MembershipStatus, Request, RequestKind, SlackUser, UserId

ANA, BEN, SUE = "U0ANA", "U0BEN", "U0SUE"
READABLE, BROKEN = "S0LEADS", "S0BROKEN"


class People:
    """A directory in which everybody is a full member. One group can be read, the other cannot."""

    def known_id(self, user_id: str) -> str:
        return user_id

    async def person(self, user_id: str) -> SlackUser:
        return SlackUser("T0HOME", user_id, user_id.title(), MembershipStatus.MEMBER)

    async def in_group(self, user_id: str, group_id: str, team_id: str) -> bool:
        if group_id == BROKEN:
            raise SlackUnavailableError("no_such_subteam")
        return user_id == SUE

    async def members(self, group_id: str) -> frozenset[str]:
        if group_id == BROKEN:
            raise SlackUnavailableError("no_such_subteam", passes=False)
        if group_id == "S0BUSY":
            raise SlackUnavailableError("ratelimited")
        return frozenset({SUE})

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


@pytest.mark.parametrize(
    ("admins", "found"),
    [
        (allowlist(ANA), ((ANA,), True)),
        (allowlist(ANA, groups=(BROKEN,)), ((ANA,), True)),  # a scope or group that is missing does not come back
        (allowlist(ANA, groups=("S0BUSY",)), ((ANA,), False)),
        (allowlist(groups=("S0ADMINS",)), ((SUE,), True)),
        (allowlist(), ((), True)),
    ],
)
async def test_administrators_are_expanded_as_far_as_slack_tells(admins: Allowlist, found: tuple[Any, bool]) -> None:
    assert await access(admins=admins).administrators() == found


async def test_number_of_administrators_who_get_messages_is_bounded() -> None:
    found, _ = await access(admins=allowlist(*(f"U{number:04}" for number in range(50)))).administrators()
    assert found == tuple(f"U{number:04}" for number in range(MAX_ADMINISTRATORS))


async def test_contact_gets_messages_beside_many_administrators() -> None:
    admins = allowlist(*(f"U{number:04}" for number in range(50)))
    found, _ = await access(admins=admins).administrators(UserId("U9999"))
    assert found == (*(f"U{number:04}" for number in range(MAX_ADMINISTRATORS - 1)), "U9999")


def test_administrator_named_by_id_is_known_without_slack() -> None:
    assert access(admins=allowlist(ANA)).is_known_admin(ANA)
    assert not access(admins=allowlist(ANA)).is_known_admin(SUE)
