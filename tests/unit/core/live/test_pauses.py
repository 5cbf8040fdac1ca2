"""How long the bot waits between two looks at a session that nobody asks about."""

from bot.core.live.watcher import EARLY_LOOKS, MAX_LOOKS, pause_after
from bot.core.timing import LiveTiming

TIMING = LiveTiming()


def pauses(seconds: float, *, is_joined: bool = False) -> list[float]:
    """Return all pauses of a session whose time is up in so many seconds."""
    found, passed = [TIMING.first_pause_seconds], TIMING.first_pause_seconds
    while True:
        pause = pause_after(len(found), seconds - passed, TIMING, is_joined=is_joined, is_covered=False)
        if pause is None:
            return found
        found.append(pause)
        passed += pause


def test_pauses_grow_from_five_seconds_to_a_minute() -> None:
    found = pauses(600)
    assert found[:2] == [5.0, 7.5]
    assert found == sorted(found[:8]) + found[8:]
    assert max(found) == 60.0
    assert len(found) <= EARLY_LOOKS


def test_offer_is_looked_at_right_after_its_end() -> None:
    for seconds in (60, 600, 86_400):
        found = pauses(seconds)
        ends = [sum(found[: number + 1]) for number in range(len(found))]
        assert any(0 < end - seconds <= 10 for end in ends), seconds
        assert len(found) == MAX_LOOKS or ends[-1] > seconds + TIMING.give_up_seconds - TIMING.late_pause_seconds


def test_later_looks_come_each_two_minutes_until_the_end() -> None:
    for is_joined in (True, False):
        found = pauses(3600, is_joined=is_joined)
        early, late = found[:EARLY_LOOKS], found[EARLY_LOOKS:]
        assert max(early) == 60.0
        assert 900 < sum(early) < 1000
        assert max(late) == late[0] == 120.0
        assert sum(found) > 3600
    assert (len(pauses(3600, is_joined=True)) - EARLY_LOOKS) * 120 < 3600


def test_session_that_never_ends_is_looked_at_for_sixteen_hours() -> None:
    found = pauses(7 * 86_400, is_joined=True)
    assert len(found) == MAX_LOOKS
    assert 16 * 3600 < sum(found) < 17 * 3600


def test_hinted_session_is_looked_at_after_its_end() -> None:
    assert pause_after(3, 500, TIMING, is_joined=False, is_covered=True) == 503
    assert pause_after(99, 500, TIMING, is_joined=True, is_covered=True) == 503
    assert pause_after(3, -10, TIMING, is_joined=True, is_covered=True) == 60


def test_failed_looks_after_a_hint_are_repeated_within_a_minute() -> None:
    found = [
        pause_after(3, 500, TIMING, is_joined=False, is_covered=True, failures=number) for number in (1, 2, 9, 9999)
    ]
    assert found == [7.5, 11.25, 60, 60]
    assert pause_after(3, -301, TIMING, is_joined=False, is_covered=True, failures=1) is None


def test_session_whose_end_stays_unknown_is_given_up() -> None:
    assert pause_after(3, -301, TIMING, is_joined=False, is_covered=False) is None
    assert pause_after(3, -301, TIMING, is_joined=False, is_covered=True) is None
