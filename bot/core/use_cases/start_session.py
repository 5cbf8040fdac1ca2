"""Start a session: check permission, find the host, create the session, notify the agent."""

import asyncio
from dataclasses import replace

from bot.core.access import AccessPolicy
from bot.core.errors import CobrowseError, InterruptedRequestError, InvalidHostError
from bot.core.hosts.resolver import HostResolver, ResolvedHost
from bot.core.models import Request, RequestKind, RequestState, SessionDefaults, SessionStarted, is_unasked
from bot.core.ports import RequestRepository, Responder, SessionsApi, StoredRequest
from bot.core.requests.handlers import Handler, Handlers
from bot.core.requests.recovery import session_of_duplicate
from bot.core.requests.run import RequestRun
from bot.core.timing import RunTiming


class StartSession(Handler):
    """Carries out START and STEP."""

    def __init__(
        self,
        *,
        store: RequestRepository,
        access: AccessPolicy,
        hosts: HostResolver,
        sessions: SessionsApi,
        responder: Responder,
        defaults: SessionDefaults,
        timing: RunTiming,
    ) -> None:
        self._store, self._access, self._hosts = store, access, hosts
        self._sessions, self._responder, self._defaults = sessions, responder, defaults
        self._timing = timing

    def handlers(self) -> Handlers:
        """Return the handlers by kind of request."""
        return {RequestKind.START: self, RequestKind.STEP: self}

    def peek(self, request: Request) -> ResolvedHost | None:
        """Return agent and host if the caches hold all answers and the create can be sent at once, else None."""
        if not self._sessions.can_send_now:
            return None
        try:
            agent = self._access.peek_start(request)
        except CobrowseError:  # `run` raises it again, for the person
            return None
        host = self._hosts.peek(agent) if agent else None
        return ResolvedHost(agent, host) if agent and host else None

    async def run(self, request: Request, run: RequestRun, resolved: ResolvedHost | None = None) -> SessionStarted:
        if resolved is None:
            poll_seconds = self._timing.follow_poll_seconds
            if session := await session_of_duplicate(request, self._store, poll_seconds):
                await run.save_with_retry(RequestState.CREATED, session=session)
                return SessionStarted(session)  # the original request notifies the agent
            agent = await self._access.authorize_start(request)
            resolved = ResolvedHost(agent, await self._hosts.find(agent, is_target=is_unasked(request)))
        return await self._create(request, resolved, run)

    async def replay(self, stored: StoredRequest) -> SessionStarted:
        if stored.session is None:
            raise InterruptedRequestError("interrupted", maybe_created=True)
        return await self._notify_agent(stored.request, SessionStarted(stored.session))

    async def _create(self, request: Request, resolved: ResolvedHost, run: RequestRun) -> SessionStarted:
        try:
            session = await self._sessions.create(self._defaults.order(request, resolved.agent, resolved.host), run)
        except InvalidHostError:
            await self._hosts.forget(resolved.agent)
            raise
        started = SessionStarted(session, rule=resolved.host.rule)
        try:
            await run.save_with_retry(RequestState.CREATED, session=session)
        except asyncio.CancelledError:  # the bot stops; the session exists, so the result says so
            return replace(started, agent_told=False if is_unasked(request) else None)
        return await self._notify_agent(request, started)

    async def _notify_agent(self, request: Request, started: SessionStarted) -> SessionStarted:
        if not is_unasked(request):
            return started
        try:
            return replace(started, agent_told=await self._responder.tell_agent(request, started.session))
        except asyncio.CancelledError:  # as above
            return replace(started, agent_told=False)
