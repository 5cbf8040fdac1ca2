"""The host rules: who is mapped to which host, why a person is not mapped, and how long a result is cached."""

from collections.abc import Sequence

import pytest

from bot.core.errors import HostNotFoundError, MissReason, ServiceUnreachableError
from bot.core.hosts.resolver import (
    MISSED_SECONDS,
    EmailRule,
    HostResolver,
    ListedHostRule,
    host_id,
)
from bot.core.models import DirectoryUser, Host, SlackUser
from bot.core.shared_waits import SharedWaits, serving
from bot.core.timing import CoreTiming
from bot.storage.sqlite.store import SQLiteStore
from tests.support import hosts as hosts_support
from tests.support.clock import Clock
from tests.support.hosts import Directory, person, user, uuid_of

book, clock = hosts_support.book, hosts_support.clock


async def miss(rule: EmailRule, who: SlackUser, book: SQLiteStore) -> str:
    with pytest.raises(HostNotFoundError) as caught:
        await HostResolver([rule], book).find(who)
    (tried,) = caught.value.tried
    return tried.why


async def test_hosts_file_beats_the_address_and_a_team_beats_any(book):
    listed = {("T0ONE", "U1"): uuid_of(11), (None, "U1"): uuid_of(12)}
    directory = Directory(user(1, "p1@T0ONE.example"), user(2, "p2@T0ONE.example"))
    hosts = HostResolver([ListedHostRule(listed), EmailRule(directory)], book)
    assert await hosts.find(person(1, "T0ONE")) == Host(uuid_of(11), "hosts file")
    assert await hosts.find(person(1, "T0TWO")) == Host(uuid_of(12), "hosts file")
    assert directory.asked == []
    assert await hosts.find(person(2)) == Host(uuid_of(2), "same email")
    with pytest.raises(HostNotFoundError) as caught:
        await hosts.find(person(3))
    assert [tried.rule for tried in caught.value.tried] == ["hosts file", "same email"]


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ([], MissReason.NO_USER),
        ([user(1, "p1@T0ONE.example"), user(2, "p1@T0ONE.example")], MissReason.SEVERAL_USERS),
        ([user(1, "p2@T0ONE.example")], MissReason.OTHER_EMAIL),
        ([user(1, "None")], MissReason.OTHER_EMAIL),
        ([user(1, "p1@T0ONE.example", active=False)], MissReason.USER_INACTIVE),
        ([DirectoryUser("42", True, "p1@T0ONE.example")], MissReason.ID_NOT_UUID),
    ],
)
async def test_the_address_maps_only_who_is_certain(answer, why, book):
    directory = Directory()
    directory.users = {"p1@t0one.example": answer}
    assert await miss(EmailRule(directory), person(), book) == why


@pytest.mark.parametrize("email", ["ANA@example.com", " ana@Example.COM "])
async def test_addresses_are_compared_without_regard_to_case(email, book):
    directory = Directory(user(1, "Ana@Example.com"))
    hosts = HostResolver([EmailRule(directory, frozenset({"example.com"}))], book)
    assert (await hosts.find(person(email=email))).id == uuid_of(1)


@pytest.mark.parametrize("email", ["ana@evil.com", "ana@sub.example.com", "ana@notexample.com", "ana@example.com.evil"])
async def test_an_address_of_another_domain_is_not_even_asked_for(email, book):
    directory = Directory(user(1, email))
    found = await miss(EmailRule(directory, frozenset({"example.com"})), person(email=email), book)
    assert found == MissReason.DOMAIN_NOT_ALLOWED
    assert directory.asked == []


async def test_without_a_confirmed_address_nothing_is_asked(book):
    directory = Directory()
    assert await miss(EmailRule(directory), person(email=None), book) == MissReason.NO_EMAIL
    assert directory.asked == []


def test_ids_are_uuids_in_lower_case():
    assert host_id(f" {uuid_of(10).upper()} ") == uuid_of(10)
    assert [host_id(bad) for bad in ("", "x", uuid_of(1)[1:], uuid_of(1) + "\n0", "{" + uuid_of(1) + "}")] == [None] * 5


async def test_found_host_is_kept_whatever_the_directory_says(book, clock: Clock):
    directory = Directory(user(1, "p1@T0ONE.example"))
    hosts = HostResolver([EmailRule(directory)], book, clock=clock)
    await hosts.find(person())
    directory.users = {"p1@t0one.example": [user(2, "p1@T0ONE.example")]}
    clock.now = CoreTiming().host_cache_seconds - 1
    assert (await hosts.find(person())).id == uuid_of(1)
    clock.now = CoreTiming().host_cache_seconds + 1
    assert (await hosts.find(person())).id == uuid_of(2)
    assert len(directory.asked) == 2


async def test_missed_look_up_is_kept_only_briefly(book, clock: Clock):
    directory = Directory()
    hosts = HostResolver([EmailRule(directory)], book, clock=clock)
    for at, is_target in ((0.0, False), (MISSED_SECONDS - 1, True)):
        clock.now = at
        with pytest.raises(HostNotFoundError) as caught:
            await hosts.find(person(), is_target=is_target)
        assert (caught.value.user_id, caught.value.is_target, len(caught.value.tried)) == ("U1", is_target, 1)
    assert len(directory.asked) == 1
    directory.users = {"p1@t0one.example": [user(1, "p1@T0ONE.example")]}
    clock.now = MISSED_SECONDS + 1
    assert (await hosts.find(person())).id == uuid_of(1)
    assert MISSED_SECONDS <= 60 < CoreTiming().host_cache_seconds


async def test_look_up_that_genesys_failed_is_not_kept(book):
    class Down(Directory):
        async def by_email(self, email: str) -> Sequence[DirectoryUser]:
            if not self.asked:
                self.asked.append(email)
                raise ServiceUnreachableError
            return await super().by_email(email)

    hosts = HostResolver([EmailRule(Down(user(1, "p1@T0ONE.example")))], book)
    with pytest.raises(ServiceUnreachableError):
        await hosts.find(person())
    assert (await hosts.find(person())).id == uuid_of(1)


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
    assert tried.why == MissReason.EMAIL_NOT_ASCII
    assert directory.asked == []


async def test_an_ordinary_address_still_maps(book: SQLiteStore) -> None:
    hosts = HostResolver([EmailRule(Directory(user(1, "ken@example.com")))], book)
    assert (await hosts.find(person(email="KEN@example.com"))).id == uuid_of(1)


class Hooks:
    """Call hooks that record the waits of which they hear."""

    fairness_key = "U1"

    def __init__(self) -> None:
        self.waits: list[float] = []

    async def before_send(self) -> None:
        pass

    async def on_wait(self, seconds: float) -> None:
        self.waits.append(seconds)


async def test_person_with_a_cached_host_waits_for_no_search(book):
    waits, hooks = SharedWaits(lambda: 0.0), Hooks()
    hosts = HostResolver([EmailRule(Directory(user(1, "p1@T0ONE.example")))], book, waits=waits)
    found = await hosts.find(person(1))
    await waits.on_wait(40.0)  # the search for somebody else
    token = serving.set(hooks)
    try:
        assert await hosts.find(person(1)) == found
        assert hooks.waits == []
        with pytest.raises(HostNotFoundError):
            await hosts.find(person(2))
        assert hooks.waits == [40.0]
    finally:
        serving.reset(token)
