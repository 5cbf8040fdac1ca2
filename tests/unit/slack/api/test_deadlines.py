"""The time limits of posts: at a stop of the process, and to a server that does not answer."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from bot.core.timing import SlackTiming
from bot.slack.api.response_url import Deadlines, SilentHostError, SilentHosts
from tests.support.request_run import JumpingLoop

TIMING = SlackTiming(post_timeout=12.0, last_post_timeout=2.0, probe_timeout=3.0, probe_interval_seconds=30.0)
URL = "https://hooks.slack.com/commands/T0/1/x"


def played(story: Callable[[Deadlines, SilentHosts], Awaitable[object]]) -> None:
    """Play a story from time zero, on a clock that jumps."""

    async def play() -> None:
        deadlines = Deadlines(TIMING)
        await story(deadlines, SilentHosts(deadlines, TIMING, clock=asyncio.get_running_loop().time))

    with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        runner.run(play())


async def hangs() -> None:
    await asyncio.sleep(1000)


async def ended_at(sending: Awaitable[object]) -> float:
    """Wait until this attempt times out, and return the time."""
    with pytest.raises(TimeoutError):
        await sending
    return asyncio.get_running_loop().time()


@pytest.mark.parametrize(("stops_at", "ends_at"), [(1.0, 3.0), (11.0, 12.0)])
def test_stop_shortens_an_attempt_in_progress_and_never_lengthens_it(stops_at: float, ends_at: float) -> None:
    async def story(deadlines: Deadlines, _: SilentHosts) -> None:
        asyncio.get_running_loop().call_later(stops_at, deadlines.shorten_deadlines)
        assert await ended_at(deadlines.within(hangs())) == pytest.approx(ends_at)

    played(story)


def test_attempt_after_a_stop_has_the_short_limit() -> None:
    async def story(deadlines: Deadlines, _: SilentHosts) -> None:
        deadlines.shorten_deadlines()
        assert await ended_at(deadlines.within(hangs())) == pytest.approx(2.0)

    played(story)


def test_one_time_out_shortens_the_other_posts_to_the_same_server() -> None:
    async def story(_: Deadlines, hosts: SilentHosts) -> None:
        first = asyncio.ensure_future(ended_at(hosts.post(URL, hangs)))
        await asyncio.sleep(5)
        second = asyncio.ensure_future(ended_at(hosts.post(URL, hangs)))
        elsewhere = asyncio.ensure_future(ended_at(hosts.post("https://hooks.slack-gov.com/x", hangs)))
        assert await asyncio.gather(first, second, elsewhere) == pytest.approx([12.0, 15.0, 17.0])

    played(story)


def test_silent_server_is_tested_once_in_an_interval_and_for_a_short_time() -> None:
    async def story(_: Deadlines, hosts: SilentHosts) -> None:
        assert await ended_at(hosts.post(URL, hangs)) == pytest.approx(12.0)
        with pytest.raises(SilentHostError):
            await hosts.post(URL, hangs)
        await asyncio.sleep(30)
        assert await ended_at(hosts.post(URL, hangs)) == pytest.approx(45.0)
        with pytest.raises(SilentHostError):
            await hosts.post(URL, hangs)
        assert await ended_at(hosts.post(URL, hangs, insist=True)) == pytest.approx(57.0)

    played(story)
