"""Times in Genesys's answers: a plausible one counts, the default replaces any other, and none delays an answer."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from bot.core.errors import UnexpectedError
from bot.core.stored_errors import from_record
from bot.genesys.api.live_conversations import read_live, read_time, read_time_within
from bot.genesys.parsing import answered_at
from bot.sandbox.genesys.api.conversations import Offer
from bot.slack.messages import session_card
from bot.slack.messages.catalogue.sentence import ENGLISH
from tests.support.app import (
    QUICK_GENESYS,
    SAM,
    Journey,
    is_failure,
    link,
    open_journey,
    words,
)
from tests.support.conversations import HOST, KEY

NOW = datetime(2026, 10, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
BEYOND = ["9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z"]


@pytest.mark.parametrize(
    ("said", "counts"),
    [
        ("2026-10-01T12:00:00Z", True),
        ("2026-10-02T12:00:00Z", True),
        ("2026-10-02T02:00:00-10:00", True),
        ("2026-10-02T12:00:01Z", False),
        ("2026-10-01T11:59:59Z", False),
        *((one, False) for one in BEYOND),
    ],
)
def test_time_counts_within_its_bounds(said: str, counts: bool) -> None:
    read = read_time_within(said, NOW, back=timedelta(0), ahead=DAY)
    assert read == (read_time(said) if counts else None)
    assert (read is not None) is counts


@pytest.mark.parametrize(
    ("said", "counts"),
    [
        ("2026-07-03T12:00:00Z", True),
        ("2026-07-03T11:59:59Z", False),
        ("2026-10-01T12:05:00Z", True),
        ("2026-10-01T12:05:01Z", False),
        *((one, False) for one in BEYOND),
    ],
)
def test_conversation_began_within_ninety_days_and_five_minutes(said: str, counts: bool) -> None:
    wanted = "99999999-9999-4999-8999-999999999999"
    agent = {"userId": HOST, "messages": [{"state": "connected", "connectedTime": said}]}
    live = read_live({"id": wanted, "participants": [agent], "startTime": "2026-09-30T12:00:00Z"}, wanted, HOST, NOW)
    assert live
    assert live.conversation.since == (read_time(said) if counts else datetime(2026, 9, 30, 12, tzinfo=UTC))


@pytest.mark.parametrize("days", [-400, -2, 2, 400])
def test_service_says_its_time_however_wrong_ours_is(days: int) -> None:
    said = (datetime.now(UTC) + timedelta(days=days)).replace(microsecond=0)
    response = httpx.Response(200, headers={"Date": f"{said:%a, %d %b %Y %H:%M:%S} GMT"})
    assert answered_at(response) == said


@pytest.mark.parametrize("zone", [timedelta(hours=14), timedelta(hours=-14)])
@pytest.mark.parametrize("end", [datetime.min, datetime.max])
def test_clock_shows_any_time(end: datetime, zone: timedelta) -> None:
    from datetime import timezone

    assert ENGLISH.moment(end.replace(tzinfo=timezone(zone)))


def test_stored_time_beyond_the_calendar_is_an_unexpected_error() -> None:
    record = {"error": "SeveralConversations", "candidates": [{"id": "x", "since": BEYOND[0]}]}
    assert isinstance(from_record(record), UnexpectedError)


@pytest.fixture
async def journey() -> AsyncIterator[Journey]:
    async with open_journey(**KEY) as opened:
        for host in (HOST, "22222222-2222-4222-8222-222222222222"):
            opened.genesys.conversations.begin(host, "Carla Customer")
        yield opened


def shown(text: str) -> int:
    return int(text.split("<!date^")[1].split("^", maxsplit=1)[0])


@pytest.mark.parametrize("said", BEYOND)
async def test_offer_with_an_end_beyond_the_calendar_is_listed(
    journey: Journey, monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    whole = Offer.as_json
    monkeypatch.setattr(Offer, "as_json", lambda one, url: {**whole(one, url), "dateOfferEnds": said})
    card = await journey.asks("Checkout")
    (offer,) = journey.genesys.conversations.offers.values()
    assert link(card).endswith(offer.join_code)
    assert abs(shown(words(card)) - datetime.now(UTC).timestamp() - 600) < 60
    assert "Checkout" in words(await journey.asks("last"))
    assert "Checkout" in words(await journey.asks("status"))
    assert "Checkout" in words(await journey.asks("list", who=SAM))


@pytest.mark.parametrize("said", BEYOND)
async def test_conversations_with_odd_starts_can_be_chosen_from(
    journey: Journey, monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    from bot.sandbox.genesys import conversations as genesys_talk

    monkeypatch.setattr(genesys_talk.Conversation, "as_conversation", odd(genesys_talk.Conversation, said))
    journey.genesys.conversations.begin(HOST, "Dora Customer")
    message = await journey.asks("Checkout")
    assert "Carla Customer" in str(message.blocks)
    assert "Dora Customer" in str(message.blocks)


def odd(conversation: Any, said: str) -> Any:
    whole = conversation.as_conversation

    def as_conversation(one: Any, url: str = "") -> Any:
        body = whole(one)
        for person in body["participants"]:
            person["connectedTime"] = said
            for communication in person.get("messages", []):
                communication["connectedTime"] = said
        return {**body, "startTime": said}

    return as_conversation


@pytest.mark.parametrize("hours", [-48, -23, 23, 48])
async def test_wrong_clock_neither_ends_a_session_nor_keeps_it_open(hours: int) -> None:
    """The service's clock is wrong by hours. The database counts how long the session lasts."""
    async with open_journey() as journey:
        await journey.asks("Warm")  # a sign-in looks at the clock, too
        journey.genesys.clock_ahead_seconds = hours * 3600
        card = await journey.asks("Checkout")
        assert abs(shown(words(card)) - datetime.now(UTC).timestamp() - hours * 3600 - 1800) < 60
        assert "Checkout" in words(await journey.asks("status"))
        last = await journey.asks("last")
        assert link(last) == link(card)
        assert abs(shown(words(last)) - datetime.now(UTC).timestamp() - 1800) < 60


async def test_answer_that_cannot_be_made_is_a_plain_sentence(
    journey: Journey, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down(*_: Any) -> str:
        raise OverflowError("date value out of range")

    monkeypatch.setattr(session_card.CardRenderer, "ends", break_down)
    message = await journey.asks("Checkout")
    assert is_failure(message)
    assert "Something went wrong, so I don’t have a link for you" in words(message)
    assert "try_again" not in str(message.blocks)
    monkeypatch.undo()
    assert link(await journey.asks("last"))


async def test_slow_token_after_a_401_is_outside_the_create_timeout() -> None:
    async with open_journey(genesys_timing=replace(QUICK_GENESYS, call_timeout=0.8)) as journey:
        assert link(await journey.asks("Before"))  # there is a token, and a host
        await journey.genesys.inject_fault("401", times=1)
        await journey.genesys.inject_fault("slow", on="token", seconds=1.0)
        message = await journey.asks()
        assert link(message)
        assert len(journey.genesys.sessions) == 2
        assert journey.genesys.count("token") == 2
