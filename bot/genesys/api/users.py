"""Search Genesys users by e-mail address: POST /api/v2/users/search.

https://developer.genesys.cloud/devapps/api-explorer (Users). core/hosts/resolver.py decides which user can be a host.
"""

from collections.abc import Sequence
from typing import Any

from bot.core.errors import UnusableAnswerError
from bot.core.hosts.resolver import MAX_USERS
from bot.core.models import DirectoryUser
from bot.core.shared_waits import SharedWaits
from bot.genesys.client import GenesysClient

SEARCH = "/api/v2/users/search"
VIEW = "directory:user:view"
STATES = ("active", "inactive", "deleted")


class UsersApi:
    """Implement core's HostDirectory."""

    def __init__(self, client: GenesysClient) -> None:
        self._client = client

    @property
    def waits(self) -> SharedWaits:
        """Return the object that passes a search's wait for the rate limit to all requests that need its result."""
        return self._client.waits(VIEW)

    async def by_email(self, email: str) -> Sequence[DirectoryUser]:
        """Return the users with exactly this e-mail address, active or not. Raises ServiceError.

        If the answer's `total` says that more users match than it lists, add one user with `is_certain` False.
        """
        query = {"pageSize": MAX_USERS, "query": [{"fields": ["email"], "value": email, "type": "EXACT"}]}
        response = await self._client.call("POST", SEARCH, needs=VIEW, json=query, safe=True)
        try:
            body = response.json()
            users, total = [_read(user) for user in body.get("results") or []], int(body.get("total") or 0)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError):
            raise UnusableAnswerError(why="a list of users of another shape") from None
        if total > len(users) or (len(users) >= MAX_USERS and total != len(users)):
            return [*users, DirectoryUser(id="", active=False, email="", is_certain=False)]
        return users


def _read(user: dict[str, Any]) -> DirectoryUser:
    state = user.get("state")
    return DirectoryUser(str(user["id"]), state == "active", str(user.get("email")), is_certain=state in STATES)
