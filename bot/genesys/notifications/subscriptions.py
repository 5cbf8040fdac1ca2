"""Subscribe notification channels to the hosts of watched sessions, and turn the channels' events into hints.

If Genesys refuses the subscription to a host, the bot reads the states of the host's sessions at intervals. The bot
tries to subscribe again after `PushTiming.refused_seconds`, because an administrator may have added the permission.
"""

import asyncio
import logging
from collections.abc import Callable, Collection
from contextlib import suppress

from bot.core.errors import PermissionMissingError, ServiceBusyError, ServiceError, StorageUnavailableError
from bot.core.models import ConversationId, HostId
from bot.core.ports import LiveHints, Metrics, WatchedSession
from bot.core.timing import PushTiming
from bot.genesys.api.channels import MAX_TOPICS, ChannelsApi
from bot.genesys.notifications.channel import Connect, SubscribedChannel
from bot.genesys.notifications.messages import ChannelMessage, MessageKind

log = logging.getLogger(__name__)

MAX_CHANNELS = 10
"""The maximum number of channels of the bot. Genesys allows 20 for an OAuth client. The 21st would replace the oldest.
"""
MAX_SESSIONS = MAX_CHANNELS * MAX_TOPICS
MAX_HINTS = 20
"""The maximum number of sessions about which the bot pushes hints after a new subscription. For more sessions, the bot
requests an early look at all watched sessions."""


