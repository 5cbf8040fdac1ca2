"""Define the base class of request handlers. The worker calls the handler of the request's kind."""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping

from bot.core.errors import InterruptedRequestError
from bot.core.hosts.resolver import ResolvedHost
from bot.core.models import Request, RequestKind
from bot.core.ports import StoredRequest
from bot.core.requests.run import RequestRun
from bot.core.results import Success


class Handler(ABC):
    """Carries out one kind of request. `run` and `replay` raise CobrowseError if the request fails."""

    def peek(self, request: Request) -> ResolvedHost | None:
        """Return the agent and host of a start if the session can be created at once, without a look-up or a wait.

        Return None otherwise, and for all other kinds of requests.
        """
        return None

    @abstractmethod
    async def run(self, request: Request, run: RequestRun, resolved: ResolvedHost | None = None) -> Success:
        """Carry out the request and return its result.

        The handler commits state transitions with `run`, the processing of this request. `resolved` is the result of
        `peek` if the request was stored as `creating`.
        """

    async def replay(self, stored: StoredRequest) -> Success:
        """Return the result of a request that took effect before a crash. Do not repeat the effect."""
        raise InterruptedRequestError("interrupted", maybe_created=True)


class QueryHandler(Handler):
    """Carries out one kind of request by calling the function `ask`, which can safely be called again after a crash."""

    def __init__(self, ask: Callable[[Request], Awaitable[Success]]) -> None:
        self._ask = ask

    async def run(self, request: Request, run: RequestRun, resolved: ResolvedHost | None = None) -> Success:
        return await self._ask(request)


Handlers = Mapping[RequestKind, Handler]
