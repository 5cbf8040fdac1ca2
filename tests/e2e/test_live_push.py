"""An agent learns at once that the customer joined, from Genesys's notifications; and all the same where they fail.

In the first tests, the bot would ask Genesys only after minutes, so a notification alone can bring the news.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from tests.support.app import ANSWER_TIMEOUT, BEN, HOSTS, Journey, open_journey, words
from tests.support.conversations import HOST, talk
from tests.support.live import LIVE, QUICK_LIVE, QUICK_LOOKS, count, offers, told
from tests.support.notifications import QUICK, until

PUSH = LIVE | {"GENESYS_LIVE": "push"}
NO_POLL = replace(QUICK_LIVE, live=replace(QUICK_LOOKS, push=QUICK, first_pause_seconds=300, max_pause_seconds=300))
WITH_POLL = replace(QUICK_LIVE, live=replace(QUICK_LOOKS, push=QUICK))


@asynccontextmanager
async def pushed(*, polls: bool = False) -> AsyncIterator[Journey]:
    async with open_journey(timing=WITH_POLL if polls else NO_POLL, **PUSH) as journey:
        yield journey


def subscribed(journey: Journey, host: str = HOST) -> bool:
    return f"v2.users.{host}.conversations" in journey.genesys.notifications.subscribed()


async def test_agent_reads_at_once_that_the_customer_came_and_went() -> None:
    async with pushed() as journey:
        talk(journey)
        await journey.asks("Checkout")
        await until(lambda: subscribed(journey))
        (offer,) = offers(journey)
        offer.join()
        await told(journey, "Your customer joined *Checkout*.")
        offer.stop("client")
        assert "The customer left." in words(await told(journey, "*Checkout* · ended "))
        assert count(journey, "Your customer joined") == count(journey, "· ended ") == 1
        await until(lambda: not subscribed(journey))  # nobody waits for this host any more


async def test_hint_is_not_answered_from_a_cached_state() -> None:
    """The state that `status` has just read for the agent is shared for ten seconds, but not with a hint."""
    async with open_journey(timing=replace(NO_POLL, status_cache_seconds=300), **PUSH) as journey:
        talk(journey)
        await journey.asks("Checkout")
        await until(lambda: subscribed(journey))
        (offer,) = offers(journey)
        assert "waiting for the customer" in words(await journey.asks("status"))
        offer.join()
        await told(journey, "Your customer joined *Checkout*.")
        assert "customer joined" in words(await journey.asks("status"))
        offer.stop("client")
        await told(journey, "The customer left.")


async def test_agent_is_told_of_an_offer_that_expires_unused() -> None:
    """Genesys's clock shows whole seconds, so only the second look, some time after the event, finds the offer over."""
    slow = replace(NO_POLL, live=replace(NO_POLL.live, push=replace(QUICK, repeat_seconds=1.5)))
    async with open_journey(timing=slow, **PUSH) as journey:
        journey.genesys.conversations.offer_lifetime_seconds = 1.5
        talk(journey)
        await journey.asks("Checkout")
        await until(lambda: subscribed(journey))
        await told(journey, "nobody joined")


async def test_join_before_the_subscription_is_told_too() -> None:
    async with pushed() as journey:
        await journey.genesys.inject_fault("503", on="subscriptions", times=1, retry_after=1)
        talk(journey)
        await journey.asks("Checkout")
        (offer,) = offers(journey)
        assert not subscribed(journey)
        offer.join()
        await told(journey, "Your customer joined *Checkout*.")


@pytest.mark.parametrize("fault", ["events-doubled", "events-late", "events-reordered", "socket-closes", "down"])
async def test_odd_events_and_lost_sockets_give_one_message_each(fault: str) -> None:
    async with pushed() as journey:
        talk(journey)
        if fault == "socket-closes":
            await journey.genesys.inject_fault(fault, on="sockets", seconds=0.2)
        elif fault.startswith("events"):
            seconds = {} if fault == "events-doubled" else {"seconds": 0.3}
            await journey.genesys.inject_fault(fault, on="events", **seconds)
        await journey.asks("Checkout")
        await until(lambda: subscribed(journey))
        (offer,) = offers(journey)
        if fault == "down":
            await journey.genesys.inject_fault(fault)
            await until(lambda: not journey.genesys.notifications.connected)
        offer.join()
        await journey.genesys.inject_fault(None) if fault == "down" else None
        await told(journey, "Your customer joined *Checkout*.")
        offer.stop("client")
        await told(journey, "*Checkout* · ended ")
        assert count(journey, "Your customer joined") == count(journey, "· ended ") == 1


@pytest.mark.parametrize("refusal", ["one host", "all", "no channel"])
async def test_refused_notifications_are_replaced_by_asking(refusal: str) -> None:
    async with pushed(polls=True) as journey:
        if refusal == "one host":
            journey.genesys.notifications.refused_users.add(HOST)
        else:
            await journey.genesys.inject_fault("403", on="subscriptions" if refusal == "all" else "channels")
        if refusal == "no channel":
            await until(lambda: journey.genesys.count("channels"))
            journey.genesys.notifications.channels.clear()
        talk(journey)
        await journey.asks("Checkout")
        (offer,) = offers(journey)
        offer.join()
        await told(journey, "Your customer joined *Checkout*.")
        offer.stop("client")
        await told(journey, "*Checkout* · ended ")
        assert not subscribed(journey)
        assert journey.genesys.notifications.sent == []


async def test_covered_session_is_asked_about_less_often() -> None:
    async with pushed(polls=True) as journey:
        journey.genesys.notifications.refused_users.add(HOST)
        covered_host = f"{HOSTS[BEN]}-2222-4222-8222-222222222222"
        refused, covered = talk(journey), talk(journey, "Carl", host=covered_host)
        await journey.asks("Refused")
        await journey.asks("Covered", who=BEN)
        await until(lambda: subscribed(journey, covered_host))
        await asyncio.sleep(0)
        before = reads(journey, covered.id)
        await until(lambda: reads(journey, refused.id) >= 8)
        assert reads(journey, covered.id) - before <= 4  # after the subscription, and once more


def reads(journey: Journey, conversation_id: str) -> int:
    """How often the bot has read this conversation."""
    return sum(call.kind == "conversation" and conversation_id in call.path for call in journey.genesys.calls)


async def test_nothing_is_subscribed_where_push_is_not_chosen() -> None:
    async with open_journey(timing=WITH_POLL, **LIVE) as journey:
        talk(journey)
        await journey.asks("Checkout")
        offers(journey)[0].join()
        await told(journey, "Your customer joined *Checkout*.")
        assert journey.genesys.notifications.channels == {}
        assert NO_POLL.live.first_pause_seconds > ANSWER_TIMEOUT
