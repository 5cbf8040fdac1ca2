"""Check whether the bot can read the user groups and e-mail addresses that the settings need. Only reads."""

import asyncio
from collections.abc import Sequence
from typing import Any

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.check.results import CheckResult, failed, ok, skipped, warning
from bot.config.settings import Settings
from bot.core.access import AccessRules
from bot.slack.api.identity import BotIdentity
from bot.slack.api.responses import CALL_ERRORS, MALFORMED_ERRORS, error_code, error_label
from bot.slack.error_codes import NO_CODE, explain

ANSWER_TIMEOUT = 10.0
GROUPS, ADDRESSES = "user groups", "addresses"
MAX_WORKSPACES = 20
"""How many workspaces of an organization are searched for a group."""
MAX_ACCOUNTS = 200
"""How many accounts are searched for an e-mail address."""


async def check_directory(web: AsyncWebClient, identity: BotIdentity, settings: Settings) -> list[CheckResult]:
    """Return the results about user groups and e-mail addresses."""
    found = []
    settings_of = _groups_of(settings.rules)
    if settings_of and _has_scope(identity, "usergroups:read"):
        found += await _groups(web, identity, settings_of)
    if settings.match_email and _has_scope(identity, "users:read") and _has_scope(identity, "users:read.email"):
        found += await _addresses(web, identity)
    return found


def _has_scope(identity: BotIdentity, scope: str) -> bool:
    """Return whether the token has a scope. Another check names the missing scopes."""
    return not identity.scopes or scope in identity.scopes


def _groups_of(rules: AccessRules) -> dict[str, list[str]]:
    """Return the names of the settings that list each user group, by group."""
    allowlists = {"MEMBERS": rules.members, "SUPERVISORS": rules.supervisors, "ADMINS": rules.admins}
    found: dict[str, list[str]] = {}
    for name, allowlist in allowlists.items():
        for group in allowlist.groups:
            found.setdefault(group, []).append(f"COBROWSE_{name}")
    return found


async def _groups(web: AsyncWebClient, identity: BotIdentity, settings_of: dict[str, list[str]]) -> list[CheckResult]:
    workspaces = await workspaces_of(web, identity)
    results = [await _group(web, group, names, workspaces) for group, names in settings_of.items()]
    if all(each is None for each in results):
        return [ok(GROUPS, f"{', '.join(settings_of)}: the bot can read who is in them")]
    return [each for each in results if each]


async def workspaces_of(web: AsyncWebClient, identity: BotIdentity) -> Sequence[dict[str, str]]:
    """Return the call arguments that select each workspace of the token: [{}] except for an org-wide token."""
    if not identity.home.org_wide:
        return [{}]
    answer, _ = await _call(web, "auth.teams.list")
    teams = [str(each["id"]) for each in answer.get("teams") or [] if isinstance(each, dict) and each.get("id")]
    return [{"team_id": team_id} for team_id in teams[:MAX_WORKSPACES]] or [{"team_id": identity.home.team_id}]


async def _group(
    web: AsyncWebClient, group: str, names: Sequence[str], workspaces: Sequence[dict[str, str]]
) -> CheckResult | None:
    """Return a result if the group cannot be read, else None."""
    message, code = f"{group} ({', '.join(names)})", ""
    for where in workspaces:
        answer, code = await _call(web, "usergroups.users.list", usergroup=group, **where)
        if not code:
            if answer.get("users"):
                return None
            fix = "Put people into the group in Slack, enable it if it is disabled, or name another group."
            return warning(GROUPS, f"{message} has no members, so it lets nobody in.", fix)
    row = explain(code)
    text = f"{message} cannot be read ({code}), so it lets nobody in. {row.person}"
    if row.passes:
        return warning(GROUPS, text, "Try again later; slack-status.com shows how Slack is doing.")
    return failed(GROUPS, text, row.mend)


async def _addresses(web: AsyncWebClient, identity: BotIdentity) -> list[CheckResult]:
    """Check whether Slack shows e-mail addresses, since some workspaces hide them."""
    workspaces = await workspaces_of(web, identity)
    answer, code = await _call(web, "users.list", limit=str(MAX_ACCOUNTS), **workspaces[0])
    if code:
        return [skipped(ADDRESSES, f"Slack lists nobody ({code})")]
    members = [each for each in answer.get("members") or [] if isinstance(each, dict) and _is_person(each)]
    with_address = [each for each in members if (each.get("profile") or {}).get("email")]
    if not members:
        return [skipped(ADDRESSES, "Slack lists nobody")]
    if not with_address:
        fix = "A Slack administrator can change that: the workspace's setting Email display, or the app's scope"
        fix += " users:read.email; or map people another way."
        return [warning(ADDRESSES, f"Slack shows me no e-mail address of any of {len(members)} people.", fix)]
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
    """Return Slack's answer and its error code, "" for success."""
    try:
        async with asyncio.timeout(ANSWER_TIMEOUT):
            data = (await web.api_call(method, http_verb="GET", params=params)).data
    except SlackApiError as error:
        return {}, error_code(error) or NO_CODE
    except (*CALL_ERRORS, *MALFORMED_ERRORS) as error:
        return {}, error_label(error)
    return data if isinstance(data, dict) else {}, ""
