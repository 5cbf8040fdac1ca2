"""A request or a session as a row, and back (pure): the same for both databases."""

import hashlib
import json
import logging
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from bot.core.errors import ID_TAKEN, CobrowseError, UnexpectedError, UnusableAnswerError
from bot.core.models import (
    ChannelId,
    ConversationId,
    HostId,
    HostLink,
    Request,
    RequestId,
    RequestKind,
    RequestState,
    Session,
    SessionId,
    SlackUser,
    TeamId,
    UserId,
)
from bot.core.ports import JOIN_SECONDS, Accepted, StoredRequest
from bot.core.stored_errors import from_record, to_record
from bot.core.validation.urls import is_safe_url
from bot.storage.encryption import Encryptor

log = logging.getLogger(__name__)

T = TypeVar("T")
MOST_SWEPT = 500
"""Rows that one write of a sweep changes: an acknowledgement may have to wait for it."""


def request_row(request: Request, sealer: Encryptor) -> dict[str, Any]:
    """All but the owner, the state and the clock's part."""
    return {
        "id": request.id,
        "key": request.key,
        "kind": request.kind.value,
        "team_id": request.team_id,
        "enterprise_id": request.enterprise_id,
        "channel_id": request.channel_id,
        "requester": request.requester,
        "target": request.target,
        "name": request.name,
        "argument": sealer.seal(request.argument),
        "application_id": request.application_id,
        "timeout_seconds": request.timeout_seconds,
        "conversation_id": request.conversation_id,
        "reply_url": sealer.seal(request.reply_url),
        "replaces": request.replaces,
        "same": deduplication_key(request),
    }


def deduplication_key(request: Request) -> str:
    """Equal for two starts by the same person, with the same words, target and channel; no other request has its like.

    So there is no trace of an address here, either.
    """
    if request.kind is not RequestKind.START:
        return request.id
    parts: tuple[object, ...] = (
        *(request.kind, request.team_id, request.requester, request.target, request.name, request.channel_id),
        *(filter(None, (request.conversation_id, request.argument, request.application_id, request.timeout_seconds))),
    )
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]


def accepting(agent: SlackUser | None) -> dict[str, Any]:
    """What each ACCEPT is told beside the request: `agent` is whose session can be created at once."""
    state = RequestState.CREATING if agent else RequestState.ACCEPTED
    who = {"link_team": agent.team_id, "link_user": agent.user_id} if agent else {"link_team": None, "link_user": None}
    return {"state": state.value, "join_seconds": JOIN_SECONDS, **who}


def accepted(row: Mapping[str, Any] | None) -> Accepted:
    """What became of it; no row: its key was there already."""
    if row is None:
        return Accepted(False)
    same_as = RequestId(row["same_as"]) if row["same_as"] else None
    return Accepted(True, same_as, RequestState(row["state"]), HostId(row["linked"]) if row["linked"] else None)


def session_row(session: Session, sealer: Encryptor) -> dict[str, Any]:
    """What statements.SESSION is told of it, but for its id and the clock's part."""
    return {
        "host_id": session.host_id,
        "name": session.name,
        "application_id": session.application_id,
        "status": session.status,
        "ends_at": session.ends_at.timestamp(),
        "seconds": session.lasts_seconds,
        "join_url": sealer.seal(session.join_url),
        "join_code": sealer.seal(session.join_code or None),
    }


def transition(
    request_id: RequestId, from_: RequestState, to: RequestState, session: Session | None, failure: CobrowseError | None
) -> dict[str, Any]:
    """What statements.ADVANCE is told, but for the owner and the clock's part."""
    return {
        "id": request_id,
        "from": from_.value,
        "to": to.value,
        "failure": failure_text(failure),
        "session_id": session.id if session else None,
    }


def taken(session: Session) -> UnusableAnswerError:
    """What a request ends with whose session has an id that the store knows as somebody else's."""
    return UnusableAnswerError(why=ID_TAKEN, acted=True, reference=session.reference)


def kept(row: Mapping[str, Any], sealer: Encryptor) -> StoredRequest:
    """A row of statements.FIND as the desk knows it. One that cannot be read has failed as Unexpected."""
    try:
        return StoredRequest(
            _request(row, sealer),
            RequestState(row["state"]),
            failure_of(row["failure"]),
            _session(row, sealer),
            session_over=bool(row["session_over"]),
        )
    except Exception:
        unreadable("requests", row["id"])
    state = _readable(lambda: RequestState(row["state"])) or RequestState.FAILED
    return StoredRequest(
        _bare_request(row, sealer), state, UnexpectedError(maybe_created=state is not RequestState.ACCEPTED)
    )


