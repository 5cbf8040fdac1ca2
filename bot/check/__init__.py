"""`cobrowse-bot check`: what is right, what is wrong, and how to mend it, before the first start or after a change.

It asks and looks, and creates nothing: no session, no message, no table, no file.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from bot.check import configuration, database, genesys, person, reachability, slack
from bot.check.configuration import Setup
from bot.check.reachability import Reached
from bot.check.results import Finding, as_json, as_text, is_well, left_out
from bot.core.models import UserId
from bot.core.timing import GENESYS_TIMING, GenesysTiming
from bot.observability.logging import Redactor
from bot.slack.api.identity import BotIdentity

FAULTY = "the settings need mending first"


async def look(
    environ: Mapping[str, str],
    *,
    user_id: UserId | None = None,
    env_file: str = ".env",
    remarks: Sequence[str] = (),
    genesys_timing: GenesysTiming = GENESYS_TIMING,
) -> list[Finding]:
    """Everything, in the order in which it is best mended. `user_id`: a person to try the rules on.

    `remarks`: a sentence for each thing in the .env file that is not read.
    """
    parts = configuration.read(environ, Path(env_file), remarks)
    about_slack, about_genesys, about_database = await asyncio.gather(
        _slack(parts), _genesys(parts, genesys_timing), _database(parts)
    )
    clock = reachability.clock([about_slack[1], *about_genesys[1]])
    found = [clock, *about_genesys[0], *about_slack[0], *about_database]
    if user_id:
        found.extend(await _person(parts, about_slack[2], user_id, genesys_timing))
    secrets = parts.whole.logging.secrets if parts.whole else parts.service.logging.secrets if parts.service else ()
    redact = Redactor(secrets)
    of_settings = [_redacted(each, partial(redact, keeps_paths=True)) for each in parts.findings]
    return [*of_settings, *(_redacted(each, redact) for each in found)]


def _redacted(found: Finding, redact: Callable[[str], str]) -> Finding:
    return replace(found, what=redact(found.what), mend=redact(found.mend))


def of_faults(faults: Sequence[str]) -> list[Finding]:
    """Return the findings where nothing but these faults could be looked at."""
    return [*map(configuration.finding, faults), left_out("everything else", FAULTY)]


async def _slack(parts: Setup) -> tuple[list[Finding], Reached, BotIdentity | None]:
    if parts.slack is None:
        return [left_out("slack token", FAULTY)], Reached(""), None
    return await slack.look(parts.slack, parts.whole, parts.database)


async def _genesys(parts: Setup, timing: GenesysTiming) -> tuple[list[Finding], list[Reached]]:
    if parts.service is None:
        return [left_out("token", FAULTY)], []
    match_email = parts.whole is None or parts.whole.match_email
    return await genesys.look(
        parts.service,
        match_email=match_email,
        sending=parts.whole.sending if parts.whole else None,
        timing=timing,
    )


async def _database(parts: Setup) -> list[Finding]:
    return await database.look(parts.database) if parts.database else [left_out("database", FAULTY)]


async def _person(parts: Setup, identity: BotIdentity | None, user_id: UserId, timing: GenesysTiming) -> list[Finding]:
    if parts.whole is None:
        return [left_out("person", FAULTY)]
    if identity is None:
        return [left_out("person", "Slack could not be asked; see the lines about it")]
    return await person.look(parts.whole, identity, user_id, timing)


__all__ = ["Finding", "as_json", "as_text", "is_well", "look", "of_faults"]
