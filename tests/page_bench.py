"""What the tests of the sandbox's page share: its Slack, a toy bot, the page served and open in a real browser.

A file that takes these fixtures runs its tests on one loop (pytestmark below them), and with one browser.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest_asyncio
from browser import open_browser
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from bot.sandbox.page import SandboxPage
from bot.sandbox.slack import SandboxSlack, SlackChannel, SlackUser

ANA, BEN = "U0ANA", "U0BEN"
JOIN = "https://join.example/s/abc?key=<1>&x=2"
EVIL = "<img src=x onerror=alert(1)>"
FAULTS = {"429": "too many requests, then works", "down": "cannot be reached"}


def mrkdwn(text: str) -> dict[str, str]:
    return {"type": "mrkdwn", "text": text}


def button(action_id: str, label: str, **more: Any) -> dict[str, Any]:
    return {"type": "button", "action_id": action_id, "text": {"type": "plain_text", "text": label}, **more}


def plain(text: str) -> dict[str, str]:
    return {"type": "plain_text", "text": text}


SURE = {
    "title": plain("End it?"),
    "text": mrkdwn("The *customer* leaves too."),
    "confirm": plain("End"),
    "deny": plain("Keep"),
}
CARD: list[dict[str, Any]] = [
    {"type": "header", "text": plain("Your session is ready")},
    {
        "type": "section",
        "text": mrkdwn(f"*Checkout &amp; help* for <@{ANA}>, until <!date^1767225600^{{time}}|12:00 UTC>."),
    },
    {"type": "section", "text": mrkdwn("Send this link to your *customer*:")},
    {
        "type": "rich_text",
        "elements": [{"type": "rich_text_preformatted", "elements": [{"type": "text", "text": JOIN}]}],
    },
    {
        "type": "actions",
        "elements": [
            button("open", "Open", url="https://join.example/s/abc", style="primary"),
            button("again", "Try again", value="1"),
            button("end", "End session", style="danger", confirm={**SURE, "style": "danger"}),
        ],
    },
    {"type": "divider"},
    {"type": "context", "elements": [mrkdwn(f"`4711` :lock: Ask <https://help.example|the help desk> {EVIL}")]},
]


@dataclass
class ToyBot:
    """Answers /cobrowse with a card, `tell` with a direct message to Ben, `sleep` not at all, and notes presses."""

    client: SocketModeClient
    web: AsyncWebClient
    presses: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    async def hear(self, client: Any, request: SocketModeRequest) -> None:
        payload = request.payload
        asked = payload.get("text") or (payload.get("actions") or [{}])[0].get("action_id", "")
        if asked == "sleep":
            return
        await client.send_socket_mode_response(SocketModeResponse(request.envelope_id))
        respond = AsyncWebhookClient(payload["response_url"]).send
        if request.type == "interactive":
            self.presses.append(asked)
            if asked == "again":
                await respond(text="Done.", replace_original=True)
            return
        self.texts.append(asked)
        if asked == "tell":
            await self.web.chat_postMessage(channel=BEN, text="*Ana* started a session for you.")
        else:
            await respond(text="Your session is ready", blocks=CARD)

    async def stop(self) -> None:
        await self.client.close()
        tasks = [self.client.message_processor, self.client.current_session_monitor, self.client.message_receiver]
        await asyncio.gather(*(task for task in tasks if task is not None), return_exceptions=True)


@pytest_asyncio.fixture(loop_scope="module")
async def slack() -> AsyncIterator[SandboxSlack]:
    users = [
        SlackUser(ANA, "ana", "Ana Agent", "ana@example.com"),
        SlackUser(BEN, "ben", "Ben Boss"),
        SlackUser("U0EVE", "eve", EVIL),
    ]
    channels = [SlackChannel("C0HELP", "helpdesk"), SlackChannel("C0TALK", "talk")]
    server = SandboxSlack(
        bot_token="xoxb-1", app_token="xapp-1", signing_secret="hush", users=users, channels=channels
    )  # fmt: skip
    await server.start()
    yield server
    await server.stop()


@pytest_asyncio.fixture(loop_scope="module")
async def bot(slack: SandboxSlack) -> AsyncIterator[ToyBot]:
    client = SocketModeClient("xapp-1", web_client=AsyncWebClient(base_url=slack.api_url))
    toy = ToyBot(client, AsyncWebClient("xoxb-1", base_url=slack.api_url))
    client.socket_mode_request_listeners.append(toy.hear)  # type: ignore[arg-type]
    await client.connect()
    await slack.connected()
    yield toy
    await toy.stop()


@pytest_asyncio.fixture(loop_scope="module")
async def served(slack: SandboxSlack) -> AsyncIterator[SandboxPage]:
    async def set_fault(name: str | None) -> None:
        chosen.append(name)

    chosen: list[str | None] = []
    people = [(ANA, "Ana Agent: an agent"), (BEN, "Ben Boss: a supervisor")]
    page = SandboxPage(slack=slack, people=people, faults=FAULTS, set_fault=set_fault)
    page.chosen = chosen  # type: ignore[attr-defined]
    await page.start(port=0)
    yield page
    await page.stop()


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def browser() -> AsyncIterator[Any]:
    async with open_browser() as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="module")
async def page(browser: Any, served: SandboxPage, bot: ToyBot) -> AsyncIterator[Any]:
    context = await browser.new_context(
        locale="en-GB", timezone_id="Asia/Tokyo", viewport={"width": 1280, "height": 800}
    )
    await context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = await context.new_page()
    page.set_default_timeout(5000)
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda line: faults.append(line.text) if line.type in ("error", "warning") else None)
    hosts: set[str] = set()
    page.on("request", lambda request: hosts.add(request.url.split("/")[2]))
    await page.goto(served.url)
    await page.get_by_role("heading", name="# helpdesk").wait_for()
    yield page
    assert faults == []
    assert hosts == {served.url.split("/")[2]}
    await context.close()


async def say(page: Any, text: str) -> None:
    await page.get_by_role("combobox", name="Message").fill(text)
    await page.keyboard.press("Enter")


def offers(page: Any) -> Any:
    return page.get_by_role("listbox", name="Suggestions").get_by_role("option")


async def until(condition: Any) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - waits for what a browser does
            await asyncio.sleep(0.02)


async def card(page: Any) -> Any:
    await say(page, "/cobrowse Checkout")
    shown = page.get_by_role("article").filter(has_text="Your session is ready")
    await shown.wait_for()
    return shown
