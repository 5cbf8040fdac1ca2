"""People sign in to Genesys as themselves: authorization code with PKCE, refresh, whoever it is, and out again.

https://developer.genesys.cloud/api/rest/authorization/use-authorization-code and the vendor's Python SDK 269,
api_client.py: the client says who it is by HTTP Basic (get_code_authorization_token, refresh_code_authorization_token)
and each refresh brings another refresh token, the one to be kept; verifier and challenge as in get_pkce_token and
compute_pkce_code_challenge. A client without a secret gets no refresh token: "only usable by confidential clients"
(https://developer.genesys.cloud/forum/t/oauth-support-for-refresh-tokens/7422). Who keeps them is for user_tokens.py.
"""

import asyncio
import base64
import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlencode

import aiohttp
import httpx

from bot.core.errors import (
    LoginRefusedError,
    OutcomeUnknownError,
    ServiceError,
    ServiceUnreachableError,
    SignInExpiredError,
    SignInFailedError,
    UnusableAnswerError,
)
from bot.core.hosts.resolver import host_id
from bot.core.models import HostId
from bot.genesys import faults
from bot.genesys.auth.client_credentials import Token, read_token, refusal, secrets_of
from bot.genesys.auth.credentials import SecretCredentials
from bot.genesys.auth.introspection import ME as TOKEN
from bot.genesys.parsing import read_object

ME, NEEDS = "/api/v2/users/me", "users:readonly"
ANSWER_SECONDS = 10.0
REVOKE_SECONDS = 4.0
LONGEST_TOKEN = 8000
_ENDED = ("invalid_grant", "invalid_token")
"""OAuth's words for a code or refresh token that is used, revoked or too old: RFC 6749 section 5.2, RFC 6750."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What a sign-in brings: a token, and what the next one is asked for with."""

    token: Token
    refresh_token: str = field(repr=False)


class AuthorizationCodeClient:
    """The login and the two calls of the API that it takes. `credentials`: of the OAuth client for people."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        *,
        login_url: str,
        api_url: str,
        credentials: SecretCredentials,
        redirect_uri: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._http, self._login_url, self._api_url = http, login_url, api_url
        self._credentials, self._redirect_uri, self._clock = credentials, redirect_uri, clock

    def address(self, state: str, verifier: str) -> str:
        """Where the person signs in."""
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
        """A code is good once, so it is sent once. Raises SignInFailedError and other ServiceErrors."""
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": self._redirect_uri}
        try:
            return await self._ask(form | {"code_verifier": verifier})
        except LoginRefusedError as error:  # the bot's own client may be all right, so nothing is said of that
            raise SignInFailedError(
                oauth_error=error.oauth_error, words=error.words, reference=error.reference
            ) from None
        except OutcomeUnknownError as error:
            raise nothing_made(error) from None

    async def refresh(self, refresh_token: str) -> Grant:
        """Sent once: without an answer (OutcomeUnknownError) it may be used up.

        Raises SignInExpiredError, other ServiceErrors.
        """
        try:
            return await self._ask({"grant_type": "refresh_token", "refresh_token": refresh_token})
        except LoginRefusedError as error:
            if error.oauth_error in _ENDED:
                raise SignInExpiredError(reference=error.reference) from None
            raise

    async def host_of(self, token: Token) -> tuple[HostId | None, str | None]:
        """Whose token it is, and Genesys's reference of the answer.

        Raises SignInFailedError and other ServiceErrors.
        """
        try:
            response = await self._send("GET", self._api_url + ME, headers=_bearer(token))
        except OutcomeUnknownError as error:
            raise nothing_made(error) from None
        if response.status_code in (401, 403):
            code = "invalid_token" if response.status_code == 401 else "insufficient_scope"  # RFC 6750, section 3.1
            raise SignInFailedError(oauth_error=code, reference=faults.reference_of(response))
        if fault := faults.of_answer(response, needs=NEEDS):
            raise nothing_made(fault.error)
        return host_id(str(read_object(response).get("id"))), faults.reference_of(response)

    async def revoke(self, token: Token) -> bool:
        """Whether Genesys takes the token no more: DELETE /api/v2/tokens/me. Never raises."""
        try:
            async with asyncio.timeout(REVOKE_SECONDS):
                response = await self._send("DELETE", self._api_url + TOKEN, headers=_bearer(token))
        except (ServiceError, TimeoutError):
            return False
        return response.is_success or response.status_code == 401

    async def _ask(self, form: dict[str, str]) -> Grant:
        url, asked_at = f"{self._login_url}/oauth/token", self._clock()
        _, headers = self._credentials.sign(url)
        response = await self._send("POST", url, data=form, headers=headers)
        reference = faults.reference_of(response)
        if response.status_code in (400, 401, 403):
            raise refusal(response, secrets_of(form, headers, self._credentials))
        if fault := faults.of_answer(response, needs="a valid OAuth client"):
            raise fault.error
        refresh_token = read_object(response).get("refresh_token")
        token = read_token(response, asked_at)
        if not isinstance(refresh_token, str) or not _is_token(refresh_token):
            raise UnusableAnswerError(why="a sign-in without a refresh token", reference=reference)
        return Grant(token, refresh_token)

    async def _send(self, method: str, url: str, **how: object) -> httpx.Response:
        try:
            async with asyncio.timeout(ANSWER_SECONDS):  # as a whole: httpx's begin anew with each byte
                return await self._http.request(method, url, **how)  # type: ignore[arg-type]  # form or headers
        except httpx.TransportError as error:
            raise faults.of_exception(error).error from None
        except (httpx.HTTPError, aiohttp.ClientError, TimeoutError):
            raise OutcomeUnknownError from None


def nothing_made(error: ServiceError) -> ServiceError:
    """No session can have been created by a sign-in, so there is nothing that nobody knows."""
    return ServiceUnreachableError(reference=error.reference) if isinstance(error, OutcomeUnknownError) else error


def _is_token(text: str) -> bool:
    """RFC 6749, appendix A.17."""
    return 0 < len(text) <= LONGEST_TOKEN and text.isascii() and text.isprintable()


def _bearer(token: Token) -> dict[str, str]:
    return {"Authorization": f"Bearer {token.value}"}
