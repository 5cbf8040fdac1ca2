"""Check whether the installed Slack app has all that this version of the bot needs, such as scopes and events.

The check changes nothing. With the bot token, it can read only the scopes of the app. To read the whole manifest, it
needs an app configuration token: https://docs.slack.dev/reference/methods/apps.manifest.export
"""

import json
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.check.results import CheckResult, failed, ok, skipped, warning
from bot.slack.api.identity import BotIdentity
from bot.slack.api.responses import CALL_ERRORS, MALFORMED_ERRORS, error_code, error_label
from bot.slack.manifest import EVENTS_PATH, NEEDED, Features, build, needed_scopes

APP, SCOPES = "slack app", "slack scopes"
_APP_ID = re.compile(r"xapp-\d+-(A[A-Z0-9]+)-")
MAKE_CONFIG = (
    "At https://api.slack.com/apps, under Your App Configuration Tokens, press Generate Token, and set"
    " SLACK_CONFIG_TOKEN to its access token. It is good for 12 hours."
)
_TOKEN_CODES = ("token_expired", "invalid_auth", "not_authed", "token_revoked", "not_allowed_token_type")
NOT_SHOWN = "Slack shows an app's command and events only with SLACK_CONFIG_TOKEN"


def how_to_update(app_id: str, features: Features) -> str:
    """Return the sentence that says how to update the Slack app.

    - `app_id`: the app's id; "" if the id is unknown.
    - `features`: the settings that decide which parts the app's manifest needs.
    """
    workspace = features.path.removeprefix(EVENTS_PATH).strip("/")
    command = "cobrowse-bot manifest" + (f" --workspace {workspace}" if workspace else "")
    command += " --http URL" if features.over_http and not features.url else ""
    page = f"https://api.slack.com/apps/{app_id}" if app_id else "https://api.slack.com/apps, in your app"
    return (
        f"At {page}: under App Manifest, paste what `{command}` prints and press Save Changes; then, under"
        " Install App, press Reinstall."
    )


def check_scopes(granted: Collection[str], features: Features | None, app_token: str = "") -> CheckResult:
    """Compare the scopes that Slack has granted with the scopes that the settings need. Return the result.

    - `granted`: the scopes of the bot token; empty if Slack does not list them. The result is then a warning.
    - `features`: the settings that decide which parts the app's manifest needs. None if they have faults; the check
      then uses the default settings.
    - `app_token`: the app-level token, which contains the app's id; "" if there is none.
    """
    used = features or Features()
    needed = needed_scopes(groups=used.groups, emails=used.emails)
    fix = how_to_update(_app_id_in(app_token), used)
    if not granted:
        return warning(SCOPES, "Slack does not say which there are.", fix)
    if lacking := [scope for scope in needed if scope not in granted]:
        return failed(SCOPES, f"missing: {'; '.join(f'{each} ({NEEDED[each]})' for each in lacking)}.", fix)
    if more := sorted(set(granted) - set(NEEDED)):
        message = f"all that are needed, and more: {', '.join(more)}."
        return warning(SCOPES, message, f"The bot makes no use of them; take them out. {fix}")
    return ok(SCOPES, f"all {len(needed)} that these settings need")


async def check_app(
    web: AsyncWebClient,
    config: AsyncWebClient,
    identity: BotIdentity,
    features: Features,
    app_token: str,
    team_id: str | None = None,
) -> CheckResult:
    """Compare the installed app's manifest with the manifest that the settings need. Return the result.

    - `web`: the client with the bot token.
    - `config`: the client for the app configuration token. If its token is empty, the check is skipped.
    - `features`: the settings that decide which parts the app's manifest needs.
    - `app_token`: the app-level token, which contains the app's id; "" if there is none.
    - `team_id`: the id of any Slack workspace of the organization if the bot token is org-wide; otherwise None.
    """
    if not config.token:
        return skipped(APP, NOT_SHOWN)
    app_id = _app_id_in(app_token) or await _app_id_of(web, identity, team_id)
    if not app_id:
        return skipped(APP, "the bot cannot read its app's id; see the lines above")
    try:
        answer = await config.apps_manifest_export(token=config.token, app_id=app_id)
        installed = _parsed(answer.get("manifest"))
    except (*CALL_ERRORS, *MALFORMED_ERRORS) as error:
        code = error_code(error) if isinstance(error, SlackApiError) else ""
        message = f"Slack does not show the app's manifest ({code or error_label(error)}), so nothing was compared."
        return warning(APP, message, _how_to_export(code))
    fix = how_to_update(app_id, features)
    if missing := list(_missing(installed, features)):
        return failed(APP, f"it differs from what this version needs: {'; '.join(missing)}.", fix)
    if more := sorted(_events(installed) - _events(build(features))):
        return warning(APP, f"it sends events that nothing listens for: {', '.join(more)}.", fix)
    return ok(APP, f"command {features.command}, events, shortcuts and functions are as this version needs them")


