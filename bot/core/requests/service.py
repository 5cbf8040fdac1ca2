"""The life of a request: accept it, find the host, create the session, answer. Step 3 of five.

Each accepted request ends with one outcome: the link, or one clear sentence. The work runs on the desk's own tasks, so
that Slack's acknowledgement waits for nothing but the store. How a request travels there and an answer back is for
others; they stand here as Protocols.
"""

import asyncio
import logging
import time
from dataclasses import replace
from typing import Protocol

from bot.core.access import AccessPolicy
from bot.core.cache import at_once
from bot.core.errors import (
    CobrowseError,
    InvalidHostError,
    NotAcceptedError,
    NotYoursError,
    RequestGoneError,
    RequestInterruptedError,
    ShuttingDownError,
    TriedAlreadyError,
    UnexpectedError,
)
from bot.core.hosts.resolver import LINK, HostResolver, ResolvedHost
from bot.core.models import (
    CreateSessionRequest,
    Host,
    Request,
    RequestId,
    RequestState,
    Session,
    SessionDefaults,
    SessionStarted,
)
from bot.core.ports import CallHooks, Kept, RequestRepository
from bot.core.requests.events import EventLog
from bot.core.requests.housekeeping import recover_orphans_forever, sweep_forever, update_messages_forever
from bot.core.requests.limits import RequestLimiter
from bot.core.requests.recovery import known_end, session_of_another
from bot.core.requests.run import (
    NOTE_AFTER_SECONDS,
    Deeds,
    Notifier,
    OwnershipLostError,
    RequestRun,
)
from bot.core.results import Handlers, Result
from bot.core.shared_waits import serving
from bot.core.workflow_steps import STARTS, is_unasked

log = logging.getLogger(__name__)

LAST_WORDS_SECONDS = 3.0
ANSWERED_PATIENCE_SECONDS = 1800.0


class SessionsApi(Protocol):
    """Creates sessions."""

    @property
    def is_free(self) -> bool:
        """Whether a create would go out at once."""

    async def create(self, order: CreateSessionRequest, hooks: CallHooks) -> Session:
        """A session that exists. Raises ServiceError."""


class Responder(Notifier, Protocol):
    """Gets words to people; never raises."""

    def hurry(self) -> None:
        """The process is about to end: from now on, and for what is under way, no way is tried for long."""

    async def answer(self, request: Request, outcome: Result) -> bool:
        """Whether the outcome reached the requester."""

    async def close_posts(self) -> None:
        """Waits until there may be some, and messages about sessions that are over say so.

        Raises StorageUnavailableError.
        """

    async def tell_agent(self, request: Request, session: Session) -> bool:
        """Whether the agent now knows that a session was started for them, and by whom."""


