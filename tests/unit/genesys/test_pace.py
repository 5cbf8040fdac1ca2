"""The service's rate limit, kept to before it has to say no: what its headers say, and what people read meanwhile."""

import httpx
import pytest

from bot.genesys.connections import CONNECTIONS
from bot.genesys.pace import ALONE_SECONDS, AT_ONCE, FEW, PER_MINUTE, WINDOW_SECONDS, RateLimiter


class Service:
    """A clock and a service with a window of a minute, which several may use."""

    def __init__(self, allowed: int = 300) -> None:
        self.now = 1000.0
        self.allowed = allowed
        self.count = 0
        self.ends_at = 0.0
        self.refusals = 0
        self.pace = RateLimiter(clock=lambda: self.now)

    def receives(self) -> None:
        """One request more, ours or somebody else's."""
        if self.now >= self.ends_at:
            self.count, self.ends_at = 0, self.now + 60
        self.count += 1
        self.refusals += self.count > self.allowed

    def headers(self) -> httpx.Headers:
        return headers(self.count, self.allowed, round(self.ends_at - self.now))

    def calls(self, most: int = 10_000) -> int:
        """Sends what may go out, each answered before the next; how many that were."""
        for sent in range(most):
            if not self.pace.take():
                return sent
            self.receives()
            self.pace.came_back(self.headers())
        return most


def headers(count: object, allowed: object, reset: object) -> httpx.Headers:
    said = {"count": count, "allowed": allowed, "reset": reset}
    return httpx.Headers({f"ININ-RateLimit-{name}": str(value) for name, value in said.items() if value is not None})


def at_once(pace: RateLimiter) -> int:
    """How many calls go out before one comes back."""
    taken = 0
    while pace.take():
        taken += 1
    return taken


def after(said: httpx.Headers, seconds: float = 0.0) -> bool:
    """Whether a call may go out so long after an answer."""
    service = Service()
    assert service.pace.take()
    service.pace.came_back(said)
    service.now += seconds
    return service.pace.take()


def test_until_the_service_has_spoken_three_hundred_a_minute_are_assumed() -> None:
    service = Service()
    sent = 0
    while service.pace.take():
        service.pace.came_back()
        sent += 1
    assert sent == PER_MINUTE
    service.now += WINDOW_SECONDS
    assert service.pace.take()


@pytest.mark.parametrize("allowed", [1, 40, 300, 3000])
def test_what_the_service_allows_is_used_and_not_exceeded(allowed: int) -> None:
    service = Service(allowed)
    for _ in range(3):
        assert service.calls() == allowed
        service.now += 60
    assert service.refusals == 0


def test_what_others_use_of_the_same_token_is_seen() -> None:
    service = Service(300)
    assert service.calls(10) == 10
    for _ in range(200):
        service.receives()
    assert service.calls() == 90
    assert service.refusals == 0


def test_two_that_start_at_once_on_one_token_do_not_exceed_it() -> None:
    ours, theirs = RateLimiter(), RateLimiter()
    assert at_once(ours) + at_once(theirs) <= PER_MINUTE


def test_half_of_what_is_left_is_under_way_at_most_and_never_more_than_there_are_connections() -> None:
    assert at_once(RateLimiter()) == PER_MINUTE // 2
    assert at_once(RateLimiter(10)) == FEW
    assert at_once(RateLimiter(3)) == 3
    assert at_once(RateLimiter(1_000_000)) == AT_ONCE


def test_there_are_connections_for_all_that_is_under_way_and_for_the_login() -> None:
    assert CONNECTIONS > AT_ONCE


def test_after_a_window_that_was_used_up_the_first_call_goes_alone() -> None:
    service = Service()
    assert service.calls() == 300
    service.now += 60
    assert service.pace.take()
    assert not service.pace.take()
    service.receives()
    service.pace.came_back(service.headers())
    assert at_once(service.pace) > 100


def test_the_first_call_of_a_window_that_hangs_holds_the_others_up_for_a_second() -> None:
    service = Service()
    assert service.calls() == 300
    service.now += 60
    assert service.pace.take()
    assert service.pace.shut_seconds() == pytest.approx(ALONE_SECONDS)
    service.now += ALONE_SECONDS
    assert service.pace.take()


@pytest.mark.parametrize("count", [300, 301, "300.0"])
def test_at_the_limit_the_next_call_waits_until_it_is_free_again(count: object) -> None:
    assert not after(headers(count, 300, 60))
    assert not after(headers(count, 300, 60), 59)
    assert after(headers(count, 300, 60), 60)


@pytest.mark.parametrize(
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
    assert after(headers(count, allowed, reset))


@pytest.mark.parametrize("reset", [61, 86_400, "1e300", "inf"])
def test_no_answer_can_order_a_wait_of_more_than_a_minute(reset: object) -> None:
    assert not after(headers(300, 300, reset), WINDOW_SECONDS - 1)
    assert after(headers(300, 300, reset), WINDOW_SECONDS)


def test_an_answer_of_a_window_that_is_over_says_nothing_about_the_next() -> None:
    service = Service()
    assert service.pace.take()
    assert service.pace.take()
    service.now += WINDOW_SECONDS
    assert service.pace.take()
    service.pace.came_back(headers(300, 300, 0))
    assert service.pace.take()


def test_a_refusal_stops_all_calls_for_as_long_as_it_says_and_a_minute_at_most() -> None:
    service = Service()
    for ordered, waits in ((5.0, 5.0), (86_400.0, WINDOW_SECONDS)):
        assert service.pace.take()
        service.pace.came_back()
        service.pace.refused(ordered)
        assert not service.pace.take()
        assert service.pace.shut_seconds() == waits
        service.now += waits + ALONE_SECONDS


def test_what_never_reached_the_service_is_not_counted() -> None:
    pace = RateLimiter(2)
    for _ in range(10):
        assert pace.take()
        pace.came_back(reached=False)


def test_the_setting_overrides_what_the_service_says() -> None:
    pace = RateLimiter(2, clock=lambda: 0.0)
    for _ in range(2):
        assert pace.take()
        pace.came_back(headers(0, 300, 60))
    assert pace.allowed == 2


def test_about_how_long_a_call_waits_is_told_in_windows() -> None:
    service = Service(100)
    assert service.calls(40) == 40
    service.now += 10
    assert [service.pace.wait_seconds(ahead) for ahead in (0, 59)] == [0.0, 0.0]
    assert service.pace.wait_seconds(60) == pytest.approx(50)
    assert service.pace.wait_seconds(159) == pytest.approx(50)
    assert service.pace.wait_seconds(160) == pytest.approx(110)
