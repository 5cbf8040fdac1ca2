"""The sandbox's page in a real browser, against the sandbox's Slack and a toy bot: what people see and do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from browser import open_browser
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from bot.sandbox.page import SandboxPage
from bot.sandbox.page_view import masked
from bot.sandbox.slack import SandboxSlack, SlackChannel, SlackUser

pytestmark = pytest.mark.asyncio(loop_scope="module")  # one browser for all tests
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


# a person at the page


async def test_the_command_is_completed_and_answered_to_that_person_alone(page: Any, bot: ToyBot) -> None:
    box = page.get_by_role("combobox", name="Message #helpdesk")
    await box.press_sequentially("/co")
    assert await offers(page).all_inner_texts() == ["/cobrowse\n[@agent] [session name], help, whoami"]
    assert await box.get_attribute("aria-expanded") == "true"
    assert await box.get_attribute("aria-activedescendant") == "offer-0"
    await page.keyboard.press("Enter")
    assert await box.input_value() == "/cobrowse "
    await page.keyboard.type("Checkout")
    await page.keyboard.press("Enter")
    shown = page.get_by_role("article")
    await shown.get_by_text("Only visible to you").wait_for()
    assert bot.texts == ["Checkout"]
    assert await box.input_value() == ""
    await page.get_by_label("Act as").select_option(label="Ben Boss: a supervisor")
    await page.get_by_text("Nothing here yet").wait_for()
    assert await shown.count() == 0
    await page.get_by_label("Act as").select_option(index=0)
    await shown.get_by_text("Only visible to you").wait_for()


async def test_a_card_is_drawn_as_slack_draws_it_and_nothing_in_it_is_html(page: Any) -> None:
    shown = await card(page)
    assert await shown.get_by_role("heading", name="Your session is ready").count() == 1
    text = await shown.inner_text()
    assert "Checkout & help for @Ana Agent, until 09:00." in text
    assert EVIL in text
    assert await page.locator("img").count() == 0
    assert await shown.locator("strong", has_text="customer").count() == 1
    assert await shown.locator("pre").inner_text() == JOIN
    assert await shown.locator("pre a").count() == 0
    assert await shown.locator("code").inner_text() == "4711"
    assert await shown.get_by_role("link", name="the help desk").get_attribute("href") == "https://help.example"


async def test_the_link_is_copied_whole(page: Any) -> None:
    shown = await card(page)
    await shown.get_by_role("button", name="Copy").click()
    await shown.get_by_role("button", name="Copied").wait_for()
    assert await page.evaluate("navigator.clipboard.readText()") == JOIN


async def test_a_link_button_opens_a_new_tab_and_tells_the_bot(page: Any, bot: ToyBot) -> None:
    shown = await card(page)
    await page.context.route("https://join.example/**", lambda route: route.fulfill(body="joined"))
    async with page.context.expect_page() as opened:
        await shown.get_by_role("link", name="Open").click()
    tab = await opened.value
    assert tab.url == "https://join.example/s/abc"
    assert await tab.evaluate("window.opener") is None
    await until(lambda: bot.presses == ["open"])


async def test_a_pressed_button_may_change_its_message(page: Any, bot: ToyBot) -> None:
    shown = await card(page)
    await shown.get_by_role("button", name="Try again").click()
    await page.get_by_text("Done.").wait_for()
    assert await shown.count() == 0
    assert await page.get_by_role("article").count() == 1


async def test_a_confirm_dialog_asks_first_and_starts_at_the_safe_answer(page: Any, bot: ToyBot) -> None:
    shown = await card(page)
    end = shown.get_by_role("button", name="End session")
    dialog = page.get_by_role("dialog", name="End it?")
    await end.click()
    assert await dialog.get_by_role("button", name="Keep").evaluate("node => node === document.activeElement")
    await page.keyboard.press("Escape")
    await dialog.wait_for(state="hidden")
    await end.click()
    await dialog.get_by_role("button", name="Keep").click()
    await end.click()
    assert "The customer leaves too." in await dialog.inner_text()
    await dialog.get_by_role("button", name="End", exact=True).click()
    await until(lambda: bot.presses == ["end"])


async def test_a_press_nobody_answers_gets_a_sign(page: Any, slack: SandboxSlack, bot: ToyBot) -> None:
    shown = await card(page)
    slack.ack_seconds = 0.1
    slack.misbehave("socket", "deaf")
    await shown.get_by_role("button", name="Try again").click()
    await shown.get_by_role("img", name="The app did not answer.").wait_for()


async def test_a_person_is_completed_with_the_keyboard_and_arrives_as_a_mention(page: Any, bot: ToyBot) -> None:
    box = page.get_by_role("combobox", name="Message")
    await box.press_sequentially("/cobrowse @")
    assert await offers(page).count() == 3
    await page.keyboard.press("Escape")
    assert await offers(page).count() == 0
    await page.keyboard.press("Backspace")
    await page.keyboard.type("@")
    await page.keyboard.press("ArrowDown")
    assert await box.get_attribute("aria-activedescendant") == "offer-1"
    await page.keyboard.press("Tab")
    assert await box.input_value() == "/cobrowse @ben "
    await page.keyboard.type("Invoice <b>")
    await page.keyboard.press("Enter")
    await until(lambda: bot.texts == ["<@U0BEN|ben> Invoice &lt;b&gt;"])


async def test_nothing_is_shown_until_slack_says_that_the_command_failed(page: Any, slack: SandboxSlack) -> None:
    slack.ack_seconds = 0.4
    await say(page, "/cobrowse sleep")
    await asyncio.sleep(0.2)
    assert await page.get_by_role("article").count() == 0
    await page.get_by_text('/cobrowse failed with the error "operation_timeout"').wait_for()
    await say(page, "/browse")
    await page.get_by_text("/browse is not a valid command.").wait_for()


async def test_a_direct_message_to_somebody_else_is_counted_until_they_read_it(page: Any) -> None:
    await say(page, "/cobrowse tell")
    act_as = page.get_by_label("Act as")
    await act_as.locator("option", has_text="Ben Boss: a supervisor (1 new)").wait_for(state="attached")
    await act_as.select_option(index=1)
    conversation = page.get_by_role("navigation").get_by_role("button", name="cobrowse, 1 unread")
    await conversation.click()
    message = page.get_by_role("article").filter(has_text="Ana started a session for you.")
    await message.wait_for()
    assert "Only visible to you" not in await message.inner_text()
    assert await page.get_by_role("navigation").get_by_text("unread").count() == 0
    assert await act_as.locator("option", has_text="new").count() == 0


async def test_plain_text_is_an_ordinary_message_for_everybody(page: Any, bot: ToyBot) -> None:
    await say(page, f"*hello* {EVIL}")
    await page.get_by_label("Act as").select_option(index=1)
    message = page.get_by_role("article")
    await message.wait_for()
    assert f"hello {EVIL}" in await message.inner_text()
    assert bot.texts == []


async def test_the_panel_sets_a_fault_and_shows_the_traffic_without_secrets(page: Any, served: SandboxPage) -> None:
    await page.get_by_label("The session service").select_option(value="429")
    await page.get_by_text("On now: too many requests, then works.").wait_for()
    served.traffic(
        {"from": "bot", "to": "genesys", "method": "POST", "path": "/one", "status": 429, "ms": 4, "note": ""}
    )
    served.traffic(
        {"from": "bot", "to": "Slack", "what": "two", "status": 200, "ms": 4, "note": f"sent {JOIN}", "x": 1}
    )
    rows = page.get_by_role("table", name="Traffic").locator("tbody tr")
    await rows.nth(1).wait_for()
    newest, oldest = await rows.all_inner_texts()
    assert "two" in newest
    assert "sent •••" in newest
    assert "bot → Genesys" in oldest
    assert "POST /one" in oldest
    await page.reload()
    await page.get_by_text("On now: too many requests, then works.").wait_for()
    await page.get_by_label("The session service").select_option(value="")
    await until(lambda: served.chosen == ["429", None])  # type: ignore[attr-defined]


async def test_the_first_tab_stop_skips_to_the_message_box(page: Any) -> None:
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    assert await page.evaluate("document.activeElement.id") == "box"


async def test_a_narrow_window_shows_everything_without_scrolling_sideways(page: Any) -> None:
    await page.set_viewport_size({"width": 400, "height": 800})
    await card(page)
    assert await page.evaluate("document.documentElement.scrollWidth") == 400
    table, side = page.get_by_label("The session service"), page.get_by_role("navigation")
    for name, part in (("Genesys", table), ("Conversations", side)):
        opener = page.get_by_role("button", name=name)
        assert not await part.is_visible()
        await opener.click()
        assert await part.is_visible()
        assert await opener.get_attribute("aria-expanded") == "true"
        await page.keyboard.press("Escape")
        assert not await part.is_visible()
        assert await opener.evaluate("node => node === document.activeElement")


CONTRASTS = """() => {
  const numbers = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const linear = (v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  const light = (colour) => {
    const [r, g, b] = numbers(colour).map((v) => linear(v / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (node) => {
    for (let at = node; at; at = at.parentElement) {
      const colour = getComputedStyle(at).backgroundColor;
      if ((numbers(colour)[3] ?? 1) > 0) return colour;
    }
    return "rgb(255, 255, 255)";
  };
  const found = [];
  for (const node of document.querySelectorAll("body *")) {
    const own = [...node.childNodes].some((child) => child.nodeType === 3 && child.textContent.trim());
    if (!own || !node.checkVisibility() || node.closest(".unseen, .skip, noscript")) continue;
    const [a, b] = [light(getComputedStyle(node).color), light(ground(node))].sort((x, y) => y - x);
    found.push([node.textContent.slice(0, 30), (a + 0.05) / (b + 0.05)]);
  }
  return found;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_every_text_has_enough_contrast(page: Any, slack: SandboxSlack, served: SandboxPage, scheme: str) -> None:
    await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    served.traffic({"from": "bot", "to": "Slack", "what": "x", "status": 500, "ms": 4, "note": "bad"})
    await page.get_by_label("The session service").select_option(value="429")
    await card(page)
    await bot_says(slack, ANA)
    await page.get_by_role("combobox", name="Message").fill("@")
    found = await page.evaluate(CONTRASTS)
    assert len(found) > 30
    assert [entry for entry in found if entry[1] < 4.5] == []


async def bot_says(slack: SandboxSlack, user_id: str) -> None:
    await AsyncWebClient("xoxb-1", base_url=slack.api_url).chat_postMessage(channel=user_id, text="hello")


# other sites, and the end


async def test_other_sites_and_names_are_kept_out(served: SandboxPage, slack: SandboxSlack) -> None:
    port = served.url.rsplit(":", 1)[1]
    base = f"http://127.0.0.1:{port}"
    body = {"as": ANA, "channel": "C0HELP", "text": "hi"}
    async with aiohttp.ClientSession(base) as session:

        async def say_from(**headers: str) -> int:
            async with session.post("/api/say", json=body, headers=headers) as answer:
                return answer.status

        assert (await session.get("/", headers={"Host": f"evil.example:{port}"})).status == 403
        assert (await session.get("/live", headers={"Host": f"evil.example:{port}"})).status == 403
        assert (await session.get("/live", headers={"Sec-Fetch-Site": "cross-site"})).status == 403
        assert (await session.get("/", headers={"Sec-Fetch-Site": "cross-site"})).status == 200
        assert await say_from() == 403
        assert await say_from(Origin="http://evil.example") == 403
        assert await say_from(Origin=f"http://localhost:{port}") == 403
        assert await say_from(Origin=base, **{"Content-Type": "text/plain"}) == 415
        assert slack.messages == []
        assert await say_from(Origin=base) == 200
        assert len(slack.messages) == 1


async def test_files_come_with_a_strict_policy_and_nothing_else_is_served(served: SandboxPage) -> None:
    async with aiohttp.ClientSession(served.url) as session:
        for name in ("", "app.js", "style.css", "icon.svg"):
            async with session.get(f"/{name}") as answer:
                assert answer.status == 200
                assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self';")
                assert answer.headers["X-Content-Type-Options"] == "nosniff"
        for name in ("page.py", "%2e%2e%2fpage.py", "..%2f..%2f__init__.py", "none.js"):
            async with session.get(f"/{name}") as answer:
                assert answer.status == 404


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("say", {"as": "U0EVE", "channel": "C0HELP", "text": "x"}, 400),
        ("say", {"as": ANA, "channel": "C0NONE", "text": "x"}, 400),
        ("say", {"as": ANA, "channel": "C0HELP", "text": " "}, 400),
        ("say", {"as": 1}, 400),
        ("say", [], 400),
        ("press", {"as": ANA, "ts": "1.2", "action_id": "a", "block_id": "b"}, 404),
        ("fault", {"name": "none"}, 400),
    ],
)
async def test_what_the_page_could_not_have_sent_is_refused(
    served: SandboxPage, path: str, body: Any, status: int
) -> None:
    async with aiohttp.ClientSession(served.url) as session:
        answer = await session.post(f"/api/{path}", json=body, headers={"Origin": served.url})
        assert answer.status == status


async def test_an_open_page_does_not_hold_up_the_end(served: SandboxPage) -> None:
    async with aiohttp.ClientSession(served.url) as session, session.get("/live") as live:
        assert await live.content.readline() == b"event: state\n"
        async with asyncio.timeout(2):
            await served.stop()
            assert b"hello" not in await live.content.read()


@pytest.mark.parametrize(
    "secret",
    [
        "xoxb-1-abc", "xapp-1-abc", "ana@example.com", "ana%40example.com", "https://join.example/a", "ws://127.0.0.1/x",
        "/response/abc_1", "Bearer abc.def", "eyJhbGciOi.eyJzdWIi.sig",
    ],
)  # fmt: skip
async def test_secrets_are_masked_in_the_traffic(secret: str) -> None:
    shown = masked({"from": "bot", "to": "Slack", "what": f"a {secret} b", "note": secret, "body": secret})
    assert (shown["what"], shown["note"], "body" in shown) == ("a ••• b", "•••", False)
