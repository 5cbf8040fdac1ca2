"""Define `cobrowse-bot db`: show, upgrade, back up and restore the database, and rotate the encryption key."""

import json
import os
import shlex
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from bot.cli import terminal
from bot.cli.terminal import examples

if TYPE_CHECKING:
    from bot.config.settings import DatabaseSettings
    from bot.storage.encryption import Encryptor
    from bot.storage.inspect import StorageReport
    from bot.storage.repositories.secrets import KeyRotation, SecretCounts

NO_KEY = "STORE_ENCRYPTION_KEY is not set, so nothing is encrypted. Make a key: cobrowse-bot keygen encryption."
KEEP_KEY = "Keep STORE_ENCRYPTION_KEY apart from it: without the key, its links and sign-ins are lost."
NO_KEY_IN_BACKUP = "STORE_ENCRYPTION_KEY is not set, so who has the file can read the links in it."
OTHER_KEYS = (
    "{count} of the bots that use this database {do} not encrypt with the newest key. "
    "Start {them} again with the same STORE_ENCRYPTION_KEY as here, then run this again."
)
DUMP = 'umask 077\npg_dump --format=custom --no-owner --file={file} --dbname="${{DATABASE_URL:?}}"'
LOAD = 'pg_restore --clean --if-exists --no-owner --single-transaction --dbname="${{DATABASE_URL:?}}" {file}'
FROM_ENV_FILE = "sed -n 's/^DATABASE_URL=//p' {} | tr -d \\'\\\""
INTERRUPT = (
    """psql --dbname="${DATABASE_URL:?}" --command="UPDATE requests SET state = 'creating' WHERE state = 'accepted'\""""
)
"""The shell command that an operator runs after a restore in Postgres. It marks the accepted requests in the database.

The bot may have processed such a request after the backup was made. It reports a marked request as interrupted, and
does not process it again. For an SQLite file, `cobrowse-bot db restore` marks the requests."""


@click.group(epilog=examples("cobrowse-bot db status", "cobrowse-bot db backup /var/backups/cobrowse"))
def db() -> None:
    """Manage the database: its schema, backups and encryption key."""


@db.command(epilog=examples("cobrowse-bot db status", "cobrowse-bot db status --json"))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def status(as_json: bool) -> None:
    """Show the schema and the encryption of the database, and the steps to take. Changes nothing."""
    from bot.cli.database import with_database
    from bot.storage.inspect import inspect_storage
    from bot.storage.schema import VERSION

    async def looked(database: "DatabaseSettings") -> "tuple[StorageReport, SecretCounts, bool]":
        async with inspect_storage(database.url, database.keys) as report:
            return report, await report.secrets(), bool(database.keys)

    report, secrets, has_key = with_database(looked)
    steps = _steps(report, secrets, has_key)
    if as_json:
        counts = {"newest_key": secrets.newest, "older_key": secrets.older, "unreadable": secrets.unreadable}
        found: dict[str, Any] = {"database": report.where, "schema": report.version, "program": VERSION}
        found |= {"encrypted": report.is_encrypted, "secrets": counts, "needed": list(steps)}
        click.echo(terminal.json_for_stdout(json.dumps(found, ensure_ascii=False, indent=2)))
        return
    click.echo(f"Database: {report.where}")
    can_use = ", and can use the newer one" if report.is_newer else ""
    click.echo(f"Schema: {report.version or 'none yet'}; this program has {VERSION}{can_use}")
    click.echo(f"Secrets: {_about_secrets(report, secrets)}")
    click.echo(f"Needed: {' '.join(steps.values()) or 'nothing.'}")


def _steps(report: "StorageReport", secrets: "SecretCounts", has_key: bool) -> dict[str, str]:
    """Return the steps that the operator has to take.

    The keys are the names of the steps, such as "rotate-key". The values are sentences on what to do.

    - `report`: says whether the schema is current, and whether the stored secrets are encrypted.
    - `secrets`: how many encrypted values there are, by the key that decrypts them.
    - `has_key`: whether an encryption key is set.
    """
    waits_for_key = bool(report.version and has_key and not report.is_encrypted)
    steps = {}
    if not report.is_current or waits_for_key:
        steps["upgrade"] = "Run `cobrowse-bot db upgrade`, or start the bot, which does the same."
    if waits_for_key:
        steps["encrypt"] = "The secrets are not encrypted yet: the same step encrypts them."
    elif secrets.older:
        steps["rotate-key"] = "Run `cobrowse-bot db rotate-key`, then take the older keys away."
    return steps


