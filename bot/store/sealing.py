"""Keeps the two secrets of a row, a join URL and a response_url, unreadable at rest: Fernet of `cryptography`.

https://cryptography.io/en/latest/fernet/ . Without a key they stand in the database as they are.
"""

from collections.abc import Callable, Sequence

_SEALED = "sealed:"
CHECK = "cobrowse-bot"


class Sealer:
    """Seals with the first key and opens with any, so that keys can be changed: the newest comes first."""

    def __init__(self, keys: Sequence[str] = ()) -> None:
        self._ways = _ways(keys) if keys else None

    def seal(self, text: str | None) -> str | None:
        if text is None or self._ways is None:
            return text
        return _SEALED + self._ways[0](text.encode()).decode()

    def open(self, text: str | None) -> str | None:
        """The text again; None when no key of ours opens it."""
        if text is None or not text.startswith(_SEALED):
            return text
        opened = self._ways[1](text.removeprefix(_SEALED).encode()) if self._ways else None
        return None if opened is None else opened.decode()


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
