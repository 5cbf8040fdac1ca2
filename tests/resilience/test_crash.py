"""kill -9 at every state transition, on both databases: every accepted request ends with exactly one outcome."""

import asyncio

import pytest

from tests.support import bot_processes
from tests.support.app import (
    ANA,
    BEN,
    SAM,
    buttons,
    is_failure,
    link,
    words,
)
from tests.support.bot_processes import SECONDS, Bots, outcomes

bots, database = bot_processes.bots, bot_processes.database


@pytest.mark.parametrize(
    ("dies", "creates", "told"),
    [
        ("after:accepted:Deal", 1, "link"),
        ("before:creating:Deal", 1, "link"),
        ("after:creating:Deal", 0, "interrupted"),
        ("before:created:Deal", 1, "interrupted"),
        ("after:created:Deal", 1, "link"),
        ("before:answered:Deal", 1, "the same link twice"),
        ("after:answered:Deal", 1, "link"),
    ],
)
async def test_kill_at_a_transition_still_brings_the_outcome(bots: Bots, dies: str, creates: int, told: str) -> None:
    slack, genesys = bots.servers.slack, bots.servers.genesys
    dead = await bots.start(dies)
    typed = asyncio.create_task(slack.command(ANA, "Deal"))
    await dead.wait()
    await bots.resume()
    await typed
    await outcomes(bots, ANA, 2 if told == "the same link twice" else 1)
    await asyncio.sleep(0.3)  # nothing else is to come
    seen = slack.seen_by(ANA)
    seen = [message for message in seen if message.via != "slackbot"]  # Slack's own line: it was never acknowledged

    assert len(genesys.creates) == creates
    if told == "interrupted":
        (message,) = seen
        assert is_failure(message)
        assert "I was restarted" in words(message)
        before = len(slack.messages)
        await slack.press(ANA, message, "try_again")
        await slack.workspace.until(lambda: not is_failure(message) or len(slack.messages) > before, SECONDS)
        assert link(message) == genesys.sessions[genesys.creates[-1].session_id].join_url
    else:
        assert {link(message) for message in seen} == {session.join_url for session in genesys.sessions.values()}
        assert len(seen) == (2 if told == "the same link twice" else 1)


async def test_kill_right_after_creating_interrupts_without_a_create(
    bots: Bots,
) -> None:
    """With warm caches, this is one write before the acknowledgement. The tests above cover cold caches."""
    slack, genesys = bots.servers.slack, bots.servers.genesys
    dead = await bots.start("after:creating:Deal")
    await slack.command(ANA, "Warm")
    await outcomes(bots, ANA, 1)
    slack.ack_seconds = 1.0  # nothing will come
    delivery = await slack.command(ANA, "Deal")
    await dead.wait()
    assert not delivery.acked
    await bots.resume()
    (told,) = await slack.workspace.until(lambda: [*filter(is_failure, slack.seen_by(ANA))], SECONDS)
    assert "I was restarted" in words(told)
    assert [create.body["sessionName"] for create in genesys.creates] == ["Warm"]


async def test_kill_before_the_write_accepts_nothing(bots: Bots) -> None:
    slack = bots.servers.slack
    dead = await bots.start("before:accepted:Deal")
    slack.ack_seconds = 1.0  # nothing will come
    delivery = await slack.command(ANA, "Deal")
    await dead.wait()
    await bots.resume()
    assert not delivery.acked
    assert [message.via for message in slack.seen_by(ANA)] == ["slackbot"]
    assert bots.servers.genesys.creates == []


async def test_agent_of_a_supervisors_session_is_told_after_a_crash(bots: Bots) -> None:
    slack = bots.servers.slack
    dead = await bots.start("after:created:Deal")
    await slack.command(SAM, "@ben Deal")
    await dead.wait()
    await bots.resume()
    (card,) = await outcomes(bots, SAM, 1)
    (told,) = await outcomes(bots, BEN, 1)
    assert "has this link too" in card
    assert f"from <@{SAM}>" in told


async def test_stop_while_the_agent_is_told_keeps_the_session(bots: Bots) -> None:
    slack, genesys = bots.servers.slack, bots.servers.genesys
    dead = await bots.start("after:created:Deal")
    await slack.command(SAM, "@ben Deal")
    await dead.wait()
    slack.inject_fault("conversations.open", "slow", seconds=20)
    await bots.resume()
    await asyncio.sleep(0.5)
    assert slack.seen_by(SAM) == []
    await bots.after.aclose()
    (card,) = slack.seen_by(SAM)
    assert {link(card)} == {session.join_url for session in genesys.sessions.values()}


async def test_a_request_delivered_again_after_a_crash_is_one_request(bots: Bots) -> None:
    slack, genesys = bots.servers.slack, bots.servers.genesys
    dead = await bots.start("after:answered:Deal")
    delivery = await slack.command(ANA, "Deal")
    await dead.wait()
    await bots.resume()
    assert (await slack.redeliver(delivery)).acked
    await asyncio.sleep(0.5)
    assert len(genesys.creates) == 1
    assert len(slack.seen_by(ANA)) == 1


async def test_a_try_again_button_outlives_the_process_that_made_it(bots: Bots) -> None:
    slack, genesys = bots.servers.slack, bots.servers.genesys
    first = await bots.start()
    await genesys.inject_fault("dropped", times=1)
    await slack.command(ANA, "Deal")
    await outcomes(bots, ANA, 1)
    await asyncio.sleep(0.2)
    first.kill()
    await first.wait()
    await bots.resume()
    (failed,) = slack.seen_by(ANA)
    assert "try_again" in buttons(failed)
    await slack.press(ANA, failed, "try_again")
    await slack.workspace.until(lambda: not is_failure(failed), SECONDS)
    assert link(failed)
    assert len(genesys.creates) == 2
