"""Search Genesys users, and read their names: POST /api/v2/users/search and GET /api/v2/users/{id}.

https://developer.genesys.cloud/devapps/api-explorer (Users). core/hosts/resolver.py decides which user can be a host.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

import httpx

from bot.core.cache import Cache
from bot.core.errors import ServiceError, UnusableAnswerError
from bot.core.hosts.resolver import MAX_USERS, host_id
from bot.core.models import DirectoryUser, HostId
from bot.core.shared_waits import SharedWaits
from bot.core.timing import GENESYS_TIMING, GenesysTiming
from bot.core.validation.display import clean
from bot.genesys.client import GenesysClient
from bot.genesys.rate_limit import LOOK

SEARCH, USERS = "/api/v2/users/search", "/api/v2/users"
VIEW = "directory:user:view"
STATES = ("active", "inactive", "deleted")
MAX_NAMES = 20_000


class UsersApi:
    """Searches Genesys users, and reads and caches their names."""

    def __init__(self, client: GenesysClient, timing: GenesysTiming = GENESYS_TIMING) -> None:
        self._client, self._timing = client, timing
        self._names: Cache[HostId, str] = Cache(
            seconds=lambda name: timing.name_cache_seconds if name else timing.no_name_cache_seconds, size=MAX_NAMES
        )

    @property
    def waits(self) -> SharedWaits:
        """Return the SharedWaits that notifies requests when their shared search for a Genesys user has to wait."""
        return self._client.waits(VIEW)

    async def by_email(self, email: str) -> Sequence[DirectoryUser]:
        """Return the active and inactive users with exactly this email address. Raises ServiceError if the call fails.

        If Genesys's answer does not list all these users, the last element is a placeholder whose `is_certain` is
        False.
        """
        query = {"pageSize": MAX_USERS, "query": [{"fields": ["email"], "value": email, "type": "EXACT"}]}
        response = await self._client.call("POST", SEARCH, needs=VIEW, json=query, safe=True)
        users, total = _users(response)
        if total > len(users) or (len(users) >= MAX_USERS and total != len(users)):
            return [*users, DirectoryUser(id="", active=False, email="", is_certain=False)]
        return users

    async def search(self, text: str, most: int) -> tuple[Sequence[DirectoryUser], bool]:
        term = {"fields": ["name", "email"], "value": text, "type": "CONTAINS"}
        response = await self._client.call(
            "POST", SEARCH, needs=VIEW, json={"pageSize": most, "query": [term]}, safe=True
        )
        users, total = _users(response)
        return [user for user in users[:most] if user.active and host_id(user.id)], total > most

    async def name_of(self, host_id: HostId) -> str:
        try:
            async with asyncio.timeout(self._timing.name_timeout):
                return await self._names.get(host_id, lambda: self._ask_name(host_id))
        except TimeoutError:
            return ""

    def known_name(self, host_id: HostId) -> str:
        return self._names.peek(host_id) or ""

    async def _ask_name(self, host_id: HostId) -> str:
        try:
            response = await self._client.call("GET", f"{USERS}/{host_id}", needs=VIEW, safe=True, share=LOOK)
            return clean(str(response.json().get("name") or ""))
        except (ServiceError, ValueError, AttributeError, RecursionError):
            return ""


def _users(response: httpx.Response) -> tuple[list[DirectoryUser], int]:
    """Return the users that an answer lists, and the number of all users that match the search.

    Raises UnusableAnswerError if the answer is malformed.
    """
    try:
        body = response.json()
        return [_read(user) for user in body.get("results") or []], int(body.get("total") or 0)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError):
        raise UnusableAnswerError(why="a list of users in an unknown form") from None


def _read(user: dict[str, Any]) -> DirectoryUser:
    state = user.get("state")
    name = clean(str(user.get("name") or ""))
    return DirectoryUser(str(user["id"]), state == "active", str(user.get("email")), state in STATES, name)
