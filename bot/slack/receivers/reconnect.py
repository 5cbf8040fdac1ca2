"""Pace the openings of Socket Mode connections over the whole life of a process, and tell when the bot is deaf.

Slack ends a connection for its own reasons, also right after its hello: the eleventh of an app, for one. All replicas
of an app share one limit, some 50 calls of `apps.connections.open` a minute (tier 3):
https://docs.slack.dev/apis/web-api/rate-limits
"""

import random
import time
from collections.abc import Callable

FIRST_DELAY_SECONDS, MAX_DELAY_SECONDS = 0.25, 15.0
"""The delay doubles from the one to the other: 6 openings in the first 10 s. It does not begin with 0.5 s, since Slack
may want a young connection renewed, too, and the next one has to be there before Slack closes it.
"""
JITTER = (0.8, 1.1)
"""Spread replicas that lost Slack at the same moment.

Openings are at most 15 * 1.1 = 16.5 s apart, so commands arrive again within 20 s, with time for the opening itself.
They are at least 15 * 0.8 = 12 s apart in the long run: at most 5 in any minute, and about 38 for nine replicas.
"""
STEADY_SECONDS = 30.0
"""A connection that lives for so long takes back one doubling of the delay; one that ends earlier takes back none."""
DEAF_SECONDS = 300.0
HEARD_FACTOR = 10.0
"""Each second on a connection makes up for ten without one: 30 s of it for all of DEAF_SECONDS."""
MAX_ORDERED_SECONDS = 120.0
"""Slack's limits are counted by the minute, so a `Retry-After` beyond this cannot keep the bot deaf."""


class ReconnectBackoff:
    """Decide when the next connection may be opened. `clock` returns seconds; it need not be the machine's.

    The delay counts from one opening to the next, whatever became of the first: it failed, it hung, its connection
    ended. So nothing that happens in between can raise the rate, and a connection that has lived for longer than any
    delay is replaced at once.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.monotonic,
        first_delay_seconds: float = FIRST_DELAY_SECONDS,
        deaf_seconds: float = DEAF_SECONDS,
    ) -> None:
        self._clock = clock
        self._first_delay_seconds, self._deaf_seconds = first_delay_seconds, deaf_seconds
        self._doublings = 0
        self._next_at = self._deaf_since = clock()

    @property
    def wait_seconds(self) -> float:
        """Return how long to wait before the next opening; 0.0 when there is nothing to wait for."""
        return max(0.0, self._next_at - self._clock())

    @property
    def is_deaf(self) -> bool:
        """Return whether Slack has had no way to send anything for DEAF_SECONDS, or next to none."""
        return self._clock() - self._deaf_since >= self._deaf_seconds

    def opening(self) -> None:
        """Count an opening that begins now."""
        delay = min(self._first_delay_seconds * 2**self._doublings, MAX_DELAY_SECONDS)
        if delay < MAX_DELAY_SECONDS:
            self._doublings += 1
        self._next_at = self._clock() + delay * random.uniform(*JITTER)  # noqa: S311 - spreads a crowd, hides nothing

    def ended(self, lived_seconds: float) -> bool:
        """Take in that a connection has ended after so long, and return whether that was too early."""
        self._doublings = max(0, self._doublings - int(lived_seconds / STEADY_SECONDS))
        self._deaf_since = min(self._clock(), self._deaf_since + lived_seconds * (1 + HEARD_FACTOR))
        return lived_seconds < STEADY_SECONDS

    def ordered(self, seconds: float) -> None:
        """Wait for as long as Slack's `Retry-After` says, from now on."""
        self._next_at = max(self._next_at, self._clock() + min(seconds, MAX_ORDERED_SECONDS))
