"""Start a session: check the permission, find the host, create the session, and notify the agent."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import replace

from bot.core.access import AccessPolicy
from bot.core.errors import (
    CobrowseError,
    InterruptedRequestError,
    InvalidHostError,
    SharingError,
    SignInExpiredError,
    SignInRequiredError,
)
from bot.core.hosts.resolver import HostResolver, ResolvedHost
from bot.core.models import (
    ConversationId,
    CreateSessionRequest,
    Request,
    RequestKind,
    RequestState,
    SessionDefaults,
    SessionId,
    SessionRecord,
    SessionStarted,
    is_unasked,
    team_of,
)
from bot.core.ports import (
    OpenSessionError,
    RequestRepository,
    Responder,
    SessionNames,
    SessionsApi,
    StoredRequest,
)
from bot.core.requests.handlers import Handler, Handlers
from bot.core.requests.recovery import session_of_duplicate
from bot.core.requests.run import RequestRun
from bot.core.results import CommandSuggested, OpenSession, SignInOffered
from bot.core.start_details import NO_DETAILS, details_of
from bot.core.timing import RunTiming
from bot.core.use_cases.session_status import Freshness
from bot.core.use_cases.sessions import SessionService
from bot.core.validation.contact import MAY_HOLD_ADDRESS, find_addresses
from bot.core.validation.display import mentions


class StartSession(Handler):
    """Carries out requests that start a session (START and STEP)."""

    def __init__(
        self,
        *,
        store: RequestRepository,
        access: AccessPolicy,
        hosts: HostResolver,
        sessions: SessionsApi,
        own_sessions: SessionService,
        responder: Responder,
        defaults: SessionDefaults,
        names: SessionNames,
        timing: RunTiming,
        in_conversations: bool = False,
        offer_sign_in: Callable[[Request], Awaitable[SignInOffered]] | None = None,
    ) -> None:
        """Take the dependencies of the use case.

        - `in_conversations`: True if each session belongs to a conversation, so that a new session replaces the open
          session of the conversation.
        - `offer_sign_in`: a function that returns a sign-in link for the requester. Pass None if nobody can sign in.
        """
        self._in_conversations, self._offer_sign_in = in_conversations, offer_sign_in
        self._store, self._access, self._hosts = store, access, hosts
        self._sessions, self._responder, self._defaults = sessions, responder, defaults
        self._own_sessions, self._names, self._timing = own_sessions, names, timing

    def handlers(self) -> Handlers:
        """Return the handlers by kind of request."""
        return {RequestKind.START: self, RequestKind.STEP: self}

    def peek(self, request: Request) -> ResolvedHost | None:
        """Return the session's agent and host, if the session can be created at once; else None.

        "At once" means without a look-up in Slack or Genesys and without a wait for the rate limit. Also return None if
        the start is not allowed: `run` raises the error.
        """
        if not self._sessions.can_send_now or (request.argument and details_of(request.argument).unless):
            return None
        try:
            agent = self._access.peek_start(request)
        except CobrowseError:  # `run` raises it again, for the person
            return None
        host = self._hosts.peek(agent) if agent else None
        return ResolvedHost(agent, host) if agent and host else None

    async def run(
        self, request: Request, run: RequestRun, resolved: ResolvedHost | None = None
    ) -> SessionStarted | CommandSuggested | OpenSession:
        if resolved is None:
            poll_seconds = self._timing.follow_poll_seconds
            if session := await session_of_duplicate(request, self._store, poll_seconds):
                await run.save_with_retry(RequestState.CREATED, session=session)
                return SessionStarted(session)  # the original request notifies the agent
            agent = await self._access.authorize_start(request)
            if request.argument and (suggested := await self._meant_command(request)):
                return suggested
            resolved = ResolvedHost(agent, await self._hosts.find(agent, is_target=is_unasked(request)))
        return await self._create(request, resolved, run)

    async def replay(self, stored: StoredRequest) -> SessionStarted:
        if stored.session is None:
            raise InterruptedRequestError("interrupted", maybe_created=True)
        return await self._announce(stored.request, SessionStarted(stored.session))

    async def _meant_command(self, request: Request) -> CommandSuggested | None:
        """Return a suggestion if the session name in the request is probably a command; else None.

        The name is probably a command if it begins with a command word and contains the name of an open session of the
        requester.
        """
        command = details_of(request.argument).unless
        if not command:
            return None
        own = await self._own_sessions.status(request, freshness=Freshness.KNOWN)
        named = tuple(record for record in own.records if mentions(request.name or "", record.session.name))
        return CommandSuggested(command, named) if named else None

    def _order(self, request: Request, resolved: ResolvedHost) -> CreateSessionRequest:
        """Return the parameters of the session to create.

        If the requested name contains a phone number or email address, use a neutral name instead.
        """
        agent = resolved.agent
        name = request.name or self._names.of_agent(agent)
        if MAY_HOLD_ADDRESS.search(name) and find_addresses(name, self._defaults.phone_countries):
            name = self._names.neutral(agent)
        return self._defaults.order(request, agent, resolved.host, name)

    async def _create(self, request: Request, resolved: ResolvedHost, run: RequestRun) -> SessionStarted | OpenSession:
        resolved.check(is_target=is_unasked(request))
        order = self._order(request, resolved)
        replaced = details_of(request.argument).replaces if request.argument else ""
        is_open = await self._open_sessions(request, resolved) if self._in_conversations else {}
        kept = {each: record for each, record in is_open.items() if record.session.id != replaced}
        try:
            session = await self._sessions.create(replace(order, open_sessions=kept) if kept else order, run)
        except OpenSessionError as found:
            ids = await self._access.ids(request.requester)
            return OpenSession(found.record.seen_by(*ids), found.customer)
        except InvalidHostError:
            await self._hosts.forget(resolved.agent)
            raise
        except (SignInRequiredError, SignInExpiredError) as error:
            await self._add_sign_in(error, request)
            raise
        started = SessionStarted(session, rule=resolved.host.rule)
        try:
            await run.save_with_retry(RequestState.CREATED, session=session)
        except asyncio.CancelledError:  # the bot stops; the session exists, so the result says so
            return replace(started, agent_told=False if is_unasked(request) else None)
        return await self._announce(request, started)

    async def _add_sign_in(self, error: SignInRequiredError | SignInExpiredError, request: Request) -> None:
        """Add a sign-in link to the error, if the requester is the host and can sign in."""
        is_off = isinstance(error, SignInRequiredError) and error.off
        if self._offer_sign_in and error.own and not is_off and request.kind is RequestKind.START:
            with suppress(CobrowseError):  # then the error names the command
                error.address = (await self._offer_sign_in(request)).address

    async def _open_sessions(self, request: Request, resolved: ResolvedHost) -> Mapping[ConversationId, SessionRecord]:
        """Return the agent's open sessions with the found host, by conversation; for a workflow step, none."""
        if request.kind is RequestKind.STEP:  # a workflow gets the session that it asks for
            return {}
        found = await self._own_sessions.open_by_conversation(team_of(request), resolved.agent.ids)
        return {each: record for each, record in found.items() if record.session.host_id == resolved.host.id}

    async def _announce(self, request: Request, started: SessionStarted) -> SessionStarted:
        """Mark a replaced session as ended, notify the agent, and post the new session's card in a thread.

        Notify the agent only if a workflow or another person requested the session. Post the card only if the request
        names a thread. Return a copy of `started` that says which messages were sent.
        """
        details = details_of(request.argument) if request.argument else NO_DETAILS
        if details.replaces and details.replaces != started.session.id:
            await self._own_sessions.close_replaced(SessionId(details.replaces), request)
        started = await self._notify_agent(request, started)
        if not details.thread:
            return started
        try:
            await self._own_sessions.share_new(request, started.session.id)
        except CobrowseError as error:
            return replace(started, is_shared=False, share_error=error)
        except asyncio.CancelledError:  # the bot stops; the session exists, so the result says so
            return replace(started, is_shared=False, share_error=SharingError("share_outcome_unknown"))
        return replace(started, is_shared=True)

    async def _notify_agent(self, request: Request, started: SessionStarted) -> SessionStarted:
        if not is_unasked(request):
            return started
        try:
            return replace(started, agent_told=await self._responder.tell_agent(request, started.session))
        except asyncio.CancelledError:  # as above
            return replace(started, agent_told=False)
