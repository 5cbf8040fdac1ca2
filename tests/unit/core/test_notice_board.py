"""The notice board: which changes of notices survive while the database is unavailable."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from bot.core.errors import StorageUnavailableError
from bot.core.models import Notice, NoticeKind, TeamId
from bot.core.notices import Edit, NoticeBoard, ToldReaders
from bot.core.timing import NoticeTiming
from tests.support.request_run import JumpingLoop

KEY = "s-1"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
NO_MESSAGES: Any = None
"""No notice is pending, so nothing is sent."""


class Store:
    """A store of one notice. It fails while it is unavailable. `on_save` is called in the middle of each save."""

    def __init__(self) -> None:
        self.notice = Notice(
            kind=NoticeKind.ENDED, key=KEY, team_id=TeamId("T0"), read_at=NOW, opened_at=NOW, data={"done": []}
        )
        self.is_available = True
        self.on_save: Any = None

    async def find(self, kind: NoticeKind, key: str) -> Notice:
        self._check()
        return self.notice

    async def save(self, notice: Notice) -> bool:
        self._check()
        if self.on_save:
            await self.on_save()
        self.notice = notice
        return True

    async def pending(self, most: int) -> list[Notice]:
        self._check()
        return []

    def _check(self) -> None:
        if not self.is_available:
            raise StorageUnavailableError


def adding(name: str) -> Edit:
    """Return a change that adds a name to the notice."""
    return lambda notice: replace(notice, data={"done": [*notice.data["done"], name]})


async def nobody(notice: Notice) -> tuple[tuple[str, ...], bool]:
    return (), True


def played(*, interrupts: bool) -> list[str]:
    """Return the names that a notice holds after two changes that the database did not take, in their order.

    `interrupts`: whether a third change, which fails too, comes while the first one is saved later.
    """
    store = Store()

    async def play() -> None:
        board = NoticeBoard(store, NO_MESSAGES, nobody, ToldReaders(), NoticeTiming())
        store.is_available = False
        for name in ("one", "two"):
            await board.change_surely(NoticeKind.ENDED, KEY, adding(name))

        async def fails_in_between() -> None:
            store.on_save, store.is_available = None, False
            await board.change_surely(NoticeKind.ENDED, KEY, adding("three"))
            store.is_available = True

        store.is_available, store.on_save = True, fails_in_between if interrupts else None
        board.start()
        await asyncio.sleep(60)
        await board.stop()

    with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        runner.run(play())
    done: list[str] = store.notice.data["done"]
    return done


def test_changes_of_one_notice_wait_for_the_database_in_order() -> None:
    assert played(interrupts=False) == ["one", "two"]


def test_change_that_fails_while_an_earlier_one_is_saved_is_kept() -> None:
    assert played(interrupts=True) == ["one", "two", "three"]
