"""Sign users in with the OAuth authorization code grant: a consent page, PKCE, and single-use refresh tokens.

The module follows RFC 6749 section 4.1 and RFC 7636, for one OAuth client. As in Genesys Cloud, the client gets a
refresh token only if the client authenticates with its secret.
"""

import base64
import hashlib
import hmac
import html
import re
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from bot.sandbox.genesys.errors import OAuthError
from bot.sandbox.genesys.pages import page
from bot.sandbox.genesys.records import GenesysUser, add_bounded

CODE_LIFETIME_SECONDS = 600
_AUTHORIZE_PARAMETERS = (
    "client_id",
    "redirect_uri",
    "response_type",
    "state",
    "code_challenge",
    "code_challenge_method",
)
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")


@dataclass
class UserLoginClient:
    """The OAuth client for the sign-ins of users (authorization code grant).

    `redirect_uris`: the allowed redirect URIs of authorization requests.
    """

    id: str
    secret: str = field(repr=False)
    redirect_uris: tuple[str, ...] = ()


@dataclass(frozen=True)
class AuthorizationCode:
    """The data of an issued authorization code.

    - `user_id`: the user who signed in.
    - `redirect_uri`: the redirect URI of the authorization request.
    - `challenge`: the PKCE code challenge of the authorization request; "" without PKCE.
    - `expires_at`: when the authorization code expires, a `time.monotonic()` value.
    """

    user_id: str
    redirect_uri: str
    challenge: str
    expires_at: float


