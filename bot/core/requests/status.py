"""Remember the newest failure of the session service, for administrators who read the Home tab."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.core.errors import ServiceError
from bot.core.models import SessionStarted
from bot.core.requests.events import RequestFinished


@dataclass(frozen=True, slots=True)
class ServiceFailure:
    """The newest failure, its time, and whether a session was created after it."""

    error: ServiceError
    at: datetime
    passed: bool = False


class ServiceStatus:
    """Holds the newest failure. It subscribes to the events."""

    def __init__(self, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._clock = clock
        self.failure: ServiceFailure | None = None

    def record_event(self, event: RequestFinished) -> None:
        """Keep a failure of the service, and note a session created after it."""
        if event.is_sign_in:
            return
        if isinstance(event.result, ServiceError):
            self.failure = ServiceFailure(event.result, self._clock())
        elif isinstance(event.result, SessionStarted) and self.failure:
            self.failure = ServiceFailure(self.failure.error, self.failure.at, passed=True)
