"""Slack's user groups and addresses, as far as the settings need them: whether the bot can read them. Only asks."""

import asyncio
from collections.abc import Sequence
from typing import Any

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.check.results import Finding, doubt, left_out, right, wrong
from bot.config.settings import Settings
from bot.core.access import AccessRules
from bot.core.hosts.resolver import NO_ADDRESS
from bot.slack.api.identity import BotIdentity
from bot.slack.api.responses import MISSHAPEN, TROUBLE, error_code
from bot.slack.api.trouble import word_for
from bot.slack.error_codes import NO_CODE, explain

ANSWER_SECONDS = 10.0
GROUPS, ADDRESSES = "user groups", "addresses"
MOST_WORKSPACES = 20
"""So many workspaces of an organisation are asked for a group."""
LOOKED_AT = 200
"""So many accounts are looked at for an address."""


async def look(web: AsyncWebClient, identity: BotIdentity, whole: Settings) -> list[Finding]:
    """The lines about what the settings need to know of people."""
    found = []
    settings_of = _groups_of(whole.rules)
    if settings_of and _may(identity, "usergroups:read"):
        found += await _groups(web, identity, settings_of)
    if whole.match_email and _may(identity, "users:read") and _may(identity, "users:read.email"):
        found += await _addresses(web, identity)
    return found


def _may(identity: BotIdentity, scope: str) -> bool:
    """Whether the token has a scope; where it has not, the line about scopes says so."""
    return not identity.scopes or scope in identity.scopes


def _groups_of(rules: AccessRules) -> dict[str, list[str]]:
    """Each user group, and the settings that name it."""
    rolls = {"MEMBERS": rules.members, "SUPERVISORS": rules.supervisors, "ADMINS": rules.admins}
    found: dict[str, list[str]] = {}
    for name, roll in rolls.items():
        for group in roll.groups:
            found.setdefault(group, []).append(f"COBROWSE_{name}")
    return found


async def _groups(web: AsyncWebClient, identity: BotIdentity, settings_of: dict[str, list[str]]) -> list[Finding]:
    workspaces = await workspaces_of(web, identity)
    findings = [await _group(web, group, names, workspaces) for group, names in settings_of.items()]
    if all(each is None for each in findings):
        return [right(GROUPS, f"{', '.join(settings_of)}: the bot can read who is in them")]
    return [each for each in findings if each]


async def workspaces_of(web: AsyncWebClient, identity: BotIdentity) -> Sequence[dict[str, str]]:
    """Return what names the workspace in a call: {} but for an org-wide token, which has to name one."""
    if not identity.home.org_wide:
        return [{}]
    answer, _ = await _asked(web, "auth.teams.list")
    teams = [str(each["id"]) for each in answer.get("teams") or [] if isinstance(each, dict) and each.get("id")]
    return [{"team_id": team_id} for team_id in teams[:MOST_WORKSPACES]] or [{"team_id": identity.home.team_id}]


async def _group(
    web: AsyncWebClient, group: str, names: Sequence[str], workspaces: Sequence[dict[str, str]]
) -> Finding | None:
    """What is wrong with a group; None when nothing is."""
    what, code = f"{group} ({', '.join(names)})", ""
    for where in workspaces:
        answer, code = await _asked(web, "usergroups.users.list", usergroup=group, **where)
        if not code:
            if answer.get("users"):
                return None
            mend = "Put people into the group in Slack, enable it if it is disabled, or name another group."
            return doubt(GROUPS, f"{what} has no members, so it lets nobody in.", mend)
    row = explain(code)
    told = f"{what} cannot be read ({code}), so it lets nobody in. {row.person}"
    if row.passes:
        return doubt(GROUPS, told, "Try again later; slack-status.com shows how Slack is doing.")
    return wrong(GROUPS, told, row.mend)


async def _addresses(web: AsyncWebClient, identity: BotIdentity) -> list[Finding]:
    """Whether Slack shows an address of anybody: some workspaces hide them."""
    workspaces = await workspaces_of(web, identity)
    answer, code = await _asked(web, "users.list", limit=str(LOOKED_AT), **workspaces[0])
    if code:
        return [left_out(ADDRESSES, f"Slack lists nobody ({code})")]
    members = [each for each in answer.get("members") or [] if isinstance(each, dict) and _is_person(each)]
    with_address = [each for each in members if (each.get("profile") or {}).get("email")]
    if not members:
        return [left_out(ADDRESSES, "Slack lists nobody")]
    if not with_address:
        what, _, mend = NO_ADDRESS.partition(". ")
        return [doubt(ADDRESSES, f"{what} of any of {len(members)} people.", f"{mend}; or map people another way.")]
    if not any(each.get("is_email_confirmed") is True for each in with_address):
        what = f"Slack calls none of the addresses of {len(with_address)} people confirmed."
        return [
            doubt(ADDRESSES, what, "Where SSO or SCIM manages accounts, a Slack administrator has to confirm them.")
        ]
    return [right(ADDRESSES, "Slack shows them to the bot")]


def _is_person(member: dict[str, Any]) -> bool:
    return not (member.get("deleted") or member.get("is_bot") or member.get("id") == "USLACKBOT")


async def _asked(web: AsyncWebClient, method: str, **params: str) -> tuple[dict[str, Any], str]:
    """Slack's answer, and its code for what went wrong, "" for nothing."""
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            data = (await web.api_call(method, http_verb="GET", params=params)).data
    except SlackApiError as error:
        return {}, error_code(error) or NO_CODE
    except (*TROUBLE, *MISSHAPEN) as error:
        return {}, word_for(error)
    return data if isinstance(data, dict) else {}, ""
