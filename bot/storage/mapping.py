"""Convert requests, sessions and host links to database rows and back, for SQLite and Postgres."""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from bot.core.errors import ID_TAKEN, CobrowseError, UnexpectedError, UnusableAnswerError
from bot.core.models import (
    START_NEW_KEY,
    ChannelId,
    ConversationId,
    HostId,
    HostLink,
    OtherSession,
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
from bot.core.start_details import without_address
from bot.core.stored_errors import from_record, to_record
from bot.core.validation.display import is_safe_url
from bot.storage.encryption import Encryptor
from bot.storage.scope import Scope, unreadable

T = TypeVar("T")
MAX_SWEPT_ROWS = 500
"""The maximum number of rows that one write of a sweep changes. An acknowledgement may have to wait for this write."""


def request_row(request: Request, encryptor: Encryptor) -> dict[str, Any]:
    """Convert a request to the values of a database row, without the columns for owner number, state and times."""
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
        "argument": encryptor.encrypt(request.argument),
        "application_id": request.application_id,
        "timeout_seconds": request.timeout_seconds,
        "conversation_id": request.conversation_id,
        "reply_url": encryptor.encrypt(request.reply_url),
        "replaces": request.replaces,
        "view_id": request.view_id,
        "trace_context": request.trace_context,
        "same": deduplication_key(request),
    }


def deduplication_key(request: Request) -> str:
    """Return a text that is equal for two START requests with the same requester, target, channel and text.

    The database decides by the state and the age of the first request whether the second is a duplicate request.

    The result is a hash. In the hashed text, an HMAC replaces a customer's address, so that nobody can guess the
    address from the result.

    For a press of *Start a new one* and for other kinds of requests, return the id of the request. These requests are
    never duplicates.
    """
    if request.kind is not RequestKind.START or request.key.startswith(START_NEW_KEY):
        return request.id
    argument = without_address(request.argument) if request.argument else None
    parts: tuple[object, ...] = (
        *(request.kind, request.team_id, request.requester, request.target, request.name, request.channel_id),
        *(filter(None, (request.conversation_id, argument, request.application_id, request.timeout_seconds))),
    )
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]


def accepting(agent: SlackUser | None, scope: Scope) -> dict[str, Any]:
    """Return some of the parameters for storing a new request: its state, the agent's ids, and `join_seconds`.

    `join_seconds` is the maximum age of a session that a duplicate request gets.

    `agent`: the agent of a start whose session can be created at once; None for any other request.

    - With an agent, the database stores the request as `creating`, but a duplicate request as `accepted`. It also looks
      up the agent's host link. It uses `link_teams`, the stored form of all team ids, only if the agent has several
      team ids or a second id. A look-up with one team id and one id costs less.
    - With None, the database stores the request as `accepted`, and looks up no host link.

    `scope`: converts the agent's team ids in `link_teams` to their stored form.
    """
    state = RequestState.CREATING if agent else RequestState.ACCEPTED
    team_id, user_id, other_id = (agent.team_id, agent.user_id, agent.other_id) if agent else (None, None, None)
    teams = [scope.to_stored(each) for each in agent.team_ids] if agent and (agent.workspaces or other_id) else None
    link_teams = json.dumps(teams) if teams else None
    link = {"link_team": team_id, "link_teams": link_teams, "link_user": user_id, "link_other": other_id}
    return {"state": state.value, "join_seconds": JOIN_SECONDS, **link}


def accepted(row: Mapping[str, Any] | None, scope: Scope) -> Accepted:
    """Build the result of `RequestRepository.accept` from the row of the database.

    - `row`: has the values `state`, `linked`, `other_open` (see `_other_session`) and `same_as`, the stored form of
      `Accepted.duplicate_of`. None if a request with the same key was already stored.
    - `scope`: converts the stored identifiers of the request's workspace.
    """
    if row is None:
        return Accepted(False)
    same_as = row["same_as"]
    duplicate_of = _readable(lambda: RequestId(scope.from_stored(same_as))) if same_as else None
    linked = None if row["linked"] is None else HostId(row["linked"])
    return Accepted(True, duplicate_of, RequestState(row["state"]), linked, _other_session(row["other_open"], scope))


def _other_session(text: str | None, scope: Scope) -> OtherSession | None:
    """Read the agent's newest open session from a text. Return None if there is no text, or if it is unreadable.

    `text`: four values with spaces between them:

    - the session's id
    - the time at which the session ends, in seconds since 1970; 0 if the customer is in the session
    - how many open sessions the agent has, with this one
    - the session's name
    """

    def read() -> OtherSession | None:
        session_id, ends_at, count, name = (text or "").split(" ", 3)
        end = time_of(float(ends_at)) if float(ends_at) else None
        return OtherSession(SessionId(scope.from_stored(session_id)), name, end, int(count))

    return _readable(read) if text else None


def session_row(session: Session, encryptor: Encryptor) -> dict[str, Any]:
    """Convert a session to parameters of the statements `store_session` and `advance_with_session`.

    Leave out `session_id` and `conversation_id`, which the function `transition` returns.
    """
    return {
        "host_id": session.host_id,
        "name": session.name,
        "application_id": session.application_id,
        "status": session.status,
        "ends_at": session.ends_at.timestamp(),
        "seconds": session.lasts_seconds,
        "join_url": encryptor.encrypt(session.join_url),
        "join_code": encryptor.encrypt(session.join_code or None),
        "is_call": session.is_call,
    }


