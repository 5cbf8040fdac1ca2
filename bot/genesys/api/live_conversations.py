"""The conversations a host is in right now: asked of the analytics, which run some seconds behind, then verified.

POST /api/v2/analytics/conversations/details/query, then GET /api/v2/conversations/{id} for each that is found:
https://developer.genesys.cloud/devapps/api-explorer (Conversations). Names of people go no further than the answer.
"""

import asyncio
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bot.core.errors import (
    INTERNAL,
    BadRequestError,
    ConversationKindError,
    NotInConversationError,
    UnusableAnswerError,
)
from bot.core.models import ConversationId, HostId
from bot.core.ports import CallHooks
from bot.core.validation.conversations import LiveConversation, conversation_id
from bot.core.validation.names import clean
from bot.genesys import faults
from bot.genesys.client import GenesysClient
from bot.genesys.parsing import answered_at, read_object

QUERY = "/api/v2/analytics/conversations/details/query"
CONVERSATION = "/api/v2/conversations"
VIEW_DETAILS, VIEW = "analytics:conversationDetail:view", "conversation:communication:view"
LOOK_BACK = timedelta(days=30)
"""A conversation counts by the day it began, and a chat may be weeks old; the API takes 31 days at most."""
AHEAD = timedelta(minutes=5)
OLDEST = timedelta(days=90)
"""A conversation that says it is older, or begins later than AHEAD, does not know when it began."""
MOST = 20
NAME_LENGTH = 60
_MEDIA = (("messages", False), ("calls", True))
"""Where a participant's communications stand that can be co-browsed, and whether that is a call."""
_OTHER_MEDIA = {
    "chats": "chat",
    "callbacks": "callback",
    "emails": "email",
    "internalMessages": INTERNAL,
    "socialExpressions": "social",
    "videos": "video",
}
"""Where those stand that cannot be, and the kinds they are of."""
_OURS = ("agent", "user", "acd", "ivr", "workflow", "voicemail", "bot", "group", "station", "dialer", "api", "manager")
"""Purposes of participants who are no customers."""


@dataclass(frozen=True, slots=True)
class ActiveConversation:
    """A conversation the host is connected to, by voice or by messages."""

    conversation: LiveConversation
    is_voice: bool


@dataclass(frozen=True, slots=True)
class OtherConversation:
    """A conversation the host is connected to, of a kind that cannot be co-browsed in."""

    kind: str


class WaitingOnly:
    """Keeps to CallHooks for look-ups, which create nothing: passes on only that everybody has to wait."""

    def __init__(self, hooks: CallHooks) -> None:
        self._hooks = hooks

    @property
    def fairness_key(self) -> str:
        """The look-ups take the turns of the session they are made for."""
        return self._hooks.fairness_key

    async def before_send(self) -> None:
        """Nothing that could be done twice."""

    async def on_wait(self, seconds: float) -> None:
        await self._hooks.on_wait(seconds)


class LiveConversations:
    """Finds them. Every method may raise ServiceError."""

    def __init__(self, client: GenesysClient) -> None:
        self._client = client

    async def of(self, host_id: HostId, hooks: CallHooks) -> list[ActiveConversation]:
        """All that the host is connected to, the latest first; MOST at most.

        Raises ConversationKindError when none of them is
        of a kind that can be co-browsed in."""
        response = await self._client.call(
            "POST", QUERY, needs=VIEW_DETAILS, json=query(host_id, datetime.now(UTC)), safe=True, hooks=hooks
        )
        reference = faults.reference_of(response)
        found = read_object(response).get("conversations") or []
        if not isinstance(found, list):
            raise UnusableAnswerError(why="a list of conversations of another shape", reference=reference)
        texts = [str(entry.get("conversationId")) for entry in found if isinstance(entry, dict)]
        ids = list(dict.fromkeys(known for text in texts if (known := conversation_id(text))))[:MOST]
        try:
            async with asyncio.TaskGroup() as group:  # when one fails, the others take no turns any more
                finding = [group.create_task(self._find(one, host_id, hooks, again=True)) for one in ids]
        except ExceptionGroup as failed:
            raise failed.exceptions[0] from None
        seen = [task.result() for task in finding]
        live = [one for one in seen if isinstance(one, ActiveConversation)]
        if not live and (other := [one.kind for one in seen if isinstance(one, OtherConversation)]):
            raise ConversationKindError(kinds=tuple(dict.fromkeys(other)))
        return sorted(live, key=lambda one: one.conversation.since, reverse=True)

    async def one(self, wanted: ConversationId, host_id: HostId, hooks: CallHooks) -> ActiveConversation:
        """That conversation.

        Raises NotInConversationError when the host is not connected to it, ConversationKindError.
        """
        live = await self._find(wanted, host_id, hooks)
        if live is None:
            raise NotInConversationError(conversation_id=wanted)
        if isinstance(live, OtherConversation):
            raise ConversationKindError(kinds=(live.kind,))
        return live

    async def _find(
        self, wanted: ConversationId, host_id: HostId, hooks: CallHooks, *, again: bool = False
    ) -> "ActiveConversation | OtherConversation | None":
        try:
            response = await self._client.call(
                "GET", f"{CONVERSATION}/{wanted}", needs=VIEW, safe=True, hooks=hooks, again=again
            )
        except BadRequestError as error:
            if error.status in (400, 404):  # no such conversation, or none of this organisation's
                return None
            raise
        body = read_object(response)
        return read_live(body, wanted, host_id, answered_at(response)) or read_other(body, wanted, host_id)


