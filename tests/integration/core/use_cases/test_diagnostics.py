"""The commands that start nothing: help, whoami, why, apps, link and unlink."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
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
    CobrowseError,
    MissReason,
)
from bot.core.hosts.resolver import (
    LINK,
    EmailRule,
    HostResolver,
    ListedHostRule,
)
from bot.core.models import Host, RequestKind, Role
from bot.core.use_cases.diagnostics import Diagnostics
from bot.storage.sqlite.store import SQLiteStore
from tests.support.hosts import Directory, user, uuid_of
from tests.support.sessions import ADA, BEN, GUS, RUN, SAM, UNA, People, access
from tests.support.storage import ANA, TEAM, request


@dataclass
class World:
    """The use case under test, with a real store."""

    store: SQLiteStore
    directory: Directory = field(default_factory=lambda: Directory(user(1, f"{ANA.lower()}@example.com")))

    async def applications(self) -> list[tuple[str, str]]:
        return [("web", "Web"), ("shop", "Web shop")]

    async def asks(
        self,
        kind: RequestKind,
        who: str = ANA,
        about: str | None = None,
        access: AccessPolicy | None = None,
        **how: Any,
    ) -> Any:
        hosts = HostResolver([ListedHostRule({}), EmailRule(self.directory)], self.store)
        asked = request(kind=kind, requester=who, target=about, **how)
        made = Diagnostics(access or self.access(), hosts, self.store, self.directory, self, "web")
        return await made.handlers()[kind].run(asked, RUN)

    def access(self, **changes: Any) -> AccessPolicy:
        return access(**changes)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    store = SQLiteStore(str(tmp_path / "bot.db"))
    yield World(store)
    await store.close()


async def refusal(asking: Any) -> CobrowseError:
    with pytest.raises(CobrowseError) as caught:
        await asking
    return caught.value


@pytest.mark.parametrize(
    "kind",
    [RequestKind.HELP, RequestKind.WHOAMI, RequestKind.WHY, RequestKind.APPS, RequestKind.LINK, RequestKind.UNLINK],
)
async def test_a_guest_is_told_nothing(world: World, kind: RequestKind) -> None:
    assert (await refusal(world.asks(kind, GUS))).code == "not_a_member"
    assert world.directory.asked == []


@pytest.mark.parametrize(("who", "role"), [(ANA, Role.MEMBER), (SAM, Role.SUPERVISOR), (ADA, Role.ADMIN)])
async def test_help_is_for_the_role_one_has(world: World, who: str, role: Role) -> None:
    assert (await world.asks(RequestKind.HELP, who)).role is role


async def test_unreadable_group_gives_everybodys_help(world: World) -> None:
    broken = AccessPolicy(AccessRules(supervisors=Allowlist(groups=("S0GONE",))), Workspace(TEAM), People())
    assert (await world.asks(RequestKind.HELP, ANA, access=broken)).role is Role.MEMBER


async def test_the_applications_come_with_the_one_that_is_used(world: World) -> None:
    found = await world.asks(RequestKind.APPS)
    assert (found.found, found.used) == ((("web", "Web"), ("shop", "Web shop")), "web")


# -- why --


async def test_why_says_as_which_host_and_by_which_rule(world: World) -> None:
    told = await world.asks(RequestKind.WHY)
    assert (told.user_id, told.role, told.refusal, told.missed) == (ANA, Role.MEMBER, None, ())
    assert told.host == Host(uuid_of(1), "same email")


async def test_why_says_which_rules_missed(world: World) -> None:
    told = await world.asks(RequestKind.WHY, UNA)
    assert told.host is None
    assert [(miss.rule, miss.why) for miss in told.missed] == [
        ("hosts file", MissReason.NOT_LISTED),
        ("same email", MissReason.NO_USER),
    ]


async def test_why_says_that_a_start_here_would_be_refused(world: World) -> None:
    narrow = world.access(channels=("C0DESK",))
    told = await world.asks(RequestKind.WHY, access=narrow)
    assert isinstance(told.refusal, ChannelNotAllowedError)
    assert world.directory.asked == []


@pytest.mark.parametrize("who", [SAM, ADA])
async def test_supervisor_asks_about_others_and_not_oneself(world: World, who: str) -> None:
    assert (await world.asks(RequestKind.WHY, who, ANA)).host.id == uuid_of(1)
    guest = (await world.asks(RequestKind.WHY, who, GUS)).refusal
    assert (guest.code, guest.user_id, guest.is_target) == ("not_a_member", GUS, True)
    listed = world.access(members=Allowlist(frozenset({ANA})))
    unlisted = (await world.asks(RequestKind.WHY, who, BEN, access=listed)).refusal
    assert (unlisted.code, unlisted.user_id, unlisted.is_target) == ("not_listed", BEN, True)


async def test_an_agent_may_not(world: World) -> None:
    assert (await refusal(world.asks(RequestKind.WHY, ANA, BEN))).code == "supervisors_only"
    assert (await world.asks(RequestKind.WHY, ANA, ANA)).host  # a mention of oneself is oneself


async def test_why_changes_only_what_a_start_would_store(world: World) -> None:
    await world.asks(RequestKind.WHY, SAM, UNA)
    world.directory.users[f"{UNA.lower()}@example.com"] = [user(7, f"{UNA.lower()}@example.com")]
    assert (await world.asks(RequestKind.WHY, SAM, UNA)).host.id == uuid_of(7)
    assert list(await world.store.links()) == []


# -- links --


@pytest.mark.parametrize("who", [ANA, SAM])
@pytest.mark.parametrize("kind", [RequestKind.LINK, RequestKind.UNLINK])
async def test_only_administrators_link(world: World, who: str, kind: RequestKind) -> None:
    assert (await refusal(world.asks(kind, who, BEN, argument=uuid_of(5)))).code == "administrators_only"
    assert list(await world.store.links()) == []


@pytest.mark.parametrize("address", [uuid_of(1), uuid_of(1).upper(), f"{ANA.lower()}@example.com"])
async def test_a_link_by_id_or_address_decides_at_once(world: World, address: str) -> None:
    linked = await world.asks(RequestKind.LINK, ADA, UNA, argument=address)
    assert (linked.user_id, linked.host_id) == (UNA, uuid_of(1))
    assert (await world.asks(RequestKind.WHOAMI, UNA)).host == Host(uuid_of(1), LINK)
    assert await world.asks(RequestKind.LINK, ADA, UNA, argument=address) == linked  # worked again after a crash
    assert list(await world.store.links()) == [(TEAM, UNA, uuid_of(1))]


async def test_address_of_nobody_or_a_leaver_links_nobody(world: World) -> None:
    world.directory.users["left@example.com"] = [user(3, "left@example.com", active=False)]
    for address, why in (("nobody@example.com", "no_user"), ("left@example.com", "user_inactive")):
        error = await refusal(world.asks(RequestKind.LINK, ADA, UNA, argument=address))
        assert error.code == "no_such_host"
        assert error.why == why
    assert list(await world.store.links()) == []


async def test_former_member_is_not_linked_but_can_be_unlinked(world: World) -> None:
    error = await refusal(world.asks(RequestKind.LINK, ADA, GUS, argument=uuid_of(1)))
    assert (error.code, error.user_id, error.is_target) == ("not_a_member", GUS, True)
    await world.store.link([(TEAM, GUS, uuid_of(1))])
    assert (await world.asks(RequestKind.UNLINK, ADA, GUS)).host_id is None


async def test_unlink_removes_the_links_of_this_team_and_of_any(world: World) -> None:
    await world.store.link([(TEAM, UNA, uuid_of(1)), (None, UNA, uuid_of(2)), (None, BEN, uuid_of(3))])
    await world.asks(RequestKind.UNLINK, ADA, UNA)
    assert list(await world.store.links()) == [(None, BEN, uuid_of(3))]
    assert (await refusal(world.asks(RequestKind.UNLINK, ADA, UNA))).code == "not_linked"
