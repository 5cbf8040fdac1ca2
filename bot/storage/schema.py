"""Define the version of the database tables, and the other versions that this program can migrate or use."""

import re
from collections.abc import Collection, Mapping, Sequence

from bot.storage.encryption import CHECK, Encryptor
from bot.storage.errors import refused
from bot.storage.statements import DatabaseKind, read_script

VERSION = 11
"""The version of the tables in `sql/schema.sql`. Each change of the tables increases it."""
OLDEST_VERSION = 5
"""The oldest version of the tables that the bot can migrate. No release had an older version."""
USABLE_FROM = 8
"""The lowest VERSION of a program that can use the present tables. The table `facts` stores it as `usable_from`.

- If a migration adds only tables, indexes, and columns that may be NULL or have a default, keep this number. Programs
  of the previous version can start and run on the new tables.
- If a migration removes something, set this number to the VERSION before the migration. So remove only what programs of
  that version no longer use.
"""
TABLES = tuple(re.findall(r"CREATE TABLE (\w+) \(", "\n".join(read_script("schema", "postgres"))))
"""The names of all tables except `facts`."""


def scripts_from(version: int, database: DatabaseKind) -> Sequence[str]:
    """Return the SQL statements that migrate the tables from `version` to VERSION.

    If `version` is 0 (no tables), return the statements that create the tables. If `version` is VERSION or newer,
    return an empty list.
    """
    if version == 0:
        return read_script("schema", database)
    steps = (read_script(f"migrate-{number}-to-{number + 1}", database) for number in range(version, VERSION))
    return [statement for step in steps for statement in step]


def check_facts(facts: Mapping[str, str], tables: Collection[str], encryptor: Encryptor) -> int:
    """Check that this program can use a database, and return the version of its tables; 0 if there are no tables.

    - `facts`: the values in the table `facts`, by name: `version`, `owner`, `key_check` and `usable_from`.
    - `tables`: the names of all tables in the database.

    Raises StorageSetupError if this program cannot use the tables, or if no key of `encryptor` decrypts an encrypted
    database.
    """
    if not all(facts.get(name, "0").isdecimal() for name in ("version", "owner", "usable_from")):
        raise refused("database_schema_conflict")
    version = int(facts.get("version", "0"))
    if version > VERSION and not _can_use_newer(facts, encryptor):
        raise refused("database_newer_version", found=version, known=VERSION)
    if 0 < version < OLDEST_VERSION:
        raise refused("database_older_version", found=version, oldest=OLDEST_VERSION, known=VERSION)
    if version == 0 and not set(TABLES).isdisjoint(tables):
        raise refused("database_schema_conflict")
    if (check := facts.get("key_check")) and not encryptor.can_use(check):
        raise refused("database_key_mismatch")
    return version


def _can_use_newer(facts: Mapping[str, str], encryptor: Encryptor) -> bool:
    """Return whether this program can use tables whose version is newer than VERSION.

    Return False in two cases:

    - The value `usable_from` in `facts` is more than VERSION: only newer programs can use these tables.
    - The database is not encrypted, but this program has an encryption key. The program would have to encrypt all
      secrets when it starts, but does not know all columns with secrets in newer tables.
    """
    encrypts_all = facts.get("key_check") == CHECK and encryptor.has_key
    return int(facts.get("usable_from", facts["version"])) <= VERSION and not encrypts_all


def facts_at_start(facts: Mapping[str, str], version: int, encryptor: Encryptor) -> dict[str, str]:
    """Return the values, by name, that a process writes to the table `facts` when the process starts.

    The value `owner` is the owner number of the process: the next number after the one in the table.

    - `facts`: the values in the table before the start.
    - `version`: the version of the tables before this process migrated them.
    - `encryptor`: encrypts the value `key_check`.
    """
    written = {"key_check": encryptor.encrypt(CHECK) or CHECK, "owner": str(int(facts.get("owner", "0")) + 1)}
    if version <= VERSION:  # what a newer program wrote about its tables stays
        written["usable_from"] = str(USABLE_FROM)
    return written
