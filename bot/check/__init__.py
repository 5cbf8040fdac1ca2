"""Run the checks of `cobrowse-bot check`: settings, Slack, Genesys and database. Say how to fix each problem.

The checks only read. They create no session, message, table or file.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from bot.check import configuration, database, genesys, person, reachability, slack
from bot.check.configuration import Setup
from bot.check.reachability import Reachability
from bot.check.results import CheckResult, as_json, as_text, passed, skipped
from bot.config import settings
from bot.config.reader import EXAMPLE
from bot.config.variables import example
from bot.core.models import UserId
from bot.core.timing import GENESYS_TIMING, SLACK_TIMING, GenesysTiming, SlackTiming
from bot.observability import logging as logs
from bot.observability.logging import Redactor
from bot.slack.api.identity import BotIdentity

SETTINGS_INVALID = "the settings have errors"


async def run_checks(
    environ: Mapping[str, str],
    *,
    user_id: UserId | None = None,
    env_file: str = ".env",
    remarks: Sequence[str] = (),
    genesys_timing: GenesysTiming = GENESYS_TIMING,
    slack_timing: SlackTiming = SLACK_TIMING,
) -> list[CheckResult]:
    """Run all checks and return the results, in the order in which to fix the problems.

    `environ`: the settings. `user_id`: the Slack user whose access is also checked, None for nobody. `remarks`: one
    sentence for each part of .env that is ignored.
    """
    parts = configuration.read_setup(environ, Path(env_file), remarks)
    of_slack, of_genesys, of_database = await asyncio.gather(
        _slack(parts, slack_timing), _genesys(parts, genesys_timing), _database(parts)
    )
    clock = reachability.clock([of_slack[1], *of_genesys[1]])
    found = [clock, *of_genesys[0], *of_slack[0], *of_database]
    if user_id:
        found.extend(await _person(parts, of_slack[2], user_id, genesys_timing, slack_timing))
    secrets = (
        parts.settings.logging.secrets if parts.settings else parts.service.logging.secrets if parts.service else ()
    )
    redact = Redactor(secrets)
    keep_paths = partial(redact, keeps_paths=True)
    of_settings = [_redacted(each, keep_paths, partial(_redact_fix, keep_paths)) for each in parts.results]
    return [*of_settings, *(_redacted(each, redact, keep_paths) for each in found)]


def _redact_fix(redact: Callable[[str], str], fix: str) -> str:
    """Return the fix with its secrets masked by `redact`, except for the example of a setting at its end.

    The example comes from VARIABLES. It is not a secret, but it may look like one, and `redact` would then mask it.
    """
    rest, mark, line = f" {fix}".rpartition(EXAMPLE)
    name = line.partition("=")[0]
    return f"{redact(rest)}{mark}{line}".strip() if mark and line == example(name) else redact(fix)


def check_environment(person: str | None = None) -> list[CheckResult]:
    """Run all checks with the settings in the process's environment and in .env.

    `person`: the id of the Slack user whose access is also checked, None for nobody.
    """
    logs.set_up("CRITICAL", as_json=False)  # the results report errors
    try:
        environment = settings.read_environment()
        user_id = UserId(person) if person else None
        return asyncio.run(run_checks(environment.values, user_id=user_id, remarks=environment.remarks))
    except settings.SettingsError as fault:
        return from_faults(fault.faults)


def _redacted(found: CheckResult, message: Callable[[str], str], fix: Callable[[str], str]) -> CheckResult:
    return replace(found, message=message(found.message), fix=fix(found.fix))


def from_faults(faults: Sequence[str]) -> list[CheckResult]:
    """Return the results if the settings could not be read at all: one for each fault.

    One more result says that all other checks did not run.
    """
    return [*map(configuration.from_fault, faults), skipped("everything else", SETTINGS_INVALID)]


async def _slack(parts: Setup, timing: SlackTiming) -> tuple[list[CheckResult], Reachability, BotIdentity | None]:
    if parts.slack is None:
        return [skipped("slack token", SETTINGS_INVALID)], Reachability(""), None
    return await slack.check_slack(parts.slack, parts.settings, parts.database, parts.features, timing)


async def _genesys(parts: Setup, timing: GenesysTiming) -> tuple[list[CheckResult], list[Reachability]]:
    if parts.service is None:
        return [skipped("token", SETTINGS_INVALID)], []
    match_email = parts.settings is None or parts.settings.match_email
    return await genesys.check_genesys(
        parts.service,
        match_email=match_email,
        sending=parts.settings.sending if parts.settings else None,
        timing=timing,
    )


async def _database(parts: Setup) -> list[CheckResult]:
    return await database.check_database(parts.database) if parts.database else [skipped("database", SETTINGS_INVALID)]


async def _person(
    parts: Setup,
    identity: BotIdentity | None,
    user_id: UserId,
    timing: GenesysTiming,
    slack_timing: SlackTiming,
) -> list[CheckResult]:
    if parts.settings is None:
        return [skipped("person", SETTINGS_INVALID)]
    if identity is None:
        return [skipped("person", "Slack could not be asked; see the lines about it")]
    return await person.check_person(parts.settings, identity, user_id, timing, slack_timing)


__all__ = ["CheckResult", "as_json", "as_text", "check_environment", "from_faults", "passed", "run_checks"]
