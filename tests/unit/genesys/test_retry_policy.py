"""Test the retry policy: how often a call is retried, and after how many seconds."""

import itertools

import pytest

from bot.core import errors
from bot.core.timing import GENESYS_TIMING
from bot.genesys.retry import CallError, RetryPolicy, RetryRule

BUSY = CallError(errors.ServiceBusyError(), RetryRule.RETRY_AFTER)
FAULT = CallError(errors.ServiceFailedError(), RetryRule.SERVER_ERROR)
UNKNOWN = CallError(errors.OutcomeUnknownError(), RetryRule.IF_SAFE)
UNREACHED = CallError(errors.ServiceUnreachableError(), RetryRule.UNREACHED)


class Clock:
    """A clock that the test advances."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def busy_for(seconds: float) -> CallError:
    return CallError(errors.ServiceBusyError(), RetryRule.RETRY_AFTER, seconds)


def waits_of(fault: CallError, *, safe: bool = False, attempt_seconds: float = 0.0, most: int = 5000) -> list[float]:
    """Return the delays of a call that fails the same way each time."""
    clock = Clock()
    policy, waits = RetryPolicy(safe, clock=clock), []
    for _ in range(most):
        policy.start_attempt()
        clock.now += attempt_seconds
        delay = policy.next_delay(fault)
        if delay is None:
            return waits
        waits.append(delay)
        clock.now += delay
    raise AssertionError(f"it never gives up: {waits[:5]}…")


def test_errors_without_a_retry_rule_are_not_retried():
    assert waits_of(CallError(errors.TokenRefusedError())) == []
    assert waits_of(UNKNOWN) == []


def test_safe_calls_are_retried_after_an_unknown_outcome():
    assert len(waits_of(UNKNOWN, safe=True)) == 2


@pytest.mark.parametrize("safe", [True, False])
def test_a_500_is_retried_twice_an_unreached_call_three_times(safe):
    assert len(waits_of(FAULT, safe=safe)) == 2
    assert len(waits_of(UNREACHED, safe=safe)) == 3


def test_a_500_gets_two_retries_also_with_other_errors_between():
    policy = RetryPolicy(False, clock=Clock())
    given_up = [policy.next_delay(fault) is None for fault in (FAULT, busy_for(1), FAULT, busy_for(1), FAULT)]
    assert given_up == [False, False, False, False, True]


@pytest.mark.parametrize("attempt_seconds", [0.0, 0.3, 5.0, 10.0])
def test_backoff_grows_and_ends_within_twenty_seconds(attempt_seconds):
    waits = waits_of(BUSY, attempt_seconds=attempt_seconds)
    assert waits
    assert all(later > earlier for earlier, later in itertools.pairwise(waits))
    assert sum(waits) + attempt_seconds * len(waits) <= GENESYS_TIMING.max_backoff_seconds


def test_delays_are_spread():
    assert len({waits_of(BUSY)[0] for _ in range(20)}) > 1


def test_retry_after_is_kept_and_ends_within_three_minutes():
    waits = waits_of(busy_for(50))
    assert waits == [50, 50, 50]
    assert sum(waits_of(busy_for(179.5))) <= GENESYS_TIMING.max_retry_after_seconds
    assert waits_of(busy_for(float("inf"))) == []


@pytest.mark.parametrize("seconds", [0.0, 0.001])
def test_a_retry_after_of_zero_does_not_retry_for_ever(seconds):
    assert len(waits_of(busy_for(seconds))) < 100


def test_a_retry_after_leaves_time_for_backoff():
    clock = Clock()
    policy = RetryPolicy(False, clock=clock)
    clock.now += policy.next_delay(busy_for(100)) or 0
    policy.start_attempt()
    assert policy.next_delay(FAULT) is not None


def test_the_wait_for_a_turn_counts_towards_no_limit():
    clock = Clock()
    policy = RetryPolicy(False, clock=clock)
    clock.now += 600
    policy.start_attempt()
    clock.now += 0.1
    assert policy.next_delay(FAULT) is not None
