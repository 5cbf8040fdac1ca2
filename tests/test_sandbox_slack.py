"""The sandbox's Slack against Slack's own client library: what the real clients take and report is what it must do."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs

import aiohttp
import pytest
from aiohttp import web
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_async_handlers import AsyncRateLimitErrorRetryHandler
from slack_sdk.signature import SignatureVerifier
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from bot.sandbox.slack import Delivery, Message, SandboxSlack, SlackChannel, SlackUser

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
]
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
        on_traffic=traffic.append,
    )
    server.traffic = traffic  # type: ignore[attr-defined]
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
def web_client(slack: SandboxSlack) -> AsyncWebClient:
    return AsyncWebClient("xoxb-right", base_url=slack.api_url)


async def acknowledge(client: SocketModeClient, request: SocketModeRequest) -> None:
    await client.send_socket_mode_response(SocketModeResponse(request.envelope_id))


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


def seen_payloads(kept: list[dict[str, Any]], answer: dict[str, Any] | None = None) -> Handler:
    async def handler(client: SocketModeClient, request: SocketModeRequest) -> None:
        kept.append(request.payload)
        await client.send_socket_mode_response(SocketModeResponse(request.envelope_id, payload=answer))

    return handler


async def error_of(call: Awaitable[Any]) -> str:
    with pytest.raises(SlackApiError) as caught:
        await call
    return str(caught.value.response["error"])


# the Web API


async def test_auth_test_names_the_workspace_and_the_bot(web_client: AsyncWebClient) -> None:
    answer = await web_client.auth_test()
    assert (answer["team_id"], answer["user_id"], answer["bot_id"]) == ("T0SANDBOX", "U0BOT", "B0BOT")
    assert "chat:write" in answer.headers["x-oauth-scopes"]


@pytest.mark.parametrize(
    ("token", "error"), [("xoxb-wrong", "invalid_auth"), (None, "not_authed"), ("xapp-right", "not_allowed_token_type")]
)
async def test_a_wrong_token_is_refused(slack: SandboxSlack, token: str | None, error: str) -> None:
    assert await error_of(AsyncWebClient(token, base_url=slack.api_url).auth_test()) == error


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


async def test_a_direct_message_is_seen_by_its_person_alone(slack: SandboxSlack, web_client: AsyncWebClient) -> None:
    opened = (await web_client.conversations_open(users=[ANA]))["channel"]["id"]
    sent = await web_client.chat_postMessage(channel=opened, text="hello")
    assert (sent["channel"], sent["message"]["text"]) == (opened, "hello")
    assert (await web_client.chat_postMessage(channel=ANA, text="again"))["channel"] == opened
    assert [message.text for message in slack.seen_by(ANA)] == ["hello", "again"]
    assert slack.seen_by(BEN) == []


async def test_an_ephemeral_message_is_seen_by_its_person_alone(
    slack: SandboxSlack, web_client: AsyncWebClient
) -> None:
    await web_client.chat_postEphemeral(channel="C0HELP", user=ANA, text="psst")
    assert [message.text for message in slack.seen_by(ANA)] == ["psst"]
    assert slack.seen_by(BEN) == []


async def test_a_message_in_a_channel_is_not_seen_by_outsiders_unless_it_is_shared(
    slack: SandboxSlack, web_client: AsyncWebClient
) -> None:
    await web_client.chat_postMessage(channel="C0HELP", text="inside")
    await web_client.chat_postMessage(channel="C0EXT", text="shared")
    assert [message.text for message in slack.seen_by(OUTSIDER)] == ["shared"]
    assert [message.text for message in slack.seen_by(BEN)] == ["inside", "shared"]


async def test_an_update_changes_the_bots_own_message(slack: SandboxSlack, web_client: AsyncWebClient) -> None:
    sent = await web_client.chat_postMessage(channel="C0HELP", text="old")
    await web_client.chat_update(channel="C0HELP", ts=sent["ts"], text="new")
    assert [(message.text, message.replaced) for message in slack.messages] == [("new", True)]
    hidden = await web_client.chat_postEphemeral(channel="C0HELP", user=ANA, text="psst")
    changed = web_client.chat_update(channel="C0HELP", ts=hidden["message_ts"], text="new")
    assert await error_of(changed) == "message_not_found"
    typed = slack.say(ANA, "C0HELP", "mine")
    assert await error_of(web_client.chat_update(channel="C0HELP", ts=typed.ts, text="x")) == "cant_update_message"


async def test_places_the_bot_or_the_person_is_not_in_are_refused(web_client: AsyncWebClient) -> None:
    def whisper(channel: str, user: str) -> Awaitable[Any]:
        return web_client.chat_postEphemeral(channel=channel, user=user, text="x")

    assert await error_of(web_client.chat_postMessage(channel="C0NONE", text="x")) == "channel_not_found"
    assert await error_of(web_client.chat_postMessage(channel="C0OUT", text="x")) == "not_in_channel"
    assert await error_of(whisper("C0OUT", ANA)) == "not_in_channel"
    assert await error_of(whisper("C0HELP", OUTSIDER)) == "user_not_in_channel"
    assert await error_of(web_client.conversations_open(users="U0NOBODY")) == "user_not_found"
    assert await error_of(web_client.conversations_open(users="U0GONE")) == "user_disabled"


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


# what Slack does not take


def section(text: str, **more: Any) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}, **more}


def button(**changes: Any) -> list[dict[str, Any]]:
    return [{"type": "actions", "elements": [{**BUTTON, **changes}]}]


def plain(text: str) -> dict[str, str]:
    return {"type": "plain_text", "text": text}


CONFIRM = {"title": plain("Sure?"), "text": plain("Really."), "confirm": plain("Yes"), "deny": plain("No")}
LINES = {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": "https://x.example/j"}]}
TOO_MUCH: dict[str, Any] = {
    "51 blocks": [{"type": "divider"}] * 51,
    "no section text": [section("")],
    "3001 in a section": [section("x" * 3001)],
    "nothing in a section": [{"type": "section"}],
    "11 fields": [{"type": "section", "fields": [plain("x")] * 11}],
    "151 in a header": [{"type": "header", "text": plain("x" * 151)}],
    "mrkdwn in a header": [{"type": "header", "text": {"type": "mrkdwn", "text": "x"}}],
    "76 on a button": button(text=plain("x" * 76)),
    "mrkdwn on a button": button(text={"type": "mrkdwn", "text": "x"}),
    "2001 in a value": button(value="x" * 2001),
    "3001 in a url": button(url="https://x.example/" + "x" * 3000),
    "a url without a scheme": button(url="x.example"),
    "256 in an action_id": button(action_id="x" * 256),
    "an unknown style": button(style="warning"),
    "one action_id twice": [{"type": "actions", "elements": [BUTTON, BUTTON]}],
    "one block_id twice": [section("x", block_id="a"), section("x", block_id="a")],
    "11 in a context": [{"type": "context", "elements": [plain("x")] * 11}],
    "a button in a context": [{"type": "context", "elements": [BUTTON]}],
    "no buttons": [{"type": "actions", "elements": []}],
    "a misspelt key": [section("x", acessory=BUTTON)],
    "an unknown block": [{"type": "card"}],
    "a confirm without text": button(confirm={**CONFIRM, "text": None}),
    "31 on confirm": button(confirm={**CONFIRM, "confirm": plain("x" * 31)}),
    "an empty rich text": [{"type": "rich_text", "elements": [{**LINES, "elements": [{"type": "text", "text": ""}]}]}],
    "a mention in preformatted": [
        {"type": "rich_text", "elements": [{**LINES, "elements": [{"type": "user", "user_id": ANA}]}]}
    ],
    "no array": {"type": "divider"},
}
ENOUGH: dict[str, Any] = {
    "50 blocks": [{"type": "divider"}] * 50,
    "3000 in a section": [section("x" * 3000, accessory=BUTTON)],
    "a full header": [{"type": "header", "text": plain("x" * 150)}],
    "a full button": button(text=plain("x" * 75), value="x" * 2000, action_id="x" * 255, style="danger"),
    "a link": button(url="https://x.example/" + "x" * 2982),
    "a confirm": button(confirm=CONFIRM),
    "ten in a context": [{"type": "context", "elements": [plain("x")] * 10}],
    "preformatted": [{"type": "rich_text", "elements": [LINES]}],
}


@pytest.mark.parametrize("blocks", TOO_MUCH.values(), ids=TOO_MUCH)
async def test_blocks_slack_would_refuse_are_refused(
    slack: SandboxSlack, web_client: AsyncWebClient, blocks: Any
) -> None:
    assert await error_of(web_client.chat_postMessage(channel="C0HELP", text="x", blocks=blocks)) == "invalid_blocks"
    assert slack.messages == []


@pytest.mark.parametrize("blocks", ENOUGH.values(), ids=ENOUGH)
async def test_blocks_at_the_limit_are_taken(slack: SandboxSlack, web_client: AsyncWebClient, blocks: Any) -> None:
    await web_client.chat_postMessage(channel="C0HELP", text="x", blocks=blocks)
    assert len(slack.messages) == 1


async def test_a_message_needs_text_or_blocks(web_client: AsyncWebClient) -> None:
    assert await error_of(web_client.api_call("chat.postMessage", json={"channel": "C0HELP"})) == "no_text"
    assert await error_of(web_client.api_call("chat.postMessage", json={"text": "x"})) == "invalid_arguments"


# commands by Socket Mode


async def test_a_command_arrives_with_mentions_and_entities_as_slack_escapes_them(
    slack: SandboxSlack, connect: Any
) -> None:
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


async def test_a_command_nobody_acknowledges_times_out_before_the_persons_eyes(
    slack: SandboxSlack, connect: Any
) -> None:
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


async def test_a_payload_whose_socket_closes_before_the_ack_goes_to_another(slack: SandboxSlack, connect: Any) -> None:
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
    slack.misbehave("socket", "deaf")
    assert not (await slack.command(ANA, "")).acked
    assert payloads == []


async def test_a_redelivered_command_keeps_its_ids(slack: SandboxSlack, connect: Any) -> None:
    payloads: list[dict[str, Any]] = []
    await connect(seen_payloads(payloads))
    await slack.redeliver(await slack.command(ANA, "x"))
    assert payloads[0] == payloads[1]


# response_url


async def respond(delivery: Delivery, **body: Any) -> int:
    client = AsyncWebhookClient(delivery.payload["response_url"])
    return (await client.send(**body)).status_code


@pytest.fixture
async def told(slack: SandboxSlack, connect: Any) -> Delivery:
    await connect(acknowledge)
    return await slack.command(ANA, "")


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


async def test_a_response_with_wrong_blocks_is_refused_and_costs_no_use(slack: SandboxSlack, told: Delivery) -> None:
    client = AsyncWebhookClient(told.payload["response_url"])
    answer = await client.send(text="x", blocks=[section("")])
    assert (answer.status_code, json.loads(answer.body)["error"]) == (400, "invalid_blocks")
    assert [await respond(told, text="x") for _ in range(5)] == [200] * 5


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


async def pressed(slack: SandboxSlack, client: AsyncWebClient) -> tuple[Message, Delivery]:
    await client.chat_postEphemeral(channel="C0HELP", user=ANA, text="x", blocks=CARD)
    return slack.messages[-1], await slack.press(ANA, slack.messages[-1], "retry")


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


# misbehaviour


async def test_a_fault_lasts_as_often_as_it_was_asked_to(slack: SandboxSlack, web_client: AsyncWebClient) -> None:
    slack.misbehave("users.info", "ratelimited", times=1, retry_after=0)
    web_client.retry_handlers.append(AsyncRateLimitErrorRetryHandler(max_retry_count=1))
    assert (await web_client.users_info(user=ANA))["ok"]
    assert [call.error for call in slack.calls] == ["ratelimited", None]
    slack.misbehave("users.info", "channel_not_found")
    assert await error_of(web_client.users_info(user=ANA)) == "channel_not_found"
    slack.misbehave("users.info", None)
    assert (await web_client.users_info(user=ANA))["ok"]


async def test_a_dropped_answer_may_still_have_acted(slack: SandboxSlack) -> None:
    client = AsyncWebClient("xoxb-right", base_url=slack.api_url, retry_handlers=[])
    for acted in (False, True):
        slack.misbehave("chat.postMessage", "drop", times=1, acted=acted)
        with pytest.raises(aiohttp.ClientError):
            await client.chat_postMessage(channel="C0HELP", text=str(acted))
    assert [message.text for message in slack.messages] == ["True"]


@pytest.mark.parametrize(("fault", "status"), [("500", 500), ("404", 404), ("ratelimited", 429), ("used_url", 404)])
async def test_a_response_url_can_fail(slack: SandboxSlack, told: Delivery, fault: str, status: int) -> None:
    slack.misbehave("response_url", fault, times=1)
    assert await respond(told, text="x") == status
    assert await respond(told, text="x") == 200


async def test_a_slow_method_answers_in_the_end(slack: SandboxSlack, web_client: AsyncWebClient) -> None:
    slack.misbehave("auth.test", "slow", seconds=0.1)
    await web_client.auth_test()
    assert slack.traffic[-1]["ms"] >= 100  # type: ignore[attr-defined]


async def test_no_secret_is_in_the_traffic(slack: SandboxSlack, told: Delivery, web_client: AsyncWebClient) -> None:
    await respond(told, text="https://join.example/secret")
    await web_client.users_info(user=ANA)
    shown = json.dumps(slack.traffic)  # type: ignore[attr-defined]
    assert "users.info" in shown
    assert "slash_commands" in shown
    for secret in ("xoxb", "xapp", "/response/", "join.example", "ana@", "hush"):
        assert secret not in shown


# signed HTTP


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


async def test_http_answers_other_than_200_and_closed_doors_are_dispatch_failures(
    slack: SandboxSlack, bot_url: Any
) -> None:
    await bot_url(web.Response(status=500, text="boom"))
    assert ((answer := await slack.command(ANA, "")).status, answer.error) == (500, "dispatch_failed")
    slack.events_url = "http://127.0.0.1:1/slack/events"
    assert (await slack.command(ANA, "")).error == "dispatch_failed"
    assert [message.text for message in slack.seen_by(ANA)] == ['/cobrowse failed with the error "dispatch_failed"'] * 2


async def test_http_answers_that_come_too_late_time_out(slack: SandboxSlack, bot_url: Any) -> None:
    slack.ack_seconds = 0.2
    await bot_url(None)
    assert (await slack.command(ANA, "")).error == "operation_timeout"


# the end


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


async def test_stopping_ends_calls_that_hang(slack: SandboxSlack) -> None:
    slack.misbehave("auth.test", "slow", seconds=30)
    client = AsyncWebClient("xoxb-right", base_url=slack.api_url, retry_handlers=[])
    calling = asyncio.create_task(client.auth_test())
    async with asyncio.timeout(2):
        while not slack.calls:  # noqa: ASYNC110 - the list tells of no change
            await asyncio.sleep(0.01)
        await slack.stop()
        with pytest.raises(aiohttp.ClientError):
            await calling


async def test_waiting_for_a_message_ends_in_a_timeout(slack: SandboxSlack, web_client: AsyncWebClient) -> None:
    with pytest.raises(TimeoutError):
        await slack.next_message(ANA, timeout=0.05)
    waiting = asyncio.create_task(slack.next_message(ANA, after=1))
    await web_client.chat_postMessage(channel="C0HELP", text="first")
    await web_client.chat_postEphemeral(channel="C0HELP", user=BEN, text="not hers")
    await web_client.chat_postEphemeral(channel="C0HELP", user=ANA, text="second")
    assert (await waiting).text == "second"


async def test_five_hundred_commands_at_once_are_each_answered(slack: SandboxSlack, connect: Any) -> None:
    await connect(seen_payloads([], {"text": "yes"}))
    deliveries = await asyncio.gather(*(slack.command(ANA, str(number)) for number in range(500)))
    assert all(delivery.acked for delivery in deliveries)
    assert {message.trigger_id for message in slack.seen_by(ANA)} == {one.trigger_id for one in deliveries}
