"""How many sessions may be started, links sent and questions asked in a minute; how many requests may be under way.

Against accidents and abuse. Each process counts on its own, since what matters is that none of them is flooded.
Counting costs no look-up: a start for somebody else counts as a supervisor's, and whoever is none is refused later.
"""

import math
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from cachetools import TTLCache

from bot.core.errors import OverloadedError, TooManyInquiriesError, TooManySendsError, TooManyStartsError
from bot.core.models import STARTS, Request, RequestKind

WINDOW_SECONDS = 60.0
PEOPLE = 50_000
Counted = tuple[float, str]
"""When, and which request's key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestLimits:
    """A minute: starts of one's own, for others, of a whole workspace, links sent, all else a person asks for; requests
    under way. 0 lifts each."""

    person_starts: int = 6
    supervisor_starts: int = 60
    workspace_starts: int = 0
    person_sends: int = 5
    person_inquiries: int = 30
    under_way: int = 5000


class RequestLimiter:
    """Counts what comes in. `clock` counts seconds and never goes back."""

    def __init__(self, limits: RequestLimits, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._limits = limits
        self._clock = clock
        self._starts: TTLCache[str, deque[Counted]] = TTLCache(PEOPLE, WINDOW_SECONDS, clock)

    def admit(self, request: Request, under_way: int) -> None:
        """Counts it in, once however often it is delivered.

        Raises TooManyStartsError, TooManySendsError, TooManyInquiriesError, OverloadedError, and counts nothing then.
        """
        limits = self._limits
        kept = [(key, self._recent(key), most) for key, most in self._counted(request) if most]
        if kept and any(key == request.key for _, key in kept[0][1]):
            return
        if limits.under_way and under_way >= limits.under_way:
            raise OverloadedError
        for key, recent, most in kept:
            if len(recent) >= most:
                wait_seconds = math.ceil(max(1.0, recent[0][0] + WINDOW_SECONDS - self._clock()))
                if request.kind is RequestKind.SEND:
                    raise TooManySendsError(most, wait_seconds)
                if request.kind not in STARTS:
                    raise TooManyInquiriesError(most, wait_seconds)
                raise TooManyStartsError(most, wait_seconds, everybody=key == request.team_id)
        for key, recent, _ in kept:
            recent.append((self._clock(), request.key))
            self._starts[key] = recent  # anew, so that it lives as long as its latest start counts

    def admit_view(self, request: Request) -> bool:
        """Whether a view that follows sessions may ask the service for them; if so, it is counted. A person has as many
        in a minute as inquiries, and beside them."""
        key, most = f"{request.team_id}/{request.requester}/views", self._limits.person_inquiries
        recent = self._recent(key)
        if most and len(recent) >= most:
            return False
        recent.append((self._clock(), request.key))
        self._starts[key] = recent
        return True

    def _counted(self, request: Request) -> tuple[tuple[str, int], ...]:
        """By which keys it counts, and how many of each there may be."""
        limits, person = self._limits, f"{request.team_id}/{request.requester}"
        if request.kind is RequestKind.SEND:
            return ((f"{person}/sends", limits.person_sends),)
        if request.kind is RequestKind.END:  # who has asked too much may end a session all the same
            return ((f"{person}/ends", limits.person_inquiries),)
        if request.kind not in STARTS:
            return ((f"{person}/inquiries", limits.person_inquiries),)
        own = (person, limits.person_starts)
        if request.for_another:
            own = (f"{person}/others", limits.supervisor_starts)
        elif request.kind is RequestKind.STEP:  # workflows do not use up what the person may start
            own = (f"{person}/steps", limits.person_starts)
        return own, (request.team_id, limits.workspace_starts)

    def _recent(self, key: str) -> deque[Counted]:
        """What was counted within the last minute, oldest first."""
        recent: deque[Counted] = self._starts.get(key) or deque()
        while recent and recent[0][0] <= self._clock() - WINDOW_SECONDS:
            recent.popleft()
        return recent
