"""Check what the bot can read from Slack: Slack workspaces, user groups and email addresses. Check the contact, too.

The contact is the person or channel in COBROWSE_HELP_CONTACT, to which the bot's messages send people. The check
changes nothing.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.check.results import CheckResult, failed, ok, skipped, warning
from bot.config.settings import Settings
from bot.core.access import AccessRules
from bot.slack.api.channels import share_refusal
from bot.slack.api.directory import MAX_WORKSPACES, NOT_HERE, ids_in
from bot.slack.api.identity import BotIdentity
from bot.slack.api.responses import CALL_ERRORS, MALFORMED_ERRORS, error_code, error_label
from bot.slack.error_codes import NO_CODE, passes
from bot.slack.messages.catalogue.sentence import PLAIN_ENGLISH
from bot.slack.messages.catalogue.slack_errors import reason, remedy
from bot.slack.messages.renderer import contact_id

ANSWER_TIMEOUT = 10.0
GROUPS, ADDRESSES, CONTACT, WORKSPACES = "user groups", "addresses", "contact", "workspaces"
MAX_NAMED = 20
"""The maximum number of Slack workspaces that a result names."""
MAX_ACCOUNTS = 200
"""The maximum number of accounts that the check reads to find out whether Slack shows email addresses."""


@dataclass(frozen=True, slots=True)
class WorkspaceList:
    """The Slack workspaces that the bot token can use.

    - `names`: the name of each Slack workspace by its id. If the bot token is not org-wide, the only id is "".
    - `error`: the error code if Slack does not list the organization's workspaces; otherwise "". With an error, `names`
      is empty.
    """

    names: Mapping[str, str]
    error: str = ""

    @property
    def arguments(self) -> list[dict[str, str]]:
        """Return one dict for each Slack workspace: the arguments that limit an API call to this Slack workspace.

        If the bot token is not org-wide, return one empty dict.
        """
        return [{"team_id": team_id} if team_id else {} for team_id in self.names]


async def list_workspaces(web: AsyncWebClient, identity: BotIdentity) -> WorkspaceList:
    """Return the Slack workspaces that the bot token can use, but at most MAX_WORKSPACES of them."""
    if not identity.home.org_wide:
        return WorkspaceList({"": ""})
    answer, code = await _call(web, "auth.teams.list", limit=str(MAX_WORKSPACES))
    teams = [each for each in answer.get("teams") or [] if isinstance(each, dict) and each.get("id")]
    return WorkspaceList({str(each["id"]): str(each.get("name") or "") for each in teams[:MAX_WORKSPACES]}, code)


async def check_directory(
    web: AsyncWebClient, identity: BotIdentity, settings: Settings, workspaces: WorkspaceList
) -> list[CheckResult]:
    """Check whether the bot can read Slack workspaces, user groups and email addresses. Check the contact, too.

    Return the results. Skip a check if the settings do not use what it reads, or if the bot token lacks the scope.
    """
    found = _workspaces(identity, workspaces) if identity.home.org_wide else []
    found.append(await _contact(web, identity, settings, workspaces))
    settings_of = _groups_of(settings.rules)
    if settings_of and _has_scope(identity, "usergroups:read"):
        found += await _groups(web, workspaces, settings_of)
    if settings.match_email and _has_scope(identity, "users:read") and _has_scope(identity, "users:read.email"):
        found += await _addresses(web, workspaces)
    return found


def _workspaces(identity: BotIdentity, workspaces: WorkspaceList) -> list[CheckResult]:
    """Check which Slack workspaces of the organization the app serves. Return a list with one result.

    The result is a warning if Slack does not list the workspaces, or if there may be more than MAX_WORKSPACES. It is a
    failed result if the app serves none.
    """
    organization, count = identity.home.enterprise_id, len(workspaces.names)
    if workspaces.error:
        message = (
            f"Slack does not list the workspaces of {organization} ({workspaces.error}). User groups need the list."
        )
        fix = remedy(PLAIN_ENGLISH, workspaces.error) or "Try again later; slack-status.com shows how Slack is doing."
        return [warning(WORKSPACES, message, fix)]
    if not count:
        fix = "An organization administrator has to add the app to workspaces, at Integrations in the admin pages."
        return [failed(WORKSPACES, f"The app is installed in {organization}, but in no workspace of it.", fix)]
    named = [f"{name} ({team_id})" for team_id, name in list(workspaces.names.items())[:MAX_NAMED]]
    more = f" and {count - MAX_NAMED} more" if count > MAX_NAMED else ""
    if count == MAX_WORKSPACES:
        message = f"The bot looks for user groups in {MAX_WORKSPACES} workspaces of {organization} only."
        return [warning(WORKSPACES, message, "List people by their ids, if their group is in another workspace.")]
    return [ok(WORKSPACES, f"the app serves {count} of {organization}: {', '.join(named)}{more}")]


def _has_scope(identity: BotIdentity, scope: str) -> bool:
    """Return whether the bot token has this scope. Return True if Slack does not list the token's scopes."""
    return not identity.scopes or scope in identity.scopes


