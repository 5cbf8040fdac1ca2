"""The conversations a host is in right now: asked of the analytics, which run some seconds behind, then verified.

POST /api/v2/analytics/conversations/details/query, then GET /api/v2/conversations/{id} for each that is found:
https://developer.genesys.cloud/devapps/api-explorer (Conversations). Names of people go no further than the answer.
"""

import asyncio
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bot.desk.conversation_errors import NotInConversation
from bot.desk.errors import BadRequest, UnusableAnswer
from bot.desk.interactions import LiveConversation, conversation_id
from bot.desk.models import ConversationId, HostId
from bot.desk.names import clean
from bot.desk.progress import Watcher
from bot.genesys import faults
from bot.genesys.answers import answered_at, read_object
from bot.genesys.client import GenesysClient

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


@dataclass(frozen=True, slots=True)
class Live:
    """A conversation the host is connected to, by voice or by messages."""

    conversation: LiveConversation
    is_voice: bool


class WaitingOnly:
    """Keeps to Watcher for look-ups, which create nothing: passes on only that everybody has to wait."""

    def __init__(self, watcher: Watcher) -> None:
        self._watcher = watcher

    @property
    def requester(self) -> str:
        """The look-ups take the turns of the session they are made for."""
        return self._watcher.requester

    async def sending(self) -> None:
        """Nothing that could be done twice."""

    async def waiting(self, seconds: float) -> None:
        await self._watcher.waiting(seconds)


class LiveConversations:
    """Finds them. Every method may raise ServiceError."""

    def __init__(self, client: GenesysClient) -> None:
        self._client = client

    async def of(self, host_id: HostId, watcher: Watcher) -> list[Live]:
        """All that the host is connected to, the latest first; MOST at most."""
        response = await self._client.call(
            "POST", QUERY, needs=VIEW_DETAILS, json=query(host_id, datetime.now(UTC)), safe=True, watcher=watcher
        )
        reference = faults.reference_of(response)
        found = read_object(response).get("conversations") or []
        if not isinstance(found, list):
            raise UnusableAnswer(why="a list of conversations of another shape", reference=reference)
        texts = [str(entry.get("conversationId")) for entry in found if isinstance(entry, dict)]
        ids = list(dict.fromkeys(known for text in texts if (known := conversation_id(text))))[:MOST]
        try:
            async with asyncio.TaskGroup() as group:  # when one fails, the others take no turns any more
                finding = [group.create_task(self._find(one, host_id, watcher, again=True)) for one in ids]
        except ExceptionGroup as failed:
            raise failed.exceptions[0] from None
        seen = [task.result() for task in finding]
        return sorted(filter(None, seen), key=lambda live: live.conversation.since, reverse=True)

    async def one(self, wanted: ConversationId, host_id: HostId, watcher: Watcher) -> Live:
        """That conversation. Raises NotInConversation when the host is not connected to it."""
        live = await self._find(wanted, host_id, watcher)
        if live is None:
            raise NotInConversation(conversation_id=wanted)
        return live

    async def _find(
        self, wanted: ConversationId, host_id: HostId, watcher: Watcher, *, again: bool = False
    ) -> Live | None:
        try:
            response = await self._client.call(
                "GET", f"{CONVERSATION}/{wanted}", needs=VIEW, safe=True, watcher=watcher, again=again
            )
        except BadRequest as error:
            if error.status in (400, 404):  # no such conversation, or none of this organisation's
                return None
            raise
        return read_live(read_object(response), wanted, host_id, answered_at(response))


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
) -> Live | None:
    """A conversation as the API has it -> what is needed of it; None unless the host takes part in it now (pure).

    Whoever only listens in (monitors, coaches) takes no part. `now` is the service's time.
    """
    now = now or datetime.now(UTC)
    if str(body.get("id") or "").lower() != wanted or body.get("endTime"):
        return None
    people = list(_objects(body.get("participants")))
    for person in people:
        if str(person.get("userId") or "").lower() != host_id:
            continue
        if person.get("monitoredParticipantId") or person.get("coachedParticipantId"):
            continue
        for media, is_voice in _MEDIA:
            for communication in _objects(person.get(media)):
                if str(communication.get("state")).lower() == "connected":
                    times = communication.get("connectedTime"), person.get("connectedTime"), body.get("startTime")
                    return Live(LiveConversation(wanted, _since(times, now), _customer(people)), is_voice)
    return None


def _since(times: Iterable[object], now: datetime) -> datetime:
    """The first time that a conversation can have begun at; `now` when there is none."""
    read = (read_time_within(one, now, back=OLDEST, ahead=AHEAD) for one in times)
    return next(filter(None, read), now)


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
