"""The sandbox's Slack and payloads without a command: shortcuts, the Home tab, workflow steps, repeated events."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp import web
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.slack.server import SandboxSlack
from tests.support import sandbox_slack
from tests.support.sandbox_slack import (
    ANA,
    BEN,
    OUTSIDER,
    acknowledge,
    error_of,
    home,
    modal,
    respond,
    section,
    seen_payloads,
)

slack, web_client, connect = sandbox_slack.slack, sandbox_slack.web_client, sandbox_slack.connect


# shortcuts


async def test_a_global_shortcut_has_a_trigger_and_nowhere_to_answer(
    slack: SandboxSlack, connect: Any, web_client: AsyncWebClient
) -> None:
    payloads: list[dict[str, Any]] = []
    await connect(seen_payloads(payloads))
    delivery = await slack.shortcut(ANA, "start")
    (sent,) = payloads
    assert (sent["type"], sent["callback_id"], sent["user"]["id"]) == ("shortcut", "start", ANA)
    assert not {"channel", "response_url", "message"} & set(sent)
    assert (await web_client.views_open(trigger_id=delivery.trigger_id, view=modal()))["ok"]
    assert len(slack.views_of(ANA)) == 1


async def test_message_shortcut_brings_message_and_adding_response_url(slack: SandboxSlack, connect: Any) -> None:
    await connect(acknowledge)
    message = slack.post_message(BEN, "C0EXT", "My <basket> is empty")
    delivery = await slack.message_shortcut(OUTSIDER, message, "start")
    sent = delivery.payload
    assert (sent["type"], sent["callback_id"], sent["message_ts"]) == ("message_action", "start", message.ts)
    assert sent["channel"] == {"id": "C0EXT", "name": "partners"}
    assert sent["message"].items() >= {"user": BEN, "text": "My &lt;basket&gt; is empty", "ts": message.ts}.items()
    assert sent["user"]["team_id"] == "T0OTHER"
    await respond(delivery, text="hello", replace_original=True)
    assert [(seen.text, seen.visible_to) for seen in slack.messages[1:]] == [("hello", OUTSIDER)]
    assert message.text == "My &lt;basket&gt; is empty"


# events


async def test_an_opened_home_tab_is_an_event_that_shows_what_is_there(
    slack: SandboxSlack, connect: Any, web_client: AsyncWebClient
) -> None:
    payloads: list[dict[str, Any]] = []
    await connect(seen_payloads(payloads))
    await slack.open_home(ANA)
    await web_client.views_publish(user_id=ANA, view=home(section("hi")))
    await slack.open_home(ANA)
    await slack.open_home(ANA, "messages")
    first, second, third = (payload["event"] for payload in payloads)
    assert payloads[0].items() >= {"type": "event_callback", "team_id": "T0SANDBOX", "api_app_id": "A0SANDBOX"}.items()
    assert payloads[0]["event_id"] != payloads[1]["event_id"]
    assert payloads[0]["authorizations"][0]["team_id"] == "T0SANDBOX"
    assert first.items() >= {"type": "app_home_opened", "user": ANA, "tab": "home"}.items()
    assert first["channel"].startswith("D")
    assert "view" not in first
    assert second["view"]["blocks"][0]["text"]["text"] == "hi"
    assert (third["tab"], "view" in third) == ("messages", False)


async def test_an_event_nobody_acknowledges_comes_three_times_more(slack: SandboxSlack, connect: Any) -> None:
    envelopes: list[SocketModeRequest] = []

    async def silent(client: SocketModeClient, request: SocketModeRequest) -> None:
        envelopes.append(request)

    await connect(silent)
    assert slack.dispatcher.retries_after_seconds == (0, 60, 300)
    slack.ack_seconds, slack.dispatcher.retries_after_seconds = 0.05, (0, 0.01, 0.01)
    first = await slack.open_home(ANA)
    assert not first.acked
    await slack.until(lambda: len(slack.deliveries) == 4)
    assert [envelope.retry_attempt for envelope in envelopes] == [0, 1, 2, 3]
    assert {envelope.payload["event_id"] for envelope in envelopes} == {first.payload["event_id"]}
    assert envelopes[1].retry_reason == "timeout"


async def test_over_http_an_event_again_says_how_often_and_why(slack: SandboxSlack) -> None:
    headers: list[Any] = []

    async def handle(request: web.Request) -> web.Response:
        headers.append(request.headers)
        return web.Response(status=500 if len(headers) < 3 else 200)

    app = web.Application()
    app.router.add_post("/", handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    slack.events_url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
    slack.dispatcher.retries_after_seconds = (0, 0.01, 0.01)
    await slack.open_home(ANA)
    await slack.until(lambda: len(slack.deliveries) == 3)
    told = [(each.get("X-Slack-Retry-Num"), each.get("X-Slack-Retry-Reason")) for each in headers]
    assert told == [(None, None), ("1", "http_error"), ("2", "http_error")]
    await runner.cleanup()


# workflow steps


async def test_a_step_that_runs_is_an_event_with_a_token_of_its_own(
    slack: SandboxSlack, connect: Any, web_client: AsyncWebClient
) -> None:
    await connect(acknowledge)
    execution = await slack.function_executed("start", {"agent": BEN})
    assert execution.delivery is not None
    event = execution.delivery.payload["event"]
    assert (event["type"], event["inputs"], event["function"]["callback_id"]) == (
        "function_executed",
        {"agent": BEN},
        "start",
    )
    assert event["function"]["input_parameters"][0]["name"] == "agent"
    assert (event["function_execution_id"], event["workflow_execution_id"]) == (execution.id, execution.workflow_id)
    own = AsyncWebClient(event["bot_access_token"], base_url=slack.api_url)
    assert (await own.users_info(user=ANA))["ok"]
    await own.functions_completeSuccess(function_execution_id=execution.id, outputs={"link": "x"})
    assert (execution.status, execution.outputs) == ("succeeded", {"link": "x"})
    assert slack.executions == [execution]
    assert await error_of(own.users_info(user=ANA)) == "token_expired"
    again = own.functions_completeError(function_execution_id=execution.id, error="late")
    assert await error_of(again) == "execution_not_in_running_state"
    assert execution.error is None


async def test_a_step_can_fail_and_the_bots_own_token_may_say_so(
    slack: SandboxSlack, connect: Any, web_client: AsyncWebClient
) -> None:
    await connect(acknowledge)
    execution = await slack.function_executed("start", {})
    await web_client.functions_completeError(function_execution_id=execution.id, error="Nobody is linked.")
    assert (execution.status, execution.error) == ("failed", "Nobody is linked.")
    unknown = web_client.functions_completeError(function_execution_id="Fx0", error="x")
    assert await error_of(unknown) == "function_execution_not_found"
    empty = web_client.functions_completeError(function_execution_id=execution.id, error="")
    assert await error_of(empty) == "invalid_arguments"


@pytest.mark.parametrize("outputs", [{}, {"link": 7}, {"link": "x", "more": "y"}, ["x"]])
async def test_outputs_that_were_not_declared_so_are_refused(
    slack: SandboxSlack, connect: Any, web_client: AsyncWebClient, outputs: Any
) -> None:
    await connect(acknowledge)
    execution = await slack.function_executed("start", {"agent": BEN})
    completed = web_client.functions_completeSuccess(function_execution_id=execution.id, outputs=outputs)
    assert await error_of(completed) == "parameter_validation_failed"
    assert execution.status == "running"


async def test_a_step_delivered_again_keeps_its_ids(slack: SandboxSlack, connect: Any) -> None:
    payloads: list[dict[str, Any]] = []
    await connect(seen_payloads(payloads))
    execution = await slack.function_executed("start", {"agent": BEN})
    assert execution.delivery is not None
    again = await slack.redeliver(execution.delivery)
    assert payloads[0] == payloads[1]
    assert (execution.delivery.retry, again.retry) == (0, 1)
