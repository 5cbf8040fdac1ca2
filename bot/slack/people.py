"""Slack users and user groups, cached, so that a warm command asks Slack nothing.

What somebody may do is for desk/access.py. https://docs.slack.dev/reference/objects/user-object
"""

import time
from collections.abc import Callable
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from bot.desk.access import Home
from bot.desk.cache import Cache
from bot.desk.errors import SlackUnavailable
from bot.desk.models import Person, Standing, TeamId, UserId
from bot.desk.progress import LONGEST_WAIT_SECONDS
from bot.slack.answers import MISSHAPEN
from bot.slack.grammar import clean_name
from bot.slack.lookups import Lookups

KEPT_SECONDS = 300.0
CACHE_SIZE = 20_000
_SAID_OF_MEMBERS = ("deleted", "is_bot", "is_restricted", "is_ultra_restricted")
"""Slack says each of these of every active account, guest or not. Somebody of whom it does not is not let in."""
_UNKNOWN = ("user_not_found", "user_not_visible", "users_not_found")


class SlackPeople:
    """Keeps to desk.access.People, for one workspace. `web`, `patience_seconds`: see Lookups."""

    def __init__(
        self,
        web: AsyncWebClient,
        home: Home,
        *,
        patience_seconds: float = LONGEST_WAIT_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._users_info = Lookups(web, "users.info", patience_seconds=patience_seconds)
        self._group_members = Lookups(web, "usergroups.users.list", patience_seconds=patience_seconds)
        self._home = home
        self._people: Cache[UserId, Person] = Cache(seconds=KEPT_SECONDS, size=CACHE_SIZE, clock=clock)
        self._groups: Cache[str, frozenset[UserId]] = Cache(seconds=KEPT_SECONDS, size=1000, clock=clock)

    async def person(self, user_id: UserId) -> Person:
        """Who that is. Raises SlackUnavailable."""
        return await self._people.get(user_id, lambda: self._ask_person(user_id))

    async def in_group(self, user_id: UserId, group_id: str) -> bool:
        """Whether the user group has this member. Raises SlackUnavailable."""
        return user_id in await self._groups.get(group_id, lambda: self._ask_group(group_id))

    async def _ask_person(self, user_id: UserId) -> Person:
        try:
            user = (await self._users_info.ask(user=user_id)).get("user")
        except SlackUnavailable as error:
            if error.slack_error in _UNKNOWN:  # nobody of ours
                return Person(TeamId(""), user_id, user_id, Standing.OUTSIDER)
            raise
        if not isinstance(user, dict) or user.get("id") != user_id:
            raise SlackUnavailable("it answered for somebody else")
        try:
            return read_person(user, self._home)
        except MISSHAPEN:
            raise SlackUnavailable("an answer of another shape") from None

    async def _ask_group(self, group_id: str) -> frozenset[UserId]:
        users = (await self._group_members.ask(usergroup=group_id)).get("users") or []
        if not isinstance(users, list):
            raise SlackUnavailable("an answer of another shape")
        return frozenset(map(UserId, map(str, users)))


def read_person(user: dict[str, Any], home: Home) -> Person:
    """A user object -> a person, as the workspace sees them (pure).

    Raises SlackUnavailable for an object that does not say whether they are a full member.
    """
    profile = user.get("profile") or {}
    names = (profile.get("real_name"), user.get("real_name"), profile.get("display_name"), user.get("name"))
    email = profile.get("email")
    confirmed = user.get("is_email_confirmed") is True and isinstance(email, str)
    return Person(
        team_id=home.team_id,
        user_id=UserId(user["id"]),
        name=next(filter(None, (clean_name(name or "") for name in names)), str(user["id"])),
        standing=_standing(user, home),
        email=(email or None) if confirmed else None,
    )


def _standing(user: dict[str, Any], home: Home) -> Standing:
    if user.get("is_stranger") or not _is_ours(user, home):
        return Standing.OUTSIDER
    if user.get("deleted"):
        return Standing.DEACTIVATED
    if user.get("is_bot") or user.get("is_workflow_bot") or user.get("is_connector_bot") or user["id"] == "USLACKBOT":
        return Standing.BOT
    if user.get("is_restricted") or user.get("is_ultra_restricted"):
        return Standing.GUEST
    if any(user.get(name) is not False for name in _SAID_OF_MEMBERS):
        raise SlackUnavailable("an incomplete answer")
    return Standing.MEMBER


def _is_ours(user: dict[str, Any], home: Home) -> bool:
    if user.get("team_id") == home.team_id:
        return True
    grid = user.get("enterprise_user") or {}
    if home.org_wide:
        return bool(home.enterprise_id) and grid.get("enterprise_id") == home.enterprise_id
    return home.team_id in (grid.get("teams") or [])
