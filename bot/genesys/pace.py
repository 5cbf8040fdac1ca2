"""Keeps to the service's rate limit before it has to say no: reads how much of it is used up, and until when.

`inin-ratelimit-count`, `-allowed` and `-reset` (seconds): https://developer.genesys.cloud/platform/api/rate-limits .
Whose turn it is within the limit is for desk/queue.py.
"""

import math
import time
from collections import deque
from collections.abc import Callable, Mapping

PER_MINUTE, MOST_PER_MINUTE = 300, 1_000_000
WINDOW_SECONDS = 60.0
AT_ONCE = 240
"""So many calls are under way at most: fewer than there are connections."""
FEW = 8
ALONE_SECONDS = 1.0
SPARE_SHARE = 2
"""One in so many calls may be spare: what people look at must not keep sessions from being made."""


class RateLimiter:
    """The limit of one token. Keeps to desk.queue.Limit. `clock` counts seconds and never goes back.

    The service counts in windows of a minute, and others may use the same token. So each answer's count is believed,
    half of what is left is under way at most until answers say what the others use, and after a window that was used
    up the first call goes alone, to see whether the next one has begun.
    """

    def __init__(
        self,
        per_minute: int | None = None,
        *,
        window_seconds: float = WINDOW_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`per_minute` overrides what the service says it allows."""
        self.allowed = per_minute or PER_MINUTE
        self._fixed = per_minute is not None
        self._window = window_seconds
        self.clock = self._clock = clock
        self._ends_at = float("-inf")
        self._alone_until = float("-inf")
        self._used = 0
        self._under_way = 0
        self._spare: deque[float] = deque()

    def take(self) -> bool:
        now = self._clock()
        if now >= self._ends_at:
            self._begin_window(now)
        elif now < self._alone_until:
            return False
        left = self.allowed - self._used
        if self._under_way >= min(left, AT_ONCE, max(FEW, left // 2)):
            return False
        self._under_way += 1
        return True

    def take_spare(self) -> bool:
        """Whether one more spare call may go out; then it is counted. A minute has room for half as many as it allows
        calls, wherever the service's own minute begins."""
        now = self._clock()
        while self._spare and self._spare[0] <= now - self._window:
            self._spare.popleft()
        if len(self._spare) >= max(1, self.allowed // SPARE_SHARE):
            return False
        self._spare.append(now)
        return True

    def wait_seconds(self, ahead: int) -> float:
        left, until_next = self.allowed - self._used - self._under_way, self._ends_at - self._clock()
        if ahead < left or until_next <= 0:
            return 0.0
        return until_next + (ahead - max(left, 0)) // self.allowed * self._window

    def shut_seconds(self) -> float:
        now = self._clock()
        return max(0.0, (self._alone_until if now < self._alone_until else self._ends_at) - now)

    def came_back(self, headers: Mapping[str, str] | None = None, *, reached: bool = True) -> None:
        """A call has ended; `headers` are its answer's, if it got one. One that never reached the service is free."""
        self._under_way -= 1
        self._alone_until = float("-inf")
        said = _read(headers) if headers else None
        if said is None:
            self._used += reached
            return
        count, allowed, reset = said
        ends_at = self._clock() + min(reset, self._window)
        if ends_at < self._ends_at - self._window / 2:
            return  # of a window that is over
        newer = ends_at > self._ends_at + self._window / 2
        self._used = count if newer else max(self._used, count)
        self._ends_at = ends_at
        if not self._fixed:
            self.allowed = allowed

    def give_back(self) -> None:
        self.came_back(reached=False)

    def refused(self, seconds: float) -> None:
        """The service has said 429: nothing more for so long."""
        self._used = max(self._used, self.allowed)
        self._ends_at = self._clock() + min(seconds, self._window)

    def _begin_window(self, now: float) -> None:
        if self._used + self._under_way >= self.allowed:
            self._alone_until = now + ALONE_SECONDS
        self._used = 0
        self._ends_at = now + self._window


def is_used_up(headers: Mapping[str, str]) -> bool:
    """Whether an answer says that the whole token has reached its limit."""
    said = _read(headers)
    return said is not None and said[0] >= said[1]


def _read(headers: Mapping[str, str]) -> tuple[int, int, float] | None:
    """Count, allowed and seconds until the reset; None where that makes no sense."""
    try:
        count, allowed, reset = (float(headers[f"inin-ratelimit-{name}"]) for name in ("count", "allowed", "reset"))
        usable = 1 <= allowed < math.inf and count >= 0 and not math.isnan(reset)
        return (int(count), int(min(allowed, MOST_PER_MINUTE)), max(reset, 0.0)) if usable else None
    except (KeyError, ValueError, OverflowError):
        return None
