"""Handle HTTP requests to the sandbox's Genesys: tokens, users, applications, sessions and the join page.

The session endpoints follow the documentation of the session service.
"""

import html
import secrets
import time
import uuid
from collections.abc import Mapping, Sequence

from aiohttp import web

from bot.sandbox.genesys.api.conversations import ConversationsApi
from bot.sandbox.genesys.api.customer_messages import Outbox
from bot.sandbox.genesys.api.introspection import authorization_subject, token_info
from bot.sandbox.genesys.api.login import Grant, Login
from bot.sandbox.genesys.api.notifications import Notifications
from bot.sandbox.genesys.api.user_login import UserLogin
from bot.sandbox.genesys.errors import ApiError, check_create, is_uuid, read_json, search_terms
from bot.sandbox.genesys.messenger import Messenger
from bot.sandbox.genesys.pages import page
from bot.sandbox.genesys.records import GenesysUser, Session, add_bounded

READ, WRITE = "cobrowse:session:read", "cobrowse:session:write"
SESSIONS, SESSION = "/api/v2/conversations/cobrowse", "/api/v2/conversations/cobrowse/{id}"


class Api:
    """Holds the data of the sandbox's Genesys, and serves the API endpoints.

    - `url`: the base URL of the API and of the login; "" before the server starts.
    - `users`: the users, by id in lower case.
    - `applications`: the name of each application, by id.
    - `token_seconds`: how long a new access token is valid.
    - `delete_supported`: False if the session service has no call that ends a session.
    - `search_includes_deleted`: whether a search for users also finds deleted users.
    """

    def __init__(
        self, login: Login, users: Sequence[GenesysUser], applications: Mapping[str, str], token_seconds: int
    ) -> None:
        self.url = ""
        self.users = {user.id.lower(): user for user in users}
        self.applications = dict(applications)
        self.token_seconds = token_seconds
        self.delete_supported = True
        self.search_includes_deleted = False
        self.only_division = ""  # the one division in which the client has its role; "" means all
        self.sessions: dict[str, Session] = {}
        self._joins: dict[str, Session] = {}
        self.login = login
        self.conversations = ConversationsApi(self._require, self.users, lambda: self.url)
        self.outbox = Outbox(self.conversations.require_permission, self.conversations.open_offers)
        self.notifications = Notifications(self.conversations.require_permission, lambda: self.url)
        self.conversations.on_change = self.notifications.publish
        self.user_login = login.user_login = UserLogin(self.users)

    def _routes(self) -> list[web.RouteDef]:
        """Return the routes of all endpoints.

        The part of a route's name before the first dot is the kind of the call, such as "create". server.py counts the
        calls of each kind.
        """
        return [
            *self.conversations.routes(),
            *self.outbox.routes(),
            *self.notifications.routes(),
            *self.user_login.routes(),
            *Messenger(self.conversations).routes(),
            web.post("/oauth/token", self._token, name="token"),
            web.post("/api/v2/users/search", self._search, name="search"),
            web.get("/api/v2/tokens/me", self._token_info, name="me"),
            web.get("/api/v2/authorization/subjects/me", self._authorization_subject, name="roles"),
            web.delete("/api/v2/tokens/me", self._delete_token, name="me.delete"),
            web.get("/api/v2/users/{id}", self._read_user),
            web.get("/api/v2/cobrowse/applications", self._applications, name="applications"),
            web.post(SESSIONS, self._create, name="create"),
            web.get(SESSION, self._read, name="read"),
            web.delete(SESSION, self._end, name="end"),
            web.get("/join/{code}", self._join, name="join"),
            web.route("*", "/redirected", self._redirected),
        ]

    def sign_in(self, user_id: str) -> str:
        """Sign a user in without a browser, and return the user's access token."""
        return self.login.issue_user_token(user_id, self.token_seconds)

    def _require(self, request: web.Request, scope: str | None = None) -> Grant:
        grant = self.login.grant(request)
        if grant is None:
            raise ApiError(401, "Invalid login credentials.", "bad.credentials")
        if scope is not None and grant.scopes and scope not in grant.scopes:
            raise ApiError(403, f"Missing required scope: {scope}", "missing.permissions")
        return grant

    async def _token(self, request: web.Request) -> web.Response:
        return await self.login.issue(request, f"{self.url}/oauth/token", self.token_seconds)

    def revoke_tokens(self) -> None:
        """Invalidate all access tokens. Refresh tokens stay valid."""
        self.login.revoke_all()

    async def _token_info(self, request: web.Request) -> web.Response:
        self._require(request)
        return token_info(self.login, request)

    async def _authorization_subject(self, request: web.Request) -> web.Response:
        self._require(request)
        return authorization_subject(self.login, request, self.conversations.missing_permissions, self.only_division)

    async def _delete_token(self, request: web.Request) -> web.Response:
        self._require(request)
        self.login.revoke_token(request)
        return web.Response(status=200)

    async def _create(self, request: web.Request) -> web.Response:
        self._require(request, WRITE)
        keys = {"hostUserId", "application", "sessionName", "timeoutSeconds", "metadata"}
        body = await read_json(request, keys)
        check_create(body)
        host = self.users.get(body["hostUserId"].lower()) if is_uuid(body["hostUserId"]) else None
        if host is None or host.state != "active" or not host.cobrowse:
            raise ApiError(400, "Invalid Host User")
        if body["application"]["id"] not in self.applications:
            raise ApiError(400, "Application Not Found")
        code = secrets.token_urlsafe(16)
        session = Session(
            id=str(uuid.uuid4()),
            host_user_id=host.id,
            name=body["sessionName"],
            join_url=f"{self.url}/join/{code}",
            created_at=time.time(),
            timeout_seconds=body["timeoutSeconds"],
            status="active",
            application_id=body["application"]["id"],
        )
        add_bounded(self.sessions, session.id, session)
        add_bounded(self._joins, code, session)
        return _session_json(session)

    def _requested_session(self, request: web.Request) -> Session:
        session = self.sessions.get(request.match_info["id"])
        if session is None:
            raise ApiError(404, "No such session.", "not.found")
        session.expire_if_due()
        return session

    async def _read(self, request: web.Request) -> web.Response:
        self._require(request, READ)
        return _session_json(self._requested_session(request))

    async def _end(self, request: web.Request) -> web.Response:
        self._require(request, READ)
        if not self.delete_supported:
            raise ApiError(405, "HTTP 405 Method Not Allowed", "method.not.allowed", {"Allow": "GET"})
        self._requested_session(request).status = "ended"
        return web.Response(status=204)

    async def _applications(self, request: web.Request) -> web.Response:
        self._require(request)
        entities = [{"id": id_, "name": name} for id_, name in self.applications.items()]
        return web.json_response({"entities": entities, "total": len(entities)})

    async def _search(self, request: web.Request) -> web.Response:
        self._require(request)
        body = await read_json(request, {"pageSize", "query"})
        terms = search_terms(body)
        visible = (user for user in self.users.values() if user.state != "deleted" or self.search_includes_deleted)
        found = [_user_json(user) for user in visible if all(_matches(user, *term) for term in terms)]
        return web.json_response({"results": found[: body["pageSize"]], "total": len(found)})

    async def _read_user(self, request: web.Request) -> web.Response:
        self._require(request)
        user = self.users.get(request.match_info["id"].lower())
        if user is None:
            raise ApiError(404, "No such user.", "not.found")
        return web.json_response(_user_json(user))

    async def _join(self, request: web.Request) -> web.Response:
        session = self._joins.get(request.match_info["code"])
        if session is None:
            return _page(404, "This link does not lead to a session", "Ask for a new one.")
        session.expire_if_due()
        host = self.users.get(session.host_user_id.lower())
        text = f"Session: {session.name}. It is {'open' if session.status == 'active' else 'over'}."
        return _page(200, f"You are about to share this page with {host.name if host else 'somebody'}", text)

    async def _redirected(self, _request: web.Request) -> web.Response:
        return web.json_response({"message": "Nobody should have followed a redirect to here."})


def _session_json(session: Session) -> web.Response:
    body = {"id": session.id, "joinUrl": session.join_url, "status": session.status}
    body |= {"hostUserId": session.host_user_id, "sessionName": session.name}
    return web.json_response({**body, "timeoutSeconds": session.timeout_seconds})


def _matches(user: GenesysUser, fields: Sequence[str], value: str, is_exact: bool) -> bool:
    texts = [str(getattr(user, field)).lower() for field in fields]
    return value in texts if is_exact else any(value in text for text in texts)


def _user_json(user: GenesysUser) -> dict[str, str]:
    fields = {"id": user.id, "name": user.name, "email": user.email, "state": user.state}
    return fields | {"selfUri": f"/api/v2/users/{user.id}"}


def _page(status: int, heading: str, text: str) -> web.Response:
    body = f"<p>{html.escape(text)}</p><p>This is the sandbox: nothing is shared with anybody.</p>"
    return page(status, heading, body)
