"""Define the Protocol that both databases implement, so that the repository classes work with either of them."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

Row = Mapping[str, Any]
Fetch = Callable[[str, Mapping[str, Any]], Awaitable[Sequence[Row]]]


class Database(Protocol):
    """Runs the statements of `sql/` by their names. Every method may raise StorageUnavailableError."""

    async def fetch(self, name: str, values: Mapping[str, Any]) -> Sequence[Row]:
        """Run the statement with this name, commit, and return its rows. The database sets the parameter `:now`."""

    def locking(self, name: str, values: Mapping[str, Any]) -> AbstractAsyncContextManager[tuple[Row | None, Fetch]]:
        """Lock the row that the statement finds during a `with` block.

        Yield the row (None if there is none), and a function like `fetch` that runs in the same transaction.
        """
