"""Cold caches at the start of a shift: Slack limits the look-ups, people read a wait notice, and all get their link."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from bot.core.errors import SlackUnavailableError
from bot.core.timing import SLACK_TIMING, RunTiming
from bot.sandbox.slack.server import SandboxSlack, SlackUser
from bot.slack.api import directory
from bot.slack.api.directory import MAX_CONCURRENT_CALLS, ThrottledMethod
from bot.slack.api.responder import new_http_session, new_web_client
from tests.support.app import (
    ANA,
    BEN,
    QUICK_SLACK,
    SAM,
    Journey,
    is_failure,
    is_note,
    link,
    open_journey,
    open_servers,
    words,
)
from tests.support.timing import EARLY_NOTICES

CROWD = [f"U0CROWD{number:02d}" for number in range(36)]
WINDOW_SECONDS = 1.0


def people(slack: SandboxSlack) -> None:
    """Let many people type the command for the first time."""
    for who in CROWD:
        slack.workspace.users[who] = SlackUser(who, who.lower(), f"Agent {who}")


@asynccontextmanager
async def looking(
    max_wait_seconds: float = RunTiming().max_wait_seconds,
) -> AsyncIterator[tuple[SandboxSlack, ThrottledMethod]]:
    async with open_servers() as servers, new_http_session() as http:
        people(servers.slack)
        web = new_web_client(servers.keys.bot_token, servers.slack.api_url, http, waits=False)
        yield servers.slack, ThrottledMethod(web, "users.info", max_wait_seconds=max_wait_seconds)


def asked(slack: SandboxSlack, error: str | None = None) -> list[str]:
    return [call.args["user"] for call in slack.calls if call.error == error]


async def ends_of(slack: SandboxSlack, count: int) -> None:
    """Wait until `count` look-ups have been answered, with or without an error."""
    async with asyncio.timeout(5):
        while sum(call.method == "users.info" and call.error != "pending" for call in slack.calls) < count:  # noqa: ASYNC110 - it has no event
            await asyncio.sleep(0.01)


async def test_crowd_waits_as_ordered_and_is_looked_up_in_order() -> None:
    async with looking() as (slack, users):
        slack.limit("users.info", 16, window_seconds=WINDOW_SECONDS)
        answers = await asyncio.gather(*(users.ask(user=who) for who in CROWD))
        assert [answer["user"]["id"] for answer in answers] == CROWD
        assert sorted(asked(slack)) == CROWD
        put_off = asked(slack, "ratelimited")
        assert (
            1 <= len(put_off) <= 2 * MAX_CONCURRENT_CALLS
        )  # two windows are used up, and at each end only so many are under way
        assert set(put_off) <= set(CROWD[16:])
        for at, who in enumerate(asked(slack)):
            assert abs(CROWD.index(who) - at) < MAX_CONCURRENT_CALLS


async def test_no_more_than_a_few_are_under_way_at_once() -> None:
    async with looking() as (slack, users):
        slack.inject_fault("users.info", "slow", seconds=0.3)
        crowd = asyncio.gather(*(users.ask(user=who) for who in CROWD[:25]))
        for count in (MAX_CONCURRENT_CALLS, 2 * MAX_CONCURRENT_CALLS, 25):
            async with asyncio.timeout(5):
                while slack.count("users.info") < count:
                    done = sum(call.error is None for call in slack.calls)
                    assert slack.count("users.info") - done <= MAX_CONCURRENT_CALLS
                    await asyncio.sleep(0.01)
        await crowd


async def test_ordered_wait_holds_for_all_calls() -> None:
    async with looking() as (slack, users):
        slack.inject_fault("users.info", "ratelimited", times=1, retry_after=1)
        loop = asyncio.get_running_loop()
        first = asyncio.create_task(users.ask(user=ANA))
        await ends_of(slack, 1)
        began = loop.time()
        await users.ask(user=BEN)
        assert loop.time() - began > 0.8
        await first
        assert slack.count("users.info") == 3


@pytest.mark.parametrize("retry_after", [61, 600, 0, -1, "", "soon", "1.5", "²", "9" * 5000])
async def test_hopeless_wait_is_refused_at_once(retry_after: object) -> None:
    async with looking() as (slack, users):
        slack.inject_fault("users.info", "ratelimited", retry_after=retry_after)
        with pytest.raises(SlackUnavailableError) as refused:
            await users.ask(user=ANA)
        assert refused.value.slack_error == "ratelimited"
        assert slack.count("users.info") == 1


async def test_a_minute_is_still_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    async with looking() as (slack, users):
        slack.inject_fault("users.info", "ratelimited", times=1, retry_after=60)
        slept: list[float] = []

        async def sleep(seconds: float) -> None:
            slept.append(seconds)
            users._not_before = 0.0

        monkeypatch.setattr(directory.asyncio, "sleep", sleep)
        assert (await users.ask(user=ANA))["user"]["id"] == ANA
        assert slept == [pytest.approx(SLACK_TIMING.max_lookup_retry_after, abs=1)]


async def test_longest_waiter_is_refused_and_leaves_their_place() -> None:
    assert ThrottledMethod(None, "users.info")._max_wait_seconds == RunTiming().max_wait_seconds == 25 * 60
    async with looking(max_wait_seconds=0.4) as (slack, users):
        slack.inject_fault("users.info", "ratelimited", times=MAX_CONCURRENT_CALLS, retry_after=30)
        ends = await asyncio.gather(*(users.ask(user=who) for who in CROWD), return_exceptions=True)
        assert {(type(each), each.slack_error) for each in ends} == {(SlackUnavailableError, "ratelimited")}
        assert slack.count("users.info") == MAX_CONCURRENT_CALLS
        users._not_before = 0.0
        assert (await users.ask(user=ANA))["user"]["id"] == ANA


async def test_delayed_person_reads_a_note_and_gets_the_link() -> None:
    async with open_journey(timing=EARLY_NOTICES) as journey:
        journey.slack.limit("users.info", 1, window_seconds=WINDOW_SECONDS)
        readers = (ANA, BEN, SAM)
        for message in await asyncio.gather(*(journey.asks("Deal", who=who) for who in readers)):
            assert link(message)
        notes = [words(message) for message in journey.slack.messages if is_note(message)]
        assert 1 <= len(notes) <= 2 * len(readers)
        assert any("Starting your session" in note for note in notes)
        assert len(journey.genesys.creates) == len(readers)


@pytest.mark.parametrize("slack_timing", [replace(QUICK_SLACK, max_lookup_retry_after=0.0)])
async def test_person_put_off_too_long_by_slack_can_try_again(journey: Journey) -> None:
    journey.slack.inject_fault("users.info", "ratelimited", retry_after=1)
    message = await journey.asks(who=SAM)
    assert is_failure(message)
    assert "Slack didn’t answer my question. Nothing was started." in words(message)
    assert "(`ratelimited`)" in words(message)  # Sam is the contact
    journey.slack.inject_fault("users.info", None)
    await journey.tries_again(message, who=SAM)
    assert link(journey.slack.seen_by(SAM)[-1])


async def test_a_stop_does_not_wait_for_those_who_are_put_off() -> None:
    async with open_journey(SHUTDOWN_SECONDS="0") as journey:
        journey.slack.inject_fault("users.info", "ratelimited", retry_after=30)
        await journey.slack.command(ANA, "")
        await ends_of(journey.slack, 1)
        await journey.finish()
        (outcome,) = journey.slack.seen_by(ANA)
        assert "I was restarted before I got to it" in words(outcome)
        assert journey.genesys.creates == []
