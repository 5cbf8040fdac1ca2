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
    """Carries out the requests of one kind. `run` and `replay` raise CobrowseError if the request fails."""

    def peek(self, request: Request) -> ResolvedHost | None:
        """Return the agent and host of a start, if the session can be created at once; else None.

        "At once" means without a look-up in Slack or Genesys and without a wait for the rate limit.
        """
        return None

    @abstractmethod
    async def run(self, request: Request, run: RequestRun, resolved: ResolvedHost | None = None) -> Success:
        """Carry out the request and return its result.

        - `run`: stores the state transitions of this request.
        - `resolved`: the agent and host of a new start that was stored as `creating` at once (see `peek`). None for all
          other requests.
        """

    async def replay(self, stored: StoredRequest) -> Success:
        """Return the result of a request that took effect before a crash. Do not repeat the effect.

        The worker calls this method in place of `run` if the request is stored as `created`. This base class raises
        InterruptedRequestError.
        """
        raise InterruptedRequestError("interrupted", maybe_created=True)


class QueryHandler(Handler):
    """Carries out the requests of one kind: calls the function `ask` with the request, and returns its result.

    After a crash, the bot calls `ask` again with the same request.
    """

    def __init__(self, ask: Callable[[Request], Awaitable[Success]]) -> None:
        self._ask = ask

    async def run(self, request: Request, run: RequestRun, resolved: ResolvedHost | None = None) -> Success:
        return await self._ask(request)


Handlers = Mapping[RequestKind, Handler]