def _how_to_export(code: str) -> str:
    """Return the sentence that says what to do if Slack refuses to export the app's manifest.

    `code`: Slack's error code; "" if Slack's answer has none.
    """
    if not code:
        return "Try again later; slack-status.com shows how Slack is doing."
    if code in _TOKEN_CODES:
        return MAKE_CONFIG
    return f"The token has to be of somebody who may edit the app. {MAKE_CONFIG}"


def _app_id_in(app_token: str) -> str:
    """Return the app's id, which is the second part of an app-level token; "" if the token has no such part."""
    found = _APP_ID.match(app_token)
    return found[1] if found else ""


async def _app_id_of(web: AsyncWebClient, identity: BotIdentity, team_id: str | None) -> str:
    try:
        return str((await web.bots_info(bot=identity.bot_id, team_id=team_id))["bot"]["app_id"])
    except (*CALL_ERRORS, *MALFORMED_ERRORS):
        return ""


def _parsed(manifest: object) -> Mapping[str, Any]:
    """Return an exported manifest as a mapping. Slack exports it as a JSON object, or as a text that contains one.

    Raises ValueError if `manifest` is neither.
    """
    parsed = json.loads(manifest) if isinstance(manifest, str) else manifest
    if not isinstance(parsed, dict):
        raise ValueError("no manifest")
    return parsed


def _missing(installed: Mapping[str, Any], features: Features) -> Iterator[str]:
    """Yield a phrase for each needed part of the manifest that the installed app lacks, or has with another value."""
    needed = build(features)
    scopes = _strings(installed, "oauth_config", "scopes", "bot")
    yield from (f"no scope {each}" for each in needed["oauth_config"]["scopes"]["bot"] if each not in scopes)
    yield from _command_faults(installed, features)
    yield from (f"no event {each}" for each in sorted(_events(needed) - _events(installed)))
    shortcuts = {each.get("callback_id") for each in _listed(installed, "features", "shortcuts")}
    wanted = [each["callback_id"] for each in needed["features"]["shortcuts"]]
    yield from (f"no shortcut {each}" for each in wanted if each not in shortcuts)
    yield from _function_faults(installed, needed)
    yield from _switches(installed, needed)


def _command_faults(installed: Mapping[str, Any], features: Features) -> Iterator[str]:
    commands = {str(each.get("command")): each for each in _listed(installed, "features", "slash_commands")}
    command = commands.get(features.command)
    if command is None:
        there = f" (it has {', '.join(sorted(commands))})" if commands else ""
        yield f"no command {features.command}{there}"
        return
    if command.get("should_escape") is not True:
        yield f"should_escape is off for {features.command}"
    if features.over_http and not str(command.get("url", "")).endswith(features.path):
        yield f"the URL of {features.command} does not end with {features.path}"


def _function_faults(installed: Mapping[str, Any], needed: Mapping[str, Any]) -> Iterator[str]:
    for name, function in needed.get("functions", {}).items():
        there = _at(installed, "functions", name)
        if not isinstance(there, dict):
            yield f"no function {name}"
            continue
        for where in ("input_parameters", "output_parameters"):
            has = _at(there, where, "properties") or {}
            yield from (f"no {each} in {name}" for each in function[where]["properties"] if each not in has)


def _switches(installed: Mapping[str, Any], needed: Mapping[str, Any]) -> Iterator[str]:
    """Yield a phrase for each feature, such as Socket Mode, that only one of the two manifests switches on."""
    switches = {
        "Socket Mode": ("settings", "socket_mode_enabled"),
        "interactivity": ("settings", "interactivity", "is_enabled"),
        "token rotation": ("settings", "token_rotation_enabled"),
        "the Home tab": ("features", "app_home", "home_tab_enabled"),
        "the Messages tab": ("features", "app_home", "messages_tab_enabled"),
    }
    for name, path in switches.items():
        wanted = bool(_at(needed, *path))
        if bool(_at(installed, *path)) is not wanted:
            yield f"{name} is {'off' if wanted else 'on'}"


def _events(manifest: Mapping[str, Any]) -> set[str]:
    return set(_strings(manifest, "settings", "event_subscriptions", "bot_events"))


def _listed(manifest: Mapping[str, Any], *path: str) -> list[Mapping[str, Any]]:
    found = _at(manifest, *path)
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _strings(manifest: Mapping[str, Any], *path: str) -> list[str]:
    found = _at(manifest, *path)
    return [each for each in found if isinstance(each, str)] if isinstance(found, list) else []


def _at(manifest: Any, *path: str) -> Any:
    """Return the value under the nested keys `path` in a manifest; None if there is no such value."""
    for name in path:
        manifest = manifest.get(name) if isinstance(manifest, dict) else None
    return manifest
