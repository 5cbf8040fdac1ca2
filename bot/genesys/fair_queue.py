"""Whose turn it is when the service's rate limit makes people wait. How much it takes is for whoever keeps the limit.

Round-robin between requesters, and first come first served within one. Calls that nobody's session is made by, such as
look-ups, go when no session waits.
"""

import asyncio
from collections import OrderedDict, deque
from typing import Protocol

from bot.core.ports import CallHooks

Turn = asyncio.Future[None]


class RateLimit(Protocol):
    """How much the service takes."""

    def take(self) -> bool:
        """Whether a call may go out now. If so it is counted, and has to come back."""

    def wait_seconds(self, ahead: int) -> float:
        """About how long a call with so many before it waits; 0.0: not at all."""

    def shut_seconds(self) -> float:
        """For how long none may go out, unless one comes back before."""

    def give_back(self) -> None:
        """A call that was taken does not go out."""


class FairQueue:
    """Hands out turns, one for each call."""

    def __init__(self, limit: RateLimit, calls_each: int = 1) -> None:
        """`calls_each`: how many a session takes. All but the first of them are said to be `again`."""
        self._limit = limit
        self._calls_each = calls_each
        self._lines: OrderedDict[str, deque[Turn]] = OrderedDict()  # by requester; the first of them is next
        self._background: deque[Turn] = deque()
        self._rounds: list[int] = []  # in how many lines there is a first, a second, a third … call
        self._timer: asyncio.TimerHandle | None = None

    async def turn(self, hooks: CallHooks | None, *, again: bool = False) -> None:
        """Returns when the call may go out. `hooks` is whose session it makes, None for calls in the background;
        `again`: its session had a turn before, and has the next. Raises what `hooks.on_wait` raises."""
        if not self._lines and (hooks or not self._background) and self._limit.take():
            return
        line = self._background if hooks is None else self._lines.setdefault(hooks.fairness_key, deque())
        turn: Turn = asyncio.get_running_loop().create_future()
        ahead = self._join(line, turn, hooks, again)
        self.hand_out()
        try:
            if hooks and not turn.done() and (seconds := self._limit.wait_seconds(ahead * self._calls_each)) > 0:
                await hooks.on_wait(seconds)
            await turn
        except BaseException:
            self._leave(line, turn, hooks)
            raise

    @property
    def is_free(self) -> bool:
        """Whether a call would have its turn at once."""
        return not self._lines and not self._limit.wait_seconds(0)

    @property
    def length(self) -> int:
        """How many calls wait for their turn."""
        return sum(map(len, self._lines.values())) + len(self._background)

    def hand_out(self) -> None:
        """Gives turns as far as the limit goes; to be asked whenever a call has come back."""
        if self._timer:
            self._timer.cancel()
            self._timer = None
        while self._lines or self._background:
            if not self._limit.take():
                loop = asyncio.get_running_loop()
                self._timer = loop.call_later(self._limit.shut_seconds(), self.hand_out)
                return
            self._next().set_result(None)

    def give_back(self) -> None:
        """Let another call have a turn that was given: the one that had it cannot go out."""
        self._limit.give_back()
        self.hand_out()

    def _next(self) -> Turn:
        if not self._lines:
            return self._background.popleft()
        requester, line = next(iter(self._lines.items()))
        turn = line.popleft()
        self._rounds[len(line)] -= 1
        if line:
            self._lines.move_to_end(requester)
        else:
            del self._lines[requester]
        return turn

    def _join(self, line: deque[Turn], turn: Turn, hooks: CallHooks | None, again: bool) -> int:
        """How many are before it now."""
        if again:
            line.appendleft(turn)
        else:
            line.append(turn)
        if hooks is None:
            return 0
        if len(line) > len(self._rounds):
            self._rounds.append(0)
        self._rounds[len(line) - 1] += 1
        if again:
            self._lines.move_to_end(hooks.fairness_key, last=False)
            return 0
        return sum(self._rounds[: len(line)]) - 1

    def _leave(self, line: deque[Turn], turn: Turn, hooks: CallHooks | None) -> None:
        """Whoever waited for it has gone."""
        if turn.done() and not turn.cancelled():  # it was given just now, so that somebody else has to get it
            self._limit.give_back()
            self.hand_out()
            return
        line.remove(turn)
        if hooks:
            self._rounds[len(line)] -= 1
            if not line:
                del self._lines[hooks.fairness_key]
