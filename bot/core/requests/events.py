"""What became of each request: one line in the log, a count, and an entry in the audit log."""

import logging
from typing import Protocol, TypeVar

from bot.core.errors import CobrowseError, ServiceError
from bot.core.metrics_port import NULL_METRICS, Metrics
from bot.core.models import Request, SessionStarted
from bot.core.ports import Kept
from bot.core.results import (
    AccountLinked,
    AccountUnlinked,
    CustomerMessageSent,
    HostLinked,
    LastSession,
    Result,
    SentDirect,
    SessionEnded,
    SessionShared,
)
from bot.core.workflow_steps import step_of

log = logging.getLogger(__name__)

E = TypeVar("E", bound=CobrowseError)


class AuditSink(Protocol):
    """Keeps who did what, and who was refused; never raises."""

    def __call__(self, request: Request, outcome: Result, *, reached: bool) -> None: ...


def _unaudited(request: Request, outcome: Result, *, reached: bool) -> None:
    """Keeps nothing."""


class EventLog:
    """Is told by the desk."""

    def __init__(self, meter: Metrics = NULL_METRICS, audit: AuditSink = _unaudited) -> None:
        self._meter, self._audit = meter, audit

    def ended(self, request: Request, outcome: Result, reached: bool, seconds: float) -> None:
        """A request has come to its outcome, and has been answered: it is counted and audited."""
        self._meter.ended(request.kind.value, outcome.code, seconds, reached=reached)
        self._audit(request, outcome, reached=reached)

    def write_line(self, request: Request, outcome: Result, reached: bool, seconds: float, creating: float) -> None:
        """Its line in the log. `creating`: so many of the seconds the service took to create."""
        fields = _fields(request, outcome)
        fields |= {"total_ms": round(seconds * 1000), "create_ms": round(creating * 1000)}
        if reached:
            log.info("answered", extra={"fields": fields})
        else:
            log.error("the answer reached nobody", extra={"fields": fields})

    def refused(self, request: Request, error: E) -> E:
        """It was not accepted; whoever raises the error tells the person. Returns the error."""
        self._meter.refused(request.kind.value, error.code)
        self._audit(request, error, reached=True)
        return error

    def resumed(self, kept: Kept) -> None:
        """A dead process left it."""
        log.info("resumed", extra={"fields": {"request": kept.request.id, "state": kept.state.value}})
        self._meter.resumed()


def _fields(request: Request, outcome: Result) -> dict[str, object]:
    fields: dict[str, object] = {
        "request": request.id,
        "kind": request.kind.value,
        "outcome": outcome.code,
        "team": request.team_id,
        "requester": request.requester,
    }
    if request.for_another:
        fields["agent"] = request.agent
    if step := step_of(request):
        fields |= {"step": step.execution_id, "workflow": step.workflow_execution_id}
    if isinstance(outcome, SessionStarted):
        session = outcome.session
        fields |= {"host": session.host_id, "session": session.id, "reference": session.reference, "rule": outcome.rule}
    if isinstance(outcome, LastSession | SessionEnded | SessionShared | SentDirect | CustomerMessageSent):
        fields["session"] = outcome.record.session.id
    if isinstance(outcome, CustomerMessageSent):
        fields["sent_to"] = outcome.address.masked
    if isinstance(outcome, HostLinked | AccountLinked | AccountUnlinked):
        fields["host"] = outcome.host_id
    if isinstance(outcome, ServiceError):
        fields["reference"] = outcome.reference
    return fields
