"""One asks the source, however many wait; what was forgotten meanwhile is not kept."""

import asyncio
import gc
import warnings
from collections.abc import Iterator

import pytest

from bot.core.cache import Cache, at_once


class Clock:
    """Time, as an argument."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Source:
    """Answers when it is told to, and counts how often it was asked."""

    def __init__(self) -> None:
        self.asked: list[asyncio.Future[str]] = []

    async def __call__(self) -> str:
        answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.asked.append(answer)
        return await answer


def answering(value: str, asked: list[str]):
    async def ask() -> str:
        asked.append(value)
        return value

    return ask


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_a_value_is_kept_for_its_time_and_then_asked_for_anew():
    clock, asked = Clock(), []
    cache: Cache[str, str] = Cache(seconds=60, size=10, clock=clock)
    assert await cache.get("k", answering("old", asked)) == "old"
    clock.now = 59.9
    assert await cache.get("k", answering("new", asked)) == "old"
    clock.now = 60.1
    assert await cache.get("k", answering("new", asked)) == "new"
    assert asked == ["old", "new"]


async def test_keys_do_not_share_values():
    cache: Cache[tuple[str, str], str] = Cache(seconds=60, size=10)
    keys = [("T1", "U1"), ("T2", "U1"), ("T1", "U2")]
    answers = await asyncio.gather(*(cache.get(key, answering("".join(key), [])) for key in keys))
    assert answers == ["T1U1", "T2U1", "T1U2"]


async def test_a_hundred_who_ask_at_once_ask_the_source_once():
    cache, source = Cache[str, str](seconds=60, size=10), Source()
    waiting = [asyncio.create_task(cache.get("k", source)) for _ in range(100)]
    await settle()
    (answer,) = source.asked
    answer.set_result("v")
    assert set(await asyncio.gather(*waiting)) == {"v"}
    assert await cache.get("k", source) == "v"
    assert len(source.asked) == 1


async def test_one_who_stops_waiting_does_not_take_the_answer_from_the_others():
    cache, source = Cache[str, str](seconds=60, size=10), Source()
    first, second = (asyncio.create_task(cache.get("k", source)) for _ in range(2))
    await settle()
    first.cancel()
    await settle()
    source.asked[0].set_result("v")
    assert await second == "v"
    assert first.cancelled()
    assert await cache.get("k", source) == "v"
    assert len(source.asked) == 1


async def test_a_failure_reaches_all_who_wait_and_is_not_kept():
    cache, source = Cache[str, str](seconds=60, size=10), Source()
    waiting = [asyncio.create_task(cache.get("k", source)) for _ in range(3)]
    await settle()
    source.asked[0].set_exception(LookupError("no"))
    assert [type(each) for each in await asyncio.gather(*waiting, return_exceptions=True)] == [LookupError] * 3
    assert await cache.get("k", answering("v", [])) == "v"


async def test_a_failure_that_nobody_waits_for_any_more_is_no_complaint_of_the_loop():
    complaints: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    cache, source = Cache[str, str](seconds=60, size=10), Source()
    only = asyncio.create_task(cache.get("k", source))
    await settle()
    only.cancel()
    source.asked[0].set_exception(LookupError("no"))
    await settle()
    del only, source, cache
    await settle()
    assert complaints == []


async def test_what_is_forgotten_is_asked_for_anew():
    cache: Cache[str, str] = Cache(seconds=60, size=10)
    await cache.get("k", answering("old", []))
    cache.forget("k")
    cache.forget("never seen")
    assert await cache.get("k", answering("new", [])) == "new"


@pytest.mark.parametrize("late_first", [True, False])
async def test_an_answer_that_was_under_way_when_it_was_forgotten_is_not_kept(late_first):
    cache, source = Cache[str, str](seconds=60, size=10), Source()
    before = asyncio.create_task(cache.get("k", source))
    await settle()
    cache.forget("k")
    after = asyncio.create_task(cache.get("k", source))
    await settle()
    old, new = source.asked
    order = [(new, "new"), (old, "old")] if late_first else [(old, "old"), (new, "new")]
    for answer, value in order:
        answer.set_result(value)
        await settle()
    assert (await before, await after) == ("old", "new")
    assert await cache.get("k", source) == "new"
    assert len(source.asked) == 2


async def test_no_more_is_kept_than_fits():
    cache, asked = Cache[int, str](seconds=60, size=3), []
    for key in range(10):
        await cache.get(key, answering(str(key), asked))
    await cache.get(9, answering("9", asked))
    await cache.get(0, answering("0", asked))
    assert asked == [*map(str, range(10)), "0"]


@pytest.fixture
def complaints() -> Iterator[list[object]]:
    """What the loop's handler and Python's warnings say, to the last of what is thrown away."""
    heard: list[object] = []
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        yield heard
        gc.collect()
    assert [*heard, *(each.message for each in warned)] == []


async def test_what_need_not_wait_is_had_at_once():
    cache = Cache[str, str](seconds=60, size=10)
    await cache.get("k", answering("v", []))
    assert at_once(cache.get("k", answering("new", []))) == "v"

    async def refuses() -> None:
        await cache.get("k", answering("new", []))
        raise LookupError("no")

    with pytest.raises(LookupError):
        at_once(refuses())


@pytest.mark.parametrize("end", ["answered", "failed", "cancelled"])
@pytest.mark.parametrize("others", [0, 2])
async def test_what_would_have_to_wait_is_given_up_without_a_word_whatever_becomes_of_the_look_up(
    complaints: list[object], end: str, others: int
) -> None:
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    await given_up(end, others)  # a function of its own, so that all of it can be thrown away


async def given_up(end: str, others: int) -> None:
    cache, source = Cache[str, str](seconds=60, size=10), Source()

    async def admits() -> str:
        return await cache.get("k", source)

    assert at_once(admits()) is None
    waiting = [asyncio.create_task(admits()) for _ in range(others)]
    assert at_once(admits()) is None
    await settle()
    (answer,) = source.asked
    if end == "answered":
        answer.set_result("v")
    elif end == "failed":
        answer.set_exception(LookupError("no"))
    else:
        answer.cancel()
    ends = [str(each) for each in await asyncio.gather(*waiting, return_exceptions=True)]
    assert ends == [{"answered": "v", "failed": "no", "cancelled": ""}[end]] * others
    await settle()
    assert at_once(cache.get("k", answering("new", []))) == ("v" if end == "answered" else None)
    await settle()


async def test_giving_up_ends_nothing_that_others_wait_for():
    """Neither the look-up under way, nor the clean-up of whoever gave up."""
    cache, source = Cache[str, str](seconds=60, size=10), Source()
    left: list[str] = []

    async def tidy() -> str:
        try:
            return await cache.get("k", source)
        finally:
            left.append("tidied")

    first = asyncio.create_task(cache.get("k", source))
    await settle()
    assert at_once(tidy()) is None
    assert left == ["tidied"]
    source.asked[0].set_result("v")
    assert await first == "v"
    assert len(source.asked) == 1
