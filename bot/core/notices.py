"""Send notices: post messages to the readers of each notice, and update the messages when the notice changes.

The database holds the notices and their messages, so any replica can send a message. Each reader gets each message at
least once. After a crash between Slack's answer and the write to the database, a reader can get a message twice.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import replace

from bot.core.errors import StorageUnavailableError
from bot.core.models import Notice, NoticeKind, NoticeMessage
from bot.core.ports import EditResult, NoticeMessages, NoticeRepository
from bot.core.timing import NoticeTiming

log = logging.getLogger(__name__)

MAX_PENDING = 200
MAX_UNSAVED = 1000
DELIVERY_POLL_SECONDS = 0.1
MAX_SAVE_ATTEMPTS = 10
"""The maximum number of tries to change a notice while other replicas change the same notice."""

Key = tuple[NoticeKind, str]
Readers = Callable[[Notice], Awaitable[tuple[Sequence[str], bool]]]
"""A function that returns the users and channels that get a notice, and whether the list is complete. Never raises."""
Edit = Callable[[Notice], Notice | None]
"""A pure function that gets a notice and returns the changed notice, or None to change nothing. If the notice is not
stored yet, the function gets an empty notice with the version 0."""
Update = Callable[[Notice], Awaitable[bool]]
"""A function that checks whether a stored notice still describes the matter, for example whether a fault goes on. If
not, the function changes the notice in the database and returns True. Otherwise it returns False. May raise
StorageUnavailableError."""


class ToldReaders:
    """Holds in memory which users and channels have a message of each notice, and which will get one.

    The bot's answer to a failed request can then say who knows about the fault. Holds nothing about notices that are
    over.

    In the methods, `kind` and `key` identify a notice, as in the class Notice. For a fault, `key` is the fault's name.
    A caller passes None as `key` for an error that is no fault, and so has no notice.
    """

    def __init__(self) -> None:
        self._readers: dict[Key, tuple[str, ...]] = {}
        self._expected: dict[Key, tuple[str, ...]] = {}

    def of(self, kind: NoticeKind, key: str | None) -> tuple[str, ...]:
        """Return the users and channels that have a message of the notice with this kind and key.

        Return () if the notice is over or unknown, or if `key` is None.
        """
        return self._readers.get((kind, key), ()) if key else ()

    def expected(self, kind: NoticeKind, key: str | None) -> tuple[str, ...]:
        """Return the users and channels that will get a message of the notice with this kind and key.

        Leave out those that have a message already. Return () if the notice is over or unknown, or if `key` is None.
        """
        return self._expected.get((kind, key), ()) if key else ()

    def expect(self, notice: Notice, readers: Sequence[str]) -> None:
        """Record that the users and channels `readers` will get a message of this notice.

        Ignore each reader for whom Slack has refused the notice's message.
        """
        refused = {message.reader for message in notice.messages if not message.ts}
        self._expected[notice.kind, notice.key] = tuple(each for each in readers if each not in refused)

    def replace(self, notices: Sequence[Notice]) -> None:
        """Record which readers have a message, for each notice in `notices` that is not over. Forget all other notices.

        If a notice has at least one such reader, `expected` returns () for it from now on.
        """
        self._readers = {(each.kind, each.key): _delivered(each) for each in notices if each.over_at is None}
        self._expected = {key: readers for key, readers in self._expected.items() if not self._readers.get(key)}

    def update(self, notice: Notice) -> None:
        """Record which readers have a message of this notice. If the notice is over, forget the notice."""
        self._readers.pop((notice.kind, notice.key), None)
        self._expected.pop((notice.kind, notice.key), None)
        if notice.over_at is None:
            self._readers[notice.kind, notice.key] = _delivered(notice)


class NoticeBoard:
    """Stores notices, and sends their messages in a background task.

    In the methods, `kind` and `key` identify a notice (see the class Notice). For a fault, `key` is the fault's name.
    """

    def __init__(
        self,
        store: NoticeRepository,
        messages: NoticeMessages,
        readers: Readers,
        told: ToldReaders,
        timing: NoticeTiming,
    ) -> None:
        self._store, self._messages, self._readers, self._timing = store, messages, readers, timing
        self._told = told
        self._updates: dict[NoticeKind, Update] = {}
        self._before_pass: list[Callable[[], Awaitable[None]]] = []
        self._unsaved: deque[tuple[NoticeKind, str, Edit]] = deque()
        self._wake, self._is_stopping = asyncio.Event(), False
        self._task: asyncio.Task[None] | None = None

    def follow(self, kind: NoticeKind, update: Update, before_pass: Callable[[], Awaitable[None]]) -> None:
        """Register two functions that the background task calls in each of its passes.

        - `update`: called with each stored notice of this kind that is not over, before the notice's messages are sent.
          Changes the notice in the database if the notice no longer describes the matter, and then returns True.
        - `before_pass`: called at the start of each pass, for all kinds of notices. May raise StorageUnavailableError,
          which ends the pass.
        """
        self._updates[kind] = update
        self._before_pass.append(before_pass)

    async def find(self, kind: NoticeKind, key: str) -> Notice:
        """Return the notice of this kind with this key. If none is stored, return an empty notice with version 0.

        Raises StorageUnavailableError if the database fails.
        """
        return await self._store.find(kind, key)

    async def ongoing(self, kind: NoticeKind) -> Sequence[Notice]:
        """Return the notices of this kind that are not over.

        The result is incomplete if more than MAX_PENDING notices of all kinds are not over, or have messages to post or
        update. Faults come before all other notices. Raises StorageUnavailableError if the database fails.
        """
        return [each for each in await self._store.pending(MAX_PENDING) if each.kind is kind and not each.over_at]

    async def change(self, kind: NoticeKind, key: str, edit: Edit) -> Notice | None:
        """Change the notice of this kind with this key, or store a new one.

        Call `edit` with the stored notice, or with an empty notice with version 0 if none is stored. Store the notice
        that `edit` returns, and return it. The background task then sends the messages. If `edit` returns None, change
        nothing and return None. Raises StorageUnavailableError if the database fails, or if other tasks change the
        notice during each of MAX_SAVE_ATTEMPTS tries.
        """
        for _ in range(MAX_SAVE_ATTEMPTS):
            changed = edit(await self._store.find(kind, key))
            if changed is None:
                return None
            if await self._store.save(changed):
                self.wake()
                return changed
        raise StorageUnavailableError

    async def expect(self, kind: NoticeKind, key: str) -> None:
        """Record in memory who will get a message of the notice of this kind with this key.

        The bot's answer to a failed request can then name these users and channels before Slack has accepted a message.
        Do nothing if somebody already has a message of the notice. Raises StorageUnavailableError if the database
        fails.
        """
        if not self._told.of(kind, key):
            notice = await self._store.find(kind, key)
            readers, _ = await self._readers(notice)
            self._told.expect(notice, readers)

    async def delivered(self, kind: NoticeKind, key: str, seconds: float) -> tuple[str, ...]:
        """Wait up to `seconds` until Slack has accepted at least one message of the notice of this kind with this key.

        Return the users and channels that got the accepted messages; () if Slack accepts none in this time. Raises
        StorageUnavailableError if the database fails.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        while True:
            readers = _delivered(await self._store.find(kind, key))
            if readers or loop.time() >= deadline:
                return readers
            await asyncio.sleep(DELIVERY_POLL_SECONDS)

    async def change_surely(self, kind: NoticeKind, key: str, edit: Edit) -> None:
        """Change the notice of this kind with this key, or store a new one. Never raises StorageUnavailableError.

        Do the same as `change`. If `change` raises StorageUnavailableError, the background task tries the change again
        later, after the changes that already wait. The change is lost if MAX_UNSAVED changes already wait.
        """
        try:
            await self.change(kind, key, edit)
        except StorageUnavailableError:
            log.warning("a notice is stored later", extra={"fields": {"notice": kind.value}})
            if len(self._unsaved) < MAX_UNSAVED:
                self._unsaved.append((kind, key, edit))

    def wake(self) -> None:
        """Make the background task look now for notices whose messages it has to send or update."""
        self._wake.set()

    def start(self) -> None:
        """Start the background task, which sends and updates the messages of notices."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Stop the background task. Wait up to `NoticeTiming.stop_seconds` for messages that the task is sending."""
        self._is_stopping = True
        self.wake()
        if self._task:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._task, self._timing.stop_seconds)

    async def _run(self) -> None:
        while not self._is_stopping:
            self._wake.clear()
            try:
                await self._pass()
            except StorageUnavailableError:
                log.warning("the storage is unavailable")
            except Exception:
                log.exception("sending notices failed")
            with suppress(TimeoutError):
                async with asyncio.timeout(self._timing.poll_seconds):
                    await self._wake.wait()

    async def _pass(self) -> None:
        for prepare in self._before_pass:
            await prepare()
        while self._unsaved:  # in the order of their calls
            await self.change(*self._unsaved[0])
            self._unsaved.popleft()
        notices = await self._store.pending(MAX_PENDING)
        self._told.replace(notices)
        for notice in notices:
            if self._is_stopping:
                return
            try:
                await self._look_at(notice)
            except StorageUnavailableError:
                raise
            except Exception:  # a newer version may have written it; the other notices go on
                log.exception("sending notices failed", extra={"fields": {"notice": notice.kind.value}})

    async def _look_at(self, notice: Notice) -> None:
        """Change the notice if it no longer describes the matter, and send the messages that it needs.

        Raises StorageUnavailableError if the database fails.
        """
        update = self._updates.get(notice.kind) if notice.over_at is None else None
        is_changed = await update(notice) if update else False
        if not is_changed and notice.shown == notice.version:
            return
        if taken := await self._store.take(notice, self._timing.lease_seconds):
            await self._send(taken)

    async def _send(self, notice: Notice) -> None:
        """Post the notice to readers who have no message of it, and update the messages of the other readers.

        Store each new message as soon as Slack has accepted it.
        """
        readers, are_all = await self._readers(notice)
        has_message, later = {message.reader for message in notice.current}, not are_all
        for reader in readers:
            if reader in has_message:
                continue
            message = await self._messages.post(notice, reader)
            later |= message is None
            if message is not None:
                notice = replace(notice, messages=(*notice.messages, message))
                if not await self._store.store_messages(notice, self._timing.lease_seconds):
                    return  # another replica goes on
        for message in notice.messages:
            if self._is_stopping:
                return
            result = await self._edited(notice, message)
            later |= result is not EditResult.DONE
            if result is EditResult.DONE:
                notice = replace(notice, messages=_with(notice, message))
        self._told.update(notice)
        shown = notice.shown if later else notice.version
        pause = self._timing.retry_seconds if later else self._timing.edit_pause_seconds
        await self._store.store_messages(replace(notice, shown=shown), pause)

    async def _edited(self, notice: Notice, message: NoticeMessage) -> EditResult:
        is_current = message.opened_at == notice.opened_at
        is_finished = message.is_over if not is_current else message.version == notice.version
        if not message.ts or is_finished:
            return EditResult.DONE
        return await self._messages.edit(notice, message)


def _with(notice: Notice, edited: NoticeMessage) -> tuple[NoticeMessage, ...]:
    """Return the notice's messages, with the message `edited` marked as up to date.

    `edited`: a message that Slack has updated, or that needs no update. If this message was posted for an earlier
    `opened_at` of the notice, the result does not contain it.
    """
    shows = replace(edited, version=notice.version, is_over=notice.over_at is not None)
    is_current = edited.opened_at == notice.opened_at
    return tuple(
        shows if message == edited else message for message in notice.messages if message != edited or is_current
    )


def _delivered(notice: Notice) -> tuple[str, ...]:
    """Return the users and channels whose message shows the notice's present status: over, or not over.

    Leave out messages that Slack has refused, and messages that were posted for an earlier `opened_at` of the notice.
    """
    is_over = notice.over_at is not None
    return tuple(message.reader for message in notice.current if message.ts and message.is_over == is_over)
