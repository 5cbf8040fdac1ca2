"""Process accepted requests: call the handler of each request, store the result, and send it to the requester.

Each accepted request ends with one result. Each request has a separate task.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from typing import Any

from bot.core.errors import CobrowseError, InterruptedRequestError, UnexpectedError
from bot.core.hosts.resolver import ResolvedHost
from bot.core.models import Request, RequestState
from bot.core.ports import NULL_TRACER, RequestRepository, Responder, StoredRequest, Tracer
from bot.core.requests.events import EventLog, RequestFinished
from bot.core.requests.handlers import Handlers
from bot.core.requests.recovery import Recovery, known_failure
from bot.core.requests.run import OwnershipLostError, RequestRun
from bot.core.results import Result, Success
from bot.core.shared_waits import serving
from bot.core.timing import CoreTiming

log = logging.getLogger(__name__)


class RequestWorker:
    """Processes accepted requests, each in a separate task.

    `is_draining`: True after the first call of `drain`. From then on, the bot accepts no new requests.
    """

    def __init__(
        self,
        *,
        store: RequestRepository,
        handlers: Handlers,
        responder: Responder,
        events: EventLog,
        recovery: Recovery,
        timing: CoreTiming,
        report: Callable[[Request, CobrowseError], Coroutine[Any, Any, None]] | None = None,
        tracer: Tracer = NULL_TRACER,
    ) -> None:
        """Take the dependencies of the worker.

        `report`: reports a failed request to the administrators; never raises; None to report nothing. The worker waits
        up to `NoticeTiming.report_timeout` for `report` before it answers the requester.
        """
        self._report = report
        self._traced_process = tracer.processing(self._process)
        self._store, self._handlers, self._responder = store, handlers, responder
        self._events, self._recovery, self._timing = events, recovery, timing
        self._tasks: set[asyncio.Task[None]] = set()
        self._answering: set[asyncio.Task[None]] = set()
        self.is_draining = False

    @property
    def active(self) -> int:
        """Return how many requests this worker is processing."""
        return len(self._tasks)

    def start(self) -> None:
        """Start the background loops that pass the requests of dead processes to this worker."""
        self._recovery.start(self.process)

    def peek(self, request: Request) -> ResolvedHost | None:
        """Return the agent and host of a start, if the session can be created at once; else None.

        "At once" means without a look-up in Slack or Genesys and without a wait for the rate limit.
        """
        return self._handlers[request.kind].peek(request)

    def process(self, stored: StoredRequest, resolved: ResolvedHost | None = None) -> None:
        """Start a task that processes a stored request.

        `resolved`: the agent and host of a new request that is stored as `creating`; None for all other requests.
        """
        task = asyncio.create_task(self._traced_process(stored, resolved), name=stored.request.id)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(self._answering.discard)

    async def drain(self, seconds: float) -> None:
        """Wait up to `seconds` until all accepted requests are answered.

        Shortly before the end of this time, cancel the requests that have no result yet, and send their requesters an
        error message.
        """
        self.is_draining = True
        self._recovery.stop()
        last_posts_seconds = self._timing.last_posts_seconds
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=max(seconds - last_posts_seconds, seconds / 2))
        for task in self._tasks - self._answering:
            task.cancel()
        if self._tasks:
            log.warning("interrupted", extra={"fields": {"requests": len(self._tasks)}})
            self._responder.shorten_deadlines()
            await asyncio.wait(self._tasks, timeout=last_posts_seconds)
        for task in self._tasks:
            log.error("left without an answer", extra={"fields": {"request": task.get_name()}})

    async def _process(self, stored: StoredRequest, resolved: ResolvedHost | None) -> None:
        request, began = stored.request, time.monotonic()
        run = RequestRun(request, stored.state, self._store, self._responder, self._timing.run)
        serving.set(run)
        try:
            result = await self._result(stored, resolved, run)
            if task := asyncio.current_task():
                self._answering.add(task)  # from here on, `drain` waits for the task instead of cancelling it
            result = await run.record_result(result)
            await run.stop_notices()
            reporting = await self._start_report(request, result)
            reached = await self._responder.answer(request, result)
            seconds = time.monotonic() - began
            self._events.emit(RequestFinished(request, result, reached, seconds, run.create_seconds))
            if reporting:
                await reporting
            await run.save_answered()
        except OwnershipLostError:
            await run.stop_notices()
            log.info("superseded", extra={"fields": {"request": request.id}})
        except Exception:
            log.exception("answering failed", extra={"fields": {"request": request.id}})

    async def _start_report(self, request: Request, result: Result) -> asyncio.Task[None] | None:
        """Start a task that reports an error to the administrators.

        Wait up to `NoticeTiming.report_timeout` for the end of the task.

        Return the task, which may still run. Return None if `result` is no error, or if the worker was created without
        `report`.
        """
        if self._report is None or not isinstance(result, CobrowseError):
            return None
        reporting = asyncio.create_task(self._report(self._events.one_id(request), result))
        await asyncio.wait((reporting,), timeout=self._timing.notices.report_timeout)
        return reporting

    async def _result(self, stored: StoredRequest, resolved: ResolvedHost | None, run: RequestRun) -> Result:
        """Carry out the request and return its result. Convert an exception to an error for the requester.

        Raises OwnershipLostError if another worker owns the request.
        """
        try:
            return await self._handle(stored, resolved, run)
        except OwnershipLostError:
            raise
        except CobrowseError as error:
            return error
        except asyncio.CancelledError:
            return InterruptedRequestError("interrupted", maybe_created=run.state is not RequestState.ACCEPTED)
        except Exception:
            log.exception("unexpected", extra={"fields": {"request": stored.request.id}})
            return UnexpectedError(maybe_created=run.state is not RequestState.ACCEPTED)

    async def _handle(self, stored: StoredRequest, resolved: ResolvedHost | None, run: RequestRun) -> Success:
        handler = self._handlers[stored.request.kind]
        if resolved:
            return await handler.run(stored.request, run, resolved)
        if failure := known_failure(stored):
            raise failure
        if stored.state is RequestState.CREATED:
            return await handler.replay(stored)
        return await handler.run(stored.request, run)
