"""Model conversations, and build the responses of the analytics query and of the conversation endpoint.

The responses have the shapes of the SDK's AnalyticsConversationQueryResponse and Conversation.
"""

import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.sandbox.genesys.errors import ApiError, is_uuid

MAX_INTERVAL_DAYS = 31
MEDIA = {
    "message": ("messages", "message"),
    "call": ("calls", "voice"),
    "internal": ("calls", "voice"),
    "chat": ("chats", "chat"),
    "callback": ("callbacks", "callback"),
    "email": ("emails", "email"),
}
"""The media of conversations. Each value contains two names: of the participant's field that lists the communications,
and of the media type in responses to analytics queries."""
_PREDICATE = {"type", "dimension", "operator", "value"}
_QUERY = {"interval", "order", "orderBy", "paging", "conversationFilters", "segmentFilters"}


@dataclass
class CobrowseSession:
    """A co-browse session that a customer joined.

    - `id`: the id of the co-browse offer.
    - `joined_at`: when the customer joined, in seconds since 1970.
    - `ended_at`: when the session ended, in seconds since 1970; None for an open session.
    - `disconnect_type`: the cause of the end, as a value of the SDK's field `disconnectType`; None for an open session.
    """

    id: str
    joined_at: float = field(default_factory=time.time)
    ended_at: float | None = None
    disconnect_type: str | None = None


@dataclass
class Conversation:
    """A conversation between a customer and a host in the sandbox's Genesys.

    - `customer`: the name of the customer.
    - `medium`: a key of MEDIA. "internal" means a call between the host and a colleague. `customer` is then the name of
      the colleague.
    - `since`: the start of the conversation, in seconds since 1970.
    - `ended_at`: the end of the conversation, in seconds since 1970; None for a live conversation.
    - `host_connected`: whether the host still takes part in the conversation.
    - `in_analytics`: whether the analytics query finds the conversation.
    - `monitored_by`: the user id of a supervisor who listens to the conversation; None if nobody listens.
    """

    host_user_id: str
    customer: str = field(repr=False)
    medium: str = "message"
    since: float = field(default_factory=time.time)
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    ended_at: float | None = None
    host_connected: bool = True
    in_analytics: bool = True
    monitored_by: str | None = None
    cobrowse: list[CobrowseSession] = field(default_factory=list)
    """The co-browse sessions that the customer joined, oldest first."""
    on_change: Callable[["Conversation"], None] | None = field(default=None, repr=False, compare=False)
    """A function that gets the conversation after each change; None to report no changes."""

    def end(self) -> None:
        self._end_cobrowse("system")
        self.ended_at, self.host_connected = time.time(), False
        self.report_change()

    def report_change(self) -> None:
        if self.on_change:
            self.on_change(self)

    @property
    def cobrowse_session_id(self) -> str | None:
        """Return the id of the open co-browse session; None if no co-browse session is open."""
        return next((each.id for each in self.cobrowse if each.ended_at is None), None)

    def start_cobrowse(self, session_id: str) -> None:
        """Start the co-browse session with the id `session_id`, and call `on_change`.

        If another co-browse session of the conversation is open, end the open session first. If the session with the
        id `session_id` is open already, only call `on_change`.
        """
        if self.cobrowse_session_id != session_id:
            self._end_cobrowse("other")
            self.cobrowse.append(CobrowseSession(session_id))
        self.report_change()

    def stop_cobrowse(self, disconnect_type: str) -> None:
        """End the open co-browse session of the conversation, and call `on_change`.

        If no co-browse session is open, only call `on_change`.

        `disconnect_type`: the cause, as a value of the SDK's field `disconnectType`, such as `client` or `peer`.
        """
        self._end_cobrowse(disconnect_type)
        self.report_change()

    def _end_cobrowse(self, disconnect_type: str) -> None:
        for each in self.cobrowse:
            if each.ended_at is None:
                each.ended_at, each.disconnect_type = time.time(), disconnect_type

    def as_analytics(self) -> dict[str, Any]:
        """Return the conversation in the shape of the SDK's AnalyticsConversationWithoutAttributes."""
        segment = {"segmentType": "interact", "segmentStart": iso_time(self.since), "conference": False}
        if not self.host_connected:
            segment["segmentEnd"] = iso_time(self.ended_at or time.time())
        media = MEDIA[self.medium][1]
        session = {"sessionId": _derived_id(self.id, "session"), "mediaType": media, "direction": "inbound"}
        participants = [
            {"participantId": _derived_id(self.id, "customer"), "participantName": self.customer, **self._other_party},
            {"participantId": _derived_id(self.id, "agent"), "userId": self.host_user_id, "purpose": "agent"},
        ]
        result: dict[str, Any] = {"conversationId": self.id, "conversationStart": iso_time(self.since)}
        if self.ended_at:
            result["conversationEnd"] = iso_time(self.ended_at)
        result["participants"] = [
            {**person, "sessions": [{**session, "segments": [segment]}]} for person in participants
        ]
        return {**result, "originatingDirection": "inbound", "divisionIds": [_derived_id(self.id, "division")]}

    def as_conversation(self, url: str = "") -> dict[str, Any]:
        """Return the conversation in the shape of the SDK's Conversation.

        `url`: the base URL of the sandbox's Genesys, for the field `viewerUrl`.
        """
        participants = [
            self._participant("customer", connected=self.ended_at is None, name=self.customer) | self._other_party
        ]
        participants.append(self._participant("agent", connected=self.host_connected, userId=self.host_user_id))
        if self.cobrowse:
            for participant, role in zip(participants, ("sharer", "viewer"), strict=True):
                participant["cobrowsesessions"] = [self._cobrowse_part(each, role, url) for each in self.cobrowse]
        if self.monitored_by:
            fields = {"userId": self.monitored_by, "monitoredParticipantId": participants[1]["id"]}
            participants.append(self._participant("user", connected=True, **fields))
        result: dict[str, Any] = {"id": self.id, "startTime": iso_time(self.since), "participants": participants}
        if self.ended_at:
            result["endTime"] = iso_time(self.ended_at)
        return {**result, "recordingState": "none", "selfUri": f"/api/v2/conversations/{self.id}"}

    def as_event(self, url: str = "") -> dict[str, Any]:
        """Return the conversation in the shape of the SDK's ConversationEventTopicConversation.

        `url`: the base URL of the sandbox's Genesys, for the field `viewerUrl`.
        """
        shown = self.as_conversation(url)
        return {name: shown[name] for name in ("id", "participants", "recordingState")}

    def _cobrowse_part(self, session: CobrowseSession, role: str, url: str) -> dict[str, Any]:
        """Return one participant's entry about a co-browse session, in the shape of the SDK's Cobrowsesession.

        - `role`: the role of the participant: "sharer" for the customer, "viewer" for the agent.
        - `url`: the base URL of the sandbox's Genesys, for the field `viewerUrl`. The customer's entry lacks the
          field.
        """
        result: dict[str, Any] = {
            "id": _derived_id(self.id, f"{role} {session.id} {session.joined_at}"),
            "state": "connected" if session.ended_at is None else "disconnected",
            "cobrowseSessionId": session.id,
            "cobrowseRole": role,
            "connectedTime": iso_time(session.joined_at),
            "provider": "PureCloud Cobrowse",
        }
        if role == "viewer":
            secret = _derived_id(self.id, f"secret of {session.id}")
            result["viewerUrl"] = f"{url}/messenger/viewer#{secret}"
        if session.ended_at is not None:
            cause = "peer" if (session.disconnect_type in ("client", "endpoint")) == (role == "viewer") else "client"
            is_personal = session.disconnect_type in ("client", "endpoint", "peer")
            result["disconnectedTime"] = iso_time(session.ended_at)
            result["disconnectType"] = cause if is_personal else session.disconnect_type
        return result

    def _participant(self, purpose: str, *, connected: bool, **fields: Any) -> dict[str, Any]:
        state = {"state": "connected" if connected else "disconnected", "connectedTime": iso_time(self.since)}
        communication = {
            "id": _derived_id(self.id, purpose + " communication"),
            "direction": "inbound",
            "held": False,
            **state,
        }
        if self.medium == "message":
            communication["type"] = "webmessaging"
        result = {
            "id": _derived_id(self.id, purpose),
            "purpose": purpose,
            "connectedTime": iso_time(self.since),
            **fields,
        }
        return {**result, MEDIA[self.medium][0]: [communication]}

    @property
    def _other_party(self) -> dict[str, str]:
        """Return the fields of the participant who talks to the host.

        The participant is the customer or, in an internal call, a colleague. Only a colleague has the field `userId`.
        """
        if self.medium == "internal":
            return {"purpose": "agent", "userId": _derived_id(self.id, "colleague")}
        return {"purpose": "customer"}


