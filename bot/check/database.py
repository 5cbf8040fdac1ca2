"""Check the database: whether the bot can reach it, the version of its tables, and its encryption.

The check creates nothing.
"""

from bot.check.results import MAKE_KEY, CheckResult, ok, setup_failed, warning
from bot.config.settings import DatabaseSettings
from bot.core.timing import StorageTiming
from bot.storage.errors import StorageSetupError
from bot.storage.inspect import StorageReport, inspect_storage
from bot.storage.open import DEFAULT_TIMING, MEMORY


async def check_database(database: DatabaseSettings, timing: StorageTiming = DEFAULT_TIMING) -> list[CheckResult]:
    """Check the database, and return the results.

    - Can the bot reach the database?
    - Is the version of the tables current?
    - Are join links encrypted?
    - Can other users of the machine read the database file?
    - Which parameters in DATABASE_URL does the bot ignore?
    """
    if database.url.startswith(MEMORY):
        fix = "Set DATABASE_URL to a file or to Postgres, or a restart forgets what was accepted."
        return [warning("database", "memory: remembers nothing.", fix)]
    try:
        async with inspect_storage(database.url, database.keys, timing) as report:
            return [
                _version(report),
                _encryption(report, bool(database.keys)),
                *_file_mode(report),
                *_ignored_parameters(report),
            ]
    except StorageSetupError as refused:
        return [setup_failed("database", refused)]


def _file_mode(report: StorageReport) -> list[CheckResult]:
    if not report.shared_mode:
        return []
    where, mode = report.where, report.shared_mode
    message = f"{where} belongs to another user, and its mode is {mode}: others may read the links in it."
    return [warning("file mode", message, "As its owner, run chmod 600, or give the file to the bot's user.")]


def _ignored_parameters(report: StorageReport) -> list[CheckResult]:
    if not report.left_out:
        return []
    names = ", ".join(report.left_out)
    return [warning("parameters", f"the bot leaves out of DATABASE_URL: {names}.", "Remove what it does not need.")]


def _version(report: StorageReport) -> CheckResult:
    if report.version is None:
        return ok("database", f"{report.where}: nothing is there yet; `run` will make it")
    if not report.is_current:
        fix = "The next `run` brings it up to date. Back up first, and read docs/run/upgrade.md."
        return warning("database", f"{report.where}: its schema, {report.version}, is older than this program's.", fix)
    if report.is_newer:
        return ok("database", f"{report.where}: schema {report.version}, of a newer program. This one can use it, too")
    return ok("database", f"{report.where}: schema {report.version}, as this program knows it")


def _encryption(report: StorageReport, has_keys: bool) -> CheckResult:
    if has_keys and report.version and not report.is_encrypted:
        fix = "The next `run` encrypts them, and takes nothing that is not encrypted after that."
        return warning("encryption", "a key is set, but the links in the database are not encrypted yet.", fix)
    if has_keys:
        return ok("encryption", "links are encrypted at rest, and our key opens them")
    return warning("encryption", "join links stand in the database as they are, until their session is over.", MAKE_KEY)
