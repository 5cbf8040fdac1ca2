"""A stop at any moment: every accepted request ends with one outcome, or with a log line that names it."""

import asyncio
import logging
import sqlite3
import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from bot import server
from bot.app import open_bot
from bot.config import settings
from bot.core.timing import SlackTiming
from bot.sandbox.slack.server import Message as Seen
from bot.slack.api import responder as delivery
from bot.slack.messages.blocks import Message
from tests.support.app import ANA, ANSWER_TIMEOUT, Journey, is_note, link, open_journey, open_servers, words
from tests.support.responder import open_delivery
from tests.support.timing import EARLY_NOTICES

HANGS_SECONDS = 20.0
LAST_WORDS_SECONDS = 3.0


def outcomes(journey: Journey) -> list[Seen]:
    return [message for message in journey.slack.seen_by(ANA) if not is_note(message)]


async def asked(journey: Journey) -> None:
    """Wait until the create call has reached Genesys."""
    async with asyncio.timeout(ANSWER_TIMEOUT):
        while not journey.genesys.count("create"):  # noqa: ASYNC110 - a list has no event
            await asyncio.sleep(0.005)


async def stopped_after(
    seconds: float, hanging: tuple[str, ...] = (), *, since_create: bool = False
) -> tuple[Journey, float]:
    """Run one command whose create call takes 0.3 s and whose first wait notice takes 0.6 s. Stop the bot at once.

    `hanging` names the methods of Slack that do not answer after the stop. Return the journey, and how long the stop
    took.
    """
    async with open_journey(timing=EARLY_NOTICES, SHUTDOWN_SECONDS="0") as journey:
        await journey.genesys.inject_fault("slow", seconds=0.3)
        if not hanging:
            journey.slack.inject_fault("response_url", "slow", times=1, seconds=0.6)
        for method in hanging:
            journey.slack.inject_fault(method, "slow", seconds=HANGS_SECONDS)
        assert (await journey.slack.command(ANA, "")).acked
        if since_create:
            await asked(journey)
        await asyncio.sleep(seconds)
        began = time.monotonic()
        await journey.finish()
        return journey, time.monotonic() - began


async def test_a_stop_while_a_note_is_under_way_does_not_lose_the_link() -> None:
    """The create call has ended. Its answer waits for the wait notice, so that the notice does not overtake it."""
    journey, _ = await stopped_after(0.4, since_create=True)
    (outcome,) = outcomes(journey)
    assert link(outcome)
    assert len(journey.genesys.creates) == 1


async def test_a_stop_at_any_moment_leaves_one_outcome() -> None:
    moments = [step * 0.07 for step in range(15)]
    for first in range(0, len(moments), 5):  # five bots at once: more delay each other's last words on a busy machine
        for journey, _ in await asyncio.gather(*map(stopped_after, moments[first : first + 5])):
            (outcome,) = outcomes(journey)
            if "Nothing was started" in words(outcome):
                assert journey.genesys.creates == []
            assert len(journey.genesys.creates) <= 1


async def test_a_stop_while_a_create_takes_long_and_the_note_too() -> None:
    """Nobody knows whether a session exists. The person reads so, although the wait notice never arrived."""
    async with open_journey(timing=EARLY_NOTICES, SHUTDOWN_SECONDS="0") as journey:
        await journey.genesys.inject_fault("silent")
        journey.slack.inject_fault("response_url", "slow", times=1, seconds=HANGS_SECONDS)
        await journey.slack.command(ANA, "")
        await asked(journey)
        await asyncio.sleep(0.2)
        await journey.finish()
        (outcome,) = outcomes(journey)
        assert "I don’t have a link for you" in words(outcome)
        assert "Nothing was started" not in words(outcome)


async def test_stop_takes_the_next_way_when_slack_hangs(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The wait notice hangs, too. The stops run at the same time. None may take longer than the last posts."""
    every_way = ("response_url", "chat.postEphemeral", "conversations.open")
    stops: list[Any] = [stopped_after(0.6, every_way[:count], since_create=True) for count in (1, 2, 3)]
    one, two, all_three = await asyncio.gather(*stops)
    assert [message.via for message in outcomes(one[0])] == ["chat.postEphemeral"]
    assert [message.via for message in outcomes(two[0])] == ["chat.postMessage"]
    assert link(outcomes(one[0])[0])
    assert link(outcomes(two[0])[0])
    assert outcomes(all_three[0]) == []
    assert max(seconds for _, seconds in (one, two, all_three)) < LAST_WORDS_SECONDS + 5  # one way may take 12

    (create,) = all_three[0].genesys.creates
    left = create.body["metadata"]["requestId"]
    errors = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert left in [getattr(record, "fields", {}).get("request") for record in errors]


async def test_a_stop_at_the_moment_when_a_way_is_given_up() -> None:
    """Both happen in one event-loop iteration, because the loop is blocked until both are due."""
    timing = SlackTiming(post_timeout=0.05)
    async with open_journey() as journey, delivery.new_http_session() as http, AsyncExitStack() as stack:
        journey.slack.inject_fault("response_url", "slow", seconds=HANGS_SECONDS)
        web = delivery.new_web_client(None, journey.slack.api_url, http)
        ours, loop = await stack.enter_async_context(open_delivery(web, http, timing)), asyncio.get_running_loop()
        faults: list[dict[str, Any]] = []
        loop.set_exception_handler(lambda _, context: faults.append(context))
        posting = asyncio.create_task(ours.post(f"{journey.slack.url}/response/x", Message("x", [])))
        await asyncio.sleep(0.01)
        loop.call_later(0.06, ours.shorten_deadlines)
        loop.call_later(0.01, time.sleep, 0.1)
        assert not await posting
        loop.set_exception_handler(None)
        assert faults == []


@pytest.mark.parametrize("text", ["Deal", "end", "whoami"])
async def test_command_during_a_drain_is_refused_in_its_ack(tmp_path: Path, text: str) -> None:
    """An open connection may still bring a command after the receiver has stopped listening."""
    path = tmp_path / "bot.db"
    async with open_servers(http=True) as servers:
        loaded = settings.load(servers.environ | {"DATABASE_URL": f"sqlite:///{path}"})
        async with open_bot(loaded) as bot, server.open_http_receiver(bot) as receiver:
            servers.slack.events_url = f"http://127.0.0.1:{receiver.ready.result()}/slack/events"
            await bot.worker.drain(1.0)
            delivery = await servers.slack.command(ANA, text)
            assert delivery.acked
            assert "I’m restarting" in str(delivery.body)
            assert bot.requests.under_way == 0
            with sqlite3.connect(path) as file:
                assert file.execute("SELECT count(*) FROM requests").fetchone() == (0,)
            file.close()
        assert servers.genesys.creates == []
