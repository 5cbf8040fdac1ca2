"""Find the conversations to which a host is connected now.

The results of POST /api/v2/analytics/conversations/details/query are some seconds old. So the bot also reads each found
conversation with GET /api/v2/conversations/{id}: https://developer.genesys.cloud/devapps/api-explorer (Conversations).
No log line contains a customer's name.
"""

import asyncio
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from bot.core.errors import (
    INTERNAL,
    BadRequestError,
    NoUsableConversationError,
    UnusableAnswerError,
)
from bot.core.models import ConversationId, HostId
from bot.core.ports import CallHooks
from bot.core.validation.conversations import LiveConversation, conversation_id
from bot.core.validation.display import clean
from bot.genesys.client import GenesysClient
from bot.genesys.parsing import answered_at, objects, read_object, reference_of

QUERY = "/api/v2/analytics/conversations/details/query"
CONVERSATION = "/api/v2/conversations"
VIEW_DETAILS, VIEW = "analytics:conversationDetail:view", "conversation:communication:view"
SEARCH_BACK = timedelta(days=30)
"""The search finds only conversations that started within this time before now. The API allows 31 days at most."""
MAX_AHEAD = timedelta(minutes=5)
MAX_AGE = timedelta(days=90)
"""The bot ignores a time in Genesys's answer that is longer ago than MAX_AGE, or more than MAX_AHEAD in the future."""
MAX_CONVERSATIONS = 20
MAX_NAME_LENGTH = 60
_MEDIA = (("messages", False), ("calls", True))
"""The keys of Genesys's participant objects that list communications in which co-browse is possible.

Each pair has such a key, and whether the listed communications are calls."""
_OTHER_MEDIA = {
    "chats": "chat",
    "callbacks": "callback",
    "emails": "email",
    "internalMessages": INTERNAL,
    "socialExpressions": "social",
    "videos": "video",
}
"""The keys of Genesys's participant objects that list communications in which co-browse is not possible.

The value of each key is the kind of conversation, for `OtherConversation.kind`."""
_STAFF_PURPOSES = (
    "agent",
    "user",
    "acd",
    "ivr",
    "workflow",
    "voicemail",
    "bot",
    "group",
    "station",
    "dialer",
    "api",
    "manager",
)
"""The values of `purpose` of participants who are not customers."""


@dataclass(frozen=True, slots=True)
class ActiveConversation:
    """A conversation that supports co-browse, and to which the host is connected by voice or by messages.

    - `is_voice`: True if the host is connected by voice, False if by messages.
    - `body`: the body of Genesys's answer about the conversation.
    - `read_at`: the time at which Genesys sent the answer, by Genesys's clock.
    """

    conversation: LiveConversation
    is_voice: bool
    body: dict[str, object] = field(repr=False, compare=False)
    read_at: datetime = field(compare=False)


@dataclass(frozen=True, slots=True)
class OtherConversation:
    """A conversation to which the host is connected, and in which Genesys does not support co-browse.

    `kind`: the kind of conversation, such as "email"; one of the values of `_OTHER_MEDIA`.
    """

    kind: str


class LookupHooks:
    """Call hooks for the look-ups of conversations that precede a create call.

    `hooks`: the call hooks of the create call. LookupHooks uses their `on_wait`, and ignores their `before_send`.
    """

    def __init__(self, hooks: CallHooks) -> None:
        self._hooks = hooks

    @property
    def fairness_key(self) -> str:
        """Return the fairness key of the create call, because the look-ups are made for the same requester."""
        return self._hooks.fairness_key

    async def before_send(self) -> None:
        """Do nothing. Only a create call moves the request from `accepted` to `creating`."""

    async def on_wait(self, seconds: float) -> None:
        await self._hooks.on_wait(seconds)


