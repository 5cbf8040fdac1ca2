"""The bot token changes while the bot runs: a good one is used, and one of another app or of nobody is not."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from bot.sandbox.slack.models import ApiCall
from bot.slack.api.identity import identify
from bot.slack.api.responder import new_web_client
from bot.slack.api.token_watch import TokenWatch
from tests.support.app import ADA, ANA, SAM, Journey, link, open_bot_between, open_servers
from tests.support.replicas import until
from tests.support.secret_files import QUICK_SECRETS, SecretMount
from tests.support.settings import without
from tests.support.views import opens_home, said

NAME, NEW = "SLACK_BOT_TOKEN", "xoxb-sandbox-another"


@asynccontextmanager
async def with_token_in_file(tmp_path: Path) -> AsyncIterator[tuple[Journey, SecretMount]]:
    """Run a bot that reads its bot token from a file, and looks at the file often."""
    async with open_servers() as servers:
        mount = SecretMount(tmp_path / "secrets", SLACK_BOT_TOKEN=servers.environ[NAME])
        environ = without(servers.environ, NAME) | mount.environ()
        async with open_bot_between(servers, environ, http=False, secret_timing=QUICK_SECRETS) as journey:
            yield journey, mount


def lines(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    """Return what the log says about changed secrets: the line, and the code of an error."""
    records = [each for each in caplog.records if each.name.endswith(".reload.watcher")]
    return [(each.getMessage(), each.__dict__["fields"].get("error", "")) for each in records]


async def test_new_token_is_used_by_all_calls(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    async with with_token_in_file(tmp_path) as (journey, mount):
        journey.slack.api.bot_tokens.append(NEW)
        mount.set(SLACK_BOT_TOKEN=NEW)
        await until(lambda: lines(caplog))
        assert lines(caplog) == [("a secret was changed", "")]
        journey.slack.api.bot_tokens.remove(journey.keys.bot_token)
        assert link(await journey.asks("@ben Deal", who=SAM))
        assert link(await journey.asks("Deal"))
        await journey.slack.open_home(ANA)
        assert refused(journey.slack.calls) == []


@pytest.mark.parametrize("is_new", [True, False], ids=["with a new token", "with the same token"])
async def test_home_tab_sees_a_scope_that_was_granted_later(tmp_path: Path, is_new: bool) -> None:
    """Who installs the app again may get another token from Slack, or keep the one that there is."""
    async with open_servers() as servers:
        granted = servers.slack.api.scopes
        servers.slack.api.scopes = granted.replace("channels:read,", "")
        mount = SecretMount(tmp_path / "secrets", SLACK_BOT_TOKEN=servers.environ[NAME])
        environ = without(servers.environ, NAME) | mount.environ()
        async with open_bot_between(servers, environ, http=False, secret_timing=QUICK_SECRETS) as journey:
            assert "channels:read" in said(await opens_home(journey, ADA))
            servers.slack.api.scopes = granted
            if is_new:
                journey.slack.api.bot_tokens.append(NEW)
                calls = servers.slack.count("auth.test")
                mount.set(SLACK_BOT_TOKEN=NEW)
                await until(lambda: servers.slack.count("auth.test") > calls)
            await opens_home(journey, ADA)
            assert "channels:read" not in said(await opens_home(journey, ADA))


def refused(calls: list[ApiCall]) -> list[str]:
    return [call.method for call in calls if call.error]


async def test_token_of_nobody_is_not_used(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with with_token_in_file(tmp_path) as (journey, mount):
        mount.set(SLACK_BOT_TOKEN="xoxb-of-nobody")
        await until(lambda: lines(caplog))
        assert lines(caplog) == [("a changed secret is not used, and the old one stays", "slack_token_refused")]
        assert link(await journey.asks("@ben Deal", who=SAM))


async def test_token_of_another_workspace_is_not_used(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with with_token_in_file(tmp_path) as (journey, mount):
        journey.slack.api.bot_tokens.append(NEW)
        journey.slack.workspace.bot_user_id = "U0ANOTHER"
        mount.set(SLACK_BOT_TOKEN=NEW)
        await until(lambda: lines(caplog))
        code = "slack_token_of_another_app"
        assert lines(caplog)[0] == ("a changed secret is not used, and the old one stays", code)


async def test_token_is_tried_again_when_slack_did_not_answer(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    async with with_token_in_file(tmp_path) as (journey, mount):
        journey.slack.api.bot_tokens.append(NEW)
        journey.slack.inject_fault("auth.test", "internal_error", times=2)
        mount.set(SLACK_BOT_TOKEN=NEW)
        await until(lambda: len(lines(caplog)) > 1)
        assert lines(caplog) == [
            ("a changed secret is not used, and the old one stays", "slack_unreachable"),
            ("a secret was changed", ""),
        ]


async def test_call_refused_with_the_old_token_is_repeated() -> None:
    async with open_servers() as servers, aiohttp.ClientSession() as http, TokenWatch() as watch:
        client = new_web_client(servers.keys.bot_token, servers.slack.api_url, http, watch=watch)
        await watch.start(client, identify)
        servers.slack.inject_fault("auth.test", "slow", seconds=0.2, times=1)
        calling = asyncio.create_task(client.auth_test())
        await until(lambda: servers.slack.count("auth.test") == 2)
        servers.slack.api.bot_tokens = [NEW]
        client.token = NEW
        assert (await calling)["ok"]
        assert watch.refusal == ""
