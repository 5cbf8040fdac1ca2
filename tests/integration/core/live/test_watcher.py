"""The watcher over a real store: hints, the leader, the rate limit, and what it gives up."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from bot.core.errors import ServiceBusyError, ServiceUnreachableError
from bot.core.live.telling import StateTelling
from bot.core.live.watcher import EARLY_LOOKS, MAX_AT_ONCE, MAX_LOOKS, SessionWatcher
from bot.core.models import ConversationId, RequestState, SessionPhase, SessionRecord, SessionState
from bot.core.ports import LeaderLock, LiveHints, Metrics, WatchedSession
from bot.core.requests.events import EventLog, RequestFinished, SessionStateChanged
from bot.core.results import SessionStarted
from bot.core.timing import CoreTiming, LiveTiming
from bot.core.use_cases.session_status import SessionStates
from bot.storage.sqlite.store import SQLiteStore
from tests.support import storage
from tests.support.live import QUICK_LOOKS
from tests.support.replicas import until
from tests.support.sessions import Service
from tests.support.storage import Database, request, run_sql, session

database = storage.database
JOINED = SessionState(SessionPhase.JOINED)


@dataclass
class Told:
    """Implement core.ports.StateMessages: remember what was told."""

    phases: list[str] = field(default_factory=list)

    async def tell_state(self, record: SessionRecord, reply_url: str) -> bool:
        self.phases.append(record.state.phase)
        return True


@dataclass
class Hints:
    """Implement core.ports.LiveSource: the test pushes the hints."""

    covered: bool = True
    hints: LiveHints | None = None

    def covers(self, session: WatchedSession) -> bool:
        return self.covered

    async def run(self, hints: LiveHints, leader: LeaderLock) -> None:
        self.hints = hints
        await asyncio.get_running_loop().create_future()


@dataclass
class Leader:
    """Implement core.ports.LeaderLock."""

    leads: bool = True

    async def is_leader(self) -> bool:
        return self.leads


class Counts(Metrics):
    def __init__(self) -> None:
        self.looks: list[str] = []

    def live_look(self, result: str) -> None:
        self.looks.append(result)


@dataclass
class World:
    store: Any
    watcher: SessionWatcher
    service: Service
    told: Told
    counts: Counts
    leader: Leader

    async def start(self, name: str = "s-1", conversation: str = "") -> None:
        """Start a session in a conversation, and let the watcher hear of it."""
        asked = request()
        await self.store.accept(asked)
        conversation_id = ConversationId(conversation or f"c-{name}")
        made = replace(session(name), application_id="", conversation_id=conversation_id)
        await self.store.advance(asked.id, RequestState.ACCEPTED, RequestState.CREATED, session=made)
        self.watcher.record_event(RequestFinished(asked, SessionStarted(made), True, 0.1))
        await self.until_watched(True)

    async def until_watched(self, is_watched: bool) -> None:
        await until_true(lambda: self.store.watches.watched(1), is_watched)

    @property
    def looks(self) -> int:
        return len(self.service.asked)


async def until_true(read: Callable[[], Any], wanted: bool) -> None:
    async with asyncio.timeout(10):
        while bool(await read()) is not wanted:  # noqa: ASYNC110 - the store tells nobody
            await asyncio.sleep(0.02)


Make = Callable[..., Any]


@pytest.fixture
async def make(database: Database) -> AsyncIterator[Make]:
    async with AsyncExitStack() as stack:

        async def made(source: Hints | None = None, timing: LiveTiming = QUICK_LOOKS) -> World:
            store: Any
            if database.url:
                store = await database.open()
            else:  # with a clock that runs
                store = SQLiteStore(str(database.path))
                stack.push_async_callback(store.close)
            return await stack.enter_async_context(world(store, source, timing))

        yield made


@asynccontextmanager
async def world(store: Any, source: Hints | None, timing: LiveTiming) -> AsyncIterator[World]:
    service, told, counts, events, leader = Service(), Told(), Counts(), EventLog(), Leader()
    states = SessionStates(service, store.sessions, events, CoreTiming(status_cache_seconds=0.0))  # type: ignore[arg-type]
    telling = StateTelling(store.watches, told, timing)
    events.subscribe(SessionStateChanged, telling.record_event)
    watcher = SessionWatcher(
        store.watches, store.sessions, states, timing, leader=leader, source=source, metrics=counts, telling=telling
    )
    watcher.start()
    try:
        yield World(store, watcher, service, told, counts, leader)
    finally:
        await watcher.stop()


async def test_customer_who_leaves_after_many_looks_is_told(make: Make) -> None:
    made = await make()
    made.service.states["s-1"] = JOINED
    await made.start()
    await until(lambda: made.looks > EARLY_LOOKS)
    made.service.states["s-1"] = SessionState(SessionPhase.OVER)
    await made.until_watched(False)
    assert made.counts.looks[:2] == ["joined", "unchanged"]
    assert made.told.phases == ["joined", "over"]


async def test_watcher_looks_a_bounded_number_of_times(make: Make) -> None:
    made = await make()
    made.service.states["s-1"] = JOINED
    await made.start()
    for _ in range(MAX_LOOKS - 5):
        await made.store.watches.pause("s-1", 0.1, looked=True)
    await made.until_watched(False)
    assert 0 < made.looks <= 5
    assert made.told.phases == ["joined"]


async def test_last_look_waits_for_the_end_of_the_offer(make: Make) -> None:
    made = await make()
    await made.start()
    await until(lambda: made.looks)
    for _ in range(MAX_LOOKS - 5):
        await made.store.watches.pause("s-1", 0.1, looked=True)
    await asyncio.sleep(0.8)
    assert 0 < made.looks < 5
    assert await made.store.watches.watched(1)


async def test_covered_session_is_looked_at_when_a_hint_comes(make: Make) -> None:
    source = Hints()
    made = await make(source)
    await made.start()
    await until(lambda: source.hints and made.looks == 1)  # the first look, before it is covered
    made.service.states["s-1"] = JOINED
    for _ in range(5):  # doubled events
        source.hints.changed(ConversationId("c-s-1"))
    source.hints.changed(ConversationId("another"))
    await until(lambda: made.told.phases)
    made.service.over = {"s-1"}
    source.hints.changed(ConversationId("c-s-1"))
    source.hints.changed(ConversationId("c-s-1"))
    await until(lambda: len(made.told.phases) == 2)
    await made.until_watched(False)
    assert made.told.phases == ["joined", "over"]
    assert made.looks <= 5


async def test_lost_hints_are_made_up_for_by_one_look_at_each(make: Make) -> None:
    source = Hints()
    made = await make(source)
    await made.start("s-1")
    await made.start("s-2")
    await until(lambda: made.looks == 2)
    made.service.states |= {"s-1": JOINED, "s-2": JOINED}
    source.hints.uncovered()
    await until(lambda: made.told.phases == ["joined", "joined"])


async def test_hint_goes_first_where_many_wait_for_the_rate_limit(make: Make) -> None:
    source = Hints()
    made = await make(source)
    for number in range(30):
        await made.start(f"s-{number}")
    await until(lambda: source.hints and made.looks == 30)
    for _ in range(3):  # it was looked at more often than the others
        await made.store.watches.pause("s-7", 60, looked=True)
    made.service.fails = {"look": ServiceBusyError()}
    source.hints.uncovered()
    source.hints.changed(ConversationId("c-s-7"))
    await until(lambda: made.counts.looks.count("busy") > 30)
    asked = made.looks
    made.service.fails = {}
    await until(lambda: made.looks >= asked + MAX_AT_ONCE)
    assert ("look", "s-7") in made.service.asked[asked : asked + MAX_AT_ONCE]


async def test_covered_sessions_without_a_hint_wait_for_their_turn(make: Make) -> None:
    """After a lost connection all are due; those that a hint is about need the rate limit first."""
    source = Hints()
    made = await make(source, replace(QUICK_LOOKS, catch_up_seconds=300))
    for number in range(12):
        await made.start(f"s-{number}")
    await until(lambda: source.hints and made.looks == 1)
    made.service.states["s-11"] = JOINED
    source.hints.uncovered()
    source.hints.changed(ConversationId("c-s-11"))
    await until(lambda: made.told.phases == ["joined"])
    await asyncio.sleep(0.5)
    assert made.looks <= 3, "the first one, the one that a hint is about, and no other"
    source.covered = False  # now the bot asks about all of them
    await until(lambda: len({name for _, name in made.service.asked}) == 12)


async def test_hints_survive_a_failed_write(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    source = Hints()
    made = await make(source)
    await made.start()
    await until(lambda: source.hints and made.looks == 1)
    made.service.states = {"s-1": JOINED}
    await run_sql(made.store, "ALTER TABLE watches RENAME TO away")
    source.hints.uncovered()
    await until(lambda: caplog.records)
    await run_sql(made.store, "ALTER TABLE away RENAME TO watches")
    await until(lambda: made.told.phases == ["joined"])


async def test_session_that_no_hint_covers_is_polled(make: Make) -> None:
    made = await make(Hints(covered=False))
    await made.start()
    await until(lambda: made.looks >= 3)
    made.service.states["s-1"] = JOINED
    await until(lambda: made.told.phases == ["joined"])


async def test_only_the_leader_looks_where_hints_come(make: Make) -> None:
    source = Hints()
    made = await make(source)
    made.leader.leads = False
    await made.start()
    source.hints.changed(ConversationId("c-s-1"))
    await asyncio.sleep(0.5)
    assert made.looks == 0
    made.leader.leads = True
    await until(lambda: made.looks == 1)


async def test_look_without_room_in_the_rate_limit_is_none(make: Make) -> None:
    made = await make()
    made.service.fails = {"look": ServiceBusyError()}
    await made.start()
    await until(lambda: len(made.counts.looks) >= 3)
    assert set(made.counts.looks) == {"busy"}
    (watched,) = await made.store.watches.watched(1)
    assert watched.looks == 0
    made.service.fails, made.service.states = {}, {"s-1": JOINED}
    await until(lambda: made.told.phases == ["joined"])


async def test_failed_looks_count_and_change_nothing(make: Make) -> None:
    made = await make()
    made.service.fails = {"look": ServiceUnreachableError()}
    await made.start()
    await until(lambda: len(made.counts.looks) >= 2)
    assert set(made.counts.looks) == {"failed"}
    assert made.told.phases == []
    record = await made.store.sessions.session("s-1")
    assert not record.is_over


async def test_session_that_somebody_ended_is_not_watched_any_more(make: Make) -> None:
    made = await make()
    await made.start()
    await made.store.sessions.end_session("s-1", None)
    await made.until_watched(False)
    assert made.told.phases == []


async def test_failed_look_after_a_hint_is_repeated(make: Make) -> None:
    source = Hints()
    made = await make(source)
    await made.start()
    await until(lambda: source.hints and made.looks == 1)
    made.service.states["s-1"] = JOINED
    made.service.fails = {"look": ServiceUnreachableError()}
    source.hints.changed(ConversationId("c-s-1"))
    await until(lambda: made.counts.looks.count("failed") >= 2)
    made.service.fails = {}
    await until(lambda: made.told.phases == ["joined"])
    looks = made.looks
    await asyncio.sleep(0.5)
    assert made.looks == looks, "it is a covered session again"


async def test_failed_look_is_repeated_beside_an_ended_session(make: Make) -> None:
    source = Hints()
    made = await make(source)
    for name in ("s-1", "s-2"):
        await made.start(name, "c")
    await until(lambda: source.hints and made.looks == 2)
    await made.store.sessions.end_session("s-1", None)  # it is watched until its next look
    made.service.fails = {"look": ServiceUnreachableError()}
    source.hints.changed(ConversationId("c"))
    await until(lambda: made.counts.looks.count("failed") >= 3)


async def test_failed_looks_count_from_the_last_hint(make: Make) -> None:
    source = Hints()
    made = await make(source)
    await made.start()
    await until(lambda: source.hints and made.looks == 1)
    made.service.fails = {"look": ServiceUnreachableError()}
    source.hints.changed(ConversationId("c-s-1"))
    await until(lambda: made.counts.looks.count("failed") >= 3)
    failed = made.counts.looks.count("failed")
    source.hints.changed(ConversationId("c-s-1"))
    await until(lambda: made.counts.looks.count("failed") > failed)
    assert max(made.watcher._hinted.values()) <= 2


async def test_pause_that_genesys_asks_for_delays_one_session(make: Make) -> None:
    source = Hints()
    made = await make(source)
    for name in ("s-1", "s-2"):
        await made.start(name)
    await until(lambda: source.hints and made.looks == 2)
    made.service.states |= {"s-1": JOINED, "s-2": JOINED}
    made.service.fails = {"look": ServiceBusyError(retry_after=1.0)}
    source.hints.changed(ConversationId("c-s-1"))
    await until(lambda: "busy" in made.counts.looks)
    made.service.fails = {}
    source.hints.changed(ConversationId("c-s-2"))
    await until(lambda: made.told.phases == ["joined"])
    assert (await made.store.sessions.session("s-2")).state.phase is SessionPhase.JOINED
    assert made.looks == 4, "the first one is left alone for a second"
    await until(lambda: made.told.phases == ["joined", "joined"])


async def test_a_long_pause_of_genesys_is_kept_for_a_minute(make: Make) -> None:
    source = Hints()
    made = await make(source)
    await made.start()
    await until(lambda: source.hints and made.looks == 1)
    made.service.fails = {"look": ServiceBusyError(retry_after=86_400.0)}
    source.hints.changed(ConversationId("c-s-1"))
    await until(lambda: "busy" in made.counts.looks)
    await asyncio.sleep(0.5)
    assert made.counts.looks.count("busy") == 1
    (row,) = await run_sql(made.store, "SELECT next_at FROM watches")
    assert 50 < row["next_at"] - time.time() <= 60


async def test_hints_about_ended_sessions_are_forgotten(make: Make) -> None:
    source = Hints()
    made = await make(source)
    await made.start()
    await until(lambda: source.hints)
    made.service.over = {"s-1"}
    source.hints.changed(ConversationId("c-s-1"))
    await made.until_watched(False)
    source.hints.changed(ConversationId("c-s-1"))  # the second hint about each event comes later
    await asyncio.sleep(0.3)
    await made.start("s-2")
    await made.store.sessions.end_session("s-2", None)
    source.hints.changed(ConversationId("c-s-2"))
    await made.until_watched(False)
    assert made.watcher._hinted == {}
