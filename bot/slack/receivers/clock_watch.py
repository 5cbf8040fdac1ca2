"""Detect a wrong clock of this machine from Slack's signed timestamps: https://docs.slack.dev/authentication/verifying-requests-from-slack

A request with a valid signature and a stale timestamp is a replay, or the clock is wrong. Several different ones
without a fresh one mean a wrong clock.
"""

import logging
import time

from bot.observability.throttled_log import ThrottledLog

MAX_AGE_SECONDS = 300
WINDOW_SECONDS = 60.0
MIN_MISFITS = 3
MAX_MISFITS = 16
_LOG_SECONDS = 60.0


class ClockWatch:
    """Count signed requests by whether their timestamp fits."""

    def __init__(self) -> None:
        self._log = ThrottledLog(logging.getLogger(__name__), _LOG_SECONDS)
        self._misfits: dict[str, float] = {}
        self._fitted_at = float("-inf")

    def fitted(self) -> None:
        """Note a request whose signature and timestamp fit."""
        self._fitted_at = time.monotonic()

    def missed(self, signature: str, seconds_off: int) -> None:
        """Note one whose signature fits and whose timestamp does not. The same request again counts for nothing."""
        now = time.monotonic()
        self._misfits = {known: at for known, at in self._misfits.items() if now - at < WINDOW_SECONDS}
        if len(self._misfits) < MAX_MISFITS:
            self._misfits.setdefault(signature, now)
        self._log.error("the clock differs from Slack's", "clock", seconds_off=seconds_off)

    def is_right(self) -> bool:
        """False after three different misfits within a minute and no good request in that minute."""
        since = time.monotonic() - WINDOW_SECONDS
        return self._fitted_at > since or sum(at > since for at in self._misfits.values()) < MIN_MISFITS

    def flush(self) -> None:
        """Write what has been counted and not yet written."""
        self._log.flush()


def seconds_off(timestamp: str) -> int:
    """Return the seconds between Slack's timestamp and this machine's clock; positive for the past."""
    return round(time.time()) - int(timestamp)


def is_off(timestamp: str) -> bool:
    """Return whether the timestamp is more than MAX_AGE_SECONDS away from this machine's clock."""
    return abs(time.time() - int(timestamp)) > MAX_AGE_SECONDS
