"""People sign in to the sandbox's Genesys: a page to choose who, a code, PKCE, refresh tokens that are good once.

As RFC 6749 section 4.1 and RFC 7636 have it, for one client of the grant Code Authorization. A client that proves to be
itself by its secret gets a refresh token; one that only has PKCE gets none, as Genesys's does not.
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
from bot.sandbox.genesys.records import GenesysUser, keep

CODE_SECONDS = 600
_ASKED = ("client_id", "redirect_uri", "response_type", "state", "code_challenge", "code_challenge_method")
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")


@dataclass
class PeopleClient:
    """The OAuth client that people sign in by; its redirect URIs are compared letter by letter."""

    id: str
    secret: str = field(repr=False)
    redirect_uris: tuple[str, ...] = ()


@dataclass(frozen=True)
class Code:
    """What was asked for, and by whom."""

    user_id: str
    redirect_uri: str
    challenge: str
    expires_at: float


class People:
    """Their sign-ins. `client` None: there is no such client. `refresh_tokens` are those that are still good."""

    def __init__(self, users: Mapping[str, GenesysUser]) -> None:
        self.client: PeopleClient | None = None
        self.refresh_tokens: dict[str, str] = {}
        """Each with whose it is."""
        self.used: list[str] = []
        self._users = users
        self._codes: dict[str, Code] = {}

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/oauth/authorize", self._ask, name="authorize"),
            web.post("/oauth/authorize", self._answer, name="authorize.answer"),
        ]

    def sign_out(self, user_id: str) -> None:
        """Somebody has logged out, or changed their password: their refresh tokens are worthless."""
        for token in [token for token, whose in self.refresh_tokens.items() if whose == user_id]:
            del self.refresh_tokens[token]

    def exchange(self, form: Mapping[str, str], authorization: str | None) -> tuple[str, str | None]:
        """Whose access token it is to be, and the refresh token that goes with it. Raises OAuthError."""
        is_proven = self._check_client(form, authorization)
        if form["grant_type"] == "refresh_token":
            if not is_proven:
                raise OAuthError(401, "A refresh token takes the client's secret.", "invalid_client")
            user_id = self.refresh_tokens.pop(form.get("refresh_token", ""), None)
            if user_id is None:
                raise OAuthError(400, "The refresh token is unknown, used or revoked.", "invalid_grant")
            self.used.append(form["refresh_token"])
        else:
            user_id = self._check_code(form, is_proven=is_proven)
        if not is_proven:
            return user_id, None
        refresh_token = secrets.token_urlsafe(32)
        keep(self.refresh_tokens, refresh_token, user_id)
        return user_id, refresh_token

    async def _ask(self, request: web.Request) -> web.Response:
        if wrong := self._wrong(request.query):
            return page(400, "This sign-in cannot go on", f"<p>{html.escape(wrong)}</p>")
        hidden = "".join(
            f'<input type="hidden" name="{name}" value="{html.escape(request.query.get(name, ""))}">' for name in _ASKED
        )
        people = "".join(
            f'<p><button name="user" value="{user.id}">Sign in as {html.escape(user.name)}</button></p>'
            for user in self._users.values()
            if user.state == "active"
        )
        refuse = '<p><button name="user" value="">Do not let it in</button></p>'
        told = "<p>A program wants to act in Genesys as you. This is the sandbox, so nobody asks for a password.</p>"
        return page(200, "Sign in to Genesys", f'{told}<form method="post">{hidden}{people}{refuse}</form>')

    async def _answer(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        user = self._users.get(form.get("user", ""))
        if wrong := self._wrong(form):
            return page(400, "This sign-in cannot go on", f"<p>{html.escape(wrong)}</p>")
        told: dict[str, Any] = {"state": form["state"]} if form.get("state") else {}
        if user is None:
            told |= {"error": "access_denied", "error_description": "The user did not let the client in."}
        else:
            code = secrets.token_urlsafe(24)
            uri, challenge = form["redirect_uri"], form.get("code_challenge", "")
            keep(self._codes, code, Code(user.id, uri, challenge, time.monotonic() + CODE_SECONDS))
            told |= {"code": code}
        return web.Response(status=302, headers={"Location": f"{form['redirect_uri']}?{urlencode(told)}"})

    def _wrong(self, asked: Mapping[str, str]) -> str:
        """Why this cannot go on; then nobody is sent anywhere."""
        if self.client is None or asked.get("client_id") != self.client.id:
            return "There is no such client."
        if asked.get("redirect_uri") not in self.client.redirect_uris:
            return "The client has no such redirect URI."
        if asked.get("response_type") != "code":
            return "response_type must be code."
        method, challenge = asked.get("code_challenge_method", ""), asked.get("code_challenge", "")
        if (method or challenge) and (method != "S256" or not _CHALLENGE.fullmatch(challenge)):
            return "code_challenge must be of the method S256."
        return ""

    def _check_client(self, form: Mapping[str, str], authorization: str | None) -> bool:
        """Whether it has proven to be itself; one that only says so may go on with PKCE."""
        if self.client is None:
            raise OAuthError(401, "There is no client of this grant.", "invalid_client")
        if authorization is None:
            if form.get("client_id") != self.client.id:
                raise OAuthError(401, "There is no such client.", "invalid_client")
            return False
        wanted = base64.b64encode(f"{self.client.id}:{self.client.secret}".encode()).decode()
        if not hmac.compare_digest(authorization.encode(), f"Basic {wanted}".encode()):
            headers = {"WWW-Authenticate": "Basic"}
            raise OAuthError(401, "The client id or secret is wrong.", "invalid_client", headers)
        return True

    def _check_code(self, form: Mapping[str, str], *, is_proven: bool) -> str:
        code = self._codes.pop(form.get("code", ""), None)
        if code is None or code.expires_at <= time.monotonic() or form.get("redirect_uri") != code.redirect_uri:
            raise OAuthError(400, "The code is unknown, used or too old, or of another redirect URI.", "invalid_grant")
        verifier = form.get("code_verifier", "")
        if not code.challenge:
            if verifier or not is_proven:
                raise OAuthError(400, "The code was asked for without a challenge.", "invalid_grant")
            return code.user_id
        digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
        if not _VERIFIER.fullmatch(verifier) or not hmac.compare_digest(digest, code.challenge):
            raise OAuthError(400, "The verifier is not the challenge's.", "invalid_grant")
        return code.user_id
