"""Read Slack users and user groups, and cache them, so that a repeated command needs no call.

core/access.py decides what a user may do. https://docs.slack.dev/reference/objects/user-object
"""

import asyncio
import logging
import re
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from cachetools import LRUCache
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.core.access import Workspace
from bot.core.cache import Cache
from bot.core.errors import PERSON_LOOKUP, SlackUnavailableError
from bot.core.hosts.csv_file import USER_ID
from bot.core.models import MembershipStatus, SlackUser, TeamId, UserId
from bot.core.timing import SLACK_TIMING, RunTiming, SlackTiming
from bot.slack.api.responses import CALL_ERRORS, MALFORMED_ERRORS, error_code
from bot.slack.command_parser import clean_name
from bot.slack.error_codes import (
    INCOMPLETE_ANSWER,
    MISSHAPEN_ANSWER,
    NO_ANSWER,
    NO_CODE,
    OTHER_PERSON,
    Group,
    is_of,
    passes,
)
from bot.slack.messages.catalogue.languages import choose
from bot.slack.messages.catalogue.sentence import ENGLISH, Language

log = logging.getLogger(__name__)

CACHE_SIZE = 20_000
NO_TEAM = TeamId("")
_MEMBER_FLAGS = ("deleted", "is_bot", "is_restricted", "is_ultra_restricted")
"""Fields of a user object that must be False for a member.

If a field is missing or is not a boolean, reading the user raises SlackUnavailableError.
"""
MAX_CONCURRENT_CALLS = 10
RATE_LIMITED = "ratelimited"
WORKSPACES_METHOD = "auth.teams.list"
MAX_WORKSPACES = 200
"""The maximum number of Slack workspaces of an organization in which the bot looks for a user group."""
NOT_HERE = ("no_such_subteam", "subteam_not_found", "invalid_team", "team_not_found", "team_access_not_granted")
"""Slack's error codes that mean: the Slack workspace has no such user group, or the token cannot use the workspace."""

GroupKey = tuple[TeamId, str]
"""The id of a Slack workspace and the id of a user group. The first id is "" for a token that is not org-wide."""


@dataclass(frozen=True, slots=True)
class GroupListing:
    """The members of a user group in one Slack workspace.

    `error`: Slack's error code if the workspace has no such group, or if the token cannot use the workspace; else "".
    With an error, `members` is empty.
    """

    members: frozenset[UserId]
    error: str = ""


