"""Decide when to open Socket Mode connections, and detect that Slack cannot reach the bot ("deaf").

A new connection may end at once. For example, an app can have ten connections. On an eleventh connection, Slack sends
its first message (the hello), and then closes the connection. All replicas of an app share one limit of about 50 calls
of `apps.connections.open` per minute (tier 3): https://docs.slack.dev/apis/web-api/rate-limits
"""

import random
import time
from collections.abc import Callable

FIRST_DELAY_SECONDS, MAX_DELAY_SECONDS = 0.25, 15.0
"""The first and the longest delay between two openings. Each opening doubles the delay: 6 openings in the first 10 s.

The first delay is under 0.5 s, because Slack may ask for a new connection soon after the last opening. The bot must
open the new connection before Slack closes the old one.
"""
JITTER = (0.8, 1.1)
"""The range of a random factor for each delay. Without it, replicas that lose Slack at the same moment would also come
back at the same moment.

Openings are at most 15 * 1.1 = 16.5 s apart, so commands arrive again within 20 s, with time for the opening itself.
In the long run, openings are at least 15 * 0.8 = 12 s apart, so each replica starts at most 5 in any minute. With the
mean factor 0.95, nine replicas start about 38 in a minute.
"""
STEADY_SECONDS = 30.0
"""How long a connection must live to halve the delay between openings. Twice this time halves the delay twice."""
DEAF_SECONDS = 300.0
HEARD_FACTOR = 10.0
"""Each second with a connection cancels out ten seconds without one, so 30 s with a connection cancel out all of
DEAF_SECONDS."""
MAX_ORDERED_SECONDS = 120.0
"""The longest time that the bot waits after a Retry-After, even if the Retry-After is longer."""


class ReconnectBackoff:
    """Decides when the bot may open the next connection, and whether the bot has been without one for too long.

    - `clock`: returns seconds and never goes back.
    - `first_delay_seconds`: the delay from the start of the first opening to the start of the second. Each opening
      doubles the delay, up to MAX_DELAY_SECONDS, whether the opening succeeds or fails. When a connection ends, the
      delay is halved once for each STEADY_SECONDS that the connection lived.
    - `deaf_seconds`: after this time without a connection, the bot counts as deaf.
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
        """Return the seconds to wait before the next opening; 0.0 for an opening at once."""
        return max(0.0, self._next_at - self._clock())

    @property
    def is_deaf(self) -> bool:
        """Return whether the bot was without a connection for `deaf_seconds` or more in total.

        Each second with a connection reduces this total by HEARD_FACTOR seconds. The total is reduced only when the
        connection ends. So read this property only while no connection is open.
        """
        return self._clock() - self._deaf_since >= self._deaf_seconds

    def opening(self) -> None:
        """Record that the bot starts to open a connection."""
        delay = min(self._first_delay_seconds * 2**self._doublings, MAX_DELAY_SECONDS)
        if delay < MAX_DELAY_SECONDS:
            self._doublings += 1
        self._next_at = self._clock() + delay * random.uniform(*JITTER)  # noqa: S311 - spreads a crowd, hides nothing

    def ended(self, lived_seconds: float) -> bool:
        """Record that a connection has ended or has to be replaced, after it has lived for `lived_seconds`.

        Return whether the connection has lived for less than STEADY_SECONDS.
        """
        self._doublings = max(0, self._doublings - int(lived_seconds / STEADY_SECONDS))
        self._deaf_since = min(self._clock(), self._deaf_since + lived_seconds * (1 + HEARD_FACTOR))
        return lived_seconds < STEADY_SECONDS

    def ordered(self, seconds: float) -> None:
        """Delay the opening of the next connection by `seconds`, at most by MAX_ORDERED_SECONDS.

        `seconds`: Slack's Retry-After.
        """
        self._next_at = max(self._next_at, self._clock() + min(seconds, MAX_ORDERED_SECONDS))
