"""Genesys users by e-mail address: POST /api/v2/users/search.

https://developer.genesys.cloud/devapps/api-explorer (Users) . Who of them may be somebody's host is for desk/hosts.py.
"""

from collections.abc import Sequence

from bot.desk.errors import UnusableAnswer
from bot.desk.hosts import DirectoryUser
from bot.genesys.client import GenesysClient

SEARCH = "/api/v2/users/search"
VIEW = "directory:user:view"


class Users:
    """Keeps to desk.hosts.HostDirectory."""

    def __init__(self, client: GenesysClient) -> None:
        self._client = client

    async def by_email(self, email: str) -> Sequence[DirectoryUser]:
        """Users with exactly this address; two are as many as it takes to know that it is not unique."""
        query = {"pageSize": 2, "query": [{"fields": ["email"], "value": email, "type": "EXACT"}]}
        response = await self._client.call("POST", SEARCH, needs=VIEW, json=query, safe=True)
        try:
            body = response.json()
            results, total = body.get("results") or [], int(body.get("total") or 0)
            users = [
                DirectoryUser(id=str(user["id"]), active=user.get("state") == "active", email=str(user.get("email")))
                for user in results
            ]
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError):
            raise UnusableAnswer(why="a list of users of another shape") from None
        if total > len(users):  # more match than were sent: not one user, whatever the page says
            return [*users, DirectoryUser(id="", active=False, email="")]
        return users
