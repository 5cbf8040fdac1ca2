"""Define the methods that both databases have, so that the repository classes work with either of them."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

Row = Mapping[str, Any]
Fetch = Callable[[str, Mapping[str, Any]], Awaitable[Sequence[Row]]]


class Database(Protocol):
    """Runs the statements in `sql/`, each by its name.

    Every method raises StorageUnavailableError if the database fails.
    """

    async def fetch(self, name: str, values: Mapping[str, Any]) -> Sequence[Row]:
        """Run the statement with this name, commit the transaction, and return the statement's rows.

        `values` holds the statement's parameters; the database adds `:now`, the current time.
        """

    def locking(self, name: str, values: Mapping[str, Any]) -> AbstractAsyncContextManager[tuple[Row | None, Fetch]]:
        """Run the statement with this name, and lock the row that it finds until the `with` block ends.

        Yield the row (None if there is none), and a function that runs further statements in the same transaction.
        `values` is as in `fetch`.
        """
