"""Keep calls to Genesys within its rate limits, and let the requesters take turns.

`RateLimiter` combines three parts. `RateWindow` counts the calls of one token. `PermissionHolds` delays calls that need
one permission. `FairQueue` orders the calls that wait. Genesys reports its limits in the headers
`inin-ratelimit-count`, `-allowed`, `-reset` (seconds): https://developer.genesys.cloud/platform/api/rate-limits .
"""

import asyncio
import logging
import math
import time
from collections import OrderedDict, defaultdict, deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

import httpx

from bot.core.errors import ServiceBusyError
from bot.core.ports import CallHooks
from bot.core.shared_waits import SharedWaits
from bot.core.timing import GENESYS_TIMING, GenesysTiming
from bot.genesys.retry import Sleep, retry_after

log = logging.getLogger(__name__)

DEFAULT_PER_MINUTE, MAX_PER_MINUTE = 300, 1_000_000
MAX_CONCURRENT_CALLS = 240
"""The maximum number of calls in flight. It is less than MAX_CONNECTIONS in http.py, so that the bot's sign-in always
gets a connection."""
MIN_CONCURRENT_CALLS = 8


@dataclass(frozen=True, slots=True)
class Share:
    """The part of the rate limit that one group of calls may use. The rest stays free for creating sessions.

    - `one_of`: the share is 1/`one_of` of the calls allowed per minute, for example a quarter if `one_of` is 4.
    - `only_idle`: if True, the share allows no call while other calls wait, or while less than half of the calls
      allowed in the current minute are left.
    """

    one_of: int
    only_idle: bool = False


LOOK = Share(2)
"""The share of the rate limit for reads whose result a person waits for."""
LIVE = Share(4, only_idle=True)
"""The share of the rate limit for background reads of open sessions, and for calls about notification channels."""

Clock = Callable[[], float]
Turn = asyncio.Future[None]


