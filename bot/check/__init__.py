"""Run the checks of `cobrowse-bot check`: settings, Slack, Genesys and database. Say how to fix each problem.

The checks only read. They create no session, message, table or file.
"""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path

from bot.check import configuration, workspaces
from bot.check.results import CheckResult, as_json, as_text, passed
from bot.check.services import check_services, from_faults
from bot.config import settings
from bot.config.environment import ENV_FILE
from bot.config.workspaces.file import workspaces_file
from bot.core.models import UserId
from bot.core.timing import GENESYS_TIMING, SLACK_TIMING, GenesysTiming, SlackTiming
from bot.observability import logging as logs


async def run_checks(
    environ: Mapping[str, str],
    *,
    user_id: UserId | None = None,
    env_file: str = ENV_FILE,
    remarks: Sequence[str] = (),
    genesys_timing: GenesysTiming = GENESYS_TIMING,
    slack_timing: SlackTiming = SLACK_TIMING,
) -> list[CheckResult]:
    """Run all checks of a process with a single workspace, and return the results.

    - `environ`: the settings, by name.
    - `user_id`: a Slack user whose access is also checked; None to check nobody.
    - `env_file`: the path of .env.
    - `remarks`: one text for each part of .env that the bot ignores. Each text has a sentence with the problem, and
      then a sentence with the fix.

    The results are in the order in which to fix the problems.
    """
    parts = configuration.read_setup(environ, Path(env_file), remarks)
    return await check_services(parts, user_id, genesys_timing, slack_timing)


def check_environment(person: str | None = None, workspace: str | None = None) -> list[CheckResult]:
    """Run all checks with the settings in the process's environment and in .env.

    - `person`: the id of a Slack user whose access is also checked; None to check nobody.
    - `workspace`: the short name of the only workspace to check; None to check all workspaces and the parts that they
      share.

    If faults in the settings prevent all checks, return one failed result for each fault, and one skipped result for
    all other checks.
    """
    logs.set_up("CRITICAL", as_json=False)  # the results report errors
    user_id = UserId(person) if person else None
    try:
        environment = settings.read_environment()
        values, remarks = environment.values, environment.remarks
        if not workspaces_file(values):
            return asyncio.run(run_checks(values, user_id=user_id, remarks=remarks))
        check = workspaces.check_workspaces(values, workspace or None, user_id=user_id, remarks=remarks)
        return asyncio.run(check)
    except settings.SettingsError as fault:
        return from_faults(fault.faults)


__all__ = ["CheckResult", "as_json", "as_text", "check_environment", "from_faults", "passed", "run_checks"]
