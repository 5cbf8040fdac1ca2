"""Imitate Genesys's notification service: channels, their subscriptions, and the WebSocket of each channel.

A channel with the topic `v2.users.{id}.conversations` gets an event after each change of a conversation of the user
`{id}`. HTTP requests, responses and events have the shapes of the SDK's Channel, ChannelTopic, AvailableTopic and
ConversationEventTopicConversation.
https://developer.genesys.cloud/notificationsalerts/notifications/notifications-apis
"""

import asyncio
import contextlib
import json
import re
import secrets
import time
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSCloseCode, WSMsgType, web

from bot.sandbox.genesys.api.login import Grant
from bot.sandbox.genesys.conversations import Conversation, iso_time
from bot.sandbox.genesys.errors import ApiError
from bot.sandbox.genesys.faults import Fault
from bot.sandbox.genesys.records import BoundedList

MAX_TOPICS, MAX_CHANNELS = 1000, 20
CHANNEL_SECONDS, HEARTBEAT_SECONDS, CLOSING_SECONDS = 86_400.0, 30.0, 60.0
TOPIC, VIEW = "v2.users.{id}.conversations", "conversation:communication:view"
METADATA, CLOSING = "channel.metadata", "v2.system.socket_closing"
_TOPIC_PATTERN = re.compile(r"v2\.users\.([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.conversations")
_CHANNELS, _CHANNEL = "/api/v2/notifications/channels", "/api/v2/notifications/channels/{id}"
_SUBSCRIPTIONS = "/api/v2/notifications/channels/{id}/subscriptions"
Event = dict[str, Any]


@dataclass
class Channel:
    """A notification channel of the sandbox's Genesys.

    - `owner`: the id of the signed-in user who created the channel; "client" if the OAuth client created it.
    - `expires_at`: the expiry of the channel, in seconds since 1970.
    - `topics`: the topics to which the channel is subscribed, as the keys of a dict. All values of the dict are None.
    - `used_at`: when a call or a WebSocket last used the channel, in seconds since 1970.
    - `socket`: the open WebSocket; None if no client is connected.
    - `outbox`: the events to send over the WebSocket.
    - `held`: an event that the simulated fault `events-reordered` delays; None if no event is delayed.
    """

    owner: str
    expires_at: float
    id: str = field(default_factory=lambda: f"streaming-0-{secrets.token_hex(13)}")
    topics: dict[str, None] = field(default_factory=dict)
    used_at: float = field(default_factory=time.time)
    socket: web.WebSocketResponse | None = None
    outbox: "asyncio.Queue[Event]" = field(default_factory=asyncio.Queue)
    held: Event | None = None

    def release(self) -> None:
        """Stop the delay of the event in `held`: move the event to `outbox`. Do nothing if `held` is None."""
        if self.held is not None:
            self.outbox.put_nowait(self.held)
            self.held = None


