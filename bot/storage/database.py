"""Define the interface of a database, so that one repository class works on SQLite and on Postgres."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

Row = Mapping[str, Any]
Fetch = Callable[[str, Mapping[str, Any]], Awaitable[Sequence[Row]]]


class Database(Protocol):
    """Runs SQL statements of the folder `sql/` by their names.

    Every method raises StorageUnavailableError if the database fails.
    """

    async def fetch(self, name: str, values: Mapping[str, Any]) -> Sequence[Row]:
        """Run the statement with this name, commit, and return the rows of the statement.

        `values`: the parameters of the statement by name, without `:now`. The database sets `:now` to the current time.
        """

    def locking(self, name: str, values: Mapping[str, Any]) -> AbstractAsyncContextManager[tuple[Row | None, Fetch]]:
        """Run the statement with this name, and hold a lock on the returned row until the `with` block ends.

        Yield the row and a function. The row is None if the statement returns no row. The block runs its own statements
        with the function, which takes the same arguments as `fetch`. Another call of `locking` for the same row waits
        until the block ends.

        - On Postgres, all statements of the block run in one transaction. Another call waits for at most
          `StorageTiming.account_lock_seconds`, and then raises StorageUnavailableError.
        - On SQLite, each statement commits. Only calls in the same process wait.

        `values`: the parameters of the statement by name, without `:now`.
        """