class RateLimiter:
    """Decides when each call to Genesys may be sent, so that the calls stay within Genesys's rate limits."""

    def __init__(
        self,
        per_minute: int | None = None,
        *,
        calls_per_session: int = 1,
        window: "RateWindow | None" = None,
        timing: GenesysTiming = GENESYS_TIMING,
        clock: Clock = time.monotonic,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        """Store the rate limit.

        - `per_minute`: the allowed calls per minute. None: DEFAULT_PER_MINUTE, until Genesys reports its limit.
        - `calls_per_session`: how many calls it takes to create one session.
        - `window`: counts the calls; None for a new RateWindow.
        - `clock`: returns seconds and never goes back.
        """
        self._window = window or RateWindow(per_minute, timing=timing, clock=clock)
        self._queue = FairQueue(self._window, calls_per_session)
        self._holds = PermissionHolds(timing, clock, sleep)
        self._default_hold = timing.first_backoff_seconds
        self._waits: defaultdict[str, SharedWaits] = defaultdict(lambda: SharedWaits(clock))

    @property
    def queue_length(self) -> int:
        """Return the number of calls that wait in the queue."""
        return self._queue.length

    def can_send_now(self, needs: str) -> bool:
        """Return whether a request's call is expected to be sent now without a wait.

        `needs`: the permission that the call needs.
        """
        return self._queue.is_idle and not self._holds.has_hold(needs)

    def waits(self, needs: str) -> SharedWaits:
        """Return the object that tells requests how long a background call has to wait.

        `needs`: the permission that the background call needs. All background calls that need it use the same object.
        """
        return self._waits[needs]

    def try_share(self, share: Share) -> bool:
        """Return whether `share`, a part of the rate limit, has room for one more call now.

        If True, the call counts towards the share from now on, and the caller must call `acquire` before it sends the
        call.
        """
        if share.only_idle and (self._queue.length or not self._window.has_half_left):
            return False
        return self._window.try_share(share)

    def refuse_if_held(self, needs: str) -> None:
        """Raise ServiceBusyError if the permission `needs` has a hold."""
        if left := self._holds.seconds_left(needs):
            raise ServiceBusyError(retry_after=left)

    async def acquire(
        self, hooks: CallHooks | None, *, needs: str | None, continues: bool = False, waits: bool = True
    ) -> None:
        """Wait until a call may be sent. The caller must call `release` when the call has ended.

        - `hooks`: the call hooks of the request; None for a background call. Report each wait to `hooks.on_wait`, or,
          for a background call, to the result of `waits(needs)`.
        - `needs`: the permission that the call needs; None for a call with a person's token, whose limits are unknown.
        - `continues`: True for a retry, or if an earlier call for the same session was sent. If True, a request's call
          goes before all waiting calls, and a background call goes before the other waiting background calls.
        - `waits`: False to raise ServiceBusyError if `needs` has a hold.

        Raises ServiceBusyError if the wait for the hold of `needs` would be longer than
        `GenesysTiming.max_hold_total_seconds`. Raises the exceptions of `hooks.on_wait`.
        """
        while True:
            if needs:
                await self._holds.wait(needs, (hooks or self._waits[needs]).on_wait if waits else _refuse)
                if hooks is None and (seconds := self._window.estimate_wait(self._queue.length)) > 0:
                    await self._waits[needs].on_wait(seconds)
            await self._queue.acquire(hooks, continues=continues)
            if needs is None or not self._holds.is_held(needs):
                return
            self._queue.cancel()  # a 429 arrived while this call waited for its turn

    def release(self, response: httpx.Response | None, *, needs: str | None) -> None:
        """Record that a call has ended, and read the rate limit from the answer's headers.

        - `response`: the answer; None if there is none.
        - `needs`: the value that the caller passed to `acquire`.
        """
        is_own_token = needs is not None
        headers = response.headers if response is not None and is_own_token else None
        self._window.release(headers, reached=response is not None)
        if response is not None and needs:
            self._learn(response, needs)
        self._queue.release_next()

    def _learn(self, response: httpx.Response, needs: str) -> None:
        """Update the limits after an answer to a call that needs the permission `needs`. The status decides:

        - 429, and the token is at its limit: delay all calls.
        - 429, and the token is below its limit: delay only the calls that need `needs`.
        - Any other status: end the hold of `needs` if its time is over.
        """
        if response.status_code != 429:
            self._holds.record_answer(needs)
            return
        seconds = retry_after(response.headers) or self._default_hold
        if is_exhausted(response.headers):
            self._window.block(seconds)
        else:
            self._holds.hold(needs, seconds)


async def _refuse(seconds: float) -> None:
    raise ServiceBusyError(retry_after=seconds)


class RateWindow:
    """Counts the calls of one token in Genesys's current rate-limit window, which lasts a minute.

    - Other processes can use the same token. So a higher count in Genesys's answer replaces this object's count.
    - At most half of the calls that are left may be in flight at the same time. If this half is less than
      MIN_CONCURRENT_CALLS, the limit is MIN_CONCURRENT_CALLS. The limit is never more than the number of calls that are
      left, and never more than MAX_CONCURRENT_CALLS.
    - After a window in which the limit was reached, one call is sent as a test, because Genesys's next window may not
      have begun yet. The other calls wait for the answer of the test call, `GenesysTiming.rate_probe_seconds` at most.

    `allowed`: the allowed calls per minute.
    """

    def __init__(
        self, per_minute: int | None = None, *, timing: GenesysTiming = GENESYS_TIMING, clock: Clock = time.monotonic
    ) -> None:
        """Store the rate limit.

        - `per_minute`: the allowed calls per minute. None: DEFAULT_PER_MINUTE, until Genesys reports its limit.
        - `clock`: returns seconds and never goes back.
        """
        self.allowed = per_minute or DEFAULT_PER_MINUTE
        self._is_fixed = per_minute is not None
        self._window_seconds, self._probe_seconds = timing.rate_window_seconds, timing.rate_probe_seconds
        self._clock = clock
        self._ends_at = float("-inf")
        self._probe_until = float("-inf")
        self._used = 0
        self._in_flight = 0
        self._shared: defaultdict[Share, deque[float]] = defaultdict(deque)

    def try_acquire(self) -> bool:
        """Return whether a call may be sent now.

        If True, the call counts as in flight, and the caller must call `release` when the call has ended.
        """
        now = self._clock()
        if now >= self._ends_at:
            self._begin_window(now)
        elif now < self._probe_until:
            return False
        left = self.allowed - self._used
        if self._in_flight >= min(left, MAX_CONCURRENT_CALLS, max(MIN_CONCURRENT_CALLS, left // 2)):
            return False
        self._in_flight += 1
        return True

    def try_share(self, share: Share) -> bool:
        """Return whether `share`, a part of the rate limit, has room for one more call now.

        If True, the call counts towards the share from now on. The share has room for 1/`share.one_of` of the allowed
        calls per minute, rounded down, but for at least one call. Ignore `share.only_idle`: RateLimiter checks it.
        """
        now, sent = self._clock(), self._shared[share]
        while sent and sent[0] <= now - self._window_seconds:
            sent.popleft()
        if len(sent) >= max(1, self.allowed // share.one_of):
            return False
        sent.append(now)
        return True

    @property
    def has_half_left(self) -> bool:
        """Return whether at most half of the window's calls are used, counting the calls in flight."""
        is_new = self._clock() >= self._ends_at
        used = self._in_flight + (0 if is_new else self._used)
        return 2 * used <= self.allowed

    def estimate_wait(self, ahead: int) -> float:
        """Return the expected wait of a call in seconds. `ahead`: the number of calls that go before this call."""
        left, until_next = self.allowed - self._used - self._in_flight, self._ends_at - self._clock()
        if ahead < left or until_next <= 0:
            return 0.0
        return until_next + (ahead - max(left, 0)) // self.allowed * self._window_seconds

    def seconds_until_open(self) -> float:
        """Return the time in seconds after which `try_acquire` may return True again.

        It is the time until the current window ends, or 0.0 if the window has ended. While calls wait for the answer of
        a test call, it is the time until they stop waiting. If a call in flight ends earlier, the caller tries again
        then.
        """
        now = self._clock()
        return max(0.0, (self._probe_until if now < self._probe_until else self._ends_at) - now)

    def release(self, headers: Mapping[str, str] | None = None, *, reached: bool = True) -> None:
        """Record that a call has ended, and update this object with the numbers in the answer's headers.

        The headers say how many calls are used and allowed, and when the window ends. If the constructor got
        `per_minute`, ignore the header with the number of allowed calls.

        - `headers`: the headers of the answer; None if there is no answer, or if the call used a person's token, which
          has another rate limit.
        - `reached`: False if the call was not sent, or got no answer. The call then does not count towards the limit.
        """
        self._in_flight -= 1
        self._probe_until = float("-inf")
        usage = _read_usage(headers) if headers else None
        if usage is None:
            self._used += reached
            return
        count, allowed, reset = usage
        ends_at = self._clock() + min(reset, self._window_seconds)
        if ends_at < self._ends_at - self._window_seconds / 2:
            return  # the answer is from an earlier window
        is_newer = ends_at > self._ends_at + self._window_seconds / 2
        self._used = count if is_newer else max(self._used, count)
        self._ends_at = ends_at
        if not self._is_fixed:
            self.allowed = allowed

    def block(self, seconds: float) -> None:
        """Let no call pass for `seconds`, or for the length of a window if that is shorter.

        The caller calls this method after a 429 about the token's limit.
        """
        self._used = max(self._used, self.allowed)
        self._ends_at = self._clock() + min(seconds, self._window_seconds)

    def _begin_window(self, now: float) -> None:
        if self._used + self._in_flight >= self.allowed:
            self._probe_until = now + self._probe_seconds
        self._used = 0
        self._ends_at = now + self._window_seconds


def is_exhausted(headers: Mapping[str, str]) -> bool:
    """Return whether the headers of an answer show that the token has no calls left in the current window."""
    usage = _read_usage(headers)
    return usage is not None and usage[0] >= usage[1]


def _read_usage(headers: Mapping[str, str]) -> tuple[int, int, float] | None:
    """Read Genesys's rate-limit headers: the counted calls, the allowed calls, and the seconds until the next window.

    Return None if one of the three headers is missing or malformed.
    """
    try:
        count, allowed, reset = (float(headers[f"inin-ratelimit-{name}"]) for name in ("count", "allowed", "reset"))
        is_usable = 1 <= allowed < math.inf and count >= 0 and not math.isnan(reset)
        return (int(count), int(min(allowed, MAX_PER_MINUTE)), max(reset, 0.0)) if is_usable else None
    except (KeyError, ValueError, OverflowError):
        return None


class FairQueue:
    """Orders the calls that wait for the rate limit.

    The fairness keys take turns: after a call with one key, a call with the next key is sent. A background call is sent
    only when no request's call waits.
    """

    def __init__(self, window: RateWindow, calls_per_session: int = 1) -> None:
        """Store the window, which decides how many calls may be sent.

        `calls_per_session`: how many calls it takes to create one session. The queue needs it to estimate waits.
        """
        self._window = window
        self._calls_per_session = calls_per_session
        self._queues: OrderedDict[str, deque[Turn]] = OrderedDict()  # by fairness key; the first key is next
        self._background: deque[Turn] = deque()
        self._depth_counts: list[int] = []  # how many queues have a first, a second, a third … call
        self._timer: asyncio.TimerHandle | None = None

    @property
    def is_idle(self) -> bool:
        """Return whether no request's call waits, and a new one is expected to pass now without a wait."""
        return not self._queues and not self._window.estimate_wait(0)

    @property
    def length(self) -> int:
        """Return the number of waiting calls, including background calls."""
        return sum(map(len, self._queues.values())) + len(self._background)

    async def acquire(self, hooks: CallHooks | None, *, continues: bool = False) -> None:
        """Wait until the call may be sent.

        - `hooks`: the call hooks of the request; None for a background call. If the expected wait is more than 0
          seconds, call `hooks.on_wait` with the wait.
        - `continues`: True for a retry, or if an earlier call for the same session was sent. If True, a request's call
          goes before all waiting calls, and a background call goes before the other waiting background calls.

        Raises the exceptions of `hooks.on_wait`.
        """
        if not self._queues and (hooks or not self._background) and self._window.try_acquire():
            return
        queue = self._background if hooks is None else self._queues.setdefault(hooks.fairness_key, deque())
        turn: Turn = asyncio.get_running_loop().create_future()
        ahead = self._enqueue(queue, turn, hooks, continues)
        self.release_next()
        try:
            if hooks and not turn.done():
                seconds = self._window.estimate_wait(ahead * self._calls_per_session)
                if seconds > 0:
                    await hooks.on_wait(seconds)
            await turn
        except BaseException:
            self._abandon(queue, turn, hooks)
            raise

    def release_next(self) -> None:
        """Let as many waiting calls pass as the window allows now.

        If calls still wait after that, let more of them pass when the window opens.
        """
        if self._timer:
            self._timer.cancel()
            self._timer = None
        while self._drop_cancelled():
            if not self._window.try_acquire():
                loop = asyncio.get_running_loop()
                self._timer = loop.call_later(self._window.seconds_until_open(), self.release_next)
                return
            self._dequeue().set_result(None)

    def cancel(self) -> None:
        """Undo the `acquire` of a call that is not sent, and let the next waiting call pass."""
        self._window.release(reached=False)
        self.release_next()

    def _drop_cancelled(self) -> bool:
        """Remove the calls that are next but cancelled. Return whether a call waits after that.

        A cancelled call stays in its queue until its task runs again. It must not get a turn meanwhile.
        """
        while self._queues or self._background:
            key = next(iter(self._queues), None)
            turn = (self._background if key is None else self._queues[key])[0]
            if not turn.cancelled():
                return True
            self._remove(key, turn)
        return False

    def _dequeue(self) -> Turn:
        if not self._queues:
            return self._background.popleft()
        key, queue = next(iter(self._queues.items()))
        turn = queue.popleft()
        self._depth_counts[len(queue)] -= 1
        if queue:
            self._queues.move_to_end(key)
        else:
            del self._queues[key]
        return turn

    def _enqueue(self, queue: deque[Turn], turn: Turn, hooks: CallHooks | None, continues: bool) -> int:
        """Add a call to `queue`. Return the number of calls that go before this call.

        For a background call, do not count, and return 0.

        - `turn`: the future that completes when the call may be sent.
        - `hooks`: None for a background call.
        - `continues`: if True, put the call at the front of `queue`, and its requester before all other requesters.
        """
        if continues:
            queue.appendleft(turn)
        else:
            queue.append(turn)
        if hooks is None:
            return 0
        if len(queue) > len(self._depth_counts):
            self._depth_counts.append(0)
        self._depth_counts[len(queue) - 1] += 1
        if continues:
            self._queues.move_to_end(hooks.fairness_key, last=False)
            return 0
        return sum(self._depth_counts[: len(queue)]) - 1

    def _abandon(self, queue: deque[Turn], turn: Turn, hooks: CallHooks | None) -> None:
        """Remove a call from `queue`, because the wait for its turn was cancelled or failed.

        If the call had already got its turn, let the next waiting call pass. `turn`: the future of the call.
        """
        if turn.done() and not turn.cancelled():  # the call got its turn a moment ago: pass it on
            self.cancel()
        elif turn in queue:  # otherwise `_drop_cancelled` has removed it
            self._remove(hooks.fairness_key if hooks else None, turn)

    def _remove(self, key: str | None, turn: Turn) -> None:
        """Remove a waiting call. `key`: its fairness key; None for a background call."""
        if key is None:
            self._background.remove(turn)
            return
        queue = self._queues[key]
        queue.remove(turn)
        self._depth_counts[len(queue)] -= 1
        if not queue:
            del self._queues[key]


@dataclass
class _Hold:
    """The hold of one permission. All times are in seconds of the clock of PermissionHolds.

    - `until`: until this time, all calls that need the permission wait. Then one of them is sent as a test.
    - `probe_until`: until this time, the other calls wait for the answer of the test call.
    - `changed`: set when the hold ends or becomes longer.
    """

    until: float
    probe_until: float = float("-inf")
    changed: asyncio.Event = field(default_factory=asyncio.Event)


class PermissionHolds:
    """Delays all calls that need one permission, after Genesys answered one of these calls with 429.

    Genesys limits some endpoints separately, even if the token is below its own limit. In all methods, `needs` is the
    name of the permission.
    """

    def __init__(
        self, timing: GenesysTiming = GENESYS_TIMING, clock: Clock = time.monotonic, sleep: Sleep = asyncio.sleep
    ) -> None:
        self._timing, self._clock, self._sleep = timing, clock, sleep
        self._holds: dict[str, _Hold] = {}

    def hold(self, needs: str, seconds: float) -> None:
        """Delay all calls that need the permission `needs`, for `seconds` from now.

        The delay is at most `GenesysTiming.max_hold_seconds`. If a hold with a later end exists, keep the later end.
        """
        seconds = min(seconds, self._timing.max_hold_seconds)
        until = self._clock() + seconds
        hold = self._holds.get(needs)
        if hold is None or hold.until < self._clock():
            fields = {"needs": needs, "seconds": round(seconds)}
            log.info("Genesys limits calls that need one permission", extra={"fields": fields})
        if hold is None:
            hold = self._holds[needs] = _Hold(until)
        hold.until, was_probed = max(hold.until, until), hold.probe_until > self._clock()
        hold.probe_until = float("-inf")
        if was_probed:  # the calls that wait for the probe's answer must wait until the new time
            hold.changed.set()
            hold.changed = asyncio.Event()

    def record_answer(self, needs: str) -> None:
        """End the hold of the permission `needs` if the hold's time is over.

        The caller calls this method after an answer other than 429 to a call that needs the permission. During the
        hold's time, such an answer proves nothing: the call may have been sent before the hold.
        """
        hold = self._holds.get(needs)
        if hold and hold.until <= self._clock():
            del self._holds[needs]
            hold.changed.set()

    def is_held(self, needs: str) -> bool:
        """Return whether the permission `needs` has a hold whose time is not over yet."""
        return self.seconds_left(needs) > 0

    def seconds_left(self, needs: str) -> float:
        """Return the time until the hold of the permission `needs` is over, in seconds; 0.0 if there is none."""
        hold = self._holds.get(needs)
        return max(0.0, hold.until - self._clock()) if hold else 0.0

    def has_hold(self, needs: str) -> bool:
        """Return whether there is a hold for the permission `needs`, even if its time is over.

        A hold begins with a 429. After its time, calls go out again, but the hold stays until one of them gets another
        answer than 429.
        """
        return needs in self._holds

    async def wait(self, needs: str, on_wait: Callable[[float], Awaitable[None]]) -> None:
        """Wait until a call that needs the permission `needs` may be sent.

        If the hold's time is not over, call `on_wait` with the seconds that are left. Call it again if the hold
        becomes longer.

        Raises ServiceBusyError if the whole wait would be longer than `GenesysTiming.max_hold_total_seconds`. Raises
        the exceptions of `on_wait`.
        """
        began = self._clock()
        while hold := self._holds.get(needs):
            now = self._clock()
            left = max(hold.until, hold.probe_until) - now
            if left <= 0:
                hold.probe_until = now + self._timing.hold_probe_seconds
                return
            if now + left - began > self._timing.max_hold_total_seconds:
                raise ServiceBusyError(retry_after=left)
            if now < hold.until:
                await on_wait(left)
            await self._wait_for_change(hold.changed, left)

    async def _wait_for_change(self, changed: asyncio.Event, max_seconds: float) -> None:
        waiting = [asyncio.ensure_future(changed.wait()), asyncio.ensure_future(self._sleep(max_seconds))]
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waiting:
                task.cancel()
