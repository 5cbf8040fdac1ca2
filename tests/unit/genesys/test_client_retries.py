"""How often and for how long a call to Genesys is sent again."""

import itertools

import pytest

from bot.core import errors
from bot.genesys.client import UNORDERED_SECONDS, RetryPolicy
from bot.genesys.faults import ORDERED_SECONDS, CallError, RetryRule

BUSY = CallError(errors.ServiceBusyError(), RetryRule.AS_ORDERED)
FAULT = CallError(errors.ServiceFailedError(), RetryRule.TWICE)
UNKNOWN = CallError(errors.OutcomeUnknownError(), RetryRule.IF_SAFE)
UNREACHED = CallError(errors.ServiceUnreachableError(), RetryRule.UNREACHED)


class Clock:
    """Time, as an argument."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def ordered(seconds: float) -> CallError:
    return CallError(errors.ServiceBusyError(), RetryRule.AS_ORDERED, seconds)


def patiently(fault: CallError, *, safe: bool = False, attempt_seconds: float = 0.0, most: int = 5000) -> list[float]:
    """The waits of a call that fails the same way each time."""
    clock = Clock()
    patience, waits = RetryPolicy(safe, clock), []
    for _ in range(most):
        patience.begin()
        clock.now += attempt_seconds
        delay = patience.delay(fault)
        if delay is None:
            return waits
        waits.append(delay)
        clock.now += delay
    raise AssertionError(f"it never gives up: {waits[:5]}…")


def test_what_must_not_be_sent_again_is_not():
    assert patiently(CallError(errors.TokenRefusedError())) == []
    assert patiently(UNKNOWN) == []


def test_what_does_no_harm_is_sent_again_when_nobody_knows():
    assert len(patiently(UNKNOWN, safe=True)) == 2


@pytest.mark.parametrize("safe", [True, False])
def test_a_500_is_sent_again_twice_and_what_was_not_reached_three_times(safe):
    assert len(patiently(FAULT, safe=safe)) == 2
    assert len(patiently(UNREACHED, safe=safe)) == 3


def test_a_500_stays_at_twice_when_other_faults_come_between():
    patience = RetryPolicy(False, Clock())
    given_up = [patience.delay(fault) is None for fault in (FAULT, ordered(1), FAULT, ordered(1), FAULT)]
    assert given_up == [False, False, False, False, True]


@pytest.mark.parametrize("attempt_seconds", [0.0, 0.3, 5.0, 10.0])
def test_what_nobody_ordered_grows_and_ends_within_twenty_seconds(attempt_seconds):
    waits = patiently(BUSY, attempt_seconds=attempt_seconds)
    assert waits
    assert all(later > earlier for earlier, later in itertools.pairwise(waits))
    assert sum(waits) + attempt_seconds * len(waits) <= UNORDERED_SECONDS


def test_delays_are_spread():
    assert len({patiently(BUSY)[0] for _ in range(20)}) > 1


def test_an_ordered_wait_is_kept_to_and_all_of_them_end_within_three_minutes():
    waits = patiently(ordered(50))
    assert waits == [50, 50, 50]
    assert sum(patiently(ordered(179.5))) <= ORDERED_SECONDS
    assert patiently(ordered(float("inf"))) == []


@pytest.mark.parametrize("seconds", [0.0, 0.001])
def test_a_service_that_orders_no_wait_at_all_is_not_hammered_for_ever(seconds):
    assert len(patiently(ordered(seconds))) < 100


def test_an_ordered_wait_leaves_the_time_for_what_nobody_ordered():
    clock = Clock()
    patience = RetryPolicy(False, clock)
    clock.now += patience.delay(ordered(100)) or 0
    patience.begin()
    assert patience.delay(FAULT) is not None


def test_the_time_that_a_call_waits_for_its_turn_is_not_its_patience():
    clock = Clock()
    patience = RetryPolicy(False, clock)
    clock.now += 600
    patience.begin()
    clock.now += 0.1
    assert patience.delay(FAULT) is not None
