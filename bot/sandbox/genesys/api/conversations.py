"""The public Genesys Cloud API of the sandbox, as far as co-browse in conversations needs it.

Conversations are found by the analytics and read one by one; an offer made in one has a join code, which the Messenger
stand-in (genesys_messenger.py) accepts. The shapes are the official SDK's; who may come in is genesys_api.py's.
"""

import json
import secrets
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from aiohttp import web

from bot.sandbox.genesys.api.login import Grant
from bot.sandbox.genesys.conversations import MEDIA, Conversation, find, stamp
from bot.sandbox.genesys.errors import USER_CONTEXT, ApiError
from bot.sandbox.genesys.records import GenesysUser, keep

DEPLOYMENT_ID = "de910c0b-0000-4000-8000-000000000001"
CUSTOMERS = ("Carla Customer", "Carl Kunde", "Chloé Cliente")
CHOICES = {"none": 0, "one": 1, "several": 3}
"""How many live conversations each agent can be given."""
OFFER_SECONDS = 600
_ID = "{id:[0-9a-fA-F-]{36}}"
_OFFER = "/api/v2/webdeployments/deployments/{deployment}/cobrowse/{offer}"
Authorize = Callable[[web.Request], Grant]


@dataclass
class Offer:
    """An offer to co-browse; `ends_at` is seconds since 1970. It is gone once it is withdrawn or stopped.

    `made_by`: the user who was signed in, None for an OAuth client.
    """

    conversation: Conversation
    join_code: str = field(repr=False)
    ends_at: float
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    made_by: str | None = None
    joined: bool = False
    gone: bool = False

    @property
    def stands(self) -> bool:
        """Whether the service still knows it: joined, or to be joined in time."""
        return not self.gone and self.conversation.ended_at is None and (self.joined or time.time() < self.ends_at)

    def as_json(self, url: str) -> dict[str, str]:
        """A CobrowseWebMessagingSession."""
        place = f"/api/v2/webdeployments/deployments/{DEPLOYMENT_ID}/cobrowse/{self.id}"
        medium = "Message" if self.conversation.medium == "message" else "Call"
        told = {"id": self.id, "joinCode": self.join_code, "dateOfferEnds": stamp(self.ends_at)}
        told["websocketUrl"] = url.replace("http", "ws", 1) + "/cobrowse/socket"
        return {**told, "communicationType": medium, "selfUri": place}


