"""Publish the events of requests and sessions to subscribers, such as the log, the metrics and the Home tab."""

import logging
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, TypeVar

from cachetools import TTLCache

from bot.core.errors import CobrowseError, ServiceError
from bot.core.models import (
    Identity,
    PersonKey,
    Request,
    RequestKind,
    SessionId,
    SessionRecord,
    SessionStarted,
    UserId,
    step_of,
    team_of,
)
from bot.core.ports import StoredRequest
from bot.core.results import (
    AccessRequested,
    AccountLinked,
    AccountUnlinked,
    Applications,
    CustomerMessageSent,
    FaultChecked,
    HostLinked,
    LastSession,
    OpenSession,
    Result,
    SentDirect,
    SessionEnded,
    SessionShared,
)

log = logging.getLogger(__name__)

FOLLOW_SECONDS, MAX_FOLLOWERS = 8 * 3600.0, 5_000
"""How long a user's Home tab is updated after a visit, and the maximum number of users whose tab is updated."""


@dataclass(frozen=True, slots=True)
class RequestFinished:
    """A request has ended with the result `result`.

    - `reached`: True if Slack accepted the message that shows the result.
    - `seconds`: how long the processing took.
    - `create_seconds`: the part of `seconds` in which the call that creates a session or sends a message to a customer
      was under way.
    - `is_sign_in`: True if the bot made the request for a sign-in in the browser. The browser shows the result.
    """

    request: Request
    result: Result
    reached: bool
    seconds: float
    create_seconds: float = 0.0
    is_sign_in: bool = False


@dataclass(frozen=True, slots=True)
class RequestRejected:
    """The bot did not accept a request, for the reason `error`."""

    request: Request
    error: CobrowseError


@dataclass(frozen=True, slots=True)
class RequestResumed:
    """This process took over a request of a process that has died."""

    stored: StoredRequest


@dataclass(frozen=True, slots=True)
class SessionClosed:
    """The customer has joined a session, or the session has ended.

    In both cases, the session no longer waits for a customer, and the messages that show it need an update.
    """

    session_id: SessionId


@dataclass(frozen=True, slots=True)
class SessionStateChanged:
    """Genesys reported for the first time that the customer has joined a session, or that the session is over.

    Only the process that stored the new state emits this event.

    - `record`: the session with the new state.
    - `is_join`: whether the bot learns only now that the customer has joined. True also for a session that is over, if
      the bot learns of the join and of the end at the same time.
    """

    record: SessionRecord
    is_join: bool = False


Event = RequestFinished | RequestRejected | RequestResumed | SessionClosed | SessionStateChanged
E = TypeVar("E", RequestFinished, RequestRejected, RequestResumed, SessionClosed, SessionStateChanged)


class EventLog:
    """Passes each event to the subscribers of its type, in the order of their subscription."""

    def __init__(self) -> None:
        self._subscribers: defaultdict[type[Event], list[Callable[[Any], None]]] = defaultdict(list)
        self.one_id: Callable[[Request], Request] = lambda request: request
        """Returns a copy of a request with the main ids of its requester and target. An id stays as it is if the bot
        does not know the main id."""

    def subscribe(self, kind: type[E], *subscribers: Callable[[E], None]) -> None:
        """Register subscribers. Each later event of the type `kind` is passed to them."""
        self._subscribers[kind] += subscribers

    def emit(self, event: Event) -> None:
        """Pass an event to its subscribers.

        If a subscriber raises an exception, log the exception and call the next subscriber.
        """
        if isinstance(event, RequestFinished | RequestRejected):
            request = self.one_id(event.request)
            event = event if request is event.request else replace(event, request=request)
        for subscriber in self._subscribers[type(event)]:
            try:
                subscriber(event)
            except Exception:
                log.exception("an event was not recorded")


