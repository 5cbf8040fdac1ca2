"""Sign people in to Genesys: OAuth's authorization code grant with PKCE, refresh of tokens, and revocation.

- Documentation: https://developer.genesys.cloud/api/rest/authorization/use-authorization-code
- The HTTP requests are those of Genesys's Python SDK 269, api_client.py: get_code_authorization_token,
  refresh_code_authorization_token, get_pkce_token and compute_pkce_code_challenge.
- The OAuth client authenticates by HTTP Basic. An OAuth client without a secret gets no refresh token:
  https://developer.genesys.cloud/forum/t/oauth-support-for-refresh-tokens/7422
- Each refresh returns a new refresh token, and the old refresh token becomes invalid.
"""

import asyncio
import base64
import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlencode

import aiohttp
import httpx

from bot.core.errors import (
    LoginRefusedError,
    OutcomeUnknownError,
    ServiceError,
    ServiceUnreachableError,
    SignInExpiredError,
    UnusableAnswerError,
)
from bot.core.hosts.resolver import host_id
from bot.core.models import HostId
from bot.core.timing import GENESYS_TIMING, GenesysTiming
from bot.genesys.auth.client_credentials import Token, login_refused, read_token, secrets_of
from bot.genesys.auth.credentials import SecretCredentials
from bot.genesys.auth.introspection import ME as MY_TOKEN
from bot.genesys.parsing import read_object, reference_of
from bot.genesys.retry import error_from_exception, error_from_response

ME, NEEDS = "/api/v2/users/me", "users:readonly"
MAX_TOKEN_LENGTH = 8000
_GRANT_ENDED = ("invalid_grant", "invalid_token")
"""OAuth's error codes for an authorization code or refresh token that is used, revoked or expired: RFC 6749 section
5.2, RFC 6750."""


@dataclass(frozen=True, slots=True)
class Grant:
    """The result of a sign-in or refresh: an access token, and the refresh token for the next refresh."""

    token: Token
    refresh_token: str = field(repr=False)