class HostSubscriptions:
    """Keeps channels subscribed to the hosts of watched sessions, and turns the channels' events into hints.

    Only the leading replica uses this class.
    """

    def __init__(
        self,
        api: ChannelsApi,
        connect: Connect,
        hints: LiveHints,
        tasks: asyncio.TaskGroup,
        metrics: Metrics,
        timing: PushTiming,
    ) -> None:
        """Start a task in `tasks` that creates the first channel at Genesys and keeps its WebSocket open.

        - `connect`: opens the WebSocket at a URL.
        - `hints`: this object passes each hint to `hints`.
        - `timing`: the intervals and delays that the methods name, such as `PushTiming.sync_seconds`.
        """
        self._api, self._connect, self._hints, self._task_group = api, connect, hints, tasks
        self._metrics, self._timing = metrics, timing
        self._loop = asyncio.get_running_loop()
        self._channels: list[_AssignedChannel] = []
        self._sessions: dict[HostId, list[WatchedSession]] = {}
        self._conversations: set[ConversationId | None] = set()
        self._fingerprints: dict[ConversationId, int] = {}
        self._hinted_at: dict[ConversationId, float] = {}
        self._refused_until: dict[HostId, float] = {}
        self._timers: set[asyncio.TimerHandle] = set()
        self._wake = asyncio.Event()
        self._add_channel()
        self._on_change(False)

    def covers(self, session: WatchedSession) -> bool:
        """Return whether events about this session's conversation arrive now; False if it has no conversation."""
        covered = any(session.host_id in assigned.channel.covered for assigned in self._channels)
        return covered and session.conversation_id is not None

    async def wait(self) -> None:
        """Wait until a channel connects or disconnects, `PushTiming.sync_seconds` at most."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._timing.sync_seconds):
                await self._wake.wait()
        self._wake.clear()

    async def sync(self) -> None:
        """Subscribe the channels to the hosts of all sessions that are watched now.

        Then push at most one hint in case an event was lost (see `_hint_oldest`). Do nothing if the database fails.
        """
        try:
            watched = await self._hints.watched(MAX_SESSIONS)
        except StorageUnavailableError:  # the subscriptions stay as they are
            return
        self._remember(watched)
        self._assign()
        for assigned in self._channels:
            if assigned.needs_subscription(self._loop.time()):
                await self._subscribe(assigned)
        self._hint_oldest()

    def close(self) -> None:
        """Close all channels, and cancel all scheduled hints."""
        for assigned in self._channels:
            assigned.task.cancel()
        for timer in self._timers:
            timer.cancel()

    def _remember(self, watched: Collection[WatchedSession]) -> None:
        self._sessions = {}
        for session in watched:
            if session.conversation_id is not None:
                self._sessions.setdefault(session.host_id, []).append(session)
        self._conversations = {each.conversation_id for each in watched}
        self._fingerprints = {key: at for key, at in self._fingerprints.items() if key in self._conversations}
        self._hinted_at = {key: at for key, at in self._hinted_at.items() if key in self._conversations}
        now = self._loop.time()
        self._refused_until = {host: until for host, until in self._refused_until.items() if until > now}

    def _assign(self) -> None:
        """Assign each host of a watched session to a channel with fewer than MAX_TOPICS hosts.

        If all channels are full, add a channel. If there are MAX_CHANNELS channels already, the other hosts get no
        channel. A host with a channel keeps this channel. A host for which Genesys refuses the subscription gets no
        channel until `PushTiming.refused_seconds` are over.
        """
        for assigned in self._channels:
            assigned.hosts &= self._sessions.keys()
            assigned.hosts -= self._refused_until.keys()
        known = {host for assigned in self._channels for host in assigned.hosts}
        for host in self._sessions.keys() - known - self._refused_until.keys():
            with_room = next((each for each in self._channels if len(each.hosts) < MAX_TOPICS), None)
            if with_room is None and len(self._channels) == MAX_CHANNELS:
                return
            (with_room or self._add_channel()).hosts.add(host)

    def _add_channel(self) -> "_AssignedChannel":
        channel = SubscribedChannel(
            self._api,
            self._connect,
            on_message=self._on_message,
            on_change=self._on_change,
            metrics=self._metrics,
            timing=self._timing,
        )
        assigned = _AssignedChannel(channel, self._task_group.create_task(channel.run()), self._timing)
        self._channels.append(assigned)
        return assigned

    async def _subscribe(self, assigned: "_AssignedChannel") -> None:
        before, wanted = assigned.channel.covered, frozenset(assigned.hosts)
        try:
            result = await assigned.channel.subscribe(wanted)
        except PermissionMissingError as error:
            self._refuse(wanted - before, error.code, (error.needs,))
            if wanted <= before:
                assigned.trim_refused(self._loop.time())
                log.warning("subscribing to notifications failed", extra={"fields": {"error": error.code}})
            return
        except ServiceBusyError:  # creating sessions goes first
            return
        except ServiceError as error:
            assigned.failed(self._loop.time())
            log.warning("subscribing to notifications failed", extra={"fields": {"error": error.code}})
            return
        if result is None:
            return
        assigned.succeeded(self._loop.time())
        if result.refused:
            self._refuse(result.refused, PermissionMissingError.code, result.missing)
        self._hint_at_new(result.accepted - before)

    def _hint_at_new(self, hosts: Collection[HostId]) -> None:
        """Push hints about all sessions of newly subscribed hosts. A session may have changed before the subscription.

        For more than MAX_HINTS sessions, request an early look at all watched sessions instead.
        """
        new = [session for host in hosts for session in self._sessions.get(host, ())]
        if len(new) > MAX_HINTS:  # later events are about fewer sessions, and the looks that they cause go first
            self._hints.uncovered()
            return
        for session in new:
            if session.conversation_id is not None:
                self._hint_twice(session.conversation_id)

    def _refuse(self, hosts: Collection[HostId], code: str, missing: tuple[str, ...]) -> None:
        """Log that Genesys refuses to subscribe a channel to these hosts.

        Do not try again for `PushTiming.refused_seconds`.

        - `code`: the code of the error.
        - `missing`: the permissions that Genesys names as missing.
        """
        for host in hosts:
            self._refused_until[host] = self._loop.time() + self._timing.refused_seconds
            self._metrics.live_event("refused")
        if hosts:
            fields = {"error": code, "hosts": len(hosts), "missing": " ".join(missing)}
            log.warning("Genesys refuses notifications, so the bot asks instead", extra={"fields": fields})

    def _on_message(self, message: ChannelMessage) -> None:
        """Push hints about the conversation that a channel reports as changed (see `_hint_twice`).

        Push no hints in these cases:

        - No watched session belongs to the conversation.
        - The previous message about the conversation had the same `fingerprint`.
        """
        changed = message.conversation_id
        if message.kind is not MessageKind.CHANGED or changed is None:
            return
        if changed not in self._conversations:
            self._metrics.live_event("unwatched")
        elif self._fingerprints.get(changed) == message.fingerprint:
            self._metrics.live_event("repeated")
        else:
            self._metrics.live_event("event")
            self._fingerprints[changed] = message.fingerprint
            self._hint_twice(changed)

    def _hint(self, changed: ConversationId) -> None:
        self._hinted_at[changed] = self._loop.time()
        self._hints.changed(changed)

    def _hint_twice(self, changed: ConversationId) -> None:
        """Push a hint about a changed conversation now, and another one after `PushTiming.repeat_seconds`.

        The API may return the state from before the event for some seconds.
        """
        self._hint(changed)
        self._call_later(self._timing.repeat_seconds, lambda: self._hint(changed))

    def _call_later(self, seconds: float, call: Callable[[], None]) -> None:
        """Call a function after `seconds`, unless `close` is called before."""

        def run() -> None:
            self._timers.discard(timer)
            call()

        timer = self._loop.call_later(seconds, run)
        self._timers.add(timer)

    def _hint_oldest(self) -> None:
        """Push a hint about the conversation that has been without a hint for the longest time.

        The hint replaces an event that may have been lost. Push no hint if the time is shorter than
        `PushTiming.lost_event_seconds`.
        """
        now = self._loop.time()
        covered = {host for assigned in self._channels for host in assigned.channel.covered & self._sessions.keys()}
        for session in (each for host in covered for each in self._sessions[host]):
            if session.conversation_id is not None:
                self._hinted_at.setdefault(session.conversation_id, now)
        oldest = min(self._hinted_at, key=self._hinted_at.__getitem__, default=None)
        if oldest is not None and now - self._hinted_at[oldest] >= self._timing.lost_event_seconds:
            self._hint(oldest)

    def _on_change(self, is_connected: bool) -> None:
        """Record that a channel has connected or disconnected, and end a `wait` in progress.

        After a disconnect, call `_ask_if_lost` when `PushTiming.grace_seconds` are over.
        """
        self._report_connected()
        self._wake.set()
        if not is_connected:
            self._call_later(self._timing.grace_seconds, self._ask_if_lost)

    def _ask_if_lost(self) -> None:
        """Request an early look at all watched sessions, unless events about all their hosts arrive now."""
        covered = {host for assigned in self._channels for host in assigned.channel.covered}
        if not self._sessions.keys() <= covered:
            self._hints.uncovered()

    def _report_connected(self) -> None:
        self._metrics.live_connected(is_up=all(assigned.channel.is_connected for assigned in self._channels))


class _AssignedChannel:
    def __init__(self, channel: SubscribedChannel, task: "asyncio.Task[None]", timing: PushTiming) -> None:
        self.channel, self.task, self.hosts = channel, task, set[HostId]()
        self._timing = timing
        self._failures = 0
        self._retry_at = self._trim_at = 0.0

    def needs_subscription(self, now: float) -> bool:
        """Return whether the channel has to be subscribed to a different set of hosts now.

        - Always False if the channel is not connected, or if the wait after a failed call is not over.
        - True if a host is assigned to the channel (`hosts`), but not subscribed.
        - True if a subscribed host is no longer assigned, and `PushTiming.trim_seconds` have passed since the last
          subscription, or `PushTiming.refused_seconds` since Genesys refused to leave the host out.
        """
        if not self.channel.is_connected or now < self._retry_at:
            return False
        covered = self.channel.covered
        return bool(self.hosts - covered) or (bool(covered - self.hosts) and now >= self._trim_at)

    def succeeded(self, now: float) -> None:
        self._failures, self._trim_at = 0, now + self._timing.trim_seconds

    def trim_refused(self, now: float) -> None:
        self._trim_at = now + self._timing.refused_seconds

    def failed(self, now: float) -> None:
        self._retry_at = now + min(
            self._timing.max_backoff_seconds, self._timing.first_backoff_seconds * 2**self._failures
        )
        self._failures = min(self._failures + 1, 10)
