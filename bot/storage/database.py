"""What the repositories need of a database, whichever it is."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

Row = Mapping[str, Any]
Fetch = Callable[[str, Mapping[str, Any]], Awaitable[Sequence[Row]]]


class Database(Protocol):
    """Run the statements of `sql/` by their names. Every method may raise StorageUnavailableError."""

    async def fetch(self, name: str, values: Mapping[str, Any]) -> Sequence[Row]:
        """Run one statement, commit it, and return its rows. `:now` is added."""

    def locking(self, name: str, values: Mapping[str, Any]) -> AbstractAsyncContextManager[tuple[Row | None, Fetch]]:
        """Lock the row that the statement finds, until the context ends. Yield it and a `fetch` of its transaction."""
