"""One thread writes, and a write that may wait shares the transaction of one that may not."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from bot.storage.sqlite.writer import BatchWriter

LONG_SECONDS = 60.0


class Book:
    """A table of words that counts its commits."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.commits = 0
        with sqlite3.connect(path) as connection:
            connection.execute("CREATE TABLE words (word TEXT)")
        connection.close()
        self.writer = BatchWriter(self._connect)

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, isolation_level=None)
        connection.set_trace_callback(self._count)
        return connection

    def _count(self, statement: str) -> None:
        self.commits += statement == "COMMIT"

    def words(self) -> list[str]:
        with sqlite3.connect(self._path) as connection:
            found = [word for (word,) in connection.execute("SELECT word FROM words")]
        connection.close()
        return found


@pytest.fixture
async def book(tmp_path: Path) -> AsyncIterator[Book]:
    book = Book(tmp_path / "words.db")
    yield book
    book.writer.close()


def adding(word: str) -> Callable[[sqlite3.Connection], object]:
    return lambda connection: connection.execute("INSERT INTO words VALUES (?)", (word,))


async def begun(book: Book, word: str, max_delay_seconds: float) -> "asyncio.Task[object]":
    task = asyncio.create_task(book.writer.write(adding(word), max_delay_seconds=max_delay_seconds))
    await asyncio.sleep(0)
    return task


async def test_deferred_write_goes_to_disk_with_the_next_urgent_one(book: Book) -> None:
    waiting = [await begun(book, "first", LONG_SECONDS), await begun(book, "second", LONG_SECONDS)]
    await book.writer.write(adding("third"))
    async with asyncio.timeout(5):
        await asyncio.gather(*waiting)
    assert (book.words(), book.commits) == (["first", "second", "third"], 1)


async def test_deferred_write_waits_no_longer_than_it_says(book: Book) -> None:
    loop = asyncio.get_running_loop()
    began = loop.time()
    async with asyncio.timeout(5):
        await book.writer.write(adding("alone"), max_delay_seconds=0.05)
    assert loop.time() - began >= 0.05
    assert book.words() == ["alone"]


async def test_shorter_delay_commits_the_earlier_writes_too(book: Book) -> None:
    patient = await begun(book, "patient", LONG_SECONDS)
    hasty = await begun(book, "hasty", 0.01)
    async with asyncio.timeout(5):
        await asyncio.gather(patient, hasty)
    assert (book.words(), book.commits) == (["patient", "hasty"], 1)


async def test_closing_finishes_what_still_waits(book: Book) -> None:
    waiting = await begun(book, "late", LONG_SECONDS)
    book.writer.close()
    async with asyncio.timeout(5):
        await waiting
    assert book.words() == ["late"]


async def test_one_that_fails_takes_none_with_it(book: Book) -> None:
    def fail(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO words VALUES ('undone')")
        raise LookupError

    waiting = await begun(book, "kept", LONG_SECONDS)
    with pytest.raises(LookupError):
        await book.writer.write(fail)
    async with asyncio.timeout(5):
        await waiting
    assert book.words() == ["kept"]
