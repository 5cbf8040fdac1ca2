"""Serve the endpoints of the public Genesys Cloud API for conversations and co-browse offers.

HTTP requests and responses have the shapes of Genesys's official SDK. To accept an offer, the customer enters the
offer's join code in the sandbox's Messenger (messenger.py).
"""

import asyncio
import json
import secrets
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote

from aiohttp import web

from bot.sandbox.genesys.api.login import Grant
from bot.sandbox.genesys.conversations import MEDIA, Conversation, iso_time, query_conversations
from bot.sandbox.genesys.errors import USER_CONTEXT, ApiError
from bot.sandbox.genesys.records import GenesysUser, add_bounded

DEPLOYMENT_ID = "de910c0b-0000-4000-8000-000000000001"
CUSTOMERS = ("Carla Customer", "Carl Kunde", "Chloé Cliente")
LIVE_COUNTS = {"none": 0, "one": 1, "several": 3}
"""How many live conversations each Genesys user has, for each choice in `--conversations` and on the sandbox's page."""
OFFER_LIFETIME_SECONDS = 600
_ID_PATTERN = "{id:[0-9a-fA-F-]{36}}"
_OFFER_PATH = "/api/v2/webdeployments/deployments/{deployment}/cobrowse/{offer}"
Authorize = Callable[[web.Request], Grant]


@dataclass
class Offer:
    """A co-browse offer in a conversation of the sandbox's Genesys.

    - `ends_at`: the expiry of the offer, in seconds since 1970. An accepted offer does not expire.
    - `creator_id`: the id of the signed-in user who created the offer; None if the OAuth client created it.
    - `joined`: whether the customer has accepted the offer.
    - `is_withdrawn`: whether the offer was withdrawn, before or after the customer accepted it.
    """

    conversation: Conversation
    join_code: str = field(repr=False)
    ends_at: float
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    creator_id: str | None = None
    joined: bool = False
    is_withdrawn: bool = False

    @property
    def is_valid(self) -> bool:
        """Return True if the offer is not withdrawn, has not expired, and belongs to a live conversation.

        An accepted offer does not expire.
        """
        return (
            not self.is_withdrawn and self.conversation.ended_at is None and (self.joined or time.time() < self.ends_at)
        )

    @property
    def communication_type(self) -> str:
        return "Message" if self.conversation.medium == "message" else "Call"

    def join(self) -> None:
        """Accept the offer as the customer, and start the co-browse session."""
        self.joined = True
        self.conversation.start_cobrowse(self.id)

    def stop(self, disconnect_type: str) -> None:
        """Withdraw the offer. If the customer has joined, also end the co-browse session.

        `disconnect_type`: the cause, as a value of the SDK's field `disconnectType`, such as `client` or `peer`.
        """
        self.is_withdrawn = True
        if self.conversation.cobrowse_session_id == self.id:
            self.conversation.stop_cobrowse(disconnect_type)
        else:
            self.conversation.report_change()

    def expire_if_due(self) -> None:
        """Call `on_change` of the conversation if the offer has expired, so that notification channels get an event.

        An accepted or withdrawn offer does not expire. A timer calls this function just after `ends_at`.
        """
        if not self.joined and not self.is_withdrawn and time.time() >= self.ends_at:
            self.conversation.report_change()

    def expire(self) -> None:
        """Let the offer expire now, as if its time were up.

        If the customer has joined, withdraw the offer instead, and end the co-browse session with the cause `timeout`.
        """
        if self.joined:
            self.stop("timeout")
        else:
            self.ends_at = time.time()
            self.conversation.report_change()

    def as_json(self, url: str) -> dict[str, str]:
        """Return the offer in the shape of the SDK's CobrowseWebMessagingSession.

        `url`: the base URL of the sandbox's Genesys, for the field `websocketUrl`.
        """
        place = f"/api/v2/webdeployments/deployments/{DEPLOYMENT_ID}/cobrowse/{self.id}"
        fields = {"id": self.id, "joinCode": self.join_code, "dateOfferEnds": iso_time(self.ends_at)}
        fields["websocketUrl"] = url.replace("http", "ws", 1) + "/cobrowse/socket"
        return {**fields, "communicationType": self.communication_type, "selfUri": place}