class UserGroups:
    """Finds out who is in a user group, and caches the members.

    With an org-wide token, the group may be in any Slack workspace of the organization. Therefore the bot reads and
    caches the members separately for each Slack workspace.

    - `call`: returns the ThrottledMethod that calls the Web API method with a given name.
    - `home`: the bot's Slack workspace.
    - `clock`: returns seconds and never goes back.
    - `answered`: see SlackDirectory. This object adds its successful look-ups.
    """

    def __init__(
        self,
        call: Callable[[str], "ThrottledMethod"],
        home: Workspace,
        timing: SlackTiming,
        clock: Callable[[], float],
        answered: dict[str, float],
    ) -> None:
        self._group_members, self._teams_list = call("usergroups.users.list"), call(WORKSPACES_METHOD)
        self._home, self._timing = home, timing
        self._listings: Cache[GroupKey, GroupListing] = Cache(seconds=self._kept_seconds, size=5000, clock=clock)
        seconds = timing.workspaces_cache_seconds
        self._workspaces: Cache[None, tuple[TeamId, ...]] = Cache(seconds=seconds, size=1, clock=clock)
        self._last_workspaces: tuple[TeamId, ...] = ()
        self._places: dict[str, set[TeamId]] = {}
        """The Slack workspaces in which the bot has found a group, by the group's id."""
        self._answered = answered

    def _kept_seconds(self, found: GroupListing) -> float:
        """Return how many seconds to cache a listing.

        A listing with an error is cached for `SlackTiming.workspaces_cache_seconds`, any other for
        `SlackTiming.people_cache_seconds`.
        """
        return self._timing.workspaces_cache_seconds if found.error else self._timing.people_cache_seconds

    async def has(self, user_id: UserId, group_id: str, own: Sequence[TeamId]) -> bool:
        """Return whether a user is in a user group.

        `own`: the user's Slack workspaces. The bot looks for the group in these first. If `own` is empty, the bot looks
        in all Slack workspaces of the organization.

        If the group is missing in at least one of these workspaces, and the bot does not know yet where the group is,
        the bot looks in the rest of the organization. It stops at the first workspace that has the group.

        Raises SlackUnavailableError if the look-up fails or no Slack workspace has this group.
        """
        teams, error = await self._teams(), ""
        for each in (nearby := _nearby(own, teams)):
            listing = await self._listing(each, group_id)
            if user_id in listing.members:
                return True
            error = error or listing.error
        if not error or self._places.get(group_id):
            return False
        for each in teams:  # to tell a group that does not exist from one whose workspace the user does not belong to
            if each not in nearby and not (listing := await self._listing(each, group_id)).error:
                return user_id in listing.members
        raise SlackUnavailableError(error, passes(error), group_id)

    def peek(self, user_id: UserId, group_id: str, own: Sequence[TeamId]) -> bool | None:
        """Return whether a user is in a user group, from the cache only; None if the cache does not hold the answer.

        `own`: the user's Slack workspaces. The bot looks for the group in these only. If `own` is empty, the bot looks
        in all Slack workspaces of the organization.
        """
        teams = self._workspaces.peek(None) if self._home.org_wide else (NO_TEAM,)
        found = [self._listings.peek((each, group_id)) for each in _nearby(own, teams or ())]
        if any(listing and user_id in listing.members for listing in found):
            return True
        is_known = bool(found) and None not in found
        is_there = self._places.get(group_id) or not any(listing and listing.error for listing in found)
        return False if is_known and is_there else None

    async def members(self, group_id: str) -> frozenset[UserId]:
        """Return the ids of the users in a user group.

        Raises SlackUnavailableError if the look-up fails or no Slack workspace has this group.
        """
        teams = tuple(self._places.get(group_id, ())) or await self._teams()
        found = [await self._listing(each, group_id) for each in teams]
        if all(listing.error for listing in found):
            raise SlackUnavailableError(found[0].error, passes(found[0].error), group_id)
        return frozenset().union(*(listing.members for listing in found))

    async def _teams(self) -> tuple[TeamId, ...]:
        if not self._home.org_wide:
            return (NO_TEAM,)
        return await self._workspaces.get(None, self._ask_workspaces)

    async def _ask_workspaces(self) -> tuple[TeamId, ...]:
        """Ask Slack for the Slack workspaces that the org-wide token can use.

        Return at most MAX_WORKSPACES ids. If the call fails, but may succeed later, return the result of the last
        successful call.

        Raises SlackUnavailableError in these cases:

        - The call fails, and no earlier call has succeeded.
        - The call fails, and cannot succeed later.
        - Slack's answer names no Slack workspace.

        https://docs.slack.dev/reference/methods/auth.teams.list
        """
        try:
            teams = (await self._teams_list.ask(limit=str(MAX_WORKSPACES))).get("teams")
        except SlackUnavailableError as error:
            if error.passes and self._last_workspaces:
                return self._last_workspaces
            raise
        try:
            found = tuple(TeamId(str(each["id"])) for each in (teams or ())[:MAX_WORKSPACES])
        except MALFORMED_ERRORS:
            found = ()
        if not found:
            raise SlackUnavailableError(MISSHAPEN_ANSWER)
        self._last_workspaces = found
        self._answered[WORKSPACES_METHOD] = time.monotonic()
        return found

    async def _listing(self, team_id: TeamId, group_id: str) -> GroupListing:
        return await self._listings.get((team_id, group_id), partial(self._ask_group, team_id, group_id))

    async def _ask_group(self, team_id: TeamId, group_id: str) -> GroupListing:
        workspace = {"team_id": team_id} if team_id else {}
        try:
            users = (await self._group_members.ask(usergroup=group_id, **workspace)).get("users") or []
        except SlackUnavailableError as error:
            if not team_id or error.slack_error not in NOT_HERE:
                raise
            self._places.get(group_id, set()).discard(team_id)
            return GroupListing(frozenset(), error.slack_error)
        if not isinstance(users, list):
            raise SlackUnavailableError(MISSHAPEN_ANSWER)
        self._places.setdefault(group_id, set()).add(team_id)
        self._answered[group_id] = time.monotonic()
        return GroupListing(frozenset(map(UserId, map(str, users))))


