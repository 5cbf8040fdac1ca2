"""Sessions inside conversations, as the public Genesys Cloud API has them: the second session service.

POST /api/v2/conversations/{id}/cobrowse answers with a join code; the join URL is the company's own page with that
code. Which conversation it is for is live.py's to find; how often a call is sent, client.py's.
"""

from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import quote

import httpx

from bot.core.errors import (
    BadRequestError,
    NoConversationError,
    NotInConversationError,
    PermissionMissingError,
    SeveralConversationsError,
    SignInExpiredError,
    SignInRequiredError,
    TokenRefusedError,
    UnknownSessionError,
    UnusableAnswerError,
    UserPermissionMissingError,
)
from bot.core.models import CreateSessionRequest, Session, SessionId, SessionStatus
from bot.core.ports import CallHooks
from bot.core.validation.urls import is_safe_url
from bot.genesys import faults
from bot.genesys.api.live_conversations import (
    OLDEST,
    VIEW,
    VIEW_DETAILS,
    ActiveConversation,
    LiveConversations,
    WaitingOnly,
    read_time_within,
)
from bot.genesys.api.sessions import SessionView
from bot.genesys.auth.user_tokens import UserTokens
from bot.genesys.client import GenesysClient, TokenSource
from bot.genesys.join_template import JoinTemplate
from bot.genesys.parsing import answered_at, is_usable_id, read_object

COBROWSE = "/api/v2/conversations/{}/cobrowse"
OFFER = "/api/v2/webdeployments/deployments/{}/cobrowse/{}"
ADD, ADD_VOICE = "conversation:cobrowse:add", "conversation:cobrowseVoice:add"
SEE_OFFERS, NOBODY = "access to the deployment's offers, which are open to everybody", TokenSource()
NEEDS = (VIEW_DETAILS, VIEW, ADD, ADD_VOICE, SEE_OFFERS)
OFFER_SECONDS = 600
"""How long an offer is taken to stand whose answer does not say until when."""
LONGEST_OFFER = timedelta(days=1)
"""An answer that names a later end, or one in the past, does not know when it ends."""
CALLS = 3
"""What a session takes, when the host is in one conversation: the search, a look at it, the offer."""
OPEN, GONE, ENDED = "open", "gone", "ended"
_LOOKS = {OPEN: SessionStatus.OPEN, GONE: SessionStatus.GONE, ENDED: SessionStatus.OVER}


@dataclass(frozen=True, slots=True)
class JoinSettings:
    """How customers join: the company's page, and the Messenger deployment that knows the offers. Both may be none."""

    template: JoinTemplate | None = None
    deployment_id: str | None = None


