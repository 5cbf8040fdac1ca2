"""The sandbox's Slack with Slack's own Web API client: who may call which method, the answers, and the errors."""

from __future__ import annotations

import asyncio
import json

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_async_handlers import AsyncRateLimitErrorRetryHandler
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.slack.server import SandboxSlack
from tests.support import sandbox_slack
from tests.support.sandbox_slack import ANA, BEN, CARD, GUEST, OUTSIDER, error_of

slack, web_client = sandbox_slack.slack, sandbox_slack.web_client


async def test_auth_test_names_the_workspace_and_the_bot(web_client: AsyncWebClient) -> None:
    answer = await web_client.auth_test()
    assert (answer["team_id"], answer["user_id"], answer["bot_id"]) == ("T0SANDBOX", "U0BOT", "B0BOT")
    assert "chat:write" in answer.headers["x-oauth-scopes"]


@pytest.mark.parametrize(
    ("token", "error"), [("xoxb-wrong", "invalid_auth"), (None, "not_authed"), ("xapp-right", "not_allowed_token_type")]
)
async def test_a_wrong_token_is_refused(slack: SandboxSlack, token: str | None, error: str) -> None:
    assert await error_of(AsyncWebClient(token, base_url=slack.api_url).auth_test()) == error


async def test_a_call_the_app_has_no_scope_for_is_refused(slack: SandboxSlack, web_client: AsyncWebClient) -> None:
    slack.api.scopes = "commands"
    refused = web_client.chat_postMessage(channel="C0HELP", text="x")
    with pytest.raises(SlackApiError) as caught:
        await refused
    answer = caught.value.response
    assert (answer["error"], answer["needed"], answer["provided"]) == ("missing_scope", "chat:write", "commands")
    assert slack.messages == []


async def test_only_the_app_token_opens_a_connection(slack: SandboxSlack, web_client: AsyncWebClient) -> None:
    assert (await web_client.apps_connections_open(app_token="xapp-right"))["url"].startswith("ws://127.0.0.1:")
    assert await error_of(web_client.apps_connections_open(app_token="xoxb-right")) == "not_allowed_token_type"


async def test_users_info_shows_a_person_as_slack_does(web_client: AsyncWebClient) -> None:
    ana = (await web_client.users_info(user=ANA))["user"]
    assert (ana["profile"]["email"], ana["is_email_confirmed"], ana["team_id"]) == (
        "ana@example.com",
        True,
        "T0SANDBOX",
    )
    assert not ana["is_restricted"]
    assert "is_stranger" not in ana
    assert "locale" not in ana
    assert (await web_client.users_info(user=ANA, include_locale=True))["user"]["locale"] == "en-US"
    assert (await web_client.users_info(user=GUEST))["user"]["is_restricted"]
    olga = (await web_client.users_info(user=OUTSIDER))["user"]
    assert olga["is_stranger"]
    assert "email" not in olga["profile"]
    assert "is_restricted" not in (await web_client.users_info(user="U0GONE"))["user"]
    assert await error_of(web_client.users_info(user="U0NOBODY")) == "user_not_found"


async def test_a_user_group_lists_its_members(web_client: AsyncWebClient) -> None:
    assert (await web_client.usergroups_users_list(usergroup="S0SUP"))["users"] == [BEN]
    assert await error_of(web_client.usergroups_users_list(usergroup="S0NONE")) == "no_such_subteam"


async def test_an_unknown_method_is_refused(web_client: AsyncWebClient) -> None:
    assert await error_of(web_client.api_call("chat.shout")) == "unknown_method"


async def test_forms_json_and_queries_are_all_read(slack: SandboxSlack) -> None:
    headers = {"Authorization": "Bearer xoxb-right"}
    form = {"channel": "C0HELP", "text": "form", "blocks": json.dumps(CARD)}
    async with aiohttp.ClientSession(slack.api_url, headers=headers) as session:
        assert (await (await session.post("chat.postMessage", data=form)).json())["ok"]
        assert (await (await session.get("users.info", params={"user": ANA})).json())["user"]["id"] == ANA
        broken = await session.post("chat.postMessage", data=b"{", headers={"Content-Type": "application/json"})
        assert (await broken.json())["error"] == "invalid_json"
        in_body = await session.post("auth.test", data={"token": "xoxb-wrong"}, headers={"Authorization": ""})
        assert (await in_body.json())["error"] == "invalid_auth"
    assert slack.messages[0].blocks[0]["block_id"] == "b"
    assert "token" not in slack.calls[-1].args


# faults


async def test_a_fault_lasts_as_often_as_it_was_asked_to(slack: SandboxSlack, web_client: AsyncWebClient) -> None:
    slack.inject_fault("users.info", "ratelimited", times=1, retry_after=0)
    web_client.retry_handlers.append(AsyncRateLimitErrorRetryHandler(max_retry_count=1))
    assert (await web_client.users_info(user=ANA))["ok"]
    assert [call.error for call in slack.calls] == ["ratelimited", None]
    slack.inject_fault("users.info", "channel_not_found")
    assert await error_of(web_client.users_info(user=ANA)) == "channel_not_found"
    slack.inject_fault("users.info", None)
    assert (await web_client.users_info(user=ANA))["ok"]


async def test_a_dropped_answer_may_still_have_acted(slack: SandboxSlack) -> None:
    client = AsyncWebClient("xoxb-right", base_url=slack.api_url, retry_handlers=[])
    for acted in (False, True):
        slack.inject_fault("chat.postMessage", "drop", times=1, processes=acted)
        with pytest.raises(aiohttp.ClientError):
            await client.chat_postMessage(channel="C0HELP", text=str(acted))
    assert [message.text for message in slack.messages] == ["True"]


async def test_a_slow_method_answers_in_the_end(slack: SandboxSlack, web_client: AsyncWebClient) -> None:
    slack.inject_fault("auth.test", "slow", seconds=0.1)
    await web_client.auth_test()
    assert slack.traffic[-1]["ms"] >= 100  # type: ignore[attr-defined]


async def test_stopping_ends_calls_that_hang(slack: SandboxSlack) -> None:
    slack.inject_fault("auth.test", "slow", seconds=30)
    client = AsyncWebClient("xoxb-right", base_url=slack.api_url, retry_handlers=[])
    calling = asyncio.create_task(client.auth_test())
    async with asyncio.timeout(2):
        while not slack.calls:  # noqa: ASYNC110 - the list tells of no change
            await asyncio.sleep(0.01)
        await slack.stop()
        with pytest.raises(aiohttp.ClientError):
            await calling
