"""People who ask at the same moment never get each other's host, whatever the directory answers."""

import asyncio
import random
from collections.abc import Sequence

import pytest

from bot.core.errors import HostNotFoundError, ServiceUnreachableError
from bot.core.hosts.resolver import MISSED_SECONDS, EmailRule, HostResolver
from bot.core.models import DirectoryUser, Host, SlackUser
from bot.storage.sqlite.store import SQLiteStore
from tests.support import hosts as hosts_support
from tests.support.clock import Clock
from tests.support.hosts import Directory, person, user, uuid_of

book, clock = hosts_support.book, hosts_support.clock
PEOPLE, ROUNDS = 60, 12
MISHAPS = ("somebody else", "several", "nobody", "inactive", "down", "another's id and address")


class Unruly(Directory):
    """A directory that answers late, out of order, and sometimes wrongly."""

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
                raise ServiceUnreachableError
            case "another's id and address":
                return [DirectoryUser(other.id, active=True, email=other.email + " ")] if other not in right else []
        return []


async def rush(hosts: HostResolver, crowd: list[SlackUser], chance: random.Random) -> list[tuple[SlackUser, object]]:
    """Make all people ask several times at once. Some give up waiting, and some are forgotten in the meantime."""

    async def ask(who: SlackUser) -> tuple[SlackUser, object]:
        await asyncio.sleep(chance.random() * 0.01)
        if chance.random() < 0.1:
            await hosts.forget(who)
        try:
            return who, await hosts.find(who)
        except (HostNotFoundError, ServiceUnreachableError) as error:
            return who, error

    asking = [asyncio.create_task(ask(who)) for who in crowd * 5]
    chance.shuffle(asking)
    for task in asking[: len(asking) // 5]:
        asyncio.get_running_loop().call_later(chance.random() * 0.012, task.cancel)
    done = await asyncio.gather(*asking, return_exceptions=True)
    assert not [each for each in done if isinstance(each, Exception)]
    return [each for each in done if isinstance(each, tuple)]


@pytest.mark.parametrize("seed", range(ROUNDS))
async def test_two_people_at_once_never_get_each_others_host(seed, book: SQLiteStore, clock: Clock):
    chance = random.Random(seed)
    crowd = [person(number, team) for number in range(PEOPLE // 2) for team in ("T0ONE", "T0TWO")]
    truth = {(who.team_id, who.user_id): uuid_of(number) for number, who in enumerate(crowd, 1)}
    directory = Unruly(*(user(n, who.email or "") for n, who in enumerate(crowd, 1)), chance=chance)
    hosts = HostResolver([EmailRule(directory)], book, clock=clock)
    found = 0
    for _ in range(2):
        for who, outcome in await rush(hosts, crowd, chance):
            if isinstance(outcome, Host):
                found += 1
                assert outcome.id == truth[who.team_id, who.user_id]
            elif isinstance(outcome, HostNotFoundError):
                assert outcome.user_id == who.user_id
        clock.now += MISSED_SECONDS / 2
    assert found > PEOPLE
    directory.honest, clock.now = True, clock.now + MISSED_SECONDS
    answers = await asyncio.gather(*(hosts.find(who) for who in crowd))
    assert [host.id for host in answers] == [truth[who.team_id, who.user_id] for who in crowd]


async def test_answers_in_reverse_order_go_to_who_asked(book):
    class Backwards(Directory):
        async def by_email(self, email: str) -> Sequence[DirectoryUser]:
            self.asked.append(email)
            await asyncio.sleep(0.02 - 0.0001 * len(self.asked))
            return self.users[email.lower()]

    crowd = [person(number) for number in range(1, 151)]
    directory = Backwards(*(user(n, who.email or "") for n, who in enumerate(crowd, 1)))
    hosts = HostResolver([EmailRule(directory)], book)
    found = await asyncio.gather(*(hosts.find(who) for who in crowd))
    assert [host.id for host in found] == [uuid_of(number) for number in range(1, 151)]


async def test_the_same_user_id_in_two_teams_is_two_people(book):
    directory = Directory(user(1, "p7@T0ONE.example"), user(2, "p7@T0TWO.example"))
    hosts = HostResolver([EmailRule(directory)], book)
    one, two = await asyncio.gather(hosts.find(person(7, "T0ONE")), hosts.find(person(7, "T0TWO")))
    assert (one.id, two.id) == (uuid_of(1), uuid_of(2))
    await hosts.forget(person(7, "T0ONE"))
    assert (await hosts.find(person(7, "T0TWO"))).id == uuid_of(2)


async def test_forgotten_host_is_looked_up_despite_an_old_answer(book):
    answers: list[asyncio.Future[Sequence[DirectoryUser]]] = []
    asked = asyncio.Semaphore(0)

    class Slow(Directory):
        async def by_email(self, email: str) -> Sequence[DirectoryUser]:
            answers.append(asyncio.get_running_loop().create_future())
            asked.release()
            return await answers[-1]

    hosts = HostResolver([EmailRule(Slow())], book)
    before = asyncio.create_task(hosts.find(person()))
    await asked.acquire()
    await hosts.forget(person())
    after = asyncio.create_task(hosts.find(person()))
    await asked.acquire()
    answers[1].set_result([user(2, "p1@T0ONE.example")])
    assert (await after).id == uuid_of(2)
    answers[0].set_result([user(1, "p1@T0ONE.example")])
    await before
    assert (await hosts.find(person())).id == uuid_of(2)
