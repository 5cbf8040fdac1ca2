"""Back up an SQLite database to a file, and restore a backup.

The bot can run and write during a backup, because a backup is one read transaction.
https://www.sqlite.org/backup.html
"""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from bot.storage import causes
from bot.storage.encryption import SECRET_COLUMNS, Encryptor, tables_with_secrets
from bot.storage.errors import StorageSetupError
from bot.storage.schema import check_facts
from bot.storage.sqlite.file import STATEMENTS, examine, lock, truncate_log

BUSY_SECONDS = 10.0
PART = ".part"
"""The suffix of the file name of an incomplete copy."""


class BackupError(Exception):
    """A backup cannot be made or restored. The text of the exception is a sentence with the reason."""


def back_up(path: Path, target: Path) -> None:
    """Copy the database to a new file with mode 0600.

    - `path`: the path of the database.
    - `target`: the path of the new file.

    Raises BackupError if the database is missing or damaged, or if `target` exists or cannot be written. Raises
    StorageSetupError for any other error of SQLite.
    """
    if not _is_file(path):
        raise BackupError(f"There is no database {path}.")
    if os.path.exists(target):
        raise BackupError(f"There is a file {target} already. Nothing was changed. Give another name.")
    with _copied(path, target, _open_used) as part:
        if not _is_sound(part):
            raise BackupError(f"The database {path} is damaged, and no backup was made. Restore an older backup.")
        part.rename(target)


def check_backup(file: Path, encryptor: Encryptor) -> int:
    """Check that this program can restore a backup. Return the number of secrets that no key of `encryptor` decrypts.

    Raises BackupError if the file is missing or damaged, or if this program cannot restore the file.
    """
    if not _is_file(file):
        raise BackupError(f"There is no file {file}.")
    try:
        with closing(_open_backup(file)) as connection:
            tables = [row[0] for row in connection.execute(STATEMENTS["table_names"])]
            facts = dict(map(tuple, connection.execute(STATEMENTS["facts"]))) if "facts" in tables else {}
            version = check_facts(facts, tables, encryptor)
            if version and not _is_sound(file):
                raise BackupError(f"The file {file} is damaged. Take another backup.")
            unreadable = _unreadable(connection, encryptor, version) if version else 0
    except (OSError, sqlite3.Error, ValueError):
        raise BackupError(f"The file {file} is no backup of this program's database.") from None
    except StorageSetupError as error:
        raise BackupError(f"The file {file} cannot be restored. {_about_backup(error)}") from None
    if not version:
        raise BackupError(f"The file {file} is no backup of this program's database.")
    return unreadable


def _is_file(path: Path) -> bool:
    """Return whether there is a file. Raises BackupError if the user of this command may not read it."""
    try:
        is_there = path.is_file()
        if not is_there or os.access(path, os.R_OK):
            return is_there
    except PermissionError:  # of a folder above it
        pass
    raise BackupError(f"This user may not read the file {path}. Run the command as its owner, or as root.")


def restore(file: Path, path: Path, encryptor: Encryptor, *, replace: bool) -> int:
    """Replace the database with a backup. Return the number of secrets that no key of `encryptor` decrypts.

    - `file`: the path of the backup.
    - `path`: the path of the database.
    - `replace`: whether to replace an existing database.

    Raises BackupError if this program cannot restore the backup, or if the database exists and `replace` is False.
    Raises StorageSetupError if another process uses the database, or if the bot cannot use the file at `path`.
    """
    unreadable = check_backup(file, encryptor)
    try:
        examine(path)
        if path.exists() and path.samefile(file):
            raise BackupError(f"The file {file} is the database itself. Nothing was changed.")
        handle = lock(path)
        try:
            _give_to_owner(path.with_name(path.name + ".lock"), path)
            if path.exists() and not replace:
                raise BackupError(
                    f"There is a database {path} already. Nothing was changed. Add --yes to replace it with the backup."
                )
            _replace(path, file)
        finally:
            os.close(handle)
    except (OSError, sqlite3.Error) as error:
        raise causes.of_file(error, path) from None
    return unreadable


