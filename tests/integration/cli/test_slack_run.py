"""`slack run`: the hooks in .slack follow the protocol of Slack's CLI, and start the bot with the CLI's tokens."""

import asyncio
import json
import os
import re
import shutil
import signal
import sys
from asyncio.subprocess import PIPE
from pathlib import Path
from typing import Any

import pytest

from tests.support.app import ANA, ROOT, link, open_servers

HOUSE = Path(ROOT)
HOOKS = json.loads((HOUSE / ".slack" / "hooks.json").read_text(encoding="utf-8"))
BOUNDARY = "3561f3a3c5576e2ce0dc0d1e268bb9b2"
SECONDS = 30


def clone(directory: Path) -> Path:
    """Make a copy of the repository with all that the hooks need, and with the libraries of this interpreter."""
    (directory / "bot").symlink_to(HOUSE / "bot")
    shutil.copytree(HOUSE / ".slack", directory / ".slack", ignore=shutil.ignore_patterns("__pycache__"))
    (directory / ".venv" / "bin").mkdir(parents=True)
    (directory / ".venv" / "bin" / "python").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    (directory / ".venv" / "bin" / "python").chmod(0o755)
    return directory


async def hook(directory: Path, name: str, *arguments: str, environ: dict[str, str] | None = None) -> Any:
    """Run a hook as the CLI does: its command and the CLI's arguments, in a shell, in the project's directory."""
    command = " ".join([HOOKS["hooks"][name], *arguments])
    given = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", **(environ or {})}
    return await asyncio.create_subprocess_exec(
        "sh", "-c", f"exec {command}", cwd=directory, env=given, stdout=PIPE, stderr=PIPE
    )


async def ended(process: Any) -> tuple[int, str, str]:
    async with asyncio.timeout(SECONDS):
        out, err = await process.communicate()
    return process.returncode, out.decode(), err.decode()


def test_the_hooks_are_those_of_the_protocol() -> None:
    assert set(HOOKS["hooks"]) == {"get-manifest", "start"}
    assert HOOKS["config"]["protocol-version"] == ["message-boundaries"]
    assert HOOKS["config"]["sdk-managed-connection-enabled"] is True
    config = json.loads((HOUSE / ".slack" / "config.json").read_text(encoding="utf-8"))
    assert config["manifest"]["source"] == "local"  # else the CLI asks Slack for the manifest, not the hook


async def test_get_manifest_answers_between_the_boundaries(tmp_path: Path) -> None:
    process = await hook(
        clone(tmp_path), "get-manifest", "--protocol=message-boundaries", f"--boundary={BOUNDARY}",
        environ={"BOT_MODE": "http", "COBROWSE_COMMAND": "/screen"},
    )  # fmt: skip
    code, out, err = await ended(process)
    assert (code, err) == (0, "")
    _, answer, rest = out.split(BOUNDARY)
    assert rest == "\n"
    manifest = json.loads(answer)
    assert manifest["settings"]["socket_mode_enabled"] is True
    assert manifest["features"]["slash_commands"][0]["command"] == "/screen"


async def test_get_manifest_answers_plainly_without_boundaries(tmp_path: Path) -> None:
    code, out, err = await ended(await hook(clone(tmp_path), "get-manifest"))
    assert (code, err) == (0, "")
    assert json.loads(out)["display_information"]["name"] == "Co-browse"


async def test_a_fault_of_the_settings_is_told_and_answers_nothing(tmp_path: Path) -> None:
    process = await hook(clone(tmp_path), "get-manifest", environ={"COBROWSE_COMMAND": "screen"})
    code, out, err = await ended(process)
    assert (code, out) == (1, "")
    assert "COBROWSE_COMMAND: " in err


async def test_start_runs_the_bot_with_the_tokens_of_the_cli(tmp_path: Path) -> None:
    async with open_servers() as servers:
        environ = dict(servers.environ)
        tokens = {"SLACK_CLI_XOXB": environ.pop("SLACK_BOT_TOKEN"), "SLACK_CLI_XAPP": environ.pop("SLACK_APP_TOKEN")}
        (clone(tmp_path) / ".env").write_text("SLACK_BOT_TOKEN_FILE=/nowhere\nSLACK_APP_TOKEN=xapp-of-another-app\n")
        environ |= {"BOT_MODE": "http", "SLACK_APP_TOKEN_FILE": "/nowhere", "SLACK_BOT_TOKEN": "xoxb-of-another-app"}
        process = await hook(tmp_path, "start", environ=environ | tokens)
        try:
            await servers.slack.connected(SECONDS)
            assert (await servers.slack.command(ANA, "")).acked
            assert link(await servers.slack.next_message(ANA))
        finally:
            process.send_signal(signal.SIGTERM)
            code, out, err = await ended(process)
        assert code == 0, err
        assert not re.search("xoxb-|xapp-", out + err)


@pytest.mark.parametrize("name", ["SLACK_CLI_XOXB", "SLACK_CLI_XAPP"])
async def test_start_without_a_token_of_the_cli_says_so(tmp_path: Path, name: str) -> None:
    tokens = {"SLACK_CLI_XOXB": "xoxb-hush", "SLACK_CLI_XAPP": "xapp-hush"}
    del tokens[name]
    code, out, err = await ended(await hook(clone(tmp_path), "start", environ=tokens))
    assert (code, out) == (1, "")
    assert name in err
    assert "hush" not in err


async def test_a_clone_without_libraries_says_what_to_run(tmp_path: Path) -> None:
    shutil.rmtree(clone(tmp_path) / ".venv")
    code, out, err = await ended(await hook(tmp_path, "get-manifest"))
    assert (code, out) == (1, "")
    assert "make sandbox" in err
