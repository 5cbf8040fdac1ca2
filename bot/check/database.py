"""The database: reachable, of which version, encrypted or not. Looks only: what is not there is not made."""

from bot.check.results import Finding, doubt, refusal, right
from bot.config.settings import DatabaseSettings
from bot.core.timing import StorageTiming
from bot.storage.errors import StorageSetupError
from bot.storage.inspect import StorageReport, inspect_storage
from bot.storage.open import DEFAULT_TIMING, MEMORY

KEY = "Make a key as the README says, and set STORE_ENCRYPTION_KEY."


async def look(database: DatabaseSettings, timing: StorageTiming = DEFAULT_TIMING) -> list[Finding]:
    """The lines about it."""
    if database.url.startswith(MEMORY):
        mend = "Set DATABASE_URL to a file or to Postgres, or a restart forgets what was accepted."
        return [doubt("database", "memory: remembers nothing.", mend)]
    try:
        async with inspect_storage(database.url, database.keys, timing) as seen:
            return [_version(seen), _sealing(seen, bool(database.keys)), *_sharing(seen), *_left_out(seen)]
    except StorageSetupError as refused:
        return [refusal("database", refused)]


def _sharing(seen: StorageReport) -> list[Finding]:
    if not seen.shared_mode:
        return []
    what = f"{seen.where} belongs to another user, and its mode is {seen.shared_mode}: others may read the links in it."
    return [doubt("file mode", what, "As its owner, run chmod 600, or give the file to the bot's user.")]


def _left_out(seen: StorageReport) -> list[Finding]:
    if not seen.left_out:
        return []
    names = ", ".join(seen.left_out)
    return [doubt("parameters", f"the bot leaves out of DATABASE_URL: {names}.", "Remove what it does not need.")]


def _version(seen: StorageReport) -> Finding:
    if seen.version is None:
        return right("database", f"{seen.where}: nothing is there yet; `run` will make it")
    if not seen.is_current:
        mend = "The next `run` brings it up to date; an older program cannot use it afterwards."
        return doubt("database", f"{seen.where}: its schema, {seen.version}, is older than this program's.", mend)
    return right("database", f"{seen.where}: schema {seen.version}, as this program knows it")


def _sealing(seen: StorageReport, has_keys: bool) -> Finding:
    if has_keys and seen.version and not seen.is_encrypted:
        mend = "The next `run` encrypts them, and takes nothing that is not encrypted after that."
        return doubt("encryption", "a key is set, but the links in the database are not encrypted yet.", mend)
    if has_keys:
        return right("encryption", "links are encrypted at rest, and our key opens them")
    return doubt("encryption", "join links stand in the database as they are, until their session is over.", KEY)
