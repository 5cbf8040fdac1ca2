"""Test whether a fault of the bot's set-up at Genesys is fixed, with calls that only read."""

import asyncio

from bot.core.errors import (
    CobrowseError,
    LoginRefusedError,
    PermissionMissingError,
    ServiceError,
    TokenRefusedError,
    UnknownApplicationError,
)
from bot.core.ports import ApplicationCatalog
from bot.genesys.api.customer_messages import ANY_FOR_EMAIL
from bot.genesys.api.permissions import fetch_permissions
from bot.genesys.api.users import VIEW, UsersApi
from bot.genesys.auth.introspection import fetch_token_info
from bot.genesys.client import GenesysClient

NOBODY = "nobody@cobrowse-bot.invalid"
"""An email address that no user has. The bot searches for this address to test whether the bot may search users."""


class GenesysProbe:
    """Tests whether a fault of the set-up at Genesys is fixed.

    - `catalog`: lists the applications at the session service.
    - `timeout`: the maximum duration of one test, in seconds.
    """

    def __init__(self, client: GenesysClient, catalog: ApplicationCatalog, *, timeout: float) -> None:
        self._client, self._catalog, self._timeout = client, catalog, timeout

    async def is_repaired(self, error: CobrowseError) -> bool | None:
        try:
            async with asyncio.timeout(self._timeout):
                return await self._ask(error)
        except (TokenRefusedError, LoginRefusedError):
            return False
        except PermissionMissingError as refused:  # of another call: this one may be repaired
            return False if refused.needs == getattr(error, "needs", None) else None
        except (ServiceError, TimeoutError):  # Genesys has another problem, or does not answer this question
            return None

    async def _ask(self, error: CobrowseError) -> bool | None:
        match error:
            case TokenRefusedError() | LoginRefusedError(code="oauth_refused"):
                return await self._accepts_token()
            case PermissionMissingError(needs=needs) if needs == VIEW:
                await UsersApi(self._client).by_email(NOBODY)
                return True
            case PermissionMissingError(code="permission_missing", needs=needs, words=""):
                return await self._allows(needs)
            case UnknownApplicationError(application_id=used):
                return used in [found for found, _ in await self._catalog.applications()]
        return None

    async def _accepts_token(self) -> bool:
        try:
            await fetch_token_info(self._client)
        except (TokenRefusedError, LoginRefusedError):
            return False
        except PermissionMissingError:  # the token is good; this client may not read about it
            return True
        return True

    async def _allows(self, needs: str) -> bool | None:
        """Return whether the bot has the scope or permission `needs`.

        If the bot's token lacks the scope, get a new token, because a token keeps the scopes that it was made with.

        Return None if Genesys does not list all permissions of the bot, and `needs` is not in the list.
        """
        scopes = (await fetch_token_info(self._client)).scopes
        if scopes and needs not in scopes:
            await self._client.renew_token()
            scopes = (await fetch_token_info(self._client)).scopes
        if scopes:
            return needs in scopes
        granted = await fetch_permissions(self._client)
        if any(map(granted.allow, ANY_FOR_EMAIL if needs in ANY_FOR_EMAIL else (needs,))):
            return True
        return False if granted.is_complete else None
