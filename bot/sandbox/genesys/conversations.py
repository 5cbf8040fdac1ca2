"""The live conversations of the sandbox's Genesys, and how its API shows them: to the analytics, and one by one.

Shapes and words follow the official SDK's models (AnalyticsConversationQueryResponse, Conversation).
"""

import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.sandbox.genesys.errors import ApiError, is_uuid

MOST_DAYS = 31
MEDIA = {
    "message": ("messages", "message"),
    "call": ("calls", "voice"),
    "internal": ("calls", "voice"),
    "chat": ("chats", "chat"),
    "callback": ("callbacks", "callback"),
    "email": ("emails", "email"),
}
"""Where a participant's communications of a medium stand, and its name in the analytics."""
_PREDICATE = {"type", "dimension", "operator", "value"}
_QUERY = {"interval", "order", "orderBy", "paging", "conversationFilters", "segmentFilters"}


@dataclass
class Conversation:
    """A customer and a host who talk, by one of MEDIA; "internal" is a call to a colleague.

    `since` and `ended_at` are seconds since 1970.

    `reported`: whether the analytics know of it yet, which run some seconds behind. `watched_by`: who listens in.
    """

    host_user_id: str
    customer: str = field(repr=False)
    medium: str = "message"
    since: float = field(default_factory=time.time)
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    ended_at: float | None = None
    host_connected: bool = True
    reported: bool = True
    watched_by: str | None = None
    shared: str | None = None
    """The id of the co-browse session the customer has joined."""

    def end(self) -> None:
        self.ended_at, self.host_connected = time.time(), False

    def as_analytics(self) -> dict[str, Any]:
        """An AnalyticsConversationWithoutAttributes."""
        segment = {"segmentType": "interact", "segmentStart": stamp(self.since), "conference": False}
        if not self.host_connected:
            segment["segmentEnd"] = stamp(self.ended_at or time.time())
        media = MEDIA[self.medium][1]
        session = {"sessionId": _part(self.id, "session"), "mediaType": media, "direction": "inbound"}
        people = [
            {"participantId": _part(self.id, "customer"), "participantName": self.customer, **self._other},
            {"participantId": _part(self.id, "agent"), "userId": self.host_user_id, "purpose": "agent"},
        ]
        shown: dict[str, Any] = {"conversationId": self.id, "conversationStart": stamp(self.since)}
        if self.ended_at:
            shown["conversationEnd"] = stamp(self.ended_at)
        shown["participants"] = [{**person, "sessions": [{**session, "segments": [segment]}]} for person in people]
        return {**shown, "originatingDirection": "inbound", "divisionIds": [_part(self.id, "division")]}

    def as_conversation(self) -> dict[str, Any]:
        """A Conversation."""
        people = [self._person("customer", connected=self.ended_at is None, name=self.customer) | self._other]
        if self.shared:
            shares = {"id": _part(self.id, "share"), "state": "connected", "cobrowseSessionId": self.shared}
            people[0]["cobrowsesessions"] = [{**shares, "cobrowseRole": "sharer", "provider": "PureCloud Cobrowse"}]
        people.append(self._person("agent", connected=self.host_connected, userId=self.host_user_id))
        if self.watched_by:
            told = {"userId": self.watched_by, "monitoredParticipantId": people[1]["id"]}
            people.append(self._person("user", connected=True, **told))
        shown: dict[str, Any] = {"id": self.id, "startTime": stamp(self.since), "participants": people}
        if self.ended_at:
            shown["endTime"] = stamp(self.ended_at)
        return {**shown, "recordingState": "none", "selfUri": f"/api/v2/conversations/{self.id}"}

    def _person(self, purpose: str, *, connected: bool, **told: Any) -> dict[str, Any]:
        state = {"state": "connected" if connected else "disconnected", "connectedTime": stamp(self.since)}
        talk = {"id": _part(self.id, purpose + " talk"), "direction": "inbound", "held": False, **state}
        if self.medium == "message":
            talk["type"] = "webmessaging"
        shown = {"id": _part(self.id, purpose), "purpose": purpose, "connectedTime": stamp(self.since), **told}
        return {**shown, MEDIA[self.medium][0]: [talk]}

    @property
    def _other(self) -> dict[str, str]:
        """Who is at the other end."""
        if self.medium == "internal":
            return {"purpose": "agent", "userId": _part(self.id, "colleague")}
        return {"purpose": "customer"}


def find(body: Mapping[str, Any], conversations: list[Conversation]) -> dict[str, Any]:
    """What the analytics answer; only the one way of asking that this bot has is understood. Raises ApiError."""
    if unknown := set(body) - _QUERY:
        raise ApiError(400, f"The query does not know: {', '.join(sorted(unknown))}.")
    begin, end = _interval(body.get("interval"))
    size, number = (body.get("paging") or {}).get("pageSize"), (body.get("paging") or {}).get("pageNumber")
    if type(size) is not int or type(number) is not int or not 1 <= size <= 100 or number < 1:
        raise ApiError(400, "paging must have a pageSize of 1 to 100 and a pageNumber.")
    if body.get("order") not in ("asc", "desc", "unordered") or body.get("orderBy") != "conversationStart":
        raise ApiError(400, "Only an order by conversationStart is known here.")
    whole, segments = _predicates(body, "conversationFilters"), _predicates(body, "segmentFilters")
    user = segments.pop(("userId", "matches"), None)
    if whole != {("conversationEnd", "notExists"): None} or segments != {("segmentEnd", "notExists"): None}:
        raise ApiError(400, "Only open segments in conversations without an end are known here.")
    if not is_uuid(user):
        raise ApiError(400, "userId must be a UUID.")
    found = [
        one
        for one in conversations
        if one.reported and one.ended_at is None and one.host_connected and one.host_user_id == user
        # a conversation counts by the day it began
        if begin.date() <= datetime.fromtimestamp(one.since, UTC).date() <= end.date()
    ]
    found.sort(key=lambda one: one.since, reverse=body["order"] == "desc")
    page = found[size * (number - 1) : size * number]
    return {"conversations": [one.as_analytics() for one in page], "totalHits": len(found)} if found else {}


def stamp(seconds: float) -> str:
    """A time as Genesys writes it."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def _part(conversation_id: str, what: str) -> str:
    """The same id for the same part of a conversation, each time it is shown."""
    return str(uuid.uuid5(uuid.UUID(conversation_id), what))


def _interval(text: object) -> tuple[datetime, datetime]:
    try:
        begin, end = (datetime.fromisoformat(part) for part in str(text).split("/"))
    except ValueError as error:
        raise ApiError(400, "interval must be two ISO-8601 times with a slash between.") from error
    if not timedelta(0) < end - begin <= timedelta(days=MOST_DAYS):
        raise ApiError(400, f"The interval must be longer than nothing and at most {MOST_DAYS} days.")
    return begin, end


def _predicates(body: Mapping[str, Any], filters: str) -> dict[tuple[str, str], Any]:
    given = body.get(filters)
    if not isinstance(given, list) or len(given) != 1 or set(given[0]) != {"type", "predicates"}:
        raise ApiError(400, f"{filters} must be a list of one filter with a type and predicates.")
    if given[0]["type"] != "and" or any(set(one) - _PREDICATE for one in given[0]["predicates"]):
        raise ApiError(400, f"{filters} must combine its predicates with `and`.")
    if any(one.get("type") != "dimension" for one in given[0]["predicates"]):
        raise ApiError(400, "Only predicates about a dimension are known here.")
    return {(one["dimension"], one["operator"]): one.get("value") for one in given[0]["predicates"]}
