"""Issue access tokens to the OAuth client and to signed-in users.

The OAuth client authenticates by private_key_jwt (RFC 7523) or HTTP Basic.
"""

import base64
import hmac
import math
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

import jwt
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from bot.sandbox.genesys.api.user_login import UserLogin
from bot.sandbox.genesys.errors import OAuthError
from bot.sandbox.genesys.records import add_bounded


@dataclass
class Grant:
    """The rights of an access token, and a count of the HTTP requests with the token.

    - `expires_at`: when the token expires, a `time.monotonic()` value.
    - `scopes`: the scopes of the token. An empty set means all scopes.
    - `user_id`: the id of the signed-in user; None for a token of the OAuth client.
    - `request_count`: the number of HTTP requests in the current window of the rate limit.
    - `window_ends_at`: when this window ends, a `time.monotonic()` value. A later HTTP request starts a new window.
    """

    expires_at: float
    scopes: frozenset[str]
    user_id: str | None = None
    request_count: int = 0
    window_ends_at: float = -math.inf

    def count_request(self, window_seconds: float) -> None:
        if time.monotonic() >= self.window_ends_at:
            self.window_ends_at, self.request_count = time.monotonic() + window_seconds, 0
        self.request_count += 1

    def reset_seconds(self) -> int:
        return max(1, math.ceil(self.window_ends_at - time.monotonic())) if self.request_count else 60


class Login:
    """Issues and checks access tokens of the OAuth client and of signed-in users.

    `user_login`: checks the authorization codes and refresh tokens of users.

    The constructor raises ValueError if the public key of the OAuth client is neither an RSA key nor a P-256 key.
    """

    user_login: UserLogin

    def __init__(self, public_key_pem: bytes, client_id: str, org_id: str, client_secret: str | None) -> None:
        self.client_id, self.org_id = client_id, org_id
        self.client_secrets = {client_id: client_secret} if client_secret is not None else {}
        """The secrets of the OAuth clients that authenticate by HTTP Basic, by client id."""
        key = load_pem_public_key(public_key_pem)
        if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1):
            self._algorithm = "ES256"
        elif isinstance(key, rsa.RSAPublicKey):
            self._algorithm = "RS256"
        else:
            raise ValueError("The public key must be RSA or P-256")
        self._key: rsa.RSAPublicKey | ec.EllipticCurvePublicKey = key
        self.missing_scopes: set[str] = set()
        """The scopes that new tokens of the OAuth client do not get, although the client asks for them."""
        self._used_assertion_ids: dict[str, bool] = {}
        self._grants: dict[str, Grant] = {}

    def grant(self, request: web.Request) -> Grant | None:
        """Return the Grant of the access token in an HTTP request; None if the token is missing or invalid."""
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        grant = self._grants.get(token.strip()) if scheme.lower() == "bearer" else None
        return grant if grant and grant.expires_at > time.monotonic() else None

    def revoke_all(self) -> None:
        """Invalidate all access tokens."""
        self._grants.clear()

    def revoke_token(self, request: web.Request) -> None:
        """Invalidate the access token in the Authorization header of an HTTP request."""
        self._grants.pop(request.headers.get("Authorization", "").partition(" ")[2].strip(), None)

    def issue_user_token(self, user_id: str, seconds: int) -> str:
        """Return a new access token of a signed-in user. The token is valid for `seconds`."""
        token = secrets.token_urlsafe(32)
        add_bounded(self._grants, token, Grant(time.monotonic() + seconds, frozenset(), user_id))
        return token

    async def issue(self, request: web.Request, token_url: str, seconds: int) -> web.Response:
        pairs = parse_qsl(await request.text(), keep_blank_values=True)
        form = dict(pairs)
        if request.content_type != "application/x-www-form-urlencoded" or len(form) != len(pairs):
            raise OAuthError(400, "The body must be a form without repeated fields.", "invalid_request")
        authorization = request.headers.get("Authorization")
        if form.get("grant_type") in ("authorization_code", "refresh_token"):
            return self._issue_to_user(form, authorization, seconds)
        if form.get("grant_type") != "client_credentials":
            raise OAuthError(400, "grant_type must be client_credentials.", "unsupported_grant_type")
        if authorization is not None and "client_assertion" in form:
            raise OAuthError(400, "One way to authenticate the client, not two.", "invalid_request")
        if authorization is not None:
            self._check_secret(authorization)
        else:
            self._check_assertion(form, token_url)
        token = secrets.token_urlsafe(32)
        scopes = frozenset(form.get("scope", "").split()) - self.missing_scopes
        add_bounded(self._grants, token, Grant(time.monotonic() + seconds, scopes))
        answer = {"access_token": token, "token_type": "bearer", "expires_in": seconds}
        return web.json_response(answer, headers={"Cache-Control": "no-store"})

    def _issue_to_user(self, form: Mapping[str, str], authorization: str | None, seconds: int) -> web.Response:
        user_id, refresh_token = self.user_login.exchange(form, authorization)
        answer = {
            "access_token": self.issue_user_token(user_id, seconds),
            "token_type": "bearer",
            "expires_in": seconds,
        }
        answer |= {"refresh_token": refresh_token} if refresh_token else {}
        return web.json_response(answer, headers={"Cache-Control": "no-store"})

    def _check_secret(self, authorization: str) -> None:
        scheme, _, credentials = authorization.partition(" ")
        try:
            presented = base64.b64decode(credentials, validate=True)
        except ValueError:
            presented = b""
        expected = (f"{client_id}:{secret}".encode() for client_id, secret in self.client_secrets.items())
        if scheme.lower() != "basic" or not any(hmac.compare_digest(presented, each) for each in expected):
            headers = {"WWW-Authenticate": "Basic"}
            raise OAuthError(401, "The client id or secret is wrong.", "invalid_client", headers)

    def _check_assertion(self, form: Mapping[str, str], token_url: str) -> None:
        if form.get("client_assertion_type") != "urn:ietf:params:oauth:client-assertion-type:jwt-bearer":
            raise OAuthError(400, "client_assertion_type must be jwt-bearer.", "invalid_client")
        options: jwt.types.Options = {"require": ["iss", "sub", "aud", "iat", "exp", "jti"], "strict_aud": True}
        try:
            claims = jwt.decode(
                form.get("client_assertion", ""),
                self._key,
                algorithms=[self._algorithm],
                audience=token_url,
                issuer=self.client_id,
                subject=self.client_id,
                options=options,
            )
        except jwt.PyJWTError as error:
            name = type(error).__name__  # the error's text could quote the assertion
            raise OAuthError(401, f"The client assertion was refused: {name}.", "invalid_client") from error
        self._check_claims(claims)

    def _check_claims(self, claims: Mapping[str, Any]) -> None:
        times = (claims["iat"], claims["exp"])
        if not all(type(at) in (int, float) for at in times) or not 0 < times[1] - times[0] <= 300:
            raise OAuthError(401, "The client assertion must last at most 300 seconds.", "invalid_client")
        if claims.get("org_id") != self.org_id:
            raise OAuthError(401, "The client assertion names another org.", "invalid_client")
        if claims["jti"] in self._used_assertion_ids:
            raise OAuthError(401, "The client assertion was used before.", "invalid_client")
        add_bounded(self._used_assertion_ids, claims["jti"], True)
