"""Check Slack, Genesys and the database, and mask the secrets in all results."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from bot.check import configuration, database, genesys, person, reachability
from bot.check.configuration import Setup
from bot.check.reachability import Reachability
from bot.check.results import CheckResult, skipped
from bot.check.slack import connection
from bot.config.reader import EXAMPLE
from bot.config.variables import example
from bot.core.models import UserId
from bot.core.timing import GENESYS_TIMING, SLACK_TIMING, GenesysTiming, SlackTiming
from bot.observability.logging import Redactor
from bot.slack.api.identity import BotIdentity

SETTINGS_INVALID = "the settings have errors"


async def check_services(
    parts: Setup,
    user_id: UserId | None,
    genesys_timing: GenesysTiming = GENESYS_TIMING,
    slack_timing: SlackTiming = SLACK_TIMING,
    *,
    with_database: bool = True,
) -> list[CheckResult]:
    """Check Slack, Genesys and the database. Return the results about the settings, then the results of these checks.

    Mask the secrets in all results.

    - `parts`: the settings, and the results about the settings.
    - `user_id`: a Slack user whose access is also checked; None to check nobody.
    - `with_database`: whether to check the database.
    """
    of_slack, of_genesys, of_database = await asyncio.gather(
        _slack(parts, slack_timing), _genesys(parts, genesys_timing), _database(parts, is_needed=with_database)
    )
    clock = reachability.clock([of_slack[1], *of_genesys[1]])
    found = [clock, *of_genesys[0], *of_slack[0], *of_database]
    if user_id:
        found.extend(await _person(parts, of_slack[2], user_id, genesys_timing, slack_timing))
    secrets = (
        parts.settings.logging.secrets if parts.settings else parts.service.logging.secrets if parts.service else ()
    )
    return [*redacted_settings(parts.results, secrets), *redacted(found, secrets)]


def redacted_settings(results: Sequence[CheckResult], secrets: Sequence[str]) -> list[CheckResult]:
    """Return results about settings, with the secrets in them masked.

    Mask the texts in `secrets`, and every text that looks like a secret. Keep the paths of URLs. If a `fix` ends with
    an example, such as "Example: PORT=3000", keep the example.
    """
    keep_paths = partial(Redactor(secrets), keeps_paths=True)
    return [_redacted(each, keep_paths, partial(_redact_fix, keep_paths)) for each in results]


def redacted(results: Sequence[CheckResult], secrets: Sequence[str]) -> list[CheckResult]:
    """Return results about Slack, Genesys or the database, with the secrets in them masked.

    Mask the texts in `secrets`, and every text that looks like a secret. In a `message`, also mask the paths of URLs.
    """
    redact = Redactor(secrets)
    return [_redacted(each, redact, partial(redact, keeps_paths=True)) for each in results]


def _redact_fix(redact: Callable[[str], str], fix: str) -> str:
    """Return `fix` with its secrets masked by `redact`. If `fix` ends with an example of a setting, keep the example.

    The example contains no secret, but a part of it can look like one.
    """
    rest, mark, line = f" {fix}".rpartition(EXAMPLE)
    name = line.partition("=")[0]
    return f"{redact(rest)}{mark}{line}".strip() if mark and line == example(name) else redact(fix)


def _redacted(found: CheckResult, message: Callable[[str], str], fix: Callable[[str], str]) -> CheckResult:
    return replace(found, message=message(found.message), fix=fix(found.fix))


def from_faults(faults: Sequence[str]) -> list[CheckResult]:
    """Return one failed result for each fault of the settings, and one skipped result for all other checks."""
    return [*map(configuration.from_fault, faults), skipped("everything else", SETTINGS_INVALID)]


async def _slack(parts: Setup, timing: SlackTiming) -> tuple[list[CheckResult], Reachability, BotIdentity | None]:
    if parts.slack is None:
        return [skipped("slack token", SETTINGS_INVALID)], Reachability(""), None
    return await connection.check_slack(parts.slack, parts.settings, parts.database, parts.features, timing)


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


async def _database(parts: Setup, *, is_needed: bool) -> list[CheckResult]:
    if not is_needed:
        return []
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
