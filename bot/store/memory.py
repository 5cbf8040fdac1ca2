"""A store that forgets when the process ends: for the sandbox, and until the durable ones stand beside it.

Bounded: past `size` requests, the oldest answered ones go, unless they are only minutes old.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bot.desk.desk import Kept
from bot.desk.models import Request, RequestId, Session, State

REPLAYABLE = timedelta(minutes=10)


class MemoryStore:
    """Keeps to desk.Store."""

    def __init__(self, size: int = 10_000) -> None:
        self._size = size
        self._kept: dict[RequestId, Kept] = {}
        self._keys: dict[str, RequestId] = {}

    async def accept(self, request: Request) -> bool:
        if request.key in self._keys:
            return False
        self._keys[request.key] = request.id
        self._kept[request.id] = Kept(request, State.ACCEPTED)
        self._forget_oldest()
        return True

    async def find(self, request_id: RequestId) -> Kept | None:
        return self._kept.get(request_id)

    async def advance(
        self, request_id: RequestId, from_: State, to: State, *, session: Session | None = None, failure: str = ""
    ) -> bool:
        kept = self._kept.get(request_id)
        if kept is None or kept.state is not from_:
            return False
        kept = replace(kept, state=to, session=session or kept.session, failure=failure or kept.failure)
        if to is State.ANSWERED:  # the link and the way to answer are of no more use here: keep no secrets
            kept = replace(kept, session=None, request=replace(kept.request, reply_url=None))
        self._kept[request_id] = kept
        return True

    def _forget_oldest(self) -> None:
        while len(self._kept) > self._size:
            oldest = next((kept for kept in self._kept.values() if kept.state is State.ANSWERED), None)
            # Slack's signature lets a request be replayed for five minutes: so long its key must be known.
            if oldest is None or datetime.now(UTC) - oldest.request.accepted_at < REPLAYABLE:
                return
            del self._kept[oldest.request.id], self._keys[oldest.request.key]