def log_event(event: Event) -> None:
    """Write a log line for a RequestFinished, RequestResumed or SessionStateChanged. Ignore all other events."""
    match event:
        case RequestFinished(request=request, result=result):
            fields = _fields(request, result)
            fields |= {"total_ms": round(event.seconds * 1000), "create_ms": round(event.create_seconds * 1000)}
            if event.reached:
                log.info("answered", extra={"fields": fields})
            else:
                log.error("the answer reached nobody", extra={"fields": fields})
        case RequestResumed(stored=stored):
            fields = {"request": stored.request.id, "state": stored.state.value}
            log.info("resumed", extra={"fields": fields})
        case SessionStateChanged(record=record):
            fields = {"session": record.session.id, "state": record.state.phase.value}
            if record.state.ending:
                fields["ending"] = record.state.ending.value
            log.info("a session has a new state", extra={"fields": fields})


def _fields(request: Request, result: Result) -> dict[str, object]:
    fields: dict[str, object] = {
        "request": request.id,
        "kind": request.kind.value,
        "outcome": result.code,
        "team": request.team_id,
        "requester": request.requester,
    }
    if request.for_another:
        fields["agent"] = request.agent
    if step := step_of(request):
        fields |= {"step": step.execution_id, "workflow": step.workflow_execution_id}
    if isinstance(result, SessionStarted):
        session = result.session
        fields |= {"host": session.host_id, "session": session.id, "reference": session.reference, "rule": result.rule}
    if isinstance(result, OpenSession | LastSession | SessionEnded | SessionShared | SentDirect | CustomerMessageSent):
        fields["session"] = result.record.session.id
    if isinstance(result, CustomerMessageSent):
        fields["sent_to"] = result.address.masked
    if isinstance(result, HostLinked | AccountLinked | AccountUnlinked):
        fields["host"] = result.host_id
    if isinstance(result, ServiceError):
        fields["reference"] = result.reference
    return fields


@dataclass(frozen=True, slots=True)
class ServiceFailure:
    """The newest error of a call to Genesys.

    - `at`: when the request with the error ended, in UTC.
    - `passed`: whether a start has succeeded since `at`.
    """

    error: ServiceError
    at: datetime
    passed: bool = False


def person_proof(kind: RequestKind, user_id: UserId) -> str:
    """Return the name of the proof that requests of the kind `kind` work for a person (pure)."""
    return f"{kind} {user_id}"


def application_proof(application_id: str) -> str:
    """Return the name of the proof that sessions start with an application; "" is the default application (pure)."""
    return f"application {application_id}"


def text_proof(setting: str) -> str:
    """Return the name of the proof that the text of the setting `setting` can be sent to customers (pure)."""
    return f"text {setting}"


def proofs_of(event: RequestFinished) -> Iterator[str]:
    """Yield the names of what the result of a request proves to work (pure).

    The names are those of `person_proof`, `application_proof` and `text_proof`, and the kind of the request. A result
    without a call to Genesys or Slack proves nothing. For example, a duplicate request has the session of the first
    request.
    """
    request, kind = event.request, event.request.kind
    match event.result:
        case SessionStarted(session=session) if event.create_seconds:
            yield from (kind, person_proof(kind, request.agent), application_proof(session.application_id))
            if not request.application_id:
                yield application_proof("")
        case CustomerMessageSent(setting=setting) if event.create_seconds:
            yield from (kind, person_proof(kind, request.agent), text_proof(setting))
        case SessionEnded(record=record) if record.ended_by == request.id:
            yield from (kind, person_proof(kind, request.agent))
        case Applications(found=found) if found:
            yield from (kind, person_proof(kind, request.agent))
        case SessionShared() | SentDirect():
            yield kind


