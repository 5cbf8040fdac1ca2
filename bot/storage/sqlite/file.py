"""Opens the SQLite file: its mode, its lock, its version. What stands in it is for sqlite.py."""

import fcntl
import logging
import os
import sqlite3
import stat
from collections.abc import Collection, Mapping
from pathlib import Path

from bot.storage import causes
from bot.storage.encryption import CHECK, IS_SEALED, SECRETS, Encryptor
from bot.storage.errors import refused
from bot.storage.schema import FOR_REPLICAS, NEWEST, TABLES, VERSIONS

log = logging.getLogger(__name__)

BUSY_SECONDS = 10.0
ROOM_BYTES = 256 * 1024
"""About what SQLite writes before the first request is accepted."""
OTHERS_MAY = stat.S_IRWXG | stat.S_IRWXO


def open_file(path: Path, sealer: Encryptor, *, alone: bool) -> tuple[int | None, int]:
    """The lock, for one who is alone, and a new owner's number. Raises StorageSetupError."""
    handle = None
    try:
        examine(path, alone=alone)
        make_private(path)
        handle = lock(path) if alone else None
        return handle, prepare(path, sealer)
    except BaseException as error:
        if handle is not None:
            os.close(handle)
        if isinstance(error, (OSError, sqlite3.Error, ValueError)):
            raise causes.of_file(error, path) from None
        raise


def examine(path: Path, *, alone: bool = True) -> None:
    """Raise StorageSetupError, OSError when the file could not be used.

    Leaves nothing behind, so `check` may call it.
    """
    directory = path.absolute().parent
    if not directory.is_dir():
        raise refused("database_directory_missing", path=path, directory=directory)
    if os.statvfs(directory).f_flag & os.ST_RDONLY:
        raise refused("database_file_system_read_only", path=path)
    if path.exists() and not path.is_file():
        raise refused("database_path_not_a_file", path=path)
    files = [path, *(path.with_name(path.name + end) for end in ("-wal", "-shm", *((".lock",) if alone else ())))]
    there = [each for each in files if each.exists()]
    for each in there:
        if not os.access(each, os.R_OK | os.W_OK):
            raise refused("database_file_denied", path=each)
    if len(there) < len(files) and not os.access(directory, os.W_OK | os.X_OK):
        raise refused("database_directory_denied", path=path, directory=directory)
    _check_room(path)


def _check_room(path: Path) -> None:
    """Write to a file without a name, which the system forgets at once. Where there is none, SQLite finds out."""
    try:
        handle = os.open(path.absolute().parent, os.O_TMPFILE | os.O_RDWR, 0o600)
    except (AttributeError, OSError):
        return
    try:
        left = ROOM_BYTES
        while left:
            left -= os.write(handle, bytes(left))
    except OSError as error:
        raise causes.of_file(error, path) from None
    finally:
        os.close(handle)


def check_facts(facts: Mapping[str, str], tables: Collection[str], sealer: Encryptor) -> int:
    """Return the version of a database, 0 of one that is to be made. Raise StorageSetupError."""
    if not all(facts.get(name, "0").isdecimal() for name in ("version", "owner")):
        raise refused("database_schema_conflict")
    version = int(facts.get("version", "0"))
    if version > NEWEST:
        raise refused("database_newer_version", found=version, known=NEWEST)
    if version == 0 and not set(TABLES).isdisjoint(tables):
        raise refused("database_schema_conflict")
    if (check := facts.get("key_check")) and not sealer.fits(check):
        raise refused("database_key_mismatch")
    return version


def connect(path: Path) -> sqlite3.Connection:
    """A connection in autocommit mode, which waits for others' short writes. May be handed to another thread."""
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA secure_delete = ON")  # what is wiped is overwritten, however SQLite was built
    return connection


def empty_log(connection: sqlite3.Connection) -> bool:
    """Move the write-ahead log into the file, so that nothing that was wiped stays in it. False: somebody reads.

    https://www.sqlite.org/pragma.html#pragma_wal_checkpoint . For a connection in no transaction; waits for nobody.
    """
    connection.execute("PRAGMA busy_timeout = 0")
    try:
        return bool(connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0)
    finally:
        connection.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000:.0f}")


def make_private(path: Path) -> None:
    """Make the file, if there is none, readable by us alone. Raise OSError. Warn of a file that is another user's."""
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    try:
        path.chmod(0o600)
    except OSError:  # another user's file, or a file system without modes: both can be used
        if (mode := stat.S_IMODE(path.stat().st_mode)) & OTHERS_MAY:
            log.warning("the mode of the database file stays as it is", extra={"fields": {"mode": f"{mode:04o}"}})


def sharing(path: Path) -> str:
    """Return the mode, as in 0660, of another user's file that others may read or write; else an empty string."""
    found = path.stat()
    mode = stat.S_IMODE(found.st_mode)
    return f"{mode:04o}" if mode & OTHERS_MAY and os.geteuid() not in (0, found.st_uid) else ""


def lock(path: Path) -> int:
    """A lock that lasts as long as this process, or until it is closed. Raises StorageSetupError, OSError."""
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


def prepare(path: Path, sealer: Encryptor) -> int:
    """Brings the schema up to date, checks the key, and returns a new owner's number. Raises StorageSetupError."""
    connection = connect(path)
    try:
        connection.execute("BEGIN IMMEDIATE")  # several may start at once: one migrates, the others find it done
        connection.execute("CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL)")
        version = check_facts(_facts(connection), _tables(connection), sealer)
        for statements in VERSIONS[version:]:
            for statement in statements:
                if statement not in FOR_REPLICAS:
                    connection.execute(statement)
        facts = _facts(connection)
        if facts.get("key_check") == CHECK and sealer.has_key:
            _seal_all(connection, sealer)
        owner = int(facts.get("owner", "0")) + 1
        _set_fact(connection, "key_check", sealer.seal(CHECK) or CHECK)
        _set_fact(connection, "version", str(NEWEST))
        _set_fact(connection, "owner", str(owner))
        connection.execute("COMMIT")
    finally:
        connection.close()
    return owner


def _seal_all(connection: sqlite3.Connection, sealer: Encryptor) -> None:
    """Nothing where something is sealed already: then somebody else has put the key check back."""
    for table, column in SECRETS:
        if connection.execute(f"SELECT 1 FROM {table} WHERE {column} {IS_SEALED} LIMIT 1").fetchone():  # noqa: S608
            return
    for table, column in SECRETS:
        found = connection.execute(f"SELECT rowid, {column} FROM {table} WHERE {column} IS NOT NULL").fetchall()  # noqa: S608
        sealed = [(sealer.seal(text), rowid) for rowid, text in found]
        connection.executemany(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", sealed)  # noqa: S608


def _facts(connection: sqlite3.Connection) -> dict[str, str]:
    return dict(connection.execute("SELECT name, value FROM facts").fetchall())


def _tables(connection: sqlite3.Connection) -> list[str]:
    return [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]


def _set_fact(connection: sqlite3.Connection, name: str, value: str) -> None:
    connection.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, value))