class Notifications:
    """Holds the notification channels of the sandbox's Genesys, and serves their API endpoints.

    - `channel_seconds`: the lifetime of a channel.
    - `heartbeat_seconds`: the time without an event after which the server sends a heartbeat.
    - `closing_seconds`: the time between the event `v2.system.socket_closing` and the close of the WebSocket.
    - `refused_users`: ids of users. Nobody can subscribe to the topics of these users.
    - `is_mute`: True if the server sends nothing over the open WebSockets, and drops the events.
    - `channels`: the channels by id.
    - `sent`: the sent events, oldest first, without heartbeats and without replies to messages of the client.
    - `next_fault`: a function that gets "events" or "sockets". It returns the simulated fault that affects the next
      event or WebSocket, or None if there is no fault.
    """

    def __init__(self, require_permission: Callable[..., Grant], url: Callable[[], str]) -> None:
        self.channel_seconds, self.heartbeat_seconds = CHANNEL_SECONDS, HEARTBEAT_SECONDS
        self.closing_seconds, self.is_mute = CLOSING_SECONDS, False
        self.refused_users: set[str] = set()
        self.channels: dict[str, Channel] = {}
        self.sent: list[Event] = BoundedList()
        self.next_fault: Callable[[str], Fault | None] = lambda _: None
        self._require_permission, self._url = require_permission, url
        self._closing: set[asyncio.Task[None]] = set()

    def routes(self) -> Sequence[web.RouteDef]:
        return [
            web.get("/api/v2/notifications/availabletopics", self._available_topics, name="topics"),
            web.post(_CHANNELS, self._create, name="channels"),
            web.get(_CHANNELS, self._list, name="channels.list"),
            web.head(_CHANNEL, self._head, name="channels.head"),
            web.get(_SUBSCRIPTIONS, self._read_subscriptions, name="subscriptions"),
            web.post(_SUBSCRIPTIONS, self._add_subscriptions, name="subscriptions.add"),
            web.put(_SUBSCRIPTIONS, self._replace_subscriptions, name="subscriptions.replace"),
            web.delete(_SUBSCRIPTIONS, self._delete_subscriptions, name="subscriptions.delete"),
            web.get("/channels/{id}", self._connect, name="socket"),
        ]

    @property
    def connected(self) -> list[Channel]:
        """Return the channels with an open WebSocket."""
        return [channel for channel in self.channels.values() if channel.socket is not None]

    def subscribed(self) -> set[str]:
        """Return the topics of all channels with an open WebSocket."""
        return {topic for channel in self.connected for topic in channel.topics}

    # -- Events --

    def publish(self, conversation: Conversation) -> None:
        """Send an event about a changed conversation.

        The event goes to each connected channel that is subscribed to the topic of the conversation's host.
        """
        topic = TOPIC.replace("{id}", conversation.host_user_id.lower())
        channels = [channel for channel in self.connected if topic in channel.topics]
        if not channels:
            return
        event = {"topicName": topic, "version": "2", "eventBody": conversation.as_event(self._url())}
        event["metadata"] = {"CorrelationId": str(uuid.uuid4())}
        for channel in channels:
            _send_with_fault(channel, event, self.next_fault("events"))

    async def close_sockets(self, *, warns: bool = False) -> None:
        """Close every WebSocket, as Genesys does for maintenance.

        `warns`: True to send the event `v2.system.socket_closing`, wait `closing_seconds`, and then close the
        WebSockets. False to close the WebSockets at once.
        """
        sockets = [channel.socket for channel in self.connected if channel.socket is not None]
        if warns:
            for channel in self.connected:
                text = f"This socket closes in {self.closing_seconds:g} seconds."
                channel.outbox.put_nowait({"topicName": CLOSING, "version": "2", "eventBody": {"message": text}})
            await asyncio.sleep(self.closing_seconds)
        for socket in sockets:
            await socket.close(code=WSCloseCode.GOING_AWAY)

    # -- Endpoints --

    async def _available_topics(self, request: web.Request) -> web.Response:
        self._require_permission(request)
        expanded: dict[str, Any] = {
            "description": "Notifies about changes to the conversations of a user",
            "requiresPermissions": [VIEW],
            "permissionDetails": [
                {"type": "requiresPermissions", "permissions": [VIEW], "allowsCurrentUser": True},
            ],
            "enforced": True,
            "visibility": "Public",
            "transports": ["All"],
            "topicParameters": ["id"],
        }
        wanted = {name for value in request.query.getall("expand", []) for name in value.split(",")}
        topic = {"id": TOPIC, **{name: value for name, value in expanded.items() if name in wanted}}
        return web.json_response({"entities": [topic]})

    async def _create(self, request: web.Request) -> web.Response:
        owner = _owner(self._require_permission(request))
        self._drop_expired()
        own = [channel for channel in self.channels.values() if channel.owner == owner]
        if len(own) >= MAX_CHANNELS:
            oldest = min(own, key=lambda channel: (channel.socket is not None, channel.used_at))
            await self._remove(oldest)
        channel = Channel(owner, time.time() + self.channel_seconds)
        self.channels[channel.id] = channel
        return web.json_response(self._as_json(channel))

    async def _list(self, request: web.Request) -> web.Response:
        owner = _owner(self._require_permission(request))
        self._drop_expired()
        return web.json_response(
            {"entities": [self._as_json(each) for each in self.channels.values() if each.owner == owner]}
        )

    async def _head(self, request: web.Request) -> web.Response:
        self._requested(request)
        return web.Response()

    async def _read_subscriptions(self, request: web.Request) -> web.Response:
        return _listing(self._requested(request).topics)

    async def _add_subscriptions(self, request: web.Request) -> web.Response:
        return await self._subscribe(request, keeps=True)

    async def _replace_subscriptions(self, request: web.Request) -> web.Response:
        return await self._subscribe(request, keeps=False)

    async def _delete_subscriptions(self, request: web.Request) -> web.Response:
        self._requested(request).topics.clear()
        return web.Response(status=204)

    async def _subscribe(self, request: web.Request, *, keeps: bool) -> web.Response:
        """Subscribe a channel to the topics in the body of an HTTP request, and restart the channel's lifetime.

        `keeps`: True to keep the present topics of the channel, and to return all topics of the channel. False to drop
        the present topics, and to return the topics in the body, including refused topics.

        With the query `ignoreErrors=true`, skip the topics to which the access token may not subscribe. Without this
        query, raise ApiError (403) for such a topic. Raise ApiError (400) for an unknown topic, or if the channel would
        have more than MAX_TOPICS topics.
        """
        grant, channel = self._require_permission(request), self._requested(request)
        wanted = await _read_topics(request)
        refused = {topic: missing for topic in wanted if (missing := self._missing(request, grant, topic)) is not None}
        if refused and request.query.get("ignoreErrors") != "true":
            listed = ", ".join(refused)
            raise ApiError(403, f"Insufficient permissions to subscribe to the topics: {listed}", "not.authorized")
        topics = {**(channel.topics if keeps else {}), **dict.fromkeys(one for one in wanted if one not in refused)}
        if len(topics) > MAX_TOPICS:
            raise ApiError(400, f"A channel can have at most {MAX_TOPICS} topics.", "max.topics.exceeded")
        channel.topics, channel.expires_at = topics, time.time() + self.channel_seconds
        return _listing(topics if keeps else wanted, refused)

    def _missing(self, request: web.Request, grant: Grant, topic: str) -> list[str] | None:
        """Return None if an access token may subscribe to `topic`, else the permissions that the token lacks.

        If the user of the topic is in `refused_users`, return [], because no permission would help. Raises ApiError
        (400) for an unknown topic.
        """
        match = _TOPIC_PATTERN.fullmatch(topic)
        if match is None:
            raise ApiError(400, f"The topic is unknown: {topic}", "invalid.topic")
        if match[1] in self.refused_users:
            return []
        if grant.user_id is not None and grant.user_id.lower() == match[1]:
            return None
        try:
            self._require_permission(request, VIEW)
        except ApiError:
            return [VIEW]
        return None

    def _requested(self, request: web.Request) -> Channel:
        owner = _owner(self._require_permission(request))
        self._drop_expired()
        channel = self.channels.get(request.match_info["id"])
        if channel is None or channel.owner != owner:
            raise ApiError(404, "The channel was not found.", "not.found")
        channel.used_at = time.time()
        return channel

    def _drop_expired(self) -> None:
        for channel in [each for each in self.channels.values() if each.expires_at <= time.time()]:
            del self.channels[channel.id]

    async def _remove(self, channel: Channel) -> None:
        del self.channels[channel.id]
        if channel.socket is not None:
            await channel.socket.close(code=WSCloseCode.GOING_AWAY)

    def _as_json(self, channel: Channel) -> dict[str, str]:
        uri = f"{self._url().replace('http', 'ws', 1)}/channels/{channel.id}"
        return {"connectUri": uri, "id": channel.id, "expires": iso_time(channel.expires_at)}

    # -- The WebSocket of a channel --

    async def _connect(self, request: web.Request) -> web.WebSocketResponse:
        """Serve the WebSocket of a channel until the client or the server closes the WebSocket.

        If the channel already has a WebSocket, close the old WebSocket. Drop the events that are still in the channel's
        outbox. For an unknown or expired channel, only send an error message, and close the WebSocket.
        """
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self._drop_expired()
        channel = self.channels.get(request.match_info["id"])
        if channel is None:
            await socket.send_json({"result": "404", "status": "failure", "message": "The channel was not found."})
            await socket.close()
            return socket
        if channel.socket is not None:
            await channel.socket.close(code=WSCloseCode.GOING_AWAY)
        channel.socket, channel.used_at, channel.outbox = socket, time.time(), asyncio.Queue()
        tasks = [asyncio.create_task(self._write(channel, socket))]
        fault = self.next_fault("sockets")
        if fault is not None:
            tasks.append(asyncio.create_task(_close_after(socket, fault.options["seconds"])))
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    channel.outbox.put_nowait(_reply(message.data))
        finally:
            for task in tasks:
                task.cancel()
            if channel.socket is socket:
                channel.socket, channel.used_at = None, time.time()
        return socket

    async def _write(self, channel: Channel, socket: web.WebSocketResponse) -> None:
        """Send the events in the channel's outbox, and a heartbeat after every `heartbeat_seconds` without an event.

        Close the WebSocket when the channel expires.
        """
        with contextlib.suppress(ConnectionError):
            while not socket.closed:
                event = _metadata("WebSocket Heartbeat")
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(min(self.heartbeat_seconds, max(0.0, channel.expires_at - time.time()))):
                        event = await channel.outbox.get()
                if channel.expires_at <= time.time():
                    await socket.close(code=WSCloseCode.GOING_AWAY)
                    return
                if self.is_mute:
                    continue
                await socket.send_json(event)
                if event["topicName"] != METADATA:
                    self.sent.append(event)


