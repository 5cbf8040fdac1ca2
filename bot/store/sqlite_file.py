"""Opens the SQLite file: its mode, its lock, its version. What stands in it is for sqlite.py."""

import fcntl
import os
import sqlite3
from pathlib import Path

from bot.store.refusals import NEWER, OTHER_KEY, StoreRefused
from bot.store.schema import FOR_REPLICAS, NEWEST, VERSIONS
from bot.store.sealing import CHECK, IS_SEALED, SECRETS, Sealer

BUSY_SECONDS = 10.0


def open_file(path: Path, sealer: Sealer, *, alone: bool) -> tuple[int | None, int]:
    """The lock, for one who is alone, and a new owner's number. Raises StoreRefused."""
    handle = None
    try:
        make_private(path)
        handle = lock(path) if alone else None
        return handle, prepare(path, sealer)
    except BaseException as error:
        if handle is not None:
            os.close(handle)
        if isinstance(error, OSError):
            raise StoreRefused(f"The database {path} cannot be opened ({error.strerror}).") from None
        if isinstance(error, sqlite3.Error):
            raise StoreRefused(f"The database {path} cannot be used ({error}).") from None
        raise


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
    """Makes the file, if there is none, readable by us alone. Raises OSError."""
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    path.chmod(0o600)


def lock(path: Path) -> int:
    """A lock that lasts as long as this process, or until it is closed. Raises StoreRefused, OSError."""
    handle = os.open(path.with_name(path.name + ".lock"), os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        sentence = f"Another bot runs on the database {path}. Stop it first, or use Postgres for several."
        raise StoreRefused(sentence) from None
    return handle


def prepare(path: Path, sealer: Sealer) -> int:
    """Brings the schema up to date, checks the key, and returns a new owner's number. Raises StoreRefused."""
    connection = connect(path)
    try:
        connection.execute("BEGIN IMMEDIATE")  # several may start at once: one migrates, the others find it done
        connection.execute("CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL)")
        version = int(_fact(connection, "version") or 0)
        if version > NEWEST:
            raise StoreRefused(NEWER.format(found=version, known=NEWEST))
        for statements in VERSIONS[version:]:
            for statement in statements:
                if statement not in FOR_REPLICAS:
                    connection.execute(statement)
        _check_key(connection, sealer)
        owner = int(_fact(connection, "owner") or 0) + 1
        _set_fact(connection, "version", str(NEWEST))
        _set_fact(connection, "owner", str(owner))
        connection.execute("COMMIT")
    finally:
        connection.close()
    return owner


def _check_key(connection: sqlite3.Connection, sealer: Sealer) -> None:
    """A sealed word that only the right keys open. With the first key, what stands there without one is sealed."""
    was = _fact(connection, "key_check")
    if was and not sealer.fits(was):
        raise StoreRefused(OTHER_KEY)
    if was == CHECK and sealer.has_key:
        _seal_all(connection, sealer)
    _set_fact(connection, "key_check", sealer.seal(CHECK) or CHECK)


def _seal_all(connection: sqlite3.Connection, sealer: Sealer) -> None:
    """Nothing where something is sealed already: then somebody else has put the key check back."""
    for table, column in SECRETS:
        if connection.execute(f"SELECT 1 FROM {table} WHERE {column} {IS_SEALED} LIMIT 1").fetchone():  # noqa: S608
            return
    for table, column in SECRETS:
        found = connection.execute(f"SELECT rowid, {column} FROM {table} WHERE {column} IS NOT NULL").fetchall()  # noqa: S608
        sealed = [(sealer.seal(text), rowid) for rowid, text in found]
        connection.executemany(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", sealed)  # noqa: S608


def _fact(connection: sqlite3.Connection, name: str) -> str | None:
    found = connection.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
    return found["value"] if found else None


def _set_fact(connection: sqlite3.Connection, name: str, value: str) -> None:
    connection.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, value))