class AuthorizationCodeClient:
    """Calls Genesys to sign people in, to find out who owns a token, and to revoke a token.

    `credentials`: the credentials of the OAuth client for people's sign-ins. This is not the OAuth client of the bot's
    own token.
    """

    def __init__(
        self,
        http: httpx.AsyncClient,
        *,
        login_url: str,
        api_url: str,
        credentials: SecretCredentials,
        redirect_uri: str,
        timing: GenesysTiming = GENESYS_TIMING,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._http, self._login_url, self._api_url = http, login_url, api_url
        self._credentials, self._redirect_uri = credentials, redirect_uri
        self._timing, self._clock = timing, clock

    def use(self, credentials: SecretCredentials) -> None:
        """Replace the credentials of the OAuth client for people's sign-ins."""
        self._credentials = credentials

    def address(self, state: str, verifier: str) -> str:
        """Return the URL of Genesys's sign-in page.

        - `state`: a random text that Genesys appends to the callback URL after the sign-in.
        - `verifier`: the PKCE code verifier. The URL contains the verifier's hash.
        """
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
        query = {
            "response_type": "code",
            "client_id": self._credentials.client_id,
            "redirect_uri": self._redirect_uri,
            "state": state,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        return f"{self._login_url}/oauth/authorize?{urlencode(query)}"

    async def exchange(self, code: str, verifier: str) -> Grant:
        """Exchange an authorization code for tokens. Send only one HTTP request, because a code is valid only once.

        `verifier`: the PKCE code verifier of this sign-in. Raises LoginRefusedError (code connect_failed) if Genesys
        refuses the code or the OAuth client, and another ServiceError if the call fails.
        """
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": self._redirect_uri}
        try:
            return await self._request_grant(form | {"code_verifier": verifier})
        except LoginRefusedError as error:  # a failed user sign-in says nothing about the bot's own client
            raise _refused("connect_failed", error) from None
        except OutcomeUnknownError as error:
            raise as_unreachable(error) from None

    async def refresh(self, refresh_token: str) -> Grant:
        """Exchange a refresh token for new tokens. Send only one HTTP request.

        Raises SignInExpiredError if Genesys no longer accepts `refresh_token`, LoginRefusedError (code
        connect_client_refused) if Genesys refuses the OAuth client for people's sign-ins, and another ServiceError if
        the call fails. After an OutcomeUnknownError, Genesys may no longer accept `refresh_token`.
        """
        try:
            return await self._request_grant({"grant_type": "refresh_token", "refresh_token": refresh_token})
        except LoginRefusedError as error:
            if error.oauth_error in _GRANT_ENDED:
                raise SignInExpiredError(reference=error.reference) from None
            raise _refused("connect_client_refused", error) from None

    async def host_of(self, token: Token) -> tuple[HostId | None, str | None]:
        """Return the id of the user who owns the token, and Genesys's correlation id.

        The user id is None if it is malformed. The correlation id is None if the answer has none. Raises
        LoginRefusedError (code connect_failed) if Genesys refuses the token, and another ServiceError if the call
        fails.
        """
        try:
            response = await self._send("GET", self._api_url + ME, headers=_bearer(token))
        except OutcomeUnknownError as error:
            raise as_unreachable(error) from None
        if response.status_code in (401, 403):
            code = "invalid_token" if response.status_code == 401 else "insufficient_scope"  # RFC 6750, section 3.1
            raise LoginRefusedError(code="connect_failed", oauth_error=code, reference=reference_of(response))
        if failed := error_from_response(response, needs=NEEDS):
            raise as_unreachable(failed.error)
        return host_id(str(read_object(response).get("id"))), reference_of(response)

    async def revoke(self, token: Token) -> bool:
        """Revoke a token with DELETE /api/v2/tokens/me. Never raises.

        Return True if Genesys has revoked the token or no longer accepts it; False if the call fails.
        """
        try:
            async with asyncio.timeout(self._timing.revoke_timeout):
                response = await self._send("DELETE", self._api_url + MY_TOKEN, headers=_bearer(token))
        except (ServiceError, TimeoutError):
            return False
        return response.is_success or response.status_code == 401

    async def _request_grant(self, form: dict[str, str]) -> Grant:
        url, asked_at = f"{self._login_url}/oauth/token", self._clock()
        _, headers = self._credentials.sign(url)
        response = await self._send("POST", url, data=form, headers=headers)
        reference = reference_of(response)
        if response.status_code in (400, 401, 403):
            raise login_refused(response, secrets_of(form, headers, self._credentials))
        if failed := error_from_response(response, needs="a valid OAuth client"):
            raise failed.error
        refresh_token = read_object(response).get("refresh_token")
        token = read_token(response, asked_at, self._timing)
        if not isinstance(refresh_token, str) or not _is_token(refresh_token):
            raise UnusableAnswerError(why="a sign-in without a refresh token", reference=reference)
        return Grant(token, refresh_token)

    async def _send(self, method: str, url: str, **options: object) -> httpx.Response:
        try:
            async with asyncio.timeout(self._timing.login_timeout):  # httpx's own time-outs restart with each byte
                return await self._http.request(method, url, **options)  # type: ignore[arg-type]  # form or headers
        except httpx.TransportError as error:
            raise error_from_exception(error).error from None
        except (httpx.HTTPError, aiohttp.ClientError, TimeoutError):
            raise OutcomeUnknownError from None


def _refused(code: Literal["connect_client_refused", "connect_failed"], error: LoginRefusedError) -> LoginRefusedError:
    return LoginRefusedError(code=code, oauth_error=error.oauth_error, words=error.words, reference=error.reference)


def as_unreachable(error: ServiceError) -> ServiceError:
    """Convert an OutcomeUnknownError to a ServiceUnreachableError. Return any other error unchanged.

    An OutcomeUnknownError tells the requester that a session may exist. A sign-in creates no session.
    """
    return ServiceUnreachableError(reference=error.reference) if isinstance(error, OutcomeUnknownError) else error


def _is_token(text: str) -> bool:
    """Return whether `text` has the form of a refresh token: printable ASCII (RFC 6749, appendix A.17)."""
    return 0 < len(text) <= MAX_TOKEN_LENGTH and text.isascii() and text.isprintable()


def _bearer(token: Token) -> dict[str, str]:
    return {"Authorization": f"Bearer {token.value}"}
