"""The notice board: changes while the database is unavailable, notices that fail, and who has a message."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.core.errors import StorageUnavailableError
from bot.core.models import ChannelId, Notice, NoticeKind, NoticeMessage, TeamId
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


class Shelf(Store):
    """A store of several notices that are not shown yet. Nothing is written."""

    def __init__(self, *notices: Notice) -> None:
        super().__init__()
        self.notices = notices

    async def find(self, kind: NoticeKind, key: str) -> Notice:
        return next(each for each in self.notices if each.key == key)

    async def pending(self, most: int) -> list[Notice]:
        return list(self.notices)

    async def take(self, notice: Notice, seconds: float) -> Notice:
        return notice

    async def store_messages(self, notice: Notice, seconds: float) -> bool:
        return True


class Messages:
    """Slack's messages. Those about the notice "broken" cannot be rendered."""

    def __init__(self) -> None:
        self.posted: list[str] = []

    async def post(self, notice: Notice, reader: str) -> NoticeMessage | None:
        if notice.key == "broken":
            raise ValueError
        self.posted.append(notice.key)
        return None


def notice(kind: NoticeKind, key: str, **changes: Any) -> Notice:
    new = Notice(kind=kind, key=key, team_id=TeamId("T0"), read_at=NOW, opened_at=NOW, version=1, data={"n": 1})
    return replace(new, **changes)


async def test_notice_that_fails_holds_no_other_one_up() -> None:
    unread, broken = notice(NoticeKind.FAULT, "unread"), notice(NoticeKind.ENDED, "broken", over_at=NOW)
    store, messages = Shelf(unread, broken, notice(NoticeKind.ENDED, "sound", over_at=NOW)), Messages()

    async def update(_: Notice) -> bool:
        raise ValueError

    async def prepare() -> None:
        pass

    async def readers(_: Notice) -> tuple[tuple[str, ...], bool]:
        return ("U0ADA",), True

    board = NoticeBoard(store, messages, readers, ToldReaders(), NoticeTiming())  # type: ignore[arg-type]
    board.follow(NoticeKind.FAULT, update, prepare)
    board.start()
    await asyncio.sleep(0.05)
    await board.stop()
    assert messages.posted == ["sound"]


async def test_message_of_an_earlier_opening_tells_nobody_of_this_one() -> None:
    earlier = NOW - timedelta(days=2)
    old = NoticeMessage(
        reader="U0OLD", channel_id=ChannelId("D1"), ts="1.1", version=1, opened_at=earlier, is_over=True
    )
    again = notice(NoticeKind.HELP, "asked", over_at=NOW, messages=(old,))
    board = NoticeBoard(Shelf(again), NO_MESSAGES, nobody, ToldReaders(), NoticeTiming())  # type: ignore[arg-type]
    assert await board.delivered(NoticeKind.HELP, "asked", 0) == ()
    new = replace(old, reader="U0NEW", opened_at=NOW)
    board = NoticeBoard(Shelf(replace(again, messages=(old, new))), NO_MESSAGES, nobody, ToldReaders(), NoticeTiming())  # type: ignore[arg-type]
    assert await board.delivered(NoticeKind.HELP, "asked", 0) == ("U0NEW",)
