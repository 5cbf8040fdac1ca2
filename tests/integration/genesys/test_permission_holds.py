"""Test holds: a 429 holds back calls that need the same permission only, and people read how long they wait."""

import asyncio
import re
import time

import pytest

from bot.core.errors import ServiceBusyError
from bot.core.timing import GENESYS_TIMING, GenesysTiming
from bot.genesys.rate_limit import PermissionHolds
from tests.support.app import ANA, BEN, SAM, UNA, Journey, is_note, link, open_journey, words
from tests.support.timing import SHORT_WAITS_ANNOUNCED

SEARCH, CREATE = "directory:user:view", "cobrowse:session:write"
AT_ONCE_SECONDS = 1.5


async def seconds_of(journey: Journey, text: str, who: str) -> float:
    began = time.monotonic()
    assert link(await journey.asks(text, who=who))
    return time.monotonic() - began


async def notes_of(journey: Journey, who: str, count: int = 1) -> list[str]:
    """Wait until a person has `count` wait notices, and return their texts."""

    def found() -> list[str] | None:
        notes = [words(each) for each in journey.slack.seen_by(who) if is_note(each)]
        return notes if len(notes) >= count else None

    return await journey.slack.workspace.until(found, 4)


async def test_a_refused_search_holds_up_nobody_who_needs_none(either: Journey) -> None:
    await either.asks("Warm")
    await either.genesys.inject_fault("429", on="search", times=1, retry_after=5)
    before = len(either.slack.messages)
    assert (await either.slack.command(UNA, "Una")).acked
    (note,) = await notes_of(either, UNA)
    for number in range(3):
        assert await seconds_of(either, f"Deal {number}", ANA) < AT_ONCE_SECONDS
    assert re.search(r"Genesys is busy. Your link comes in about [45] seconds", note)
    assert "isn’t connected to Genesys yet" in words(await either.reads(UNA, before))
    assert either.genesys.count("search") == 3  # Ana's, and Una's twice
    assert not [each for each in either.slack.seen_by(ANA) if is_note(each)]


async def test_everybody_who_waits_for_a_search_reads_how_long(journey: Journey) -> None:
    await journey.genesys.inject_fault("429", on="search", times=1, retry_after=6)
    for who, text in ((UNA, "Una"), (UNA, "Once more"), (BEN, "whoami")):
        assert (await journey.slack.command(who, text)).acked
        await asyncio.sleep(0.2)
    for who, count in ((UNA, 2), (BEN, 1)):
        assert all(re.search("comes in about [56] seconds", note) for note in await notes_of(journey, who, count))
    assert "Your answer comes in about" in (await notes_of(journey, BEN))[0]
    assert journey.genesys.count("search") == 1


async def test_a_refused_create_holds_up_no_search(journey: Journey) -> None:
    await journey.asks("Warm")
    await journey.genesys.inject_fault("429", on="create", times=1, retry_after=4)
    assert (await journey.slack.command(ANA, "Deal")).acked
    await notes_of(journey, ANA)
    began = time.monotonic()
    assert "You’re connected to Genesys" in words(await journey.asks("whoami", who=BEN))
    assert time.monotonic() - began < AT_ONCE_SECONDS


async def test_a_refused_status_look_up_holds_up_no_create(journey: Journey) -> None:
    await journey.asks("Warm")
    await journey.genesys.inject_fault("429", on="read", times=1, retry_after=4)
    assert (await journey.slack.command(ANA, "status")).acked
    await journey.slack.workspace.until(lambda: journey.genesys.count("read"), 3)
    assert await seconds_of(journey, "Deal", ANA) < AT_ONCE_SECONDS


async def test_the_tokens_own_limit_holds_everybody_up() -> None:
    async with open_journey(timing=SHORT_WAITS_ANNOUNCED) as journey:
        await journey.asks("Warm")
        await journey.asks("whoami", who=SAM)
        journey.genesys.allowed_per_minute, journey.genesys.minute_seconds = 1, 3.0
        assert (await journey.slack.command(UNA, "Una")).acked  # refused by the token's limit
        await journey.slack.workspace.until(lambda: [1 for call in journey.genesys.calls if call.status == 429], 3)
        creates = journey.genesys.count("create")
        assert (await journey.slack.command(ANA, "Deal")).acked
        await asyncio.sleep(0.5)
        assert journey.genesys.count("create") == creates


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


async def until_settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def ignored(_seconds: float) -> None:
    """Ignore a wait."""


async def test_one_call_goes_first_when_the_time_is_over() -> None:
    holds, went = PermissionHolds(), []
    holds.hold(SEARCH, 0.1)

    async def goes(number: int) -> None:
        await holds.wait(SEARCH, ignored)
        went.append(number)

    tasks = [asyncio.create_task(goes(number)) for number in range(20)]
    await asyncio.sleep(0.3)
    assert len(went) == 1
    holds.hold(SEARCH, 0.1)
    await asyncio.sleep(0.3)
    assert len(went) == 2
    holds.record_answer(SEARCH)
    await asyncio.gather(*tasks)
    assert len(went) == 20
    assert not holds.has_hold(SEARCH)


async def test_a_first_call_that_hangs_holds_the_others_up_briefly() -> None:
    holds = PermissionHolds(GenesysTiming(hold_probe_seconds=0.1))
    holds.hold(SEARCH, 0.05)
    async with asyncio.timeout(1):
        await asyncio.gather(*(holds.wait(SEARCH, ignored) for _ in range(3)))


async def test_no_order_holds_a_kind_back_for_more_than_a_minute() -> None:
    clock = Clock()
    holds = PermissionHolds(clock=clock)
    holds.hold(SEARCH, 86_400.0)
    assert holds.is_held(SEARCH)
    assert not holds.is_held(CREATE)
    clock.now = GENESYS_TIMING.max_hold_seconds
    assert not holds.is_held(SEARCH)


async def test_a_kind_that_is_always_refused_is_given_up() -> None:
    holds = PermissionHolds(GenesysTiming(max_hold_total_seconds=0.3))

    async def refuses() -> None:
        while True:
            holds.hold(SEARCH, 0.2)
            await asyncio.sleep(0.1)

    refusing = asyncio.create_task(refuses())
    await until_settled()
    with pytest.raises(ServiceBusyError) as caught:
        await holds.wait(SEARCH, ignored)
    assert caught.value.retry_after
    refusing.cancel()
