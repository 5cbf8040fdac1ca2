"""The delays between connections, played for hours on a clock of the test with the real durations."""

import random
from collections.abc import Callable, Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.slack.receivers.reconnect import DEAF_SECONDS, MAX_ORDERED_SECONDS, ReconnectBackoff

HOUR = 3600.0


class Clock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(params=["shortest", "longest", "random"])
def jitter(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Make every delay as short as possible, as long as possible, or random."""
    ends: dict[str, Callable[[float, float], float]] = {"shortest": min, "longest": max, "random": random.uniform}
    monkeypatch.setattr(random, "uniform", ends[request.param])
    return str(request.param)


def opened_at(seconds: float, life: Callable[[int], float], opening_seconds: float = 0.0) -> list[float]:
    """Play a receiver for `seconds`, and return when it opened each connection.

    `life` returns how long each connection lives; -1.0 if it does not open.
    """
    clock = Clock()
    backoff, times = ReconnectBackoff(clock=clock), []
    while clock.now < seconds:
        clock.now += backoff.wait_seconds
        times.append(clock.now)
        backoff.opening()
        clock.now += opening_seconds
        lived = life(len(times))
        if lived >= 0:
            clock.now += lived
            backoff.ended(lived)
    return times


def most_in(window: float, times: Sequence[float]) -> int:
    """Return the maximum number of these times within any window of this length."""
    return max(sum(begin <= each < begin + window for each in times) for begin in times)


@pytest.mark.parametrize("lived", [-1.0, 0.0, 0.2, 1.0, 5.0, 11.9, 16.0])
@pytest.mark.parametrize("opening_seconds", [0.0, 0.1, 10.0])
def test_openings_are_few_at_first_and_fewer_later(jitter: str, lived: float, opening_seconds: float) -> None:
    times = opened_at(HOUR, lambda _: lived, opening_seconds)
    assert sum(each < 10 for each in times) <= 10
    later = [each for each in times if each >= 60]
    assert len(later) > HOUR / 60 * 2
    assert most_in(60, later) <= 6


def test_nine_replicas_stay_below_slacks_limit() -> None:
    times = sorted(at for _ in range(9) for at in opened_at(HOUR, lambda _: 0.0))
    assert most_in(60, [each for each in times if each >= 60]) < 50


@given(st.lists(st.floats(-1, 200), min_size=20, max_size=60), st.floats(0, 10))
def test_no_minute_of_a_life_has_more_than_ten_openings(lives: list[float], opening_seconds: float) -> None:
    times = opened_at(2 * HOUR, lambda number: lives[number % len(lives)], opening_seconds)
    assert most_in(60, times) <= 10


def test_slack_that_is_well_again_is_tried_within_twenty_seconds(jitter: str) -> None:
    """The opening itself then has a second or two."""
    for opening_seconds in (0.0, 0.2, 10.0):
        times = opened_at(HOUR, lambda _: -1.0, opening_seconds)
        assert max(after - before for before, after in pairwise(times)) <= 17


def test_a_steady_connection_is_replaced_at_once() -> None:
    clock = Clock()
    backoff = ReconnectBackoff(clock=clock)
    for _ in range(20):
        clock.now += backoff.wait_seconds
        backoff.opening()
        assert backoff.ended(0.0)
    assert backoff.wait_seconds > 10
    clock.now += backoff.wait_seconds
    backoff.opening()
    clock.now += 4 * HOUR
    assert not backoff.ended(4 * HOUR)
    assert backoff.wait_seconds == 0
    backoff.opening()
    assert backoff.wait_seconds < 0.3  # nothing is left of how it was before


@pytest.mark.parametrize(("lived", "is_deaf"), [(-1.0, True), (0.0, True), (0.3, True), (4.0, False), (29.0, False)])
def test_five_minutes_without_hearing_anything_are_deaf(lived: float, is_deaf: bool) -> None:
    clock = Clock()
    backoff = ReconnectBackoff(clock=clock)
    deaf_after = None
    while clock.now < HOUR and deaf_after is None:
        clock.now += backoff.wait_seconds
        if backoff.is_deaf:
            deaf_after = clock.now
        backoff.opening()
        if lived >= 0:
            clock.now += lived
            backoff.ended(lived)
    assert (deaf_after is not None) is is_deaf
    if deaf_after is not None:
        assert DEAF_SECONDS <= deaf_after < DEAF_SECONDS * 1.5


def test_deafness_counts_from_the_end_of_a_connection_that_lived() -> None:
    clock = Clock()
    backoff = ReconnectBackoff(clock=clock)
    backoff.opening()
    clock.now = HOUR
    backoff.ended(HOUR)
    clock.now += DEAF_SECONDS - 1
    assert not backoff.is_deaf
    clock.now += 1
    assert backoff.is_deaf


def test_retry_after_is_waited_for_within_reason() -> None:
    clock = Clock()
    backoff = ReconnectBackoff(clock=clock)
    backoff.opening()
    backoff.ordered(30)
    assert backoff.wait_seconds == 30
    backoff.ordered(0)
    assert backoff.wait_seconds == 30
    backoff.ordered(86_400)
    assert backoff.wait_seconds == MAX_ORDERED_SECONDS