class RequestService:
    """Takes requests in and sees each of them through."""

    def __init__(
        self,
        *,
        store: RequestRepository,
        access: AccessPolicy,
        hosts: HostResolver,
        sessions: SessionsApi,
        teller: Responder,
        offer: SessionDefaults,
        handlers: Handlers,
        deeds: Deeds,
        gatekeeper: RequestLimiter,
        journal: EventLog | None = None,
        note_after_seconds: float = NOTE_AFTER_SECONDS,
    ) -> None:
        self._store, self._access, self._hosts = store, access, hosts
        self._sessions, self._teller, self._offer = sessions, teller, offer
        self._handlers, self._deeds, self._gatekeeper = handlers, deeds, gatekeeper
        self._journal = journal or EventLog()
        self._note_after_seconds = note_after_seconds
        self._working: set[asyncio.Task[None]] = set()
        self._answering: set[asyncio.Task[None]] = set()
        self._accepting = 0
        self._draining = False
        self._housekeeping: list[asyncio.Task[None]] = []

    def open(self) -> None:
        """Takes up what a dead process left: at once, and whenever another replica dies. Cleans up, too."""
        keeping = (
            recover_orphans_forever(self._store, self._journal, self._begin),
            sweep_forever(self._store),
            update_messages_forever(self._teller.close_posts),
        )
        self._housekeeping = [asyncio.create_task(each) for each in keeping]

    async def accept(self, request: Request) -> bool:
        """Stores the request and starts to work it; False when it is here already. Raises NotAcceptedError."""
        try:
            if self._draining:
                raise ShuttingDownError
            self._gatekeeper.admit(request, self.under_way)
            ready = self._ready(request)
            self._accepting += 1
            try:
                accepted = await self._store.accept(request, ready.agent if ready else None)
            finally:
                self._accepting -= 1
        except NotAcceptedError as error:
            self._journal.refused(request, error)
            raise
        if accepted.is_new:
            if ready and accepted.linked:
                ready = ResolvedHost(ready.agent, Host(accepted.linked, LINK))
            request = replace(request, same_as=accepted.same_as) if accepted.same_as else request
            self._begin(Kept(request, accepted.state), ready if accepted.state is RequestState.CREATING else None)
        return accepted.is_new

    def _ready(self, request: Request) -> ResolvedHost | None:
        """What the create takes, if nothing has to be waited for: then it is accepted and sent out in one write."""
        if request.kind not in STARTS or not self._sessions.is_free:
            return None
        try:
            agent = at_once(self._access.admit(request))
        except CobrowseError:  # it is the worker who says so
            return None
        host = self._hosts.at_hand(agent) if agent else None
        return ResolvedHost(agent, host) if agent and host else None

    async def try_again(self, failed: RequestId, press: Request) -> None:
        """Accepts `failed` once more for whoever pressed the button. Raises TryAgainRefusedError, NotAcceptedError."""
        kept = await self._store.find(failed)
        if kept is None:
            raise self._journal.refused(press, RequestGoneError())
        was = kept.request
        # In an Enterprise Grid the press may carry another workspace of it than the command did.
        same_place = press.team_id == was.team_id or (was.enterprise_id and press.enterprise_id == was.enterprise_id)
        if was.requester != press.requester or not same_place:
            raise self._journal.refused(press, NotYoursError())
        again = was.repeated(press)
        if kept.failure is None or not await self.accept(again):
            raise self._journal.refused(press, TriedAlreadyError())

    async def drain(self, seconds: float) -> None:
        """Takes nothing more, finishes what is accepted; what is left at the end is answered "was interrupted"."""
        self._draining = True
        for task in self._housekeeping:
            task.cancel()
        if self._working:
            await asyncio.wait(self._working, timeout=max(seconds - LAST_WORDS_SECONDS, seconds / 2))
        for task in self._working - self._answering:
            task.cancel()
        if self._working:
            log.warning("interrupted", extra={"fields": {"requests": len(self._working)}})
            self._teller.hurry()
            await asyncio.wait(self._working, timeout=LAST_WORDS_SECONDS)
        for task in self._working:
            log.error("left without an answer", extra={"fields": {"request": task.get_name()}})

    @property
    def under_way(self) -> int:
        """How many requests are accepted, or just being, and not answered."""
        return len(self._working) + self._accepting

    def _begin(self, kept: Kept, ready: ResolvedHost | None = None) -> None:
        task = asyncio.create_task(self._work(kept, ready), name=kept.request.id)
        self._working.add(task)
        task.add_done_callback(self._working.discard)
        task.add_done_callback(self._answering.discard)

    async def _work(self, kept: Kept, ready: ResolvedHost | None) -> None:
        request, wait = kept.request, self._note_after_seconds
        progress = RequestRun(request, kept.state, self._store, self._teller, note_after_seconds=wait)
        serving.set(progress)
        began = time.monotonic()
        try:
            outcome = await self._outcome(kept, ready, progress)
            if task := asyncio.current_task():
                self._answering.add(task)  # from here on a stop waits for it
            outcome = await progress.settle(outcome)
            await progress.stop()
            reached = await self._teller.answer(request, outcome)
            seconds = time.monotonic() - began
            self._journal.ended(request, outcome, reached, seconds)
            self._journal.write_line(request, outcome, reached, seconds, progress.create_seconds)
            await progress.write_down(RequestState.ANSWERED, patience_seconds=ANSWERED_PATIENCE_SECONDS)
        except OwnershipLostError:
            await progress.stop()
            log.info("superseded", extra={"fields": {"request": request.id}})
        except Exception:
            log.exception("answering failed", extra={"fields": {"request": request.id}})

    async def _outcome(self, kept: Kept, ready: ResolvedHost | None, progress: RequestRun) -> Result:
        """The second error boundary: whatever goes wrong becomes a sentence for the person."""
        try:
            if ready:
                return await self._create(kept.request, ready, progress)
            if kept.state is RequestState.CREATED and not kept.failure and (deed := self._deeds.get(kept.request.kind)):
                return await deed.recall(kept.request)
            end = known_end(kept)
            if isinstance(end, Session):
                return await self._told(kept.request, SessionStarted(end))
            return end or await self._begun_outcome(kept.request, progress)
        except OwnershipLostError:
            raise
        except CobrowseError as error:
            return error
        except asyncio.CancelledError:
            return RequestInterruptedError(maybe_created=progress.state is not RequestState.ACCEPTED)
        except Exception:
            log.exception("unexpected", extra={"fields": {"request": kept.request.id}})
            return UnexpectedError(maybe_created=progress.state is not RequestState.ACCEPTED)

    async def _begun_outcome(self, request: Request, progress: RequestRun) -> Result:
        if handle := self._handlers.get(request.kind):
            return await handle(request)
        if deed := self._deeds.get(request.kind):
            return await deed.do(request, progress)
        if session := await session_of_another(request, self._store):
            await progress.write_down(RequestState.CREATED, session=session)
            return SessionStarted(session)  # whoever it is for was told by the other
        return await self._start(request, progress)

    async def _start(self, request: Request, progress: RequestRun) -> SessionStarted:
        agent = await self._access.admit(request)
        host = await self._hosts.find(agent, is_target=is_unasked(request))
        return await self._create(request, ResolvedHost(agent, host), progress)

    async def _create(self, request: Request, ready: ResolvedHost, progress: RequestRun) -> SessionStarted:
        try:
            session = await self._sessions.create(self._offer.order(request, ready.agent, ready.host), progress)
        except InvalidHostError:
            await self._hosts.forget(ready.agent)
            raise
        started = SessionStarted(session, rule=ready.host.rule)
        try:
            await progress.write_down(RequestState.CREATED, session=session)
        except asyncio.CancelledError:  # the bot stops; the session exists, and is not to be denied
            return replace(started, agent_told=False if is_unasked(request) else None)
        return await self._told(request, started)

    async def _told(self, request: Request, started: SessionStarted) -> SessionStarted:
        if not is_unasked(request):
            return started
        try:
            return replace(started, agent_told=await self._teller.tell_agent(request, started.session))
        except asyncio.CancelledError:  # as above
            return replace(started, agent_told=False)