class UserLogin:
    """Issues authorization codes and refresh tokens to users, and serves the endpoint `/oauth/authorize`.

    - `client`: the OAuth client for sign-ins; None if the organization has no such client.
    - `refresh_tokens`: the user id for each valid refresh token.
    - `used_refresh_tokens`: the refresh tokens that were exchanged, oldest first.
    """

    def __init__(self, users: Mapping[str, GenesysUser]) -> None:
        self.client: UserLoginClient | None = None
        self.refresh_tokens: dict[str, str] = {}
        self.used_refresh_tokens: list[str] = []
        self._users = users
        self._codes: dict[str, AuthorizationCode] = {}

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/oauth/authorize", self._show_consent_page, name="authorize"),
            web.post("/oauth/authorize", self._handle_consent, name="authorize.answer"),
        ]

    def sign_out(self, user_id: str) -> None:
        """Invalidate the refresh tokens of a user, as Genesys does after a logout or a password change."""
        for token in [token for token, owner in self.refresh_tokens.items() if owner == user_id]:
            del self.refresh_tokens[token]

    def exchange(self, form: Mapping[str, str], authorization: str | None) -> tuple[str, str | None]:
        """Check and use up the authorization code or refresh token in a token request.

        Return the id of the user to whom the code or token belongs, and a new refresh token. The new refresh token is
        None if the client did not authenticate with its secret. Raises OAuthError if the client, the code or the
        refresh token is invalid, or if the client sends a refresh token without its secret.

        - `form`: the form of the token request.
        - `authorization`: the Authorization header of the token request; None if the header is missing.
        """
        is_authenticated = self._check_client(form, authorization)
        if form["grant_type"] == "refresh_token":
            if not is_authenticated:
                raise OAuthError(401, "A refresh token takes the client's secret.", "invalid_client")
            user_id = self.refresh_tokens.pop(form.get("refresh_token", ""), None)
            if user_id is None:
                raise OAuthError(400, "The refresh token is unknown, used or revoked.", "invalid_grant")
            self.used_refresh_tokens.append(form["refresh_token"])
        else:
            user_id = self._check_code(form, is_authenticated=is_authenticated)
        if not is_authenticated:
            return user_id, None
        refresh_token = secrets.token_urlsafe(32)
        add_bounded(self.refresh_tokens, refresh_token, user_id)
        return user_id, refresh_token

    async def _show_consent_page(self, request: web.Request) -> web.Response:
        if error := self._request_error(request.query):
            return page(400, "This sign-in cannot go on", f"<p>{html.escape(error)}</p>")
        hidden = "".join(
            f'<input type="hidden" name="{name}" value="{html.escape(request.query.get(name, ""))}">'
            for name in _AUTHORIZE_PARAMETERS
        )
        buttons = "".join(
            f'<p><button name="user" value="{user.id}">Sign in as {html.escape(user.name)}</button></p>'
            for user in self._users.values()
            if user.state == "active"
        )
        refuse = '<p><button name="user" value="">Do not let it in</button></p>'
        intro = "<p>A program wants to act in Genesys as you. This is the sandbox, so nobody asks for a password.</p>"
        return page(200, "Sign in to Genesys", f'{intro}<form method="post">{hidden}{buttons}{refuse}</form>')

    async def _handle_consent(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        user = self._users.get(form.get("user", ""))
        if error := self._request_error(form):
            return page(400, "This sign-in cannot go on", f"<p>{html.escape(error)}</p>")
        fields: dict[str, Any] = {"state": form["state"]} if form.get("state") else {}
        if user is None:
            fields |= {"error": "access_denied", "error_description": "The user did not let the client in."}
        else:
            code = secrets.token_urlsafe(24)
            uri, challenge = form["redirect_uri"], form.get("code_challenge", "")
            add_bounded(
                self._codes, code, AuthorizationCode(user.id, uri, challenge, time.monotonic() + CODE_LIFETIME_SECONDS)
            )
            fields |= {"code": code}
        return web.Response(status=302, headers={"Location": f"{form['redirect_uri']}?{urlencode(fields)}"})

    def _request_error(self, parameters: Mapping[str, str]) -> str:
        """Return the error message about the parameters of an authorization request; "" if the parameters are valid."""
        if self.client is None or parameters.get("client_id") != self.client.id:
            return "There is no such client."
        if parameters.get("redirect_uri") not in self.client.redirect_uris:
            return "The client has no such redirect URI."
        if parameters.get("response_type") != "code":
            return "response_type must be code."
        method, challenge = parameters.get("code_challenge_method", ""), parameters.get("code_challenge", "")
        if (method or challenge) and (method != "S256" or not _CHALLENGE.fullmatch(challenge)):
            return "code_challenge must be of the method S256."
        return ""

    def _check_client(self, form: Mapping[str, str], authorization: str | None) -> bool:
        """Return True if the OAuth client authenticated with its secret, False if the client sent only its client id.

        - `form`: the form of the token request.
        - `authorization`: the Authorization header of the token request; None if the header is missing.

        Raises OAuthError for an unknown client id or a wrong secret, or if `client` of the UserLogin is None.
        """
        if self.client is None:
            raise OAuthError(401, "There is no client of this grant.", "invalid_client")
        if authorization is None:
            if form.get("client_id") != self.client.id:
                raise OAuthError(401, "There is no such client.", "invalid_client")
            return False
        expected = base64.b64encode(f"{self.client.id}:{self.client.secret}".encode()).decode()
        if not hmac.compare_digest(authorization.encode(), f"Basic {expected}".encode()):
            headers = {"WWW-Authenticate": "Basic"}
            raise OAuthError(401, "The client id or secret is wrong.", "invalid_client", headers)
        return True

    def _check_code(self, form: Mapping[str, str], *, is_authenticated: bool) -> str:
        code = self._codes.pop(form.get("code", ""), None)
        if code is None or code.expires_at <= time.monotonic() or form.get("redirect_uri") != code.redirect_uri:
            raise OAuthError(400, "The code is unknown, used or too old, or of another redirect URI.", "invalid_grant")
        verifier = form.get("code_verifier", "")
        if not code.challenge:
            if verifier or not is_authenticated:
                raise OAuthError(400, "The code was asked for without a challenge.", "invalid_grant")
            return code.user_id
        digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
        if not _VERIFIER.fullmatch(verifier) or not hmac.compare_digest(digest, code.challenge):
            raise OAuthError(400, "The verifier is not the challenge's.", "invalid_grant")
        return code.user_id
