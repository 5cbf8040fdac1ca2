"""Count the encrypted values of a database by key, and encrypt the values of older keys with the newest key."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bot.storage.database import Database, Fetch, Row
from bot.storage.encryption import CHECK, SECRET_COLUMNS, Encryptor, tables_with_secrets
from bot.storage.errors import refused
from bot.storage.schema import VERSION

PAGE = 500
"""The maximum number of rows in one read."""
MAX_AT_ONCE = 8
"""The maximum number of updates that run at the same time. Postgres's pool has ten connections, so some stay free."""
MAX_PASSES = 5


@dataclass(frozen=True, slots=True)
class SecretCounts:
    """How many encrypted values a database has, by the key that decrypts them.

    - `newest`: the number of values that the newest key decrypts. If there are no keys: the number of plain texts.
    - `older`: the number of values that only an older key decrypts.
    - `unreadable`: the number of values that no key decrypts.
    """

    newest: int = 0
    older: int = 0
    unreadable: int = 0


@dataclass(frozen=True, slots=True)
class KeyRotation:
    """The result of `SecretTable.rotate`.

    - `changed`: the number of values that `rotate` encrypted with the newest key.
    - `left`: the numbers of values by key at the end of `rotate`. `left.older` is 0 if the rotation is complete.
    """

    changed: int
    left: SecretCounts


async def count_secrets(fetch: Fetch, encryptor: Encryptor, version: int = VERSION) -> SecretCounts:
    """Read all encrypted values of a database, and count them by the key that decrypts them.

    `version`: the version of the database tables, which decides which tables have secrets.
    """
    counts = SecretCounts()
    async for table, rows in _pages(fetch, version):
        for row in rows:
            for column in SECRET_COLUMNS[table]:
                if (text := row[column]) is not None:
                    counts = _counted(counts, text, encryptor)
    return counts


def _counted(counts: SecretCounts, text: str, encryptor: Encryptor) -> SecretCounts:
    if encryptor.is_current(text):
        return replace(counts, newest=counts.newest + 1)
    if encryptor.decrypt(text) is not None:
        return replace(counts, older=counts.older + 1)
    return replace(counts, unreadable=counts.unreadable + 1)


class SecretTable:
    """Counts the encrypted values of all workspaces by encryption key, and encrypts them again with the newest key."""

    def __init__(self, database: Database, encryptor: Encryptor) -> None:
        self._database, self._encryptor = database, encryptor

    async def count(self) -> SecretCounts:
        """Count the encrypted values by the key that decrypts them.

        Raises StorageUnavailableError if the database fails.
        """
        return await count_secrets(self._database.fetch, self._encryptor)

    async def use_keys(self, keys: Sequence[str]) -> None:
        """Replace the encryption keys. `keys`: the new keys, newest first.

        Raises StorageSetupError, and changes nothing, in two cases:

        - The database is encrypted, and no new key decrypts the value `key_check` in its table `facts`.
        - A stored value can be decrypted by an old key, but by no new key.

        Raises StorageUnavailableError, and keeps the old keys, if the database fails.
        """
        new = Encryptor(keys)
        facts = {row["name"]: row["value"] for row in await self._database.fetch("facts", {})}
        if not new.can_use(facts.get("key_check", "")):
            raise refused("database_key_mismatch")
        if not new.has_all_keys_of(self._encryptor) and await self._needs_keys_beside(new):
            raise refused("database_key_needed")
        await self._database.fetch("set_fact", {"name": "key_check", "value": new.encrypt(CHECK)})
        self._encryptor.use(keys)

    async def _needs_keys_beside(self, new: Encryptor) -> bool:
        """Return whether the current keys decrypt a stored value that no key of `new` decrypts.

        If so, the bot needs a current key beside the keys of `new`.
        """

        def is_lost(table: str, row: Row) -> bool:
            texts = [text for column in SECRET_COLUMNS[table] if (text := row[column]) is not None]
            return any(new.decrypt(text) is None and self._encryptor.decrypt(text) is not None for text in texts)

        def are_lost(table: str, rows: Sequence[Row]) -> bool:
            return any(is_lost(table, row) for row in rows)

        async for table, rows in _pages(self._database.fetch):
            if await asyncio.to_thread(are_lost, table, rows):  # commands go on meanwhile
                return True
        return False

    async def rotate(self) -> KeyRotation:
        """Find all values that only an older key decrypts, and encrypt them with the newest key.

        Search the database up to MAX_PASSES times, because a running bot may write values with an older key.

        Raises StorageUnavailableError if the database fails. After an error, or if `left.older` of the result is not 0,
        call `rotate` again.
        """
        changed = 0
        for number in range(MAX_PASSES):
            if number:
                await asyncio.sleep(number)
            changed += await self._pass()
            left = await self.count()
            if not left.older:
                break
        return KeyRotation(changed, left)

    async def _pass(self) -> int:
        """Search the database one time for values of older keys, and encrypt these values with the newest key.

        Return the number of changed values.
        """
        places, changed = asyncio.Semaphore(MAX_AT_ONCE), 0

        async def update(table: str, row: Row) -> int:
            values = self._rotated(table, row)
            if values is None:
                return 0
            async with places:
                is_changed = bool(await self._database.fetch(f"rotate_{table}", values))
            return sum(is_changed and values[column] != row[column] for column in SECRET_COLUMNS[table])

        async for table, rows in _pages(self._database.fetch):
            counts = await asyncio.gather(*(update(table, row) for row in rows), return_exceptions=True)
            for count in counts:
                if isinstance(count, BaseException):
                    raise count
                changed += count
        return changed

    def _rotated(self, table: str, row: Row) -> dict[str, Any] | None:
        """Encrypt the secrets of a row with the newest key. Return the parameters of the statement that stores them.

        Return None if the row needs no change.
        """
        columns = SECRET_COLUMNS[table]
        values = {column: self._with_newest(row[column]) for column in columns}
        if all(values[column] == row[column] for column in columns):
            return None
        return {**row, **values, **{f"was_{column}": row[column] for column in columns}}

    def _with_newest(self, text: str | None) -> str | None:
        """Decrypt the stored value `text`, and return the value encrypted with the newest key.

        Return `text` unchanged if it is None, if the newest key already decrypts it, or if no key decrypts it.
        """
        if text is None or self._encryptor.is_current(text):
            return text
        plain = self._encryptor.decrypt(text)
        return text if plain is None else self._encryptor.encrypt(plain)


async def _pages(fetch: Fetch, version: int = VERSION) -> AsyncIterator[tuple[str, Sequence[Row]]]:
    """Yield the rows of all tables with secrets, page by page: the table's name, and a list of up to PAGE rows.

    `version`: the version of the database tables, which decides which tables have secrets.
    """
    for table in tables_with_secrets(version):
        after = ""
        while rows := await fetch(f"page_of_{table}", {"after": after, "most": PAGE}):
            yield table, rows
            after = rows[-1]["id"]
