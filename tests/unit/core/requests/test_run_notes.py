"""Wait notices: when they come, how often, and that they delay nothing."""

import asyncio
import gc
import weakref
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.core.errors import QueueTooLongError, StorageUnavailableError
from bot.core.requests.run import MAX_NOTICES
from tests.support.request_run import TIMING, tell


def test_quick_answer_has_no_note():
    async def story(progress, ledger, notifier):
        await asyncio.sleep(1.9)

    assert tell(story)[1].heard == []


def test_when_nothing_has_come_back_for_a_while_one_note_says_so():
    async def story(progress, ledger, notifier):
        await progress.before_send()
        await asyncio.sleep(60)

    assert tell(story)[1].heard == [(2, None)]


def test_a_wait_is_told_at_once():
    async def story(progress, ledger, notifier):
        await progress.on_wait(30)
        await asyncio.sleep(30)
        await progress.before_send()
        await asyncio.sleep(5)

    assert tell(story)[1].heard == [(0, 30)]


def test_longer_wait_than_told_gets_a_second_note():
    async def story(progress, ledger, notifier):
        await progress.on_wait(30)
        await asyncio.sleep(100)

    assert tell(story)[1].heard == [(0, 30), (30 + TIMING.late_seconds, None)]


def test_whose_turn_would_come_too_late_is_told_so_at_once():
    async def story(progress, ledger, notifier):
        with pytest.raises(QueueTooLongError):
            await progress.on_wait(TIMING.max_wait_seconds + 1)
        await progress.on_wait(TIMING.max_wait_seconds - 600)

    assert [round(wait) for _, wait in tell(story)[1].heard] == [TIMING.max_wait_seconds - 600]


def test_time_already_waited_counts_against_the_longest_wait():
    async def story(progress, ledger, notifier):
        before = timedelta(seconds=TIMING.max_wait_seconds - 60)
        progress.request = replace(progress.request, accepted_at=datetime.now(UTC) - before)
        await progress.on_wait(30)
        with pytest.raises(QueueTooLongError):
            await progress.on_wait(61)

    assert TIMING.max_wait_seconds == 25 * 60
    assert tell(story)[1].heard[0] == (0, 30)


def test_a_wait_that_is_ordered_late_gets_a_second_note():
    async def story(progress, ledger, notifier):
        await progress.before_send()
        await asyncio.sleep(5)
        await progress.on_wait(30)
        await asyncio.sleep(30)

    assert tell(story)[1].heard == [(2, None), (5, 30)]


def test_there_are_two_notes_at_most():
    async def story(progress, ledger, notifier):
        await asyncio.sleep(3)
        for _ in range(5):
            await progress.before_send()
            await progress.on_wait(10)
            await asyncio.sleep(10)

    assert len(tell(story)[1].heard) == MAX_NOTICES == 2


def test_short_wait_is_told_when_due_with_the_rest_of_it():
    async def story(progress, ledger, notifier):
        await progress.on_wait(3)
        await asyncio.sleep(3)

    assert tell(story)[1].heard == [(2, 1)]


def test_a_short_wait_is_not_worth_a_second_note():
    async def story(progress, ledger, notifier):
        await asyncio.sleep(3)
        await progress.before_send()
        await progress.on_wait(1.5)

    assert tell(story)[1].heard == [(2, None)]


def test_a_wait_that_is_over_is_not_told_any_more():
    async def story(progress, ledger, notifier):
        await progress.before_send()
        await progress.on_wait(1)
        await asyncio.sleep(1)
        await progress.before_send()
        await asyncio.sleep(10)

    assert tell(story)[1].heard == [(2, None)]


def test_long_wait_is_told_during_the_first_note():
    async def story(progress, ledger, notifier):
        notifier.takes_seconds = 1.0
        await progress.before_send()
        await asyncio.sleep(2.5)
        await progress.on_wait(120)
        await asyncio.sleep(120)

    heard = tell(story)[1].heard
    assert heard[0] == (2, None)
    assert [wait is not None for _, wait in heard[1:]] == [True]


def test_note_under_way_gets_a_moment_before_the_outcome():
    seen: list[tuple[float, int]] = []

    async def story(progress, ledger, notifier):
        notifier.takes_seconds = 0.5
        await asyncio.sleep(2.2)
        await progress.stop_notices()
        seen.append((asyncio.get_running_loop().time(), notifier.done))

    tell(story)
    assert seen == [(pytest.approx(2.5), 1)]


def test_a_note_that_hangs_does_not_hold_up_the_outcome():
    seen: list[float] = []

    async def story(progress, ledger, notifier):
        notifier.takes_seconds = 30
        await asyncio.sleep(2.2)
        await progress.stop_notices()
        seen.append(asyncio.get_running_loop().time())
        await asyncio.sleep(60)

    _, notifier = tell(story)
    assert seen == [pytest.approx(2.2 + TIMING.stop_notice_seconds)]
    assert notifier.done == 0  # the note is cancelled: Slack would show it below the outcome


@pytest.mark.parametrize(
    ("is_shared", "is_ours", "is_away", "replaces"),
    [
        (False, True, False, True),
        (True, True, False, True),
        (True, False, False, False),  # another replica may have posted the result there
        (True, True, True, False),
    ],
)
def test_note_replaces_no_message_of_a_request_that_may_be_lost(
    is_shared: bool, is_ours: bool, is_away: bool, replaces: bool
):
    async def story(progress, ledger, notifier):
        ledger.shared, ledger.ours = is_shared, is_ours
        if is_away:
            ledger.away = StorageUnavailableError
        await asyncio.sleep(3)

    ledger, notifier = tell(story, replaces=True)
    assert (notifier.heard, notifier.replaces) == ([(2, None)], [replaces])
    assert ledger.asked == int(is_shared)


def test_note_that_replaces_nothing_does_not_ask_the_store():
    async def story(progress, ledger, notifier):
        ledger.shared = True
        await asyncio.sleep(3)

    ledger, notifier = tell(story)
    assert (notifier.replaces, ledger.asked) == ([False], 0)


def test_note_that_would_come_after_the_result_does_not_replace_it():
    async def story(progress, ledger, notifier):
        advance, ledger.shared = ledger.advance, True

        async def slow(*what, **how):
            await asyncio.sleep(10)
            return await advance(*what, **how)

        ledger.advance = slow
        await asyncio.sleep(3)

    assert tell(story, replaces=True)[1].heard == []


def test_run_is_freed_at_once_when_its_notes_have_stopped():
    """Else each command leaves its request in memory until the next collection, which stops the bot for 50 ms."""
    runs = []

    async def story(progress, ledger, notifier):
        runs.append(weakref.ref(progress))

    gc.disable()
    try:
        tell(story)
        assert runs[0]() is None
    finally:
        gc.enable()