class LiveConversations:
    """Finds the conversations to which a host is connected. Every method raises ServiceError if a call fails."""

    def __init__(self, client: GenesysClient) -> None:
        self._client = client

    async def find(self, host_id: HostId, hooks: CallHooks) -> list[ActiveConversation]:
        """Return the host's conversations that support co-browse, MAX_CONVERSATIONS at most.

        Sort them by the time at which the host was connected, newest first. Return [] if the host is in no
        conversation. Raises NoUsableConversationError if the host is in conversations but none of them supports
        co-browse.
        """
        response = await self._client.call(
            "POST", QUERY, needs=VIEW_DETAILS, json=query(host_id, datetime.now(UTC)), safe=True, hooks=hooks
        )
        reference = reference_of(response)
        found = read_object(response).get("conversations") or []
        if not isinstance(found, list):
            raise UnusableAnswerError(why="a list of conversations in an unknown form", reference=reference)
        texts = [str(entry.get("conversationId")) for entry in objects(found)]
        ids = list(dict.fromkeys(known for text in texts if (known := conversation_id(text))))[:MAX_CONVERSATIONS]
        try:
            async with asyncio.TaskGroup() as group:  # if one call fails, the others are cancelled
                tasks = [group.create_task(self._fetch(one, host_id, hooks, continues=True)) for one in ids]
        except ExceptionGroup as failed:
            raise failed.exceptions[0] from None
        fetched = [task.result() for task in tasks]
        live = [one for one in fetched if isinstance(one, ActiveConversation)]
        if not live and (other := [one.kind for one in fetched if isinstance(one, OtherConversation)]):
            raise NoUsableConversationError(code="conversation_kind_not_supported", kinds=tuple(dict.fromkeys(other)))
        return sorted(live, key=lambda one: one.conversation.since, reverse=True)

    async def get(
        self, wanted_id: ConversationId, host_id: HostId, hooks: CallHooks, *, own: bool = True
    ) -> ActiveConversation:
        """Return the conversation with the id `wanted_id`. `own`: True if the host is the requester.

        Raises NoUsableConversationError if there is no such conversation, if the host is not connected to it, or if it
        does not support co-browse.
        """
        live = await self._fetch(wanted_id, host_id, hooks)
        if live is None:
            raise NoUsableConversationError(code="not_in_conversation", conversation_id=wanted_id, own=own)
        if isinstance(live, OtherConversation):
            raise NoUsableConversationError(code="conversation_kind_not_supported", kinds=(live.kind,))
        return live

    async def _fetch(
        self, wanted_id: ConversationId, host_id: HostId, hooks: CallHooks, *, continues: bool = False
    ) -> "ActiveConversation | OtherConversation | None":
        try:
            response = await self._client.call(
                "GET", f"{CONVERSATION}/{wanted_id}", needs=VIEW, safe=True, hooks=hooks, continues=continues
            )
        except BadRequestError as error:
            if error.status in (400, 404):  # this organization has no such conversation
                return None
            raise
        body = read_object(response)
        return read_live(body, wanted_id, host_id, answered_at(response)) or read_other(body, wanted_id, host_id)


def query(host_id: HostId, now: datetime) -> dict[str, object]:
    """Build the body of an analytics query for open conversations to which the host is connected.

    The query covers the time from SEARCH_BACK before `now` to MAX_AHEAD after `now`.
    """
    begin, end = (f"{at:%Y-%m-%dT%H:%M:%S}.000Z" for at in (now - SEARCH_BACK, now + MAX_AHEAD))
    return {
        "interval": f"{begin}/{end}",
        "order": "desc",
        "orderBy": "conversationStart",
        "paging": {"pageSize": MAX_CONVERSATIONS, "pageNumber": 1},
        "conversationFilters": [
            {
                "type": "and",
                "predicates": [{"type": "dimension", "dimension": "conversationEnd", "operator": "notExists"}],
            }
        ],
        "segmentFilters": [
            {
                "type": "and",
                "predicates": [
                    {"type": "dimension", "dimension": "userId", "operator": "matches", "value": host_id},
                    {"type": "dimension", "dimension": "segmentEnd", "operator": "notExists"},
                ],
            }
        ],
    }


