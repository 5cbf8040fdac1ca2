"""Find the Genesys host of a Slack user by a list of rules. A rule that finds no host returns the reason.

A session with the wrong host is the worst failure of this bot. So a rule returns a host only if the host is certain,
and the bot stores each host under the person's team id and user id.
"""

import re
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from cachetools import TTLCache

from bot.core.cache import Cache
from bot.core.errors import HostNotFoundError, MissReason, RuleMiss, StorageUnavailableError
from bot.core.models import DirectoryUser, Host, HostId, SlackUser, TeamId, UserId
from bot.core.ports import NULL_TRACER, HostCache, HostDirectory, HostRule, Tracer
from bot.core.shared_waits import SharedWaits, serving
from bot.core.timing import CoreTiming

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
MISSED_SECONDS = 15.0
CACHE_SIZE = 20_000
LINK = "linked by an administrator"
MAX_USERS = 2
"""How many Genesys users, active or not, may share an email address. If more do, the address maps to no host."""
Key = tuple[TeamId, UserId]
Found = tuple[Host, float]
"""A host that a rule found, and for how many seconds it may be cached."""


def host_id(text: str) -> HostId | None:
    """Convert a text to the id of a Genesys user, a UUID in lower case. Return None if the text is not a UUID."""
    text = text.strip().lower()
    return HostId(text) if UUID.fullmatch(text) else None


@dataclass(frozen=True, slots=True)
class NoMatch:
    """Says that a search by email address found no Genesys user who can be the host. `why`: the reason."""

    why: MissReason


def only_active(users: Sequence[DirectoryUser], email: str) -> HostId | NoMatch:
    """Return the id of the only active user in `users`, which Genesys returned for the address `email` (pure).

    Return NoMatch if no user or more than one user is active. Also return NoMatch if the answer is not certain: for
    example, if there are more than MAX_USERS users, or if a user has another email address.
    """
    if not users:
        return NoMatch(MissReason.NO_USER)
    if len(users) > MAX_USERS or (len(users) > 1 and not all(user.is_certain for user in users)):
        return NoMatch(MissReason.SEVERAL_USERS)
    if not all(text.isascii() for text in (email, *(user.email for user in users))):
        return NoMatch(MissReason.EMAIL_NOT_ASCII)  # they look alike, or become alike in lower case
    # Compared here, too: a search that ignores its filter would return another person's host.
    if any(user.email.strip().lower() != email.lower() for user in users):
        return NoMatch(MissReason.OTHER_EMAIL)
    active = [user for user in users if user.active]
    if not active:
        return NoMatch(MissReason.USER_INACTIVE if len(users) == 1 else MissReason.USERS_INACTIVE)
    if len(active) > 1 or len({user.id.lower() for user in users}) != len(users):
        return NoMatch(MissReason.SEVERAL_USERS)
    return host_id(active[0].id) or NoMatch(MissReason.ID_NOT_UUID)


class ListedHostRule:
    """The host rule of the hosts file: the host is the Genesys user in the person's row.

    A person can have several rows, for different teams and Slack ids. The rule uses the rows for all teams only if
    there is no row for one of the person's teams. If the rows that it uses name different hosts, it finds no host.
    """

    name = "hosts file"
    costs_a_call = False

    def __init__(self, listed: Mapping[tuple[TeamId | None, UserId], HostId]) -> None:
        self._listed = listed

    async def find(self, person: SlackUser) -> HostId | RuleMiss:
        for teams in (person.team_ids, (None,)):
            keys = [(team_id, each) for team_id in teams for each in person.ids]
            found = {self._listed[key] for key in keys if key in self._listed}
            if len(found) > 1:
                return RuleMiss(self.name, MissReason.TWO_HOSTS, person.ids)
            if found:
                return found.pop()
        return RuleMiss(self.name, MissReason.NOT_LISTED)


class EmailRule:
    """The last host rule: the host is the only active Genesys user with the person's email address in Slack.

    The rule uses only an email address that is confirmed in Slack.

    `domains`: the domains of allowed email addresses; empty allows all domains.
    """

    name = "same email"
    costs_a_call = True

    def __init__(self, directory: HostDirectory, domains: frozenset[str] = frozenset()) -> None:
        self._directory = directory
        self._domains = domains

    async def find(self, person: SlackUser) -> HostId | RuleMiss:
        if not person.email:
            is_unconfirmed = person.has_unconfirmed_email
            return RuleMiss(self.name, MissReason.EMAIL_UNCONFIRMED if is_unconfirmed else MissReason.NO_EMAIL)
        email = person.email.strip()
        if not email.isascii():  # letters that look alike, or become alike in lower case
            return RuleMiss(self.name, MissReason.EMAIL_NOT_ASCII)
        if self._domains and email.rpartition("@")[2].lower() not in self._domains:
            return RuleMiss(self.name, MissReason.DOMAIN_NOT_ALLOWED)
        found = only_active(await self._directory.by_email(email), email)
        return RuleMiss(self.name, found.why) if isinstance(found, NoMatch) else found


@dataclass(frozen=True, slots=True)
class ResolvedHost:
    """An agent, and the Genesys user who hosts the agent's sessions."""

    agent: SlackUser
    host: Host

    def linked_to(self, host_id: HostId) -> "ResolvedHost":
        """Return a copy whose host is the one in the agent's host link.

        `host_id`: the id of this host; "" if the agent's host links name different hosts. With "", the method `check`
        of the copy raises HostNotFoundError.
        """
        return ResolvedHost(self.agent, Host(host_id, LINK))

    def check(self, *, is_target: bool) -> None:
        """Raise HostNotFoundError if `host.id` is "", because the agent's host links name different hosts.

        `is_target`: True if another person or a workflow requested the session. The error has the same field.
        """
        if not self.host.id:
            raise _linked_twice(self.agent, is_target)


