"""The host links: an administrator's link comes first and takes effect at once, and found hosts survive a restart."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.cli import host_links
from bot.config import settings
from bot.core.errors import HostNotFoundError, MissReason, StorageUnavailableError
from bot.core.hosts.resolver import (
    LINK,
    EmailRule,
    HostResolver,
    ListedHostRule,
)
from bot.core.models import Host, HostId, TeamId, UserId
from bot.storage.sqlite.store import SQLiteStore
from tests.support import hosts as hosts_support
from tests.support.app import BEN, HOSTS, UNA, open_journey, words
from tests.support.hosts import Directory, person, user, uuid_of
from tests.support.storage import Database, die

book, clock = hosts_support.book, hosts_support.clock


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    async with AsyncExitStack() as stack:
        yield Database(stack, tmp_path / "bot.db")


def found_by_address() -> Directory:
    return Directory(user(1, "p1@T0ONE.example"))


async def test_administrators_link_beats_hosts_file_and_address(book: SQLiteStore) -> None:
    directory = found_by_address()
    await book.link([("T0ONE", "U1", uuid_of(21)), (None, "U1", uuid_of(22))])
    listed = {("T0ONE", "U1"): uuid_of(11), (None, "U1"): uuid_of(11), (None, "U2"): uuid_of(12)}
    hosts = HostResolver([ListedHostRule(listed), EmailRule(directory)], book)
    assert await hosts.find(person(1, "T0ONE")) == Host(uuid_of(21), LINK)
    assert await hosts.find(person(1, "T0TWO")) == Host(uuid_of(22), LINK)
    assert await hosts.find(person(2)) == Host(uuid_of(12), "hosts file")
    assert directory.asked == []


WITHOUT_KEY = {"STORE_ENCRYPTION_KEY": "", "COBROWSE_SMS_FROM": "", "COBROWSE_EMAIL_FROM": ""}


async def test_a_link_takes_effect_at_once_whatever_was_found_before(book: SQLiteStore) -> None:
    hosts = HostResolver([EmailRule(found_by_address())], book)
    assert (await hosts.find(person(1))).id == uuid_of(1)
    with pytest.raises(HostNotFoundError):
        await hosts.find(person(2))
    await book.link([(None, "U1", uuid_of(21)), (None, "U2", uuid_of(22))])
    assert [await hosts.find(person(number)) for number in (1, 2)] == [Host(uuid_of(n), LINK) for n in (21, 22)]
    await book.unlink(None, "U1")
    await book.unlink(None, "U2")
    assert (await hosts.find(person(1))).id == uuid_of(1)
    with pytest.raises(HostNotFoundError) as caught:
        await hosts.find(person(2))
    assert [tried.rule for tried in caught.value.tried] == ["same email"]


async def test_found_host_survives_a_restart_without_a_look_up(database: Database) -> None:
    directory, before = found_by_address(), await database.open()
    assert (await HostResolver([EmailRule(directory)], before).find(person(1))).id == uuid_of(1)
    await die(before)
    after = HostResolver([EmailRule(directory)], await database.open())
    assert await after.find(person(1)) == Host(uuid_of(1), "same email")
    assert len(directory.asked) == 1
    with pytest.raises(HostNotFoundError):
        await after.find(person(1, "T0TWO"))


async def test_a_forgotten_host_does_not_come_back_from_the_book(database: Database) -> None:
    directory, before = found_by_address(), await database.open()
    hosts = HostResolver([EmailRule(directory)], before)
    await hosts.find(person(1))
    await hosts.forget(person(1))
    directory.users = {"p1@t0one.example": [user(2, "p1@T0ONE.example")]}
    assert (await hosts.find(person(1))).id == uuid_of(2)
    await die(before)
    assert (await HostResolver([EmailRule(directory)], await database.open()).find(person(1))).id == uuid_of(2)
    assert len(directory.asked) == 2


async def test_changed_rules_after_a_restart_beat_found_hosts(database: Database) -> None:
    directory, before = found_by_address(), await database.open()
    await HostResolver([EmailRule(directory)], before).find(person(1))
    await die(before)
    store = await database.open()
    listed = HostResolver([ListedHostRule({(None, "U1"): uuid_of(11)}), EmailRule(directory)], store)
    assert await listed.find(person(1)) == Host(uuid_of(11), "hosts file")
    with pytest.raises(HostNotFoundError):  # the address maps nobody any more
        await HostResolver([ListedHostRule({})], store).find(person(1))


async def test_only_what_costs_a_call_is_kept_in_the_book(database: Database) -> None:
    store = await database.open()
    listed = {(None, "U1"): uuid_of(11)}
    await HostResolver([ListedHostRule(listed)], store).find(person(1))
    assert await store.found("T0ONE", "U1") is None
    assert [rule.costs_a_call for rule in (ListedHostRule(listed), EmailRule(Directory()))] == [False, True]


async def test_unavailable_host_cache_does_not_keep_a_forgotten_host(tmp_path: Path) -> None:
    class Away(SQLiteStore):
        async def drop_found(self, *key: Any) -> None:
            raise StorageUnavailableError

    directory = found_by_address()
    book = Away(str(tmp_path / "book.db"))
    hosts = HostResolver([EmailRule(directory)], book)
    await hosts.find(person(1))
    await hosts.forget(person(1))
    await hosts.find(person(1))
    assert len(directory.asked) == 2
    await book.close()


async def test_a_book_that_cannot_be_read_maps_nobody(tmp_path: Path) -> None:
    """An administrator may have linked this person to another host than the email address maps to."""

    class Away(SQLiteStore):
        async def linked(self, *key: Any) -> None:
            raise StorageUnavailableError

    directory, book = found_by_address(), Away(str(tmp_path / "book.db"))
    with pytest.raises(StorageUnavailableError):
        await HostResolver([EmailRule(directory)], book).find(person(1))
    assert directory.asked == []
    await book.close()


WITHOUT_KEY = {"STORE_ENCRYPTION_KEY": "", "COBROWSE_SMS_FROM": "", "COBROWSE_EMAIL_FROM": ""}


async def test_a_link_takes_effect_at_once_in_a_running_bot(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'bot.db'}"
    database = settings.load_part(settings.read_database, {"DATABASE_URL": url})
    host = HOSTS[BEN] + "-2222-4222-8222-222222222222"
    async with open_journey(DATABASE_URL=url, COBROWSE_HELP_CONTACT=UNA, **WITHOUT_KEY) as journey:
        assert "isn’t connected to Genesys yet" in words(await journey.asks("whoami", who=UNA))
        await host_links.add(database, [(None, UNA, host)])
        told = words(await journey.asks("whoami", who=UNA))
        assert host in told
        assert LINK in told
        await journey.asks("Deal", who=UNA)
        assert [create.body["hostUserId"] for create in journey.genesys.creates] == [host]
        assert await host_links.remove(database, UNA, None)
        assert "isn’t connected to Genesys yet" in words(await journey.asks("whoami", who=UNA))


async def test_a_restarted_bot_looks_nobody_up_again(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'bot.db'}"
    for searches in (1, 0):
        async with open_journey(DATABASE_URL=url, COBROWSE_HELP_CONTACT=BEN, **WITHOUT_KEY) as journey:
            assert HOSTS[BEN] in words(await journey.asks("whoami", who=BEN))
            assert journey.genesys.count("search") == searches
    store = SQLiteStore(str(tmp_path / "bot.db"))
    assert (await store.found("T0SANDBOX", BEN))[0].rule == "same email"
    await store.close()


async def test_link_for_one_workspace_holds_in_the_whole_organization(book: SQLiteStore) -> None:
    hosts, teams = HostResolver([], book), (TeamId("T0A"), TeamId("T0B"))
    one = replace(person(1, team="E0ORG"), other_id=UserId("W1"), workspaces=teams)
    await book.link([(None, UserId("U1"), HostId(uuid_of(1)))])
    assert (await hosts.find(one)).id == uuid_of(1)
    await book.link([(teams[1], UserId("W1"), HostId(uuid_of(2)))])
    assert (await hosts.find(one)).id == uuid_of(2)  # before the one for every team
    for number in (3, 1):  # also if it is the host of every team
        await book.link([(teams[0], UserId("U1"), HostId(uuid_of(number)))])
        with pytest.raises(HostNotFoundError) as refused:
            await hosts.find(one)
        assert refused.value.tried[0].why is MissReason.TWO_HOSTS
