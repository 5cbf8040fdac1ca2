"""Slack user -> Genesys host, by a chain of rules that can say why it did not map somebody.

The wrong host is the worst thing this bot could do, so a rule maps a person only when it is certain, and everything
is kept under the person's team and user id. Where the names and addresses come from is for the Protocols' owners.
"""

import re
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from cachetools import TTLCache

from bot.core.cache import Cache
from bot.core.errors import HostNotFoundError, RuleMiss, StorageUnavailableError
from bot.core.models import DirectoryUser, Host, HostId, SlackUser, TeamId, UserId
from bot.core.ports import HostCache, HostDirectory, HostRule
from bot.core.shared_waits import SharedWaits, serving

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
FOUND_SECONDS = 3600.0
MISSED_SECONDS = 15.0
CACHE_SIZE = 20_000
LINK = "linked by an administrator"
MOST_USERS = 2
"""With more users of one address, nobody is mapped, whatever their states are."""
OR_UNSEEN = "or none in a division that the bot may see"
_SEVERAL = "several Genesys users have this address"
NO_ADDRESS = (
    "Slack shows me no e-mail address. A Slack administrator can change that: the workspace's setting Email display,"
    " or the app's scope users:read.email"
)
UNCONFIRMED = (
    "there is an e-mail address in Slack, but Slack does not call it confirmed. The person confirms it by Slack's"
    " e-mail; where SSO or SCIM manages accounts, a Slack administrator does"
)
_TWO_HOSTS = "{} and {} are the same person, and have two Genesys users. Remove one of the two"
Key = tuple[TeamId, UserId]
Found = tuple[Host, float]
"""A host, and for how many seconds it is good."""


def host_id(text: str) -> HostId | None:
    """A UUID in lower case, or None for anything else."""
    text = text.strip().lower()
    return HostId(text) if UUID.fullmatch(text) else None


@dataclass(frozen=True, slots=True)
class NoMatch:
    """Why an address leads to no host, in a few words."""

    why: str


def only_active(users: Sequence[DirectoryUser], email: str) -> HostId | NoMatch:
    """The one active user who has this address (pure). One more user with it does not matter if they are not active."""
    if not users:
        return NoMatch(f"no Genesys user has it, {OR_UNSEEN}")
    if len(users) > MOST_USERS or (len(users) > 1 and not all(user.is_certain for user in users)):
        return NoMatch(_SEVERAL)
    if not all(text.isascii() for text in (email, *(user.email for user in users))):
        return NoMatch("the address has unusual letters")  # they look alike, or become alike in lower case
    # Asked again here, since a search that ignores its filter would hand out somebody else's host.
    if any(user.email.strip().lower() != email.lower() for user in users):
        return NoMatch("Genesys answered with another address")
    active = [user for user in users if user.active]
    if not active:
        who = "the Genesys user is" if len(users) == 1 else "the Genesys users with this address are"
        return NoMatch(f"{who} not active")
    if len(active) > 1 or len({user.id.lower() for user in users}) != len(users):
        return NoMatch(_SEVERAL)
    return host_id(active[0].id) or NoMatch("the Genesys user's id is no UUID")


class ListedHostRule:
    """Rule 1: the mapping file. An entry for (team, user) comes before one for the user in any team."""

    name = "hosts file"
    costs_a_call = False

    def __init__(self, listed: Mapping[tuple[TeamId | None, UserId], HostId]) -> None:
        self._listed = listed

    async def find(self, person: SlackUser) -> HostId | RuleMiss:
        for team_id in (person.team_id, None):
            found = {self._listed[team_id, each] for each in person.ids if (team_id, each) in self._listed}
            if len(found) > 1:
                return RuleMiss(self.name, _TWO_HOSTS.format(*person.ids))
            if found:
                return found.pop()
        return RuleMiss(self.name, "not listed")


class EmailRule:
    """Rule 2: the same confirmed address in Slack and, for exactly one active user, in Genesys."""

    name = "same e-mail"
    costs_a_call = True

    def __init__(self, directory: HostDirectory, domains: frozenset[str] = frozenset()) -> None:
        self._directory = directory
        self._domains = domains

    async def find(self, person: SlackUser) -> HostId | RuleMiss:
        if not person.email:
            return RuleMiss(self.name, UNCONFIRMED if person.has_unconfirmed_email else NO_ADDRESS)
        email = person.email.strip()
        if not email.isascii():  # letters that look alike, or become alike in lower case
            return RuleMiss(self.name, "the address has unusual letters")
        if self._domains and email.rpartition("@")[2].lower() not in self._domains:
            return RuleMiss(self.name, "the address is outside the allowed domains")
        found = only_active(await self._directory.by_email(email), email)
        return RuleMiss(self.name, found.why) if isinstance(found, NoMatch) else found


