"""Accept requests within limits: store each request before the acknowledgement to Slack, then pass it to the worker."""

import math
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from cachetools import TTLCache

from bot.core.errors import (
    CobrowseError,
    NotAcceptedError,
    NotReadyError,
    RateLimitedError,
    RetryRejectedError,
    may_have_acted,
)
from bot.core.models import (
    CARD_KEY,
    START_NEW_KEY,
    STARTS,
    TRY_AGAIN_KEY,
    Request,
    RequestId,
    RequestKind,
    RequestState,
    team_of,
)
from bot.core.ports import RequestRepository, StoredRequest
from bot.core.requests.events import EventLog, RequestRejected
from bot.core.requests.worker import RequestWorker

WINDOW_SECONDS = 60.0
MAX_PEOPLE = 50_000
PRESS_SECONDS = 3600.0
"""How long the bot remembers when a button was pressed."""
Counted = tuple[float, str]
"""One counted request: the time when it was counted, in seconds of the limiter's clock, and the request's `key`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestLimits:
    """The maximum numbers of requests. All but `under_way` are limits per minute. 0 means no limit.

    - `person_starts`: sessions that a user starts for themselves. Workflow steps are counted separately, with the same
      limit.
    - `supervisor_starts`: sessions that a user starts for other agents.
    - `workspace_starts`: sessions that all users of a workspace start.
    - `person_sends`: links that a user sends to customers.
    - `person_inquiries`: a user's other requests. END requests and openings of the Home tab are counted separately,
      each with the same limit.
    - `under_way`: requests that this process is storing or processing.
    """

    person_starts: int = 6
    supervisor_starts: int = 60
    workspace_starts: int = 0
    person_sends: int = 5
    person_inquiries: int = 30
    under_way: int = 5000


class RequestLimiter:
    """Counts requests, and refuses a request that exceeds a limit. Each process counts separately.

    `clock`: returns seconds and never goes back.
    """

    def __init__(self, limits: RequestLimits, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._limits = limits
        self._clock = clock
        self._starts: TTLCache[str, deque[Counted]] = TTLCache(MAX_PEOPLE, WINDOW_SECONDS, clock)

    def admit(self, request: Request, under_way: int) -> None:
        """Count a request, unless the request exceeds a limit. If Slack delivers a request twice, count it once.

        `under_way`: how many requests this process is storing or processing. Raises NotReadyError if `under_way` has
        reached its limit. Raises RateLimitedError if the requester or the workspace has reached a limit per minute.
        """
        limits = self._limits
        counted = [(key, self._recent(key), most) for key, most in self._counted(request) if most]
        if counted and any(key == request.key for _, key in counted[0][1]):
            return
        if limits.under_way and under_way >= limits.under_way:
            raise NotReadyError("overloaded")
        for key, recent, most in counted:
            if len(recent) >= most:
                wait_seconds = math.ceil(max(1.0, recent[0][0] + WINDOW_SECONDS - self._clock()))
                if request.kind is RequestKind.SEND:
                    raise RateLimitedError("too_many_sends", most, wait_seconds)
                if request.kind not in STARTS:
                    raise RateLimitedError("too_many_inquiries", most, wait_seconds)
                raise RateLimitedError("too_many_starts", most, wait_seconds, everybody=key == team_of(request))
        for key, recent, _ in counted:
            recent.append((self._clock(), request.key))
            self._starts[key] = recent  # renews its time to live

    def admit_view(self, request: Request) -> bool:
        """Count one opening of a Home tab. Return whether the bot may read the states of the sessions on the tab.

        Return False if the requester has already opened the tab `person_inquiries` times in the last minute.
        """
        key, most = f"{team_of(request)}/{request.requester}/views", self._limits.person_inquiries
        recent = self._recent(key)
        if most and len(recent) >= most:
            return False
        recent.append((self._clock(), request.key))
        self._starts[key] = recent
        return True

    def _counted(self, request: Request) -> tuple[tuple[str, int], ...]:
        """Return the counters that count this request, as pairs of a counter's key and its limit."""
        limits, person = self._limits, f"{team_of(request)}/{request.requester}"
        if request.kind is RequestKind.SEND:
            return ((f"{person}/sends", limits.person_sends),)
        if request.kind is RequestKind.END:  # inquiries must not use up the ends
            return ((f"{person}/ends", limits.person_inquiries),)
        if request.kind not in STARTS:
            return ((f"{person}/inquiries", limits.person_inquiries),)
        own = (person, limits.person_starts)
        if request.for_another:  # counted before the role is known, even if the access rules refuse the start later
            own = (f"{person}/others", limits.supervisor_starts)
        elif request.kind is RequestKind.STEP:  # workflows must not use up the person's own starts
            own = (f"{person}/steps", limits.person_starts)
        return own, (team_of(request), limits.workspace_starts)

    def _recent(self, key: str) -> deque[Counted]:
        """Return the requests that the counter `key` has counted in the last minute, oldest first."""
        recent: deque[Counted] = self._starts.get(key) or deque()
        while recent and recent[0][0] <= self._clock() - WINDOW_SECONDS:
            recent.popleft()
        return recent