def query_conversations(body: Mapping[str, Any], conversations: list[Conversation]) -> dict[str, Any]:
    """Return the response to an analytics query: one page of the conversations that match the query.

    Return {} if no conversation matches.

    - `body`: the JSON body of the query.
    - `conversations`: the conversations to search.

    Raises ApiError (400) for a query that the sandbox does not support.
    """
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
        if one.in_analytics and one.ended_at is None and one.host_connected and one.host_user_id == user
        # the interval selects conversations by their start day
        if begin.date() <= datetime.fromtimestamp(one.since, UTC).date() <= end.date()
    ]
    found.sort(key=lambda one: one.since, reverse=body["order"] == "desc")
    page = found[size * (number - 1) : size * number]
    return {"conversations": [one.as_analytics() for one in page], "totalHits": len(found)} if found else {}


def iso_time(seconds: float) -> str:
    """Format a time in seconds since 1970 as Genesys does: ISO 8601 in UTC, with milliseconds."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def _derived_id(conversation_id: str, what: str) -> str:
    """Return a UUID for one part of a conversation. `what` names the part. Equal arguments give equal UUIDs."""
    return str(uuid.uuid5(uuid.UUID(conversation_id), what))


def _interval(text: object) -> tuple[datetime, datetime]:
    try:
        begin, end = (datetime.fromisoformat(part) for part in str(text).split("/"))
    except ValueError as error:
        raise ApiError(400, "interval must be two ISO-8601 times with a slash between.") from error
    if not timedelta(0) < end - begin <= timedelta(days=MAX_INTERVAL_DAYS):
        raise ApiError(400, f"The interval must be longer than nothing and at most {MAX_INTERVAL_DAYS} days.")
    return begin, end


def _predicates(body: Mapping[str, Any], filters: str) -> dict[tuple[str, str], Any]:
    given = body.get(filters)
    if not isinstance(given, list) or len(given) != 1 or set(given[0]) != {"type", "predicates"}:
        raise ApiError(400, f"{filters} must be a list of one filter with a type and predicates.")
    if given[0]["type"] != "and" or any(set(one) - _PREDICATE for one in given[0]["predicates"]):
        raise ApiError(400, f"{filters} must combine its predicates with `and`.")
    if any(
        one.get("type") != "dimension" or not {"dimension", "operator"} <= set(one) for one in given[0]["predicates"]
    ):
        raise ApiError(400, "Only predicates with a dimension and an operator are known here.")
    return {(one["dimension"], one["operator"]): one.get("value") for one in given[0]["predicates"]}
