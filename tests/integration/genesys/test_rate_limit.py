"""Test the rate limit from Slack: many people at once, announced waits, waits that are too long, and a stop."""

import asyncio
import re
from dataclasses import replace

from tests.support.app import ANA, BEN, QUICK_GENESYS, SAM, is_note, link, open_journey, words
from tests.support.timing import SHORT_WAITS_ANNOUNCED


async def test_a_crowd_is_answered_as_fast_as_the_limit_allows() -> None:
    async with open_journey(genesys_timing=replace(QUICK_GENESYS, rate_window_seconds=1.0)) as journey:
        journey.genesys.allowed_per_minute, journey.genesys.minute_seconds = 20, 1.0
        await asyncio.gather(*(journey.asks(f"warm {who}", who=who) for who in (ANA, BEN, SAM)))
        before, creates = len(journey.slack.messages), len(journey.genesys.creates)
        people = [ANA] * 40 + [BEN] + [SAM] * 3
        await asyncio.gather(*(journey.slack.command(who, f"Crowd {n}") for n, who in enumerate(people)))

        def outcomes() -> list[str]:
            return [words(each) for each in journey.slack.messages[before:] if not is_note(each)]

        await journey.slack.workspace.until(lambda: len(outcomes()) == len(people), 20)
        assert len(journey.genesys.creates) - creates == len(people)
        refused = [call for call in journey.genesys.calls if call.status == 429]
        assert len(refused) <= 3, "a call or so for each window, to see where it stands"


async def test_a_person_who_waits_reads_so_and_then_gets_the_link() -> None:
    async with open_journey(
        timing=SHORT_WAITS_ANNOUNCED, genesys_timing=replace(QUICK_GENESYS, rate_window_seconds=2.0)
    ) as journey:
        journey.genesys.allowed_per_minute, journey.genesys.minute_seconds = 1, 2.0  # the search uses it up
        began = asyncio.get_running_loop().time()
        assert link(await journey.asks())
        assert asyncio.get_running_loop().time() - began >= 1
        (note,) = filter(is_note, journey.slack.seen_by(ANA))
        assert "Genesys is busy. Your link comes in about" in words(note)
        assert len(journey.genesys.creates) == 1
        assert not [call for call in journey.genesys.calls if call.status == 429]


async def test_a_person_who_would_wait_too_long_reads_so_at_once() -> None:
    async with open_journey(GENESYS_REQUESTS_PER_MINUTE="2") as journey:
        for who in (ANA, BEN):
            await journey.asks("whoami", who=who)  # the searches use this minute up
        before = len(journey.slack.messages)
        for number in range(52):
            await journey.slack.command(ANA, f"Waits {number}")
        outcome = await journey.reads(ANA, before)
        assert "Too many people are waiting for Genesys. Nothing was started." in words(outcome)
        assert "26 minutes" in words(outcome)
        outcomes = lambda: [each for each in journey.slack.messages[before:] if not is_note(each)]  # noqa: E731
        await journey.slack.workspace.until(lambda: len(outcomes()) == 2, 3)
        await journey.slack.command(BEN, "Not after all of those")
        await journey.slack.workspace.until(lambda: [*filter(is_note, journey.slack.seen_by(BEN))], 3)
        assert re.search("about [0-9]{2} seconds", words(journey.slack.seen_by(BEN)[-1]))
        assert journey.genesys.creates == []


async def test_a_stop_while_waiting_says_that_no_session_was_created() -> None:
    async with open_journey(SHUTDOWN_SECONDS="0") as journey:
        journey.genesys.allowed_per_minute = 1
        await journey.slack.command(ANA, "")
        await journey.slack.workspace.until(lambda: [*filter(is_note, journey.slack.seen_by(ANA))], 3)
        await journey.finish()
        note, outcome = journey.slack.seen_by(ANA)
        assert "Genesys is busy. Your link comes in about" in words(note)
        assert journey.genesys.creates == []
        assert "Nothing was started" in words(outcome)
        assert not is_note(outcome)
