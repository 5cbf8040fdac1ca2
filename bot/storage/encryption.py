"""Keeps the two secrets of a row, a join URL and a response_url, unreadable at rest: Fernet of `cryptography`.

https://cryptography.io/en/latest/fernet/ . Without a key they stand in the database as they are.
"""

from collections.abc import Callable, Sequence

_SEALED = "sealed:"
CHECK = "cobrowse-bot"
SECRETS = (
    ("requests", "reply_url"),
    ("requests", "argument"),
    ("sessions", "join_url"),
    ("sessions", "join_code"),
    ("connects", "verifier"),
    ("connections", "refresh_token"),
)
"""Tables and columns that are sealed. When a database gets its first key, what stands there is sealed, once."""
IS_SEALED = f"LIKE '{_SEALED}%'"


class Encryptor:
    """Seals with the first key and opens with any, so that keys can be changed: the newest comes first."""

    def __init__(self, keys: Sequence[str] = ()) -> None:
        self._ways = _ways(keys) if keys else None

    def seal(self, text: str | None) -> str | None:
        if text is None or self._ways is None:
            return text
        return _SEALED + self._ways[0](text.encode()).decode()

    @property
    def has_key(self) -> bool:
        return self._ways is not None

    def open(self, text: str | None) -> str | None:
        """The text again; None when no key of ours opens it, and, with a key, for what nobody sealed.

        Who can write to the database and has no key must not have the bot take their words for its own.
        """
        if text is None:
            return None
        if not text.startswith(_SEALED):
            return None if self._ways else text
        opened = self._ways[1](text.removeprefix(_SEALED).encode()) if self._ways else None
        return None if opened is None else opened.decode(errors="replace")

    def fits(self, check: str) -> bool:
        """Whether a database with this key check can be used: written with a key of ours, or with none yet."""
        return check == CHECK or self.open(check) == CHECK


def check_key(key: str) -> None:
    """Raises ValueError for what is no Fernet key."""
    try:
        _ways([key])
    except ValueError:
        raise ValueError("must hold Fernet keys: 32 bytes, url-safe base64") from None


def new_key() -> str:
    """A key nobody has seen."""
    from cryptography.fernet import Fernet  # noqa: PLC0415 - only where there is a key is it loaded

    return Fernet.generate_key().decode()


def _ways(keys: Sequence[str]) -> tuple[Callable[[bytes], bytes], Callable[[bytes], bytes | None]]:
    """How to seal, and how to open: None for what no key opens. Raises ValueError."""
    from cryptography.fernet import Fernet, InvalidToken, MultiFernet  # noqa: PLC0415 - as above

    fernet = MultiFernet([Fernet(key) for key in keys])

    def opened(sealed: bytes) -> bytes | None:
        try:
            return fernet.decrypt(sealed)
        except InvalidToken:
            return None

    return fernet.encrypt, opened
