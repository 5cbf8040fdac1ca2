"""What nobody waits for comes together; who reads the answer waits for none of it."""

import asyncio
import logging

import pytest

from bot.core.requests import service
from bot.core.requests.coalescing import Coalescer
from tests.support.app import link, open_journey
from tests.support.request_run import JumpingLoop


async def come(coalescer: Coalescer, after: float, went: list[float]) -> None:
    await asyncio.sleep(after)
    await coalescer.join()
    went.append(asyncio.get_running_loop().time())


def test_those_who_come_in_time_go_on_with_the_first_and_the_next_one_is_a_first_again() -> None:
    async def story() -> list[float]:
        coalescer, went = Coalescer(1.0), list[float]()
        await asyncio.gather(*(come(coalescer, after, went) for after in (0.0, 0.5, 0.9, 1.5, 2.4, 9.0)))
        return went

    with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        assert runner.run(story()) == pytest.approx([1.0, 1.0, 1.0, 2.5, 2.5, 10.0])


def test_one_who_gives_up_stops_nobody() -> None:
    async def story() -> tuple[float, bool]:
        coalescer, went = Coalescer(1.0), list[float]()
        gone, other = (asyncio.create_task(come(coalescer, after, went)) for after in (0.0, 0.5))
        await asyncio.sleep(0.7)
        gone.cancel()
        await other
        return went[0], gone.cancelled()

    with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        assert runner.run(story()) == (pytest.approx(1.0), True)


async def test_the_answer_goes_out_before_what_is_left_to_do_and_a_stop_waits_for_that(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(service, "Coalescer", lambda: Coalescer(2.0))
    caplog.set_level(logging.INFO, "bot.core.requests.events")

    def answered() -> int:
        return sum(record.message == "answered" for record in caplog.records)

    async with open_journey() as journey:
        for words in ("one", "another"):
            assert link(await journey.asks(words))
        assert answered() == 0
    assert answered() == 2


async def test_what_a_crash_would_change_waits_for_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Unless it is written down that it was told, a list is looked up anew after a crash; a session never is."""
    monkeypatch.setattr(service, "Coalescer", lambda: Coalescer(2.0))
    caplog.set_level(logging.INFO, "bot.core.requests.events")
    async with open_journey() as journey:
        assert link(await journey.asks("one"))
        await journey.asks("status")
        async with asyncio.timeout(1.5):
            while not [record for record in caplog.records if record.message == "answered"]:  # noqa: ASYNC110 - a log
                await asyncio.sleep(0.01)
        (line,) = (record for record in caplog.records if record.message == "answered")
        assert getattr(line, "fields", {})["kind"] == "status"