def _replace(path: Path, file: Path) -> None:
    """Replace the database at `path` with a copy of the backup `file`.

    In the copy, change the state of accepted requests to `creating`, so that the bot does not process them again. It
    may have processed them after the backup was made.
    """
    with _copied(file, path, _open_backup) as part:
        with closing(sqlite3.connect(part, isolation_level=None)) as connection:
            connection.execute(STATEMENTS["interrupt_accepted_requests"])
        _give_to_owner(part, path)
        _remove_log(path)
        part.replace(path)
        _sync_directory(path)


def _about_backup(error: StorageSetupError) -> str:
    """Return a sentence that says why a backup cannot be restored. `error`: the error from checking the backup."""
    if error.code == "database_key_mismatch":
        return (
            "STORE_ENCRYPTION_KEY does not fit it: it was written with another key. "
            "Put that key behind yours, separated by a comma."
        )
    return str(error)


@contextmanager
def _copied(source: Path, target: Path, open_source: Callable[[Path], sqlite3.Connection]) -> Iterator[Path]:
    """Copy the database `source` to a temporary file in the folder of `target`. Yield the path of the temporary file.

    Delete the temporary file when the `with` block ends, unless the block has renamed the file.

    `open_source`: opens the database `source`.
    """
    part = target.with_name(target.name + PART)
    try:
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except FileExistsError:
        raise BackupError(f"There is a file {part} from an earlier try. Delete it, and try again.") from None
    except OSError as error:
        raise BackupError(f"The file {part} cannot be written: {error.strerror}.") from None
    try:
        try:
            with closing(open_source(source)) as read, closing(sqlite3.connect(part, isolation_level=None)) as written:
                read.backup(written)
                written.execute("PRAGMA journal_mode = DELETE")  # one file, without a log beside it
        except sqlite3.Error as error:
            if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_FULL:
                raise BackupError(f"The file {part} cannot be written: the disk is full.") from None
            raise causes.of_file(error, source) from None
        yield part
    finally:
        part.unlink(missing_ok=True)


def _open_used(path: Path) -> sqlite3.Connection:
    """Open an existing database that another process may be using. Raises sqlite3.Error if there is no such file."""
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=BUSY_SECONDS)


def _open_backup(path: Path) -> sqlite3.Connection:
    """Open a backup for reading.

    If there is no write-ahead log beside the backup, open the file as immutable, so that SQLite creates no files beside
    it.
    """
    how = "ro" if path.with_name(f"{path.name}-wal").exists() else "ro&immutable=1"
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode={how}", uri=True, timeout=BUSY_SECONDS)
    connection.row_factory = sqlite3.Row
    return connection


def _is_sound(path: Path) -> bool:
    try:
        with closing(_open_backup(path)) as connection:
            return [row[0] for row in connection.execute("PRAGMA integrity_check(1)")] == ["ok"]
    except sqlite3.Error:
        return False


def _unreadable(connection: sqlite3.Connection, encryptor: Encryptor, version: int) -> int:
    """Return the number of secrets in a database that no key of `encryptor` decrypts.

    `version`: the version of the database's tables.
    """
    texts = [
        row[column]
        for table in tables_with_secrets(version)
        for row in connection.execute(STATEMENTS[f"secrets_of_{table}"])
        for column in SECRET_COLUMNS[table]
    ]
    return sum(text is not None and encryptor.decrypt(text) is None for text in texts)


def _give_to_owner(file: Path, path: Path) -> None:
    """Give `file` the owner and the group of the database. Do nothing if the process does not run as root.

    If the database `path` does not exist, use the owner and the group of its directory.
    """
    if os.geteuid() == 0:
        owner = (path if path.exists() else path.absolute().parent).stat()
        os.chown(file, owner.st_uid, owner.st_gid)


def _remove_log(path: Path) -> None:
    """Copy the write-ahead log into the old database at `path` if possible, and delete the log.

    If the log stayed, SQLite would apply it to the restored database.
    """
    if path.exists():
        with suppress(sqlite3.Error), closing(sqlite3.connect(path, isolation_level=None)) as connection:
            truncate_log(connection)
    for end in ("-wal", "-shm"):
        path.with_name(path.name + end).unlink(missing_ok=True)


def _sync_directory(path: Path) -> None:
    handle = os.open(path.absolute().parent, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
