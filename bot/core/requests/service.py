"""Accept requests: store each before Slack is acknowledged, then give it to the worker."""

from dataclasses import replace

from bot.core.errors import NotAcceptedError, NotReadyError, RetryRejectedError
from bot.core.models import Request, RequestId, RequestState
from bot.core.ports import RequestRepository, StoredRequest
from bot.core.requests.events import EventLog, RequestRejected
from bot.core.requests.limits import RequestLimiter
from bot.core.requests.worker import RequestWorker


class RequestService:
    """Accept requests, and retries of failed requests."""

    def __init__(
        self, store: RequestRepository, worker: RequestWorker, limiter: RequestLimiter, events: EventLog
    ) -> None:
        self._store, self._worker, self._limiter, self._events = store, worker, limiter, events
        self._storing = 0

    @property
    def under_way(self) -> int:
        """Return how many requests are being stored or processed."""
        return self._worker.active + self._storing

    async def submit(self, request: Request) -> bool:
        """Store the request and start to process it; return False if a request with its key is stored already.

        Raises NotAcceptedError.
        """
        try:
            if self._worker.is_draining:
                raise NotReadyError("shutting_down")
            self._limiter.admit(request, self.under_way)
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
            request = replace(request, duplicate_of=accepted.duplicate_of) if accepted.duplicate_of else request
            if resolved and accepted.linked:
                resolved = resolved.linked_to(accepted.linked)
            is_creating = accepted.state is RequestState.CREATING
            self._worker.process(StoredRequest(request, accepted.state), resolved if is_creating else None)
        return accepted.is_new

    async def retry(self, failed: RequestId, press: Request) -> None:
        """Submit a failed request again. `press` is the press of its Try again button.

        Raises RetryRejectedError when the actor may not retry it, or NotAcceptedError.
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
        # In an Enterprise Grid, the press and the command may come from different workspaces.
        is_same_place = press.team_id == was.team_id or (was.enterprise_id and press.enterprise_id == was.enterprise_id)
        if was.requester != press.requester or not is_same_place:
            raise RetryRejectedError("not_your_request")
        if stored.failure is None or not await self.submit(was.repeated(press)):
            raise RetryRejectedError("already_retried")
