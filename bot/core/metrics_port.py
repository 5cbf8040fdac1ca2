"""What is counted while the bot works, as a Protocol. How it is kept and shown is for bot/observability/metrics.py.

No argument names a person, a session or an address: each word becomes a label, of which there may only be a few.
"""

from typing import Protocol

NO_ANSWER = "none"
"""In place of an HTTP status."""


class Metrics(Protocol):
    """Takes what happened; never raises, and takes next to no time."""

    def ended(self, kind: str, outcome: str, seconds: float, *, reached: bool) -> None:
        """A request was worked for so long, and whether the answer reached anybody."""

    def refused(self, kind: str, outcome: str) -> None:
        """One was told before it was accepted that it is not."""

    def resumed(self) -> None:
        """A request that a dead process left was taken up."""

    def acknowledged(self, seconds: float) -> None:
        """Slack had its acknowledgement so long after the payload was read."""

    def called(self, needs: str, status: str, seconds: float) -> None:
        """Genesys was called for what needs this scope or permission, and answered with this HTTP status."""

    def waited(self, seconds: float) -> None:
        """A call to Genesys had its turn within the rate limit after so long."""

    def renewed(self, outcome: str) -> None:
        """A token was asked for: "ok", or the name of the error."""

    def reconnected(self) -> None:
        """Another socket to Slack was asked for in place of one that there was."""

    def connection_failed(self, reason: str) -> None:
        """A Socket Mode connection did not open, or ended within seconds."""

    def store_failed(self) -> None:
        """Something could not be read from the store or written to it."""


class NullMetrics:
    """A Metrics that counts nothing."""

    def ended(self, kind: str, outcome: str, seconds: float, *, reached: bool) -> None: ...

    def refused(self, kind: str, outcome: str) -> None: ...

    def resumed(self) -> None: ...

    def acknowledged(self, seconds: float) -> None: ...

    def called(self, needs: str, status: str, seconds: float) -> None: ...

    def waited(self, seconds: float) -> None: ...

    def renewed(self, outcome: str) -> None: ...

    def reconnected(self) -> None: ...

    def connection_failed(self, reason: str) -> None: ...

    def store_failed(self) -> None: ...


NULL_METRICS = NullMetrics()