def transition(
    request_id: RequestId, from_: RequestState, to: RequestState, session: Session | None, failure: CobrowseError | None
) -> dict[str, Any]:
    """Return the parameters of the statement `advance` for a change from the state `from_` to the state `to`.

    Leave out the parameters `owner` and `now`.

    - `session`: the session that the request created; None if the change stores no session.
    - `failure`: the error with which the request ended; None without an error.
    """
    return {
        "id": request_id,
        "from": from_.value,
        "to": to.value,
        "failure": failure_text(failure),
        "session_id": session.id if session else None,
        "conversation_id": session.conversation_id if session else None,
    }


def taken(session: Session) -> UnusableAnswerError:
    """Return the error for a new session whose id is already stored for another team, host, requester or agent."""
    return UnusableAnswerError(why=ID_TAKEN, acted=True, reference=session.reference)


def kept(row: Mapping[str, Any], encryptor: Encryptor) -> StoredRequest:
    """Convert a row of the statement `find_request` to a StoredRequest. Log an unreadable row.

    For an unreadable row, return a StoredRequest with the readable values, without a session, and with an
    UnexpectedError as `failure`. Its state is FAILED if the stored state is unreadable.
    """
    try:
        return StoredRequest(
            _request(row, encryptor),
            RequestState(row["state"]),
            failure_of(row["failure"]),
            _session(row, encryptor),
            session_over=bool(row["session_over"]),
        )
    except Exception:
        unreadable("requests", row["id"])
    state = _readable(lambda: RequestState(row["state"])) or RequestState.FAILED
    return StoredRequest(
        _bare_request(row, encryptor), state, UnexpectedError(maybe_created=state is not RequestState.ACCEPTED)
    )


def _readable(read: Callable[[], T]) -> T | None:
    try:
        return read()
    except Exception:
        return None


def _bare_request(row: Mapping[str, Any], encryptor: Encryptor) -> Request:
    """Build a Request from a row that contains unreadable values.

    Replace the unreadable values: the kind by HELP, `accepted_at` by the current time, `argument` and `reply_url` by
    None. Leave out `application_id`, `timeout_seconds` and `duplicate_of`.
    """
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
        argument=_readable(lambda: encryptor.decrypt(row["argument"])),
        conversation_id=ConversationId(row["conversation_id"]) if row["conversation_id"] else None,
        reply_url=_readable(lambda: encryptor.decrypt(row["reply_url"])),
        replaces=bool(row["replaces"]),
        view_id=row["view_id"],
        trace_context=row["trace_context"],
    )


def _accepted_at(row: Mapping[str, Any]) -> datetime:
    """Return the time at which the request was accepted, by the clock of this machine.

    `row["age"]`: the seconds since the request was accepted, by the clock of the database.
    """
    return datetime.now(UTC) - timedelta(seconds=row["age"])


def link(row: Mapping[str, Any]) -> HostLink:
    """Convert a row of the statement `host_links` to a host link."""
    return (TeamId(row["team_id"]) if row["team_id"] else None, UserId(row["user_id"]), HostId(row["host_id"]))


def link_row(linked: HostLink) -> dict[str, Any]:
    """Convert a host link to the parameters of the statement `link_host`, without the parameter `now`."""
    return {"team_id": linked[0] or "", "user_id": linked[1], "host_id": linked[2]}


def batches(values: list[dict[str, Any]], size: int = 500) -> Iterator[list[dict[str, Any]]]:
    """Split a list into lists of at most `size` items."""
    for start in range(0, len(values), size):
        yield values[start : start + size]


def failure_text(failure: CobrowseError | None) -> str | None:
    """Convert the error of a failed request to JSON text. Return None for None."""
    return None if failure is None else json.dumps(to_record(failure))


def failure_of(text: str | None) -> CobrowseError | None:
    """Convert the JSON text from `failure_text` to the error. Return None for None."""
    return None if text is None else from_record(json.loads(text))


def _request(row: Mapping[str, Any], encryptor: Encryptor) -> Request:
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
        argument=encryptor.decrypt(row["argument"]),
        application_id=row["application_id"],
        timeout_seconds=row["timeout_seconds"],
        conversation_id=ConversationId(row["conversation_id"]) if row["conversation_id"] else None,
        reply_url=encryptor.decrypt(row["reply_url"]),
        replaces=bool(row["replaces"]),
        view_id=row["view_id"],
        trace_context=row["trace_context"],
        duplicate_of=RequestId(row["same_as"]) if row["same_as"] else None,
    )


def _session(row: Mapping[str, Any], encryptor: Encryptor) -> Session | None:
    join_url = encryptor.decrypt(row["session_join_url"])
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
        join_code=encryptor.decrypt(row["session_join_code"]) or "",
        conversation_id=ConversationId(row["conversation_id"]) if row["conversation_id"] else None,
        is_call=known_bool(row["session_is_call"]),
    )


def known_bool(value: Any) -> bool | None:
    """Convert a value of a BOOLEAN column to a bool, and NULL to None. SQLite returns a number instead of a bool."""
    return None if value is None else bool(value)


def time_of(seconds: float) -> datetime:
    """Convert seconds since 1970 to a time in UTC.

    Raises ValueError, OverflowError or OSError if the year is not between 1 and 9999.
    """
    return datetime.fromtimestamp(seconds, UTC)
