"""Keeps the two secrets of a row, a join URL and a response_url, unreadable at rest: Fernet of `cryptography`.

https://cryptography.io/en/latest/fernet/ . Without a key they stand in the database as they are.
"""

from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

_SEALED = "sealed:"
CHECK = "cobrowse-bot"


class Sealer:
    """Seals with the first key and opens with any, so that keys can be changed: the newest comes first."""

    def __init__(self, keys: Sequence[str] = ()) -> None:
        self._fernet = MultiFernet([Fernet(key) for key in keys]) if keys else None

    def seal(self, text: str | None) -> str | None:
        if text is None or self._fernet is None:
            return text
        return _SEALED + self._fernet.encrypt(text.encode()).decode()

    def open(self, text: str | None) -> str | None:
        """The text again; None when no key of ours opens it."""
        if text is None or not text.startswith(_SEALED):
            return text
        if self._fernet is None:
            return None
        try:
            return self._fernet.decrypt(text.removeprefix(_SEALED).encode()).decode()
        except InvalidToken:
            return None


def check_key(key: str) -> None:
    """Raises ValueError for what is no Fernet key."""
    try:
        Fernet(key)
    except ValueError:
        raise ValueError("must hold Fernet keys: 32 bytes, url-safe base64") from None
