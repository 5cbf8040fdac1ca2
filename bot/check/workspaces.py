"""Check the file of workspaces, the parts that all workspaces share, and each workspace."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from bot.check import configuration, ports
from bot.check.database import check_database
from bot.check.files import open_files
from bot.check.results import CheckResult, ok
from bot.check.services import check_services, from_faults, redacted, redacted_settings
from bot.config import settings
from bot.config.environment import ENV_FILE
from bot.config.settings import ProcessSettings
from bot.config.workspaces.file import WorkspacesFile, open_file, without_settings_of_workspaces
from bot.config.workspaces.load import read_workspaces
from bot.core.models import UserId
from bot.core.timing import GENESYS_TIMING, SLACK_TIMING, GenesysTiming, SlackTiming
from bot.core.validation.text import unquoted

CONFIG_TOKEN = "SLACK_CONFIG_TOKEN"  # noqa: S105 - a variable
ONCE = ("files", "secrets")
"""The areas of results about files and folders. If several tables name the same file, its result appears only once."""


async def check_workspaces(
    environ: Mapping[str, str],
    only: str | None = None,
    *,
    user_id: UserId | None = None,
    env_file: str = ENV_FILE,
    remarks: Sequence[str] = (),
    genesys_timing: GenesysTiming = GENESYS_TIMING,
    slack_timing: SlackTiming = SLACK_TIMING,
) -> list[CheckResult]:
    """Check the parts that all workspaces share, and then each workspace. Return the results.

    If the shared settings or the file of workspaces cannot be read, return only the results about their faults.

    - `environ`: the settings, by name.
    - `only`: the short name of the only workspace to check; None to check all workspaces and the shared parts.
    - `user_id`: a Slack user whose access is also checked, in each workspace; None to check nobody.
    - `env_file`: the path of .env.
    - `remarks`: one text for each part of .env that the bot ignores. Each text has a sentence with the problem, and
      then a sentence with the fix.
    """
    environ, config_token = _without_config_token(environ) if only else (environ, "")
    faults: dict[str, None] = {}
    process = configuration.try_load(partial(settings.load_part, settings.read_process, environ), faults)
    file = configuration.try_load(partial(open_file, environ), faults)
    if process is None or file is None:
        return from_faults(list(faults))
    results = [] if only else await _shared(process, file, Path(env_file), remarks)
    for name, workspace in read_workspaces(process).items():
        if only in (None, name):
            parts = configuration.read_table(workspace, file)
            if parts.slack and config_token:
                parts = replace(parts, slack=replace(parts.slack, config_token=config_token))
            found = await check_services(parts, user_id, genesys_timing, slack_timing, with_database=False)
            results += [replace(each, workspace=name) for each in found]
    return list(_without_repetitions(results))


def _without_config_token(environ: Mapping[str, str]) -> tuple[Mapping[str, str], str]:
    """Return `environ` without SLACK_CONFIG_TOKEN, and the removed value; "" if SLACK_CONFIG_TOKEN is not set."""
    token = unquoted(environ.get(CONFIG_TOKEN, ""))
    return {name: value for name, value in environ.items() if name != CONFIG_TOKEN}, token


async def _shared(
    process: ProcessSettings, file: WorkspacesFile, env_file: Path, remarks: Sequence[str]
) -> list[CheckResult]:
    """Check the parts that all workspaces share, and return the results.

    The parts are the environment, the file of workspaces, the ports, the audit log and the database.
    """
    names = list(file.tables)
    tables = f"{file.path} has {len(names)} workspace{'s' * (len(names) > 1)}: {', '.join(names)}"
    environ = without_settings_of_workspaces(file.environ)
    of_settings = [
        *configuration.count_settings(environ, {}),
        ok("settings", tables),
        *configuration.check_environment(environ, remarks, file.named_variables),
        *open_files(environ, env_file),
        *ports.check_ports(process, over_http=True),
        configuration.check_audit_log(process.audit_log),
    ]
    secrets = process.logging.secrets
    return [*redacted_settings(of_settings, secrets), *redacted(await check_database(process.database), secrets)]


def _without_repetitions(results: Sequence[CheckResult]) -> Iterator[CheckResult]:
    """Yield the results. Of the results in an area of ONCE with the same name and message, yield only the first one."""
    seen = set()
    for each in results:
        what = each.name, each.message
        if each.name not in ONCE or what not in seen:
            yield each
        seen.add(what)
