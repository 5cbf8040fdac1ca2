"""Presses on a button that works once, after requests that failed without effect."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from bot.core.errors import PermissionMissingError
from bot.core.models import Request, RequestKind, RequestState, SlackUser, new_request_id
from bot.core.ports import Accepted, StoredRequest
from bot.core.requests.events import EventLog
from bot.core.requests.service import RequestLimiter, RequestLimits, RequestService
from tests.support.clock import Clock
from tests.support.storage import request


class FailedRequests:
    """A store in which each request has failed at once, without effect."""

    def __init__(self) -> None:
        self.by_key: dict[str, StoredRequest] = {}

    async def accept(self, request: Request, agent: SlackUser | None) -> Accepted:
        is_new = request.key not in self.by_key
        failure = PermissionMissingError(needs="conversation:message:create")
        self.by_key.setdefault(request.key, StoredRequest(request, RequestState.ANSWERED, failure=failure))
        return Accepted(is_new)

    async def find_by_key(self, key: str) -> StoredRequest | None:
        return self.by_key.get(key)


class IdleWorker:
    is_draining, active = False, 0

    def peek(self, request: Request) -> None:
        return None

    def process(self, *args: Any) -> None:
        return None


async def test_press_counts_once_in_the_limit() -> None:
    clock, store = Clock(), FailedRequests()
    limiter = RequestLimiter(RequestLimits(person_sends=1), clock=clock)
    service = RequestService(store, IdleWorker(), limiter, EventLog())  # type: ignore[arg-type]
    first = replace(request(), kind=RequestKind.SEND, key="card:send:x")
    for number in range(3):
        pressed_at = first.accepted_at + timedelta(hours=number)
        press = replace(first, id=new_request_id(), accepted_at=pressed_at, pressed_at=pressed_at)
        assert await service.submit_once(press) is None
        clock.now += 3600
    assert len(store.by_key) == 3
