"""Define `cobrowse-bot manifest`, which prints the Slack app's manifest, or a link that creates the app."""

import json
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, NoReturn
from urllib.parse import quote, urlsplit

import click

from bot.cli.terminal import examples
from bot.cli.workspace_option import load_part, workspace_option
from bot.cli.yaml_text import as_yaml

if TYPE_CHECKING:
    from bot.slack.manifest import Features

CREATE = "https://api.slack.com/apps?new_app=1&manifest_yaml="
HEADER = """\
# Made by `cobrowse-bot manifest{options}`. A new app: https://api.slack.com/apps › Create New App › From a manifest.
# An app that there is: App Manifest, paste this, Save Changes; then Install App, Reinstall.
"""
NO_URL = (
    "Slack needs the bot's public address. Give it, such as --http https://bot.example.com, or set "
    "COBROWSE_PUBLIC_URL; or give --socket."
)


@click.command(
    epilog=examples(
        "cobrowse-bot manifest --link",
        "cobrowse-bot manifest --http https://bot.example.com --command /screen > manifest.yml",
    )
)
@click.option("--socket", is_flag=True, help="For Socket Mode, whatever the settings say.")
@click.option("--http", "url", metavar="URL", help="For HTTP: the bot's public address.")
@click.option("--command", metavar="/NAME", help="The slash command. Default: COBROWSE_COMMAND.")
@click.option("--all", "everything", is_flag=True, help="With every feature, whatever the settings say.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of YAML.")
@click.option("--link", is_flag=True, help="Print a link that creates the app from this manifest.")
@workspace_option()
def manifest(
    socket: bool, url: str | None, command: str | None, everything: bool, as_json: bool, link: bool, workspace: str
) -> None:
    """Print the Slack app's manifest for this installation.

    The manifest leaves out scopes and events of features that are off. Without .env, the manifest is for Socket Mode
    and the default settings. With --workspace, Slack sends events to /slack/events/NAME.
    """
    from bot.slack.manifest import COMMENTS, build

    if socket and url:
        raise click.UsageError("Give --socket or --http, not both.")
    features = _features(workspace, command, everything=everything)
    if socket or url:
        features = replace(features, over_http=bool(url), url=_events_url(url, features.path) if url else "")
    if features.over_http and not features.url:
        _fail(NO_URL)
    made = build(features)
    if link:
        click.echo(CREATE + quote(as_yaml(made), safe=""))
    elif as_json:
        click.echo(json.dumps(made, indent=2))
    else:
        options = f" --workspace {workspace}" * bool(workspace) + " --all" * everything
        click.echo(HEADER.format(options=options) + as_yaml(made, COMMENTS), nl=False)


def _features(workspace: str, command: str | None, *, everything: bool) -> "Features":
    """Return which features the Slack app has, according to the settings of one workspace.

    - `workspace`: the short name of the workspace; "" if the process serves only one.
    - `command`: the slash command; None for the command in the settings.
    - `everything`: whether to switch on all features, including those that are off in the settings.

    If the settings have faults, print the faults and exit with 1.
    """
    from bot.config import settings
    from bot.slack.manifest import ALL_FEATURES

    try:
        given = {"COBROWSE_COMMAND": command} if command else {}
        features = load_part(settings.read_features, workspace, given)
    except settings.SettingsError as fault:
        _fail("The settings have errors [settings_invalid]:\n" + "\n".join(f"  {each}" for each in fault.faults))
    if not everything:
        return features
    return replace(ALL_FEATURES, **{name: getattr(features, name) for name in ("command", "over_http", "path", "url")})


def _events_url(url: str, path: str) -> str:
    """Return the URL to which Slack sends events.

    - `url`: the value of --http: the public https URL of the bot. It can already end with the path for events.
    - `path`: the path on the bot's HTTP server to which Slack sends events. The returned URL ends with this path.

    Raises BadParameter if `url` is not an https URL, or has a user name, a query or a fragment.
    """
    from bot.slack.manifest import EVENTS_PATH

    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname or parts.query or parts.fragment or "@" in parts.netloc:
        raise click.BadParameter("give an address such as https://bot.example.com", param_hint="--http")
    base = url.rstrip("/").removesuffix(path).removesuffix(EVENTS_PATH)
    return base + path


def _fail(sentence: str) -> NoReturn:
    click.echo(sentence, err=True)
    sys.exit(1)
