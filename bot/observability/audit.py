"""Write the audit log: one JSON line for each finished or rejected request, with requester, action, agent and outcome.

Commands in a terminal and changed secrets get a line, too.

- LOG_LEVEL does not affect the audit log.
- The audit log contains no link and no text that people typed.
- Of a customer's address, the audit log contains only the last four digits of the phone number, or only the domain of
  the email address.
"""

import errno
import json
import logging
import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from logging.handlers import WatchedFileHandler
from typing import Any, TextIO

from bot.core.errors import (
    CobrowseError,
    HostNotFoundError,
    NobodyNamedError,
    NotAcceptedError,
    PermissionDeniedError,
    RetryRejectedError,
    ServiceError,
    SetupError,
)
from bot.core.models import Identity, Request, SessionRecord, SessionStarted, step_of
from bot.core.requests.events import Event, RequestFinished, RequestRejected
from bot.core.results import (
    AccessReport,
    AccountLinked,
    AccountUnlinked,
    CustomerMessageSent,
    HostLinked,
    LastSession,
    OpenSession,
    Result,
    SentDirect,
    SessionEnded,
    SessionShared,
)

log = logging.getLogger(__name__)

STDOUT = "-"
REFUSED_ERRORS = (PermissionDeniedError, NotAcceptedError, RetryRejectedError, HostNotFoundError, NobodyNamedError)


class AuditSetupError(SetupError):
    """Raised when the bot cannot open the audit log."""

    code = "audit_log_unwritable"


def entry(request: Request, outcome: Result, *, reached: bool) -> dict[str, Any]:
    """Return the fields of the audit line about a request, except the time and the workspace. Omit empty fields.

    - `outcome`: the result of the request.
    - `reached`: whether Slack accepted the message that shows the result to the requester.
    """
    step = step_of(request)
    found = {
        "action": request.kind.value,
        "decision": decision(outcome),
        "outcome": outcome.code,
        "request": request.id,
        "team": request.team_id,
        "channel": request.channel_id,
        "requester": request.requester,
        "agent": request.agent,
        "step": step and step.execution_id,
        "workflow": step and step.workflow_execution_id,
        "reached": reached,
        **_about(outcome),
    }
    return {name: value for name, value in found.items() if value not in (None, "")}


def decision(outcome: Result) -> str:
    """Return the decision about a request with the result `outcome`.

    - "allowed": the request succeeded.
    - "refused": the bot refused the request, for example because the requester lacks a role or the agent has no host.
    - "failed": the request was allowed, but ended with an error.
    """
    if isinstance(outcome, REFUSED_ERRORS):
        return "refused"
    return "failed" if isinstance(outcome, CobrowseError) else "allowed"


def _about(outcome: Result) -> dict[str, Any]:
    match outcome:
        case SessionStarted(session=session, agent_told=told, is_shared=shared, rule=rule):
            known = {"session": session.id, "host": session.host_id, "rule": rule, "reference": session.reference}
            return {**known, "agent_told": told, "shared": shared}
        case OpenSession(record=record):
            return _session(record)
        case SessionShared(record=record) | SentDirect(record=record) | LastSession(record=record):
            return _session(record)
        case SessionEnded(record=record, reference=reference):
            return {**_session(record), "reference": reference}
        case CustomerMessageSent(record=record, address=address, reference=reference):
            return {**_session(record), "sent_to": address.masked, "reference": reference}
        case Identity(host=host):
            return {"host": host.id, "rule": host.rule}
        case AccessReport(host=host) if host:
            return {"host": host.id, "rule": host.rule}
        case HostLinked(host_id=host_id) | AccountLinked(host_id=host_id) | AccountUnlinked(host_id=host_id):
            return {"host": host_id}
        case ServiceError(reference=reference):
            return {"reference": reference}
    return {}


def _session(record: SessionRecord) -> dict[str, Any]:
    return {"session": record.session.id, "host": record.session.host_id, "agent": record.agent}


class AuditFile(WatchedFileHandler):
    """Appends lines to the file of the audit log. Creates the file with mode 600 if the file does not exist.

    If log rotation moves the file, the next line goes to a new file at the old path.
    """

    def _open(self) -> Any:
        return open(self.baseFilename, "a", encoding="utf-8", opener=_open_private)

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line. If the file cannot be opened again after log rotation, log the line's fields."""
        try:  # `super().emit` raises the error of opening, but not that of writing
            super().emit(record)
        except OSError:
            self.handleError(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        _log_lost_line(record)


class AuditStream(logging.StreamHandler[TextIO]):
    """Writes the lines of the audit log to standard output or another stream."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        _log_lost_line(record)


class AuditLog:
    """Writes the lines of the audit log.

    A line that cannot be written raises no exception. The fields of this line go to the normal log.
    """

    def __init__(self, where: str, stream: TextIO | None = None) -> None:
        """Open the audit log. Raises AuditSetupError if the file cannot be opened.

        - `where`: the path of the file; "-" to write to `stream`; "" to write no audit log.
        - `stream`: the stream for "-"; None for standard output.
        """
        self._handler: logging.Handler | None = None
        self._common: dict[str, Any] = {}
        try:
            if where:
                self._handler = AuditStream(stream or sys.stdout) if where == STDOUT else AuditFile(where)
        except OSError as error:
            raise AuditSetupError(f"AUDIT_LOG cannot be written ({error.strerror}).") from None

    def in_workspace(self, name: str) -> "AuditLog":
        """Return an audit log that writes to the same file or stream, and adds the field `workspace` to each line.

        `name`: the short name of the workspace; "" to add no field.
        """
        own = AuditLog("")
        own._handler, own._common = self._handler, {"workspace": name} if name else {}
        return own

    def record_event(self, event: Event) -> None:
        """Write an audit line about a finished or rejected request. Ignore other events."""
        match event:
            case RequestFinished(request=request, result=result, reached=reached):
                self._write(request, result, reached=reached)
            case RequestRejected(request=request, error=error):
                self._write(request, error, reached=True)

    def record_command(self, fields: Mapping[str, Any]) -> None:
        """Write an audit line about a command in a terminal, or about the change of a secret.

        `fields`: the fields of the line.
        """
        self._write_line(fields)

    def _write(self, request: Request, outcome: Result, *, reached: bool) -> None:
        if self._handler is not None:
            self._write_line(entry(request, outcome, reached=reached))

    def _write_line(self, fields: Mapping[str, Any]) -> None:
        if self._handler is None:
            return
        at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        line = {"at": at, **self._common, **fields}
        self._handler.handle(logging.makeLogRecord({"msg": json.dumps(line), "fields": line}))

    def close(self) -> None:
        """Close the file of the audit log, if there is one."""
        with suppress(OSError):  # a line that could not be flushed is already in the log
            if isinstance(self._handler, AuditFile):
                self._handler.close()


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _log_lost_line(record: logging.LogRecord) -> None:
    error = sys.exc_info()[1]
    code = errno.errorcode.get(error.errno or 0, "unknown") if isinstance(error, OSError) else "unexpected"
    fields = {"error": code, **getattr(record, "fields", {})}
    log.error("an audit line could not be written", extra={"fields": fields})