def unreadable(table: str, row_id: object) -> None:
    """Log a row that cannot be read by its id alone; its values may be secrets."""
    log.error("a row of the database cannot be read", extra={"fields": {"table": table, "row": row_id}})


def _readable(read: Callable[[], T]) -> T | None:
    try:
        return read()
    except Exception:
        return None


def _bare_request(row: Mapping[str, Any], sealer: Encryptor) -> Request:
    """As much of it as it takes to tell the requester."""
    return Request(
        id=RequestId(row["id"]),
        key=row["key"],
        kind=_readable(lambda: RequestKind(row["kind"])) or RequestKind.HELP,
        team_id=TeamId(row["team_id"]),
        enterprise_id=TeamId(row["enterprise_id"]) if row["enterprise_id"] else None,
        channel_id=ChannelId(row["channel_id"]),
        requester=UserId(row["requester"]),
        accepted_at=_readable(lambda: _accepted_at(row)) or datetime.now(UTC),
        target=UserId(row["target"]) if row["target"] else None,
        name=row["name"],
        argument=_readable(lambda: sealer.open(row["argument"])),
        conversation_id=ConversationId(row["conversation_id"]) if row["conversation_id"] else None,
        reply_url=_readable(lambda: sealer.open(row["reply_url"])),
        replaces=bool(row["replaces"]),
    )


def _accepted_at(row: Mapping[str, Any]) -> datetime:
    """By its age on the database's clock, on ours: another replica's clock wrote nothing that is trusted here."""
    return datetime.now(UTC) - timedelta(seconds=row["age"])


def link(row: Mapping[str, Any]) -> HostLink:
    """A row of statements.LINKS."""
    return (TeamId(row["team_id"]) if row["team_id"] else None, UserId(row["user_id"]), HostId(row["host_id"]))


def link_row(linked: HostLink) -> dict[str, Any]:
    """And back, but for the clock's part."""
    return {"team_id": linked[0] or "", "user_id": linked[1], "host_id": linked[2]}


def batches(values: list[dict[str, Any]], size: int = 500) -> Iterator[list[dict[str, Any]]]:
    """So many at a time."""
    for start in range(0, len(values), size):
        yield values[start : start + size]


def failure_text(failure: CobrowseError | None) -> str | None:
    """An error as JSON."""
    return None if failure is None else json.dumps(to_record(failure))


def failure_of(text: str | None) -> CobrowseError | None:
    """The error again."""
    return None if text is None else from_record(json.loads(text))


def _request(row: Mapping[str, Any], sealer: Encryptor) -> Request:
    return Request(
        id=RequestId(row["id"]),
        key=row["key"],
        kind=RequestKind(row["kind"]),
        team_id=TeamId(row["team_id"]),
        enterprise_id=TeamId(row["enterprise_id"]) if row["enterprise_id"] else None,
        channel_id=ChannelId(row["channel_id"]),
        requester=UserId(row["requester"]),
        accepted_at=_accepted_at(row),
        target=UserId(row["target"]) if row["target"] else None,
        name=row["name"],
        argument=sealer.open(row["argument"]),
        application_id=row["application_id"],
        timeout_seconds=row["timeout_seconds"],
        conversation_id=ConversationId(row["conversation_id"]) if row["conversation_id"] else None,
        reply_url=sealer.open(row["reply_url"]),
        replaces=bool(row["replaces"]),
        same_as=RequestId(row["same_as"]) if row["same_as"] else None,
    )


def _session(row: Mapping[str, Any], sealer: Encryptor) -> Session | None:
    join_url = sealer.open(row["session_join_url"])
    if join_url is None or (join_url and not is_safe_url(join_url)):
        return None
    return Session(
        id=SessionId(row["session_id"]),
        status=row["session_status"],
        host_id=HostId(row["session_host"]),
        name=row["session_name"],
        application_id=row["session_application"],
        ends_at=time_of(row["session_ends_at"]),
        join_url=join_url,
        join_code=sealer.open(row["session_join_code"]) or "",
    )


def time_of(seconds: float) -> datetime:
    """Seconds since 1970 as a time. Raises ValueError, OverflowError, OSError beyond the calendar."""
    return datetime.fromtimestamp(seconds, UTC)
