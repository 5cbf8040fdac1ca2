"""`check` compares the Slack app with the manifest that this version needs, and says what to change."""

import copy
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from bot.check.results import CheckResult, Status
from bot.check.slack.app import check_scopes
from bot.slack.manifest import NEEDED
from tests.support.app import CONFIG_TOKEN, Servers, open_servers
from tests.support.check import marks, right_environ, run_checks, untouched

Change = Callable[[dict[str, Any]], Any]


@pytest.fixture
async def servers() -> AsyncIterator[Servers]:
    async with open_servers() as started:
        yield started


async def app_line(servers: Servers, directory: Path, change: Change, **environ: str) -> CheckResult:
    """Return the result about the app after `change` has changed its manifest."""
    servers.slack.api.manifest = copy.deepcopy(dict(servers.slack.api.manifest))
    change(servers.slack.api.manifest)
    return (await run_checks(right_environ(servers, directory) | environ))["slack app"]


async def test_missing_scopes_are_named_with_what_they_are_for(servers: Servers, tmp_path: Path) -> None:
    servers.slack.api.scopes = ",".join(set(NEEDED) - {"im:write"})
    scopes = (await run_checks(right_environ(servers, tmp_path)))["slack scopes"]
    assert scopes.status is Status.FAILED
    assert f"im:write ({NEEDED['im:write']})" in scopes.message
    for told in ("cobrowse-bot manifest", "Save Changes", "Reinstall"):
        assert told in scopes.fix


async def test_scopes_of_features_that_are_off_are_not_missed(servers: Servers, tmp_path: Path) -> None:
    servers.slack.api.scopes = ",".join(set(NEEDED) - {"usergroups:read", "users:read.email"})
    environ = right_environ(servers, tmp_path)
    scopes = (await run_checks(environ))["slack scopes"]
    assert scopes.status is Status.FAILED
    assert "usergroups:read" in scopes.message
    off = {"COBROWSE_SUPERVISORS": "U0SAM", "COBROWSE_MATCH_EMAIL": "off"}
    scopes = (await run_checks(environ | off))["slack scopes"]
    assert (scopes.status, scopes.message) == (Status.OK, "all 7 that these settings need")


async def test_scopes_that_nothing_needs_are_a_warning(servers: Servers, tmp_path: Path) -> None:
    servers.slack.api.scopes = ",".join([*NEEDED, "channels:history"])
    scopes = (await run_checks(right_environ(servers, tmp_path)))["slack scopes"]
    assert scopes.status is Status.WARNING
    assert "channels:history" in scopes.message


async def test_the_app_of_this_version_is_right(servers: Servers, tmp_path: Path) -> None:
    line = await app_line(servers, tmp_path, lambda _: None)
    assert (line.status, line.fix) == (Status.OK, "")
    assert untouched(servers)


def of(manifest: dict[str, Any], *path: str) -> Any:
    for name in path:
        manifest = manifest[name]
    return manifest


def command_of(manifest: dict[str, Any]) -> dict[str, Any]:
    (command,) = of(manifest, "features", "slash_commands")
    return command


NO_HOME = {"bot_events": ["function_executed"]}
CHANGES: dict[str, Change] = {
    "no scope im:write": lambda app: of(app, "oauth_config", "scopes", "bot").remove("im:write"),
    "no event app_home_opened": lambda app: app["settings"].update(
        event_subscriptions={"bot_events": ["function_executed"]}
    ),
    "no command /cobrowse (it has /screen)": lambda app: command_of(app).update(command="/screen"),
    "no command /cobrowse;": lambda app: app["features"].pop("slash_commands") and app.pop("functions"),
    "should_escape is off for /cobrowse": lambda app: command_of(app).pop("should_escape"),
    "no shortcut cobrowse_start_here": lambda app: of(app, "features", "shortcuts").pop(),
    "no function start_cobrowse_session": lambda app: app.pop("functions"),
    "no code in start_cobrowse_session": lambda app: of(
        app, "functions", "start_cobrowse_session", "output_parameters", "properties"
    ).pop("code"),
    "Socket Mode is off": lambda app: app["settings"].update(socket_mode_enabled=False),
    "token rotation is on": lambda app: app["settings"].update(token_rotation_enabled=True),
    "the Home tab is off": lambda app: app["features"].pop("app_home"),
    "interactivity is off": lambda app: app["settings"].update(interactivity=None),
}