def _about_secrets(report: "StorageReport", secrets: "SecretCounts") -> str:
    if not report.version:
        return "none yet"
    if not report.is_encrypted:
        return "not encrypted"
    counts = ((secrets.newest, "with the newest key"), (secrets.older, "with an older key"))
    parts = [f"{count} encrypted {how}" for count, how in counts if count]
    if secrets.unreadable:
        parts.append(f"{secrets.unreadable} that no key decrypts")
    return ", ".join(parts) or "none stored; the database is encrypted"


@db.command(epilog=examples("cobrowse-bot db upgrade", "DATABASE_URL=sqlite:///copy.db cobrowse-bot db upgrade"))
def upgrade() -> None:
    """Upgrade the database to this program's schema.

    Also encrypts the secrets if STORE_ENCRYPTION_KEY is set. The bot does the same when it starts. `db status` of an
    older program says whether that program can use the upgraded database.
    """
    from bot.cli.database import open_database, with_database
    from bot.storage.inspect import inspect_storage
    from bot.storage.schema import VERSION

    async def upgraded(database: "DatabaseSettings") -> tuple[int, bool]:
        async with inspect_storage(database.url, database.keys) as report:
            is_done = report.is_current and (report.is_encrypted or not database.keys)
        if not is_done:
            async with open_database(database, exclusive=True):
                pass
        return (max(VERSION, report.version or 0), True) if is_done else (report.version or 0, False)

    before, is_done = with_database(upgraded)
    if is_done and before > VERSION:
        click.echo(f"Nothing to do: the database has schema {before}. This program has {VERSION}, and can use it.")
    elif is_done:
        click.echo(f"Nothing to do: the database has schema {VERSION}, like this program.")
    elif before == VERSION:
        click.echo("The secrets in the database are encrypted now.")
    else:
        click.echo(f"The database has schema {VERSION} now" + (f"; it had {before}." if before else "."))


@db.command(epilog=examples("cobrowse-bot db backup monday.db", "cobrowse-bot db backup /var/backups/cobrowse"))
@click.argument("path", metavar="FILE")
def backup(path: str) -> None:
    """Copy the database to a new file, even while the bot runs.

    If the path is a folder, the name of the file is the time of the backup. The backup does not contain the encryption
    key. For Postgres, print the commands for the backup, and exit with 1.
    """
    from bot.core.errors import SetupError
    from bot.storage.sqlite import backup as files

    told = "The database is Postgres, whose own program makes the backup. Run:"
    file, encryptor = _file(told, DUMP.format(file=shlex.quote(path)))
    target = Path(path).expanduser()
    if os.path.isdir(target):
        target /= f"cobrowse-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.db"
    try:
        files.back_up(file, target)
        click.echo(f"The backup is {target}, which only you can read.")
        files.check_backup(target, encryptor)
    except files.BackupError as error:
        _fail(str(error))
    except SetupError as error:
        _fail(error.line)
    click.echo(KEEP_KEY if encryptor.has_key else NO_KEY_IN_BACKUP, err=True)


@db.command(
    epilog=examples("cobrowse-bot db restore monday.db", "cobrowse-bot db restore /var/backups/cobrowse.db --yes")
)
@click.argument("path", metavar="FILE")
@click.option("--yes", is_flag=True, help="Replace the database that there is.")
def restore(path: str, yes: bool) -> None:
    """Check a backup and the encryption key, then replace the database with the backup. Stop the bot first.

    For Postgres, print the commands that restore a backup, and exit with 1.
    """
    from bot.core.errors import SetupError
    from bot.storage.sqlite import backup as files

    told = "The database is Postgres, whose own programs restore the backup. Stop every bot, then run:"
    file, encryptor = _file(told, f"{LOAD.format(file=shlex.quote(path))}\n{INTERRUPT}")
    try:
        unreadable = files.restore(Path(path).expanduser(), file, encryptor, replace=yes)
    except files.BackupError as error:
        _fail(str(error))
    except SetupError as error:
        _fail(error.line)
    click.echo(f"The database {file} is the backup now. Start the bot.")
    if unreadable:
        click.echo(f"No key of STORE_ENCRYPTION_KEY decrypts {unreadable} of its secrets. They are lost.", err=True)


