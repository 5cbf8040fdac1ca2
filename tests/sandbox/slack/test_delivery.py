"""The sandbox's Slack and Socket Mode: the payloads of commands, which socket gets them, and missing acks."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import pytest
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.slack.server import SandboxSlack
from tests.support import sandbox_slack
from tests.support.sandbox_slack import ANA, BEN, acknowledge, seen_payloads

slack, web_client, connect = sandbox_slack.slack, sandbox_slack.web_client, sandbox_slack.connect


async def test_command_has_mentions_and_entities_as_slack_escapes(slack: SandboxSlack, connect: Any) -> None:
    payloads: list[dict[str, Any]] = []
    await connect(seen_payloads(payloads))
    delivery = await slack.command(ANA, "@ben.b, @nobody a@ana <b> & <@U0BEN> #helpdesk @Ben.B. ")
    assert payloads[0]["text"] == (
        "<@U0BEN|ben.b>, @nobody a@ana &lt;b&gt; &amp; &lt;@U0BEN&gt; <#C0HELP|helpdesk> <@U0BEN|ben.b>."
    )
    assert payloads[0] == delivery.payload
    assert (payloads[0]["command"], payloads[0]["team_id"], payloads[0]["channel_name"]) == (
        "/cobrowse", "T0SANDBOX", "helpdesk",
    )  # fmt: skip
    await slack.command(ANA, "@ben.b", escape=False)
    assert payloads[1]["text"] == "@ben.b"
    assert payloads[0]["trigger_id"] != payloads[1]["trigger_id"]


async def test_an_ack_with_text_is_shown_to_the_person_alone(slack: SandboxSlack, connect: Any) -> None:
    await connect(seen_payloads([], {"text": "on it"}))
    delivery = await slack.command(ANA, "")
    message = await slack.next_message(ANA)
    assert (delivery.acked, delivery.body) == (True, {"text": "on it"})
    assert (message.text, message.via, message.visible_to) == ("on it", "ack", ANA)
    assert message.trigger_id == delivery.trigger_id
    assert slack.seen_by(BEN) == []


async def test_unacknowledged_command_times_out_in_the_page(slack: SandboxSlack, connect: Any) -> None:
    async def silent(client: SocketModeClient, request: SocketModeRequest) -> None:
        return None

    slack.ack_seconds = 0.2
    await connect(silent)
    delivery = await slack.command(ANA, "")
    assert (delivery.acked, delivery.error) == (False, "operation_timeout")
    assert slack.seen_by(ANA)[0].text == '/cobrowse failed with the error "operation_timeout"'


async def test_a_command_with_no_bot_there_fails_at_once(slack: SandboxSlack) -> None:
    assert (await slack.command(ANA, "")).error == "dispatch_failed"
    assert slack.seen_by(ANA)[0].text == '/cobrowse failed with the error "dispatch_failed"'
    assert slack.seen_by(ANA)[0].user == "USLACKBOT"


async def test_several_sockets_share_the_commands(slack: SandboxSlack, connect: Any) -> None:
    first: list[dict[str, Any]] = []
    second: list[dict[str, Any]] = []
    await connect(seen_payloads(first))
    await connect(seen_payloads(second))
    for _ in range(4):
        await slack.command(ANA, "")
    assert (len(first), len(second)) == (2, 2)


async def test_payload_whose_socket_closes_before_the_ack_moves_on(slack: SandboxSlack, connect: Any) -> None:
    taken: list[str] = []

    async def leave(client: SocketModeClient, request: SocketModeRequest) -> None:
        taken.append("left")
        client.auto_reconnect_enabled = False
        await client.disconnect()

    async def stay(client: SocketModeClient, request: SocketModeRequest) -> None:
        taken.append("stayed")
        await acknowledge(client, request)

    await connect(leave)
    await connect(stay)
    deliveries = [await slack.command(ANA, ""), await slack.command(ANA, "")]
    assert [delivery.acked for delivery in deliveries] == [True, True]
    assert sorted(taken) == ["left", "stayed", "stayed"]


@pytest.mark.parametrize("reason", ["warning", "refresh_requested"])
async def test_a_disconnected_client_comes_back(slack: SandboxSlack, connect: Any, reason: str) -> None:
    client = await connect(acknowledge)
    before = await client.session_id()
    await slack.disconnect_sockets(reason, seconds=0.1)
    async with asyncio.timeout(5):
        while await client.session_id() == before or not await client.is_connected():  # noqa: ASYNC110 - the client has no event
            await asyncio.sleep(0.02)
    assert (await slack.command(ANA, "")).acked


async def test_a_socket_ticket_opens_one_socket_once(slack: SandboxSlack, web_client: AsyncWebClient) -> None:
    url = (await web_client.apps_connections_open(app_token="xapp-right"))["url"]
    async with aiohttp.ClientSession() as session:
        async with session.ws_connect(url) as ws:
            assert (await ws.receive_json())["type"] == "hello"
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await session.ws_connect(url)


async def test_a_deaf_socket_neither_delivers_nor_pings(slack: SandboxSlack, connect: Any) -> None:
    payloads: list[dict[str, Any]] = []
    slack.ack_seconds = 0.2
    await connect(seen_payloads(payloads))
    slack.inject_fault("socket", "unresponsive")
    assert not (await slack.command(ANA, "")).acked
    assert payloads == []


async def test_a_redelivered_command_keeps_its_ids(slack: SandboxSlack, connect: Any) -> None:
    payloads: list[dict[str, Any]] = []
    await connect(seen_payloads(payloads))
    await slack.redeliver(await slack.command(ANA, "x"))
    assert payloads[0] == payloads[1]


async def test_five_hundred_commands_at_once_are_each_answered(slack: SandboxSlack, connect: Any) -> None:
    await connect(seen_payloads([], {"text": "yes"}))
    deliveries = await asyncio.gather(*(slack.command(ANA, str(number)) for number in range(500)))
    assert all(delivery.acked for delivery in deliveries)
    assert {message.trigger_id for message in slack.seen_by(ANA)} == {one.trigger_id for one in deliveries}
