"""The service's rate limit, kept to before it has to say no: what its headers say, and what the person reads."""

import asyncio

import httpx
import pytest
from journey import ANA, is_note, link, open_journey, words

from bot.genesys import pace
from bot.genesys.pace import LONGEST_SECONDS, Pace


class Watched:
    """A clock, a sleep and a watcher that write down what they are asked for."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []
        self.waited: list[float] = []

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    async def sending(self) -> None:
        raise AssertionError("that is for the client to say")

    async def waiting(self, seconds: float) -> None:
        self.waited.append(seconds)


def headers(count: object, allowed: object, reset: object) -> httpx.Headers:
    said = {"count": count, "allowed": allowed, "reset": reset}
    return httpx.Headers({f"ININ-RateLimit-{name}": str(value) for name, value in said.items() if value is not None})


async def turn_after(*said: httpx.Headers, seconds_later: float = 0.0) -> Watched:
    watched = Watched()
    limit = Pace(watched.clock)
    for each in said:
        limit.note(each)
    watched.now += seconds_later
    await limit.turn(watched, watched.sleep)
    assert watched.slept == watched.waited
    return watched


async def test_below_the_limit_nobody_waits():
    assert (await turn_after()).slept == []
    assert (await turn_after(headers(299, 300, 30))).slept == []


@pytest.mark.parametrize("count", [300, 301, "300.0"])
async def test_at_the_limit_the_next_call_waits_until_it_is_free_again(count):
    assert (await turn_after(headers(count, 300, 30))).slept == [30]
    assert (await turn_after(headers(count, 300, 30), seconds_later=12)).slept == [18]
    assert (await turn_after(headers(count, 300, 30), seconds_later=30)).slept == []


async def test_it_waits_once_and_then_goes():
    watched = Watched()
    limit = Pace(watched.clock)
    limit.note(headers(300, 300, 5))
    for _ in range(3):
        await limit.turn(watched, watched.sleep)
    assert watched.slept == [5]


async def test_without_anybody_to_tell_it_waits_all_the_same():
    watched = Watched()
    limit = Pace(watched.clock)
    limit.note(headers(300, 300, 5))
    await limit.turn(None, watched.sleep)
    assert watched.slept == [5]


@pytest.mark.parametrize(
    ("count", "allowed", "reset"),
    [
        (None, 300, 30),
        (300, None, 30),
        (300, 300, None),
        ("many", 300, 30),
        (300, "", 30),
        (300, 300, "soon"),
        (300, 300, -5),
        (300, 300, "nan"),
        ("nan", 300, 30),
        (5, 0, 30),
        (5, -1, 30),
        (300, 300, "Fri, 31 Dec 9999 23:59:59 GMT"),
    ],
)
async def test_values_that_make_no_sense_hold_nobody_up(count, allowed, reset):
    assert (await turn_after(headers(count, allowed, reset))).slept == []


@pytest.mark.parametrize("reset", [61, 86_400, "1e300", "inf"])
async def test_no_answer_can_order_a_wait_of_more_than_a_minute(reset):
    assert (await turn_after(headers(300, 300, reset))).slept == [LONGEST_SECONDS]


async def test_what_does_not_speak_of_the_limit_changes_nothing():
    assert (await turn_after(headers(300, 300, 30), httpx.Headers())).slept == [30]


async def test_who_has_to_wait_reads_that_it_waits_and_gets_the_link_then(
    early_notes: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace, "LONGEST_SECONDS", 0.8)
    async with open_journey() as journey:
        journey.genesys.allowed_per_minute = 1  # the search for the host uses it up
        began = asyncio.get_running_loop().time()
        assert link(await journey.asks())
        assert asyncio.get_running_loop().time() - began >= 0.8
        (note,) = filter(is_note, journey.slack.seen_by(ANA))
        assert "waits its turn" in words(note)
        assert len(journey.genesys.creates) == 1
        assert not [call for call in journey.genesys.calls if call.status == 429]


async def test_a_stop_while_it_waits_its_turn_says_that_no_session_was_created(early_notes: None) -> None:
    async with open_journey(SHUTDOWN_SECONDS="0") as journey:
        journey.genesys.allowed_per_minute = 1
        await journey.slack.command(ANA, "")
        await journey.slack.workspace.until(lambda: [*filter(is_note, journey.slack.seen_by(ANA))], 3)
        await journey.finish()
        note, outcome = journey.slack.seen_by(ANA)
        assert "waits its turn" in words(note)
        assert journey.genesys.creates == []
        assert "Nobody knows" not in words(outcome)
        assert not is_note(outcome)
