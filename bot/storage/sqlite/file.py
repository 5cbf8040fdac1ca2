"""Open an SQLite database: check, lock and protect the file, and create or migrate the tables."""

import fcntl
import logging
import os
import sqlite3
import stat
from pathlib import Path

from bot.storage import causes
from bot.storage.encryption import CHECK, SECRET_COLUMNS, Encryptor
from bot.storage.errors import refused
from bot.storage.schema import check_facts, facts_at_start, scripts_from
from bot.storage.statements import load_statements

log = logging.getLogger(__name__)

STATEMENTS = load_statements("sqlite")
MIN_FREE_BYTES = 256 * 1024
"""The free disk space that the bot needs to start. SQLite uses roughly this space before the bot accepts a request."""
MODE_OF_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def open_file(path: Path, encryptor: Encryptor, *, exclusive: bool, busy_seconds: float) -> tuple[int | None, int]:
    """Check and lock the database file, and create or migrate the tables.

    Return the file descriptor of the lock, and a new owner number.

    - `exclusive`: whether to lock the file. If False, the returned file descriptor is None.
    - `busy_seconds`: how long a statement waits for the writes of other processes.

    Raises StorageSetupError if the bot cannot use the file.
    """
    handle = None
    try:
        examine(path, exclusive=exclusive)
        make_private(path)
        handle = lock(path) if exclusive else None
        return handle, prepare(path, encryptor, busy_seconds)
    except BaseException as error:
        if handle is not None:
            os.close(handle)
        if isinstance(error, (OSError, sqlite3.Error, ValueError)):
            raise causes.of_file(error, path) from None
        raise


def examine(path: Path, *, exclusive: bool = True) -> None:
    """Check whether the bot can use the database file, without changing anything.

    `exclusive`: whether to check the lock file too. Raises StorageSetupError, or OSError from the file system, if the
    bot cannot use the file.
    """
    directory = path.absolute().parent
    if not directory.is_dir():
        raise refused("database_directory_missing", path=path, directory=directory)
    if os.statvfs(directory).f_flag & os.ST_RDONLY:
        raise refused("database_file_system_read_only", path=path)
    if path.exists() and not path.is_file():
        raise refused("database_path_not_a_file", path=path)
    files = [path, *(path.with_name(path.name + end) for end in ("-wal", "-shm", *((".lock",) if exclusive else ())))]
    there = [each for each in files if each.exists()]
    for each in there:
        if not os.access(each, os.R_OK | os.W_OK):
            raise refused("database_file_denied", path=each)
    if len(there) < len(files) and not os.access(directory, os.W_OK | os.X_OK):
        raise refused("database_directory_denied", path=path, directory=directory)
    _check_free_space(path)


def _check_free_space(path: Path) -> None:
    """Raise StorageSetupError if the disk has less than MIN_FREE_BYTES of free space.

    Write MIN_FREE_BYTES to an unnamed temporary file (O_TMPFILE) as a test. Do nothing if the system cannot create such
    a file.
    """
    try:
        handle = os.open(path.absolute().parent, os.O_TMPFILE | os.O_RDWR, 0o600)
    except (AttributeError, OSError):
        return
    try:
        left = MIN_FREE_BYTES
        while left:
            left -= os.write(handle, bytes(left))
    except OSError as error:
        raise causes.of_file(error, path) from None
    finally:
        os.close(handle)


def connect(path: Path, busy_seconds: float) -> sqlite3.Connection:
    """Open a connection in autocommit mode. Any thread can use the connection.

    `busy_seconds`: how long a statement waits for the writes of other connections.
    """
    connection = sqlite3.connect(path, timeout=busy_seconds, isolation_level=None, check_same_thread=False)
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA secure_delete = ON")  # overwrite wiped values, whatever the build's default is
    return connection


def truncate_log(connection: sqlite3.Connection) -> bool:
    """Copy the write-ahead log into the database file, and empty the log. Return whether the log is empty now.

    Return False if another connection uses the log. `connection` must be outside a transaction.
    https://www.sqlite.org/pragma.html#pragma_wal_checkpoint
    """
    (busy_milliseconds,) = connection.execute("PRAGMA busy_timeout").fetchone()
    connection.execute("PRAGMA busy_timeout = 0")
    try:
        return bool(connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0)
    finally:
        connection.execute(f"PRAGMA busy_timeout = {busy_milliseconds}")


def make_private(path: Path) -> None:
    """Create the file if the file is missing, and set the mode of the file to 0600.

    Raises OSError if the file cannot be opened. Log a warning if the mode cannot be set and other users can open the
    file.
    """
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    try:
        path.chmod(0o600)
    except OSError:  # another user owns the file, or the file system has no modes; the bot can use it
        if (mode := stat.S_IMODE(path.stat().st_mode)) & MODE_OF_OTHERS:
            log.warning("the mode of the database file stays as it is", extra={"fields": {"mode": f"{mode:04o}"}})


def shared_mode(path: Path) -> str:
    """Return the mode of a file, such as "0660", if other users can open it and this process cannot change its mode.

    Otherwise, return "". Only root and the owner of a file can change its mode.
    """
    found = path.stat()
    mode = stat.S_IMODE(found.st_mode)
    return f"{mode:04o}" if mode & MODE_OF_OTHERS and os.geteuid() not in (0, found.st_uid) else ""


def lock(path: Path) -> int:
    """Lock the database, and return the file descriptor of the lock.

    The lock ends when the file descriptor is closed or the process ends. Raises StorageSetupError if another process
    holds the lock, and OSError if the lock file cannot be opened.
    """
    handle = os.open(path.with_name(path.name + ".lock"), os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        raise refused("database_file_in_use", path=path) from None
    except OSError:
        os.close(handle)
        raise
    return handle


def prepare(path: Path, encryptor: Encryptor, busy_seconds: float) -> int:
    """Create or migrate the tables, check the encryption key, and return a new owner number.

    `busy_seconds`: how long a statement waits for the writes of other processes. Raises StorageSetupError if the bot
    cannot use the database. Raises sqlite3.Error if a statement fails.
    """
    connection = connect(path, busy_seconds)
    try:
        connection.execute("BEGIN IMMEDIATE")  # of several processes that start at once, one migrates
        tables = [row[0] for row in connection.execute(STATEMENTS["table_names"])]
        facts = dict(connection.execute(STATEMENTS["facts"]).fetchall()) if "facts" in tables else {}
        version = check_facts(facts, tables, encryptor)
        for statement in scripts_from(version, "sqlite"):
            connection.execute(statement)
        if facts.get("key_check") == CHECK and encryptor.has_key:
            _encrypt_all(connection, encryptor)
        written = facts_at_start(facts, version, encryptor)
        for name, value in written.items():
            connection.execute(STATEMENTS["set_fact"], {"name": name, "value": value})
        connection.execute("COMMIT")
    finally:
        connection.close()
    return int(written["owner"])


def _encrypt_all(connection: sqlite3.Connection, encryptor: Encryptor) -> None:
    """Encrypt all secrets in a database that is not encrypted yet.

    Do nothing if one of the secrets is already encrypted. In this case, the database has been encrypted before, and an
    attacker may have added the plain texts.
    """
    if connection.execute(STATEMENTS["has_encrypted_secrets"]).fetchone()["found"]:
        return
    for table in SECRET_COLUMNS:
        rows = connection.execute(STATEMENTS[f"secrets_of_{table}"]).fetchall()
        encrypted = [encryptor.encrypt_row(table, dict(row)) for row in rows]
        connection.executemany(STATEMENTS[f"encrypt_{table}"], encrypted)