@pytest.mark.parametrize("told", CHANGES)
async def test_each_difference_is_named_with_what_to_press(servers: Servers, tmp_path: Path, told: str) -> None:
    line = await app_line(servers, tmp_path, CHANGES[told])
    assert line.status is Status.FAILED
    assert told in line.message
    for what in ("https://api.slack.com/apps/A0SANDBOX", "`cobrowse-bot manifest`", "Save Changes", "Reinstall"):
        assert what in line.fix
    assert untouched(servers)


async def test_events_that_nothing_listens_for_are_a_warning(servers: Servers, tmp_path: Path) -> None:
    def more(app: dict[str, Any]) -> None:
        of(app, "settings", "event_subscriptions", "bot_events").append("message.channels")

    line = await app_line(servers, tmp_path, more)
    assert line.status is Status.WARNING
    assert "message.channels" in line.message


async def test_parts_of_features_that_are_off_are_not_missed(servers: Servers, tmp_path: Path) -> None:
    def without_step(app: dict[str, Any]) -> None:
        app.pop("functions")
        app["settings"].pop("function_runtime")
        of(app, "settings", "event_subscriptions", "bot_events").remove("function_executed")

    line = await app_line(servers, tmp_path, without_step, COBROWSE_WORKFLOW_STEPS="off")
    assert line.status is Status.OK
    assert (await app_line(servers, tmp_path, lambda _: None)).status is Status.FAILED


async def test_over_http_the_command_needs_its_url(tmp_path: Path) -> None:
    async with open_servers(http=True) as servers:
        assert (await app_line(servers, tmp_path, lambda _: None)).status is Status.OK
        line = await app_line(servers, tmp_path, lambda app: command_of(app).pop("url"))
        assert line.status is Status.FAILED
        assert "does not end with /slack/events" in line.message
        assert "`cobrowse-bot manifest --http URL`" in line.fix


async def test_without_a_configuration_token_it_says_how_to_compare(servers: Servers, tmp_path: Path) -> None:
    found = await run_checks(right_environ(servers, tmp_path) | {"SLACK_CONFIG_TOKEN": ""})
    assert marks(found) == {"slack app": Status.SKIPPED}
    assert "SLACK_CONFIG_TOKEN" in found["slack app"].message
    assert servers.slack.count("apps.manifest.export") == servers.slack.count("bots.info") == 0


@pytest.mark.parametrize(
    ("code", "told"),
    [("token_expired", "Generate Token"), ("app_not_eligible", "may edit the app"), ("500", "Try again later")],
)
async def test_a_manifest_that_slack_does_not_show_is_a_warning(
    servers: Servers, tmp_path: Path, code: str, told: str
) -> None:
    servers.slack.inject_fault("apps.manifest.export", code)
    line = await app_line(servers, tmp_path, lambda _: None)
    assert line.status is Status.WARNING
    assert told in line.fix
    assert CONFIG_TOKEN not in f"{line.message} {line.fix}"


async def test_an_app_whose_id_the_bot_cannot_read_is_left_out(servers: Servers, tmp_path: Path) -> None:
    servers.slack.api.scopes = "commands"
    found = await run_checks(right_environ(servers, tmp_path))
    assert (found["slack app"].status, found["slack scopes"].status) == (Status.SKIPPED, Status.FAILED)


async def test_the_apps_id_is_read_from_the_app_level_token() -> None:
    needed = check_scopes(["commands"], None, "xapp-1-A012AB3CD-123-hush")
    assert "At https://api.slack.com/apps/A012AB3CD: under App Manifest" in needed.fix
    assert "hush" not in str(needed)


@pytest.mark.parametrize("manifest", ["{}", "no json", [], {"features": [], "settings": {"event_subscriptions": 7}}])
async def test_a_manifest_of_another_shape_is_told(servers: Servers, tmp_path: Path, manifest: Any) -> None:
    servers.slack.api.manifest = manifest
    line = (await run_checks(right_environ(servers, tmp_path)))["slack app"]
    assert line.status in (Status.WARNING, Status.FAILED)


@pytest.mark.parametrize(
    ("token", "told"),
    [("xoxb-1-hush", "is no configuration token"), ("xoxe-1-hush", "is the refresh token. Take the access token")],
)
async def test_another_token_is_named(servers: Servers, tmp_path: Path, token: str, told: str) -> None:
    found = await run_checks(right_environ(servers, tmp_path) | {"SLACK_CONFIG_TOKEN": token})
    assert told in f"{found['settings'].message} {found['settings'].fix}"
    assert "hush" not in str(found)
