"""Create, read and end sessions with the public Genesys Cloud API, as co-browse offers in conversations.

POST /api/v2/conversations/{id}/cobrowse creates an offer and returns a join code. The join URL leads to a page of the
company and contains the join code. live_conversations.py finds the conversation.
"""

from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from urllib.parse import quote

import httpx

from bot.core.errors import (
    BadRequestError,
    InvalidHostError,
    NoUsableConversationError,
    PermissionMissingError,
    ServiceError,
    SeveralConversationsError,
    SignInExpiredError,
    SignInRequiredError,
    TokenRefusedError,
    UnknownSessionError,
    UnusableAnswerError,
)
from bot.core.models import (
    UNKNOWN_STATE,
    CreateSessionRequest,
    Session,
    SessionId,
    SessionPhase,
    SessionRecord,
    SessionState,
)
from bot.core.ports import CallHooks, OpenSessionError
from bot.core.validation.display import JoinTemplate, is_safe_url
from bot.genesys.api.live_conversations import (
    CONVERSATION,
    MAX_AGE,
    VIEW,
    VIEW_DETAILS,
    ActiveConversation,
    LiveConversations,
    LookupHooks,
    read_time_within,
)
from bot.genesys.api.session_states import read_state
from bot.genesys.api.sessions import SessionView
from bot.genesys.auth.user_tokens import UserTokens
from bot.genesys.client import GenesysClient
from bot.genesys.http import TokenSource
from bot.genesys.parsing import answered_at, is_invalid_host, is_usable_id, read_object, reference_of
from bot.genesys.rate_limit import LIVE, LOOK, Share

COBROWSE = "/api/v2/conversations/{}/cobrowse"
OFFER = "/api/v2/webdeployments/deployments/{}/cobrowse/{}"
ADD, ADD_VOICE = "conversation:cobrowse:add", "conversation:cobrowseVoice:add"
READ_OFFERS, NO_TOKEN = "access to the deployment's offers, which are open to everybody", TokenSource()
NEEDS = (VIEW_DETAILS, VIEW, ADD, ADD_VOICE, READ_OFFERS)
DEFAULT_OFFER_SECONDS = 600
"""The lifetime of an offer if Genesys's answer states no usable end."""
MAX_OFFER = timedelta(days=1)
"""The longest plausible lifetime of an offer. If Genesys's answer states a later end, or an end in the past, the bot
uses DEFAULT_OFFER_SECONDS."""
CALLS_PER_SESSION = 3
"""The number of calls that create a session if the host is in one conversation: search, conversation, offer."""
OPEN, GONE, ENDED = "open", "gone", "ended"


@dataclass(frozen=True, slots=True)
class JoinSettings:
    """How a customer joins a session in a conversation.

    - `template`: turns a join code into the join URL; None if there is no join URL, so that customers type the code.
    - `deployment_id`: the id of the Messenger deployment, which is part of the path of a co-browse offer. With None,
      the bot does not read or withdraw offers.
    """

    template: JoinTemplate | None = None
    deployment_id: str | None = None


