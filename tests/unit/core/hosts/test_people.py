"""What a hostile reader of the code found in who is who: look-alike letters, groups that cannot be read."""

from datetime import UTC, datetime

import pytest

from bot.core.access import (
    AccessPolicy,
    AccessRules,
    Allowlist,
    Workspace,
)
from bot.core.errors import HostNotFoundError, PersonNotAllowedError, RoleRequiredError, SlackUnavailableError
from bot.core.hosts.resolver import EmailRule, HostResolver
from bot.core.models import MembershipStatus, Request, RequestKind, SlackUser
from bot.storage.sqlite.store import SQLiteStore
from tests.support import hosts as hosts_support
from tests.support.hosts import Directory, person, user, uuid_of

book, clock = hosts_support.book, hosts_support.clock
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


def roll(*ids: str, groups: tuple[str, ...] = ()) -> Allowlist:
    return Allowlist(frozenset(ids), groups)


@pytest.mark.parametrize(
    "rules",
    [
        {"members": roll(ANA, groups=(BROKEN,))},
        {"members": roll(groups=(BROKEN,)), "supervisors": roll(ANA)},
        {"members": roll(groups=(BROKEN,)), "admins": roll(ANA)},
        {"members": roll(groups=(BROKEN,)), "supervisors": roll(groups=(BROKEN,)), "admins": roll(ANA)},
    ],
)
async def test_unreadable_group_does_not_lock_out_a_named_person(rules: dict[str, Allowlist]) -> None:
    assert (await access(**rules).authorize_start(request())).user_id == ANA


async def test_nor_who_is_in_a_group_that_can_be_read() -> None:
    rules = {"members": roll(groups=(BROKEN, READABLE))}
    assert (await access(**rules).authorize_start(request(SUE))).user_id == SUE


@pytest.mark.parametrize("others", [roll(), roll(BEN), roll(groups=(READABLE,))])
async def test_but_it_admits_nobody(others: Allowlist) -> None:
    with pytest.raises(SlackUnavailableError):
        await access(members=roll(groups=(BROKEN,)), supervisors=others).authorize_start(request())


async def test_it_makes_nobody_a_supervisor() -> None:
    broken = roll(groups=(BROKEN,))
    with pytest.raises(SlackUnavailableError):
        await access(supervisors=broken).authorize_start(request(target=BEN))
    assert (await access(supervisors=broken, admins=roll(ANA)).authorize_start(request(target=BEN))).user_id == BEN


async def test_groups_that_can_be_read_still_say_no() -> None:
    readable = roll(groups=(READABLE,))
    with pytest.raises(PersonNotAllowedError, match=r"^not_listed$"):
        await access(members=readable).authorize_start(request())
    with pytest.raises(RoleRequiredError, match=r"^may_not_act_for_others$"):
        await access(supervisors=readable).authorize_start(request(target=BEN))


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("\u212aen@example.com", "ken@example.com"),  # KELVIN SIGN
        ("ana@\u212aids.example", "ana@kids.example"),
        ("\u0430na@example.com", "\u0430na@example.com"),  # CYRILLIC SMALL LETTER A
        ("ana@ex\uff41mple.com", "ana@ex\uff41mple.com"),  # FULLWIDTH
        ("ana\u200b@example.com", "ana\u200b@example.com"),
    ],
)
async def test_an_address_with_letters_that_look_alike_maps_nobody(written: str, meant: str, book: SQLiteStore) -> None:
    directory = Directory(user(1, meant))
    with pytest.raises(HostNotFoundError) as caught:
        await HostResolver([EmailRule(directory)], book).find(person(email=written))
    (tried,) = caught.value.tried
    assert "unusual letters" in tried.why
    assert directory.asked == []


async def test_an_ordinary_address_still_maps(book: SQLiteStore) -> None:
    hosts = HostResolver([EmailRule(Directory(user(1, "ken@example.com")))], book)
    assert (await hosts.find(person(email="KEN@example.com"))).id == uuid_of(1)
