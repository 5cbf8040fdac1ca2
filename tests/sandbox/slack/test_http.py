"""The sandbox's Slack and signed HTTP: signatures and bodies, refusals, time-outs, and deliveries without an answer."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs

import pytest
from aiohttp import web
from slack_sdk.signature import SignatureVerifier
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.slack.server import SandboxSlack
from tests.support import sandbox_slack
from tests.support.sandbox_slack import ANA, BEN, pressed

slack, web_client, connect = sandbox_slack.slack, sandbox_slack.web_client, sandbox_slack.connect


@pytest.fixture
async def bot_url(slack: SandboxSlack) -> AsyncIterator[Callable[[web.Response | None], Awaitable[list[web.Request]]]]:
    runners: list[web.AppRunner] = []

    async def serve(answer: web.Response | None) -> list[web.Request]:
        requests: list[web.Request] = []

        async def handle(request: web.Request) -> web.Response:
            await request.read()
            requests.append(request)
            if answer is None:
                await asyncio.sleep(30)
            return web.Response(status=answer.status, text=answer.text, content_type=answer.content_type)  # type: ignore[union-attr]

        app = web.Application()
        app.router.add_post("/slack/events", handle)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        runners.append(runner)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        slack.events_url = f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events"
        return requests

    yield serve
    for runner in runners:
        await runner.cleanup()


async def test_http_deliveries_are_signed_as_slack_signs_them(slack: SandboxSlack, bot_url: Any) -> None:
    requests = await bot_url(web.json_response({"text": "hi", "response_type": "in_channel"}))
    delivery = await slack.command(ANA, "Checkout & <help>")
    await slack.redeliver(delivery)
    message = slack.seen_by(BEN)[0]
    assert (delivery.acked, delivery.status, message.text) == (True, 200, "hi")
    first, second = [await request.read() for request in requests]
    assert first == second
    assert SignatureVerifier("hush").is_valid_request(first, dict(requests[0].headers))
    assert not SignatureVerifier("other").is_valid_request(first, dict(requests[0].headers))
    assert parse_qs(first.decode())["text"] == ["Checkout &amp; &lt;help&gt;"]


async def test_http_presses_and_events_come_in_their_own_bodies(
    slack: SandboxSlack, bot_url: Any, web_client: AsyncWebClient
) -> None:
    requests = await bot_url(web.Response(text=""))
    await pressed(slack, web_client)
    await slack.send({"type": "event_callback", "event_id": "Ev1"}, "events_api")
    form = parse_qs((await requests[0].read()).decode())
    assert json.loads(form["payload"][0])["type"] == "block_actions"
    assert json.loads(await requests[1].read())["event_id"] == "Ev1"


async def test_http_errors_and_closed_ports_are_dispatch_failures(slack: SandboxSlack, bot_url: Any) -> None:
    await bot_url(web.Response(status=500, text="boom"))
    assert ((answer := await slack.command(ANA, "")).status, answer.error) == (500, "dispatch_failed")
    slack.events_url = "http://127.0.0.1:1/slack/events"
    assert (await slack.command(ANA, "")).error == "dispatch_failed"
    assert [message.text for message in slack.seen_by(ANA)] == ['/cobrowse failed with the error "dispatch_failed"'] * 2


async def test_http_answers_that_come_too_late_time_out(slack: SandboxSlack, bot_url: Any) -> None:
    slack.ack_seconds = 0.2
    await bot_url(None)
    assert (await slack.command(ANA, "")).error == "operation_timeout"


@pytest.mark.parametrize("by_http", [True, False])
async def test_stopping_ends_deliveries_that_hang(
    slack: SandboxSlack, bot_url: Any, connect: Any, by_http: bool
) -> None:
    reached = asyncio.Event()

    async def silent(client: SocketModeClient, request: SocketModeRequest) -> None:
        reached.set()

    if by_http:
        requests = await bot_url(None)
    else:
        await connect(silent)
    waiting = asyncio.create_task(slack.command(ANA, ""))
    async with asyncio.timeout(2):
        while not (reached.is_set() or (by_http and requests)):  # noqa: ASYNC110 - two kinds of arrival
            await asyncio.sleep(0.01)
        await slack.stop()
        assert not (await waiting).acked
