"""The chain of rules, and that two people at the same moment never get each other's host."""

import asyncio
import random
import uuid
from collections.abc import Sequence

import pytest

from bot.desk.errors import HostNotFound, Unreachable
from bot.desk.hosts import FOUND_SECONDS, MISSED_SECONDS, DirectoryUser, Hosts, ListedHosts, SameEmail, host_id
from bot.desk.models import Host, Person, Standing

PEOPLE, ROUNDS = 60, 12
MISHAPS = ("somebody else", "several", "nobody", "inactive", "down", "another's id and address")


class Clock:
    """Time, as an argument."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def uuid_of(number: int) -> str:
    return str(uuid.UUID(int=number, version=4))


def person(number: int = 1, team: str = "T0ONE", email: str | None = "") -> Person:
    address = f"p{number}@{team}.example" if email == "" else email
    return Person(team, f"U{number}", f"Person {number}", Standing.MEMBER, address)


class Directory:
    """Genesys users by address: `users` maps an address to what is answered. Counts what it is asked."""

    def __init__(self, *users: DirectoryUser) -> None:
        self.users = {user.email.lower(): [user] for user in users}
        self.asked: list[str] = []

    async def by_email(self, email: str) -> Sequence[DirectoryUser]:
        self.asked.append(email)
        await asyncio.sleep(0)
        return self.users.get(email.lower(), [])


class Unruly(Directory):
    """A directory that answers late, out of order, and now and then wrongly."""

    def __init__(self, *users: DirectoryUser, chance: random.Random) -> None:
        super().__init__(*users)
        self.honest = False
        self.chance = chance

    async def by_email(self, email: str) -> Sequence[DirectoryUser]:
        right = await super().by_email(email)
        await asyncio.sleep(self.chance.random() * 0.01)
        if self.honest or self.chance.random() < 0.6:
            return right
        (other,) = self.chance.choice(list(self.users.values()))
        match self.chance.choice(MISHAPS):
            case "somebody else":
                return [] if other in right else [other]
            case "several":
                return [*right, other]
            case "inactive":
                return [DirectoryUser(right[0].id, active=False, email=email)]
            case "down":
                raise Unreachable
            case "another's id and address":
                return [DirectoryUser(other.id, active=True, email=other.email + " ")] if other not in right else []
        return []


def user(number: int, email: str, *, active: bool = True) -> DirectoryUser:
    return DirectoryUser(uuid_of(number), active, email)


async def miss(rule: SameEmail, who: Person) -> str:
    with pytest.raises(HostNotFound) as caught:
        await Hosts([rule]).find(who)
    (tried,) = caught.value.tried
    return tried.why


async def rush(hosts: Hosts, crowd: list[Person], chance: random.Random) -> list[tuple[Person, object]]:
    """All ask several times at once, some give up waiting, and some are forgotten meanwhile."""

    async def ask(who: Person) -> tuple[Person, object]:
        await asyncio.sleep(chance.random() * 0.01)
        if chance.random() < 0.1:
            hosts.forget(who)
        try:
            return who, await hosts.find(who)
        except (HostNotFound, Unreachable) as error:
            return who, error

    asking = [asyncio.create_task(ask(who)) for who in crowd * 5]
    chance.shuffle(asking)
    for task in asking[: len(asking) // 5]:
        asyncio.get_running_loop().call_later(chance.random() * 0.012, task.cancel)
    done = await asyncio.gather(*asking, return_exceptions=True)
    assert not [each for each in done if isinstance(each, Exception)]
    return [each for each in done if isinstance(each, tuple)]


@pytest.mark.parametrize("seed", range(ROUNDS))
async def test_two_people_at_the_same_moment_never_get_each_others_host(seed):
    chance = random.Random(seed)  # noqa: S311 - a repeatable mess
    crowd = [person(number, team) for number in range(PEOPLE // 2) for team in ("T0ONE", "T0TWO")]
    truth = {(who.team_id, who.user_id): uuid_of(number) for number, who in enumerate(crowd, 1)}
    directory = Unruly(*(user(n, who.email or "") for n, who in enumerate(crowd, 1)), chance=chance)
    clock = Clock()
    hosts = Hosts([SameEmail(directory)], clock=clock)
    found = 0
    for _ in range(2):
        for who, outcome in await rush(hosts, crowd, chance):
            if isinstance(outcome, Host):
                found += 1
                assert outcome.id == truth[who.team_id, who.user_id]
            elif isinstance(outcome, HostNotFound):
                assert outcome.user_id == who.user_id
        clock.now += MISSED_SECONDS / 2
    assert found > PEOPLE
    directory.honest, clock.now = True, clock.now + MISSED_SECONDS
    answers = await asyncio.gather(*(hosts.find(who) for who in crowd))
    assert [host.id for host in answers] == [truth[who.team_id, who.user_id] for who in crowd]


async def test_answers_in_the_opposite_order_of_the_questions_go_to_who_asked():
    class Backwards(Directory):
        async def by_email(self, email: str) -> Sequence[DirectoryUser]:
            self.asked.append(email)
            await asyncio.sleep(0.02 - 0.0001 * len(self.asked))
            return self.users[email.lower()]

    crowd = [person(number) for number in range(1, 151)]
    hosts = Hosts([SameEmail(Backwards(*(user(n, who.email or "") for n, who in enumerate(crowd, 1))))])
    found = await asyncio.gather(*(hosts.find(who) for who in crowd))
    assert [host.id for host in found] == [uuid_of(number) for number in range(1, 151)]


async def test_the_same_user_id_in_two_teams_is_two_people():
    hosts = Hosts([SameEmail(Directory(user(1, "p7@T0ONE.example"), user(2, "p7@T0TWO.example")))])
    one, two = await asyncio.gather(hosts.find(person(7, "T0ONE")), hosts.find(person(7, "T0TWO")))
    assert (one.id, two.id) == (uuid_of(1), uuid_of(2))
    hosts.forget(person(7, "T0ONE"))
    assert (await hosts.find(person(7, "T0TWO"))).id == uuid_of(2)


async def test_a_found_host_is_kept_for_its_time_whatever_the_directory_says_meanwhile():
    clock, directory = Clock(), Directory(user(1, "p1@T0ONE.example"))
    hosts = Hosts([SameEmail(directory)], clock=clock)
    await hosts.find(person())
    directory.users = {"p1@t0one.example": [user(2, "p1@T0ONE.example")]}
    clock.now = FOUND_SECONDS - 1
    assert (await hosts.find(person())).id == uuid_of(1)
    clock.now = FOUND_SECONDS + 1
    assert (await hosts.find(person())).id == uuid_of(2)
    assert len(directory.asked) == 2


async def test_that_nobody_was_found_is_kept_only_briefly():
    clock, directory = Clock(), Directory()
    hosts = Hosts([SameEmail(directory)], clock=clock)
    for at, is_target in ((0.0, False), (MISSED_SECONDS - 1, True)):
        clock.now = at
        with pytest.raises(HostNotFound) as caught:
            await hosts.find(person(), is_target=is_target)
        assert (caught.value.user_id, caught.value.is_target, len(caught.value.tried)) == ("U1", is_target, 1)
    assert len(directory.asked) == 1
    directory.users = {"p1@t0one.example": [user(1, "p1@T0ONE.example")]}
    clock.now = MISSED_SECONDS + 1
    assert (await hosts.find(person())).id == uuid_of(1)
    assert MISSED_SECONDS <= 60 < FOUND_SECONDS


async def test_that_genesys_could_not_say_is_not_kept():
    class Down(Directory):
        async def by_email(self, email: str) -> Sequence[DirectoryUser]:
            if not self.asked:
                self.asked.append(email)
                raise Unreachable
            return await super().by_email(email)

    hosts = Hosts([SameEmail(Down(user(1, "p1@T0ONE.example")))])
    with pytest.raises(Unreachable):
        await hosts.find(person())
    assert (await hosts.find(person())).id == uuid_of(1)


async def test_a_forgotten_host_is_looked_up_anew_also_when_the_old_answer_is_still_under_way():
    answers: list[asyncio.Future[Sequence[DirectoryUser]]] = []

    class Slow(Directory):
        async def by_email(self, email: str) -> Sequence[DirectoryUser]:
            answers.append(asyncio.get_running_loop().create_future())
            return await answers[-1]

    hosts = Hosts([SameEmail(Slow())])
    before = asyncio.create_task(hosts.find(person()))
    await asyncio.sleep(0.001)
    hosts.forget(person())
    after = asyncio.create_task(hosts.find(person()))
    await asyncio.sleep(0.001)
    answers[1].set_result([user(2, "p1@T0ONE.example")])
    assert (await after).id == uuid_of(2)
    answers[0].set_result([user(1, "p1@T0ONE.example")])
    await before
    assert (await hosts.find(person())).id == uuid_of(2)


async def test_the_hosts_file_comes_before_the_address_and_a_team_of_its_own_before_any():
    listed = {("T0ONE", "U1"): uuid_of(11), (None, "U1"): uuid_of(12)}
    directory = Directory(user(1, "p1@T0ONE.example"), user(2, "p2@T0ONE.example"))
    hosts = Hosts([ListedHosts(listed), SameEmail(directory)])
    assert await hosts.find(person(1, "T0ONE")) == Host(uuid_of(11), "hosts file")
    assert await hosts.find(person(1, "T0TWO")) == Host(uuid_of(12), "hosts file")
    assert directory.asked == []
    assert await hosts.find(person(2)) == Host(uuid_of(2), "same e-mail")
    with pytest.raises(HostNotFound) as caught:
        await hosts.find(person(3))
    assert [tried.rule for tried in caught.value.tried] == ["hosts file", "same e-mail"]


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ([], "no Genesys user has it"),
        ([user(1, "p1@T0ONE.example"), user(2, "p1@T0ONE.example")], "several"),
        ([user(1, "p2@T0ONE.example")], "another address"),
        ([user(1, "None")], "another address"),
        ([user(1, "p1@T0ONE.example", active=False)], "not active"),
        ([DirectoryUser("42", True, "p1@T0ONE.example")], "no UUID"),
    ],
)
async def test_the_address_maps_only_who_is_certain(answer, why):
    directory = Directory()
    directory.users = {"p1@t0one.example": answer}
    assert why in await miss(SameEmail(directory), person())


@pytest.mark.parametrize("email", ["ANA@example.com", " ana@Example.COM "])
async def test_addresses_are_compared_without_regard_to_case(email):
    directory = Directory(user(1, "Ana@Example.com"))
    assert (await Hosts([SameEmail(directory, frozenset({"example.com"}))]).find(person(email=email))).id == uuid_of(1)


@pytest.mark.parametrize("email", ["ana@evil.com", "ana@sub.example.com", "ana@notexample.com", "ana@example.com.evil"])
async def test_an_address_of_another_domain_is_not_even_asked_for(email):
    directory = Directory(user(1, email))
    assert "domains" in await miss(SameEmail(directory, frozenset({"example.com"})), person(email=email))
    assert directory.asked == []


async def test_without_a_confirmed_address_nothing_is_asked():
    directory = Directory()
    assert "no confirmed" in await miss(SameEmail(directory), person(email=None))
    assert directory.asked == []


def test_ids_are_uuids_in_lower_case():
    assert host_id(f" {uuid_of(10).upper()} ") == uuid_of(10)
    assert [host_id(bad) for bad in ("", "x", uuid_of(1)[1:], uuid_of(1) + "\n0", "{" + uuid_of(1) + "}")] == [None] * 5
