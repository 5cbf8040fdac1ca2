"""The connections of the pool go to the workspaces in turn."""

import asyncio

import pytest

from bot.storage.postgres.turns import FairTurns


async def works(turns: FairTurns, name: str, done: list[str], seconds: float = 5.0) -> None:
    async with turns.hold(name, seconds):
        await asyncio.sleep(0)
        done.append(name)


async def test_single_request_goes_before_those_of_a_busy_workspace() -> None:
    turns, done = FairTurns(2), list[str]()
    busy = [asyncio.create_task(works(turns, "acme", done)) for _ in range(100)]
    await asyncio.sleep(0)
    await works(turns, "globex", done)
    assert len(done) <= 6
    await asyncio.gather(*busy)
    assert done.count("acme") == 100


async def test_workspaces_take_turns() -> None:
    turns, done = FairTurns(1), list[str]()
    await asyncio.gather(*(works(turns, name, done) for name in "aaabbbc"))
    assert "".join(done) == "aabcabb"


async def test_place_of_one_that_stops_waiting_goes_to_the_next() -> None:
    turns, done = FairTurns(1), list[str]()
    async with turns.hold("acme", 1.0):
        with pytest.raises(TimeoutError):
            await works(turns, "acme", done, 0.01)
        gone = asyncio.create_task(works(turns, "acme", done))
        waits = asyncio.create_task(works(turns, "globex", done))
        await asyncio.sleep(0)
        gone.cancel()
    await waits
    await works(turns, "acme", done)
    assert done == ["globex", "acme"]


async def test_place_is_not_lost_when_its_task_is_cancelled_with_it() -> None:
    turns, done = FairTurns(1), list[str]()
    async with turns.hold("acme", 1.0):
        gone = asyncio.create_task(works(turns, "acme", done))
        await asyncio.sleep(0)
    gone.cancel()
    await asyncio.gather(gone, return_exceptions=True)
    await works(turns, "globex", done, 0.1)
    assert done[-1] == "globex"
