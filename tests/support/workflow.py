"""Wait for the steps of workflows."""

from typing import Any

from bot.sandbox.slack.server import Execution


async def over(slack: Any, execution: Execution, seconds: float = 15.0) -> Execution:
    """Wait until the bot has reported the result of a workflow step, and return the execution."""
    await slack.workspace.until(lambda: execution.status != "running", seconds)
    return execution