class ConversationSessions:
    """Creates, reads and ends sessions with the public API, as co-browse offers in conversations."""

    def __init__(self, client: GenesysClient, joining: JoinSettings, user_tokens: UserTokens | None = None) -> None:
        """Store the client that sends the calls.

        - `joining`: how a customer joins a session.
        - `user_tokens`: the tokens of linked accounts. With None, all calls use the bot's own token.
        """
        self._client = client
        self._joining, self._user_tokens = joining, user_tokens
        self._live = LiveConversations(client)
        self._has_found_offer = False

    @property
    def can_send_now(self) -> bool:
        """Return False: the create call never goes out at once, because `create` first looks up the conversation."""
        return False

    async def create(self, request: CreateSessionRequest, hooks: CallHooks) -> Session:
        """Create a co-browse offer in the host's conversation, and return the offer as a session.

        These exceptions mean that nothing was created:

        - OpenSessionError: the conversation has an open session, which the offer would replace.
        - NoUsableConversationError: the host is in no conversation that supports co-browse, or not in the conversation
          that the requester named.
        - SeveralConversationsError: the host is in several conversations that support co-browse.

        Raises another ServiceError if a call fails, StorageUnavailableError if the database fails, and the exceptions
        of `hooks`.
        """
        live = await self._conversation(request, LookupHooks(hooks))
        await self._keep_open_session(live, request)
        user_token = await self._user_token(request)
        try:
            response = await self._create_offer(live, request, hooks, user_token)
        except SignInRequiredError:
            if user_token or not (user_token := await self._user_token(request, reload=True)):
                raise
            await hooks.on_wait(0.0)  # the host may have signed in a moment ago, on another replica
            response = await self._create_offer(live, request, hooks, user_token)
        return self._session(response, request, live)

    async def _keep_open_session(self, live: ActiveConversation, request: CreateSessionRequest) -> None:
        """Raise OpenSessionError if the conversation `live` has an open session, which a new offer would replace.

        `request.open_sessions` maps conversation ids to the sessions that are open according to the database.

        - A session is open if the conversation or the database says that the customer is in it. The conversation
          comes first: the session is not open if the customer has left.
        - Else a session is not open if Genesys answers that the session's offer has ended or does not exist. A session
          counts as open if the bot cannot read the offer.
        """
        record = request.open_sessions.get(live.conversation.id)
        if record is None:
            return
        state = read_state(live.body, record, live.read_at, is_local=self._client.is_local)
        if state.is_final:
            return
        status = OPEN
        if state.phase is SessionPhase.JOINED:
            session = replace(record.session, join_url="", join_code="")
            record = replace(record, state=state, session=session, is_gone=True)
        elif record.state.phase is not SessionPhase.JOINED:
            with suppress(ServiceError):  # the store says that it is open
                status = (await self.read(record.session.id, share=LOOK)).status
        if status == OPEN:
            raise OpenSessionError(record, live.conversation.customer)

    async def read(self, session_id: SessionId, *, share: Share | None = None) -> SessionView:
        """Read a session's co-browse offer. The status of the result is one of these:

        - `open`: the customer can accept the offer.
        - `ended`: the offer's time is up.
        - `gone`: Genesys does not find the offer. The customer has accepted the offer, or the offer was withdrawn.

        `share`: the part of the rate limit that the call may use; None for the whole rate limit.

        Raises UnknownSessionError if the settings contain no deployment id or the session's id cannot be part of a URL.
        Raises another ServiceError if `share` allows no call now, or if the call fails.
        """
        try:
            response = await self._client.call(
                "GET", self._offer_path(session_id), needs=READ_OFFERS, safe=True, auth=NO_TOKEN, share=share
            )
        except BadRequestError as error:
            if error.status == 404:
                return SessionView(session_id, GONE)
            raise
        self._has_found_offer = True
        now, offer_ends = answered_at(response), read_object(response).get("dateOfferEnds")
        ended_at = read_time_within(offer_ends, now, back=MAX_AGE, ahead=timedelta(0))
        return SessionView(session_id, ENDED if ended_at else OPEN)

    @property
    def tells_states(self) -> bool:
        """Return True: Genesys's answer about a conversation contains the states of its co-browse sessions."""
        return True

    async def look(self, record: SessionRecord, *, live: bool = False) -> SessionState:
        """Return the state of the session in `record`.

        `live`: True if the bot watches the session in the background; False if a person waits for the answer.

        - With True, read only the session's conversation. Raises ServiceError if this call fails.
        - With False, read the conversation first. If the conversation cannot be read, or gives the phase WAITING or
          UNKNOWN, also read the co-browse offer. Raises ServiceError if this second call fails. If the customer can no
          longer accept the offer, `is_link_dead` of the result is True. Without a deployment id, do not read the offer.
        """
        if live:
            return await self._state(record, LIVE, waits=False)
        state = UNKNOWN_STATE
        with suppress(ServiceError):  # the offer may tell more
            state = await self._state(record, LOOK)
        if state.phase not in (SessionPhase.UNKNOWN, SessionPhase.WAITING):
            return state
        try:
            status = (await self.read(record.session.id, share=LOOK)).status
        except UnknownSessionError:  # without a deployment
            return state
        if status == OPEN:
            return state
        is_unused = status == ENDED and state.phase is SessionPhase.WAITING
        return SessionState(SessionPhase.UNUSED if is_unused else SessionPhase.UNKNOWN, is_link_dead=True)

    async def _state(self, record: SessionRecord, share: Share, *, waits: bool = True) -> SessionState:
        """Return the session's state, read from its conversation; UNKNOWN_STATE if the session has no conversation id.

        - `share`: the part of the rate limit that the call may use.
        - `waits`: False to raise a ServiceError if Genesys asks for a pause.

        Raises ServiceError if `share` allows no call now, or if the call fails.
        """
        conversation_id = record.session.conversation_id
        if not conversation_id:
            return UNKNOWN_STATE
        path = f"{CONVERSATION}/{conversation_id}"
        response = await self._client.call("GET", path, needs=VIEW, safe=True, share=share, waits=waits)
        return read_state(read_object(response), record, answered_at(response), is_local=self._client.is_local)

    async def applications(self) -> list[tuple[str, str]]:
        """Return an empty list: sessions in conversations have no application."""
        return []

    async def end(self, record: SessionRecord) -> str | None:
        """Withdraw the session's co-browse offer. Return Genesys's correlation id; None if the answer has none.

        Raises UnknownSessionError if Genesys does not find the offer, if the settings contain no deployment id, or if
        the session's id cannot be part of a URL. Raises another ServiceError if the call fails.

        Return after a 404, if Genesys may have carried out an earlier attempt of the call, has found another offer or
        this one before, and the session's conversation says that no customer is in the session. Then the deployment id
        is right, and the earlier attempt has withdrawn the offer.
        """
        path = self._offer_path(record.session.id)
        try:
            response = await self._client.call("DELETE", path, needs=READ_OFFERS, safe=True, auth=NO_TOKEN)
        except BadRequestError as error:
            if error.status not in (404, 405):
                raise
            is_gone = error.status == 404 and error.maybe_acted and self._has_found_offer
            if is_gone and await self._has_no_customer(record):
                return error.reference
            raise UnknownSessionError(reference=error.reference, in_conversation=True) from None
        self._has_found_offer = True
        return reference_of(response)

    async def _has_no_customer(self, record: SessionRecord) -> bool:
        """Return whether the conversation says that no customer is in the session; False if it cannot be read."""
        with suppress(ServiceError):
            phase = (await self._state(record, LOOK, waits=False)).phase
            return phase not in (SessionPhase.JOINED, SessionPhase.UNKNOWN)
        return False

    def _offer_path(self, session_id: SessionId) -> str:
        if not self._joining.deployment_id or not is_usable_id(session_id):
            raise UnknownSessionError(in_conversation=True)
        return OFFER.format(self._joining.deployment_id, quote(session_id, safe=""))

    async def _conversation(self, request: CreateSessionRequest, hooks: CallHooks) -> ActiveConversation:
        own = not request.for_another
        if request.conversation_id:
            return await self._live.get(request.conversation_id, request.host_id, hooks, own=own)
        found = await self._live.find(request.host_id, hooks)
        if not found:
            raise NoUsableConversationError(code="no_conversation", own=own)
        if len(found) > 1:
            raise SeveralConversationsError(candidates=tuple(live.conversation for live in found))
        return found[0]

    async def _user_token(self, request: CreateSessionRequest, *, reload: bool = False) -> TokenSource | None:
        """Return the token source of the agent's linked account, if the account belongs to the host; otherwise None.

        `reload`: whether to read the linked account from the database even if it is in the cache.
        """
        if self._user_tokens is None or self._user_tokens.off or request.agent is None:
            return None
        for user_id in request.agent.ids:
            user = request.agent.team_id, user_id
            if found := await self._user_tokens.token_source(user, request.host_id, reload=reload):
                return found
        return None

    async def _create_offer(
        self, live: ActiveConversation, request: CreateSessionRequest, hooks: CallHooks, user_token: TokenSource | None
    ) -> httpx.Response:
        """Create the offer in the conversation `live`. Use the bot's own token if `user_token` is None.

        Raises ServiceError if the call fails.
        """
        conversation_id, own = live.conversation.id, not request.for_another
        path, needs = COBROWSE.format(conversation_id), ADD_VOICE if live.is_voice else ADD
        try:
            return await self._client.call("POST", path, needs=needs, hooks=hooks, continues=True, auth=user_token)
        except BadRequestError as error:
            if error.status == 404:  # the conversation ended a moment ago
                raise NoUsableConversationError(
                    code="not_in_conversation", conversation_id=conversation_id, own=own, reference=error.reference
                ) from None
            if is_invalid_host(error):
                raise InvalidHostError(host_id=request.host_id, own=own, reference=error.reference) from None
            raise
        except SignInRequiredError as error:
            off = self._user_tokens.off if self._user_tokens else "client"
            raise SignInRequiredError(own=own, off=off, reference=error.reference) from None
        except (SignInExpiredError, TokenRefusedError) as error:
            if user_token is None:
                raise
            raise SignInExpiredError(own=own, reference=error.reference) from None
        except PermissionMissingError as error:
            if user_token is None:
                raise
            raise PermissionMissingError(
                code="user_permission_missing", needs=needs, own=own, words=error.words, reference=error.reference
            ) from None

    def _session(self, response: httpx.Response, request: CreateSessionRequest, live: ActiveConversation) -> Session:
        """Return the created session, read from Genesys's answer to the create call.

        Raises UnusableAnswerError if the id or the join code is missing or malformed. The error's field `acted` is
        True, because Genesys may have created the session.
        """
        reference = reference_of(response)
        try:
            body = read_object(response)
        except UnusableAnswerError as error:
            raise UnusableAnswerError(why=error.why, acted=True, reference=reference) from None
        session_id, code = body.get("id"), body.get("joinCode")
        if not isinstance(session_id, str) or not is_usable_id(session_id):
            raise UnusableAnswerError(why="a session without a usable id", acted=True, reference=reference)
        if not isinstance(code, str) or not is_usable_id(code):
            raise UnusableAnswerError(why="a session without a usable join code", acted=True, reference=reference)
        template = self._joining.template
        join_url = template.url(code) if template else ""
        if join_url and not is_safe_url(join_url):
            raise UnusableAnswerError(why="a join code that is too long", acted=True, reference=reference)
        now = answered_at(response)
        ends_at = read_time_within(body.get("dateOfferEnds"), now, back=timedelta(0), ahead=MAX_OFFER)
        ends_at = ends_at or now + timedelta(seconds=DEFAULT_OFFER_SECONDS)
        return Session(
            id=SessionId(session_id),
            status=OPEN,
            host_id=request.host_id,
            name=request.name,
            ends_at=ends_at,
            lasts_seconds=(ends_at - now).total_seconds(),
            join_url=join_url,
            join_code=code,
            reference=reference,
            conversation_id=live.conversation.id,
            is_call=live.is_voice,
        )