def _groups_of(rules: AccessRules) -> dict[str, list[str]]:
    allowlists = {"MEMBERS": rules.members, "SUPERVISORS": rules.supervisors, "ADMINS": rules.admins}
    found: dict[str, list[str]] = {}
    for name, allowlist in allowlists.items():
        for group in allowlist.groups:
            found.setdefault(group, []).append(f"COBROWSE_{name}")
    return found


async def _groups(
    web: AsyncWebClient, workspaces: WorkspaceList, settings_of: dict[str, list[str]]
) -> list[CheckResult]:
    if not workspaces.names:
        return [skipped(GROUPS, "the workspaces that may have them are not known")]
    results = [await _group(web, group, names, workspaces) for group, names in settings_of.items()]
    if problems := [each for each in results if isinstance(each, CheckResult)]:
        return problems
    found = [f"{group} in {where}" if where else group for group, where in zip(settings_of, results, strict=True)]
    return [ok(GROUPS, f"{', '.join(found)}: the bot can read who is in them")]


async def _contact(
    web: AsyncWebClient, identity: BotIdentity, settings: Settings, workspaces: WorkspaceList
) -> CheckResult:
    """Check whether the contact is an administrator, or a channel that gets the messages about faults.

    Return the result. If COBROWSE_HELP_CONTACT names no person or channel, check only whether there are administrators.
    """
    contact, admins = settings.slack.help_contact, settings.rules.admins
    reader = contact_id(contact)
    if not reader and not admins:
        message = "Nobody is told about faults that need a repair."
        return warning(CONTACT, message, "Put people or user groups into COBROWSE_ADMINS.")
    if not reader:
        return ok(CONTACT, "administrators are told about faults" + ("" if contact else ", and are the contact"))
    if reader[0] in "CG":
        return await _contact_channel(web, identity, reader, settings)
    ids = await _ids(web, identity, reader)
    if any(each in admins.users for each in ids) or await _is_in_groups(web, workspaces, ids, admins.groups):
        return ok(CONTACT, f"{reader} is an administrator")
    message = f"{reader} (COBROWSE_HELP_CONTACT) is no administrator, so agents are sent to somebody who cannot help."
    return warning(CONTACT, message, "Add this person to COBROWSE_ADMINS, or name an administrator or a channel.")


async def _ids(web: AsyncWebClient, identity: BotIdentity, user_id: str) -> Sequence[str]:
    """Return all Slack ids of a person; only `user_id` if Slack does not return the person."""
    answer, _ = await _call(web, "users.info", user=user_id)
    user = answer.get("user")
    found = ids_in(user, identity.home) if isinstance(user, dict) else ()
    return found if user_id in found else (user_id,)


async def _is_in_groups(
    web: AsyncWebClient, workspaces: WorkspaceList, user_ids: Sequence[str], groups: Sequence[str]
) -> bool:
    """Return whether a person is in one of the user groups `groups`. `user_ids`: all Slack ids of the person.

    Return True, too, if a user group cannot be read. Another check reports this problem.
    """
    for group in groups:
        answers = [await _call(web, "usergroups.users.list", usergroup=group, **each) for each in workspaces.arguments]
        members = {each for answer, _ in answers for each in answer.get("users") or []}
        if all(code for _, code in answers) or not members.isdisjoint(user_ids):
            return True
    return False


