"""The start of the sandbox: a port in use, the app's manifest, and the user who is an administrator."""

import asyncio
import socket
import sys
from pathlib import Path

import pytest
import yaml

from bot.sandbox import world
from bot.sandbox.app_manifest import PATH, load_manifest
from bot.sandbox.run import run_once
from bot.slack.messages.catalogue.languages import choose, load_languages
from bot.slack.messages.help import INTRODUCTION_PLAIN

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("flags", "command"), [(["--from-make"], "make sandbox PORT="), ([], "cobrowse-bot sandbox --port ")]
)
async def test_a_port_in_use_is_told_before_anything_is_ready(flags: list[str], command: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot", "sandbox", *flags, "--port", str(port),
            cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        out, problem = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode != 0
    assert out == b""
    said, _, other = problem.decode().partition(f"Port {port} is in use. Try `{command}")
    assert said == ""
    assert port < int(other.partition("`")[0]) < 65536
    assert "\n" not in other.strip()


def test_the_manifest_says_what_a_yaml_reader_finds() -> None:
    features = yaml.safe_load((ROOT / "manifest.yml").read_text(encoding="utf-8"))["features"]
    manifest = load_manifest()
    assert PATH.resolve() == ROOT / "manifest.yml"
    assert manifest.usage_hint == features["slash_commands"][0]["usage_hint"]
    assert manifest.has_read_only_messages == features["app_home"]["messages_tab_read_only_enabled"] is True


def test_a_manifest_without_these_keys_says_nothing(tmp_path: Path) -> None:
    path = tmp_path / "manifest.yml"
    path.write_text("features:\n  app_home:\n    messages_tab_read_only_enabled: false\n", encoding="utf-8")
    assert load_manifest(path).usage_hint == ""
    assert load_manifest(path).has_read_only_messages is False


@pytest.mark.parametrize("locale", [None, "fr-FR", "pt-PT", "it-IT"])
async def test_one_command_is_answered_in_the_persons_language(locale: str | None) -> None:
    languages = load_languages()
    language = languages[choose(locale or "", languages) or "en"]
    answer = await run_once("/cobrowse help", "agent", locale=locale)
    assert language.say(INTRODUCTION_PLAIN, command="/cobrowse") in [each.text for each in answer.messages]


async def test_the_administrator_can_link_somebody_and_is_the_contact() -> None:
    linked = await run_once(f"/cobrowse link @una {world.UNA_GENESYS_ID}", "admin")
    assert not linked.failed
    assert "@Una Unmapped" in linked.as_text()
    refused = await run_once("/cobrowse", "unmapped")
    assert refused.failed
    assert "@Ada Admin" in refused.as_text()
