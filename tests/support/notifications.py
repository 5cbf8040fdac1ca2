"""What the tests of Genesys's notifications share: watched sessions, a lock, and what the source says about them."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

from bot.config import settings
from bot.core.errors import StorageUnavailableError
from bot.core.models import ConversationId, HostId, LiveMode, SessionId
from bot.core.ports import Metrics, WatchedSession
from bot.core.timing import PushTiming
from bot.factories import live_source, open_genesys
from bot.genesys.notifications.source import NotificationChannels
from bot.sandbox.genesys.conversations import Conversation
from tests.support.app import QUICK_GENESYS, Servers
from tests.support.conversations import HOST, PUBLIC, talk

QUICK = PushTiming(
    sync_seconds=0.02,
    grace_seconds=0.1,
    trim_seconds=0.05,
    repeat_seconds=0.1,
    lost_event_seconds=30.0,
    first_backoff_seconds=0.02,
    max_backoff_seconds=0.1,
    ping_seconds=5.0,
)
WAIT_SECONDS = 15.0


@dataclass
class Watching:
    """A LiveHints that watches what the test says, and a LeaderLock that the test gives away."""

    sessions: list[WatchedSession] = field(default_factory=list)
    hints: list[ConversationId] = field(default_factory=list)
    lost: int = 0
    leads: bool = True
    is_stored: bool = True

    async def watched(self, most: int) -> Sequence[WatchedSession]:
        if not self.is_stored:
            raise StorageUnavailableError
        return self.sessions[:most]

    def changed(self, conversation_id: ConversationId) -> None:
        self.hints.append(conversation_id)

    def uncovered(self) -> None:
        self.lost += 1

    async def is_leader(self) -> bool:
        return self.leads

    def watch(self, live: Conversation) -> WatchedSession:
        """Watches a session in this conversation."""
        session = watched(live.host_user_id, live.id)
        self.sessions.append(session)
        return session


def watched(host_id: str = HOST, conversation_id: str | None = None) -> WatchedSession:
    made = ConversationId(conversation_id) if conversation_id else None
    return WatchedSession(SessionId(f"of {conversation_id}"), HostId(host_id), made)


class CountingMetrics(Metrics):
    """Counts the events of the live source, and notes whether it is connected."""

    def __init__(self) -> None:
        self.events: Counter[str] = Counter()
        self.is_up: bool | None = None

    def live_event(self, kind: str) -> None:
        self.events[kind] += 1

    def live_connected(self, *, is_up: bool) -> None:
        self.is_up = is_up


@dataclass
class Push:
    """A running source, what it was told to watch, and what it counts."""

    source: NotificationChannels
    watching: Watching
    metrics: CountingMetrics

    async def covers(self, live: Conversation) -> WatchedSession:
        """Watches a session in this conversation, and waits until its events arrive and the first hints have come."""
        session = self.watching.watch(live)
        await until(lambda: self.source.covers(session) and self.watching.hints.count(ConversationId(live.id)) == 2)
        self.watching.hints.clear()
        return session


@asynccontextmanager
async def pushing(
    servers: Servers, timing: PushTiming = QUICK, *, watching: Watching | None = None, **environ: str
) -> AsyncIterator[Push]:
    """Run the source of hints against the sandbox's Genesys."""
    loaded = settings.load_part(settings.read_service_alone, servers.environ | PUBLIC | environ)
    watching, metrics = watching or Watching(), CountingMetrics()
    async with open_genesys(loaded, timing=QUICK_GENESYS) as genesys:
        source = live_source(replace(loaded, live=LiveMode.PUSH), genesys, metrics, timing)
        assert isinstance(source, NotificationChannels)
        task = asyncio.create_task(source.run(watching, watching))
        try:
            yield Push(source, watching, metrics)
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


async def until(is_so: Callable[[], object]) -> None:
    """Waits until it is so. Fails after WAIT_SECONDS."""
    async with asyncio.timeout(WAIT_SECONDS):
        while not is_so():  # noqa: ASYNC110 - the servers have no event for this
            await asyncio.sleep(0.01)


def joined(live: Conversation, session_id: str = "5f1d9f3e-0000-4000-8000-000000000001") -> None:
    """Lets the customer join a session in this conversation."""
    live.start_cobrowse(session_id)


__all__ = ["QUICK", "CountingMetrics", "Push", "Watching", "joined", "pushing", "talk", "until", "watched"]
