"""kill -9 around the notices to administrators: each arrives at least once, and is updated when its fault changes."""

import asyncio

import pytest

from bot.app import Bot
from bot.sandbox.slack.server import Message
from tests.support import bot_processes
from tests.support.app import ADA, ANA, BEN, SAM, link, open_servers, words
from tests.support.bot_processes import SECONDS, Bots, outcomes
from tests.support.notices import QUICK, resume
from tests.support.postgres import new_database
from tests.support.replicas import replica
from tests.support.storage import run_sql

bots, database = bot_processes.bots, bot_processes.database
UNFINISHED = "SELECT id FROM requests WHERE state <> 'answered'"


def notices(bots: Bots, reader: str = ADA) -> list[Message]:
    return [one for one in bots.servers.slack.messages if one.channel == f"D0{reader[1:]}" and "*Fix:*" in words(one)]


async def until_it_says(bots: Bots, text: str) -> Message:
    """Wait until one of the administrator's messages contains this text, and return it."""
    slack = bots.servers.slack
    return await slack.workspace.until(
        lambda: next((one for one in notices(bots) if text in words(one)), None), SECONDS
    )


async def until_all_are_answered(bot: Bot) -> None:
    """Wait until this bot has also finished the requests of the dead one, which may have answered them already."""
    async with asyncio.timeout(SECONDS):
        while await run_sql(bot.shared.store, UNFINISHED):  # noqa: ASYNC110 - a row has no event
            await asyncio.sleep(0.02)


@pytest.mark.parametrize(
    ("dies", "most"),
    [
        ("before:save", 1),
        ("after:save", 1),
        ("before:take", 1),
        ("after:take", 1),
        ("before:store_messages", 2),
        ("after:store_messages", 1),
    ],
)
async def test_message_about_a_fault_is_sent_after_a_kill(bots: Bots, dies: str, most: int) -> None:
    slack, genesys = bots.servers.slack, bots.servers.genesys
    await genesys.inject_fault("401")
    dead = await bots.start(dies)
    typing = asyncio.create_task(slack.command(ANA, "Deal"))
    await dead.wait()
    bot = await resume(bots)
    await typing
    await until_it_says(bots, "failing for 1 person")
    await outcomes(bots, ANA, 1)
    await until_all_are_answered(bot)  # the failure is reported; a success after it ends the fault
    await genesys.inject_fault(None)
    await slack.command(BEN, "Next")
    await until_it_says(bots, "Working again since")
    assert 1 <= len(notices(bots)) <= most
    assert notices(bots)[-1] is await until_it_says(bots, "Working again since")


async def test_end_of_a_fault_reaches_the_message_after_a_kill(bots: Bots) -> None:
    slack, genesys = bots.servers.slack, bots.servers.genesys
    await genesys.inject_fault("401")
    alive = await bots.start()
    await slack.command(ANA, "Deal")
    message = await until_it_says(bots, "failing for 1 person")
    await slack.workspace.until(lambda: notices(bots, SAM), SECONDS)  # the next reader: Ada's message is stored
    alive.kill()
    await alive.wait()
    await genesys.inject_fault(None)
    await resume(bots)
    await slack.command(BEN, "Next")
    assert await until_it_says(bots, "Working again since") is message
    assert len(notices(bots)) == 1


async def test_two_replicas_share_one_message_and_its_end(tmp_path) -> None:
    async with new_database() as url, open_servers(http=False) as servers:
        bots = Bots(servers, url, tmp_path)
        slack, genesys = servers.slack, servers.genesys
        async with replica(servers, url, timing=QUICK), replica(servers, url, timing=QUICK):
            await genesys.inject_fault("401")
            await asyncio.gather(*(slack.command(who, f"Deal {number}") for number in range(5) for who in (ANA, BEN)))
            message = await until_it_says(bots, "failing for 2 people")
            await genesys.inject_fault(None)
            await slack.command(ANA, "Works")
            assert await until_it_says(bots, "Working again since") is message
            assert any(link(one) for one in slack.seen_by(ANA) if "Works" in words(one))
            assert len(notices(bots)) == 1
        await outcomes(bots, ANA, 6)


@pytest.mark.parametrize("dies", ["before:end_session", "after:end_session", "before:save", "after:save", "after:take"])
@pytest.mark.parametrize("is_named", [True, False], ids=["by name", "by id"])
async def test_agent_is_told_of_an_end_after_a_kill(bots: Bots, dies: str, is_named: bool) -> None:
    slack, genesys = bots.servers.slack, bots.servers.genesys
    dead = await bots.start(dies)
    await slack.command(ANA, "Deal")
    await outcomes(bots, ANA, 1)
    (session,) = genesys.sessions.values()
    await asyncio.sleep(0.3)
    text = "@ana end" if is_named else f"end {session.id}"
    typing = asyncio.create_task(slack.command(SAM, text))
    await dead.wait()
    await resume(bots)
    await typing
    assert any("Ended *Deal*" in said for said in await outcomes(bots, SAM, 1))
    assert session.status == "ended"

    def told() -> list[Message]:
        return [one for one in slack.messages if one.channel == f"D0{ANA[1:]}" and "ended your session" in words(one)]

    await slack.workspace.until(told, SECONDS)
    await asyncio.sleep(0.3)
    assert len(told()) == 1
