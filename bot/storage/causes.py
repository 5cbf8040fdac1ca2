"""Convert the exceptions of a database driver to a StorageSetupError with a stable code.

The code depends on SQLSTATE, errno, or the error codes of OpenSSL and SQLite. bot/storage/errors.py has a sentence for
each code. The sentences never quote an exception of asyncpg, because the exception's text may contain the password.
"""

import errno
import re
import socket
import sqlite3
import ssl
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from bot.storage.errors import StorageSetupError, refused

SQLSTATES = {
    "28P01": "database_password_refused",
    "28000": "database_user_refused",
    "3D000": "database_not_found",
    "42501": "database_access_denied",
    "53300": "database_connections_exhausted",
    "55000": "database_closed",
    "57P03": "database_not_ready",
    "57P01": "database_not_ready",
    "57P02": "database_not_ready",
    "25006": "database_read_only",
    "3F000": "database_schema_missing",
    "53100": "database_disk_full",
    "42P01": "database_schema_conflict",
    "42P07": "database_schema_conflict",
    "42703": "database_schema_conflict",
    "42710": "database_schema_conflict",
    "42804": "database_schema_conflict",
    "42809": "database_schema_conflict",
}
"""The code of the StorageSetupError for each SQLSTATE: https://www.postgresql.org/docs/current/errcodes-appendix.html"""
PARAMETER_SQLSTATES = ("42704", "55P02", "22023", "42601", "08P01", "42501", "22P02")
"""SQLSTATEs with which a server or a pooling proxy rejects a connection parameter."""
SQLSTATE_CLASSES = {
    "08": "database_connection_closed",
    "53": "database_server_fault",
    "58": "database_server_fault",
    "F0": "database_server_fault",
    "XX": "database_server_fault",
}
DRIVER_PARAMETERS = ("host", "port", "user", "password", "dbname", "database", "service", "passfile")

NETWORK_ERRNOS = {
    errno.ECONNREFUSED: "database_connection_refused",
    errno.ECONNRESET: "database_connection_closed",
    errno.ECONNABORTED: "database_connection_closed",
    errno.EPIPE: "database_connection_closed",
    errno.ETIMEDOUT: "database_timeout",
    errno.EHOSTUNREACH: "database_unreachable",
    errno.EHOSTDOWN: "database_unreachable",
    errno.ENETUNREACH: "database_unreachable",
    errno.ENETDOWN: "database_unreachable",
    errno.EADDRNOTAVAIL: "database_unreachable",
    errno.EACCES: "database_socket_denied",
    errno.EPERM: "database_socket_denied",
    errno.ENOENT: "database_socket_missing",
    errno.ENOTDIR: "database_socket_missing",
    errno.ENOTSOCK: "database_socket_missing",
}
CERTIFICATE_ERRORS = {
    9: "database_certificate_expired",  # X509_V_ERR_CERT_NOT_YET_VALID, and so on: openssl/x509_vfy.h
    10: "database_certificate_expired",
    62: "database_certificate_wrong_host",
    64: "database_certificate_wrong_host",
}
CONFIGURATION_PARAMETERS = ("sslmode", "sslnegotiation", "sslrootcert", "target_session_attrs", "gsslib", "krbsrvname")

FILE_ERRNOS = {
    errno.ENOENT: "database_directory_missing",
    errno.ENOTDIR: "database_directory_missing",
    errno.EACCES: "database_file_denied",
    errno.EPERM: "database_file_denied",
    errno.EROFS: "database_file_system_read_only",
    errno.EISDIR: "database_path_not_a_file",
    errno.ENXIO: "database_path_not_a_file",
    errno.ENOSPC: "database_disk_full",
    errno.EDQUOT: "database_disk_full",
    errno.EFBIG: "database_disk_full",
    errno.EIO: "database_disk_error",
    errno.ENOLCK: "database_disk_error",
}
SQLITE_ERRORS = {
    sqlite3.SQLITE_PERM: "database_file_denied",
    sqlite3.SQLITE_READONLY: "database_file_denied",
    sqlite3.SQLITE_CANTOPEN: "database_file_denied",
    sqlite3.SQLITE_READONLY_DIRECTORY: "database_directory_denied",
    sqlite3.SQLITE_CANTOPEN_ISDIR: "database_path_not_a_file",
    sqlite3.SQLITE_FULL: "database_disk_full",
    sqlite3.SQLITE_IOERR: "database_disk_error",
    sqlite3.SQLITE_CORRUPT: "database_file_corrupt",
    sqlite3.SQLITE_NOTADB: "database_file_not_sqlite",
    sqlite3.SQLITE_BUSY: "database_file_locked",
    sqlite3.SQLITE_LOCKED: "database_file_locked",
    sqlite3.SQLITE_PROTOCOL: "database_file_locked",
    sqlite3.SQLITE_ERROR: "database_schema_conflict",
}
"""The code of the StorageSetupError for each result code of SQLite: https://www.sqlite.org/rescode.html"""


