"""One log line an outcome: who asked for what, what became of it, and how long it took."""

import logging

from bot.desk.errors import ServiceError
from bot.desk.models import Request, Started
from bot.desk.outcomes import Ended, Linked, Outcome, Recalled, Sent, SentDirect, Shared
from bot.desk.steps import step_of

log = logging.getLogger(__name__)


def log_outcome(request: Request, outcome: Outcome, reached: bool, seconds: float, create_seconds: float) -> None:
    """One line an outcome."""
    fields: dict[str, object] = {
        "request": request.id,
        "kind": request.kind.value,
        "outcome": type(outcome).__name__,
        "team": request.team_id,
        "requester": request.requester,
        "total_ms": round(seconds * 1000),
        "create_ms": round(create_seconds * 1000),
    }
    if request.for_another:
        fields["agent"] = request.agent
    if step := step_of(request):
        fields |= {"step": step.execution_id, "workflow": step.workflow_execution_id}
    if isinstance(outcome, Started):
        session = outcome.session
        fields |= {"host": session.host_id, "session": session.id, "reference": session.reference, "rule": outcome.rule}
    if isinstance(outcome, Recalled | Ended | Shared | SentDirect | Sent):
        fields["session"] = outcome.record.session.id
    if isinstance(outcome, Sent):
        fields["sent_to"] = outcome.address.masked
    if isinstance(outcome, Linked):
        fields["host"] = outcome.host_id
    if isinstance(outcome, ServiceError):
        fields["reference"] = outcome.reference
    if reached:
        log.info("answered", extra={"fields": fields})
    else:
        log.error("the answer reached nobody", extra={"fields": fields})