@dataclass(frozen=True, slots=True)
class ResolvedHost:
    """The agent of a session, and their host."""

    agent: SlackUser
    host: Host

    def linked_to(self, host_id: HostId) -> "ResolvedHost":
        """Return the agent with the host that an administrator linked them to."""
        return ResolvedHost(self.agent, Host(host_id, LINK))


class HostResolver:
    """The chain: an administrator's link comes first, and is looked up each time; then the first rule that maps."""

    def __init__(
        self,
        rules: Sequence[HostRule],
        book: HostCache,
        *,
        waits: SharedWaits | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`waits`: those of the rules' searches."""
        self._rules = rules
        self._book = book
        self._waits = waits or SharedWaits()
        self._found: Cache[Key, Found] = Cache(seconds=lambda found: found[1], size=CACHE_SIZE, clock=clock)
        self._missed: TTLCache[Key, tuple[RuleMiss, ...]] = TTLCache(CACHE_SIZE, MISSED_SECONDS, clock)
        self._looking: dict[Key, object] = {}
        self._undropped: set[Key] = set()  # forgotten, and the book was away

    async def find(self, person: SlackUser, *, is_target: bool = False) -> Host:
        """The person's host. Raises HostNotFoundError with what was tried, or ServiceError if Genesys cannot say."""
        key = (person.team_id, person.user_id)
        if linked := await self._linked(person, is_target):
            return Host(linked, LINK)
        tried = self._missed.get(key)
        if tried is None:
            try:
                async with self._waits.told(serving.get()):
                    host, _ = await self._found.get(key, lambda: self._look_up(key, person))
                return host
            except HostNotFoundError as missed:
                tried = self._missed[key] = missed.tried
        raise HostNotFoundError(person.user_id, is_target, tried)

    async def _linked(self, person: SlackUser, is_target: bool) -> HostId | None:
        found = {host for each in person.ids if (host := await self._book.linked(person.team_id, each))}
        if len(found) > 1:
            raise HostNotFoundError(person.user_id, is_target, (RuleMiss(LINK, _TWO_HOSTS.format(*person.ids)),))
        return found.pop() if found else None

    def peek(self, person: SlackUser) -> Host | None:
        """Whom the rules gave this person a while ago, without asking anybody; no link is looked up."""
        found = self._found.peek((person.team_id, person.user_id))
        return found[0] if found else None

    async def forget(self, person: SlackUser) -> None:
        """Looks the person up anew next time: the service did not take the host we had. Raises nothing."""
        key = (person.team_id, person.user_id)
        self._looking.pop(key, None)
        self._undropped.add(key)
        with suppress(StorageUnavailableError):  # what the service said is what the person has to read
            await self._book.drop_found(*key)
            self._undropped.discard(key)
        self._found.forget(key)  # after that: one who looks meanwhile may still have read it there

    async def _look_up(self, key: Key, person: SlackUser) -> Found:
        mine = self._looking[key] = object()
        try:
            before = None if key in self._undropped else await self._book.found(*key)
            found, is_news = await self._try_rules(person, before)
            if is_news and self._looking.get(key) is mine:
                await self._book.keep_found(*key, *found)
                self._undropped.discard(key)
                if self._looking.get(key) is not mine:  # forgotten while it was being kept
                    await self._book.drop_found(*key)
            return found
        finally:
            if self._looking.get(key) is mine:
                del self._looking[key]

    async def _try_rules(self, person: SlackUser, before: Found | None) -> tuple[Found, bool]:
        """The host, and whether the book is to remember it."""
        tried: list[RuleMiss] = []
        for rule in self._rules:
            if before and rule.costs_a_call and rule.name == before[0].rule:
                return before, False
            found = await rule.find(person)
            if isinstance(found, RuleMiss):
                tried.append(found)
            else:
                return (Host(found, rule.name), FOUND_SECONDS), rule.costs_a_call
        raise HostNotFoundError(person.user_id, False, tuple(tried))
