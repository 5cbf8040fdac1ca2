"""Share people, a service that fails on demand, and recorded messages for the tests of sessions' use cases."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import pytest

from bot.core.access import (
    AccessPolicy,
    AccessRules,
    Allowlist,
    Workspace,
)
from bot.core.errors import CobrowseError, SlackUnavailableError
from bot.core.models import (
    UNKNOWN_STATE,
    MembershipStatus,
    Request,
    RequestKind,
    RequestState,
    SessionPhase,
    SessionRecord,
    SessionState,
    SlackUser,
    TeamId,
    UserId,
)
from bot.core.ports import SessionMessages, SessionsApi
from bot.core.requests.events import EventLog, SessionClosed
from bot.core.timing import CoreTiming
from bot.core.use_cases.session_status import SessionStates
from bot.core.use_cases.sessions import SessionService
from bot.storage.sqlite.store import SQLiteStore
from tests.support.storage import ANA, TEAM, request, session

BEN, SAM, ADA, UNA, GUS = (UserId(f"U0{name}") for name in ("BEN", "SAM", "ADA", "UNA", "GUS"))
RULES = AccessRules(supervisors=Allowlist(frozenset({SAM})), admins=Allowlist(frozenset({ADA})))


RUN: Any = None
"""What queries do not look at."""


class People:
    """A directory in which everybody is a full member except Gus, a guest. No user group can be read."""

    def known_id(self, user_id: UserId) -> UserId:
        return user_id

    async def person(self, user_id: UserId) -> SlackUser:
        standing = MembershipStatus.GUEST if user_id == GUS else MembershipStatus.MEMBER
        return SlackUser(TEAM, user_id, user_id.title(), standing, f"{user_id.lower()}@example.com")

    async def in_group(self, user_id: UserId, group_id: str, team_id: TeamId) -> bool:
        raise SlackUnavailableError("no_such_subteam")

    async def members(self, group_id: str) -> frozenset[UserId]:
        raise SlackUnavailableError("no_such_subteam", passes=False)

    def peek_person(self, user_id: UserId) -> SlackUser | None:
        return None

    def peek_in_group(self, user_id: UserId, group_id: str, team_id: TeamId) -> bool | None:
        return None


def access(**changes: Any) -> AccessPolicy:
    return AccessPolicy(replace(RULES, **changes), Workspace(TEAM), People())


@dataclass
class Service:
    """A session service that knows which sessions are over, records its calls, and fails on demand."""

    over: set[str] = field(default_factory=set)
    states: dict[str, SessionState] = field(default_factory=dict)
    fails: dict[str, CobrowseError] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)

    tells_states = False

    async def look(self, record: SessionRecord, *, live: bool = False) -> SessionState:
        over = self._say("look", record.session.id) in self.over
        return SessionState(SessionPhase.OVER) if over else self.states.get(record.session.id, UNKNOWN_STATE)

    async def end(self, record: SessionRecord) -> None:
        self.over.add(self._say("end", record.session.id))

    def _say(self, what: str, session_id: str) -> str:
        self.asked.append((what, session_id))
        if error := self.fails.get(what):
            raise error
        return session_id


@dataclass
class Heard:
    """Implement core.ports.SessionMessages: record the messages instead of sending them."""

    shared: list[tuple[str, str]] = field(default_factory=list)
    sent: list[tuple[str, str]] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)

    async def share(self, record: SessionRecord, request: Request) -> None:
        self.shared.append((record.session.id, request.channel_id))

    async def send_direct(self, record: SessionRecord, user_id: UserId) -> None:
        self.sent.append((record.session.id, user_id))

    def record_event(self, event: SessionClosed) -> None:
        self.closed.append(event.session_id)


@dataclass
class SessionHarness:
    """A SessionService with a real store."""

    store: SQLiteStore
    service: Service = field(default_factory=Service)
    heard: Heard = field(default_factory=Heard)
    now: float = 0.0
    timing: CoreTiming = field(default_factory=CoreTiming)

    def register(self, **rules: Any) -> SessionService:
        events = EventLog()
        events.subscribe(SessionClosed, self.heard.record_event)
        service = cast(SessionsApi, self.service)
        return SessionService(
            self.store.sessions,
            access(**rules),
            service,
            cast(SessionMessages, self.heard),
            events,
            self.timing,
            SessionStates(service, self.store.sessions, events, self.timing),
        )

    async def made(self, name: str, minutes: float = 30, **changes: Any) -> None:
        """Store a session that somebody has started."""
        asked = request(**changes)
        await self.store.accept(asked)
        await self.store.advance(asked.id, RequestState.ACCEPTED, RequestState.CREATED, session=session(name, minutes))
        self.now += 1

    async def asks(self, kind: RequestKind, who: UserId = ANA, about: str | None = None, **changes: Any) -> Request:
        """Store a request, and return it."""
        asked = request(kind=kind, requester=who, argument=about, **changes)
        await self.store.accept(asked)
        return asked

    async def does(self, kind: RequestKind, who: UserId = ANA, about: str | None = None, **changes: Any) -> Any:
        """Store a request, carry it out, and return its result."""
        return await self.register().handlers()[kind].run(await self.asks(kind, who, about, **changes), RUN)


@pytest.fixture
async def harness(tmp_path: Path) -> AsyncIterator[SessionHarness]:
    import time

    opened: SessionHarness
    store = SQLiteStore(str(tmp_path / "bot.db"), clock=lambda: time.time() + opened.now)
    opened = SessionHarness(store)
    yield opened
    await store.close()


async def refusal(
    harness: SessionHarness, kind: RequestKind, who: UserId = ANA, about: str | None = None, **changes: Any
) -> CobrowseError:
    """Return the error that a request ends with; fail the test if it ends with none."""
    with pytest.raises(CobrowseError) as caught:
        await harness.does(kind, who, about, **changes)
    return caught.value
