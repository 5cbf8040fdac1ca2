"""Define the base class of request handlers. RequestWorker calls one handler for each kind of request."""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping

from bot.core.errors import InterruptedRequestError
from bot.core.hosts.resolver import ResolvedHost
from bot.core.models import Request, RequestKind
from bot.core.ports import StoredRequest
from bot.core.requests.run import RequestRun
from bot.core.results import Success


class Handler(ABC):
    """Carry out one kind of request. Each method may raise CobrowseError."""

    def peek(self, request: Request) -> ResolvedHost | None:
        """Return the host if the session can be created at once, without a look-up or a wait; None otherwise."""
        return None

    @abstractmethod
    async def run(self, request: Request, run: RequestRun, resolved: ResolvedHost | None = None) -> Success:
        """Carry out the request and return its result.

        `run` commits the state transitions. `resolved` is the host from `peek` if the request was stored as `creating`.
        """

    async def replay(self, stored: StoredRequest) -> Success:
        """Return the result of a request that a process started before it crashed. Do not repeat its effect."""
        raise InterruptedRequestError("interrupted", maybe_created=True)


class QueryHandler(Handler):
    """Carry out a kind of request with one function, which is safe to run again after a crash."""

    def __init__(self, ask: Callable[[Request], Awaitable[Success]]) -> None:
        self._ask = ask

    async def run(self, request: Request, run: RequestRun, resolved: ResolvedHost | None = None) -> Success:
        return await self._ask(request)


Handlers = Mapping[RequestKind, Handler]
