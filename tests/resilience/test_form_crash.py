"""kill -9 while a form waits for its answer: the next process shows the answer in the same dialog."""

import asyncio

import pytest

from bot.sandbox.slack.server import Message, View
from bot.slack.messages.ambiguity import OFFER_ACTION
from tests.support import bot_processes
from tests.support.app import ANA, BEN, CARE, is_failure, link, words
from tests.support.bot_processes import SECONDS, Bots
from tests.support.customer_messages import NUMBER
from tests.support.views import HERE, START, presses, said

bots, database = bot_processes.bots, bot_processes.database


async def filled(bots: Bots) -> View:
    slack = bots.servers.slack
    return await slack.until(
        lambda: next((view for view in slack.views_of(ANA) if "submit" in view.body), None), SECONDS
    )


async def sent_and_killed(bots: Bots, dies: str, **values: str) -> View:
    """Submit a form to a process that is killed before it answers."""
    slack, genesys = bots.servers.slack, bots.servers.genesys
    dead = await bots.start(dies)
    if not dies.startswith("after:creating"):  # the request is stored before the host is known, in a write of its own
        await genesys.inject_fault("403", on="search")
    await slack.shortcut(ANA, START)
    view = await filled(bots)
    await genesys.inject_fault(None)
    slack.ack_seconds = 1.0  # it may not come
    await slack.submit(ANA, view, {"name": "Deal", **values})
    await dead.wait()
    return view


async def copies(bots: Bots, count: int = 1) -> list[Message]:
    slack = bots.servers.slack
    await slack.until(lambda: len(slack.seen_by(ANA)) >= count, SECONDS)
    await asyncio.sleep(0.3)  # nothing else is to come
    return slack.seen_by(ANA)


@pytest.mark.parametrize(
    "dies", ["after:accepted:Deal", "before:creating:Deal", "after:created:Deal", "before:answered:Deal"]
)
async def test_dialog_shows_the_link_after_a_kill(bots: Bots, dies: str) -> None:
    slack = bots.servers.slack
    view = await sent_and_killed(bots, dies)
    await bots.resume()
    (session,) = await slack.until(lambda: [*bots.servers.genesys.sessions.values()], SECONDS)
    await slack.until(lambda: session.join_url in said(view), SECONDS)
    assert "submit" not in view.body
    times = 2 if dies == "before:answered:Deal" else 1  # told at least once
    told = await copies(bots, times)
    assert {link(message) for message in told} == {session.join_url}
    assert len(told) == times
    assert len(bots.servers.genesys.creates) == 1


async def test_offer_to_send_the_link_survives_a_kill(bots: Bots) -> None:
    slack, outbox = bots.servers.slack, bots.servers.genesys.outbox
    view = await sent_and_killed(bots, "after:created:Deal", send_to=NUMBER)
    await bots.resume()
    await slack.until(lambda: "Send this link to *+1 415-555-0123*?" in said(view), SECONDS)
    assert outbox.sent == []
    await slack.press(ANA, view, OFFER_ACTION)
    await slack.until(lambda: "✓ Texted to …0123" in said(view), SECONDS)
    assert [each.to for each in outbox.sent] == [NUMBER]


async def test_interrupted_start_is_told_in_the_dialog_and_repeated_there(bots: Bots) -> None:
    slack, genesys = bots.servers.slack, bots.servers.genesys
    view = await sent_and_killed(bots, "after:creating:Deal")
    await bots.resume()
    await slack.until(lambda: "I was restarted" in said(view), SECONDS)
    (failure,) = await copies(bots)
    assert is_failure(failure)
    assert presses(view) == ["try_again"]
    await slack.press(ANA, view, "try_again")
    (session,) = await slack.until(lambda: [*genesys.sessions.values()], SECONDS)
    await slack.until(lambda: session.join_url in said(view), SECONDS)
    assert link((await copies(bots, 2))[1]) == session.join_url


async def test_try_again_in_a_dialog_outlives_a_kill(bots: Bots) -> None:
    """The store holds the press together with its dialog."""
    slack, genesys = bots.servers.slack, bots.servers.genesys
    await genesys.inject_fault("dropped", times=1)
    dead = await bots.start("after:created:Deal")
    await slack.shortcut(ANA, START)
    view = await filled(bots)
    await slack.submit(ANA, view, {"name": "Deal"})
    await slack.until(lambda: "try_again" in presses(view), SECONDS)
    await slack.press(ANA, view, "try_again")
    await dead.wait()
    await bots.resume()
    session = [*genesys.sessions.values()][-1]
    await slack.until(lambda: session.join_url in said(view), SECONDS)
    assert len(genesys.creates) == 2


async def test_dialog_that_was_closed_meanwhile_leaves_the_direct_message(bots: Bots) -> None:
    slack = bots.servers.slack
    view = await sent_and_killed(bots, "after:created:Deal")
    await slack.close(ANA, view)
    await bots.resume()
    (copy,) = await copies(bots)
    assert link(copy)
    assert slack.views_of(ANA) == []


@pytest.mark.parametrize(
    ("dies", "replies", "told"),
    [
        ("after:created:Deal", 1, "Posted in the thread."),
        ("before:add_post:intended", 1, "Posted in the thread."),
        ("before:add_post:posted", 1, "I couldn’t post it in the thread."),
        ("after:add_post:posted", 1, "Posted in the thread."),
    ],
)
async def test_session_stands_in_the_thread_once(bots: Bots, dies: str, replies: int, told: str) -> None:
    slack = bots.servers.slack
    dead = await bots.start(dies)
    message = slack.post_message(BEN, CARE, "Deal")
    await slack.message_shortcut(ANA, message, HERE)
    view = await filled(bots)
    await slack.submit(ANA, view, {"thread": ["thread"]})
    await dead.wait()
    await bots.resume()
    await slack.until(lambda: told in said(view), SECONDS)
    in_thread = [each for each in slack.messages if each.thread_ts == message.ts]
    assert len(in_thread) == replies
    assert "Share" not in words(in_thread[0])
