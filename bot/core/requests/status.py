"""How the session service did of late, as far as this process has seen: for administrators who look at the Home tab."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.core.errors import ServiceError
from bot.core.models import Request, Started
from bot.core.results import Outcome


@dataclass(frozen=True, slots=True)
class Failure:
    """The newest failure, when it was, and whether a session was made after it."""

    error: ServiceError
    at: datetime
    passed: bool = False


class Condition:
    """Is told every outcome, and remembers one."""

    def __init__(self, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._clock = clock
        self.failure: Failure | None = None

    def note(self, request: Request, outcome: Outcome) -> None:
        if isinstance(outcome, ServiceError):
            self.failure = Failure(outcome, self._clock())
        elif isinstance(outcome, Started) and self.failure:
            self.failure = Failure(self.failure.error, self.failure.at, passed=True)
