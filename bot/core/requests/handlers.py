"""Define what carries out one kind of request."""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping

from bot.core.errors import InterruptedRequestError
from bot.core.hosts.resolver import ResolvedHost
from bot.core.models import Request, RequestKind
from bot.core.ports import StoredRequest
from bot.core.requests.run import RequestRun
from bot.core.results import Success


class Handler(ABC):
    """Carries out one kind of request. Its methods may raise CobrowseError."""

    def peek(self, request: Request) -> ResolvedHost | None:
        """Return whose session can be created at once, without waiting for anything; None for most requests."""
        return None

    @abstractmethod
    async def run(self, request: Request, run: RequestRun, resolved: ResolvedHost | None = None) -> Success:
        """Carry it out. `resolved` is what `peek` returned, when the request is stored as `creating`."""

    async def replay(self, stored: StoredRequest) -> Success:
        """Return the result of a request that was carried out before a crash, without carrying it out again."""
        raise InterruptedRequestError("interrupted", maybe_created=True)


class QueryHandler(Handler):
    """Carries out a kind by a function that may run again after a crash."""

    def __init__(self, ask: Callable[[Request], Awaitable[Success]]) -> None:
        self._ask = ask

    async def run(self, request: Request, run: RequestRun, resolved: ResolvedHost | None = None) -> Success:
        return await self._ask(request)


Handlers = Mapping[RequestKind, Handler]
