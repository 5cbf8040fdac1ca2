"""Notify the requester while their request is being worked.

They read a notice at once when they have to wait for their turn, else when no answer has come for a while, and one more
when it takes longer. Two is the maximum, since Slack's response_url takes five messages.
"""

import asyncio

from bot.core.models import Request, WaitNotice
from bot.core.ports import Notifier
from bot.core.timing import RunTiming

MAX_NOTICES = 2


class ProgressNotifier:
    """Posts the wait notices of one request. Its timer starts with it."""

    def __init__(self, request: Request, notifier: Notifier, timing: RunTiming) -> None:
        self._request, self._notifier, self._timing = request, notifier, timing
        self._wait_until: float | None = None
        self._count = 0
        self._posting: asyncio.Task[None] | None = None
        self._loop = asyncio.get_running_loop()
        self._timer = self._loop.call_later(timing.first_notice_seconds, self._post)

    def sent(self) -> None:
        """Stop announcing a wait: the call has gone out."""
        self._wait_until = None

    def wait(self, seconds: float) -> None:
        """Announce a wait of `seconds`, unless it is short."""
        self._wait_until = self._loop.time() + seconds
        if seconds < self._timing.min_wait_notice_seconds:
            return
        self._timer.cancel()
        self._timer = self._loop.call_at(self._wait_until + self._timing.late_seconds, self._post)
        if self._posting and not self._posting.done():  # as soon as that one has gone out
            self._posting.add_done_callback(lambda _: self._post())
        else:
            self._post()

    async def stop(self) -> None:
        """Post no more. Wait a moment for a notice that is being posted, so that it does not overtake the result."""
        self._timer.cancel()
        self._count = MAX_NOTICES
        if self._posting and not self._posting.done():
            await asyncio.wait({self._posting}, timeout=self._timing.stop_notice_seconds)

    def _post(self) -> None:
        if self._count >= MAX_NOTICES or (self._posting and not self._posting.done()):
            return
        self._count += 1
        left = None if self._wait_until is None else self._wait_until - self._loop.time()
        notice = WaitNotice(left if left and left > 0 else None)
        self._posting = asyncio.ensure_future(self._notifier.note(self._request, notice))
