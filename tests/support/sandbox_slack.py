"""Share users, channels, a running server and Slack's own clients for the tests of the sandbox's Slack."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from bot.sandbox.slack.server import Delivery, Message, Parameter, SandboxSlack, SlackChannel, SlackUser, Step, View

ANA, BEN, GUEST, OUTSIDER = "U0ANA", "U0BEN", "U0GUEST", "U0OUT"
USERS = [
    SlackUser(ANA, "ana", "Ana Agent", "ana@example.com"),
    SlackUser(BEN, "ben.b", "Ben Boss", "ben@example.com"),
    SlackUser(GUEST, "gil", "Gil Guest", is_restricted=True),
    SlackUser(OUTSIDER, "olga", "Olga Other", team_id="T0OTHER", is_stranger=True),
    SlackUser("U0GONE", "gone", "Gone Person", deleted=True),
]
CHANNELS = [
    SlackChannel("C0HELP", "helpdesk"),
    SlackChannel("C0OUT", "no-bot", bot_is_member=False),
    SlackChannel("C0EXT", "partners", is_ext_shared=True),
    SlackChannel("C0SECRET", "board", bot_is_member=False, is_private=True),
]
STEP = Step("start", "Start", (Parameter("agent", "Agent", "slack#/types/user_id"),), (Parameter("link", "Link"),))
BUTTON = {"type": "button", "action_id": "retry", "text": {"type": "plain_text", "text": "Try again"}, "value": "7"}
CARD = [{"type": "actions", "block_id": "b", "elements": [BUTTON]}]
Handler = Callable[[SocketModeClient, SocketModeRequest], Awaitable[None]]


@pytest.fixture
async def slack() -> AsyncIterator[SandboxSlack]:
    traffic: list[dict[str, Any]] = []
    server = SandboxSlack(
        bot_token="xoxb-right",
        app_token="xapp-right",
        signing_secret="hush",
        users=USERS,
        channels=CHANNELS,
        usergroups={"S0SUP": [BEN]},
        steps=[STEP],
        on_traffic=traffic.append,
    )
    server.traffic = traffic  # type: ignore[attr-defined]
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
def web_client(slack: SandboxSlack) -> AsyncWebClient:
    return AsyncWebClient("xoxb-right", base_url=slack.api_url)


@pytest.fixture
async def connect(slack: SandboxSlack) -> AsyncIterator[Callable[[Handler], Awaitable[SocketModeClient]]]:
    clients: list[SocketModeClient] = []

    async def connected(handler: Handler) -> SocketModeClient:
        client = SocketModeClient("xapp-right", web_client=AsyncWebClient(base_url=slack.api_url))
        client.socket_mode_request_listeners.append(handler)  # type: ignore[arg-type]
        clients.append(client)
        await client.connect()
        await slack.connected()
        return client

    yield connected
    for client in clients:
        await client.close()
        tasks = [client.message_processor, client.current_session_monitor, client.message_receiver]
        await asyncio.gather(*(task for task in tasks if task is not None), return_exceptions=True)


@pytest.fixture
async def told(slack: SandboxSlack, connect: Any) -> Delivery:
    await connect(acknowledge)
    return await slack.command(ANA, "")


async def acknowledge(client: SocketModeClient, request: SocketModeRequest) -> None:
    await client.send_socket_mode_response(SocketModeResponse(request.envelope_id))


def seen_payloads(kept: list[dict[str, Any]], answer: dict[str, Any] | None = None) -> Handler:
    async def handler(client: SocketModeClient, request: SocketModeRequest) -> None:
        kept.append(request.payload)
        await client.send_socket_mode_response(SocketModeResponse(request.envelope_id, payload=answer))

    return handler


async def error_of(call: Awaitable[Any]) -> str:
    with pytest.raises(SlackApiError) as caught:
        await call
    return str(caught.value.response["error"])


async def respond(delivery: Delivery, **body: Any) -> int:
    client = AsyncWebhookClient(delivery.payload["response_url"])
    return (await client.send(**body)).status_code


async def pressed(slack: SandboxSlack, client: AsyncWebClient) -> tuple[Message, Delivery]:
    await client.chat_postEphemeral(channel="C0HELP", user=ANA, text="x", blocks=CARD)
    return slack.messages[-1], await slack.press(ANA, slack.messages[-1], "retry")


def plain(text: str) -> dict[str, str]:
    return {"type": "plain_text", "text": text}


def field(block_id: str, element: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return an input block. The action_id of its element is the block's id."""
    element = {"action_id": block_id, **element}
    return {"type": "input", "block_id": block_id, "label": plain(block_id), "element": element, **more}


def option(value: str) -> dict[str, Any]:
    return {"text": plain(value.title()), "value": value}


SHORT = [option("short"), option("long")]
FIELDS = [
    field("name", {"type": "plain_text_input", "min_length": 2, "max_length": 10}),
    field("host", {"type": "users_select", "initial_user": BEN}, optional=True),
    field("length", {"type": "static_select", "options": SHORT, "initial_option": SHORT[0]}),
    field("minutes", {"type": "number_input", "is_decimal_allowed": False, "min_value": "5"}, optional=True),
]


def modal(*blocks: dict[str, Any], **more: Any) -> dict[str, Any]:
    words = {"title": plain("New session"), "submit": plain("Start")}
    return {"type": "modal", "callback_id": "new", **words, "blocks": list(blocks), **more}


def home(*blocks: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "home", "blocks": list(blocks), **more}


async def opened(slack: SandboxSlack, client: AsyncWebClient, *blocks: dict[str, Any], **more: Any) -> View:
    """Open a modal for Ana after a command of hers, and return the modal."""
    trigger = (await slack.command(ANA, "")).trigger_id
    await client.views_open(trigger_id=trigger, view=modal(*blocks, **more))
    return slack.views_of(ANA)[-1]


def section(text: str, **more: Any) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}, **more}
