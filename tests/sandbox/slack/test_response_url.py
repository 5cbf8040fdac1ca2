"""The sandbox's Slack after an acknowledgement: response_urls and presses of buttons. No log shows a secret."""

from __future__ import annotations

import json
from typing import Any

import pytest
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from bot.sandbox.slack.server import Delivery, SandboxSlack
from tests.support import sandbox_slack
from tests.support.sandbox_slack import ANA, BEN, CARD, OUTSIDER, acknowledge, pressed, respond, section, seen_payloads

slack, web_client, connect, told = (
    sandbox_slack.slack,
    sandbox_slack.web_client,
    sandbox_slack.connect,
    sandbox_slack.told,
)


async def test_a_response_url_has_five_uses(slack: SandboxSlack, told: Delivery) -> None:
    statuses = [await respond(told, text=str(number)) for number in range(6)]
    assert statuses == [200] * 5 + [404]
    assert [message.text for message in slack.seen_by(ANA)] == ["0", "1", "2", "3", "4"]
    assert {message.trigger_id for message in slack.messages} == {told.trigger_id}
    assert slack.count("response_url") == 6
    assert slack.calls[-1].error == "used_url"


async def test_a_response_url_ends_after_its_time(slack: SandboxSlack, told: Delivery) -> None:
    slack.response_urls.lifetime_seconds = 0
    assert await respond(told, text="late") == 404


async def test_a_commands_response_url_only_adds(slack: SandboxSlack, told: Delivery) -> None:
    await respond(told, text="one")
    await respond(told, text="two", replace_original=True)
    await respond(told, delete_original=True)
    assert [(message.text, message.replaced) for message in slack.seen_by(ANA)] == [("one", False), ("two", False)]


async def test_a_response_in_channel_is_for_everybody(slack: SandboxSlack, told: Delivery) -> None:
    await respond(told, text="all", response_type="in_channel")
    assert [message.text for message in slack.seen_by(BEN)] == ["all"]


async def test_response_with_wrong_blocks_is_refused_and_not_counted(slack: SandboxSlack, told: Delivery) -> None:
    client = AsyncWebhookClient(told.payload["response_url"])
    answer = await client.send(text="x", blocks=[section("")])
    assert (answer.status_code, json.loads(answer.body)["error"]) == (400, "invalid_blocks")
    assert [await respond(told, text="x") for _ in range(5)] == [200] * 5


@pytest.mark.parametrize(("fault", "status"), [("500", 500), ("404", 404), ("ratelimited", 429), ("used_url", 404)])
async def test_a_response_url_can_fail(slack: SandboxSlack, told: Delivery, fault: str, status: int) -> None:
    slack.inject_fault("response_url", fault, times=1)
    assert await respond(told, text="x") == status
    assert await respond(told, text="x") == 200


async def test_no_secret_is_in_the_traffic(slack: SandboxSlack, told: Delivery, web_client: AsyncWebClient) -> None:
    await respond(told, text="https://join.example/secret")
    await web_client.users_info(user=ANA)
    shown = json.dumps(slack.traffic)  # type: ignore[attr-defined]
    assert "users.info" in shown
    assert "slash_commands" in shown
    for secret in ("xoxb", "xapp", "/response/", "join.example", "ana@", "hush"):
        assert secret not in shown


# buttons


async def test_a_press_carries_what_slack_sends(slack: SandboxSlack, connect: Any, web_client: AsyncWebClient) -> None:
    payloads: list[dict[str, Any]] = []
    await connect(seen_payloads(payloads))
    await web_client.chat_postEphemeral(channel="C0HELP", user=ANA, text="x", blocks=CARD)
    await web_client.chat_postMessage(channel="C0EXT", text="x", blocks=CARD)
    await slack.press(ANA, slack.messages[0], "retry")
    await slack.press(OUTSIDER, slack.messages[1], "retry", block_id="b", response_url=False)
    mine, theirs = payloads
    assert mine["actions"][0].items() >= {"action_id": "retry", "block_id": "b", "value": "7"}.items()
    assert mine["container"].items() >= {"is_ephemeral": True, "message_ts": slack.messages[0].ts}.items()
    assert "message" not in mine
    assert theirs["message"]["ts"] == slack.messages[1].ts
    assert theirs["user"].items() >= {"id": OUTSIDER, "team_id": "T0OTHER"}.items()
    assert "response_url" not in theirs
    with pytest.raises(LookupError):
        await slack.press(ANA, slack.messages[0], "none")


async def test_a_presss_response_url_changes_its_message(
    slack: SandboxSlack, connect: Any, web_client: AsyncWebClient
) -> None:
    await connect(acknowledge)
    message, delivery = await pressed(slack, web_client)
    await respond(delivery, text="done", replace_original=True)
    await respond(delivery, text="more")
    assert [seen.text for seen in slack.seen_by(ANA)] == ["done", "more"]
    assert (message.replaced, message.blocks) == (True, [])
    await respond(delivery, delete_original=True)
    assert [seen.text for seen in slack.seen_by(ANA)] == ["more"]
