"""A store that forgets when the process ends: for the sandbox and for tests.

Bounded: past `size` requests, the oldest answered ones go, unless they are only minutes old.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bot.desk.errors import CobrowseError
from bot.desk.models import Host, HostId, Person, Request, RequestId, Session, State, TeamId, UserId
from bot.desk.store import JOIN_SECONDS, Accepted, Kept, Link
from bot.store.rows import sameness

REPLAYABLE = timedelta(minutes=10)


class MemoryStore:
    """Keeps to desk.store.Store, HostBook and LinkBook; leaves found hosts to the desk's own cache."""

    shared = False

    def __init__(self, size: int = 10_000, clock: Callable[[], float] = time.time) -> None:
        self._size = size
        self._clock = clock
        self._kept: dict[RequestId, Kept] = {}
        self._keys: dict[str, RequestId] = {}
        self._latest: dict[str, RequestId] = {}
        self._session_at: dict[RequestId, float] = {}
        self._links: dict[tuple[TeamId | None, UserId], HostId] = {}

    async def accept(self, request: Request, agent: Person | None = None) -> Accepted:
        if request.key in self._keys:
            return Accepted(False)
        same = sameness(request)
        same_as = self._latest.get(same)
        if same_as is not None and not self._can_join(same_as):
            same_as = None
        self._keys[request.key] = request.id
        state = State.CREATING if agent and not same_as else State.ACCEPTED
        self._kept[request.id] = Kept(replace(request, same_as=same_as), state)
        self._latest[same] = request.id
        self._forget_oldest()
        return Accepted(True, same_as, state, await self.linked(agent.team_id, agent.user_id) if agent else None)

    async def find(self, request_id: RequestId) -> Kept | None:
        kept = self._kept.get(request_id)
        return replace(kept, session_over=True) if kept and self._is_over(kept) else kept

    async def advance(
        self,
        request_id: RequestId,
        from_: State,
        to: State,
        *,
        session: Session | None = None,
        failure: CobrowseError | None = None,
    ) -> bool:
        kept = self._kept.get(request_id)
        if kept is None or kept.state is not from_:
            return False
        kept = replace(kept, state=to, session=session or kept.session, failure=failure or kept.failure)
        if session:
            joined = kept.request.same_as or request_id  # the ten seconds count from when it was made
            self._session_at[request_id] = self._session_at.get(joined, self._clock())
        if to is State.ANSWERED:
            kept = replace(kept, request=replace(kept.request, reply_url=None))
        self._kept[request_id] = kept
        return True

    async def orphans(self) -> Sequence[Kept]:
        return ()

    async def sweep(self) -> None:
        """Wipes the links of sessions that are over."""
        for request_id, kept in self._kept.items():
            if kept.session and self._is_over(kept):
                self._kept[request_id] = replace(kept, session=None, session_over=True)

    async def linked(self, team_id: TeamId, user_id: UserId) -> HostId | None:
        return self._links.get((team_id, user_id)) or self._links.get((None, user_id))

    async def found(self, team_id: TeamId, user_id: UserId) -> tuple[Host, float] | None:
        return None

    async def keep_found(self, team_id: TeamId, user_id: UserId, host: Host, seconds: float) -> None:
        """The desk's own cache does."""

    async def drop_found(self, team_id: TeamId, user_id: UserId) -> None:
        """Nothing was kept."""

    async def links(self) -> Sequence[Link]:
        return [(team_id, user_id, host_id) for (team_id, user_id), host_id in sorted(self._links.items(), key=str)]

    async def link(self, links: Sequence[Link], on_progress: Callable[[int], None] = lambda done: None) -> None:
        self._links |= {(team_id, user_id): host_id for team_id, user_id, host_id in links}
        on_progress(len(links))

    async def unlink(self, team_id: TeamId | None, user_id: UserId) -> bool:
        return self._links.pop((team_id, user_id), None) is not None

    def _is_over(self, kept: Kept) -> bool:
        return kept.session is not None and kept.session.ends_at.timestamp() <= self._clock()

    def _can_join(self, request_id: RequestId) -> bool:
        kept = self._kept.get(request_id)
        if kept is None:
            return False
        just_made = self._session_at.get(request_id, float("-inf")) > self._clock() - JOIN_SECONDS
        return kept.state in (State.ACCEPTED, State.CREATING) or (kept.session is not None and just_made)

    def _forget_oldest(self) -> None:
        while len(self._kept) > self._size:
            oldest = next((kept for kept in self._kept.values() if kept.state is State.ANSWERED), None)
            # Slack's signature lets a request be replayed for five minutes: so long its key must be known.
            if oldest is None or datetime.now(UTC) - oldest.request.accepted_at < REPLAYABLE:
                return
            request = oldest.request
            del self._kept[request.id], self._keys[request.key]
            self._session_at.pop(request.id, None)
            if self._latest.get(sameness(request)) == request.id:
                del self._latest[sameness(request)]
