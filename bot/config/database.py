"""Read the settings of the database: address, retention and encryption keys."""

from dataclasses import dataclass, field
from functools import partial

from bot.config.environment import below_data_directory
from bot.config.reader import Reader
from bot.core.validation.text import odd_character
from bot.storage.encryption import check_key
from bot.storage.open import MEMORY, POSTGRES, SQLITE
from bot.storage.postgres.address import read_address


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseSettings:
    """The address, retention time and encryption keys of the database. The first key is the newest."""

    retention_days: int
    url: str = field(repr=False)
    keys: tuple[str, ...] = field(repr=False)

    @property
    def is_encrypted(self) -> bool:
        """Return whether the database encrypts its secrets.

        A database in `memory:` encrypts them with a key that is never stored.
        """
        return bool(self.keys) or self.url.startswith(MEMORY)

    @property
    def allows_replicas(self) -> bool:
        """Return whether several processes may use the database at once."""
        return self.url.startswith(POSTGRES)


def read_database(reader: Reader) -> DatabaseSettings:
    """Read the settings of the database. Note each fault in `reader`."""
    url = reader.text("DATABASE_URL")
    if not (url.startswith((MEMORY, *POSTGRES)) or (url.startswith(SQLITE) and len(url) > len(SQLITE))):
        reader.fault("DATABASE_URL", "must be sqlite:///a-file.db, postgresql://…, or memory: to remember nothing.")
    if url.startswith(SQLITE):
        url = SQLITE + below_data_directory(url.removeprefix(SQLITE), reader.environ)
    for fault in read_address(url).faults if url.startswith(POSTGRES) else ():
        reader.fault("DATABASE_URL", fault)
    keys = tuple(key.strip() for key in reader.text("STORE_ENCRYPTION_KEY").split(",") if key.strip())
    for key in keys:
        if character := odd_character(key):
            reader.fault(
                "STORE_ENCRYPTION_KEY", f"has {character} of a key, which no key has. Copy it again, as plain text."
            )
            continue
        reader.parsed("STORE_ENCRYPTION_KEY", partial(check_key, key))
    return DatabaseSettings(retention_days=reader.integer("COBROWSE_RETENTION_DAYS", 1, 3650), url=url, keys=keys)
