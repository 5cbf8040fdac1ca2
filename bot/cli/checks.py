"""Run the checks for the commands `check` and `init`."""

import asyncio

from bot import check
from bot.check import CheckResult
from bot.config import settings
from bot.core.models import UserId
from bot.observability import logging as logs


def run(person: str | None = None) -> list[CheckResult]:
    """Return the results of all checks of the environment and .env. `person`: a Slack user's id for a dry run."""
    logs.set_up("CRITICAL", as_json=False)  # the results report errors
    try:
        environment = settings.read_environment()
        user_id = UserId(person) if person else None
        return asyncio.run(check.run_checks(environment.values, user_id=user_id, remarks=environment.remarks))
    except settings.SettingsError as fault:
        return check.from_faults(fault.faults)
