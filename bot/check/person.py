"""Check one Slack user without starting a session: may they start sessions, and which Genesys user is their host?"""

from datetime import UTC, datetime

from bot.check import genesys as genesys_check
from bot.check.results import CheckResult, failed, ok, skipped
from bot.config.settings import Settings
from bot.core.access import AccessPolicy, AccessRules, Allowlist
from bot.core.errors import (
    HostNotFoundError,
    PermissionDeniedError,
    PersonNotAllowedError,
    ServiceError,
    SlackUnavailableError,
)
from bot.core.hosts.resolver import Found, HostResolver
from bot.core.models import ChannelId, Host, HostId, Request, RequestKind, SlackUser, TeamId, UserId, new_request_id
from bot.core.timing import GENESYS_TIMING, SLACK_TIMING, GenesysTiming, SlackTiming
from bot.factories import host_rules, open_genesys
from bot.genesys.api.users import UsersApi
from bot.slack.api.directory import SlackDirectory
from bot.slack.api.identity import BotIdentity
from bot.slack.api.responder import new_http_session, new_web_client
from bot.slack.messages.catalogue.host_rules import explain_miss
from bot.slack.messages.catalogue.sentence import PLAIN_ENGLISH
from bot.slack.messages.catalogue.slack_errors import reason, remedy
from bot.storage.errors import StorageSetupError
from bot.storage.inspect import Linked, inspect_storage

CHECK_TIMEOUT = 15.0


class UncachedHosts:
    """A HostCache that stores no hosts. It makes `check` run the host rules even if the bot has stored a host.

    `linked`: a function that reads a person's host link from the database.
    """

    def __init__(self, linked: Linked) -> None:
        self._linked = linked

    async def linked(self, team_id: TeamId, user_id: UserId, *, is_exact: bool = False) -> HostId | None:
        return await self._linked(team_id, user_id, is_exact)

    async def found(self, team_id: TeamId, user_id: UserId) -> Found | None:
        return None

    async def keep_found(self, team_id: TeamId, user_id: UserId, host: Host, seconds: float) -> None:
        """Do nothing: this cache stores nothing."""

    async def drop_found(self, team_id: TeamId, user_id: UserId) -> None:
        """Do nothing: this cache stores nothing."""


async def check_person(
    settings: Settings,
    identity: BotIdentity,
    user_id: UserId,
    timing: GenesysTiming = GENESYS_TIMING,
    slack_timing: SlackTiming = SLACK_TIMING,
) -> list[CheckResult]:
    """Check whether a Slack user may start sessions, and which Genesys user is their host. Return the results.

    Do not look for the host if the user may not start sessions, or if Slack does not say who the user is.
    """
    slack = settings.slack
    async with new_http_session(slack_timing) as http:
        proxy = slack.proxies.of(slack.api_url)
        web = new_web_client(slack.bot_token, slack.api_url, http, proxy, timing=slack_timing)
        people = SlackDirectory(web, identity.home, max_wait_seconds=CHECK_TIMEOUT, timing=slack_timing)
        access = AccessPolicy(settings.rules, identity.home, people)
        try:
            person = await access.authorize_start(_dry_run_request(settings, identity, user_id))
            why = await _access_reason(settings.rules, people, person, identity.home.team_id)
            found = [ok("person", f"{person.name} ({user_id}) may start sessions: {why}")]
        except SlackUnavailableError as error:
            message = f"Slack would not say who {user_id} is ({error.slack_error})."
            if error.passes:
                return [failed("person", message, "Try again; if it stays so, look at the lines about Slack.")]
            why, fix = (each(PLAIN_ENGLISH, error.slack_error) for each in (reason, remedy))
            return [failed("person", f"{message} {why}", fix or "Look at the lines about Slack.")]
        except PermissionDeniedError as error:
            seen = people.peek_person(user_id)
            refusal = _unknown(user_id) if seen and not seen.team_id else _refusal(error, user_id)
            return [refusal, skipped("host", "they may not start sessions")]
    return [*found, await _host(settings, person, timing)]