async def _contact_channel(
    web: AsyncWebClient, identity: BotIdentity, channel_id: str, settings: Settings
) -> CheckResult:
    """Check whether the channel in COBROWSE_HELP_CONTACT gets the messages about faults. Return the result.

    The result is a warning if the channel gets none: the bot cannot see it, it is archived, or people of other
    organizations can read it. The result is also a warning if there are no administrators.
    """
    answer, code = await _call(web, "conversations.info", channel=channel_id)
    named = f"The channel {channel_id} (COBROWSE_HELP_CONTACT)"
    try:
        refusal = "" if code else share_refusal(answer["channel"], identity.home)
    except MALFORMED_ERRORS:
        code = NO_CODE
    if code:
        message = f"{named} cannot be seen ({code}), so it gets no message about faults."
        return warning(CONTACT, message, "Correct the id, or invite the bot to the channel.")
    if refusal:
        message = (
            f"{named} is archived, or people of other organizations may read it, so it gets no message about faults."
        )
        return warning(CONTACT, message, "Name a channel that only your organization reads.")
    if not settings.rules.admins:
        message = f"{named} is told about faults, but nobody may press Check again."
        return warning(CONTACT, message, "Put people or user groups into COBROWSE_ADMINS.")
    return ok(CONTACT, f"the channel {channel_id} is told about faults")


async def _group(web: AsyncWebClient, group: str, names: Sequence[str], workspaces: WorkspaceList) -> CheckResult | str:
    """Check whether the bot can read the user group `group`, and whether the user group has members.

    If there is a problem, return a result. Otherwise return the name of the user group's Slack workspace; its id if
    Slack gives no name; "" if the bot token is not org-wide.

    `names`: the names of the settings that contain the user group.
    """
    message, code, is_empty = f"{group} ({', '.join(names)})", "", False
    for where, name in zip(workspaces.arguments, workspaces.names.values(), strict=True):
        answer, error = await _call(web, "usergroups.users.list", usergroup=group, **where)
        if answer.get("users"):
            return name or where.get("team_id", "")
        is_empty |= not error
        code = error if error not in NOT_HERE or not code else code
    if is_empty:
        fix = "Put people into the group in Slack, enable it if it is disabled, or name another group."
        return warning(GROUPS, f"{message} has no members, so it lets nobody in.", fix)
    place = f" in any of {len(workspaces.names)} workspaces" if len(workspaces.names) > 1 else ""
    text = f"{message} cannot be read{place} ({code}), so it lets nobody in. {reason(PLAIN_ENGLISH, code)}"
    if passes(code):
        return warning(GROUPS, text, "Try again later; slack-status.com shows how Slack is doing.")
    return failed(GROUPS, text, remedy(PLAIN_ENGLISH, code))


async def _addresses(web: AsyncWebClient, workspaces: WorkspaceList) -> list[CheckResult]:
    """Check whether Slack shows confirmed email addresses of people to the bot. Return a list with one result.

    The result is a warning if Slack shows none, and a skipped result if Slack lists no people.
    """
    where = next(iter(workspaces.arguments), {})
    answer, code = await _call(web, "users.list", limit=str(MAX_ACCOUNTS), **where)
    if code:
        return [skipped(ADDRESSES, f"Slack lists nobody ({code})")]
    members = [each for each in answer.get("members") or [] if isinstance(each, dict) and _is_person(each)]
    with_address = [each for each in members if (each.get("profile") or {}).get("email")]
    if not members:
        return [skipped(ADDRESSES, "Slack lists nobody")]
    if not with_address:
        fix = "A Slack administrator can change that: the workspace's setting Email display, or the app's scope"
        fix += " users:read.email; or map people another way."
        return [warning(ADDRESSES, f"Slack shows me no email address of any of {len(members)} people.", fix)]
    if not any(each.get("is_email_confirmed") is True for each in with_address):
        message = f"Slack calls none of the addresses of {len(with_address)} people confirmed."
        return [
            warning(
                ADDRESSES, message, "Where SSO or SCIM manages accounts, a Slack administrator has to confirm them."
            )
        ]
    return [ok(ADDRESSES, "Slack shows them to the bot")]


def _is_person(member: dict[str, Any]) -> bool:
    return not (member.get("deleted") or member.get("is_bot") or member.get("id") == "USLACKBOT")


async def _call(web: AsyncWebClient, method: str, **params: str) -> tuple[dict[str, Any], str]:
    """Call a method of Slack's Web API. Return the answer and "". If the call fails, return {} and an error code."""
    try:
        async with asyncio.timeout(ANSWER_TIMEOUT):
            data = (await web.api_call(method, http_verb="GET", params=params)).data
    except SlackApiError as error:
        return {}, error_code(error) or NO_CODE
    except (*CALL_ERRORS, *MALFORMED_ERRORS) as error:
        return {}, error_label(error)
    return data if isinstance(data, dict) else {}, ""