def _owner(grant: Grant) -> str:
    return grant.user_id or "client"


async def _close_after(socket: web.WebSocketResponse, seconds: float) -> None:
    await asyncio.sleep(seconds)
    await socket.close(code=WSCloseCode.GOING_AWAY)


def _send_with_fault(channel: Channel, event: Event, fault: Fault | None) -> None:
    """Put an event into the channel's outbox. A simulated fault drops, doubles or delays the event.

    - `events-missing`: drop the event.
    - `events-doubled`: put the event into the outbox twice.
    - `events-late`: delay the event by the fault's option `seconds`.
    - `events-reordered`: delay the event until the next event is in the outbox, or by `seconds`.
    """
    name, loop = fault.name if fault else "", asyncio.get_running_loop()
    if name == "events-missing":
        return
    if name == "events-late" and fault is not None:
        loop.call_later(fault.options["seconds"], channel.outbox.put_nowait, event)
        return
    if name == "events-reordered" and fault is not None and channel.held is None:
        channel.held = event
        loop.call_later(fault.options["seconds"], channel.release)
        return
    for _ in range(2 if name == "events-doubled" else 1):
        channel.outbox.put_nowait(event)
    channel.release()


def _metadata(text: str) -> Event:
    return {"topicName": METADATA, "eventBody": {"message": text}}