def _dry_run_request(settings: Settings, identity: BotIdentity, user_id: UserId) -> Request:
    """Build a request by the user `user_id`, to pass to the access rules. Nothing processes this request.

    The settings allow sessions in the channel of the request.
    """
    home = identity.home
    return Request(
        id=new_request_id(),
        key="check",
        kind=RequestKind.WHOAMI,
        team_id=home.team_id,
        enterprise_id=home.enterprise_id,
        channel_id=next(iter(settings.rules.channels), ChannelId("C0")),
        requester=user_id,
        accepted_at=datetime.now(UTC),
    )


async def _access_reason(rules: AccessRules, people: SlackDirectory, person: SlackUser, team_id: TeamId) -> str:
    """Return a phrase that says why, for whom and in which channels a person may start sessions.

    An example is "on COBROWSE_MEMBERS (by name); for themselves only, in C012AB3CD only".

    Call this function only for a person who may start sessions.
    """
    allowlists = {
        "COBROWSE_ADMINS": rules.admins,
        "COBROWSE_SUPERVISORS": rules.supervisors,
        "COBROWSE_MEMBERS": rules.members,
    }
    on = [
        f"{name} ({by})"
        for name, allowlist in allowlists.items()
        if (by := await _list_entry(allowlist, people, person, team_id))
    ]
    reasons = f"on {', '.join(on)}" if on else "every full member may"
    leads = any(name.startswith(("COBROWSE_ADMINS", "COBROWSE_SUPERVISORS")) for name in on)
    where = f", in {', '.join(rules.channels)} only" if rules.channels else ""
    return f"{reasons}; {'for others too' if leads else 'for themselves only'}{where}"


async def _list_entry(allowlist: Allowlist, people: SlackDirectory, person: SlackUser, team_id: TeamId) -> str:
    for user_id in person.ids:
        if user_id in allowlist.users:
            return "by name" if user_id == person.user_id else f"by name, as {user_id}"
        for group in allowlist.groups:
            if await people.in_group(user_id, group, team_id):
                return f"by group {group}"
    return ""


def _unknown(user_id: UserId) -> CheckResult:
    fix = "Copy the id again: in Slack, open their profile, then the three dots, and choose Copy member ID."
    return failed("person", f"Slack knows nobody with the id {user_id} here.", fix)


def _refusal(error: PermissionDeniedError, user_id: UserId) -> CheckResult:
    match error:
        case PersonNotAllowedError(code="not_a_member", standing=standing):
            fix = "Only full members of the workspace may use the bot; there is no setting for that."
            return failed("person", f"{user_id} is refused: Slack knows them as {standing.value}.", fix)
        case PersonNotAllowedError():
            fix = "Add them to COBROWSE_MEMBERS, or to a user group that stands there."
            return failed("person", f"{user_id} is refused: not on COBROWSE_MEMBERS or any other list.", fix)
    return failed("person", f"{user_id} is refused ({error}).", "See who may do what in docs/use/admin.md.")


async def _host(settings: Settings, person: SlackUser, timing: GenesysTiming) -> CheckResult:
    database = settings.database
    try:
        async with (
            open_genesys(settings.service, timing=timing) as client,
            inspect_storage(database.url, database.keys, workspace=settings.workspace) as seen,
        ):
            rules = host_rules(settings, UsersApi(client))
            host = await HostResolver(rules, UncachedHosts(seen.linked)).find(person)
    except HostNotFoundError as missed:
        tried = "; ".join(explain_miss(PLAIN_ENGLISH, miss) for miss in missed.tried) or "no rule is set up"
        where = f" --workspace {settings.workspace}" if settings.workspace else ""
        fix = f"Link them: cobrowse-bot hosts set {person.user_id} <their Genesys user's id>{where}."
        return failed("host", f"no rule maps {person.user_id} ({tried}).", fix)
    except ServiceError as error:
        return failed("host", *genesys_check.describe_error(error, settings.service))
    except StorageSetupError:
        return skipped("host", "the database, where links stand, cannot be used")
    return ok("host", f"{host.id}, by the rule “{host.rule}”")
