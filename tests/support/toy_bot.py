"""Run a toy bot, built on Slack's own client, for the tests of the sandbox's page. It answers everything briefly."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from bot.sandbox.slack.server import Parameter, Shortcut, Step

ANA, BEN = "U0ANA", "U0BEN"
JOIN = "https://join.example/s/abc?key=<1>&x=2"
EVIL = "<img src=x onerror=alert(1)>"
SHORTCUTS = [Shortcut("new", "New session", "global"), Shortcut("from_message", "Help this customer", "message")]
STEP = Step(
    "start", "Start a session",
    (Parameter("agent", "Agent", "slack#/types/user_id"), Parameter("name", "Name", is_required=False)),
    (Parameter("link", "Link"),),
)  # fmt: skip


def mrkdwn(text: str) -> dict[str, str]:
    return {"type": "mrkdwn", "text": text}


def plain(text: str) -> dict[str, str]:
    return {"type": "plain_text", "text": text}


def button(action_id: str, label: str, **more: Any) -> dict[str, Any]:
    return {"type": "button", "action_id": action_id, "text": plain(label), **more}


def section(text: str, **more: Any) -> dict[str, Any]:
    return {"type": "section", "text": mrkdwn(text), **more}


def actions(*elements: dict[str, Any]) -> dict[str, Any]:
    return {"type": "actions", "elements": list(elements)}


def field_of(name: str, label: str, element: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "input", "block_id": name, "label": plain(label), "element": {"action_id": name, **element}, **more}


SURE = {
    "title": plain("End it?"),
    "text": mrkdwn("The *customer* leaves too."),
    "confirm": plain("End"),
    "deny": plain("Keep"),
}
END = button("end", "End session", style="danger", confirm={**SURE, "style": "danger"})
CARD: list[dict[str, Any]] = [
    {"type": "header", "text": plain("Your session is ready")},
    section(f"*Checkout &amp; help* for <@{ANA}>, until <!date^1767225600^{{time}}|12:00 UTC>."),
    section("Send this link to your *customer*:"),
    {
        "type": "rich_text",
        "elements": [{"type": "rich_text_preformatted", "elements": [{"type": "text", "text": JOIN}]}],
    },
    actions(
        button("open", "Open", url="https://join.example/s/abc", style="primary"),
        button("again", "Try again", value="1"),
        END,
    ),
    {"type": "divider"},
    {"type": "context", "elements": [mrkdwn(f"`4711` :lock: Ask <https://help.example|the help desk> {EVIL}")]},
]
LENGTHS = [{"text": plain(f"{minutes} minutes"), "value": str(minutes)} for minutes in (30, 60)]
FIELDS = [
    field_of("name", "Session name", {"type": "plain_text_input", "max_length": 40}, hint=plain("The agent sees it.")),
    field_of("host", "Host", {"type": "users_select", "placeholder": plain("Yourself")}, optional=True),
    field_of("length", "Ends after", {"type": "static_select", "options": LENGTHS, "initial_option": LENGTHS[0]}),
    field_of(
        "kind", "Kind", {"type": "radio_buttons", "options": [{"text": plain("Web"), "value": "web"}]}, optional=True
    ),
]


def modal(*blocks: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "modal", "callback_id": "new", "title": plain("New session"), "blocks": list(blocks), **more}


SKELETON = modal(section(":hourglass: Looking for your applications…"), notify_on_close=True)
FILLED = modal(*FIELDS, actions(button("check", "Check the name")), submit=plain("Start"), notify_on_close=True)
HOME = {
    "type": "home",
    "blocks": [
        {"type": "header", "text": plain("Your sessions")},
        section("*Checkout*", accessory=END),
        section("*Invoices*", accessory=END),
        actions(button("new", "Start a session", style="primary")),
    ],
}


@dataclass
class ToyBot:
    """Records what it receives: `texts` of commands, action ids in `presses`, and all the rest in `heard`, by type."""

    client: SocketModeClient
    web: AsyncWebClient
    presses: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    heard: list[tuple[str, Any]] = field(default_factory=list)
    fill: asyncio.Event = field(default_factory=asyncio.Event)
    posted: str = ""

    async def hear(self, client: Any, request: SocketModeRequest) -> None:
        """Acknowledge a payload, and answer it."""
        payload = request.payload
        asked = payload.get("text") or (payload.get("actions") or [{}])[0].get("action_id", "")
        if asked == "sleep":
            return
        answer = self.problems(payload) if payload.get("type") == "view_submission" else None
        await client.send_socket_mode_response(SocketModeResponse(request.envelope_id, payload=answer))
        if request.type == "slash_commands":
            await self.command(asked, payload)
        elif payload["type"] == "block_actions":
            await self.press(asked, payload)
        elif payload["type"] in ("shortcut", "message_action"):
            self.heard.append((payload["type"], (payload.get("message") or {}).get("text")))
            await self.open_modal(payload["trigger_id"])
        elif payload["type"] == "event_callback":
            await self.event(payload["event"])
        else:
            self.heard.append((payload["type"], payload["view"]["state"]["values"]))

    async def command(self, asked: str, payload: dict[str, Any]) -> None:
        self.texts.append(asked)
        respond = AsyncWebhookClient(payload["response_url"]).send
        if asked == "tell":
            await self.web.chat_postMessage(channel=BEN, text="*Ana* started a session for you.")
        elif asked == "new":
            await self.open_modal(payload["trigger_id"])
        elif asked == "share":
            sent = await self.web.chat_postMessage(channel=payload["channel_id"], text="Shared", blocks=CARD)
            self.posted = sent["ts"]
        elif asked == "ended":
            blocks = [section("This session has ended.")]
            await self.web.chat_update(channel=payload["channel_id"], ts=self.posted, text="Ended", blocks=blocks)
        else:
            await respond(text="Your session is ready", blocks=CARD)

    async def press(self, asked: str, payload: dict[str, Any]) -> None:
        self.presses.append(asked)
        if asked == "again":
            respond = AsyncWebhookClient(payload["response_url"]).send
            await respond(text="Done.", replace_original=True, blocks=[section("Done."), actions(END)])
        elif asked == "new":
            await self.open_modal(payload["trigger_id"])

    async def open_modal(self, trigger_id: str) -> None:
        """Open a modal without fields at once. Add the fields when the test allows it."""
        view = (await self.web.views_open(trigger_id=trigger_id, view=SKELETON))["view"]
        await self.fill.wait()
        await self.web.views_update(view_id=view["id"], hash=view["hash"], view=FILLED)

    def problems(self, payload: dict[str, Any]) -> dict[str, Any] | None:
        name = payload["view"]["state"]["values"]["name"]["name"]["value"]
        return {"response_action": "errors", "errors": {"name": "There is one."}} if name == "Taken" else None

    async def event(self, event: dict[str, Any]) -> None:
        self.heard.append((event["type"], event.get("inputs")))
        if event["type"] == "app_home_opened":
            await self.web.views_publish(user_id=event["user"], view=HOME)
            return
        run = {"function_execution_id": event["function_execution_id"]}
        if event["inputs"]["agent"] == BEN:
            await self.web.functions_completeError(error="Ben is linked to nobody.", **run)
        else:
            await self.web.functions_completeSuccess(outputs={"link": JOIN}, **run)

    async def stop(self) -> None:
        self.fill.set()
        await self.client.close()
        tasks = [self.client.message_processor, self.client.current_session_monitor, self.client.message_receiver]
        await asyncio.gather(*(task for task in tasks if task is not None), return_exceptions=True)