def _reply(text: str) -> Event:
    """Return a pong if the client's message `text` is a ping, else an error event."""
    try:
        message = json.loads(text)
    except ValueError:
        message = None
    if isinstance(message, dict) and message.get("message") == "ping":
        return _metadata("pong")
    return _metadata("The message is not known.")


async def _read_topics(request: web.Request) -> list[str]:
    """Return the topics in the body of an HTTP request, without duplicates.

    Raises ApiError (415) if the content type is not application/json. Raises ApiError (400) unless the body is a JSON
    list of objects whose only field is `id`.
    """
    if request.content_type != "application/json":
        raise ApiError(415, "Content-Type must be application/json.", "unsupported.media.type")
    try:
        body = json.loads(await request.read())
    except ValueError as error:
        raise ApiError(400, "The body is not JSON.") from error
    if not isinstance(body, list) or not all(isinstance(each, dict) and set(each) == {"id"} for each in body):
        raise ApiError(400, "The body must be a list of objects with an id.")
    return list(dict.fromkeys(str(each["id"]) for each in body))


def _listing(topics: Iterable[str], refused: dict[str, list[str]] | None = None) -> web.Response:
    """Return a list of topics, in the shape of the SDK's ChannelTopicEntityListing.

    `refused`: for each refused topic, the permissions that the access token lacks; None if no topic is refused.
    """
    refused = refused or {}
    entities: list[dict[str, Any]] = []
    for topic in topics:
        if topic in refused:
            fields = {"state": "Rejected", "rejectionReason": "Insufficient permissions"}
            entities.append({"id": topic, **fields, "missingPermissions": refused[topic]})
        else:
            entities.append({"id": topic, "state": "Permitted", "selfUri": f"/api/v2/notifications/topics/{topic}"})
    return web.json_response({"entities": entities})