def query(host_id: HostId, now: datetime) -> dict[str, object]:
    """The search for conversations without an end, in which the host has a segment without an end."""
    begin, end = (f"{at:%Y-%m-%dT%H:%M:%S}.000Z" for at in (now - LOOK_BACK, now + AHEAD))
    return {
        "interval": f"{begin}/{end}",
        "order": "desc",
        "orderBy": "conversationStart",
        "paging": {"pageSize": MOST, "pageNumber": 1},
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
    body: dict[str, object], wanted: ConversationId, host_id: HostId, now: datetime | None = None
) -> ActiveConversation | None:
    """A conversation as the API has it -> what is needed of it; None unless the host talks to a customer in it now, by
    voice or by messages (pure). `now` is the service's time."""
    now = now or datetime.now(UTC)
    people = list(_objects(body.get("participants")))
    if _is_internal(people, host_id):
        return None
    for person in _hosting(body, wanted, host_id):
        for media, is_voice in _MEDIA:
            for communication in _connected(person, media):
                times = communication.get("connectedTime"), person.get("connectedTime"), body.get("startTime")
                return ActiveConversation(LiveConversation(wanted, _since(times, now), _customer(people)), is_voice)
    return None


def _since(times: Iterable[object], now: datetime) -> datetime:
    """The first time that a conversation can have begun at; `now` when there is none."""
    read = (read_time_within(one, now, back=OLDEST, ahead=AHEAD) for one in times)
    return next(filter(None, read), now)


def read_other(body: dict[str, object], wanted: ConversationId, host_id: HostId) -> OtherConversation | None:
    """The kind of a conversation that cannot be co-browsed in; None unless the host takes part in it now (pure)."""
    is_internal = _is_internal(list(_objects(body.get("participants"))), host_id)
    for person in _hosting(body, wanted, host_id):
        if is_internal and any(True for media, _ in _MEDIA for _ in _connected(person, media)):
            return OtherConversation(INTERNAL)
        for media, kind in _OTHER_MEDIA.items():
            if any(True for _ in _connected(person, media)):
                return OtherConversation(kind)
    return None


def _hosting(body: dict[str, object], wanted: ConversationId, host_id: HostId) -> Iterator[dict[str, object]]:
    """The participants that the host is in this conversation, unless it is over. Whoever only listens in (monitors,
    coaches) takes no part."""
    if str(body.get("id") or "").lower() != wanted or body.get("endTime"):
        return
    for person in _objects(body.get("participants")):
        if _user(person) == host_id and not _listens(person):
            yield person


def _user(person: dict[str, object]) -> str:
    return str(person.get("userId") or "").lower()


def _listens(person: dict[str, object]) -> bool:
    return bool(person.get("monitoredParticipantId") or person.get("coachedParticipantId"))


def _connected(person: dict[str, object], media: str) -> Iterator[dict[str, object]]:
    return (each for each in _objects(person.get(media)) if str(each.get("state")).lower() == "connected")


def _is_internal(people: list[dict[str, object]], host_id: HostId) -> bool:
    """Whether the host talks to another user of the organisation, and nobody else is there but parts of Genesys."""
    colleague = any(_user(person) not in ("", host_id) and not _listens(person) for person in people)
    return colleague and all(_user(person) or str(person.get("purpose")).lower() in _OURS for person in people)


def read_time(value: object) -> datetime | None:
    """ISO 8601, as Genesys writes times: `2026-10-01T10:42:00.000Z`; None for anything else or beyond the calendar."""
    try:
        at = datetime.fromisoformat(str(value))
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def read_time_within(value: object, now: datetime, *, back: timedelta, ahead: timedelta) -> datetime | None:
    """As read_time; None for a time that lies further back or ahead of `now`."""
    at = read_time(value)
    return at if at and -back <= at - now <= ahead else None


def _customer(people: list[dict[str, object]]) -> str:
    for person in people:
        if person.get("purpose") in ("customer", "external") and (name := person.get("name")):
            return clean(str(name), NAME_LENGTH)
    return ""


def _objects(value: object) -> Iterator[dict[str, object]]:
    return (entry for entry in value if isinstance(entry, dict)) if isinstance(value, list) else iter(())
