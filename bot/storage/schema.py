"""Define the version of the database tables for this program, and the older versions that it can migrate."""

import re
from collections.abc import Collection, Mapping, Sequence

from bot.storage.encryption import Encryptor
from bot.storage.errors import refused
from bot.storage.statements import DatabaseKind, read_script

VERSION = 9
"""The version of the tables in `sql/schema.sql`. Each change of the tables increases it."""
OLDEST_VERSION = 5
"""The oldest version of the tables that the bot can migrate. No release had an older version."""
TABLES = tuple(re.findall(r"CREATE TABLE (\w+) \(", "\n".join(read_script("schema", "postgres"))))
"""The names of all tables except `facts`."""


def scripts_from(version: int, database: DatabaseKind) -> Sequence[str]:
    """Return the statements that migrate the tables from `version` to VERSION.

    If `version` is 0, return the statements that create the tables.
    """
    if version == 0:
        return read_script("schema", database)
    steps = (read_script(f"migrate-{number}-to-{number + 1}", database) for number in range(version, VERSION))
    return [statement for step in steps for statement in step]


def check_facts(facts: Mapping[str, str], tables: Collection[str], encryptor: Encryptor) -> int:
    """Return the version of a database's tables, 0 for no tables. Raises StorageSetupError if the bot cannot use them.

    `facts` holds the rows of the table `facts`: version, owner number and key check. `tables` holds the names of all
    tables.
    """
    if not all(facts.get(name, "0").isdecimal() for name in ("version", "owner")):
        raise refused("database_schema_conflict")
    version = int(facts.get("version", "0"))
    if version > VERSION:
        raise refused("database_newer_version", found=version, known=VERSION)
    if 0 < version < OLDEST_VERSION:
        raise refused("database_older_version", found=version, oldest=OLDEST_VERSION, known=VERSION)
    if version == 0 and not set(TABLES).isdisjoint(tables):
        raise refused("database_schema_conflict")
    if (check := facts.get("key_check")) and not encryptor.can_use(check):
        raise refused("database_key_mismatch")
    return version
