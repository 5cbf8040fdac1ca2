"""Limit the requests per minute of each user and workspace, and the requests in progress.

The limits protect against accidents and abuse. Each process counts separately. Counting needs no look-up: a start for
another agent counts as a supervisor's, and the access rules refuse it later if the requester is no supervisor.
"""

import math
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from cachetools import TTLCache

from bot.core.errors import NotReadyError, RateLimitedError
from bot.core.models import STARTS, Request, RequestKind

WINDOW_SECONDS = 60.0
MAX_PEOPLE = 50_000
Counted = tuple[float, str]
"""The time of a request, and its key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestLimits:
    """The limits; 0 means no limit. All but `under_way` are per minute.

    `person_starts` limits a user's starts for themselves, `person_sends` the links that a user sends to customers,
    `person_inquiries` a user's other requests, `supervisor_starts` a user's starts for other agents, `workspace_starts`
    all starts of a workspace, and `under_way` the requests in progress.
    """

    person_starts: int = 6
    supervisor_starts: int = 60
    workspace_starts: int = 0
    person_sends: int = 5
    person_inquiries: int = 30
    under_way: int = 5000


class RequestLimiter:
    """Count requests and refuse those beyond the limits. `clock` returns seconds and never goes back."""

    def __init__(self, limits: RequestLimits, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._limits = limits
        self._clock = clock
        self._starts: TTLCache[str, deque[Counted]] = TTLCache(MAX_PEOPLE, WINDOW_SECONDS, clock)

    def admit(self, request: Request, under_way: int) -> None:
        """Count a request; several deliveries of the same request count once. `under_way`: the requests in progress.

        Raises RateLimitedError or NotReadyError for a request beyond a limit, which is not counted.
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
                raise RateLimitedError("too_many_starts", most, wait_seconds, everybody=key == request.team_id)
        for key, recent, _ in counted:
            recent.append((self._clock(), request.key))
            self._starts[key] = recent  # renews its time to live

    def admit_view(self, request: Request) -> bool:
        """Return whether a Home tab may ask the session service for its sessions, and count the view if so.

        The limit is that of inquiries, but views and inquiries are counted separately.
        """
        key, most = f"{request.team_id}/{request.requester}/views", self._limits.person_inquiries
        recent = self._recent(key)
        if most and len(recent) >= most:
            return False
        recent.append((self._clock(), request.key))
        self._starts[key] = recent
        return True

    def _counted(self, request: Request) -> tuple[tuple[str, int], ...]:
        """Return the counters for a request, as pairs of a key and its limit."""
        limits, person = self._limits, f"{request.team_id}/{request.requester}"
        if request.kind is RequestKind.SEND:
            return ((f"{person}/sends", limits.person_sends),)
        if request.kind is RequestKind.END:  # inquiries must not use up the ends
            return ((f"{person}/ends", limits.person_inquiries),)
        if request.kind not in STARTS:
            return ((f"{person}/inquiries", limits.person_inquiries),)
        own = (person, limits.person_starts)
        if request.for_another:
            own = (f"{person}/others", limits.supervisor_starts)
        elif request.kind is RequestKind.STEP:  # workflows must not use up the person's own starts
            own = (f"{person}/steps", limits.person_starts)
        return own, (request.team_id, limits.workspace_starts)

    def _recent(self, key: str) -> deque[Counted]:
        """Return the requests that this key counted in the last minute, oldest first."""
        recent: deque[Counted] = self._starts.get(key) or deque()
        while recent and recent[0][0] <= self._clock() - WINDOW_SECONDS:
            recent.popleft()
        return recent