class ConversationsApi:
    """Holds the conversations and the co-browse offers of the sandbox's Genesys, and serves their API endpoints.

    - `missing_permissions`: the permissions that the role of the OAuth client lacks.
    - `requires_user`: True if only a signed-in user can create an offer.
    - `on_change`: a function that gets a conversation after each change of the conversation.
    - `offer_lifetime_seconds`: how long the customer can accept a new offer.
    - `live`: the conversations by id, including ended conversations.
    - `offers`: the co-browse offers by id.
    """

    def __init__(self, authorize: Authorize, users: dict[str, GenesysUser], url: Callable[[], str]) -> None:
        self.missing_permissions: set[str] = set()
        self.requires_user = False
        self.on_change: Callable[[Conversation], None] = lambda _: None
        self.offer_lifetime_seconds: float = OFFER_LIFETIME_SECONDS
        self.live: dict[str, Conversation] = {}
        self.offers: dict[str, Offer] = {}
        self._authorize, self._users, self._url = authorize, users, url

    def set_live_count(self, choice: str) -> None:
        """End all live conversations, and begin LIVE_COUNTS[choice] new conversations for each Genesys user.

        `choice`: a key of LIVE_COUNTS: "none", "one" or "several". Raises KeyError for any other value.
        """
        count = LIVE_COUNTS[choice]
        for conversation in self.live.values():
            if conversation.ended_at is None:
                conversation.end()
        for user_id in self._users:
            for number, customer in enumerate(CUSTOMERS[:count]):
                self.begin(user_id, customer, medium=("message", "call")[number % 2], minutes=3 + 11 * number)

    def begin(self, host_user_id: str, customer: str, *, medium: str = "message", minutes: float = 3) -> Conversation:
        """Add a conversation between a host and a customer, and return the conversation.

        - `host_user_id`: the Genesys user id of the host.
        - `customer`: the name of the customer.
        - `medium`: a key of MEDIA in genesys/conversations.py.
        - `minutes`: how many minutes ago the conversation began.
        """
        conversation = Conversation(host_user_id, customer, medium, since=time.time() - 60 * minutes)
        conversation.on_change = self.on_change
        add_bounded(self.live, conversation.id, conversation)
        conversation.report_change()
        return conversation

    def routes(self) -> Sequence[web.RouteDef]:
        return [
            web.post("/api/v2/analytics/conversations/details/query", self._query, name="query"),
            web.get(f"/api/v2/conversations/{_ID_PATTERN}", self._read_conversation, name="conversation"),
            web.post(f"/api/v2/conversations/{_ID_PATTERN}/cobrowse", self._create_offer, name="create.offer"),
            web.get(_OFFER_PATH, self._read_offer, name="read.offer"),
            web.delete(_OFFER_PATH, self._delete_offer, name="end.offer"),
            web.get("/api/v2/users/me", self._me, name="users-me"),
        ]

    def offer(self, name: str) -> Offer:
        """Return the offer whose id or join code is `name`.

        Raises ApiError (404) if there is no such offer, or if `is_valid` of the offer is False.
        """
        offer = next((one for one in self.offers.values() if name in (one.id, one.join_code)), None)
        if offer is None or not offer.is_valid:
            raise ApiError(404, "The cobrowse session was not found.", "not.found")
        return offer

    def open_offers(self) -> list[tuple[str, str]]:
        """Return a pair for each offer that a customer can still accept. The newest offer comes first.

        Each pair has the customer's name and the path of the join page.
        """
        offers = reversed([one for one in self.offers.values() if one.is_valid and not one.joined])
        return [(one.conversation.customer, f"/messenger#{quote(one.join_code, safe='')}") for one in offers]

    def require_permission(self, request: web.Request, *permissions: str) -> Grant:
        """Check that an HTTP request is allowed, and return the rights of its access token.

        `permissions`: the HTTP request needs at least one of these permissions. If none is given, it needs only a valid
        token.

        Raises ApiError (401) if the token is missing or invalid. Raises ApiError (403) if `permissions` are given and
        the role of the OAuth client lacks all of them.
        """
        grant = self._authorize(request)
        if permissions and not set(permissions) - self.missing_permissions:
            listed = ", ".join(permissions)
            message = f"Unable to perform the requested action. You must have at least one of: [{listed}]"
            raise ApiError(403, message, "missing.any.permissions")
        return grant

    async def _query(self, request: web.Request) -> web.Response:
        self.require_permission(request, "analytics:conversationDetail:view", "analytics:agentConversationDetail:view")
        if request.content_type != "application/json":
            raise ApiError(415, "Content-Type must be application/json.", "unsupported.media.type")
        try:
            body = json.loads(await request.read())
        except ValueError as error:
            raise ApiError(400, "The body is not JSON.") from error
        if not isinstance(body, dict):
            raise ApiError(400, "The query must be an object.")
        return web.json_response(query_conversations(body, list(self.live.values())))

    async def _read_conversation(self, request: web.Request) -> web.Response:
        self.require_permission(request, "conversation:communication:view")
        return web.json_response(self._requested_conversation(request).as_conversation(self._url()))

    async def _create_offer(self, request: web.Request) -> web.Response:
        grant = self.require_permission(request)
        if self.requires_user and grant.user_id is None:
            raise ApiError(400, USER_CONTEXT, "bad.request")
        conversation = self._requested_conversation(request)
        self.require_permission(request, f"conversation:cobrowse{'Voice' if conversation.medium == 'call' else ''}:add")
        if (await request.read()).strip() not in (b"", b"null"):  # the official SDK sends a missing body as null
            raise ApiError(400, "This request takes no body.")
        if MEDIA[conversation.medium][0] not in ("messages", "calls"):
            raise ApiError(400, "The conversation has no communication that can be co-browsed.")
        if conversation.ended_at is not None:
            raise ApiError(400, "The conversation has no connected participant to co-browse with.")
        code = "".join(secrets.choice("0123456789") for _ in range(9))
        offer = Offer(conversation, code, time.time() + self.offer_lifetime_seconds, creator_id=grant.user_id)
        add_bounded(self.offers, offer.id, offer)
        asyncio.get_running_loop().call_later(self.offer_lifetime_seconds + 0.01, offer.expire_if_due)
        return web.json_response(offer.as_json(self._url()))

    async def _read_offer(self, request: web.Request) -> web.Response:
        return web.json_response(self._requested_offer(request).as_json(self._url()))

    async def _delete_offer(self, request: web.Request) -> web.Response:
        self._requested_offer(request).stop("peer")
        return web.Response(status=204)

    async def _me(self, request: web.Request) -> web.Response:
        grant = self.require_permission(request)
        user = self._users.get(grant.user_id or "")
        if user is None:
            raise ApiError(400, USER_CONTEXT, "bad.request")
        fields = {"id": user.id, "name": user.name, "email": user.email, "state": user.state}
        return web.json_response({**fields, "selfUri": f"/api/v2/users/{user.id}"})

    def _requested_conversation(self, request: web.Request) -> Conversation:
        conversation = self.live.get(request.match_info["id"].lower())
        if conversation is None:
            raise ApiError(404, "The conversation was not found.", "not.found")
        return conversation

    def _requested_offer(self, request: web.Request) -> Offer:
        """Return the offer whose id or join code is in the path of an HTTP request.

        The HTTP request needs no access token, as in Genesys. Raises ApiError (404) if there is no such valid offer, or
        if the deployment id in the path is not DEPLOYMENT_ID.
        """
        if request.match_info["deployment"] != DEPLOYMENT_ID:
            raise ApiError(404, "The deployment was not found.", "not.found")
        return self.offer(request.match_info["offer"])