@db.command(
    "rotate-key",
    epilog=examples("cobrowse-bot db rotate-key", "STORE_ENCRYPTION_KEY_FILE=keys.txt cobrowse-bot db rotate-key"),
)
def rotate_key() -> None:
    """Encrypt all stored secrets with the newest key, the first of STORE_ENCRYPTION_KEY.

    With SQLite, stop the bot first. With Postgres, bots can keep running if all of them have the same newest key. If
    this command is interrupted, run it again.
    """
    from bot.cli.database import know_everything, open_database, with_database

    async def rotated(database: "DatabaseSettings") -> "tuple[int, KeyRotation | None]":
        if not database.keys:
            return 0, None
        await know_everything(database)
        async with open_database(database, exclusive=True) as store:
            if count := await store.replicas_with_other_key():
                return count, None
            rotation = await store.secrets.rotate()
            return await store.replicas_with_other_key(), rotation

    others, rotation = with_database(rotated)
    if rotation:
        click.echo(f"Encrypted with the newest key: {rotation.changed} secrets, now {rotation.left.newest} in all.")
        if rotation.left.unreadable:
            click.echo(f"No key decrypts {rotation.left.unreadable} secrets, which stay as they are.", err=True)
    if others:
        is_one = others == 1
        _fail(OTHER_KEYS.format(count=others, do="does" if is_one else "do", them="it" if is_one else "them"))
    if not rotation:
        _fail(NO_KEY)
    if rotation.left.older:
        _fail(f"A bot used {rotation.left.older} secrets meanwhile. Run this again.")
    click.echo("Take the older keys out of STORE_ENCRYPTION_KEY, and start the bot again.")


def _file(sentence: str, commands: str) -> "tuple[Path, Encryptor]":
    """Return the path of the SQLite database, and an Encryptor with the configured keys.

    For Postgres, print `sentence` to standard error. Print `commands` to standard output, after the command that gives
    the shell the address of the database. Exit with 1. For the database `memory:`, or if the settings have faults,
    print the reason and exit with 1.
    """
    from bot.cli.database import with_database
    from bot.storage.encryption import Encryptor
    from bot.storage.errors import refused
    from bot.storage.open import MEMORY, POSTGRES, SQLITE

    async def given(database: "DatabaseSettings") -> "DatabaseSettings":
        if database.url.startswith(MEMORY):
            raise refused("database_memory")
        return database

    database = with_database(given)
    if database.url.startswith(POSTGRES):
        click.echo(sentence, err=True)
        click.echo(_export_address() + commands)
        sys.exit(1)
    return Path(database.url.removeprefix(SQLITE)), Encryptor(database.keys)


def _export_address() -> str:
    """Return a line of shell that sets DATABASE_URL as the bot reads it; "" if the environment has the value already.

    The line does not contain the value, because it may hold a password.
    """
    from bot.config import environment, settings
    from bot.core.validation.text import unquoted

    values, in_file = settings.environment(), environment.read(environment.ENV_FILE, {}).values
    url, path = values.get("DATABASE_URL"), unquoted(values.get("DATABASE_URL_FILE", ""))
    if url and url != in_file.get("DATABASE_URL"):
        return ""
    source = FROM_ENV_FILE.format(environment.ENV_FILE) if url else f"cat {shlex.quote(os.path.expanduser(path))}"
    return f'export DATABASE_URL="$({source})"\n'


def _fail(sentence: str) -> NoReturn:
    click.echo(sentence, err=True)
    sys.exit(1)
