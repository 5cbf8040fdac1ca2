"""A bot that dies or is cut off while it sends a message to a customer: the message is not sent twice.

The requester reads one outcome.
"""

import asyncio
from typing import Any

import pytest

from bot.core.errors import InterruptedRequestError
from bot.core.models import SessionId, SessionRecord
from bot.core.use_cases.customer_messages import CustomerMessaging, MessagingConfig, pack
from bot.core.use_cases.sessions import SessionService
from bot.sandbox.slack.server import Message
from tests.support import bot_processes
from tests.support.app import ANA, Servers, buttons, open_servers, words
from tests.support.bot_processes import SECONDS, Bots
from tests.support.customer_messages import NUMBER, ask_in
from tests.support.network_line import new_wire
from tests.support.postgres import new_database
from tests.support.replicas import replica, until
from tests.support.storage import request
from tests.support.views import START, presses, said

bots, database = bot_processes.bots, bot_processes.database


class Forgetful(SessionService):
    """A session service without any stored session."""

    def __init__(self) -> None:
        """Leave out the parts that the tests do not use."""

    async def known(self, session_id: SessionId) -> SessionRecord | None:
        return None


async def asked(servers: Servers) -> Message:
    """Return the question whether to send the link of a session."""
    await servers.slack.command(ANA, "Checkout")
    await servers.slack.next_message(ANA, timeout=SECONDS)
    await servers.slack.command(ANA, f"send {NUMBER}")
    return await servers.slack.next_message(ANA, after=1, timeout=SECONDS)


async def test_possibly_sent_message_is_not_sent_by_the_next_process(bots: Bots) -> None:
    servers = bots.servers
    process = await bots.start()
    question = await asked(servers)
    await servers.genesys.inject_fault("silent", on="sms")
    await servers.slack.press(ANA, question, "send_link")
    await servers.slack.until(lambda: servers.genesys.count("sms"), SECONDS)
    process.kill()
    await process.wait()
    await servers.genesys.inject_fault(None)
    await bots.start()
    await servers.slack.until(lambda: "may or may not be sent" in question.text, SECONDS)
    assert "may or may not be sent" in words(question)
    assert buttons(question) == {}
    assert servers.genesys.count("sms") == 1


@pytest.mark.parametrize(
    ("dies", "told"),
    [
        ("before:created:send", "may or may not be sent"),
        ("after:created:send", "Texted the link of “Checkout” to …0123"),
        ("before:answered:send", "Texted the link of “Checkout” to …0123"),
    ],
)
async def test_sent_message_is_told_as_sent_and_nothing_else(bots: Bots, dies: str, told: str) -> None:
    """The session may have ended before the outcome is told after the crash."""
    servers = bots.servers
    dead = await bots.start(dies)
    question = await asked(servers)
    read: list[str] = []
    servers.slack.workspace.listeners.append(lambda one: read.append(words(one)) if one is question else None)
    await servers.slack.press(ANA, question, "send_link")
    await dead.wait()
    for session in servers.genesys.sessions.values():
        session.status = "ended"
    before = len(read)
    await bots.resume()
    await servers.slack.until(lambda: len(read) > before, SECONDS)
    assert [told for each in read if told not in each] == []
    assert buttons(question) == {}
    assert servers.genesys.count("sms") == 1


@pytest.mark.parametrize(
    ("action", "dies", "told"),
    [
        ("send_link", "after:accepted:send", "Texted the link of “Deal” to …0123"),
        ("send_link", "before:created:send", "may or may not be sent"),
        ("send_link", "before:answered:send", "Texted the link of “Deal” to …0123"),
        ("cancel_sending", "after:accepted:cancel", "Nothing was sent."),
    ],
)
async def test_question_in_a_dialog_is_answered_there_after_a_kill(
    bots: Bots, action: str, dies: str, told: str
) -> None:
    slack, genesys = bots.servers.slack, bots.servers.genesys
    dead = await bots.start(dies)
    await slack.shortcut(ANA, START)
    view = await slack.until(lambda: next((one for one in slack.views_of(ANA) if "submit" in one.body), None), SECONDS)
    await slack.submit(ANA, view, {"name": "Deal"})
    await slack.until(lambda: any(one.join_url in said(view) for one in genesys.sessions.values()), SECONDS)
    ask_in(view, next(iter(genesys.sessions)))
    slack.ack_seconds = 1.0  # it may not come
    await slack.press(ANA, view, action)
    await dead.wait()
    await bots.resume()
    await slack.until(lambda: told in said(view), SECONDS)
    assert presses(view) == []
    assert len(genesys.outbox.sent) == (action == "send_link")


async def test_nameless_message_after_a_crash_is_told_as_unknown() -> None:
    """The session's row is deleted before the outcome is told after the crash."""
    nobody: Any = None
    messaging = CustomerMessaging(Forgetful(), nobody, MessagingConfig(), nobody)
    with pytest.raises(InterruptedRequestError, match=r"^interrupted$") as told:
        await messaging.replay(request(argument=pack("s-1", NUMBER)))
    assert told.value.maybe_created


async def test_stored_press_is_finished_after_a_crash(bots: Bots) -> None:
    """Genesys does not answer the read of the session, so nothing has been sent when the process dies."""
    servers = bots.servers
    process = await bots.start()
    question = await asked(servers)
    looked = servers.genesys.count("read")
    await servers.genesys.inject_fault("silent", on="read")
    await servers.slack.press(ANA, question, "send_link")
    await servers.slack.until(lambda: servers.genesys.count("read") > looked, SECONDS)
    process.kill()
    await process.wait()
    await servers.genesys.inject_fault(None)
    await bots.start()
    await servers.slack.until(lambda: servers.genesys.outbox.sent, SECONDS)
    assert [sent.to for sent in servers.genesys.outbox.sent] == [NUMBER]


async def test_cut_off_replica_does_not_contradict_its_successor() -> None:
    async with new_database() as url, new_wire(url) as wire, open_servers() as servers:
        async with replica(servers, wire.url):
            question = await asked(servers)
            await servers.genesys.inject_fault("slow", on="sms", seconds=4.0)
            await servers.slack.press(ANA, question, "send_link")
            await until(lambda: servers.genesys.count("sms"))
            wire.forget()
            async with replica(servers, url):
                await until(lambda: "may or may not be sent" in question.text)
                await until(lambda: servers.genesys.outbox.sent)
                await asyncio.sleep(1.0)  # the first has its answer from Genesys, and nowhere to write it down
                assert "may or may not be sent" in question.text
                wire.heal()
                await asyncio.sleep(1.0)
        assert "may or may not be sent" in question.text
        assert len(servers.genesys.outbox.sent) == 1
