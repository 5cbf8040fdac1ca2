"""Test the rate window: it follows the headers of Genesys, and avoids 429 answers."""

import httpx
import pytest

from bot.core.timing import GENESYS_TIMING
from bot.genesys.http import MAX_CONNECTIONS
from bot.genesys.rate_limit import DEFAULT_PER_MINUTE, MAX_CONCURRENT_CALLS, MIN_CONCURRENT_CALLS, RateWindow
from tests.support.cases import each_case

WINDOW_SECONDS, PROBE_SECONDS = GENESYS_TIMING.rate_window_seconds, GENESYS_TIMING.rate_probe_seconds


class Service:
    """A clock, and a service that counts calls in windows of a minute. Other clients may use the same token."""

    def __init__(self, allowed: int = 300) -> None:
        self.now = 1000.0
        self.allowed = allowed
        self.count = 0
        self.ends_at = 0.0
        self.refusals = 0
        self.window = RateWindow(clock=lambda: self.now)

    def receive(self) -> None:
        """Count one request of the bot or of another client."""
        if self.now >= self.ends_at:
            self.count, self.ends_at = 0, self.now + 60
        self.count += 1
        self.refusals += self.count > self.allowed

    def headers(self) -> httpx.Headers:
        return headers(self.count, self.allowed, round(self.ends_at - self.now))

    def send_all(self, at_most: int = 10_000) -> int:
        """Send calls while the window allows it, and answer each before the next. Return how many were sent."""
        for sent in range(at_most):
            if not self.window.try_acquire():
                return sent
            self.receive()
            self.window.release(self.headers())
        return at_most


def headers(count: object, allowed: object, reset: object) -> httpx.Headers:
    values = {"count": count, "allowed": allowed, "reset": reset}
    return httpx.Headers({f"ININ-RateLimit-{name}": str(value) for name, value in values.items() if value is not None})


def concurrent_calls(window: RateWindow) -> int:
    """Return how many calls the window allows before the first one ends."""
    taken = 0
    while window.try_acquire():
        taken += 1
    return taken


def may_send_after(answer: httpx.Headers, seconds: float = 0.0) -> bool:
    """Return whether a call may go out `seconds` after an answer."""
    service = Service()
    assert service.window.try_acquire()
    service.window.release(answer)
    service.now += seconds
    return service.window.try_acquire()


def test_three_hundred_a_minute_are_assumed_before_any_answer() -> None:
    service = Service()
    sent = 0
    while service.window.try_acquire():
        service.window.release()
        sent += 1
    assert sent == DEFAULT_PER_MINUTE
    service.now += WINDOW_SECONDS
    assert service.window.try_acquire()


@pytest.mark.parametrize("allowed", [1, 40, 300, 3000])
def test_the_allowed_calls_are_used_and_not_exceeded(allowed: int) -> None:
    service = Service(allowed)
    for _ in range(3):
        assert service.send_all() == allowed
        service.now += 60
    assert service.refusals == 0


def test_calls_of_others_with_the_same_token_are_seen() -> None:
    service = Service(300)
    assert service.send_all(10) == 10
    for _ in range(200):
        service.receive()
    assert service.send_all() == 90
    assert service.refusals == 0


def test_two_that_start_at_once_on_one_token_do_not_exceed_it() -> None:
    ours, theirs = RateWindow(), RateWindow()
    assert concurrent_calls(ours) + concurrent_calls(theirs) <= DEFAULT_PER_MINUTE


def test_at_most_half_of_what_is_left_is_in_flight() -> None:
    assert concurrent_calls(RateWindow()) == DEFAULT_PER_MINUTE // 2
    assert concurrent_calls(RateWindow(10)) == MIN_CONCURRENT_CALLS
    assert concurrent_calls(RateWindow(3)) == 3
    assert concurrent_calls(RateWindow(1_000_000)) == MAX_CONCURRENT_CALLS


def test_the_pool_holds_all_concurrent_calls_and_the_login() -> None:
    assert MAX_CONNECTIONS > MAX_CONCURRENT_CALLS


def test_after_an_exhausted_window_the_first_call_goes_alone() -> None:
    service = Service()
    assert service.send_all() == 300
    service.now += 60
    assert service.window.try_acquire()
    assert not service.window.try_acquire()
    service.receive()
    service.window.release(service.headers())
    assert concurrent_calls(service.window) > 100


def test_a_first_call_that_hangs_delays_the_others_one_second() -> None:
    service = Service()
    assert service.send_all() == 300
    service.now += 60
    assert service.window.try_acquire()
    assert service.window.seconds_until_open() == pytest.approx(PROBE_SECONDS)
    service.now += PROBE_SECONDS
    assert service.window.try_acquire()


@pytest.mark.parametrize("count", [300, 301, "300.0"])
def test_at_the_limit_the_next_call_waits_until_it_is_free_again(count: object) -> None:
    assert not may_send_after(headers(count, 300, 60))
    assert not may_send_after(headers(count, 300, 60), 59)
    assert may_send_after(headers(count, 300, 60), 60)


@each_case(
    ("count", "allowed", "reset"),
    [
        (None, 300, 60),
        (300, None, 60),
        (300, 300, None),
        ("many", 300, 60),
        (300, "", 60),
        (300, 300, "soon"),
        (300, 300, "nan"),
        ("nan", 300, 60),
        ("inf", 300, 60),
        (5, 0, 60),
        (5, -1, 60),
        (5, "inf", 60),
        (300, 300, "Fri, 31 Dec 9999 23:59:59 GMT"),
    ],
)
def test_values_that_make_no_sense_hold_nobody_up(count: object, allowed: object, reset: object) -> None:
    assert may_send_after(headers(count, allowed, reset))


@pytest.mark.parametrize("reset", [61, 86_400, "1e300", "inf"])
def test_no_answer_can_order_a_wait_of_more_than_a_minute(reset: object) -> None:
    assert not may_send_after(headers(300, 300, reset), WINDOW_SECONDS - 1)
    assert may_send_after(headers(300, 300, reset), WINDOW_SECONDS)


def test_an_answer_of_an_earlier_window_is_ignored() -> None:
    service = Service()
    assert service.window.try_acquire()
    assert service.window.try_acquire()
    service.now += WINDOW_SECONDS
    assert service.window.try_acquire()
    service.window.release(headers(300, 300, 0))
    assert service.window.try_acquire()


def test_a_429_blocks_all_calls_as_stated_up_to_a_minute() -> None:
    service = Service()
    for ordered, waits in ((5.0, 5.0), (86_400.0, WINDOW_SECONDS)):
        assert service.window.try_acquire()
        service.window.release()
        service.window.block(ordered)
        assert not service.window.try_acquire()
        assert service.window.seconds_until_open() == waits
        service.now += waits + PROBE_SECONDS


def test_an_unreached_call_is_not_counted() -> None:
    window = RateWindow(2)
    for _ in range(10):
        assert window.try_acquire()
        window.release(reached=False)


def test_the_setting_overrides_what_the_service_says() -> None:
    window = RateWindow(2, clock=lambda: 0.0)
    for _ in range(2):
        assert window.try_acquire()
        window.release(headers(0, 300, 60))
    assert window.allowed == 2


def test_about_how_long_a_call_waits_is_told_in_windows() -> None:
    service = Service(100)
    assert service.send_all(40) == 40
    service.now += 10
    assert [service.window.estimate_wait(ahead) for ahead in (0, 59)] == [0.0, 0.0]
    assert service.window.estimate_wait(60) == pytest.approx(50)
    assert service.window.estimate_wait(159) == pytest.approx(50)
    assert service.window.estimate_wait(160) == pytest.approx(110)
