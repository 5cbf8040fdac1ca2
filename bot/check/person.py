"""One person, as a dry run: may they start a session, by which rule, and which host would they be. Starts nothing."""

from dataclasses import replace
from datetime import UTC, datetime

from bot.check import genesys as genesys_check
from bot.check.results import Finding, left_out, right, wrong
from bot.check.slack_directory import workspaces_of
from bot.config.settings import Settings
from bot.core.access import AccessPolicy, AccessRules, Allowlist
from bot.core.errors import (
    HostNotFoundError,
    NotAMemberError,
    NotListedError,
    PermissionDeniedError,
    ServiceError,
    SlackUnavailableError,
)
from bot.core.hosts.resolver import Found, HostResolver
from bot.core.models import ChannelId, Host, HostId, Request, RequestKind, SlackUser, TeamId, UserId, new_request_id
from bot.core.timing import GENESYS_TIMING, GenesysTiming
from bot.genesys.api.users import UsersApi
from bot.slack.api.directory import SlackDirectory
from bot.slack.api.identity import BotIdentity
from bot.slack.api.responder import new_http_session, new_web_client
from bot.slack.api.token_watch import WebClient
from bot.slack.error_codes import explain
from bot.storage.errors import StorageSetupError
from bot.storage.inspect import Linked, inspect_storage
from bot.upstream import host_rules, open_genesys

PATIENCE_SECONDS = 15.0


class NothingFound:
    """Keeps to desk.store.HostCache, and keeps nothing: every rule is asked anew."""

    def __init__(self, linked: Linked) -> None:
        self._linked = linked

    async def linked(self, team_id: TeamId, user_id: UserId) -> HostId | None:
        return await self._linked(team_id, user_id)

    async def found(self, team_id: TeamId, user_id: UserId) -> Found | None:
        return None

    async def keep_found(self, team_id: TeamId, user_id: UserId, host: Host, seconds: float) -> None:
        """Nothing is written."""

    async def drop_found(self, team_id: TeamId, user_id: UserId) -> None:
        """Nothing is written."""


async def look(
    settings: Settings, identity: BotIdentity, user_id: UserId, timing: GenesysTiming = GENESYS_TIMING
) -> list[Finding]:
    """The lines about one person."""
    slack = settings.slack
    async with new_http_session() as http:
        web = new_web_client(slack.bot_token, slack.api_url, http, slack.proxies.of(slack.api_url))
        people = SlackDirectory(web, identity.home, patience_seconds=PATIENCE_SECONDS)
        access = AccessPolicy(settings.rules, identity.home, people)
        try:
            person, team_id = await _admitted(access, web, settings, identity, user_id)
            why = await _why(settings.rules, people, person, team_id)
            found = [right("person", f"{person.name} ({user_id}) may start sessions: {why}")]
        except SlackUnavailableError as error:
            what = f"Slack would not say who {user_id} is ({error.slack_error})."
            if error.passes:
                return [wrong("person", what, "Try again; if it stays so, look at the lines about Slack.")]
            row = explain(error.slack_error)
            return [wrong("person", f"{what} {row.person}", row.mend or "Look at the lines about Slack.")]
        except PermissionDeniedError as error:
            return [_refusal(error, user_id), left_out("host", "they may not start sessions")]
    return [*found, await _host(settings, person, timing)]


async def _admitted(
    access: AccessPolicy, web: WebClient, settings: Settings, identity: BotIdentity, user_id: UserId
) -> tuple[SlackUser, TeamId]:
    """The person, and the workspace in which they may start sessions; an org-wide token serves several.

    Raises what AccessPolicy.admit raises, of the last workspace.
    """
    trouble: SlackUnavailableError | PermissionDeniedError | None = None
    for where in await workspaces_of(web, identity):
        wish = _wish(settings, identity, user_id)
        wish = replace(wish, team_id=TeamId(where.get("team_id", wish.team_id)))
        try:
            return await access.authorize_start(wish), wish.team_id
        except (SlackUnavailableError, PermissionDeniedError) as error:
            trouble = error
    assert trouble is not None  # noqa: S101 - there is one workspace at least
    raise trouble


def _wish(settings: Settings, identity: BotIdentity, user_id: UserId) -> Request:
    """A command as this person could type it, where the command works."""
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


async def _why(rules: AccessRules, people: SlackDirectory, person: SlackUser, team_id: TeamId) -> str:
    """The rules that let them in, and where."""
    rolls = {
        "COBROWSE_ADMINS": rules.admins,
        "COBROWSE_SUPERVISORS": rules.supervisors,
        "COBROWSE_MEMBERS": rules.members,
    }
    on = [f"{name} ({by})" for name, roll in rolls.items() if (by := await _on(roll, people, person, team_id))]
    reasons = f"on {', '.join(on)}" if on else "every full member may"
    leads = any(name.startswith(("COBROWSE_ADMINS", "COBROWSE_SUPERVISORS")) for name in on)
    where = f", in {', '.join(rules.channels)} only" if rules.channels else ""
    return f"{reasons}; {'for others too' if leads else 'for themselves only'}{where}"


async def _on(roll: Allowlist, people: SlackDirectory, person: SlackUser, team_id: TeamId) -> str:
    for user_id in person.ids:
        if user_id in roll.users:
            return "by name" if user_id == person.user_id else f"by name, as {user_id}"
        for group in roll.groups:
            if await people.in_group(user_id, group, team_id):
                return f"by group {group}"
    return ""


def _refusal(error: PermissionDeniedError, user_id: UserId) -> Finding:
    match error:
        case NotAMemberError(standing=standing):
            mend = "Only full members of the workspace may use the bot; there is no setting for that."
            return wrong("person", f"{user_id} is refused: Slack knows them as {standing.value}.", mend)
        case NotListedError():
            mend = "Add them to COBROWSE_MEMBERS, or to a user group that stands there."
            return wrong("person", f"{user_id} is refused: not on COBROWSE_MEMBERS or any other list.", mend)
    return wrong("person", f"{user_id} is refused ({error}).", "See Who may do what in the README.")


async def _host(settings: Settings, person: SlackUser, timing: GenesysTiming) -> Finding:
    database = settings.database
    try:
        async with (
            open_genesys(settings.service, timing=timing) as client,
            inspect_storage(database.url, database.keys) as seen,
        ):
            rules = host_rules(settings, UsersApi(client))
            host = await HostResolver(rules, NothingFound(seen.linked)).find(person)
    except HostNotFoundError as missed:
        tried = "; ".join(f"{miss.rule}: {miss.why}" for miss in missed.tried) or "no rule is set up"
        mend = f"Link them: cobrowse-bot hosts set {person.user_id} <their Genesys user's id>."
        return wrong("host", f"no rule maps {person.user_id} ({tried}).", mend)
    except ServiceError as error:
        return wrong("host", *genesys_check.in_words(error, settings.service))
    except StorageSetupError:
        return left_out("host", "the database, where links stand, cannot be used")
    return right("host", f"{host.id}, by the rule “{host.rule}”")
