"""Batcher flushes many items at once, and a caller that gives up does not affect the others."""

import asyncio

import pytest

from bot.core.errors import StorageUnavailableError
from bot.storage.postgres.batch import Batcher


class Done:
    """A flush that processes all items but one, and records each batch."""

    def __init__(self, *, leaves: str = "", fails: bool = False) -> None:
        self.told: list[list[str]] = []
        self._leaves, self._fails = leaves, fails

    async def __call__(self, those: list[str]) -> set[str]:
        self.told.append(those)
        if self._fails:
            raise StorageUnavailableError
        return set(those) - {self._leaves}


async def test_items_of_one_turn_are_flushed_together() -> None:
    done = Done(leaves="second")
    together = Batcher(done)
    assert await asyncio.gather(*map(together.add, ("first", "second", "third"))) == [True, False, True]
    assert await together.add("later")
    assert done.told == [["first", "second", "third"], ["later"]]


async def test_one_who_gives_up_stops_nothing_for_the_others() -> None:
    done = Done()
    together = Batcher(done)
    gone, other = (asyncio.create_task(together.add(one)) for one in ("gone", "other"))
    await asyncio.sleep(0)
    gone.cancel()
    assert await other
    assert gone.cancelled()
    assert done.told == [["gone", "other"]]


async def test_trouble_reaches_everybody_and_the_next_try_is_new() -> None:
    done = Done(fails=True)
    together = Batcher(done)
    assert all(isinstance(one, StorageUnavailableError) for one in await asyncio.gather(
        together.add("first"), together.add("second"), return_exceptions=True
    ))  # fmt: skip
    with pytest.raises(StorageUnavailableError):
        await together.add("first")
    assert done.told == [["first", "second"], ["first"]]