def _linked_twice(person: SlackUser, is_target: bool) -> HostNotFoundError:
    return HostNotFoundError(person.user_id, is_target, (RuleMiss(LINK, MissReason.TWO_HOSTS, person.ids),))


class HostResolver:
    """Finds the host of a person: by the person's host link, else by the first rule that finds a host."""

    def __init__(
        self,
        rules: Sequence[HostRule],
        store: HostCache,
        *,
        waits: SharedWaits | None = None,
        found_seconds: float = CoreTiming().host_cache_seconds,
        clock: Callable[[], float] = time.monotonic,
        tracer: Tracer = NULL_TRACER,
    ) -> None:
        """Create a resolver.

        - `rules`: the host rules, in the order in which to try them.
        - `store`: reads host links and stores found hosts.
        - `waits`: reports to the requests that share a search how long the search has to wait for Genesys. None means
          that no request gets such a report.
        - `found_seconds`: how many seconds to cache a host that a rule found.
        """
        self._found_seconds = found_seconds
        self._rules = rules
        self._store = store
        self._traced_look_up = tracer.resolving(self._look_up)
        self._waits = waits or SharedWaits()
        self._found: Cache[Key, Found] = Cache(seconds=lambda found: found[1], size=CACHE_SIZE, clock=clock)
        self._missed: TTLCache[Key, tuple[RuleMiss, ...]] = TTLCache(CACHE_SIZE, MISSED_SECONDS, clock)
        self._lookups: dict[Key, object] = {}
        self._not_dropped: set[Key] = set()  # dropped while the store was unavailable

    async def find(self, person: SlackUser, *, is_target: bool = False) -> Host:
        """Return a person's host.

        Raises HostNotFoundError, with the reasons, if no rule finds a host, or if the person's host links name
        different hosts. Raises ServiceError if a call to Genesys fails, and StorageUnavailableError if the database
        fails.

        `is_target`: True if another person or a workflow requested a session for this person. The value does not
        change the search. A HostNotFoundError has the same field.
        """
        key = (person.team_id, person.user_id)
        if linked := await self._linked(person, is_target):
            return Host(linked, LINK)
        if cached := self.peek(person):  # without the waits, which are those of searches for other people
            return cached
        tried = self._missed.get(key)
        if tried is None:
            try:
                async with self._waits.notified(serving.get()):
                    host, _ = await self._found.get(key, lambda: self._traced_look_up(key, person))
                return host
            except HostNotFoundError as missed:
                tried = self._missed[key] = missed.tried
        raise HostNotFoundError(person.user_id, is_target, tried)

    async def _linked(self, person: SlackUser, is_target: bool) -> HostId | None:
        keys = [(team_id, each) for team_id in person.team_ids for each in person.ids]
        found = {host for key in keys if (host := await self._store.linked(*key))}
        if len(found) > 1:  # a link for every team counts only without one for a team
            exact = {host for key in keys if (host := await self._store.linked(*key, is_exact=True))}
            found = exact or found
        if len(found) > 1:
            raise _linked_twice(person, is_target)
        return found.pop() if found else None

    def peek(self, person: SlackUser) -> Host | None:
        """Return the host that a rule found for a person, from this process's cache; None if no host is cached.

        This method ignores host links. The caller has to look for a host link first, because it goes before all other
        rules.
        """
        found = self._found.peek((person.team_id, person.user_id))
        return found[0] if found else None

    async def forget(self, person: SlackUser) -> None:
        """Delete the host that a rule found for a person, because Genesys did not accept the host.

        Delete the host from the cache and from the database. Keep host links. Never raises.
        """
        key = (person.team_id, person.user_id)
        self._lookups.pop(key, None)
        self._not_dropped.add(key)
        with suppress(StorageUnavailableError):  # the person has to read the service's error instead
            await self._store.drop_found(*key)
            self._not_dropped.discard(key)
        self._found.forget(key)  # last: a concurrent look-up may have read the stored host

    async def _look_up(self, key: Key, person: SlackUser) -> Found:
        mine = self._lookups[key] = object()
        try:
            before = None if key in self._not_dropped else await self._store.found(*key)
            found, is_new = await self._try_rules(person, before)
            if is_new and self._lookups.get(key) is mine:
                await self._store.keep_found(*key, *found)
                self._not_dropped.discard(key)
                if self._lookups.get(key) is not mine:  # dropped while it was being stored
                    await self._store.drop_found(*key)
            return found
        finally:
            if self._lookups.get(key) is mine:
                del self._lookups[key]

    async def _try_rules(self, person: SlackUser, before: Found | None) -> tuple[Found, bool]:
        """Try the rules in their order. Return the first host, and whether the caller has to store it in the database.

        Raises HostNotFoundError if no rule finds a host, and ServiceError if a call to Genesys fails.

        `before`: the host that an earlier search stored in the database; None if there is none. It saves a call to
        Genesys: do not try the rule that found `before` again if this rule calls Genesys, but return `before`.
        """
        tried: list[RuleMiss] = []
        for rule in self._rules:
            if before and rule.costs_a_call and rule.name == before[0].rule:
                return before, False
            found = await rule.find(person)
            if isinstance(found, RuleMiss):
                tried.append(found)
            else:
                return (Host(found, rule.name), self._found_seconds), rule.costs_a_call
        raise HostNotFoundError(person.user_id, False, tuple(tried))
