"""Database errors that no test can cause in a real database: each has a code, and its text is not shown."""

import errno
import sqlite3
import ssl
from pathlib import Path

import asyncpg

from bot.core.errors import SetupError
from bot.storage import causes
from bot.storage.errors import SENTENCES, StorageSetupError
from tests.support.cases import each_case
from tests.support.database_faults import SECRET

URL = f"postgresql://bot:{SECRET}@db.example.com/bot?application_name=x"


class NewState(asyncpg.PostgresError):
    """An error of a future Postgres."""

    sqlstate = "99Z99"


@each_case(
    ("error", "code", "words"),
    [
        (asyncpg.DiskFullError(f"no space for {SECRET}"), "database_disk_full", "Postgres has no room left"),
        (asyncpg.CannotConnectNowError("starting up"), "database_not_ready", "start again"),
        (asyncpg.AdminShutdownError("terminating"), "database_not_ready", "start again"),
        (asyncpg.TooManyConnectionsError("too many"), "database_connections_exhausted", "max_connections"),
        (asyncpg.InternalServerError(SECRET), "database_server_fault", "SQLSTATE XX000"),
        (asyncpg.OutOfMemoryError(SECRET), "database_server_fault", "SQLSTATE 53200"),
        (asyncpg.ConnectionDoesNotExistError(SECRET), "database_connection_closed", "closes the connection"),
        (NewState(SECRET), "database_refused", "SQLSTATE 99Z99"),
        (asyncpg.InterfaceError("unsupported authentication method 7"), "database_login_unsupported", "scram-sha-256"),
        (asyncpg.InterfaceError(SECRET), "database_connection_closed", "closes the connection"),
        (asyncpg.InternalClientError(SECRET), "database_connection_closed", "closes the connection"),
        (asyncpg.TargetServerAttributeNotMatched(SECRET), "database_no_primary", "target_session_attrs"),
        (OSError(errno.ENETUNREACH, SECRET), "database_unreachable", "network"),
        (OSError(f"Multiple exceptions: [Errno 111] {SECRET}, [Errno 113] x"), "database_unreachable", "network"),
        (OSError(SECRET), "database_unusable", "does not know"),
        (ssl.SSLError(SECRET), "database_tls_failed", "sslmode"),
        (ValueError(SECRET), "database_address_invalid", "cannot be read"),
        (RuntimeError(SECRET), "database_unusable", "does not know"),
    ],
)
def test_an_error_on_the_way_to_postgres_has_its_code(error: Exception, code: str, words: str) -> None:
    found = causes.of_postgres(error, URL)
    assert found.code == code
    assert words in str(found)
    assert SECRET not in found.line
    assert "example" not in found.line
    assert found.line == f"{found} [{code}]"


def of_sqlite(number: int) -> sqlite3.Error:
    error = sqlite3.OperationalError(SECRET)
    error.sqlite_errorcode = number
    return error


@each_case(
    ("error", "code"),
    [
        (of_sqlite(sqlite3.SQLITE_FULL), "database_disk_full"),
        (of_sqlite(sqlite3.SQLITE_IOERR_WRITE), "database_disk_error"),
        (of_sqlite(sqlite3.SQLITE_BUSY_SNAPSHOT), "database_file_locked"),
        (of_sqlite(sqlite3.SQLITE_READONLY_DBMOVED), "database_file_denied"),
        (of_sqlite(sqlite3.SQLITE_READONLY_DIRECTORY), "database_directory_denied"),
        (of_sqlite(sqlite3.SQLITE_CANTOPEN_ISDIR), "database_path_not_a_file"),
        (of_sqlite(sqlite3.SQLITE_MISUSE), "database_file_unusable"),
        (sqlite3.ProgrammingError("no code"), "database_file_unusable"),
        (OSError(errno.ENOSPC, "full"), "database_disk_full"),
        (OSError(errno.EDQUOT, "quota"), "database_disk_full"),
        (OSError(errno.EROFS, "read only"), "database_file_system_read_only"),
        (OSError(errno.EMFILE, "too many"), "database_file_unusable"),
    ],
)
def test_an_error_at_the_file_has_its_code_and_names_it(error: OSError | sqlite3.Error, code: str) -> None:
    found = causes.of_file(error, Path("/data/bot.db"))
    assert found.code == code
    assert "/data" in str(found)


def test_each_sentence_says_how_to_mend_it() -> None:
    for code, sentence in SENTENCES.items():
        what, _, mend = sentence.partition(". ")
        assert code.startswith("database_")
        assert what
        assert mend.endswith("."), code


def test_a_refusal_without_a_code_has_that_of_its_class() -> None:
    assert (StorageSetupError("x").code, StorageSetupError("x", code="y").code) == ("database_unusable", "y")
    assert issubclass(StorageSetupError, SetupError)
