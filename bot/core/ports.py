"""What the desk needs to survive a crash: the Store Protocol, and a request as it is kept.

How it is kept is for bot/storage. Every method of a store may raise StorageUnavailableError.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from bot.core.errors import CobrowseError
from bot.core.models import Host, HostId, Request, RequestId, RequestState, Session, SlackUser, TeamId, UserId

JOIN_SECONDS = 10.0
"""How long after it was made a session is given to the same person who asks for it once more."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """What became of a request that came in. `is_new` is false when its key was there already.

    `same_as` is a request of the same person with the same words, target and channel, whose session is being made or
    was made a moment ago: this one gets that session. Otherwise, if it was to be created at once, it is `creating`, and
    `linked` is the host an administrator linked the agent to.
    """

    is_new: bool
    same_as: RequestId | None = None
    state: RequestState = RequestState.ACCEPTED
    linked: HostId | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """A request as the store holds it; `failure` is what it ended with, if it did not end with a session.

    `session_over`: it has ended, or its time is up, by the store's clock; its link may be wiped by then.
    """

    request: Request
    state: RequestState
    failure: CobrowseError | None = None
    session: Session | None = None
    session_over: bool = False


class CallHooks(Protocol):
    """Receives what happens to a call to Genesys. Each method may raise to stop the call."""

    @property
    def fairness_key(self) -> str:
        """Return the opaque key by which the rate limiter shares turns fairly."""

    async def before_send(self) -> None:
        """Run just before the bytes go out."""

    async def on_wait(self, seconds: float) -> None:
        """Run when the call goes out (again) in `seconds`: it waits for its turn, or Genesys did not act."""


class RequestRepository(Protocol):
    """What must survive. A store belongs to one process; what it accepts is that process's to work."""

    @property
    def shared(self) -> bool:
        """Whether others use the same database, and take over what is ours when they think us dead."""

    async def accept(self, request: Request, agent: SlackUser | None = None) -> Accepted:
        """Stores the request for good, before it returns. Raises MaybeAcceptedError when it cannot tell.

        `agent`: whose session can be created at once, all else being at hand, so that it is accepted as `creating`.
        """

    async def advance(
        self,
        request_id: RequestId,
        from_: RequestState,
        to: RequestState,
        *,
        session: Session | None = None,
        failure: CobrowseError | None = None,
    ) -> bool:
        """Whether the request was this process's and in `from_`, and is now in `to`, for good.

        A session is remembered with it; a known id renews what is remembered of it, unless the request is `same_as`
        the one that made it. Once answered, a request keeps no way to answer any more.
        Raises UnusableAnswerError when the session's id is known for another team, host, requester or agent: the
        request
        is then `failed` with this error, by the same transaction.
        """

    async def find(self, request_id: RequestId) -> Kept | None:
        """The request, whoever's it is."""

    async def orphans(self) -> Sequence[Kept]:
        """Unfinished requests that no living process works; from now on they are this one's. Oldest first."""

    async def sweep(self) -> None:
        """Wipes the join URLs of sessions that are over, and removes what is older than is to be kept."""


class HostCache(Protocol):
    """Who is which host, across restarts. Every method may raise StorageUnavailableError."""

    async def linked(self, team_id: TeamId, user_id: UserId) -> HostId | None:
        """The host an administrator linked this person to; for this team first, then for any."""

    async def found(self, team_id: TeamId, user_id: UserId) -> tuple[Host, float] | None:
        """The host found for this person a while ago, and for how many seconds it is still good."""

    async def keep_found(self, team_id: TeamId, user_id: UserId, host: Host, seconds: float) -> None:
        """Remembers it for so long."""

    async def drop_found(self, team_id: TeamId, user_id: UserId) -> None:
        """Forgets it."""


HostLink = tuple[TeamId | None, UserId, HostId]
"""Somebody an administrator linked to a host, in one team or (None) in any."""


class HostLinkRepository(Protocol):
    """The links themselves, for whoever manages them. Every method may raise StorageUnavailableError."""

    async def links(self) -> Sequence[HostLink]:
        """All of them, by user."""

    async def link(self, links: Sequence[HostLink], on_progress: Callable[[int], None] = lambda done: None) -> None:
        """Adds or changes all of these, or none. `on_progress` is told how many more are in, again and again."""

    async def unlink(self, team_id: TeamId | None, user_id: UserId) -> bool:
        """Whether there was such a link."""
