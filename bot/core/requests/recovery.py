"""How requests end that somebody worked before: a process that died, or another request for the same thing."""

import asyncio
from datetime import UTC, datetime, timedelta

from bot.core.errors import CobrowseError, RequestInterruptedError, SessionOverError, UnexpectedError
from bot.core.models import Request, RequestState, Session
from bot.core.ports import Kept, RequestRepository

FOLLOW_SECONDS = 0.1
STALE = timedelta(minutes=30)
"""So long Slack takes an answer to a command; nobody waits any more for what is older."""


def known_end(kept: Kept) -> Session | CobrowseError | None:
    """The session or failure that a request has come to; None when it is still to be worked."""
    if kept.failure or kept.state is RequestState.FAILED:  # one that could not be read has a failure in any state
        return kept.failure or UnexpectedError()
    if kept.state is RequestState.CREATED and kept.session_over:
        return SessionOverError()
    if kept.state is RequestState.CREATED and kept.session:
        return kept.session
    if kept.state is not RequestState.ACCEPTED:  # nobody knows whether the service acted, so it is not asked again
        return RequestInterruptedError(maybe_created=True)
    if datetime.now(UTC) - kept.request.accepted_at > STALE:
        return RequestInterruptedError(maybe_created=False)
    return None


async def session_of_another(request: Request, store: RequestRepository) -> Session | None:
    """The session of the request that asked for the same thing, once there is one; None if there will be none."""
    while request.same_as is not None:
        other = await store.find(request.same_as)
        if other is None or other.failure or other.session_over:
            return None
        if other.session:
            return other.session
        if other.state not in (RequestState.ACCEPTED, RequestState.CREATING):
            return None
        await asyncio.sleep(FOLLOW_SECONDS)
    return None