def read_live(
    body: dict[str, object], wanted_id: ConversationId, host_id: HostId, now: datetime | None = None
) -> ActiveConversation | None:
    """Read a conversation that supports co-browse from the body of Genesys's answer.

    Return None if the conversation does not support co-browse, or if the host is not connected to the conversation.

    - `wanted_id`: the id of the conversation that was requested.
    - `now`: the current time by Genesys's clock; None for this machine's time. A time in the answer that is implausible
      at `now` is ignored (see `_since`).
    """
    now = now or datetime.now(UTC)
    people = list(objects(body.get("participants")))
    if _is_internal(people, host_id):
        return None
    for person in _host_participants(body, wanted_id, host_id):
        for media, is_voice in _MEDIA:
            for communication in _connected(person, media):
                times = communication.get("connectedTime"), person.get("connectedTime"), body.get("startTime")
                conversation = LiveConversation(wanted_id, _since(times, now), _customer(people))
                return ActiveConversation(conversation, is_voice, body, now)
    return None


def _since(times: Iterable[object], now: datetime) -> datetime:
    """Return the first item of `times` that is a plausible time; `now` if there is none.

    A time is plausible if it is an ISO 8601 time between MAX_AGE before `now` and MAX_AHEAD after `now`.
    """
    read = (read_time_within(one, now, back=MAX_AGE, ahead=MAX_AHEAD) for one in times)
    return next(filter(None, read), now)


def read_other(body: dict[str, object], wanted_id: ConversationId, host_id: HostId) -> OtherConversation | None:
    """Read a conversation that does not support co-browse from the body of Genesys's answer (pure).

    Return None if the conversation supports co-browse, or if the host is not connected to the conversation.
    `wanted_id`: the id of the conversation that was requested.
    """
    is_internal = _is_internal(list(objects(body.get("participants"))), host_id)
    for person in _host_participants(body, wanted_id, host_id):
        if is_internal and any(True for media, _ in _MEDIA for _ in _connected(person, media)):
            return OtherConversation(INTERNAL)
        for media, kind in _OTHER_MEDIA.items():
            if any(True for _ in _connected(person, media)):
                return OtherConversation(kind)
    return None


def _host_participants(
    body: dict[str, object], wanted_id: ConversationId, host_id: HostId
) -> Iterator[dict[str, object]]:
    """Yield the host's participant objects in Genesys's answer `body` about a conversation.

    - Leave out the objects in which the host only monitors or coaches.
    - Yield nothing if the conversation has ended, or if its id is not `wanted_id`.
    """
    if str(body.get("id") or "").lower() != wanted_id or body.get("endTime"):
        return
    for person in objects(body.get("participants")):
        if _user(person) == host_id and not _only_listens(person):
            yield person


def _user(person: dict[str, object]) -> str:
    return str(person.get("userId") or "").lower()


def _only_listens(person: dict[str, object]) -> bool:
    return bool(person.get("monitoredParticipantId") or person.get("coachedParticipantId"))


def _connected(person: dict[str, object], media: str) -> Iterator[dict[str, object]]:
    return (each for each in objects(person.get(media)) if str(each.get("state")).lower() == "connected")


def _is_internal(people: list[dict[str, object]], host_id: HostId) -> bool:
    """Return whether the conversation is internal: a colleague of the host takes part, and no customer."""
    colleague = any(_user(person) not in ("", host_id) and not _only_listens(person) for person in people)
    return colleague and all(
        _user(person) or str(person.get("purpose")).lower() in _STAFF_PURPOSES for person in people
    )


def read_time(value: object) -> datetime | None:
    """Parse an ISO 8601 time such as `2026-10-01T10:42:00.000Z`. Return None for any other value.

    A time without a zone counts as UTC.
    """
    try:
        at = datetime.fromisoformat(str(value))
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def read_time_within(value: object, now: datetime, *, back: timedelta, ahead: timedelta) -> datetime | None:
    """Parse an ISO 8601 time between `now - back` and `now + ahead`. Return None for any other value."""
    at = read_time(value)
    return at if at and -back <= at - now <= ahead else None


def _customer(people: list[dict[str, object]]) -> str:
    for person in people:
        if person.get("purpose") in ("customer", "external") and (name := person.get("name")):
            return clean(str(name), MAX_NAME_LENGTH)
    return ""
