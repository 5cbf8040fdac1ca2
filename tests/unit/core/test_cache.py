"""The cache: concurrent callers share one look-up, and a value that is forgotten during its look-up is not cached."""

import asyncio

import pytest

from bot.core.cache import Cache


class Clock:
    """A clock that the test sets."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Source:
    """A source that answers when the test allows it, and counts its look-ups."""

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


async def test_value_is_kept_for_its_time_and_then_asked_for_again():
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


async def test_person_who_stops_waiting_leaves_others_the_answer():
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


async def test_abandoned_failure_causes_no_complaint_of_the_loop():
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


async def test_forgotten_answer_is_asked_for_again():
    cache: Cache[str, str] = Cache(seconds=60, size=10)
    await cache.get("k", answering("old", []))
    cache.forget("k")
    cache.forget("never seen")
    assert await cache.get("k", answering("new", [])) == "new"


@pytest.mark.parametrize("late_first", [True, False])
async def test_answer_under_way_when_forgotten_is_not_kept(late_first):
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


async def test_peek_returns_a_cached_value_and_asks_nobody():
    cache, asked = Cache[str, str](seconds=60, size=10), []
    assert cache.peek("k") is None
    await cache.get("k", answering("v", asked))
    assert cache.peek("k") == "v"
    cache.forget("k")
    assert cache.peek("k") is None
    assert len(asked) == 1


async def test_peek_sees_nothing_while_a_look_up_is_under_way():
    cache, source = Cache[str, str](seconds=60, size=10), Source()
    first = asyncio.create_task(cache.get("k", source))
    await settle()
    assert cache.peek("k") is None
    source.asked[0].set_result("v")
    assert await first == "v"
    assert cache.peek("k") == "v"
