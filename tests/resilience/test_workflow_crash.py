"""kill -9 during a workflow step: the next start reports the outcome to the workflow, on both databases."""

import asyncio

import pytest

from bot.slack.listeners.workflow_step import CALLBACK_ID
from tests.support import bot_processes
from tests.support.app import SAM
from tests.support.bot_processes import Bots
from tests.support.workflow import over

bots, database = bot_processes.bots, bot_processes.database


@pytest.mark.parametrize(
    ("dies", "creates", "status"),
    [
        ("after:accepted:Deal", 1, "succeeded"),
        ("after:creating:Deal", 0, "failed"),
        ("after:created:Deal", 1, "succeeded"),
        ("before:answered:Deal", 1, "succeeded"),
    ],
)
async def test_killed_anywhere_the_next_start_tells_the_workflow(
    bots: Bots, dies: str, creates: int, status: str
) -> None:
    slack, genesys = bots.servers.slack, bots.servers.genesys
    dead = await bots.start(dies)
    running = asyncio.create_task(slack.function_executed(CALLBACK_ID, {"agent": SAM, "name": "Deal"}))
    await dead.wait()
    living = await bots.start()
    execution = await over(slack, await running)
    assert execution.status == status
    assert len(genesys.creates) == creates
    if status == "failed":
        assert execution.error is not None
        assert "I was restarted" in execution.error
    living.terminate()
    await living.wait()
    log = (bots.directory / "bots.log").read_text()
    assert f"workflow={execution.workflow_id}" in log
    assert "/join/" not in log
