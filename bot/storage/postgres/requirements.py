"""Check whether the bot can use a Postgres database: the URL, the server, the tables, and the rights of the user."""

import re
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from bot.storage.encryption import Encryptor
from bot.storage.errors import StorageSetupError, refused
from bot.storage.postgres.address import ENCRYPTED, DatabaseAddress, read_address
from bot.storage.postgres.statements import STATEMENTS
from bot.storage.schema import TABLES, VERSION, check_facts

CERTIFICATE_PARAMETERS = ("sslrootcert", "sslcert", "sslkey", "sslcrl")


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """The state of a database that the bot can use.

    - `where`: the name of the database in messages to people.
    - `version`: the version of the tables; 0 if there are no tables yet.
    - `facts`: the values in the database's table `facts`, by name.
    """

    where: str
    version: int
    facts: Mapping[str, str]


def usable(url: str) -> DatabaseAddress:
    """Check a Postgres URL and the certificate files that the URL names. Return the checked URL, without faults.

    Raises StorageSetupError if the URL has a fault, or if a certificate file is missing or cannot be read.
    """
    address = read_address(url)
    if address.faults:
        raise StorageSetupError(f"DATABASE_URL {address.faults[0]}", code="database_address_invalid")
    _check_files(address.url)
    return address


def _check_files(url: str) -> None:
    """Raise StorageSetupError if a certificate file that the URL names is missing or cannot be read."""
    given = dict(parse_qsl(urlsplit(url).query))
    mode = given.get("sslmode", "prefer").replace("_", "-")
    for name in CERTIFICATE_PARAMETERS if mode != "disable" else ():
        path = given.get(name)
        if path is None or (name in ("sslrootcert", "sslcrl") and mode not in ENCRYPTED):
            continue
        try:
            _read(name, path, given)
        except (FileNotFoundError, NotADirectoryError):
            raise refused("database_certificate_missing", parameter=name, path=path) from None
        except OSError as error:  # ssl.SSLError is a subclass
            why = "no PEM of the right kind" if isinstance(error, ssl.SSLError) else str(error.strerror)
            raise refused("database_certificate_unreadable", parameter=name, path=path, why=why) from None


def _read(name: str, path: str, given: Mapping[str, str]) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if name != "sslkey":
        context.load_verify_locations(cafile=path)
    elif "sslcert" in given:
        password = given.get("sslpassword", "")
        context.load_cert_chain(given["sslcert"], keyfile=path, password=lambda: password)
    else:
        Path(path).read_bytes()


async def examine(connection: Any, encryptor: Encryptor) -> ServerFacts:
    """Check whether the bot can use a database, and return the state of the database. Change nothing.

    Raises StorageSetupError in these cases:

    - The server accepts no writes, or the database has no schema for the tables.
    - The bot's database user lacks a right.
    - This version of the bot cannot use the tables.
    - The database is encrypted, and `encryptor` has no key that fits.

    Raises asyncpg's exceptions if a statement fails.
    """
    state = await connection.fetchrow(STATEMENTS["server_state"].text)
    where = f"Postgres {state['release'].split(' ')[0]}, database {state['name']}"
    where = re.sub(r"[^\w., -]", "", where)
    if state["is_standby"]:
        raise refused("database_standby", where=where)
    if state["is_read_only"]:
        raise refused("database_read_only", where=where)
    if state["schema"] is None:
        raise refused("database_schema_missing", where=where)
    tables = await connection.fetch(STATEMENTS["table_rights"].text, ["facts", *TABLES])
    names = [row["name"] for row in tables]
    if any(row["name"] == "facts" and "SELECT" in row["lacks"] for row in tables):
        raise _rights_missing(where, tables)
    facts = dict(map(tuple, await connection.fetch(STATEMENTS["facts"].text))) if "facts" in names else {}
    version = check_facts(facts, names, encryptor)
    if version < VERSION and not state["may_create"]:
        raise refused("database_create_denied", where=where)
    if version < VERSION and not all(row["owns"] for row in tables if row["name"] != "facts"):
        raise refused("database_owner_needed", where=where)
    if any(row["lacks"] for row in tables):
        raise _rights_missing(where, tables)
    return ServerFacts(where, version, facts)


def _rights_missing(where: str, tables: Sequence[Mapping[str, Any]]) -> StorageSetupError:
    lacking = [row for row in tables if row["lacks"]]
    rights = [right for right in ("SELECT", "INSERT", "UPDATE", "DELETE") if any(right in r["lacks"] for r in lacking)]
    names = ", ".join(row["name"] for row in lacking)
    return refused("database_rights_missing", where=where, rights=", ".join(rights), tables=names)