def _nearby(own: Sequence[TeamId], teams: Sequence[TeamId]) -> Sequence[TeamId]:
    """Return the Slack workspaces in which to look for a user group first (pure).

    These are the user's workspaces `own` that are also in `teams`. If there are none, return `teams`.
    """
    return [each for each in own if each in teams] or teams


class SlackDirectory:
    """Reads the users and user groups of Slack, and caches them.

    - `home`: the bot's Slack workspace.
    - `max_wait_seconds`: the time limit of a call, including its wait in the queue and for a Retry-After.
    - `clock`: returns seconds and never goes back.
    - `answered`: when Slack last answered each look-up, a `time.monotonic()` value. The keys are the names of look-ups:
      see `SlackUnavailableError.lookup`.
    """

    def __init__(
        self,
        web: AsyncWebClient,
        home: Workspace,
        *,
        max_wait_seconds: float = RunTiming().max_wait_seconds,
        timing: SlackTiming = SLACK_TIMING,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        throttled = partial(ThrottledMethod, web, max_wait_seconds=max_wait_seconds, timing=timing)
        self._users_info, self.home = throttled("users.info"), home
        self.answered: dict[str, float] = {}
        self._groups = UserGroups(throttled, home, timing, clock, self.answered)
        kept_seconds = timing.people_cache_seconds
        self._people: Cache[UserId, SlackUser] = Cache(seconds=kept_seconds, size=CACHE_SIZE, clock=clock)
        self._locales: LRUCache[UserId, str] = LRUCache(CACHE_SIZE)
        self._known_ids: LRUCache[UserId, UserId] = LRUCache(CACHE_SIZE)

    async def person(self, user_id: UserId) -> SlackUser:
        """Return the user with this id, from the cache or from Slack.

        If Slack does not know the id, return a user with the status OUTSIDER. Raises SlackUnavailableError if the
        look-up fails.
        """
        return await self._people.get(user_id, lambda: self._ask_person(user_id))

    async def name_of(self, user_id: UserId) -> str:
        """Return a user's real name, or else the display name, the user name or the id, from the cache or from Slack.

        Raises SlackUnavailableError if the look-up fails.
        """
        return (await self.person(user_id)).name

    def known_id(self, user_id: UserId) -> UserId:
        """Return the main id of the person with this Slack id, without a call to Slack.

        Return `user_id` itself if the bot has not yet read this person from Slack.
        """
        return self._known_ids.get(user_id, user_id)

    async def in_group(self, user_id: UserId, group_id: str, team_id: TeamId = NO_TEAM) -> bool:
        """Return whether a user is in a user group. Raises SlackUnavailableError if the look-up fails.

        `team_id`: with an org-wide token, the Slack workspace to ask first; NO_TEAM for none.
        """
        return await self._groups.has(user_id, group_id, self._own(user_id, team_id))

    async def members(self, group_id: str) -> frozenset[UserId]:
        """Return the ids of the users in a user group. Raises SlackUnavailableError if the look-up fails."""
        return await self._groups.members(group_id)

    def peek_person(self, user_id: UserId) -> SlackUser | None:
        """Return a user from the cache; None if the user is not cached. Never calls Slack."""
        return self._people.peek(user_id)

    def locale(self, user_id: UserId) -> str | None:
        """Return the newest locale that Slack has sent for this user, such as `fr-FR`. Never calls Slack.

        Return "" if Slack has sent the user without a locale. Return None if the bot has not read the user yet.
        """
        return self._locales.get(user_id)

    def peek_in_group(self, user_id: UserId, group_id: str, team_id: TeamId = NO_TEAM) -> bool | None:
        """Return whether a user is in a user group, from the cache only; None if the cache does not hold the answer.

        `team_id`: has no effect. This method has the same parameters as `in_group`.
        """
        return self._groups.peek(user_id, group_id, self._own(user_id, team_id))

    def _own(self, user_id: UserId, team_id: TeamId) -> Sequence[TeamId]:
        """Return the Slack workspaces of a cached user; () if the user is not cached.

        If `team_id` is one of these workspaces, it comes first.
        """
        person = self._people.peek(user_id)
        return sorted(person.workspaces, key=lambda each: each != team_id) if person else ()

    async def _ask_person(self, user_id: UserId) -> SlackUser:
        person = await self._read_person(user_id)
        self.answered[PERSON_LOOKUP] = time.monotonic()
        for each in {user_id, *person.ids}:
            self._locales[each] = person.locale
            self._known_ids[each] = person.user_id
            if each != user_id:
                self._people.keep(each, person)
        return person

    async def _read_person(self, user_id: UserId) -> SlackUser:
        try:
            user = (await self._users_info.ask(user=user_id, include_locale="true")).get("user")
        except SlackUnavailableError as error:
            if is_of(error.slack_error, Group.UNKNOWN_PERSON):  # not a user of this workspace
                return SlackUser(TeamId(""), user_id, user_id, MembershipStatus.OUTSIDER)
            raise
        if not isinstance(user, dict) or not user.get("id"):
            raise SlackUnavailableError(INCOMPLETE_ANSWER)
        if user_id not in ids_in(user, self.home):
            raise SlackUnavailableError(OTHER_PERSON, passes(OTHER_PERSON), user_id)
        try:
            return read_person(user, self.home)
        except MALFORMED_ERRORS:
            raise SlackUnavailableError(MISSHAPEN_ANSWER) from None


def ids_in(user: dict[str, Any], home: Workspace) -> tuple[UserId, ...]:
    """Return the Slack ids of a person: the id of the user object, then the person's id in an organization (pure).

    Return only the first id if the object has no second one, or if the bot's Slack workspace `home` belongs to a
    different organization. Leave out an id without the form of a user id.
    https://docs.slack.dev/reference/objects/user-object#enterprise_user
    """
    grid = user.get("enterprise_user")
    ids = [user.get("id")]
    if isinstance(grid, dict) and home.enterprise_id in (None, grid.get("enterprise_id")):
        ids.append(grid.get("id"))
    return tuple(dict.fromkeys(UserId(each) for each in ids if isinstance(each, str) and USER_ID.fullmatch(each)))


def main_id(user: dict[str, Any], home: Workspace) -> UserId:
    """Return the main id of the person in a user object (pure).

    If the object has two ids, return the id that begins with `U`. If both begin with the same letter, return the id of
    the user object itself.

    `home`: the bot's Slack workspace. If it belongs to an organization, an id in another organization does not count.
    """
    ids = ids_in(user, home) or (UserId(user["id"]),)
    return next((each for each in ids if each.startswith("U")), ids[0]) if len(ids) > 1 else ids[0]


class ContactName:
    """Fetches and keeps the name of one person: the administrator or contact whom people ask for access.

    The label of a button shows the name, because a label is plain text and cannot contain a mention.

    `user_id`: the id of this person; None if there is no such person, or if people have to ask in a channel.
    """

    def __init__(self, people: SlackDirectory, user_id: UserId | None, timing: SlackTiming = SLACK_TIMING) -> None:
        self._people, self._user_id, self._timing = people, user_id, timing
        self._name = ""

    def known(self) -> str:
        """Return the person's name; "" if there is no such person, or if Slack has not sent the name yet."""
        return self._name

    async def learn(self) -> None:
        """Ask Slack for the name of the person `user_id`, unless the bot already knows the name.

        Do nothing if `user_id` is None. Does not raise if the call fails.
        """
        if self._user_id and not self._name:
            with suppress(SlackUnavailableError, TimeoutError):
                async with asyncio.timeout(self._timing.name_timeout):
                    self._name = (await self._people.person(self._user_id)).name


class Readers:
    """Finds out in which language to write to each person.

    - `people`: reads people's languages from Slack; None to write to everybody in `default`.
    - `languages`: the languages in which the bot can write, by code. English is one of them.
    - `forced`: the code of the language for all people; "" to use each person's own language.
    - `default`: the language that `forced` names, or else English.
    """

    def __init__(
        self,
        people: SlackDirectory | None = None,
        languages: Mapping[str, Language] = {ENGLISH.code: ENGLISH},
        forced: str = "",
        timing: SlackTiming = SLACK_TIMING,
    ) -> None:
        self._people = None if forced else people
        self._languages, self._timing = languages, timing
        self._by_locale: LRUCache[str, Language] = LRUCache(100)
        self.default = languages.get(forced, ENGLISH)
        """The language for channels, and for people whose language is not known: the forced language, else English."""

    def known(self, user_id: str | None) -> Language:
        """Return the language in which to write to a reader. Never calls Slack.

        Return the attribute `default` if `user_id` is None or the id of a channel. Also return `default` if the bot has
        not fetched the user's language yet, or cannot write in it.

        `user_id`: the id of a user or channel, or None.
        """
        locale = self._people.locale(UserId(user_id)) if self._people and user_id else None
        if not locale:
            return self.default
        language = self._by_locale.get(locale)
        if language is None:
            language = self._by_locale[locale] = self._languages.get(choose(locale, self._languages), self.default)
        return language

    async def learn(self, user_id: str | None) -> None:
        """Ask Slack for a person's language, unless the bot already knows the language. Never raises.

        Do nothing if `user_id` is the id of a channel, or None.
        """
        if self._people and user_id and user_id[0] in "UW" and self._people.locale(UserId(user_id)) is None:
            with suppress(Exception):  # the answer goes out in the default language
                async with asyncio.timeout(self._timing.name_timeout):
                    await self._people.person(UserId(user_id))


def read_person(user: dict[str, Any], home: Workspace) -> SlackUser:
    """Convert Slack's user object to a SlackUser (pure). `home` is the bot's Slack workspace.

    Raises SlackUnavailableError if the object does not say whether the user is a full member. Raises one of
    MALFORMED_ERRORS if the object has an unexpected shape.
    """
    profile = user.get("profile") or {}
    names = (profile.get("real_name"), user.get("real_name"), profile.get("display_name"), user.get("name"))
    email = profile.get("email")
    has_email = isinstance(email, str) and bool(email)
    confirmed = user.get("is_email_confirmed") is True and has_email
    user_id = main_id(user, home)
    return SlackUser(
        team_id=home.team_id,
        user_id=user_id,
        name=next(filter(None, (clean_name(name or "") for name in names)), str(user["id"])),
        standing=_membership(user, home),
        email=email if confirmed else None,
        other_id=next((each for each in ids_in(user, home) if each != user_id), None),
        has_unconfirmed_email=has_email and not confirmed,
        locale=_text(user.get("locale")),
        workspaces=_workspaces(user, home),
    )


def _workspaces(user: dict[str, Any], home: Workspace) -> tuple[TeamId, ...]:
    """Return a user's Slack workspaces in the organization. Return () if the token is not org-wide."""
    teams = (user.get("enterprise_user") or {}).get("teams") if home.org_wide else ()
    return tuple(TeamId(each) for each in teams or () if isinstance(each, str))


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _membership(user: dict[str, Any], home: Workspace) -> MembershipStatus:
    if user.get("is_stranger") or not _is_ours(user, home):
        return MembershipStatus.OUTSIDER
    if user.get("deleted"):
        return MembershipStatus.DEACTIVATED
    if user.get("is_bot") or user.get("is_workflow_bot") or user.get("is_connector_bot") or user["id"] == "USLACKBOT":
        return MembershipStatus.BOT
    if user.get("is_restricted") or user.get("is_ultra_restricted"):
        return MembershipStatus.GUEST
    if any(user.get(name) is not False for name in _MEMBER_FLAGS):
        raise SlackUnavailableError(INCOMPLETE_ANSWER)
    return MembershipStatus.MEMBER


def _is_ours(user: dict[str, Any], home: Workspace) -> bool:
    if user.get("team_id") == home.team_id:
        return True
    grid = user.get("enterprise_user") or {}
    if home.org_wide:
        return bool(home.enterprise_id) and grid.get("enterprise_id") == home.enterprise_id
    return home.team_id in (grid.get("teams") or [])


class ThrottledMethod:
    """Calls one Web API method within Slack's rate limit.

    At most MAX_CONCURRENT_CALLS calls run at the same time. The others wait in a queue. After a Retry-After of at most
    `timing.max_lookup_retry_after` seconds, all calls wait until this time has passed. After a longer Retry-After, the
    call fails.

    - `max_wait_seconds`: the time limit of a call, including its wait in the queue and for a Retry-After.
    - `web`: a client without a rate-limit retry handler. Such a handler would sleep inside a call and block the queue.
    """

    def __init__(
        self,
        web: AsyncWebClient,
        method: str,
        *,
        max_wait_seconds: float = RunTiming().max_wait_seconds,
        timing: SlackTiming = SLACK_TIMING,
    ) -> None:
        self._web, self._method, self._timing = web, method, timing
        self._max_wait_seconds = max_wait_seconds
        self._semaphore = asyncio.Semaphore(MAX_CONCURRENT_CALLS)  # asyncio's semaphore serves its waiters in order
        self._not_before = float("-inf")

    async def ask(self, **params: str) -> dict[str, Any]:
        """Call the method with these parameters and return Slack's answer.

        Raises SlackUnavailableError if the call fails or takes longer than `max_wait_seconds`.
        """
        try:
            async with asyncio.timeout(self._max_wait_seconds), self._semaphore:
                while (answer := await self._try(params)) is None:
                    pass
                return answer
        except TimeoutError:
            raise SlackUnavailableError(RATE_LIMITED) from None

    async def _try(self, params: dict[str, str]) -> dict[str, Any] | None:
        """Wait for a Retry-After, or make one call. Return Slack's answer; None if the caller has to try again.

        Raises SlackUnavailableError if the call fails.
        """
        loop = asyncio.get_running_loop()
        if (wait_seconds := self._not_before - loop.time()) > 0:
            await asyncio.sleep(wait_seconds)
            return None  # another call may have received a later Retry-After by now
        try:
            async with asyncio.timeout(self._timing.lookup_timeout):
                response = await self._web.api_call(self._method, http_verb="GET", params=params)
        except SlackApiError as error:
            seconds = _retry_after_seconds(error, self._timing.max_lookup_retry_after)
            if seconds is None:
                code = error_code(error) or NO_CODE
                subject = params.get("usergroup") or params.get("user") or self._method
                raise SlackUnavailableError(code, passes(code), subject) from None
            if self._not_before < loop.time():  # only the first call that gets this Retry-After logs it
                log.info("Slack puts look-ups off", extra={"fields": {"method": self._method, "seconds": seconds}})
            self._not_before = max(self._not_before, loop.time() + seconds)
            return None
        except (*CALL_ERRORS, *MALFORMED_ERRORS):
            raise SlackUnavailableError(NO_ANSWER) from None
        return response.data if isinstance(response.data, dict) else {}


def _retry_after_seconds(error: SlackApiError, max_seconds: float) -> int | None:
    """Return the Retry-After of a rate-limit error, in seconds.

    Return None for any other error. Also return None if the Retry-After is missing, 0, not a number, or longer than
    `max_seconds`.
    """
    if not is_of(error_code(error), Group.RATE_LIMIT):
        return None
    ordered = str(getattr(error.response, "headers", {}).get("Retry-After", ""))
    seconds = int(ordered) if re.fullmatch(r"[0-9]{1,9}", ordered) else 0
    return seconds if 0 < seconds <= max_seconds else None
