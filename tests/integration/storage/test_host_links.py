"""Links from people to hosts: an import is atomic, and readers see it at once, in both stores."""

from collections.abc import Callable
from typing import Any

import pytest

from bot.core.models import HostId, TeamId, UserId
from tests.support import storage
from tests.support.storage import ANA, HOST, TEAM, Database, die, request

database = storage.database
BEN, OTHER = UserId("U0BEN"), HostId("22222222-2222-4222-8222-222222222222")


async def test_a_link_of_the_team_comes_before_one_of_any_team(database: Database) -> None:
    store = await database.open()
    assert await store.linked(TEAM, ANA) is None
    await store.link([(None, ANA, HOST), (TEAM, ANA, OTHER)])
    assert await store.linked(TEAM, ANA) == OTHER
    assert await store.linked(TeamId("T0OTHER"), ANA) == HOST
    assert await store.linked(TEAM, BEN) is None


async def test_linking_once_more_changes_the_link(database: Database) -> None:
    store = await database.open()
    await store.link([(None, ANA, HOST)])
    await store.link([(None, ANA, OTHER)])
    assert list(await store.links()) == [(None, ANA, OTHER)]


async def test_only_the_link_that_is_named_is_removed(database: Database) -> None:
    store = await database.open()
    await store.link([(None, ANA, HOST), (TEAM, ANA, OTHER)])
    assert not await store.unlink(TEAM, BEN)
    assert await store.unlink(TEAM, ANA)
    assert not await store.unlink(TEAM, ANA)
    assert await store.linked(TEAM, ANA) == HOST
    assert await store.unlink(None, ANA)
    assert await store.linked(TEAM, ANA) is None


async def test_progress_is_told_until_all_are_in(database: Database) -> None:
    store = await database.open()
    told: list[int] = []
    many = [(None, UserId(f"U{number:05d}"), HOST) for number in range(1201)]
    await store.link(many, told.append)
    assert sum(told) == 1201
    assert list(await store.links()) == many


async def test_broken_import_leaves_nothing_and_the_store_works(database: Database) -> None:
    store = await database.open()
    await store.link([(None, ANA, HOST)])

    def second_batch_fails(seen: list[int]) -> Callable[[int], None]:
        def on_progress(done: int) -> None:
            seen.append(done)
            if len(seen) == 2:
                raise RuntimeError("the wheel came off")

        return on_progress

    changed: list[Any] = [(None, ANA, OTHER), *((None, UserId(f"U{number:05d}"), OTHER) for number in range(1200))]
    seen: list[int] = []
    with pytest.raises(RuntimeError, match="the wheel came off"):
        await store.link(changed, second_batch_fails(seen))
    assert len(seen) == 2
    assert list(await store.links()) == [(None, ANA, HOST)]
    assert (await store.accept(request())).is_new


async def test_link_of_another_process_is_seen_at_once_and_stays(database: Database) -> None:
    running = await database.open()
    assert await running.linked(TEAM, ANA) is None
    command_line = await database.open(exclusive=False)
    await command_line.link([(None, ANA, HOST)])
    assert await running.linked(TEAM, ANA) == HOST
    await command_line.unlink(None, ANA)
    assert await running.linked(TEAM, ANA) is None
    await command_line.link([(TEAM, ANA, OTHER)])
    await die(command_line)
    await die(running)
    assert await (await database.open()).linked(TEAM, ANA) == OTHER
