"""How the session service did of late, as far as this process has seen: for administrators who look at the Home tab."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.core.errors import ServiceError
from bot.core.models import Request, SessionStarted
from bot.core.results import Result


@dataclass(frozen=True, slots=True)
class ServiceFailure:
    """The newest failure, when it was, and whether a session was made after it."""

    error: ServiceError
    at: datetime
    passed: bool = False


class ServiceStatus:
    """Is told every outcome, and remembers one."""

    def __init__(self, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._clock = clock
        self.failure: ServiceFailure | None = None

    def note(self, request: Request, outcome: Result) -> None:
        if isinstance(outcome, ServiceError):
            self.failure = ServiceFailure(outcome, self._clock())
        elif isinstance(outcome, SessionStarted) and self.failure:
            self.failure = ServiceFailure(self.failure.error, self.failure.at, passed=True)
