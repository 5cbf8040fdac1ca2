"""Share complete environments for the tests of the settings, and read what commands say about a wrong one."""

import asyncio
import gc
import json
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from click.testing import CliRunner

from bot.cli.commands import main
from bot.config import settings
from bot.config.settings import SettingsError

FERNET = urlsafe_b64encode(bytes(range(32))).decode()
HOST = "2f7b0c9e-0000-4000-8000-000000000001"
GENESYS = {"GENESYS_REGION": "us-west-2", "GENESYS_CLIENT_ID": "client-1", "GENESYS_CLIENT_SECRET": "genesys-hush-1"}
SOCKET = GENESYS | {"SLACK_BOT_TOKEN": "xoxb-hush-1", "SLACK_APP_TOKEN": "xapp-hush-1"}
HTTP = GENESYS | {"SLACK_BOT_TOKEN": "xoxb-hush-1", "SLACK_SIGNING_SECRET": "signing-hush-1"}
NOWHERE = "http://127.0.0.1:9"
DEAD = SOCKET | {
    "SLACK_API_URL": f"{NOWHERE}/api/",
    "GENESYS_API_URL": NOWHERE,
    "GENESYS_LOGIN_URL": NOWHERE,
    "DATABASE_URL": "memory:",
}
"""Right, and nobody answers there."""


def faults(environ: dict[str, str], read: Callable[[Any], Any] = settings.read_settings) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        settings.load_part(read, environ)
    assert str(caught.value) == "\n".join(caught.value.faults)
    return caught.value.faults


def named(lines: list[str]) -> set[str]:
    return {line.partition(":")[0] for line in lines}


def without(environ: dict[str, str], *names: str) -> dict[str, str]:
    return {name: value for name, value in environ.items() if name not in names}


def said_by_run(environ: dict[str, str]) -> str:
    """Return the error with which `run` ends for these settings. It must end before it opens a connection."""
    try:
        with at_once():
            result = CliRunner().invoke(main, ["run"], env=environ, catch_exceptions=False)
    finally:
        gc.enable()
    assert result.exit_code == 1
    assert result.stderr.startswith("The settings have errors [settings_invalid]:\n")
    assert result.stderr.endswith("\nRun `cobrowse-bot check`: it says what is wrong, and how to fix it.\n")
    return result.stderr


def said_by_check(environ: dict[str, str], *, name: str = "settings") -> tuple[bool, str]:
    """Return whether `check` found a fault with this name, and its words. If there are several, return the first."""
    result = CliRunner().invoke(main, ["check", "--json"], env=environ, catch_exceptions=False)
    found = [each for each in json.loads(result.stdout)["findings"] if each["name"] == name]
    worst = next((each for each in found if each["mark"] == "wrong"), found[0])
    return worst["mark"] == "wrong", f"{worst['what']} {worst['mend']}"


@contextmanager
def at_once() -> Iterator[None]:
    """Fail the test if the event loop starts during a `with` block. With faults in the settings, it must not."""
    opened = asyncio.Runner.run
    asyncio.Runner.run = lambda *_: pytest.fail("run went on")  # type: ignore[method-assign]
    try:
        yield
    finally:
        asyncio.Runner.run = opened  # type: ignore[method-assign]