def of_postgres(error: BaseException, url: str = "", where: str = "Postgres") -> StorageSetupError:
    """Convert an exception of asyncpg, TLS or the network to a StorageSetupError. Return a StorageSetupError unchanged.

    - `url`: the URL of the connection; "" if there is none. It shows which parameter the server may have rejected, and
      whether the connection uses a Unix socket.
    - `where`: the name of the server in the sentence of the StorageSetupError.
    """
    if isinstance(error, StorageSetupError):
        return error
    if state := getattr(error, "sqlstate", None):
        return _of_sqlstate(str(state), error, url, where)
    if isinstance(error, ssl.SSLCertVerificationError):
        return refused(CERTIFICATE_ERRORS.get(error.verify_code, "database_certificate_untrusted"))
    if isinstance(error, ssl.SSLError):
        return refused("database_tls_failed")
    if isinstance(error, socket.gaierror):
        again = error.errno == socket.EAI_AGAIN
        return refused("database_host_lookup_failed" if again else "database_host_unknown")
    if isinstance(error, OSError):
        return _of_network(error, url)
    return _of_driver(error)


def _of_sqlstate(state: str, error: BaseException, url: str, where: str) -> StorageSetupError:
    if state in PARAMETER_SQLSTATES:
        text = str(error)
        for name in _parameters(url):
            if re.search(rf"(?<![\w.]){re.escape(name)}(?![\w.])", text):
                return refused("database_parameter_unknown", name=name)
    code = SQLSTATES.get(state) or SQLSTATE_CLASSES.get(state[:2], "database_refused")
    return refused(code, where=where, state=state)


def _parameters(url: str) -> list[str]:
    """Return the names of the server settings in a Postgres URL: all parameters that the driver does not use.

    Include the settings inside the parameter `options`, such as `search_path` in `-c search_path=bot`.
    """
    try:
        pairs = parse_qsl(urlsplit(url).query)
    except ValueError:
        return []
    inside = [name for key, value in pairs if key == "options" for name in re.findall(r"-(?:c\s*|-)([\w.]+)=", value)]
    return [*inside, *(key for key, _ in pairs if key not in DRIVER_PARAMETERS)]


def _of_network(error: OSError, url: str) -> StorageSetupError:
    number = error.errno
    if number is None and (found := re.findall(r"\[Errno (\d+)\]", str(error))):  # one error for several addresses
        number = int(found[-1])
    if number is None and "rejected SSL upgrade" in str(error):
        return refused("database_tls_refused")
    if isinstance(error, TimeoutError):
        return refused("database_timeout")
    if isinstance(error, ConnectionError) and number is None:
        return refused("database_connection_closed")
    code = NETWORK_ERRNOS.get(number or 0, "database_unusable")
    if code.startswith("database_socket") and not _uses_socket(url):  # the file of an environment variable
        parameter = "PGSSLROOTCERT, PGSSLCERT, PGSSLKEY or PGSSLCRL"
        return refused(
            "database_certificate_unreadable",
            parameter=parameter,
            path="given there",
            why=error.strerror or "no such file",
        )
    return refused(code)


def _uses_socket(url: str) -> bool:
    try:
        parts = urlsplit(url)
        host = dict(parse_qsl(parts.query)).get("host") or parts.netloc.rpartition("@")[2]
    except ValueError:
        return False
    return not host or host.startswith(("/", "%2F", "%2f"))


def _of_driver(error: BaseException) -> StorageSetupError:
    text, kind = str(error), [each.__name__ for each in type(error).__mro__]
    if found := re.search(r'root certificate file "([^"]*)"', text):
        parameter = "sslmode=verify-ca or verify-full without sslrootcert"
        return refused("database_certificate_missing", parameter=parameter, path=found[1])
    if "TargetServerAttributeNotMatched" in kind:
        return refused("database_no_primary")
    if "ClientConfigurationError" in kind:
        text = "sslnegotiation" if "direct TLS" in text else text
        for name in CONFIGURATION_PARAMETERS:
            if name in text:
                return refused("database_parameter_invalid", name=name)
        if "TLS version" in text:
            return refused("database_parameter_invalid", name="ssl_min_protocol_version or ssl_max_protocol_version")
        return refused("database_address_invalid")
    if "authentication" in text.lower():
        return refused("database_login_unsupported")
    if "InterfaceError" in kind or "InternalClientError" in kind:
        return refused("database_connection_closed")
    return refused("database_address_invalid" if isinstance(error, ValueError) else "database_unusable")


def of_file(error: OSError | sqlite3.Error | ValueError, path: Path, file: Path | None = None) -> StorageSetupError:
    """Convert an exception of SQLite or of the file system to a StorageSetupError.

    - `path`: the path of the database.
    - `file`: the file that the exception is about, such as the lock file; None for the database itself.
    """
    words = {"path": file or path, "directory": path.absolute().parent, "where": f"The database {path}"}
    if isinstance(error, sqlite3.Error):
        number = getattr(error, "sqlite_errorcode", 0)
        code = SQLITE_ERRORS.get(number) or SQLITE_ERRORS.get(number & 0xFF, "database_file_unusable")
        why = str(error)
    elif isinstance(error, OSError):
        code, why = FILE_ERRNOS.get(error.errno or 0, "database_file_unusable"), error.strerror or "no reason given"
    else:  # a value in the table `facts` is not a number
        code, why = "database_schema_conflict", ""
    return refused(code, why=why, **words)