class ConversationSessions:
    """Keeps to desk.SessionsApi."""

    def __init__(self, client: GenesysClient, joining: JoinSettings, people: UserTokens | None = None) -> None:
        """`people`: those who have signed in as themselves, None where nobody can."""
        self._client = client
        self._joining, self._people = joining, people
        self._live = LiveConversations(client)

    @property
    def is_free(self) -> bool:
        """Never: the conversation is looked up first, and meanwhile no create is under way."""
        return False

    async def create(self, order: CreateSessionRequest, hooks: CallHooks) -> Session:
        """Offers co-browse in the host's conversation.

        Raises ServiceError; NoConversationError, NotInConversationError and SeveralConversationsError before
        anything was created.
        """
        live = await self._conversation(order, WaitingOnly(hooks))
        gate = await self._gate(order)
        try:
            response = await self._make(live, order, hooks, gate)
        except SignInRequiredError:
            if gate or not (gate := await self._gate(order, anew=True)):
                raise
            await hooks.on_wait(0.0)  # they have connected a moment ago, on another replica
            response = await self._make(live, order, hooks, gate)
        return self._session(response, order)

    async def read(self, session_id: SessionId, *, spare: bool = False) -> SessionView:
        """Whether the offer stands (`open`), its time is up (`ended`), or the service knows it no more (`gone`):

        taken up, withdrawn or over, which it does not say. `spare` as for GenesysClient.call.
        Raises UnknownSessionError without a deployment; ServiceError.
        """
        try:
            response = await self._client.call(
                "GET", self._offer(session_id), needs=SEE_OFFERS, safe=True, auth=NOBODY, spare=spare
            )
        except BadRequestError as error:
            if error.status == 404:
                return SessionView(session_id, GONE)
            raise
        now, said = answered_at(response), read_object(response).get("dateOfferEnds")
        ended_at = read_time_within(said, now, back=OLDEST, ahead=timedelta(0))
        return SessionView(session_id, ENDED if ended_at else OPEN)

    async def look(self, session_id: SessionId) -> SessionStatus:
        """What has become of the offer; without a deployment to ask, open. Raises ServiceError."""
        try:
            return _LOOKS[(await self.read(session_id, spare=True)).status]
        except UnknownSessionError:
            return SessionStatus.OPEN

    async def applications(self) -> list[tuple[str, str]]:
        """None: a conversation is what a session belongs to here."""
        return []

    async def end(self, session_id: SessionId) -> str | None:
        """Withdraws the offer; returns Genesys's reference.

        Raises UnknownSessionError when there is none to withdraw, or no
        deployment to ask."""
        path = self._offer(session_id)
        try:
            response = await self._client.call("DELETE", path, needs=SEE_OFFERS, safe=True, auth=NOBODY)
            return faults.reference_of(response)
        except BadRequestError as error:
            if error.status in (404, 405):
                raise UnknownSessionError(reference=error.reference) from None
            raise

    def _offer(self, session_id: SessionId) -> str:
        if not self._joining.deployment_id or not is_usable_id(session_id):
            raise UnknownSessionError
        return OFFER.format(self._joining.deployment_id, quote(session_id, safe=""))

    async def _conversation(self, order: CreateSessionRequest, hooks: CallHooks) -> ActiveConversation:
        if order.conversation_id:
            return await self._live.one(order.conversation_id, order.host_id, hooks)
        found = await self._live.of(order.host_id, hooks)
        if not found:
            raise NoConversationError
        if len(found) > 1:
            raise SeveralConversationsError(candidates=tuple(live.conversation for live in found))
        return found[0]

    async def _gate(self, order: CreateSessionRequest, *, anew: bool = False) -> TokenSource | None:
        """The host's own sign-in; None unless who the host is in Slack is connected, and as this host."""
        if self._people is None or self._people.off or order.agent is None:
            return None
        return await self._people.gate((order.agent.team_id, order.agent.user_id), order.host_id, anew=anew)

    async def _make(
        self, live: ActiveConversation, order: CreateSessionRequest, hooks: CallHooks, gate: TokenSource | None
    ) -> httpx.Response:
        """The offer, by the host's own sign-in or the bot's; never by the one after the other was refused."""
        wanted, own = live.conversation.id, not order.for_another
        path, needs = COBROWSE.format(wanted), ADD_VOICE if live.is_voice else ADD
        try:
            return await self._client.call("POST", path, needs=needs, hooks=hooks, again=True, auth=gate)
        except BadRequestError as error:
            if error.status == 404:  # it ended a moment ago
                raise NotInConversationError(conversation_id=wanted, reference=error.reference) from None
            raise
        except SignInRequiredError as error:
            off = self._people.off if self._people else "client"
            raise SignInRequiredError(own=own, off=off, reference=error.reference) from None
        except (SignInExpiredError, TokenRefusedError) as error:
            if gate is None:
                raise
            raise SignInExpiredError(own=own, reference=error.reference) from None
        except PermissionMissingError as error:
            if gate is None:
                raise
            raise UserPermissionMissingError(
                needs=needs, own=own, words=error.words, reference=error.reference
            ) from None

    def _session(self, response: httpx.Response, order: CreateSessionRequest) -> Session:
        reference = faults.reference_of(response)
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
        ends_at = read_time_within(body.get("dateOfferEnds"), now, back=timedelta(0), ahead=LONGEST_OFFER)
        ends_at = ends_at or now + timedelta(seconds=OFFER_SECONDS)
        return Session(
            id=SessionId(session_id),
            status=OPEN,
            host_id=order.host_id,
            name=order.name,
            ends_at=ends_at,
            lasts_seconds=(ends_at - now).total_seconds(),
            join_url=join_url,
            join_code=code,
            reference=reference,
        )