class RequestService:
    """Accepts new requests, and repeats failed requests after a press of *Try again*."""

    def __init__(
        self, store: RequestRepository, worker: RequestWorker, limiter: RequestLimiter, events: EventLog
    ) -> None:
        self._store, self._worker, self._limiter, self._events = store, worker, limiter, events
        self._storing = 0
        self._pressed_at: TTLCache[RequestId, datetime] = TTLCache(MAX_PEOPLE, PRESS_SECONDS)
        """When the button of each request of `submit_once` was pressed, by Slack's clock."""

    @property
    def under_way(self) -> int:
        """Return how many requests this process is storing or processing."""
        return self._worker.active + self._storing

    async def submit(self, request: Request) -> bool:
        """Store a request and start to process it. Return False if a request with the same key is already stored.

        Raises NotAcceptedError if the bot is stopping, a limit is reached or the database fails. Raises the subclass
        MaybeAcceptedError if the database did not confirm the write, but may have stored the request.
        """
        try:
            if self._worker.is_draining:
                raise NotReadyError("shutting_down")
            self._limiter.admit(self._events.one_id(request), self.under_way)
            resolved = self._worker.peek(request)
            self._storing += 1
            try:
                accepted = await self._store.accept(request, resolved.agent if resolved else None)
            finally:
                self._storing -= 1
        except NotAcceptedError as error:
            self._events.emit(RequestRejected(request, error))
            raise
        if accepted.is_new:
            if accepted.duplicate_of or accepted.other_open:
                request = replace(request, duplicate_of=accepted.duplicate_of, other_open=accepted.other_open)
            if resolved and accepted.linked is not None:
                resolved = resolved.linked_to(accepted.linked)
            is_creating = accepted.state is RequestState.CREATING
            self._worker.process(StoredRequest(request, accepted.state), resolved if is_creating else None)
        return accepted.is_new

    async def submit_once(self, press: Request) -> StoredRequest | None:
        """Submit the request of a press on a button that works only once. Return None if the press counts.

        A press counts if it is the first. Another press counts only if the request of the press before it failed, and
        certainly had no effect. If the press does not count, return the stored request of the press before it.

        Raises NotAcceptedError if the bot is stopping, a limit is reached or the database fails.

        `press`: its `key` is the same for all presses on the button.
        """
        if press.pressed_at:
            self._pressed_at[press.id] = press.pressed_at
        prefix = next((each for each in (CARD_KEY, START_NEW_KEY) if press.key.startswith(each)), "")
        while earlier := await self._store.find_by_key(press.key):
            # The key is also that of *Try again* below the failed request, so that only one of the two counts. A failed
            # request from a card (CARD_KEY) is a SEND, which has no *Try again*.
            again = f"{prefix}{TRY_AGAIN_KEY}{earlier.request.id}"
            before = self._pressed_at.get(earlier.request.id, earlier.request.accepted_at)
            if not _allows(earlier.failure, press, before):
                return await self._store.find_by_key(again) or earlier
            press = replace(press, key=again)
        return None if await self.submit(press) else await self._store.find_by_key(press.key)

    async def retry(self, failed: RequestId, press: Request) -> None:
        """Submit the failed request `failed` again. `press`: the request of the press of *Try again*.

        Raises RetryRejectedError if the request is another person's, was already retried, did not fail, or is no longer
        stored. Raises NotAcceptedError if the bot is stopping, a limit is reached or the database fails.
        """
        try:
            await self._retry(failed, press)
        except RetryRejectedError as error:
            self._events.emit(RequestRejected(press, error))
            raise

    async def _retry(self, failed: RequestId, press: Request) -> None:
        stored = await self._store.find(failed)
        if stored is None:
            raise RetryRejectedError("request_forgotten")
        was = stored.request
        # In an Enterprise Grid, the press and the command may come from different workspaces, by either id.
        is_same_place = press.team_id == was.team_id or (was.enterprise_id and press.enterprise_id == was.enterprise_id)
        if self._events.one_id(was).requester != self._events.one_id(press).requester or not is_same_place:
            raise RetryRejectedError("not_your_request")
        prefix = START_NEW_KEY if was.key.startswith(START_NEW_KEY) else ""
        again = replace(was.repeated(press), key=f"{prefix}{TRY_AGAIN_KEY}{was.id}")
        if stored.failure is None or await self.submit_once(again):
            raise RetryRejectedError("already_retried")


def _allows(failure: CobrowseError | None, press: Request, before: datetime) -> bool:
    """Return whether a press counts after the press before it, whose request failed with `failure` (pure).

    It counts if this request failed without effect. A second delivery of the earlier press does not count.

    `before`: when the button was pressed before, by Slack's clock. If another process took that press, or the bot has
    started again since, the time when the request was accepted.
    """
    if failure is None or may_have_acted(failure):
        return False
    return press.pressed_at is None or press.pressed_at > before
