"""Encrypt the secrets in database rows, such as join URLs and response_urls, with Fernet of `cryptography`.

Without an encryption key, the database stores the secrets as plain text. https://cryptography.io/en/latest/fernet/
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

_PREFIX = "sealed:"
CHECK = "cobrowse-bot"
"""Each database stores this text, encrypted if its secrets are encrypted. A key that decrypts the stored text is a key
of this database."""
SECRET_COLUMNS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "requests": ("reply_url", "argument"),
        "sessions": ("join_url", "join_code"),
        "watches": ("reply_url",),
        "connects": ("verifier",),
        "connections": ("refresh_token",),
    }
)
"""The encrypted columns by table. If the bot starts with an encryption key and the database is not encrypted yet, the
bot encrypts these columns in all rows."""

_SINCE = {"watches": 10}
"""The first version of the database tables that has a table, by the table's name. A table without an entry is in every
version."""


def tables_with_secrets(version: int) -> tuple[str, ...]:
    """Return the names of the tables with encrypted columns. `version`: the version of the database tables."""
    return tuple(table for table in SECRET_COLUMNS if _SINCE.get(table, 0) <= version)


class Encryptor:
    """Encrypts texts with the first of its keys, and decrypts texts with any of its keys.

    Without keys, texts stay plain. `key_number`: a number computed from the first key; 0 without keys. Two replicas
    have the same number if their first keys are equal.
    """

    def __init__(self, keys: Sequence[str] = ()) -> None:
        self.use(keys)

    def use(self, keys: Sequence[str]) -> None:
        """Replace all keys. `keys`: the new keys, newest first. Raises ValueError for a malformed key."""
        functions = _functions(keys) if keys else None
        self._newest = _functions(keys[:1])[1] if keys else None
        self._functions = functions
        self._numbers = frozenset(map(_key_number, keys))
        self.key_number = _key_number(keys[0]) if keys else 0

    def has_all_keys_of(self, other: "Encryptor") -> bool:
        """Return whether this Encryptor has all keys of `other`."""
        return self._numbers >= other._numbers

    @property
    def has_key(self) -> bool:
        return self._functions is not None

    def is_current(self, text: str) -> bool:
        """Return whether the first key decrypts the text. Without keys, return whether the text is not encrypted."""
        if self._newest is None:
            return not text.startswith(_PREFIX)
        return text.startswith(_PREFIX) and self._newest(text.removeprefix(_PREFIX).encode()) is not None

    def encrypt(self, text: str | None) -> str | None:
        """Encrypt a text with the first key. Return the text unchanged if there are no keys, and None for None."""
        if text is None or self._functions is None:
            return text
        return _PREFIX + self._functions[0](text.encode()).decode()

    def decrypt(self, text: str | None) -> str | None:
        """Return the decrypted text. Return None for None, and for a text that none of the keys decrypts.

        With a key, return None for plain text, because an attacker may have written the plain text into the database.
        Without keys, return plain text unchanged.
        """
        if text is None:
            return None
        if not text.startswith(_PREFIX):
            return None if self._functions else text
        plain = self._functions[1](text.removeprefix(_PREFIX).encode()) if self._functions else None
        return None if plain is None else plain.decode(errors="replace")

    def encrypt_row(self, table: str, row: Mapping[str, Any]) -> dict[str, Any]:
        """Return a copy of a row whose secret columns are encrypted. `table`: the name of the row's table."""
        return {**row, **{column: self.encrypt(row[column]) for column in SECRET_COLUMNS[table]}}

    def can_use(self, key_check: str) -> bool:
        """Return True if a database is not encrypted, or if one of the keys decrypts its secrets; otherwise False.

        `key_check`: the value `key_check` in the database's table `facts`. An encrypted database stores the constant
        CHECK in encrypted form as this value. Any other database stores CHECK as it is.
        """
        return key_check == CHECK or self.decrypt(key_check) == CHECK


def _key_number(key: str) -> int:
    """Return a positive 31-bit number that identifies an encryption key, but does not reveal the key."""
    return int.from_bytes(hashlib.sha256(b"cobrowse-bot key number " + key.encode()).digest()[:4], "big") >> 1 or 1


def check_key(key: str) -> None:
    """Raise ValueError if the text is not a Fernet key."""
    try:
        _functions([key])
    except ValueError:
        raise ValueError(
            "must hold Fernet keys: 32 bytes, url-safe base64. Run `cobrowse-bot keygen encryption`"
        ) from None


def new_key() -> str:
    """Return a new random Fernet key."""
    from cryptography.fernet import Fernet  # noqa: PLC0415 - loaded only when there is a key

    return Fernet.generate_key().decode()


def _functions(keys: Sequence[str]) -> tuple[Callable[[bytes], bytes], Callable[[bytes], bytes | None]]:
    """Return two functions: one encrypts with the first key, the other decrypts with any of the keys.

    The decrypting function returns None if no key decrypts the data. Raises ValueError for a malformed key.
    """
    from cryptography.fernet import Fernet, InvalidToken, MultiFernet  # noqa: PLC0415 - as above

    fernet = MultiFernet([Fernet(key) for key in keys])

    def decrypt(token: bytes) -> bytes | None:
        try:
            return fernet.decrypt(token)
        except InvalidToken:
            return None

    return fernet.encrypt, decrypt