class Conversations:
    """Who talks to whom. `lacks`: permissions the client's role is without; `only_people`: offers need a person."""

    def __init__(self, authorize: Authorize, users: dict[str, GenesysUser], url: Callable[[], str]) -> None:
        self.lacks: set[str] = set()
        self.only_people = False
        self.offer_seconds: float = OFFER_SECONDS
        self.live: dict[str, Conversation] = {}
        self.offers: dict[str, Offer] = {}
        self._authorize, self._users, self._url = authorize, users, url

    def choose(self, choice: str) -> None:
        """Gives every user so many conversations, and ends those there were. Raises KeyError for no choice."""
        count = CHOICES[choice]
        for conversation in self.live.values():
            conversation.end()
        for user_id in self._users:
            for number, customer in enumerate(CUSTOMERS[:count]):
                self.begin(user_id, customer, medium=("message", "call")[number % 2], minutes=3 + 11 * number)

    def begin(self, host_user_id: str, customer: str, *, medium: str = "message", minutes: float = 3) -> Conversation:
        """A conversation that began so many minutes ago."""
        conversation = Conversation(host_user_id, customer, medium, since=time.time() - 60 * minutes)
        keep(self.live, conversation.id, conversation)
        return conversation

    def routes(self) -> Sequence[web.RouteDef]:
        return [
            web.post("/api/v2/analytics/conversations/details/query", self._find, name="query"),
            web.get(f"/api/v2/conversations/{_ID}", self._read, name="conversation"),
            web.post(f"/api/v2/conversations/{_ID}/cobrowse", self._create, name="create.offer"),
            web.get(_OFFER, self._look, name="read.offer"),
            web.delete(_OFFER, self._withdraw, name="end.offer"),
            web.get("/api/v2/users/me", self._me, name="users-me"),
        ]

    def offer(self, name: str) -> Offer:
        """By its id or its join code. Raises ApiError when the service knows it no more."""
        offer = next((one for one in self.offers.values() if name in (one.id, one.join_code)), None)
        if offer is None or not offer.stands:
            raise ApiError(404, "The cobrowse session was not found.", "not.found")
        return offer

    def require(self, request: web.Request, *permissions: str) -> Grant:
        """Raises ApiError unless the token is good and its role has one of these."""
        grant = self._authorize(request)
        if permissions and not set(permissions) - self.lacks:
            wanted = ", ".join(permissions)
            words = f"Unable to perform the requested action. You must have at least one of: [{wanted}]"
            raise ApiError(403, words, "missing.any.permissions")
        return grant

    async def _find(self, request: web.Request) -> web.Response:
        self.require(request, "analytics:conversationDetail:view", "analytics:agentConversationDetail:view")
        if request.content_type != "application/json":
            raise ApiError(415, "Content-Type must be application/json.", "unsupported.media.type")
        try:
            body = json.loads(await request.read())
        except ValueError as error:
            raise ApiError(400, "The body is not JSON.") from error
        if not isinstance(body, dict):
            raise ApiError(400, "The query must be an object.")
        return web.json_response(find(body, list(self.live.values())))

    async def _read(self, request: web.Request) -> web.Response:
        self.require(request, "conversation:communication:view")
        return web.json_response(self._conversation(request).as_conversation())

    async def _create(self, request: web.Request) -> web.Response:
        grant = self.require(request)
        if self.only_people and grant.user_id is None:
            raise ApiError(400, USER_CONTEXT, "bad.request")
        conversation = self._conversation(request)
        self.require(request, f"conversation:cobrowse{'Voice' if conversation.medium == 'call' else ''}:add")
        if (await request.read()).strip() not in (b"", b"null"):  # the official SDK writes a missing body so
            raise ApiError(400, "This request takes no body.")
        if MEDIA[conversation.medium][0] not in ("messages", "calls"):
            raise ApiError(400, "The conversation has no communication that can be co-browsed.")
        if conversation.ended_at is not None:
            raise ApiError(400, "The conversation has no connected participant to co-browse with.")
        code = "".join(secrets.choice("0123456789") for _ in range(9))
        offer = Offer(conversation, code, time.time() + self.offer_seconds, made_by=grant.user_id)
        keep(self.offers, offer.id, offer)
        return web.json_response(offer.as_json(self._url()))

    async def _look(self, request: web.Request) -> web.Response:
        return web.json_response(self._offered(request).as_json(self._url()))

    async def _withdraw(self, request: web.Request) -> web.Response:
        offer = self._offered(request)
        offer.gone, offer.conversation.shared = True, None
        return web.Response(status=204)

    async def _me(self, request: web.Request) -> web.Response:
        grant = self.require(request)
        user = self._users.get(grant.user_id or "")
        if user is None:
            raise ApiError(400, USER_CONTEXT, "bad.request")
        told = {"id": user.id, "name": user.name, "email": user.email, "state": user.state}
        return web.json_response({**told, "selfUri": f"/api/v2/users/{user.id}"})

    def _conversation(self, request: web.Request) -> Conversation:
        conversation = self.live.get(request.match_info["id"].lower())
        if conversation is None:
            raise ApiError(404, "The conversation was not found.", "not.found")
        return conversation

    def _offered(self, request: web.Request) -> Offer:
        """The offer; this call takes no token."""
        if request.match_info["deployment"] != DEPLOYMENT_ID:
            raise ApiError(404, "The deployment was not found.", "not.found")
        return self.offer(request.match_info["offer"])