class ServiceStatus:
    """Holds the newest error of a call to Genesys, and when requests last succeeded.

    - `failure`: the newest error since the start of the process; None if there was none.
    - `worked`: when a request last proved that something works, a `time.monotonic()` value. The keys are those of
      `proofs_of`. Entries are deleted after FOLLOW_SECONDS.
    - `worked_for`: when the newest successful START, STEP or WHOAMI request for each agent ended, a `time.monotonic()`
      value. Entries are deleted after FOLLOW_SECONDS.
    """

    def __init__(self, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._clock = clock
        self.failure: ServiceFailure | None = None
        self.worked: TTLCache[str, float] = TTLCache(2 * MAX_FOLLOWERS, FOLLOW_SECONDS)
        self.worked_for: TTLCache[UserId, float] = TTLCache(MAX_FOLLOWERS, FOLLOW_SECONDS)

    def record_event(self, event: RequestFinished) -> None:
        """Record how a request ended: the ServiceError with which it failed, or the time of its success.

        If a start succeeded, also mark the newest error as passed. Ignore errors of other classes, errors that are no
        failure (`CobrowseError.is_failure`), and sign-ins in the browser.
        """
        if event.is_sign_in:
            return
        if isinstance(event.result, ServiceError) and event.result.is_failure:
            self.failure = ServiceFailure(event.result, self._clock())
            return
        if isinstance(event.result, CobrowseError):
            return
        for proof in proofs_of(event):
            self.worked[proof] = time.monotonic()
        if isinstance(event.result, SessionStarted | Identity):
            self.worked_for[event.request.agent] = time.monotonic()
        if isinstance(event.result, SessionStarted) and self.failure:
            self.failure = ServiceFailure(self.failure.error, self.failure.at, passed=True)


class Followers:
    """Records who has opened their Home tab, and updates these Home tabs after requests that change their content."""

    def __init__(
        self, update: Callable[[Request, UserId], None], known_id: Callable[[UserId], UserId] = lambda user_id: user_id
    ) -> None:
        """Set the functions that this object calls.

        - `update`: updates a user's Home tab. It takes the request that ended, and the user's id.
        - `known_id`: returns a person's main id, for any Slack id of this person.
        """
        self._update, self._known_id = update, known_id
        self._newest: TTLCache[PersonKey, object] = TTLCache(MAX_FOLLOWERS, FOLLOW_SECONDS)

    def follow(self, visitor: Request) -> object:
        """Record for FOLLOW_SECONDS that a user has opened their Home tab.

        Return a token for this visit. With the token, `is_newest` finds out whether there was a newer visit.

        `visitor`: the request of the visit. Its requester is the user.
        """
        token = self._newest[self._key(visitor, visitor.requester)] = object()
        return token

    def is_newest(self, visitor: Request, token: object) -> bool:
        """Return whether a visit is still its visitor's newest visit to their Home tab.

        Return False also if the visit is forgotten: after FOLLOW_SECONDS, or earlier if too many people visit.

        - `visitor`: the request of the visit. Its requester is the visitor.
        - `token`: what `follow` returned for the visit.
        """
        key, unknown = self._key(visitor, visitor.requester), (team_of(visitor), visitor.requester)
        if unknown != key and (followed := self._newest.pop(unknown, None)):  # the person's one id has become known
            self._newest.setdefault(key, followed)
        return self._newest.get(key) is token

    def _key(self, request: Request, user_id: UserId) -> PersonKey:
        """Return the key of a user's record: the organization or Slack workspace of the request, and the main id."""
        return team_of(request), self._known_id(user_id)

    def record_event(self, event: RequestFinished) -> None:
        """Update Home tabs after a request that changed a session, a host link, a fault or a request for access.

        Update the tabs of the requester and the agent. After the end of a session, also update the tab of the person
        who requested the session. Leave out people who have not opened their Home tab.

        After a press of *End* in a Home tab, always update the requester's tab, even if the press ended no session.
        """
        if event.is_sign_in:
            return
        request, result = event.request, event.result
        people: set[UserId] = set()
        if isinstance(result, SessionStarted):
            people = {request.requester, request.agent}
        if isinstance(result, SessionEnded):
            people = {request.requester, result.record.requester, result.record.agent}
        if isinstance(result, AccessRequested | FaultChecked | HostLinked):
            people = {request.requester, request.agent}
        people = {self._known_id(user_id) for user_id in people}
        people = {user_id for user_id in people if (team_of(request), user_id) in self._newest}
        if request.kind is RequestKind.END and not request.reply_url and not request.channel_id:
            people.add(request.requester)  # only the Home tab sends such an End
        for user_id in people:
            self._update(request, user_id)
