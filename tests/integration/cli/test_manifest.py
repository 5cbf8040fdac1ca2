"""`cobrowse-bot manifest`: YAML, JSON and the link that creates the app, with what this installation uses."""

import itertools
import json
import urllib.parse
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from bot.cli.commands import main
from bot.cli.manifest import CREATE
from bot.cli.yaml_text import as_yaml
from bot.slack.manifest import COMMENTS, NEEDED, Features, build
from tests.support.app import ROOT
from tests.support.cases import each_case
from tests.support.cli import typed

HOUSE = Path(ROOT)
SCHEMA = HOUSE / ".." / "shared" / "schemas" / "slack-manifest.schema.2.0.0.json"
URL = "https://bot.example.com/slack/events"


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a working directory without .env."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str, **environ: str) -> Result:
    return CliRunner().invoke(main, ["manifest", *arguments], env=environ, catch_exceptions=False)


def printed(*arguments: str, **environ: str) -> dict[str, Any]:
    result = run(*arguments, **environ)
    assert (result.exit_code, result.stderr) == (0, "")
    manifest: dict[str, Any] = yaml.safe_load(result.stdout)
    return manifest


def scopes(manifest: dict[str, Any]) -> list[str]:
    found: list[str] = manifest["oauth_config"]["scopes"]["bot"]
    return found


def test_the_file_in_the_repository_is_what_the_command_prints(empty: Path) -> None:
    assert run("--all").stdout == (HOUSE / "manifest.yml").read_text(encoding="utf-8")


@pytest.mark.usefixtures("empty")
def test_features_that_are_off_are_left_out() -> None:
    plain = printed()
    assert scopes(plain) == [scope for scope in NEEDED if scope != "usergroups:read"]
    assert "functions" not in plain
    assert "function_runtime" not in plain["settings"]
    assert plain["settings"]["event_subscriptions"] == {"bot_events": ["app_home_opened"]}
    least = printed(COBROWSE_MATCH_EMAIL="off")
    assert set(scopes(plain)) - set(scopes(least)) == {"users:read.email"}
    on = {"COBROWSE_MEMBERS": "S0TEAM", "COBROWSE_WORKFLOW_STEPS": "on"}
    assert printed(**on) == printed("--all")


@pytest.mark.usefixtures("empty")
def test_socket_mode_or_http_as_given_or_as_set() -> None:
    for manifest in (printed("--http", "https://bot.example.com/"), printed("--http", URL)):
        assert manifest["settings"]["socket_mode_enabled"] is False
        assert manifest["features"]["slash_commands"][0]["url"] == URL
        assert manifest["settings"]["interactivity"] == {"is_enabled": True, "request_url": URL}
        assert manifest["settings"]["event_subscriptions"]["request_url"] == URL
    over_http = {"BOT_MODE": "http", "COBROWSE_PUBLIC_URL": "https://bot.example.com/co"}
    assert printed(**over_http) == printed("--http", URL)
    assert printed("--socket", **over_http) == printed()
    result = run(SLACK_SIGNING_SECRET="0" * 32)
    assert (result.exit_code, result.stdout) == (1, "")
    assert "--http https://bot.example.com" in result.stderr


@pytest.mark.usefixtures("empty")
def test_the_command_is_this_installations() -> None:
    manifest = printed(COBROWSE_COMMAND="/screen")
    assert manifest == printed("--command", "/screen")
    assert manifest["features"]["slash_commands"][0]["command"] == "/screen"
    assert manifest["display_information"]["long_description"].startswith("Type /screen ")
    result = run("--command", "screen")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "COBROWSE_COMMAND: " in result.stderr


@pytest.mark.usefixtures("empty")
@pytest.mark.parametrize(
    "url", ["http://bot.example.com", "bot.example.com", "https://me@bot.example.com", "https:///x"]
)
def test_an_address_that_slack_would_not_take_is_refused(url: str) -> None:
    result = run("--http", url)
    assert result.exit_code == 2
    assert "https://bot.example.com" in result.stderr
    assert run("--http", URL, "--socket").exit_code == 2


@pytest.mark.usefixtures("empty")
def test_json_and_link_hold_the_same_manifest() -> None:
    assert json.loads(run("--json", "--all").stdout) == printed("--all")
    link = run("--link").stdout
    assert link.startswith(CREATE)
    assert link.count("\n") == 1
    assert len(link) < 8000
    query = urllib.parse.parse_qs(urllib.parse.urlsplit(link.strip()).query)
    assert query["new_app"] == ["1"]
    assert yaml.safe_load(query["manifest_yaml"][0]) == printed()


@pytest.mark.usefixtures("empty")
def test_the_readmes_button_is_the_link() -> None:
    assert f"]({run('--link').stdout.strip()})" in (HOUSE / "README.md").read_text(encoding="utf-8")


async def test_the_command_needs_no_sandbox_and_no_file_beside_it(tmp_path: Path) -> None:
    done = await typed(tmp_path, ["manifest", "--json"], interpreter=True)
    assert (done.code, done.err) == (0, "")
    assert json.loads(done.out)["features"]["slash_commands"][0]["command"] == "/cobrowse"


VARIANTS = [
    Features("/cobrowse", over_http, url=URL if over_http else "", groups=groups, emails=emails, steps=steps)
    for over_http, groups, emails, steps in itertools.product([False, True], repeat=4)
]


@each_case("features", VARIANTS, ids=range(len(VARIANTS)))
def test_a_yaml_reader_finds_what_was_written(features: Features) -> None:
    manifest = build(features)
    for text in (as_yaml(manifest), as_yaml(manifest, COMMENTS)):
        assert yaml.safe_load(text) == manifest
        assert max(map(len, text.splitlines())) <= 140
    if SCHEMA.exists():
        jsonschema.validate(manifest, json.loads(SCHEMA.read_text(encoding="utf-8")))


TEXTS = st.text(st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs"]))
KEYS = st.text(st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs"]), max_size=100)  # YAML takes 1,024
ODD = ("no", "a: b", "x #y", "- z", "'", "é", "12", "a " * 80, "word " * 40 + "end")
SCALARS = TEXTS | st.booleans() | st.integers() | st.sampled_from(ODD)
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner), max_leaves=12)


@given(st.dictionaries(KEYS, VALUES))
def test_any_dictionary_survives(value: dict[str, Any]) -> None:
    assert yaml.safe_load(as_yaml(value)) == (value or None)
