"""The limits: how many sessions may start in a minute, and how many requests may be in progress."""

from dataclasses import replace

import pytest

from bot.core.errors import NotReadyError, RateLimitedError
from bot.core.models import Request, RequestKind, UserId, new_request_id
from bot.core.requests.service import RequestLimiter, RequestLimits
from tests.support.app import ANA, BEN, SAM
from tests.support.clock import Clock
from tests.support.requests import start


def admitted(keeper: RequestLimiter, requests: list[Request]) -> int:
    """Return how many of these requests are admitted, each as a separate command."""
    count = 0
    for request in requests:
        try:
            keeper.admit(replace(request, key=new_request_id()), 0)
        except RateLimitedError:
            continue
        count += 1
    return count


def test_person_may_start_six_a_minute_and_one_more_after_it() -> None:
    clock = Clock()
    keeper = RequestLimiter(RequestLimits(), clock=clock)
    for _ in range(6):
        keeper.admit(start(), 0)
        clock.now += 1
    with pytest.raises(RateLimitedError, match=r"^too_many_starts$") as refused:
        keeper.admit(start(), 0)
    assert (refused.value.limit, refused.value.wait_seconds, refused.value.everybody) == (6, 54, False)
    clock.now += 54
    assert admitted(keeper, [start()] * 2) == 1


def test_redelivery_is_neither_counted_nor_refused() -> None:
    keeper = RequestLimiter(RequestLimits(person_starts=2, under_way=1))
    first = start()
    for _ in range(5):
        keeper.admit(first, 0)
    keeper.admit(start(), 0)
    with pytest.raises(RateLimitedError, match=r"^too_many_starts$"):
        keeper.admit(start(), 0)
    keeper.admit(first, 0)
    keeper.admit(first, 1)
    with pytest.raises(NotReadyError, match=r"^overloaded$"):
        keeper.admit(start(), 1)


def test_each_person_counts_alone_and_starts_for_others_apart() -> None:
    keeper = RequestLimiter(RequestLimits(person_starts=2, supervisor_starts=3))
    assert admitted(keeper, [start(ANA)] * 5 + [start(BEN)] * 5) == 4
    assert admitted(keeper, [start(ANA, target=BEN)] * 5) == 3
    assert admitted(keeper, [start(BEN, target=BEN)] * 5) == 0
    assert admitted(keeper, [start(ANA, team_id="T2")] * 5) == 2


def test_workflow_starts_have_their_own_limit_for_each_person() -> None:
    keeper = RequestLimiter(RequestLimits(person_starts=2))
    assert admitted(keeper, [start(ANA, kind=RequestKind.STEP)] * 5) == 2
    assert admitted(keeper, [start(ANA)] * 5) == 2


def test_sends_count_apart_from_starts() -> None:
    keeper = RequestLimiter(RequestLimits(person_starts=1, person_sends=2))
    for _ in range(2):
        keeper.admit(start(kind=RequestKind.SEND), 0)
    with pytest.raises(RateLimitedError, match=r"^too_many_sends$") as refused:
        keeper.admit(start(kind=RequestKind.SEND), 0)
    assert refused.value.limit == 2
    assert admitted(keeper, [start()]) == 1
    keeper.admit(start(kind=RequestKind.PROPOSE), 0)
    keeper.admit(start(BEN, kind=RequestKind.SEND), 0)


def test_a_whole_workspace_can_be_held_to_a_number() -> None:
    keeper = RequestLimiter(RequestLimits(workspace_starts=10))
    assert admitted(keeper, [start(f"U{number}") for number in range(30)]) == 10
    with pytest.raises(RateLimitedError, match=r"^too_many_starts$") as refused:
        keeper.admit(start(SAM), 0)
    assert refused.value.everybody


def test_refused_request_does_not_count() -> None:
    clock = Clock()
    keeper = RequestLimiter(RequestLimits(person_starts=1, workspace_starts=2), clock=clock)
    assert admitted(keeper, [start(ANA)] * 50) == 1
    assert admitted(keeper, [start(BEN), start(SAM)]) == 1


def test_zero_lifts_a_limit_and_only_starts_count() -> None:
    free = RequestLimiter(RequestLimits(person_starts=0, supervisor_starts=0))
    assert admitted(free, [start()] * 1000 + [start(target=BEN)] * 1000) == 2000
    keeper = RequestLimiter(RequestLimits(person_starts=1, person_inquiries=0))
    assert admitted(keeper, [start(kind=RequestKind.STATUS)] * 50) == 50


def test_no_request_is_taken_above_the_limit_under_way() -> None:
    keeper = RequestLimiter(RequestLimits(under_way=3))
    keeper.admit(start(), 2)
    for kind in (RequestKind.START, RequestKind.STATUS, RequestKind.END):
        with pytest.raises(NotReadyError, match=r"^overloaded$"):
            keeper.admit(start(kind=kind), 3)


def test_the_count_of_people_is_bounded() -> None:
    keeper, asked = RequestLimiter(RequestLimits()), start()
    for number in range(50_100):
        keeper.admit(replace(asked, requester=UserId(f"U{number}")), 0)
    assert len(keeper._starts) <= 50_000
