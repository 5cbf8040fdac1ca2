"""The limits on starts and on requests in progress, as people in Slack see them."""

import asyncio

from tests.support.app import ANA, BEN, is_failure, link, open_journey, words


async def test_redelivered_command_is_not_refused_as_too_many() -> None:
    async with open_journey(COBROWSE_PERSON_STARTS_PER_MINUTE="1") as journey:
        delivery = await journey.slack.command(ANA, "Deal")
        again = await journey.slack.redeliver(delivery)
        assert (delivery.acked, again.acked, again.body) == (True, True, delivery.body)
        await journey.finish()
        assert [link(message) for message in journey.slack.seen_by(ANA)]
        assert len(journey.genesys.creates) == 1


async def test_person_with_too_many_starts_reads_the_wait_in_the_ack() -> None:
    async with open_journey(COBROWSE_PERSON_STARTS_PER_MINUTE="2") as journey:
        for number in range(2):
            assert link(await journey.asks(f"Within {number}"))
        refused = await journey.asks("Too many")
        assert is_failure(refused)
        assert "You’ve started too many sessions just now. Nothing was started." in words(refused)
        assert "Try again in" in words(refused)
        assert refused.via == "ack"
        assert link(await journey.asks("Within", who=BEN))
        assert len(journey.genesys.creates) == 3


async def test_excess_requests_are_refused_and_the_rest_is_answered() -> None:
    async with open_journey(COBROWSE_MAX_IN_FLIGHT="3") as journey:
        journey.genesys.latency_seconds = 0.3
        before = len(journey.slack.messages)
        deliveries = await asyncio.gather(*(journey.slack.command(ANA, f"Flood {number}") for number in range(10)))
        assert all(delivery.acked for delivery in deliveries)
        await journey.slack.workspace.until(lambda: len(journey.slack.messages) - before == 10, 6)
        told = [words(message) for message in journey.slack.messages[before:]]
        assert len([each for each in told if "I have too much to do right now" in each]) == 7
        assert len(journey.genesys.creates) == 3
